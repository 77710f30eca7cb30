//! Whether the script is the one that the snippet pins.

use sfv::{BareItem, Dictionary, ListEntry};

use super::evidence;
use super::question::{Answer, ScriptAnswer};
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::script::blocked_type;
use super::snippet::SnippetTag;
use crate::finding::Code;

/// Whether browsers accept the answer to the tag as its script.
pub(super) fn check_integrity(page: &Page<'_>, tag: &SnippetTag) -> Vec<PageFinding> {
    let checks = [
        check_credentials(page, tag),
        check_integrity_policy(page, tag),
        check_type(page, tag),
        check_pinned(page, tag),
    ];
    checks.into_iter().flatten().collect()
}

/// With `use-credentials`, the service would have to name the site in its answer.
fn check_credentials(page: &Page<'_>, tag: &SnippetTag) -> Option<PageFinding> {
    let mode = tag.script.attribute("crossorigin")?;
    let is_foreign = page.hop.url.origin() != tag.address.url.origin();
    (is_foreign && mode.eq_ignore_ascii_case("use-credentials")).then(|| {
        PageFinding::fail(
            Code::IntegrityUnknown,
            Audience::Site,
            "the tag has `crossorigin=\"use-credentials\"`, so browsers refuse the script: the \
             service gives it to every site, without cookies",
        )
        .with_evidence(tag.script.evidence.clone())
        .with_hint("write `crossorigin=\"anonymous\"`, or remove `crossorigin`")
    })
}

/// <https://www.w3.org/TR/SRI/#integrity-policy-section>
fn check_integrity_policy(page: &Page<'_>, tag: &SnippetTag) -> Option<PageFinding> {
    let value = page.hop.header("integrity-policy")?;
    let members = sfv::Parser::new(value).parse::<Dictionary>().ok()?;
    let has = |name: &str, word: &str| {
        let ListEntry::InnerList(list) = members.get(name)? else {
            return Some(false);
        };
        let is_word =
            |item: &BareItem| matches!(item, BareItem::Token(token) if token.as_str() == word);
        Some(list.items.iter().any(|item| is_word(&item.bare_item)))
    };
    let is_enforced = has("blocked-destinations", "script") == Some(true)
        && has("sources", "inline").unwrap_or(true);
    let is_pinned = tag.script.has("crossorigin")
        && tag
            .script
            .attribute("integrity")
            .is_some_and(|value| !strongest_hashes(value).is_empty());
    (is_enforced && !is_pinned).then(|| {
        PageFinding::fail(
            Code::IntegrityUnknown,
            Audience::Site,
            "the page's `Integrity-Policy` blocks scripts without `integrity`",
        )
        .with_evidence(evidence::of_header("Integrity-Policy", value))
        .with_hint("paste the snippet with `integrity` from the service (`widget snippet WIDGET --with-integrity`)")
    })
}

fn check_type(page: &Page<'_>, tag: &SnippetTag) -> Option<PageFinding> {
    let Answer::Given(script) = &page.question.answers.script else {
        return None;
    };
    let kind = blocked_type(&script.headers)?;
    (200..300).contains(&script.status).then(|| {
        PageFinding::fail(
            Code::ServiceUnreachable,
            Audience::Operator,
            "the script comes with a type that browsers do not run",
        )
        .with_evidence(evidence::of_header("Content-Type", kind))
        .with_hint(format!(
            "check what answers at {}: it should be the service, without a proxy that changes \
             `Content-Type`",
            evidence::of_url(&tag.address.url)
        ))
    })
}

/// Whether the service no longer has a file.
pub(super) const fn is_gone(script: &ScriptAnswer) -> bool {
    matches!(script.status, 404 | 410)
}

/// What helps where a tag pins another script.
const PASTE: &str = "paste the new snippet with `integrity` from the service, or the one without";

/// Whether the script is the one that the tag pins.
fn check_pinned(page: &Page<'_>, tag: &SnippetTag) -> Option<PageFinding> {
    let answers = page.question.answers;
    let fail = |detail: &str, hint: &str| {
        Some(
            PageFinding::fail(Code::IntegrityUnknown, Audience::Site, detail)
                .with_evidence(tag.script.evidence.clone())
                .with_hint(hint),
        )
    };
    if let Answer::Given(script) = &answers.script
        && is_gone(script)
        && tag.address.is_pinned()
    {
        return fail(
            "the service no longer has the script that the tag pins",
            PASTE,
        );
    }
    let value = tag.script.attribute("integrity")?;
    let strongest = strongest_hashes(value);
    // Browsers, too, ignore what is not a hash.
    strongest.first()?;
    if !tag.script.has("crossorigin") {
        return fail(
            "the tag has `integrity` without `crossorigin`, so browsers refuse the script",
            "add `crossorigin=\"anonymous\"` to the tag",
        );
    }
    let served = match &answers.script {
        Answer::Given(script) if (200..300).contains(&script.status) => Some(&script.hashes),
        _ => None,
    };
    let known: Vec<&String> = match served {
        Some(hashes) if !hashes.is_empty() => hashes.iter().collect(),
        _ => answers.known_hashes.iter().collect(),
    };
    if known.is_empty() {
        return Some(
            PageFinding::unknown(
                Code::IntegrityUnknown,
                Audience::Site,
                "whether the service serves the script that `integrity` pins is not known",
            )
            .with_evidence(tag.script.evidence.clone()),
        );
    }
    if !strongest
        .iter()
        .any(|hash| known.iter().any(|known| known.as_str() == *hash))
    {
        return fail(
            "the hash in `integrity` is not that of the service's script, so browsers refuse it",
            PASTE,
        );
    }
    if !tag.address.is_pinned() {
        return Some(
            PageFinding::warn(
                Code::IntegrityUnknown,
                Audience::Site,
                "`integrity` pins an address whose script changes with the next release",
            )
            .with_evidence(tag.script.evidence.clone())
            .with_hint(PASTE),
        );
    }
    Some(PageFinding::ok(
        Code::IntegrityUnknown,
        Audience::Site,
        "the service serves the script that `integrity` pins",
    ))
}

/// <https://www.w3.org/TR/SRI/#get-the-strongest-metadata>
fn strongest_hashes(value: &str) -> Vec<&str> {
    for algorithm in ["sha512-", "sha384-", "sha256-"] {
        let hashes: Vec<_> = value
            .split_ascii_whitespace()
            .map(|hash| hash.split('?').next().unwrap_or(hash))
            .filter(|hash| hash.starts_with(algorithm))
            .collect();
        if !hashes.is_empty() {
            return hashes;
        }
    }
    Vec::new()
}
