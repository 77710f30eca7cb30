//! Checks one subject: its content, and all its errors and warnings.

use widget_core::{
    config::Config,
    finding::{Finding, FindingList},
    go_live,
};

use crate::{
    record::{self, Record},
    subject::{Kind, LocatedList, Subject},
    suffixes::Suffixes,
};

/// The result for one widget or config.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The record, if it is one.
    pub(crate) record: Option<Box<Record>>,
    /// The config, if it is a config on its own and has no faults.
    pub(crate) config: Option<Box<Config>>,
    pub(crate) faults: LocatedList,
    pub(crate) warnings: LocatedList,
    /// The config has faults, so its own warnings are not known.
    pub(crate) config_unread: bool,
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
            (Some(Box::new(config)), FindingList::new(), warnings)
        }
        Err(error) => (None, error.findings().into_list(), FindingList::new()),
    };
    Checked {
        record: None,
        config_unread: config.is_none(),
        config,
        faults: subject.locate_all(faults),
        warnings: subject.locate_all(warnings),
    }
}

fn check_widget(subject: &Subject<'_>, suffixes: &Suffixes) -> Checked {
    let record = record::read_record(&subject.members, suffixes);
    // A list with faults was not read: there is nothing to warn about.
    let is_domain = |finding: &Finding| {
        let pointer = finding.pointer.as_deref();
        pointer.is_some_and(|pointer| pointer.starts_with("/domains"))
    };
    let config_unread = record.faults.iter().any(|finding| {
        let pointer = finding.pointer.as_deref();
        pointer.is_some_and(|pointer| pointer.starts_with("/config"))
    });
    let domains_are_faulty = record.faults.iter().any(is_domain);
    // Whether the version is published is not in the record, and no warning depends on it.
    let mut warnings = go_live::warnings(&record.widget);
    if domains_are_faulty {
        warnings.retain(|finding| !is_domain(finding));
    }
    let warnings = warnings.map(|finding| record.with_written_position(finding));
    let mut faults = record.faults.clone();
    faults.append(record.missing.clone());
    Checked {
        faults: subject.locate_all(faults),
        warnings: subject.locate_all(warnings),
        record: Some(Box::new(record)),
        config: None,
        config_unread,
    }
}
