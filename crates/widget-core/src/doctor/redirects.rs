//! Where a page redirects to by itself: by a header, a tag or a script.

use url::Url;

use super::deferred::is_deferred;
use super::evidence;
use super::page::{PageTags, read_refresh};
use super::script::Kind;
use super::snippet::Snippets;
use super::visit::Hop;

/// More places of a page that name a `location` are not looked at.
const MAX_MENTIONS: usize = 50;

/// What follows a `location` is looked at so far, in bytes.
const MAX_VALUE: usize = 512;

/// Another page to which a page redirects.
pub(super) struct SentOn {
    /// Its address, when it can be seen.
    pub(super) url: Option<Url>,
    pub(super) evidence: String,
    /// Whether a script does it.
    pub(super) by_script: bool,
}

/// Where a page redirects to, by its header, by a tag or by a script.
pub(super) fn find_refresh(hop: &Hop, tags: &PageTags, snippets: &Snippets) -> Option<SentOn> {
    let base = tags.base(&hop.url);
    let header = hop.header("refresh").and_then(|value| {
        let url = hop.url.join(&read_refresh(value)?).ok()?;
        Some((url, evidence::of_header("Refresh", value)))
    });
    let tag = || {
        let refresh = tags.refresh.as_ref()?;
        let url = base.join(&refresh.url).ok()?;
        Some((url, refresh.evidence.clone()))
    };
    let is_other = |url: &Url| {
        let (mut here, mut there) = (hop.url.clone(), url.clone());
        here.set_fragment(None);
        there.set_fragment(None);
        matches!(url.scheme(), "http" | "https") && here != there
    };
    if let Some((url, evidence)) = header.or_else(tag) {
        return is_other(&url).then_some(SentOn {
            url: Some(url),
            evidence,
            by_script: false,
        });
    }
    let redirect = find_script_redirect(tags)?;
    let url = match redirect.url {
        Some(url) => Some(base.join(&url).ok().filter(is_other)?),
        // What a page with the snippet, or an application, does with its address is its own affair.
        None if snippets.tags.is_empty() && tags.marks.is_empty() => None,
        None => return None,
    };
    Some(SentOn {
        url,
        evidence: redirect.evidence,
        by_script: true,
    })
}

/// A script that redirects.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ScriptRedirect {
    /// Where to, when the script has it as a plain text.
    url: Option<String>,
    evidence: String,
}

/// The script of a page with almost no text that redirects.
fn find_script_redirect(tags: &PageTags) -> Option<ScriptRedirect> {
    if !tags.is_almost_empty() {
        return None;
    }
    let scripts = tags.scripts.iter();
    let scripts = scripts.filter(|script| Kind::of(script).runs() && !script.has("src"));
    let texts = scripts.map(|script| &script.text).chain(&tags.handlers);
    let (text, at, assigned) = find_assigned(&texts)?;
    Some(ScriptRedirect {
        url: match assigned {
            Assigned::Address(url) => Some(url),
            Assigned::Expression => None,
        },
        evidence: evidence::around(text, at),
    })
}

/// The first redirect in these texts, and its place.
fn find_assigned<'a>(
    texts: &(impl Iterator<Item = &'a String> + Clone),
) -> Option<(&'a str, usize, Assigned)> {
    let places = texts.clone().flat_map(|text| {
        let found = text.match_indices("location");
        found.map(|(at, _)| (text.as_str(), at))
    });
    let mut places = places.take(MAX_MENTIONS);
    places.find_map(|(text, at)| {
        let assigned = read_redirect(text, at)?;
        (!is_deferred(texts, text, at)).then_some((text, at, assigned))
    })
}

/// What is assigned to a `location`.
#[derive(Debug, PartialEq, Eq)]
enum Assigned {
    /// A plain text.
    Address(String),
    /// Anything else.
    Expression,
}

/// What is assigned to the `location` at this position.
fn read_redirect(text: &str, at: usize) -> Option<Assigned> {
    const OWNERS: &[&str] = &["window", "document", "self", "top", "parent", "globalThis"];
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    let before = text[..at].trim_end();
    if let Some(owner) = before.strip_suffix('.') {
        let start = owner.trim_end_matches(is_name).len();
        if !OWNERS.contains(&&owner[start..]) {
            return None;
        }
    } else if text[..at].ends_with(is_name)
        || ["let", "const"].iter().any(|word| before.ends_with(word))
    {
        return None;
    }
    let rest = &text[at + "location".len()..];
    let rest = &rest[..evidence::floor(rest, MAX_VALUE.min(rest.len()))];
    let rest = rest.trim_start();
    let value = if let Some(called) = [".replace", ".assign"]
        .iter()
        .find_map(|name| rest.strip_prefix(name))
    {
        called.trim_start().strip_prefix('(')?
    } else {
        let rest = rest.strip_prefix(".href").unwrap_or(rest).trim_start();
        let value = rest.strip_prefix('=')?;
        if value.starts_with(['=', '>']) {
            return None;
        }
        value
    };
    let value = value.trim_start();
    let end = value.find([';', '\n', '}']).unwrap_or(value.len());
    let quote = value
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\'' | '`'));
    let literal = quote.and_then(|quote| {
        let (literal, after) = value[1..].split_once(quote)?;
        let is_whole = !after.trim_start().starts_with('+') && !literal.contains("${");
        is_whole.then(|| literal.replace("\\/", "/"))
    });
    match literal {
        Some(literal) => Some(Assigned::Address(literal)),
        // `location.href = location.href` and the like stays on the page.
        None => (!value[..end].contains("location")).then_some(Assigned::Expression),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_to_the_location_are_read() {
        let read = |text: &str| {
            let mut found = text.match_indices("location");
            found.find_map(|(at, _)| read_redirect(text, at))
        };
        let to = |url: &str| Some(Assigned::Address(url.to_owned()));
        for (text, expected) in [
            ("location = '/a'", to("/a")),
            (
                "window.location.href=\"https:\\/\\/a.example\\/\"",
                to("https://a.example/"),
            ),
            ("if (x) { top.location.replace( `/a` ) }", to("/a")),
            ("document . location.assign('/a?b=c')", None),
            ("document.location.assign('/a?b=c')", to("/a?b=c")),
            ("location.href = '/a' + id", Some(Assigned::Expression)),
            ("location.href = `/a/${id}`", Some(Assigned::Expression)),
            ("location = target;", Some(Assigned::Expression)),
            ("top.location = self.location", None),
            ("location.href = 'https://' + location.host", None),
            ("if (location == '/a') {}", None),
            ("location.hash = '#a'", None),
            ("var relocation = '/a'", None),
            ("store.location = 'Berlin'", None),
            ("let location = 'Berlin'", None),
            ("location.reload()", None),
            ("location.href.replace(/#.*/, '')", None),
            ("location.href.assign('/a')", None),
            ("location", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn the_work_is_bounded() {
        let find = |text: String| find_assigned(&[text].iter()).map(|(_, _, assigned)| assigned);
        let after = |times: usize| find(format!("{}location='/a'", "location.x ".repeat(times)));
        let found = Some(Assigned::Address("/a".to_owned()));
        assert_eq!(after(MAX_MENTIONS - 1), found);
        assert_eq!(after(MAX_MENTIONS), None);
        // The end of a long value is not looked for, wherever the cut is.
        for filled in ["ä".repeat(MAX_VALUE), format!("a{}", "ä".repeat(MAX_VALUE))] {
            let assigned = find(format!("location='{filled}'"));
            assert_eq!(assigned, Some(Assigned::Expression));
        }
        let long = format!("location={}location", " x".repeat(MAX_VALUE));
        assert_eq!(find(long), Some(Assigned::Expression));
    }
}
