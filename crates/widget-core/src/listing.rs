//! Lists of widgets: what a list says of each, and which of them somebody looks for.
//!
//! ```
//! use widget_core::{go_live::PinnedVersion, listing::{self, WidgetSearch, WidgetState}};
//! use widget_core::{origin::SuffixList, unreadable::WidgetRecord, widget::NewWidget};
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//!
//! let new = NewWidget { published: true, ..NewWidget::new("acme".parse()?, agent, version) };
//! let record = WidgetRecord::from(new.into_widget(id, now));
//! let (state, blockers) = listing::state(&record, PinnedVersion::Draft);
//! assert_eq!((state, blockers.len()), (WidgetState::Blocked, 1));
//!
//! let blocked = WidgetSearch { blocked: Some(true), ..WidgetSearch::default() };
//! assert!(blocked.matches(&record, PinnedVersion::Draft));
//! assert!(!blocked.matches(&record, PinnedVersion::Published));
//! # Ok::<(), widget_core::id::IdError>(())
//! ```

use crate::{
    choice::choices,
    finding::{Finding, Findings},
    go_live::{self, PinnedVersion},
    origin::{AllowedOrigins, Entry, EntryError, Origin, SuffixList},
    text::contains,
    unreadable::WidgetRecord,
};

choices! {
    /// Where a widget stands between its owner and its visitors.
    pub enum WidgetState {
        /// Both gates are open: the sites of its list show it.
        Live = "live",
        /// Its owner wants it to be shown, and something else keeps it from being live.
        Blocked = "blocked",
        /// Its owner does not want it to be shown.
        Unpublished = "unpublished",
    }
}

/// Where a widget stands, and every blocker: none exactly when it is live.
#[must_use]
pub fn state(record: &WidgetRecord, pinned: PinnedVersion) -> (WidgetState, Vec<Finding>) {
    let (published, blockers) = match record {
        WidgetRecord::Readable(widget) => {
            let blockers = go_live::check(widget, pinned).err();
            let blockers = blockers.map(Findings::into_vec).unwrap_or_default();
            (Some(widget.published), blockers)
        }
        WidgetRecord::Unreadable(widget) => {
            let report = go_live::report_unreadable(widget);
            (widget.published, report.blockers)
        }
    };
    let state = match (published, blockers.is_empty()) {
        (_, true) => WidgetState::Live,
        (Some(false), false) => WidgetState::Unpublished,
        (Some(true) | None, false) => WidgetState::Blocked,
    };
    (state, blockers)
}

/// The title that visitors read; empty when there is none, or when it cannot be read.
#[must_use]
pub fn title(record: &WidgetRecord) -> &str {
    let config = match record {
        WidgetRecord::Readable(widget) => Some(&widget.config),
        WidgetRecord::Unreadable(widget) => widget.config.as_ref(),
    };
    config.map_or("", |config| &config.current().chat.title)
}

/// Which widgets somebody looks for: those that fit everything that is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WidgetSearch {
    /// A part of the title that visitors read, in upper or lower case.
    pub title: Option<String>,
    /// A site that lists them or is admitted by their lists.
    pub site: Option<Site>,
    /// Those that are [blocked](WidgetState::Blocked), or the others.
    pub blocked: Option<bool>,
}

impl WidgetSearch {
    /// Whether every widget fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a widget fits, going by the version that it pins.
    #[must_use]
    pub fn matches(&self, record: &WidgetRecord, pinned: PinnedVersion) -> bool {
        let title_fits = |part: &String| contains(title(record), part);
        let site_fits = |site: &Site| domains(record).is_some_and(|list| site.fits(list));
        let is_blocked = || state(record, pinned).0 == WidgetState::Blocked;
        self.site.as_ref().is_none_or(site_fits)
            && self.title.as_ref().is_none_or(title_fits)
            && self.blocked.is_none_or(|blocked| blocked == is_blocked())
    }
}

fn domains(record: &WidgetRecord) -> Option<&AllowedOrigins> {
    match record {
        WidgetRecord::Readable(widget) => Some(&widget.domains),
        WidgetRecord::Unreadable(widget) => widget.domains.as_ref(),
    }
}

/// A site by which widgets are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// A pattern or `*`: lists that have this canonical entry.
    Listed(String),
    /// An origin: lists that admit it, or have it as an entry.
    Origin(Origin),
    /// A host without a scheme: lists that admit it under a scheme and a port of their entries.
    Host(Origin),
}

impl Site {
    /// Reads what a person typed: an entry such as `*.shop.example`, an origin or the address of a
    /// page, or a host.
    ///
    /// # Errors
    /// [`EntryError`], as for an entry of the list.
    pub fn parse(text: &str, suffixes: &SuffixList) -> Result<Self, EntryError> {
        if text.contains('*') {
            return Entry::parse(text, suffixes).map(|entry| Self::Listed(entry.to_text()));
        }
        let page = Origin::parse_page(text)?;
        Ok(if text.contains("://") {
            Self::Origin(page)
        } else {
            Self::Host(page)
        })
    }

    /// Texts of which every list that fits has at least one in its JSON, so that a database can
    /// leave out most of the others.
    #[must_use]
    pub fn fragments(&self) -> Vec<String> {
        let page = match self {
            Self::Listed(entry) => return vec![format!("\"{entry}\"")],
            Self::Origin(page) | Self::Host(page) => page,
        };
        let mut fragments = vec!["\"*\"".to_owned(), format!("://{}", page.host())];
        let mut rest = page.host();
        while let Some((_, base)) = rest.split_once('.') {
            fragments.push(format!("://*.{base}"));
            rest = base;
        }
        fragments
    }

    fn fits(&self, list: &AllowedOrigins) -> bool {
        let is_listed = |entry: &str| list.entries().iter().any(|other| other == entry);
        match self {
            Self::Listed(entry) => is_listed(entry),
            Self::Origin(page) => list.admit(page).is_some() || is_listed(page.as_str()),
            Self::Host(page) => list.admits_host_of(page) || is_listed(page.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::{
        config::Config,
        unreadable::{UnreadableField, UnreadableWidget},
        widget::{NewWidget, Widget},
    };

    fn widget(domains: &[&str], title: &str) -> Widget {
        let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001";
        let (agent, version) = (id.parse().expect("an id"), id.parse().expect("an id"));
        let config = json!({"v1": {"chat": {"title": title}}});
        let new = NewWidget {
            domains: AllowedOrigins::parse(domains, SuffixList::builtin()).expect("valid"),
            config: Config::from_value(config).expect("valid"),
            ..NewWidget::new("acme".parse().expect("a name"), agent, version)
        };
        new.into_widget(id.parse().expect("an id"), datetime!(2026-01-01 00:00 UTC))
    }

    #[test]
    fn a_widget_is_live_blocked_or_unpublished() {
        use WidgetState::{Blocked, Live, Unpublished};
        for pinned in PinnedVersion::ALL.iter().copied() {
            for published in [true, false] {
                let record = WidgetRecord::from(Widget {
                    published,
                    ..widget(&[], "")
                });
                let (found, blockers) = state(&record, pinned);
                let opens =
                    go_live::version_blocker(record.readable().expect("it can be read"), pinned)
                        .is_none();
                let expected = match (published, opens) {
                    (true, true) => Live,
                    (true, false) => Blocked,
                    (false, _) => Unpublished,
                };
                assert_eq!(found, expected, "{pinned} {published}");
                assert_eq!(blockers.is_empty(), found == Live);
                let search = |blocked| WidgetSearch {
                    blocked: Some(blocked),
                    ..WidgetSearch::default()
                };
                assert_eq!(search(true).matches(&record, pinned), found == Blocked);
                assert_eq!(search(false).matches(&record, pinned), found != Blocked);
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_blocked_unless_it_is_unpublished() {
        for (published, expected) in [
            (Some(true), WidgetState::Blocked),
            (None, WidgetState::Blocked),
            (Some(false), WidgetState::Unpublished),
        ] {
            let whole = widget(&["shop.example"], "Hello");
            let record = WidgetRecord::from_parts(UnreadableWidget {
                id: whole.id,
                organization_id: Some(whole.organization_id),
                agent_id: Some(whole.agent_id),
                agent_version_id: Some(whole.agent_version_id),
                domains: Some(whole.domains),
                published,
                config: None,
                created_at: Some(whole.created_at),
                updated_at: Some(whole.updated_at),
                unreadable: vec![UnreadableField {
                    pointer: "/config".to_owned(),
                    cause: "it is damaged".to_owned(),
                    raw: None,
                }],
            });
            assert_eq!(state(&record, PinnedVersion::Published).0, expected);
            assert_eq!(title(&record), "");
            let search = WidgetSearch {
                site: Site::parse("shop.example", SuffixList::builtin()).ok(),
                ..WidgetSearch::default()
            };
            assert!(search.matches(&record, PinnedVersion::Published));
        }
    }

    #[test]
    fn a_title_is_found_by_a_part_of_it_in_any_case() {
        let record = WidgetRecord::from(widget(&[], "Größe & ΔΕΛΤΑ"));
        for (part, expected) in [
            ("größe", true),
            ("GRÖSSE", false),
            ("RÖß", true),
            ("δελτα", true),
            ("&", true),
            ("", true),
            ("x", false),
            ("%", false),
        ] {
            let search = WidgetSearch {
                title: Some(part.to_owned()),
                ..WidgetSearch::default()
            };
            let found = search.matches(&record, PinnedVersion::Published);
            assert_eq!(found, expected, "{part}");
        }
    }

    #[test]
    fn a_site_finds_the_lists_that_have_or_admit_it() {
        let shop = ["https://shop.example", "https://*.shop.example:8443"];
        let local = ["http://localhost:3000"];
        let any = ["*"];
        for (site, in_shop, in_local, in_any) in [
            ("https://shop.example", true, false, true),
            ("https://shop.example/cart?x=1", true, false, true),
            ("http://shop.example", false, false, true),
            ("https://www.shop.example:8443", true, false, true),
            ("https://www.shop.example", false, false, true),
            ("shop.example", true, false, true),
            ("SHOP.example", true, false, true),
            ("www.shop.example", true, false, true),
            ("example", false, false, true),
            ("localhost", false, true, true),
            ("http://localhost:3000", false, true, true),
            ("https://*.shop.example:8443", true, false, false),
            ("*.shop.example", false, false, false),
            ("*", false, false, true),
        ] {
            let search = WidgetSearch {
                site: Some(Site::parse(site, SuffixList::builtin()).expect(site)),
                ..WidgetSearch::default()
            };
            for (domains, expected) in [
                (&shop[..], in_shop),
                (&local[..], in_local),
                (&any[..], in_any),
            ] {
                let record = WidgetRecord::from(widget(domains, ""));
                let found = search.matches(&record, PinnedVersion::Published);
                assert_eq!(found, expected, "{site} in {domains:?}");
                let json = json!(domains).to_string();
                let fragments = search.site.as_ref().expect("one").fragments();
                let may_fit = fragments.iter().any(|fragment| json.contains(fragment));
                assert!(may_fit || !found, "{fragments:?} in {json}");
            }
        }
        for refused in ["a@b", "", "*.com", "https://a.*.example"] {
            assert!(
                Site::parse(refused, SuffixList::builtin()).is_err(),
                "{refused}"
            );
        }
    }
}
