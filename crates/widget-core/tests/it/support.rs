//! What several test modules need.

use std::{fs, path::PathBuf};

use time::{Duration, OffsetDateTime, macros::datetime};
use widget_core::{
    config::Config,
    finding::Finding,
    origin::{AllowedOrigins, Origin, SuffixList},
    widget::Widget,
};

/// A file of the repository's `fixtures` folder, which the web parts read too.
pub(crate) fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn builtin() -> &'static SuffixList {
    SuffixList::builtin()
}

/// The list, which must be accepted.
#[track_caller]
pub(crate) fn list(entries: &[&str]) -> AllowedOrigins {
    AllowedOrigins::parse(entries, builtin())
        .unwrap_or_else(|error| panic!("{entries:?} is refused: {error}"))
}

/// The codes with which a list is refused.
#[track_caller]
pub(crate) fn refused(entries: &[&str]) -> Vec<&'static str> {
    match AllowedOrigins::parse(entries, builtin()) {
        Ok(list) => panic!("{entries:?} is accepted as {list:?}"),
        Err(error) => error.iter().map(|finding| finding.code.as_str()).collect(),
    }
}

/// The origin that a request with this one header field has.
#[track_caller]
pub(crate) fn origin(value: &str) -> Origin {
    Origin::from_header([value]).unwrap_or_else(|error| panic!("`{value}`: {error}"))
}

/// Whether a request with this one header field is admitted.
pub(crate) fn admits(list: &AllowedOrigins, value: &str) -> bool {
    Origin::from_header([value]).is_ok_and(|origin| list.admit(&origin).is_some())
}

/// A published widget with these entries.
#[track_caller]
pub(crate) fn widget(entries: &[&str]) -> Widget {
    Widget {
        id: "00000000-0000-0000-0000-000000000001"
            .parse()
            .expect("an id"),
        organization_id: "acme".parse().expect("an organization"),
        agent_id: "00000000-0000-0000-0000-000000000002"
            .parse()
            .expect("an id"),
        agent_version_id: "00000000-0000-0000-0000-000000000003"
            .parse()
            .expect("an id"),
        domains: list(entries),
        published: true,
        config: Config::default(),
        created_at: at(0),
        updated_at: at(0),
    }
}

/// So many minutes after the beginning.
pub(crate) fn at(minutes: i64) -> OffsetDateTime {
    datetime!(2026-01-01 00:00 UTC) + Duration::minutes(minutes)
}

pub(crate) fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}
