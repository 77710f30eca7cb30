//! What both databases share below the trait: the meaning of driver errors, and the forms in which
//! values are stored.

use std::io::ErrorKind as ErrorKindOfIo;

use sqlx::error::ErrorKind;
use time::{Date, OffsetDateTime};
use widget_core::stored_time::{FIRST_YEAR, LAST_YEAR};

use crate::causes::with_causes;

use super::error::{ConflictKind, StoreError};

/// What a failure of the driver means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// A constraint was violated.
    Conflict(ConflictKind),
    /// Somebody else holds a lock, or the statement was given up for another one's sake.
    Locked,
    /// The statement took too long, maybe because it waited for a lock.
    Canceled,
    /// The database can be read and not written.
    ReadOnly,
    /// The statement was prepared for another schema, or is not prepared on this connection.
    Outdated,
    /// There is no disk space for what is to be written.
    Full,
    /// What is stored is not what the database wrote.
    Damaged,
    /// The connection or the database does not work at present.
    Unavailable,
    /// A table of the statement is missing.
    NoTable,
    /// A column of the statement is missing.
    NoColumn,
    /// The statement was rejected.
    Rejected,
}

impl Failure {
    /// What each of them is called in a metric.
    pub(super) const NAMES: [&'static str; 11] = [
        "conflict",
        "locked",
        "canceled",
        "read_only",
        "outdated",
        "full",
        "damaged",
        "unavailable",
        "table_missing",
        "column_missing",
        "rejected",
    ];

    /// Its place in [`Self::NAMES`].
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Conflict(_) => 0,
            Self::Locked => 1,
            Self::Canceled => 2,
            Self::ReadOnly => 3,
            Self::Outdated => 4,
            Self::Full => 5,
            Self::Damaged => 6,
            Self::Unavailable => 7,
            Self::NoTable => 8,
            Self::NoColumn => 9,
            Self::Rejected => 10,
        }
    }

    pub(super) fn of(error: &sqlx::Error) -> Self {
        use sqlx::Error as Driver;
        match error {
            Driver::Database(database) => match database.kind() {
                ErrorKind::UniqueViolation => Self::Conflict(ConflictKind::Unique),
                ErrorKind::ForeignKeyViolation => Self::Conflict(ConflictKind::ForeignKey),
                ErrorKind::NotNullViolation
                | ErrorKind::CheckViolation
                | ErrorKind::ExclusionViolation => Self::Conflict(ConflictKind::Other),
                // SQLite has no code of its own for it.
                _ if database.message().starts_with("no such table") => Self::NoTable,
                _ if database.message().starts_with("no such column") => Self::NoColumn,
                _ => database
                    .code()
                    .map_or(Self::Rejected, |code| Self::of_code(&code)),
            },
            Driver::Io(error) if error.kind() == ErrorKindOfIo::ResourceBusy => Self::Locked,
            Driver::Io(_)
            | Driver::Tls(_)
            | Driver::Protocol(_)
            | Driver::PoolTimedOut
            | Driver::PoolClosed
            | Driver::WorkerCrashed
            | Driver::BeginFailed => Self::Unavailable,
            _ => Self::Rejected,
        }
    }

    /// SQLite: <https://www.sqlite.org/rescode.html>, an extended code holds the primary one in its
    /// lowest byte. PostgreSQL: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn of_code(code: &str) -> Self {
        let starts_with_one_of =
            |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
        // A SQLSTATE has five characters; none of SQLite's codes that are listed here has.
        if code.len() == 5 {
            return match code {
                "53100" => Self::Full,
                _ if starts_with_one_of(&["XX001", "XX002"]) => Self::Damaged,
                // "cached plan must not change result type", in any language.
                "0A000" | "26000" => Self::Outdated,
                "42P01" => Self::NoTable,
                "42703" => Self::NoColumn,
                "57014" => Self::Canceled,
                // A standby, a setting of the server, of the database or of the user, and a user
                // without the right to write.
                "25006" | "42501" => Self::ReadOnly,
                _ if starts_with_one_of(&["40", "55P03"]) => Self::Locked,
                _ if starts_with_one_of(&["08", "53", "57", "58"]) => Self::Unavailable,
                _ => Self::Rejected,
            };
        }
        match code.parse::<i32>() {
            Ok(IO_SHARED_MEMORY_SIZE) => Self::Full,
            Ok(READ_ONLY_MOVED) => Self::Unavailable,
            Ok(IO_WRITE | IO_SYNC | IO_FOLDER_SYNC | IO_TRUNCATE) => Self::ReadOnly,
            Ok(code) => match code & 0xff {
                FULL => Self::Full,
                CORRUPT | NOT_A_DATABASE => Self::Damaged,
                SCHEMA => Self::Outdated,
                BUSY | LOCKED => Self::Locked,
                READ_ONLY => Self::ReadOnly,
                IO | CANNOT_OPEN => Self::Unavailable,
                _ => Self::Rejected,
            },
            Err(_) => Self::Rejected,
        }
    }

    /// Whether the connection is in the state of before the statement, so that a transaction can
    /// be rolled back. SQLite ends a transaction by itself when the disk is full; of what cannot be
    /// explained nothing is known.
    pub(super) fn leaves_the_state_known(self) -> bool {
        match self {
            Self::Conflict(_) | Self::Locked | Self::Canceled => true,
            // A new connection may be allowed to write.
            Self::ReadOnly
            | Self::Outdated
            | Self::Full
            | Self::Damaged
            | Self::Unavailable
            | Self::NoTable
            | Self::NoColumn
            | Self::Rejected => false,
        }
    }
}

// Codes of SQLite.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const SCHEMA: i32 = 17;
const NOT_A_DATABASE: i32 = 26;
/// The file was moved.
const READ_ONLY_MOVED: i32 = READ_ONLY | (4 << 8);
/// The file system rejects writes, as one does that was remounted after errors of its disk.
const IO_WRITE: i32 = IO | (3 << 8);
const IO_SYNC: i32 = IO | (4 << 8);
const IO_FOLDER_SYNC: i32 = IO | (5 << 8);
const IO_TRUNCATE: i32 = IO | (6 << 8);
/// The index of the write-ahead log cannot grow.
const IO_SHARED_MEMORY_SIZE: i32 = IO | (19 << 8);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match Failure::of(&error) {
            Failure::Conflict(kind) => Self::Conflict {
                cause: error.to_string(),
                kind,
            },
            Failure::Full => Self::Full(error.into()),
            Failure::Locked => Self::Busy(error.into()),
            Failure::ReadOnly => Self::ReadOnly(error.into()),
            Failure::Damaged => {
                tracing::error!(
                    error = with_causes(&error),
                    "the database is damaged; stop the service and restore it from a backup"
                );
                Self::Damaged(error.into())
            }
            Failure::Canceled | Failure::Outdated | Failure::Unavailable => {
                Self::Unavailable(error.into())
            }
            Failure::NoTable | Failure::NoColumn | Failure::Rejected => Self::Query(error.into()),
        }
    }
}

/// Whole microseconds since 1970, the form in which every time is stored.
pub(super) fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// The last microsecond of the last year that is stored.
const LATEST_TIME: i64 = match Date::from_ordinal_date(LAST_YEAR + 1, 1) {
    Ok(next_year) => next_year.midnight().assume_utc().unix_timestamp() * 1_000_000 - 1,
    Err(_) => panic!("the year after the last one that is stored is one of the calendar"),
};

/// The time of [`micros`]; nothing that is stored is older than 1970.
pub(super) fn time_of(micros: i64) -> Result<OffsetDateTime, String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000);
    match time {
        Ok(time) if (0..=LATEST_TIME).contains(&micros) => Ok(time),
        _ => Err(format!(
            "`{micros}` microseconds after 1970 is not a time from {FIRST_YEAR} to {LAST_YEAR}"
        )),
    }
}

/// The same, where it matters only that there is a time.
pub(super) fn nearest_time_of(micros: i64) -> OffsetDateTime {
    time_of(micros.clamp(0, LATEST_TIME)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
