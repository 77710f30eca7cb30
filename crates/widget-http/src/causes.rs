//! An error with its causes as one text, for the log and the command line.

use std::error::Error;

/// The error and its causes, each once: many errors repeat the text of their cause in their own.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StoreError;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (text, rest) = texts.split_first().expect("at least one");
        let cause = (!rest.is_empty()).then(|| Box::new(layers(rest)));
        Layer { text, cause }
    }

    #[test]
    fn a_cause_that_was_named_is_not_repeated() {
        for (texts, expected) in [
            (&["a"][..], "a"),
            (&["a", "b"], "a: b"),
            (&["a: b", "b"], "a: b"),
            (&["a: b: c", "b: c", "c"], "a: b: c"),
            (
                &["cannot start", "full: disk", "disk", "code 13"],
                "cannot start: full: disk: code 13",
            ),
        ] {
            assert_eq!(with_causes(&layers(texts)), expected);
        }
    }

    #[test]
    fn the_errors_of_storage_say_everything_once() {
        let io = std::io::Error::other("the disk is on fire");
        let error = StoreError::from(sqlx::Error::Io(io));
        let error = anyhow::Error::from(error).context("the database cannot be opened");
        assert_eq!(
            with_causes(error.as_ref()),
            "the database cannot be opened: the database is not available: error communicating \
             with database: the disk is on fire"
        );
    }
}
