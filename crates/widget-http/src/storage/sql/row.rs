//! Reads values of domain types from the columns of a row.

use std::fmt::Display;

use sqlx::{ColumnIndex, Decode, Row as _, Type};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Database, Row};
use crate::storage::{driver::time_of, error::StoreError};

/// A row with the table that faults are reported for.
pub(super) struct Columns<'a> {
    row: &'a Row,
    table: &'static str,
    key: &'static str,
}

impl<'a> Columns<'a> {
    /// `key` is the column that names the row in a report of a fault.
    pub(super) fn new(row: &'a Row, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'a, Database> + Type<Database>,
        &'static str: ColumnIndex<Row>,
    {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(&error))
    }

    pub(super) fn id<T>(
        &self,
        column: &'static str,
        make: impl FnOnce(Uuid) -> T,
    ) -> Result<T, StoreError> {
        self.get(column).map(make)
    }

    pub(super) fn time(&self, column: &'static str) -> Result<OffsetDateTime, StoreError> {
        time_of(self.get(column)?).map_err(|cause| self.corrupt(&cause))
    }

    pub(super) fn optional_time(
        &self,
        column: &'static str,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        self.get::<Option<i64>>(column)?
            .map(time_of)
            .transpose()
            .map_err(|cause| self.corrupt(&cause))
    }

    pub(super) fn parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        parse(&text).map_err(|error| self.corrupt(&format!("{column}: {error}")))
    }

    pub(super) fn optional_parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.get::<Option<String>>(column)?
            .map(|text| parse(&text))
            .transpose()
            .map_err(|error| self.corrupt(&format!("{column}: {error}")))
    }

    pub(super) fn corrupt(&self, cause: &dyn Display) -> StoreError {
        let row = self
            .row
            .try_get::<Uuid, _>(self.key)
            .map(|id| id.to_string())
            .or_else(|_| self.row.try_get::<String, _>(self.key))
            .unwrap_or_default();
        StoreError::corrupt(self.table, &row, cause)
    }
}
