//! One definition of a record gives everything that must agree: the typed value with its
//! defaults, every fault with its pointer, the unknown keys, and the JSON Schema.
//!
//! [`settings!`] defines a record, a union or a part of one. It asks [`Keys`] for one key after
//! the other. [`read`] answers with the value of a document, [`describe`] writes down the schema of
//! the key. So a limit is written once, and a key that is read is a key that the schema knows.
//!
//! Each module uses only those above it in this list.

mod names;

mod context;

mod kind;

mod compose;
mod plain;
mod text;

pub(crate) mod keys;

mod describe;
mod read;

mod nested;

pub(crate) mod settings;

pub(crate) use compose::{any, dependent, example, list, nullable, optional};
pub(crate) use context::{Context, shown, type_name};
pub(crate) use describe::paragraph;
pub(crate) use keys::Keys;
pub(crate) use kind::{Definitions, Kind};
pub(crate) use names::nearest;
pub(crate) use nested::{record, union};
pub(crate) use plain::{boolean, choice, integer, number};
pub(crate) use read::{known_keys, read_record};
pub(crate) use settings::settings;
pub(crate) use text::{Written, identifier, text, written};
