//! Definitions and submissions of every field type.
