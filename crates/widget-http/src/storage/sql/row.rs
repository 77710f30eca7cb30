//! Reads values of domain types from the columns of a row.

use std::{cell::RefCell, fmt::Display};

use sqlx::{ColumnIndex, Decode, Row as _, Type};
use time::OffsetDateTime;
use uuid::Uuid;

use widget_core::unreadable::UnreadableField;

use super::{Backend, Database, Row};
use crate::storage::{
    driver::{nearest_time_of, time_of},
    error::StoreError,
    list_page::Page,
    unreadable::{ListPosition, Listed},
};

/// A row with the table that faults are reported for.
pub(super) struct Columns<'a> {
    row: &'a Row,
    table: &'static str,
    key: &'static str,
    unreadable: RefCell<Vec<UnreadableField>>,
}

impl Backend {
    /// The page of a list that is sorted by the column `time` and the id. A row without an id that
    /// can be read has no address, and is left out.
    pub(super) fn list<T>(
        &self,
        rows: &Page<Row>,
        table: &'static str,
        time: &'static str,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Page<Listed<T>>, StoreError> {
        let listed = rows.iter().map(|row| {
            let position = Columns::new(row, table, "id").position(time)?;
            read(row).map(|item| Listed { position, item })
        });
        Ok(Page {
            items: self.unreadable().skip_all(listed)?,
            has_more: rows.has_more,
        })
    }
}

impl<'a> Columns<'a> {
    /// `key` is the column that names the row in a report of a fault.
    pub(super) fn new(row: &'a Row, table: &'static str, key: &'static str) -> Self {
        Self {
            row,
            table,
            key,
            unreadable: RefCell::default(),
        }
    }

    pub(super) const fn table(&self) -> &'static str {
        self.table
    }

    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'a, Database> + Type<Database>,
        &'static str: ColumnIndex<Row>,
    {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, &error))
    }

    pub(super) fn id<T>(
        &self,
        column: &'static str,
        make: impl FnOnce(Uuid) -> T,
    ) -> Result<T, StoreError> {
        self.get(column).map(make)
    }

    pub(super) fn optional_id<T>(
        &self,
        column: &'static str,
        make: impl FnOnce(Uuid) -> T,
    ) -> Result<Option<T>, StoreError> {
        let id: Option<Uuid> = self.get(column)?;
        Ok(id.map(make))
    }

    pub(super) fn time(&self, column: &'static str) -> Result<OffsetDateTime, StoreError> {
        time_of(self.get(column)?).map_err(|cause| self.corrupt(column, &cause))
    }

    pub(super) fn optional_time(
        &self,
        column: &'static str,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        self.get::<Option<i64>>(column)?
            .map(time_of)
            .transpose()
            .map_err(|cause| self.corrupt(column, &cause))
    }

    pub(super) fn parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        parse(&text).map_err(|error| self.corrupt(column, &error))
    }

    pub(super) fn optional_parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.get::<Option<String>>(column)?
            .map(|text| parse(&text))
            .transpose()
            .map_err(|error| self.corrupt(column, &error))
    }

    /// A text that is not worth refusing the row for: none when it is empty or cannot be read.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "every method that `table!` calls can fail"
    )]
    pub(super) fn name(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        let text: Option<String> = self.row.try_get(column).unwrap_or_default();
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A number that is not worth refusing the row for: none when it cannot be read.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "every method that `table!` calls can fail"
    )]
    pub(super) fn shown_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        Ok(self.row.try_get(column).unwrap_or_default())
    }

    /// The same for yes or no.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "every method that `table!` calls can fail"
    )]
    pub(super) fn shown_flag(&self, column: &'static str) -> Result<Option<bool>, StoreError> {
        Ok(self.row.try_get(column).unwrap_or_default())
    }

    /// A time of which only the presence matters.
    pub(super) fn nearest_time(&self, column: &'static str) -> Result<OffsetDateTime, StoreError> {
        self.get(column).map(nearest_time_of)
    }

    /// The same, or none.
    pub(super) fn optional_nearest_time(
        &self,
        column: &'static str,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        let micros: Option<i64> = self.get(column)?;
        Ok(micros.map(nearest_time_of))
    }

    /// What the row says in a column, nothing when that cannot be read; see
    /// [`Self::take_unreadable`].
    fn note<T>(
        &self,
        column: &'static str,
        read: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt { cause, .. }) => {
                self.unreadable.borrow_mut().push(UnreadableField {
                    pointer: format!("/{column}"),
                    cause,
                    raw: self.text(column),
                });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn noted<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: Decode<'a, Database> + Type<Database>,
    {
        self.note(column, self.get(column))
    }

    pub(super) fn noted_id<T>(
        &self,
        column: &'static str,
        make: impl FnOnce(Uuid) -> T,
    ) -> Result<Option<T>, StoreError> {
        self.note(column, self.id(column, make))
    }

    pub(super) fn noted_time(
        &self,
        column: &'static str,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        self.note(column, self.time(column))
    }

    pub(super) fn noted_parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.note(column, self.parsed(column, parse))
    }

    /// The columns that could not be read by the methods `noted…`.
    pub(super) fn take_unreadable(&self) -> Vec<UnreadableField> {
        self.unreadable.take()
    }

    /// The position of the row in a list that is sorted by a time and the id.
    pub(super) fn position(&self, time: &'static str) -> Result<ListPosition, StoreError> {
        let micros: i64 = self.row.try_get(time).unwrap_or_default();
        Ok((micros, self.get(self.key)?))
    }

    /// A value as text, whatever it is.
    fn text(&self, column: &'static str) -> Option<String> {
        let number = || self.row.try_get::<i64, _>(column).map(|it| it.to_string());
        let bytes = || self.row.try_get::<Vec<u8>, _>(column);
        self.row
            .try_get::<String, _>(column)
            .or_else(|_| number())
            .or_else(|_| bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            .ok()
    }

    pub(super) fn corrupt(&self, column: &'static str, cause: &dyn Display) -> StoreError {
        // SQLite would take a text of 16 bytes for an id.
        let row = self
            .row
            .try_get::<String, _>(self.key)
            .or_else(|_| {
                self.row
                    .try_get::<Uuid, _>(self.key)
                    .map(|id| id.to_string())
            })
            .unwrap_or_default();
        StoreError::corrupt(self.table, &row, column, cause)
    }
}
