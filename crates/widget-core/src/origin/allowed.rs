//! The list of a widget, and the decision whether it holds a page's origin.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::{BuildHasherDefault, DefaultHasher},
};

use super::{
    entry::{Entry, MAX_ENTRY_BYTES, OriginPattern},
    fault::{EntryFault, entry_pointer},
    suffix::SuffixList,
    tuple::{Origin, Scheme},
    warning,
};
use crate::finding::{Code, Finding, FindingList, Findings};

/// Hashing with fixed keys: an owner chooses at most a hundred keys, so nobody gains from
/// collisions, and the crate needs no source of randomness.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;
type Set<T> = HashSet<T, BuildHasherDefault<DefaultHasher>>;

/// The sites on which a widget may be shown, in canonical form and ready for lookups.
///
/// The default is the empty list, which admits no site.
#[derive(Clone, Default)]
pub struct AllowedOrigins {
    entries: Vec<String>,
    any_site: bool,
    exact: Map<Box<str>, usize>,
    patterns: Map<Box<str>, Vec<PatternSlot>>,
    /// Lengths of the shortest and longest base: only parts of a host of such lengths are looked
    /// up.
    base_lengths: Option<(usize, usize)>,
    warnings: FindingList,
}

#[derive(Debug, Clone)]
struct PatternSlot {
    scheme: Scheme,
    port: u16,
    entry: usize,
    /// Given when a rule of the list lies below the base, so that each host must be judged.
    judge: Option<SuffixList>,
}

/// Proof that a list admits an origin; nothing but [`AllowedOrigins::admit`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmittedOrigin<'a> {
    origin: &'a Origin,
    entry: &'a str,
}

impl<'a> AdmittedOrigin<'a> {
    /// The page's origin.
    #[must_use]
    pub const fn origin(&self) -> &'a Origin {
        self.origin
    }

    /// The entry that admits it.
    #[must_use]
    pub const fn entry(&self) -> &'a str {
        self.entry
    }
}

impl AllowedOrigins {
    /// The largest number of entries in one list, as written: it is meant to be read by people.
    pub const MAX_ENTRIES: usize = 100;

    /// Longest entry in bytes: what browsers and proxies accept as an address at least.
    pub const MAX_ENTRY_BYTES: usize = MAX_ENTRY_BYTES;

    /// Reads a list as it is written by its owner.
    ///
    /// Entries are brought into canonical form, duplicates collapse, order is kept.
    ///
    /// # Errors
    ///
    /// Every fault of every entry, or `too_many` alone, without a look at the entries: a list is
    /// accepted whole or not at all.
    pub fn parse<E: AsRef<str>>(entries: &[E], suffixes: &SuffixList) -> Result<Self, Findings> {
        if entries.len() > Self::MAX_ENTRIES {
            return Err(too_many(entries.len()).into());
        }
        let mut seen = Set::default();
        let mut parsed = Vec::new();
        let mut faults: Vec<(usize, EntryFault)> = Vec::new();
        let mut stars = Vec::new();
        for (position, written) in entries.iter().enumerate() {
            match Entry::parse(written.as_ref(), suffixes) {
                Ok(entry) => {
                    if entry == Entry::AnySite {
                        stars.push(position);
                    }
                    if seen.insert(entry.clone()) {
                        parsed.push(entry);
                    }
                }
                Err(error) => {
                    let found = error.into_faults().into_iter();
                    faults.extend(found.map(|fault| (position, fault)));
                }
            }
        }
        if stars.len() < entries.len() {
            for position in stars {
                faults.push((position, EntryFault::WildcardAllNotAlone));
            }
            faults.sort_by_key(|(position, _)| *position);
        }
        let findings = faults
            .into_iter()
            .map(|(position, fault)| fault.finding(entry_pointer(position)))
            .collect();
        if let Some(findings) = Findings::from_list(findings) {
            return Err(findings);
        }
        let mut list = Self::default();
        for entry in parsed {
            list.push(entry, suffixes);
        }
        list.warn(suffixes);
        Ok(list)
    }

    /// Reads a list that was parsed before and stored.
    ///
    /// Rules may have become stricter since: an entry that is refused today stays in
    /// [`entries`](Self::entries), admits nothing, and is a warning with its code.
    /// A pattern below which a newer suffix list has a rule still admits the hosts that belong to
    /// the base's owner.
    #[must_use]
    pub fn load<E: AsRef<str>>(entries: &[E], suffixes: &SuffixList) -> Self {
        let mut list = Self::default();
        for (position, stored) in entries.iter().enumerate() {
            let stored = stored.as_ref();
            match Entry::parse_unjudged(stored) {
                Ok(Entry::AnySite) if entries.len() > 1 => {
                    let fault = EntryFault::WildcardAllNotAlone;
                    list.keep_inert(stored, fault.finding(entry_pointer(position)));
                }
                Ok(entry) if entry.to_text() == stored => {
                    if let Entry::Pattern(pattern) = &entry {
                        for fault in pattern.faults(suffixes) {
                            list.warnings
                                .push_with(|| fault.finding(entry_pointer(position)));
                        }
                    }
                    list.push(entry, suffixes);
                }
                Ok(_) => list.keep_inert(
                    stored,
                    Finding::new(
                        Code::NotCanonical,
                        format!("the stored entry `{stored}` is not in canonical form and allows nothing"),
                    )
                    .at(entry_pointer(position))
                    .with_hint("save the list again"),
                ),
                Err(faults) => {
                    for fault in faults {
                        list.warnings
                            .push_with(|| fault.finding(entry_pointer(position)));
                    }
                    list.entries.push(stored.to_owned());
                }
            }
        }
        list.warn(suffixes);
        list
    }

    /// The entries in canonical form; parsing them again gives the same list.
    #[must_use]
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// Whether there is no entry, so that no site is admitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The decision: which entry, if any, admits the page.
    ///
    /// Costs a few lookups, independent of the number of entries, and allocates nothing.
    #[must_use]
    pub fn admit<'a>(&'a self, origin: &'a Origin) -> Option<AdmittedOrigin<'a>> {
        let position = if self.any_site {
            Some(0)
        } else {
            self.exact
                .get(origin.as_str())
                .copied()
                .or_else(|| self.matching_pattern(origin))
        };
        position
            .and_then(|position| self.entries.get(position))
            .map(|entry| AdmittedOrigin { origin, entry })
    }

    /// Whether the list admits a page on the host of `page` under any scheme and port that its
    /// entries have.
    #[must_use]
    pub fn admits_host_of(&self, page: &Origin) -> bool {
        let of_entry = |entry: &String| match Entry::parse_unjudged(entry).ok()? {
            Entry::AnySite => None,
            Entry::Exact(origin) => Some((origin.scheme(), origin.port())),
            Entry::Pattern(pattern) => Some((pattern.scheme(), pattern.port())),
        };
        let pages = self.entries.iter().filter_map(of_entry);
        let mut pages = pages.map(|(scheme, port)| Origin::from_parts(scheme, page.host(), port));
        self.admit(page).is_some() || pages.any(|page| self.admit(&page).is_some())
    }

    /// Warnings about a list that is accepted all the same, with pointers into
    /// [`entries`](Self::entries).
    #[must_use]
    pub fn warnings(&self) -> FindingList {
        let mut warnings = self.warnings.clone();
        if self.is_empty() {
            warnings.push(warning::no_domains());
        }
        warnings
    }

    /// The same list without its warnings, for callers that only ask for decisions.
    #[must_use]
    pub fn without_warnings(self) -> Self {
        Self {
            warnings: FindingList::new(),
            ..self
        }
    }

    /// An upper bound of the memory that the list without its warnings holds beside its own size,
    /// in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        /// An entry's places in the list and in a map, which may have room for twice as many; the
        /// allocations of both; and a pattern's list of slots.
        const ENTRY: usize = 320;
        let held = |entry: &String| ENTRY + 2 * entry.len();
        self.entries.iter().map(held).sum()
    }

    fn matching_pattern(&self, origin: &Origin) -> Option<usize> {
        let (shortest, longest) = self.base_lengths?;
        let host = origin.host();
        let mut rest = host;
        while let Some((_, base)) = rest.split_once('.') {
            rest = base;
            if base.len() < shortest {
                return None;
            }
            if base.len() > longest {
                continue;
            }
            let slots = self.patterns.get(base).map_or(&[][..], Vec::as_slice);
            let found = slots.iter().find(|slot| {
                slot.scheme == origin.scheme()
                    && slot.port == origin.port()
                    && slot.judge.as_ref().is_none_or(|suffixes| {
                        let owner = suffixes.registrable(base);
                        owner.is_some() && owner == suffixes.registrable(host)
                    })
            });
            if let Some(slot) = found {
                return Some(slot.entry);
            }
        }
        None
    }

    /// Keeps an entry that admits nothing.
    fn keep_inert(&mut self, stored: &str, warning: Finding) {
        self.warnings.push(warning);
        self.entries.push(stored.to_owned());
    }

    fn push(&mut self, entry: Entry, suffixes: &SuffixList) {
        let text = entry.to_text();
        let position = self.entries.len();
        match entry {
            Entry::AnySite => self.any_site = true,
            Entry::Exact(_) => {
                self.exact.insert(text.as_str().into(), position);
            }
            Entry::Pattern(pattern) => self.push_pattern(&pattern, position, suffixes),
        }
        self.entries.push(text);
    }

    fn push_pattern(&mut self, pattern: &OriginPattern, position: usize, suffixes: &SuffixList) {
        let base = pattern.base();
        // The list admits a pattern for good when nothing of it lies at or below the base: then
        // every host below has the base's owner. Only otherwise is each host judged by itself.
        let undivided = suffixes.registrable(base).is_some() && suffixes.rule_below(base).is_none();
        if suffixes.shared_host_at_or_below(base).is_some() {
            return;
        }
        self.patterns
            .entry(base.into())
            .or_default()
            .push(PatternSlot {
                scheme: pattern.scheme(),
                port: pattern.port(),
                entry: position,
                judge: (!undivided).then(|| suffixes.clone()),
            });
        let (shortest, longest) = self.base_lengths.unwrap_or((base.len(), base.len()));
        self.base_lengths = Some((shortest.min(base.len()), longest.max(base.len())));
    }

    fn warn(&mut self, suffixes: &SuffixList) {
        let warnings = warning::of_list(&self.entries, suffixes, |origin| {
            self.admit(origin).is_some()
        });
        self.warnings.extend(warnings);
    }
}

fn too_many(count: usize) -> Finding {
    Finding::new(
        Code::TooMany,
        format!(
            "the list has {count} entries; at most {} are allowed",
            AllowedOrigins::MAX_ENTRIES
        ),
    )
    .at("/domains")
    .with_hint("use `https://*.example.com` for the subdomains of a domain of your own")
}

impl PartialEq for AllowedOrigins {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for AllowedOrigins {}

impl fmt::Debug for AllowedOrigins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("AllowedOrigins")
            .field(&self.entries)
            .finish()
    }
}
