//! Which names belong to one owner: the public suffix list, and a short list of our own.
//!
//! The list is compiled in, so that a decision never depends on a file that may be missing; a
//! newer file can be given at start, see [`SuffixList::parse`].
//!
//! Only rules of a name's own top-level domain say anything about it. So the list that is compiled
//! in is read in parts, each when the first name that needs it is looked up: a command that reads
//! one file does not wait for twelve thousand rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, LazyLock, OnceLock},
};

use publicsuffix::{List, Psl};

/// The Mozilla Public Suffix List, under the Mozilla Public License 2.0 (the notice is in the
/// file).
const BUILTIN: &str = include_str!("../../data/public_suffix_list.dat");

/// Hosts with customers on their subdomains that the public suffix list lacks.
const SHARED_HOSTS: &str = include_str!("../../data/shared_hosts.dat");

/// The sections that a complete list has; a file cut off on its way lacks the last line of one,
/// and fewer rules would admit more.
const SECTIONS: [&str; 4] = [
    "// ===BEGIN ICANN DOMAINS===",
    "// ===END ICANN DOMAINS===",
    "// ===BEGIN PRIVATE DOMAINS===",
    "// ===END PRIVATE DOMAINS===",
];

/// Why a text is not a public suffix list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuffixListError {
    /// A section marker is missing: another file, or an incomplete one.
    #[error("the file is not a complete public suffix list: it lacks the line `{0}`")]
    Incomplete(&'static str),
    /// A line is not a rule.
    #[error("line {line}: `{rule}` is not a rule of a public suffix list")]
    Rule {
        /// Number of the line, from 1.
        line: usize,
        /// The rule as it stands there.
        rule: String,
    },
}

/// In how many parts the list that is compiled in is read: so many that a part has about as many
/// rules as the largest top-level domains, 2,000, or far fewer.
const PARTS: usize = 64;

/// A public suffix list, ready for lookups; cloning shares it.
///
/// All names given to it are lower-case ASCII.
#[derive(Clone)]
pub struct SuffixList(Arc<Inner>);

struct Inner {
    version: Option<String>,
    rules: Rules,
}

enum Rules {
    /// A list that was given, which is checked as a whole.
    Whole(Part),
    /// The list that is compiled in. A part has the rules of some top-level domains.
    Builtin(Box<[OnceLock<Part>; PARTS]>),
}

/// Some rules of a list: all of a top-level domain, or none.
struct Part {
    rules: List,
    /// Every name under which a rule lies, with the first such rule.
    parents: BTreeMap<Box<str>, Box<str>>,
}

impl SuffixList {
    /// The list that this build was made with.
    ///
    /// # Panics
    ///
    /// Never: a test reads all parts.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static LIST: LazyLock<SuffixList> = LazyLock::new(|| {
            SuffixList(Arc::new(Inner {
                version: find_version(BUILTIN),
                rules: Rules::Builtin(Box::new([const { OnceLock::new() }; PARTS])),
            }))
        });
        &LIST
    }

    /// Reads a list in the format of <https://publicsuffix.org/list/>.
    ///
    /// # Errors
    ///
    /// [`SuffixListError`] when it is incomplete or a rule cannot be read; a list is accepted whole
    /// or not at all.
    pub fn parse(text: &str) -> Result<Self, SuffixListError> {
        for section in SECTIONS {
            if !text.lines().any(|line| line.trim_end() == section) {
                return Err(SuffixListError::Incomplete(section));
            }
        }
        Ok(Self(Arc::new(Inner {
            version: find_version(text),
            rules: Rules::Whole(Part::parse(text, |_| true)?),
        })))
    }

    /// The version that the list states in its header, such as `2026-10-22_08-36-41_UTC`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// The rules that can say something about a name.
    fn part_of(&self, name: &str) -> &Part {
        match &self.0.rules {
            Rules::Whole(part) => part,
            Rules::Builtin(parts) => {
                // As the lookup does with a name that ends with a dot.
                let number = part_number(name.strip_suffix('.').unwrap_or(name));
                parts[number].get_or_init(|| {
                    Part::parse(BUILTIN, |rule| part_number(rule) == number)
                        .expect("the rules compiled in can be read")
                })
            }
        }
    }

    /// The domain that one owner registered: the public suffix and one label more.
    ///
    /// `None` for a public suffix itself and for single labels.
    /// An unknown top-level domain counts as a public suffix, as the list's algorithm says.
    #[must_use]
    pub fn registrable<'a>(&self, name: &'a str) -> Option<&'a str> {
        let domain = self.part_of(name).rules.domain(name.as_bytes())?;
        std::str::from_utf8(domain.as_bytes()).ok()
    }

    /// A rule of the list under `name`: some subdomains are then other owners' sites.
    #[must_use]
    pub fn rule_below(&self, name: &str) -> Option<&str> {
        self.part_of(name).parents.get(name).map(AsRef::as_ref)
    }

    /// A host with customers on its subdomains, at or below `name`, which the list lacks.
    #[must_use]
    pub fn shared_host_at_or_below(&self, name: &str) -> Option<&'static str> {
        shared_hosts().iter().copied().find(|shared| {
            *shared == name
                || shared
                    .strip_suffix(name)
                    .is_some_and(|head| head.ends_with('.'))
        })
    }
}

impl fmt::Debug for SuffixList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SuffixList")
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}

impl Part {
    /// Reads those rules of a list that are wanted.
    fn parse(text: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Self, SuffixListError> {
        let mut ascii = String::new();
        let mut parents = BTreeMap::new();
        let mut read = BTreeSet::new();
        for (number, line) in text.lines().enumerate() {
            if line.starts_with("//") {
                if SECTIONS.contains(&line.trim_end()) {
                    ascii.push_str(line);
                    ascii.push('\n');
                }
                continue;
            }
            let Some(written) = line.split_whitespace().next() else {
                continue;
            };
            if !is_wanted(written) {
                continue;
            }
            let rule = read_rule(written).ok_or_else(|| SuffixListError::Rule {
                line: number + 1,
                rule: written.to_owned(),
            })?;
            add_parents(&mut parents, &rule);
            ascii.push_str(&rule);
            ascii.push('\n');
            read.insert(rule);
        }
        for rule in hidden_from_wildcards(&parents, &read) {
            ascii.push_str(rule);
            ascii.push('\n');
        }
        let rules = if read.is_empty() {
            List::new()
        } else {
            ascii
                .parse()
                .map_err(|_| SuffixListError::Incomplete(SECTIONS[0]))?
        };
        Ok(Self { rules, parents })
    }
}

/// In which part of the list that is compiled in the rules of a name's top-level domain are.
///
/// Those of all domains that are not ASCII are together: the list writes them in Unicode and names
/// have them as `xn--…`.
fn part_number(name: &str) -> usize {
    let (_, domain) = name.rsplit_once('.').unwrap_or(("", name));
    if !domain.is_ascii() || domain.starts_with("xn--") {
        return 0;
    }
    // Multiplied as in FNV-1a, so that domains of two letters are spread, too.
    let hash = domain.bytes().fold(0_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    1 + hash as usize % (PARTS - 1)
}

fn find_version(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let comment = line.strip_prefix("//")?.trim_start();
        Some(comment.strip_prefix("VERSION:")?.trim().to_owned())
    })
}

fn shared_hosts() -> &'static BTreeSet<&'static str> {
    static HOSTS: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    HOSTS.get_or_init(|| {
        SHARED_HOSTS
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .collect()
    })
}

/// A rule in ASCII: browsers send names in ASCII only, and the file writes them in Unicode.
///
/// A wildcard is only read as the first label, where all known rules have it: elsewhere the
/// parents below would not hold every name under which a rule lies.
fn read_rule(written: &str) -> Option<String> {
    let (mark, name) = match written.strip_prefix('!') {
        Some(name) => ("!", name),
        None => match written.strip_prefix("*.") {
            Some(name) => ("*.", name),
            None => ("", written),
        },
    };
    let ascii = idna::domain_to_ascii(name).ok()?;
    let sound = ascii.split('.').all(|label| !label.is_empty())
        && ascii
            .bytes()
            .all(|byte| byte != b'_' && super::host::is_name_byte(byte));
    // An exception removes something from a wildcard, so it has at least two labels.
    let possible = mark != "!" || ascii.contains('.');
    (sound && possible).then(|| format!("{mark}{ascii}"))
}

/// Suffixes that a wildcard makes, spelled out where a longer rule passes through them.
///
/// With `*.run.app` and `*.mtls.run.app`, the lookup follows the name `mtls` and no longer sees
/// that the first wildcard covers it.
fn hidden_from_wildcards<'a>(
    parents: &'a BTreeMap<Box<str>, Box<str>>,
    rules: &'a BTreeSet<String>,
) -> impl Iterator<Item = &'a str> {
    parents.keys().map(AsRef::as_ref).filter(|name: &&str| {
        name.split_once('.')
            .is_some_and(|(_, parent)| rules.contains(&format!("*.{parent}")))
            && !rules.contains(&format!("!{name}"))
    })
}

fn add_parents(parents: &mut BTreeMap<Box<str>, Box<str>>, rule: &str) {
    let mut rest = rule.trim_start_matches('!');
    while let Some((_, parent)) = rest.split_once('.') {
        if !parents.contains_key(parent) {
            parents.insert(parent.into(), rule.into());
        }
        rest = parent;
    }
}
