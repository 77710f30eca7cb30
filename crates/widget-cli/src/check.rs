//! Looks at one input: what stands in it, and everything that is wrong or seldom meant.

use widget_core::{
    config::Config,
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
    /// The record, when it is one.
    pub(crate) record: Option<Box<Record>>,
    /// The bare config, when it is one and has no faults.
    pub(crate) config: Option<Box<Config>>,
    pub(crate) faults: Vec<Located>,
    pub(crate) warnings: Vec<Located>,
}

/// Looks at one subject.
pub(crate) fn check(subject: &Subject<'_>, suffixes: &Suffixes) -> Checked {
    match subject.kind {
        Kind::Config => check_config(subject),
        Kind::Widget => check_widget(subject, suffixes),
    }
}

fn check_config(subject: &Subject<'_>) -> Checked {
    let (config, faults, warnings) = match Config::parse(subject.json) {
        Ok(config) => {
            let warnings = config.warnings();
            (Some(Box::new(config)), Vec::new(), warnings)
        }
        Err(error) => (None, error.findings().into_vec(), Vec::new()),
    };
    Checked {
        record: None,
        config,
        faults: located(subject, faults),
        warnings: located(subject, warnings),
    }
}

fn check_widget(subject: &Subject<'_>, suffixes: &Suffixes) -> Checked {
    let record = record::read(&subject.members, suffixes);
    // A list that could not be read is not an empty list.
    let is_domain = |finding: &Finding| {
        let pointer = finding.pointer.as_deref();
        pointer.is_some_and(|pointer| pointer.starts_with("/domains"))
    };
    let domains_are_faulty = record.faults.iter().any(is_domain);
    // Whether the version is published is not in the record, and no warning depends on it.
    let warnings = go_live::report(&record.widget, PinnedVersion::Published)
        .warnings
        .into_iter()
        .filter(|finding| !(domains_are_faulty && is_domain(finding)))
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
        record: Some(Box::new(record)),
        config: None,
    }
}

/// In the order in which they stand in the text, so that a file is mended from its start to its
/// end.
fn located(subject: &Subject<'_>, findings: Vec<Finding>) -> Vec<Located> {
    let mut located: Vec<_> = findings
        .into_iter()
        .map(|finding| subject.locate(finding))
        .collect();
    located.sort_by_key(|located| located.span.as_ref().map(|span| span.start));
    located
}
