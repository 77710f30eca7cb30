//! The limit of open files, which is what runs out first when connections do.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to the highest that this process may have; returns it, or nothing
/// where there is none.
#[must_use]
pub fn raise_file_limit() -> Option<usize> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(
            error = crate::causes::with_causes(&error),
            "the limit of open files cannot be raised"
        );
    }
    let files = getrlimit(Resource::Nofile).current?;
    usize::try_from(files).ok()
}
