//! Looks at one input: what stands in it, and everything that is wrong or seldom meant.

use widget_core::{
    config::{Config, ConfigError},
    finding::Finding,
    go_live::{self, PinnedVersion},
};

use crate::{
    record::{self, Record},
    subject::{Kind, Located, Subject},
    suffixes::Suffixes,
};

/// One widget or config, looked at.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) content: Content,
    pub(crate) faults: Vec<Located>,
    pub(crate) warnings: Vec<Located>,
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Content {
    Config(Result<Config, ConfigError>),
    Widget(Box<Record>),
}

/// Looks at one subject.
pub(crate) fn check(subject: &Subject<'_>, suffixes: &Suffixes) -> Checked {
    match subject.kind {
        Kind::Config => {
            let config = Config::parse(subject.json);
            let (faults, warnings) = match &config {
                Ok(config) => (Vec::new(), config.warnings()),
                Err(error) => (error.findings(), Vec::new()),
            };
            Checked {
                content: Content::Config(config),
                faults: located(subject, faults),
                warnings: located(subject, warnings),
            }
        }
        Kind::Widget => {
            let record = record::read(&subject.members, suffixes);
            // Whether the version is published is not in the record, and no warning depends on it.
            let warnings = go_live::report(&record.widget, PinnedVersion::Published).warnings;
            // A list that could not be read is not an empty list.
            let unread = |finding: &Finding| {
                record.faults.iter().any(|fault| {
                    let (Some(fault), Some(warning)) = (&fault.pointer, &finding.pointer) else {
                        return false;
                    };
                    fault.starts_with("/domains") && warning.starts_with("/domains")
                })
            };
            let warnings = warnings
                .into_iter()
                .filter(|finding| !unread(finding))
                .map(|finding| record.as_written(finding))
                .collect();
            let faults = record
                .faults
                .iter()
                .chain(&record.missing)
                .cloned()
                .collect();
            Checked {
                faults: located(subject, faults),
                warnings: located(subject, warnings),
                content: Content::Widget(Box::new(record)),
            }
        }
    }
}

/// In the order in which they stand in the text, so that a file is mended from its start to its end.
fn located(subject: &Subject<'_>, findings: Vec<Finding>) -> Vec<Located> {
    let mut located: Vec<_> = findings
        .into_iter()
        .map(|finding| subject.locate(finding))
        .collect();
    located.sort_by_key(|located| located.span.as_ref().map(|span| span.start));
    located
}
