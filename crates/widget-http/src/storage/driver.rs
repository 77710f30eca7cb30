//! What both databases share below the trait: the meaning of driver errors, and the forms in which
//! values are stored.

use sqlx::error::ErrorKind;
use time::OffsetDateTime;

use super::{ConflictKind, StoreError};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as Driver;
        match &error {
            Driver::Database(database) => {
                let kind = match database.kind() {
                    ErrorKind::UniqueViolation => ConflictKind::Unique,
                    ErrorKind::ForeignKeyViolation => ConflictKind::ForeignKey,
                    ErrorKind::NotNullViolation
                    | ErrorKind::CheckViolation
                    | ErrorKind::ExclusionViolation => ConflictKind::Other,
                    _ if database.code().is_some_and(|code| is_temporary(&code)) => {
                        return Self::Unavailable(Box::new(error));
                    }
                    _ => return Self::Query(Box::new(error)),
                };
                Self::Conflict {
                    cause: database.message().to_owned(),
                    kind,
                }
            }
            Driver::Io(_)
            | Driver::Tls(_)
            | Driver::Protocol(_)
            | Driver::PoolTimedOut
            | Driver::PoolClosed
            | Driver::WorkerCrashed
            | Driver::BeginFailed => Self::Unavailable(Box::new(error)),
            _ => Self::Query(Box::new(error)),
        }
    }
}

// Primary codes of SQLite.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;

/// Whether the same statement may succeed a moment later.
///
/// SQLite: <https://www.sqlite.org/rescode.html>, an extended code holds the primary one in its
/// lowest byte. PostgreSQL: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_temporary(code: &str) -> bool {
    // A SQLSTATE has five characters; none of SQLite's codes has.
    if code.len() == 5 {
        return ["08", "53", "57", "58", "40", "55P03", "25006"]
            .iter()
            .any(|class| code.starts_with(class));
    }
    code.parse::<i32>()
        .is_ok_and(|code| [BUSY, LOCKED, READ_ONLY, IO, FULL, CANNOT_OPEN].contains(&(code & 0xff)))
}

/// Whole microseconds since 1970, the form in which every time is stored.
pub(super) fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// The time of [`micros`].
pub(super) fn time_of(micros: i64) -> Result<OffsetDateTime, String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .map_err(|_| format!("`{micros}` microseconds is not a time"))
}
