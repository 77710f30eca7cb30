//! Reading web pages beside the requests of others.

use tokio::task::spawn_blocking;

use crate::web::problem::Problem;

/// Reads a page where it keeps no other request waiting: it may have megabytes.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    spawn_blocking(work).await.map_err(Problem::internal)
}
