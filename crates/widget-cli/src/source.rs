//! From the text of one input to JSON text, and back from a JSON Pointer to the line and column
//! that a person has to look at. Nothing here knows what a widget is.
//!
//! [`document`] uses the other files, and [`edit`] uses it; the others do not use each other,
//! except for [`fault`].

pub(crate) mod document;
pub(crate) mod edit;
pub(crate) mod fault;
pub(crate) mod input;
mod locate;
pub(crate) mod members;
mod yaml;
