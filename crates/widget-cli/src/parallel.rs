//! Processes many inputs on all processors and returns the results in the order of the inputs.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    failure::Failure,
    printer::{Printer, count, grouped},
};

/// How often progress is shown, and after which time first: a short run shows none.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(150);

/// Calls `work` for each input and `receive` for each result, in the order of the inputs.
pub(crate) fn for_each<I, T>(
    inputs: &[I],
    printer: &mut Printer,
    work: impl Fn(&I) -> T + Sync,
    mut receive: impl FnMut(&mut Printer, T) -> Result<(), Failure>,
) -> Result<(), Failure>
where
    I: Sync,
    T: Send,
{
    let total = inputs.len();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    if total <= 1 || threads == 1 {
        let mut progress = Progress::new(total);
        for input in inputs {
            let result = work(input);
            receive(printer, result)?;
            progress.step(printer);
        }
        return Ok(());
    }
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.min(total) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((index, input)) = claim_next(next, inputs) {
                    // The receiver is gone when writing the output failed.
                    if sender.send((index, work(input))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        let mut progress = Progress::new(total);
        for (index, result) in receiver {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                due += 1;
                receive(printer, result)?;
            }
            progress.step(printer);
        }
        Ok(())
    })
}

fn claim_next<'i, I>(next: &AtomicUsize, inputs: &'i [I]) -> Option<(usize, &'i I)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(index).map(|input| (index, input))
}

struct Progress {
    total: usize,
    done: usize,
    shown: Instant,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            shown: Instant::now(),
        }
    }

    fn step(&mut self, printer: &mut Printer) {
        self.done += 1;
        if self.done < self.total && self.shown.elapsed() >= PROGRESS_INTERVAL {
            self.shown = Instant::now();
            printer.progress(format_args!(
                "{} of {}",
                grouped(self.done),
                count(self.total, "file", "files")
            ));
        }
    }
}
