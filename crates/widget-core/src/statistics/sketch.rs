//! The commonest of many keys in a bounded space, by the algorithm "space saving" (Metwally,
//! Agrawal and El Abbadi, 2005), and sums of such sketches (Cafaro, Pulimeno and Tempesta, 2016).

use std::{
    cmp::Reverse,
    hash::{BuildHasher, Hash},
};

use foldhash::fast::FixedState;
use time::OffsetDateTime;

/// How many keys a [`Sketch`] lists.
pub const MAX_LISTED: usize = 100;

/// How often each of the commonest keys occurred, and how often all others did together.
///
/// At most [`MAX_LISTED`] keys are listed. A new key takes the place of the rarest one, whose
/// occurrences then belong to the others. So, with `N` as the [`total`](Self::total):
///
/// - every listed key occurred at least `count` and at most `count + uncertain` times;
/// - a key that is not listed occurred at most [`threshold`](Self::threshold) times;
/// - `threshold` and `uncertain` are at most `N / 100`, so that a key with more is always listed;
/// - the counts and the others add up to `N`.
///
/// [`merge`](Self::merge) keeps all of this, in whatever order sketches of several nodes and times
/// are merged. Only [`count_unlisted`](Self::count_unlisted) raises the third bound, by what it
/// counts.
///
/// ```
/// use time::OffsetDateTime;
/// use widget_core::statistics::Sketch;
///
/// let now = OffsetDateTime::UNIX_EPOCH;
/// let mut sketch = Sketch::default();
/// for number in 0..10_000 {
///     sketch.count(format!("https://{number}.example"), now);
///     if number % 20 == 0 {
///         sketch.count("https://shop.example".to_owned(), now);
///     }
/// }
/// let listed = sketch.listed();
/// assert_eq!((listed.len(), sketch.total()), (100, 10_500));
/// assert_eq!((listed[0].key.as_str(), listed[0].count), ("https://shop.example", 500));
/// ```
#[derive(Debug, Clone)]
pub struct Sketch<K> {
    listed: Vec<Listed<K>>,
    /// Of the key in the same place: comparing them, several at once, is cheaper than comparing
    /// keys. Who makes keys with equal hashes only makes the keys be compared.
    hashes: Vec<u32>,
    others: u64,
    threshold: u64,
    rarest: RarestSearch,
}

/// Where the rarest key was found last, so that a stream of new keys does not make the next one
/// look through all of them: no key occurred less often than `upper` at most, and none before
/// `place` so seldom.
#[derive(Debug, Clone, Default)]
struct RarestSearch {
    place: usize,
    upper: u64,
}

/// A key that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<K> {
    /// The key.
    pub key: K,
    /// How often it occurred for certain.
    pub count: u64,
    /// How much more often it may have occurred, before it was listed.
    pub uncertain: u64,
    /// When it occurred first, since it is listed.
    pub first_at: OffsetDateTime,
    /// When it occurred last.
    pub last_at: OffsetDateTime,
}

impl<K> Listed<K> {
    /// How often it occurred at most.
    const fn upper(&self) -> u64 {
        self.count.saturating_add(self.uncertain)
    }
}

impl<K> Default for Sketch<K> {
    fn default() -> Self {
        Self {
            listed: Vec::new(),
            hashes: Vec::new(),
            others: 0,
            threshold: 0,
            rarest: RarestSearch::default(),
        }
    }
}

impl<K> Sketch<K> {
    /// How often everything occurred together.
    #[must_use]
    pub fn total(&self) -> u64 {
        let counts = self.listed.iter().map(|listed| listed.count);
        counts.fold(self.others, u64::saturating_add)
    }

    /// How often the keys occurred that are not listed, or were not when they did.
    #[must_use]
    pub const fn others(&self) -> u64 {
        self.others
    }

    /// How often a key that is not listed occurred at most.
    #[must_use]
    pub const fn threshold(&self) -> u64 {
        self.threshold
    }

    /// How many keys it lists.
    #[must_use]
    pub fn listed_count(&self) -> usize {
        self.listed.len()
    }

    /// Whether it lists as many keys as it may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.listed.len() >= MAX_LISTED
    }
}

impl<K: Eq + Hash> Sketch<K> {
    /// What was stored of a sketch: what it lists, [`others`](Self::others) and
    /// [`threshold`](Self::threshold). More than it may list, and keys that occur twice, are
    /// merged into what it keeps.
    #[must_use]
    pub fn from_parts(listed: Vec<Listed<K>>, others: u64, threshold: u64) -> Self {
        let mut sketch = Self {
            others,
            threshold,
            ..Self::default()
        };
        for item in listed {
            let hash = hash_of(&item.key);
            sketch.join(item, hash, 0);
        }
        sketch.shorten();
        sketch
    }

    /// Counts a key, which is listed then; whether more keys are listed than before.
    pub fn count(&mut self, key: K, now: OffsetDateTime) -> bool {
        let hash = hash_of(&key);
        if self.count_listed(hash, &key, now) {
            return false;
        }
        let mut item = Listed {
            key,
            count: 1,
            uncertain: self.threshold,
            first_at: now,
            last_at: now,
        };
        let rarest = if self.is_full() {
            self.find_rarest()
        } else {
            None
        };
        let Some(place) = rarest else {
            self.listed.push(item);
            self.hashes.push(hash);
            return true;
        };
        let rarest = &mut self.listed[place];
        self.others = self.others.saturating_add(rarest.count);
        self.threshold = self.threshold.max(rarest.upper());
        item.uncertain = self.threshold;
        *rarest = item;
        self.hashes[place] = hash;
        false
    }

    /// Counts a key, among the others if it is not listed already.
    pub fn count_unlisted(&mut self, key: &K, now: OffsetDateTime) {
        if !self.count_listed(hash_of(key), key, now) {
            self.others = self.others.saturating_add(1);
            self.threshold = self.threshold.saturating_add(1);
        }
    }

    /// Whether a key is listed; then it is counted.
    fn count_listed(&mut self, hash: u32, key: &K, now: OffsetDateTime) -> bool {
        let Some(place) = self.place(hash, key) else {
            return false;
        };
        let listed = &mut self.listed[place];
        listed.count = listed.count.saturating_add(1);
        listed.last_at = listed.last_at.max(now);
        true
    }

    /// Adds what another sketch has counted.
    pub fn merge(&mut self, other: Self) {
        let (own, its) = (self.threshold, other.threshold);
        let before = self.listed.len();
        let mut is_in_both = vec![false; before];
        for (item, hash) in other.listed.into_iter().zip(other.hashes) {
            // It may have occurred here, too, before it was listed.
            if let Some(place) = self.join(item, hash, own)
                && let Some(known) = is_in_both.get_mut(place)
            {
                *known = true;
            }
        }
        for (listed, is_in_both) in self.listed.iter_mut().zip(is_in_both) {
            if !is_in_both {
                listed.uncertain = listed.uncertain.saturating_add(its);
            }
        }
        self.others = self.others.saturating_add(other.others);
        self.threshold = own.saturating_add(its);
        self.shorten();
    }

    /// Adds an item; the place of the one it was added to, if that was there.
    fn join(&mut self, mut item: Listed<K>, hash: u32, uncertain: u64) -> Option<usize> {
        if let Some(place) = self.place(hash, &item.key) {
            let known = &mut self.listed[place];
            known.count = known.count.saturating_add(item.count);
            known.uncertain = known.uncertain.saturating_add(item.uncertain);
            known.first_at = known.first_at.min(item.first_at);
            known.last_at = known.last_at.max(item.last_at);
            return Some(place);
        }
        item.uncertain = item.uncertain.saturating_add(uncertain);
        self.listed.push(item);
        self.hashes.push(hash);
        None
    }

    /// Drops the rarest of more than it may list.
    fn shorten(&mut self) {
        self.rarest = RarestSearch::default();
        if self.listed.len() <= MAX_LISTED {
            return;
        }
        let mut all: Vec<(Listed<K>, u32)> =
            self.listed.drain(..).zip(self.hashes.drain(..)).collect();
        all.sort_by_key(|(item, _)| Reverse((item.upper(), item.count)));
        for (dropped, _) in all.drain(MAX_LISTED..) {
            self.others = self.others.saturating_add(dropped.count);
            self.threshold = self.threshold.max(dropped.upper());
        }
        (self.listed, self.hashes) = all.into_iter().unzip();
    }

    fn place(&self, hash: u32, key: &K) -> Option<usize> {
        // Most of a stream of new keys ends here.
        if !self.hashes.contains(&hash) {
            return None;
        }
        self.hashes
            .iter()
            .zip(&self.listed)
            .position(|(other, listed)| *other == hash && listed.key == *key)
    }

    /// The place of the rarest key.
    fn find_rarest(&mut self) -> Option<usize> {
        if let Some(place) = self.find_next_rarest() {
            return Some(place);
        }
        let upper = self.listed.iter().map(Listed::upper).min()?;
        self.rarest = RarestSearch { place: 0, upper };
        self.find_next_rarest()
    }

    fn find_next_rarest(&mut self) -> Option<usize> {
        let RarestSearch { place, upper } = self.rarest;
        let mut rest = self.listed.get(place..)?.iter();
        self.rarest.place += rest.position(|listed| listed.upper() <= upper)?;
        Some(self.rarest.place)
    }

    /// What it lists, the commonest first.
    #[must_use]
    pub fn listed(&self) -> Vec<&Listed<K>> {
        let mut listed: Vec<&Listed<K>> = self.listed.iter().collect();
        listed.sort_by_key(|item| Reverse((item.count, item.upper())));
        listed
    }
}

fn hash_of<K: Hash>(key: &K) -> u32 {
    let [a, b, c, d, ..] = FixedState::default().hash_one(key).to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}
