//! The rules of embeddable agent widgets, as a pure library: no clock, randomness or I/O.

pub mod config;
pub mod finding;
