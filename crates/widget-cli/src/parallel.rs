//! Does the same with many inputs on all processors, and hands the results on in the order of the
//! inputs.

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

/// How often the progress of a long run is shown; the first time after as long, so that a short run
/// shows none.
const EVERY: Duration = Duration::from_millis(150);

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
                while let Some((index, input)) = take(next, inputs) {
                    // The receiver is gone when the output ended early; then there is nothing left
                    // to do.
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

fn take<'i, I>(next: &AtomicUsize, inputs: &'i [I]) -> Option<(usize, &'i I)> {
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
        if self.done < self.total && self.shown.elapsed() >= EVERY {
            self.shown = Instant::now();
            printer.progress(format_args!(
                "{} of {}",
                grouped(self.done),
                count(self.total, "file", "files")
            ));
        }
    }
}
