//! The entry that comes nearest to a page that no entry admits.

use crate::choice::choices;
use crate::origin::{AllowedOrigins, Entry, Origin, Scheme, SuffixList, to_unicode};

choices! {
    /// How the nearest entry differs from the page, the smallest difference first.
    #[derive(PartialOrd, Ord)]
    pub enum Difference {
        /// `http` against `https`.
        Scheme = "scheme",
        /// Another port.
        Port = "port",
        /// Another scheme and another port.
        SchemeAndPort = "scheme_and_port",
        /// A final dot.
        TrailingDot = "trailing_dot",
        /// With `www.` against without.
        Www = "www",
        /// The page is on the base of a pattern, which covers subdomains only.
        PatternApex = "pattern_apex",
        /// The page is on a subdomain of the entry.
        Subdomain = "subdomain",
        /// The page is on the domain of which the entry is a subdomain.
        ParentDomain = "parent_domain",
        /// Both are subdomains of the same registered domain.
        Sibling = "sibling",
        /// The name looks the same and is another one.
        LookAlike = "look_alike",
        /// A few letters.
        Spelling = "spelling",
    }
}

/// The listed entry that comes nearest to a page that is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Nearest {
    /// The entry.
    pub entry: String,
    /// Where it stands, such as `/domains/0`.
    pub pointer: String,
    /// In what it differs.
    pub difference: Difference,
    /// One sentence: "`https://www.shop.example` is listed, `https://shop.example` is not".
    pub detail: String,
}

/// How many letters may differ between two names that are easily confused.
const MAX_TYPOS: usize = 2;

/// In a shorter name, a typo cannot be distinguished from a different name.
const MIN_LENGTH_FOR_TYPOS: usize = 6;

/// An entry reduced to what is compared.
struct Listed<'a> {
    scheme: Scheme,
    name: &'a str,
    port: u16,
    pattern: bool,
}

pub(super) fn find_nearest(
    domains: &AllowedOrigins,
    page: &Origin,
    suffixes: &SuffixList,
) -> Option<Nearest> {
    let mut best: Option<(Difference, usize)> = None;
    for (position, text) in domains.entries().iter().enumerate() {
        let Ok(entry) = Entry::parse(text, suffixes) else {
            continue;
        };
        let listed = match &entry {
            Entry::AnySite => continue,
            Entry::Exact(origin) => Listed {
                scheme: origin.scheme(),
                name: origin.host(),
                port: origin.port(),
                pattern: false,
            },
            Entry::Pattern(pattern) => Listed {
                scheme: pattern.scheme(),
                name: pattern.base(),
                port: pattern.port(),
                pattern: true,
            },
        };
        // Differences are declared from the smallest on.
        if let Some(difference) = difference(&listed, page, suffixes)
            && best.is_none_or(|(smallest, _)| difference < smallest)
        {
            best = Some((difference, position));
        }
    }
    let (difference, position) = best?;
    let entry = domains.entries().get(position)?.clone();
    Some(Nearest {
        detail: describe(difference, &entry, page),
        pointer: format!("/domains/{position}"),
        entry,
        difference,
    })
}

fn difference(listed: &Listed<'_>, page: &Origin, suffixes: &SuffixList) -> Option<Difference> {
    let host = page.host();
    let below = is_below(host, listed.name);
    let same_host = if listed.pattern {
        below
    } else {
        host == listed.name
    };
    if same_host {
        let default_ports = listed.port == listed.scheme.default_port()
            && page.port() == page.scheme().default_port();
        return Some(if listed.scheme == page.scheme() {
            Difference::Port
        } else if default_ports || listed.port == page.port() {
            Difference::Scheme
        } else {
            Difference::SchemeAndPort
        });
    }
    if listed.pattern {
        if host == listed.name {
            return Some(Difference::PatternApex);
        }
    } else {
        if host.strip_suffix('.') == Some(listed.name) {
            return Some(Difference::TrailingDot);
        }
        if host.strip_prefix("www.") == Some(listed.name)
            || listed.name.strip_prefix("www.") == Some(host)
        {
            return Some(Difference::Www);
        }
        if below {
            return Some(Difference::Subdomain);
        }
    }
    if is_below(listed.name, host) {
        return Some(Difference::ParentDomain);
    }
    let owner = suffixes.registrable(host);
    if owner.is_some() && owner == suffixes.registrable(listed.name) {
        return Some(Difference::Sibling);
    }
    let (seen, meant) = (skeleton(host), skeleton(listed.name));
    if seen == meant || (listed.pattern && is_below(&seen, &meant)) {
        return Some(Difference::LookAlike);
    }
    let typos = strsim::damerau_levenshtein(host, listed.name);
    (typos <= MAX_TYPOS && listed.name.len() >= MIN_LENGTH_FOR_TYPOS)
        .then_some(Difference::Spelling)
}

fn is_below(name: &str, base: &str) -> bool {
    name.strip_suffix(base)
        .is_some_and(|head| head.len() > 1 && head.ends_with('.'))
}

fn describe(difference: Difference, entry: &str, page: &Origin) -> String {
    let what = match difference {
        Difference::Scheme => "the scheme differs".to_owned(),
        Difference::Port => "the port differs".to_owned(),
        Difference::SchemeAndPort => "scheme and port differ".to_owned(),
        Difference::TrailingDot => {
            "a name that ends in a dot is another site for browsers".to_owned()
        }
        Difference::Www => "with and without `www.` are different sites".to_owned(),
        Difference::PatternApex => {
            "a pattern covers subdomains only, not the domain itself".to_owned()
        }
        Difference::Subdomain => {
            "an entry covers no subdomains unless it begins with `*.`".to_owned()
        }
        Difference::ParentDomain => "the page is on the domain above".to_owned(),
        Difference::Sibling => "the page is on another subdomain".to_owned(),
        Difference::LookAlike => match to_unicode(page.host()) {
            Some(shown) => format!(
                "the page's name only looks alike: it is shown as `{shown}` and is another site"
            ),
            None => "the page's name only looks alike and is another site".to_owned(),
        },
        Difference::Spelling => "the spelling differs".to_owned(),
    };
    format!("`{entry}` is listed, `{page}` is not: {what}")
}

/// The letters of a name as they look, for comparing only.
///
/// A short choice of the confusable characters of Unicode Technical Standard 39: Cyrillic, Greek
/// and Armenian letters that look Latin, Latin letters with marks, digits like letters.
fn skeleton(host: &str) -> String {
    let shown = to_unicode(host).unwrap_or_else(|| host.to_owned());
    let mut letters = String::with_capacity(shown.len());
    for character in shown.chars() {
        letters.push(match character {
            'а' | 'α' | 'à'..='å' | 'ā' | 'ă' | 'ą' | 'ạ' | 'ɑ' => 'a',
            'ь' | 'ƅ' => 'b',
            'с' | 'ç' | 'ć' | 'č' => 'c',
            'ԁ' | 'ď' | 'đ' => 'd',
            'е' | 'ё' | 'ε' | 'è'..='ë' | 'ē' | 'ę' | 'ě' | 'ẹ' => 'e',
            'ɡ' | 'ğ' | 'ģ' => 'g',
            'һ' | 'հ' => 'h',
            'і' | 'ї' | 'ι' | 'ì'..='ï' | 'ī' | 'ı' | '1' | 'l' | 'ӏ' | 'ł' => 'i',
            'ј' => 'j',
            'к' | 'κ' | 'ķ' => 'k',
            'м' => 'm',
            'ո' | 'п' | 'η' | 'ñ' | 'ń' | 'ň' => 'n',
            'о' | 'ο' | 'σ' | 'օ' | 'ò'..='ö' | 'ø' | 'ō' | 'ő' | '0' => 'o',
            'р' | 'ρ' => 'p',
            'ԛ' => 'q',
            'г' | 'ř' => 'r',
            'ѕ' | 'ś' | 'š' | 'ş' | '5' => 's',
            'т' | 'τ' | 'ť' => 't',
            'υ' | 'ս' | 'ù'..='ü' | 'ū' | 'ů' => 'u',
            'ν' | 'ѵ' => 'v',
            'ԝ' | 'ω' | 'ѡ' => 'w',
            'х' | 'χ' => 'x',
            'у' | 'γ' | 'ý' | 'ÿ' => 'y',
            'ž' | 'ź' | 'ż' => 'z',
            other => other,
        });
    }
    letters.replace("rn", "m").replace("vv", "w")
}
