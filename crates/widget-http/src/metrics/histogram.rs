//! A histogram of times that many threads add to without waiting for each other.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds in microseconds, from an answer out of memory to the end of every deadline.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// How many times were at most so long, and all of them together.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// Those of each bound alone; the last one has what is longer than all.
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Histogram {
    /// Counts a time.
    pub(crate) fn observe(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|bound| microseconds <= *bound);
        self.counts[place.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// What was counted so far.
    pub(super) fn read(&self) -> Times {
        // Times that come in meanwhile may be missing from the sum; the counts agree.
        let nanoseconds = self.nanoseconds.load(Relaxed);
        let bounds = BOUNDS.map(|bound| Duration::from_micros(bound).as_secs_f64());
        let bounds = bounds.into_iter().chain([f64::INFINITY]);
        let counts = self.counts.iter().map(|count| count.load(Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        Times {
            sum: Duration::from_nanos(nanoseconds).as_secs_f64(),
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

/// What a histogram has counted.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) sum: f64,
    pub(super) count: u64,
    /// Each upper bound in seconds, with how many were in this bucket alone.
    pub(super) buckets: Vec<(f64, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_at_its_bound() {
        let histogram = Histogram::default();
        for microseconds in [0, 100, 101, 30_000_000, 30_000_001] {
            histogram.observe(Duration::from_micros(microseconds));
        }
        let times = histogram.read();
        let counted: Vec<_> = times.buckets.iter().filter(|bucket| bucket.1 > 0).collect();
        let expected = [(0.0001, 2), (0.000_25, 1), (30.0, 1), (f64::INFINITY, 1)];
        assert_eq!(counted, expected.iter().collect::<Vec<_>>());
        assert_eq!(times.count, 5);
        assert!((times.sum - 60.000_202).abs() < 1e-9, "{}", times.sum);
    }
}
