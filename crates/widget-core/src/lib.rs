//! The rules of embeddable agent widgets, as a pure library: no clock, randomness or I/O.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

// In reading order.
pub mod finding;

pub mod id;

pub mod origin;

mod check;

pub mod json;

pub mod color;

pub mod form;

pub mod config;

pub mod widget;

pub mod go_live;

pub mod serve;

pub mod explain;

pub mod embed;

pub mod conversation;
