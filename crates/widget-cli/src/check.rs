//! Checks one subject: its content, and all its errors and warnings.

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

/// The result for one widget or config.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The record, if it is one.
    pub(crate) record: Option<Box<Record>>,
    /// The config, if it is a config on its own and has no faults.
    pub(crate) config: Option<Box<Config>>,
    pub(crate) faults: Vec<Located>,
    pub(crate) warnings: Vec<Located>,
}

/// Checks one subject.
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
        faults: locate_all(subject, faults),
        warnings: locate_all(subject, warnings),
    }
}

fn check_widget(subject: &Subject<'_>, suffixes: &Suffixes) -> Checked {
    let record = record::read_record(&subject.members, suffixes);
    // A list with faults was not read: there is nothing to warn about.
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
        .map(|finding| record.with_written_position(finding))
        .collect();
    let faults = record
        .faults
        .iter()
        .chain(&record.missing)
        .cloned()
        .collect();
    Checked {
        faults: locate_all(subject, faults),
        warnings: locate_all(subject, warnings),
        record: Some(Box::new(record)),
        config: None,
    }
}

/// Locates findings and sorts them by their place in the text.
fn locate_all(subject: &Subject<'_>, findings: Vec<Finding>) -> Vec<Located> {
    let mut located: Vec<_> = findings
        .into_iter()
        .map(|finding| subject.locate(finding))
        .collect();
    located.sort_by_key(|located| located.span.as_ref().map(|span| span.start));
    located
}
