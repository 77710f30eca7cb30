//! How long storage may keep a request waiting: all its calls together, also when the database does
//! not answer.
//!
//! The timeouts of the databases themselves do not help when nothing arrives from them anymore.

use std::{cell::Cell, io, time::Duration};

use tokio::time::{Instant, timeout};

use super::error::StoreError;

/// The time of all storage calls of one request together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// The time of one call of a command or of background work, for which no client waits. No call has
/// more.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The time of what follows a call: its rollback, and giving back its connection.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

tokio::task_local! {
    /// How long storage has kept the present request waiting.
    static SPENT: Cell<Duration>;
}

/// Runs the work of one request, whose storage calls share their time.
pub(crate) fn share_time<F: Future>(work: F) -> impl Future<Output = F::Output> {
    SPENT.scope(Cell::default(), work)
}

/// Runs a storage call until its time is over; then its connection is in an unknown state.
pub(super) async fn bounded<T>(
    call: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    // Not by way of the function below: each call of a function adds its arguments to the future.
    in_time(call).await.unwrap_or_else(|| Err(no_answer()))
}

/// What a call fails with that is not answered in time.
pub(super) fn no_answer() -> sqlx::Error {
    let message = "the database did not answer in time";
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
}

/// The same with the error that says what was late.
pub(super) async fn bounded_or<T>(
    call: impl Future<Output = Result<T, sqlx::Error>>,
    too_late: impl FnOnce() -> sqlx::Error,
) -> Result<T, sqlx::Error> {
    in_time(call).await.unwrap_or_else(|| Err(too_late()))
}

/// Waits for what another request asks of storage: that is storage's time as well.
///
/// # Errors
/// [`StoreError::Unavailable`] when the time is over.
pub(crate) async fn wait_in_time<F: Future>(work: F) -> Result<F::Output, StoreError> {
    let message = "another request waits for the database, which did not answer in time";
    let output = in_time(work).await;
    output.ok_or_else(|| StoreError::Unavailable(message.into()))
}

async fn in_time<F: Future>(work: F) -> Option<F::Output> {
    let time = SPENT.try_with(|spent| REQUEST_TIMEOUT.saturating_sub(spent.get()));
    let begun = Instant::now();
    let output = timeout(time.unwrap_or(CALL_TIMEOUT), work).await.ok();
    // Outside a request nothing is shared.
    let _ = SPENT.try_with(|spent| spent.set(spent.get() + begun.elapsed()));
    output
}

/// Ends or releases what a call has used; gives up when that takes too long.
pub(super) async fn released<F: Future>(work: F) -> Option<F::Output> {
    timeout(RELEASE_TIMEOUT, work).await.ok()
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    async fn call(milliseconds: u64) -> bool {
        let call = async {
            sleep(Duration::from_millis(milliseconds)).await;
            Ok(())
        };
        bounded(call).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_calls_of_one_request_share_two_seconds() {
        let request = async {
            let first = call(1500).await;
            // An upload, for example, is not storage's time.
            sleep(Duration::from_secs(20)).await;
            (first, call(400).await, call(200).await, call(0).await)
        };
        assert_eq!(share_time(request).await, (true, true, false, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_outside_a_request_has_its_own_time() {
        assert_eq!(
            [call(9900).await, call(9900).await, call(10_100).await],
            [true, true, false]
        );
    }
}
