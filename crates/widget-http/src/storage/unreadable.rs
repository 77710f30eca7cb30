//! Rows that this build cannot read: a newer build wrote them, or they are damaged.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use super::{
    error::StoreError,
    sweep::{SweepBatch, SweepPosition},
};

/// How many such rows are remembered as logged; beyond that, one line says so.
const MAX_LOGGED: usize = 1_000;

/// A row of a list, and the place at which the list continues behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, I = Uuid> {
    /// The position of the row.
    pub position: ListPosition<I>,
    /// What the row is.
    pub item: T,
}

/// The position of a row in a list: the time by which the list is sorted, as it is stored, in whole
/// microseconds since 1970, and the id.
pub type ListPosition<I = Uuid> = (i64, I);

/// A row that this build can read, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredRow<T> {
    /// What it says.
    Readable(T),
    /// Which one it is.
    Unreadable(UnreadableRow),
}

/// A row that this build cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// Its id.
    pub id: Uuid,
    /// The first column that cannot be read.
    pub column: &'static str,
    /// What is wrong with it.
    pub cause: String,
}

impl<T> StoredRow<T> {
    /// What the row says, if it can be read.
    pub fn readable(self) -> Option<T> {
        match self {
            Self::Readable(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}

/// Reports each unreadable row to the operator once.
#[derive(Debug, Clone, Default)]
pub(super) struct UnreadableLog(Arc<Mutex<HashSet<(&'static str, String)>>>);

impl UnreadableLog {
    /// Logs the row unless it was logged before.
    pub(super) fn note(&self, table: &'static str, row: &str, cause: &str) {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MAX_LOGGED || !logged.insert((table, row.to_owned())) {
            return;
        }
        tracing::error!(
            table,
            row,
            cause,
            "a stored row cannot be read: a newer version wrote it, or it is damaged; it is skipped"
        );
        if logged.len() == MAX_LOGGED {
            tracing::error!("further rows that cannot be read are not logged");
        }
    }

    /// The same for an error; any other one is left to the caller.
    fn note_error(&self, error: &StoreError) {
        if let StoreError::Corrupt {
            table, row, cause, ..
        } = error
        {
            self.note(table, row, cause);
        }
    }

    /// The same result.
    ///
    /// # Errors
    /// The same; a row that cannot be read is logged.
    pub(super) fn noted<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        read.inspect_err(|error| self.note_error(error))
    }

    /// What was read, nothing for a row that cannot be read.
    ///
    /// # Errors
    /// Any other error.
    pub(super) fn skip<T>(&self, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error @ StoreError::Corrupt { .. }) => {
                self.note_error(&error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A batch of at most `limit` rows behind a position, each with its own: what it says of those
    /// that can be read, and where the next batch begins, whichever those are.
    ///
    /// # Errors
    /// Any other error.
    pub(super) fn batch<T, K: Clone>(
        &self,
        rows: impl Iterator<Item = Result<(T, K), StoreError>>,
        position: &SweepPosition<K>,
        limit: u32,
    ) -> Result<SweepBatch<T, K>, StoreError> {
        let rows = rows.map(|read| self.skip(read));
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(SweepBatch::new(rows, position, limit))
    }

    /// Those rows that can be read, of all that there are. Whether a list continues is not to be
    /// concluded from their number: see [`Self::batch`].
    ///
    /// # Errors
    /// Any other error.
    pub(super) fn skip_all<T>(
        &self,
        rows: impl Iterator<Item = Result<T, StoreError>>,
    ) -> Result<Vec<T>, StoreError> {
        rows.filter_map(|read| self.skip(read).transpose())
            .collect()
    }

    /// The row, or which one it is that cannot be read.
    ///
    /// # Errors
    /// Any other error, and a row without a readable id.
    pub(super) fn keep<T>(&self, read: Result<T, StoreError>) -> Result<StoredRow<T>, StoreError> {
        let error = match read {
            Ok(value) => return Ok(StoredRow::Readable(value)),
            Err(error) => error,
        };
        self.note_error(&error);
        if let StoreError::Corrupt {
            row, column, cause, ..
        } = &error
            && let Ok(id) = Uuid::try_parse(row)
        {
            return Ok(StoredRow::Unreadable(UnreadableRow {
                id,
                column,
                cause: cause.clone(),
            }));
        }
        Err(error)
    }
}
