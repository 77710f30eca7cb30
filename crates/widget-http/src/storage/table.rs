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

/// Defines, for columns that several tables have, a macro with their list and the function that
/// reads them.
///
/// ```text
/// shared_columns! {
///     $ record_columns, read_record(backend: &Backend);
///     agent_id: id(AgentId::from_uuid),
///     …
///     => |row| -> Record { … }
/// }
/// record_columns!()    // their names: `agent_id, …`
/// record_columns!("w") // those of the table with that alias: `w.agent_id AS agent_id, …`
/// ```
macro_rules! shared_columns {
    (
        $dollar:tt $columns:ident, $read:ident ($context:ident: $type:ty);
        $first:ident: $first_method:ident($($first_argument:expr)?),
        $($column:ident: $method:ident($($argument:expr)?),)*
        => |$row:ident| -> $record:ty $build:block
    ) => {
        macro_rules! $columns {
            () => {
                concat!(stringify!($first) $(, ", ", stringify!($column))*)
            };
            ($dollar table:literal) => {
                concat!(
                    $dollar table, ".", stringify!($first), " AS ", stringify!($first)
                    $(, ", ", $dollar table, ".", stringify!($column), " AS ", stringify!($column))*
                )
            };
        }

        fn $read($row: &Columns<'_>, $context: $type) -> Result<$record, StoreError> {
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

pub(super) use {column, shared_columns, table};
