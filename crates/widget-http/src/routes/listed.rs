//! Rows of lists, those that cannot be read included.

use widget_api::unreadable::{Listed, UnreadableRecord};
use widget_core::unreadable::UnreadableField;

use crate::storage::{StoreError, StoredRow, UnreadableRow};

/// The row as `build` shows it, or which one it is that cannot be read.
///
/// # Errors
/// Other errors of `build` than that the row cannot be read.
pub(super) fn build_listed<T, B>(
    row: StoredRow<T>,
    build: impl FnOnce(T) -> Result<B, StoreError>,
) -> Result<Listed<B>, StoreError> {
    let error = match row {
        StoredRow::Unreadable(UnreadableRow { id, column, cause }) => {
            return Ok(unreadable(id.to_string(), column, cause));
        }
        StoredRow::Readable(row) => match build(row) {
            Ok(body) => return Ok(Listed::Readable(body)),
            Err(error) => error,
        },
    };
    match error {
        StoreError::Corrupt {
            row, column, cause, ..
        } => Ok(unreadable(row, column, cause)),
        error => Err(error),
    }
}

/// Conversations hold what visitors wrote, so the raw text is not shown.
fn unreadable<B>(id: String, column: &str, cause: String) -> Listed<B> {
    let field = UnreadableField {
        pointer: format!("/{column}"),
        cause,
        raw: None,
    };
    Listed::Unreadable(UnreadableRecord {
        id,
        unreadable: vec![field.into()],
    })
}
