//! What the commands of a profile saw last: ids and titles in the user's cache folder, for
//! completions where the key cannot be had without asking a person.
//!
//! A cache is nothing that a command needs: what goes wrong with it is not reported, and it is
//! written after the answer.

use std::{cell::RefCell, collections::HashSet, fs, path::PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use widget_api::{
    Timestamp, Widget,
    agents::Agent,
    unreadable::{Listed, WidgetRecord},
};
use widget_core::{embed::PublicUrl, id::WidgetId};

use super::{
    profile::{self, remove_file, write_cache},
    reference::{id_of, title, title_of},
};
use crate::failure::Failure;

/// How many of each kind are kept: 500 of the two kinds together.
const MAX_OF_KIND: usize = 250;

/// After which time an id is no longer offered.
const MAX_AGE: Duration = Duration::days(14);

/// The kinds of things that are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Widget,
    Agent,
}

/// An id, and the title of a widget or the name of an agent.
pub(crate) type Named = (String, String);

/// What a command has seen so far, in its order.
#[derive(Debug, Default)]
pub(crate) struct Seen(RefCell<Vec<Sight>>);

#[derive(Debug)]
enum Sight {
    /// Some, the newest first.
    Part(Kind, Vec<Named>),
    /// All that there are.
    Whole(Kind, Vec<Named>),
    /// A widget was deleted.
    Gone(String),
}

/// The file of a profile.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cache {
    /// The origin of the service.
    service: String,
    /// What was seen last comes first.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    kind: Kind,
    id: String,
    title: String,
    seen_at: Timestamp,
}

impl Seen {
    /// Notes widgets of a list; with `is_whole`, others do not exist.
    pub(crate) fn note_list<W: AsRef<Widget>>(&self, list: &[WidgetRecord<W>], is_whole: bool) {
        let named = list.iter().map(|record| {
            let title = title(record).unwrap_or_default();
            (id_of(record).to_string(), title.to_owned())
        });
        let sight = if is_whole { Sight::Whole } else { Sight::Part };
        self.push(sight(Kind::Widget, named.take(MAX_OF_KIND).collect()));
    }

    /// Notes a widget as it is now.
    pub(crate) fn note_widget(&self, widget: &Widget) {
        let title = title_of(widget).unwrap_or_default();
        let named = (widget.id.to_string(), title.to_owned());
        self.push(Sight::Part(Kind::Widget, vec![named]));
    }

    /// Notes that a widget is deleted.
    pub(crate) fn note_deleted(&self, id: WidgetId) {
        self.push(Sight::Gone(id.to_string()));
    }

    /// Notes all agents.
    pub(crate) fn note_agents(&self, all: &[Listed<Agent>]) {
        let named = all.iter().filter_map(|agent| match agent {
            Listed::Readable(agent) => Some((agent.id.to_string(), agent.name.clone())),
            Listed::Unreadable(_) => None,
        });
        let named = named.take(MAX_OF_KIND).collect();
        self.push(Sight::Whole(Kind::Agent, named));
    }

    fn push(&self, sight: Sight) {
        self.0.borrow_mut().push(sight);
    }

    /// Adds it to the cache of the profile in use, if service and key are that profile's.
    pub(super) fn keep(&self, profile: Option<&str>, service: &PublicUrl) {
        let seen = self.0.take();
        if seen.is_empty() {
            return;
        }
        let Some((name, own)) = profile::find_own(profile).filter(|(_, own)| own == service) else {
            return;
        };
        let now = OffsetDateTime::now_utc();
        let mut cache = read(&name, &own, now).unwrap_or_default();
        cache.service = own.origin().to_string();
        for sight in seen {
            cache.add(sight, now);
        }
        if let (Ok(file), Ok(text)) = (file(&name), serde_json::to_vec(&cache)) {
            // Without a cache there are only fewer completions.
            let _ = write_cache(&file, &text);
        }
    }
}

impl Cache {
    fn add(&mut self, sight: Sight, now: OffsetDateTime) {
        let (kind, named, is_whole) = match sight {
            Sight::Part(kind, named) => (kind, named, false),
            Sight::Whole(kind, named) => (kind, named, true),
            Sight::Gone(id) => {
                self.entries.retain(|entry| entry.id != id);
                return;
            }
        };
        let ids: HashSet<&str> = named.iter().map(|(id, _)| &**id).collect();
        let (same, others): (Vec<Entry>, Vec<Entry>) =
            self.entries.drain(..).partition(|entry| entry.kind == kind);
        let kept = same.into_iter();
        let kept = kept.filter(|entry| !is_whole && !ids.contains(&*entry.id));
        let kept: Vec<Entry> = kept.collect();
        let new = named.into_iter().map(|(id, title)| Entry {
            kind,
            id,
            title,
            seen_at: now.into(),
        });
        self.entries = new.chain(kept).take(MAX_OF_KIND).chain(others).collect();
    }
}

/// What was seen with the profile that is named, or with the default one; `None` when service or
/// key are not that profile's.
pub(crate) fn recall(profile: Option<&str>, kind: Kind) -> Option<Vec<Named>> {
    let (name, own) = profile::find_own(profile)?;
    let cache = read(&name, &own, OffsetDateTime::now_utc())?;
    let of_kind = cache.entries.into_iter().filter(|entry| entry.kind == kind);
    Some(of_kind.map(|entry| (entry.id, entry.title)).collect())
}

/// Removes what was seen with a profile.
pub(crate) fn forget(profile: &str) -> Result<(), Failure> {
    remove_file(&file(profile)?)
}

/// The cache of a profile, if it is of this service, without what is too old.
fn read(profile: &str, service: &PublicUrl, now: OffsetDateTime) -> Option<Cache> {
    let text = fs::read(file(profile).ok()?).ok()?;
    let mut cache: Cache = serde_json::from_slice(&text).ok()?;
    // A clock can have been wrong in either direction.
    let is_recent = |entry: &Entry| (now - entry.seen_at.0).abs() < MAX_AGE;
    cache.entries.retain(is_recent);
    (cache.service == service.origin().to_string()).then_some(cache)
}

fn file(profile: &str) -> Result<PathBuf, Failure> {
    let base = choose_base_strategy()
        .map_err(|error| Failure::unexpected(format_args!("no folder for caches: {error}")))?;
    let folder = base.cache_dir().join("widget").join("completions");
    Ok(folder.join(format!("{profile}.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_kind_are_kept() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let named = |numbers: std::ops::Range<usize>| {
            let named = numbers.map(|number| (number.to_string(), String::new()));
            named.collect::<Vec<Named>>()
        };
        let mut cache = Cache::default();
        cache.add(Sight::Whole(Kind::Agent, named(1000..1003)), now);
        cache.add(Sight::Whole(Kind::Widget, named(0..MAX_OF_KIND)), now);
        cache.add(Sight::Part(Kind::Widget, named(7..8)), now);
        cache.add(Sight::Part(Kind::Widget, named(900..902)), now);
        let ids = |kind: Kind| -> Vec<&str> {
            let of_kind = cache.entries.iter().filter(|entry| entry.kind == kind);
            of_kind.map(|entry| &*entry.id).collect()
        };
        assert_eq!(ids(Kind::Agent), ["1000", "1001", "1002"]);
        let widgets = ids(Kind::Widget);
        assert_eq!(widgets.len(), MAX_OF_KIND);
        assert_eq!(widgets[..5], ["900", "901", "7", "0", "1"]);
        assert_eq!(widgets.last(), Some(&"247"));
    }
}
