//! The one place for each table that names its columns and reads them.

/// Defines, for one table or join, a macro with the list of columns and the function that reads a
/// row of them.
///
/// ```text
/// table! {
///     agent_columns, read_agent from "agents" by "id";
///     id: id(AgentId::from_uuid),
///     name: get(),
///     version_agent_id = "v.agent_id": get(),
///     => |row| -> Agent {
///         Ok(Agent { id, name, … })
///     }
/// }
/// sqlx::query(concat!("SELECT ", agent_columns!(), " FROM agents"))
/// ```
///
/// Each column becomes a variable of the same name, read by the method of `Columns` (`sql/row.rs`)
/// that stands behind the colon; `= "…"` gives the SQL of a column that is named differently. What
/// reading needs beside the row stands in parentheses behind the function. No statement uses `*`: a
/// column that a newer release adds must not change what an older one reads.
macro_rules! table {
    (
        $columns:ident, $read:ident $(($context:ident: $type:ty))? from $table:literal by $key:literal;
        $first:ident $(= $first_sql:literal)?: $first_method:ident($($first_argument:expr)?),
        $($column:ident $(= $sql:literal)?: $method:ident($($argument:expr)?),)*
        => |$row:ident| -> $record:ty $build:block
    ) => {
        macro_rules! $columns {
            () => {
                concat!(
                    $crate::storage::table::column!($first $($first_sql)?)
                    $(, ", ", $crate::storage::table::column!($column $($sql)?))*
                )
            };
        }

        pub(super) fn $read(row: &Row $(, $context: $type)?) -> Result<$record, StoreError> {
            let $row = Columns::new(row, $table, $key);
            let $first = $row.$first_method(stringify!($first) $(, $first_argument)?)?;
            $(let $column = $row.$method(stringify!($column) $(, $argument)?)?;)*
            $build
        }
    };
}

/// The SQL of one column.
macro_rules! column {
    ($column:ident) => {
        stringify!($column)
    };
    ($column:ident $sql:literal) => {
        concat!($sql, " AS ", stringify!($column))
    };
}

pub(super) use {column, table};
