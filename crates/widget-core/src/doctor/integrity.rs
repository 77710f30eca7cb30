//! Whether the script is the one that the snippet pins.

use super::question::Answer;
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::snippet::SnippetTag;
use crate::finding::Code;

/// Whether browsers accept the script that the tag pins.
pub(super) fn check_integrity(page: &Page<'_>, tag: &SnippetTag) -> Option<PageFinding> {
    let value = tag.script.attribute("integrity")?;
    let strongest = strongest_hashes(value);
    // What is no hash is ignored, also by browsers.
    strongest.first()?;
    let answers = page.question.answers;
    let fail = |detail: &str, hint: &str| {
        Some(
            PageFinding::fail(Code::IntegrityUnknown, Audience::Site, detail)
                .with_evidence(tag.script.evidence.clone())
                .with_hint(hint),
        )
    };
    let paste = "paste the new snippet with `integrity` from the service, or the one without";
    if !tag.script.has("crossorigin") {
        return fail(
            "the tag has `integrity` without `crossorigin`, so browsers refuse the script",
            "add `crossorigin=\"anonymous\"` to the tag",
        );
    }
    let served = match &answers.script {
        Answer::Given(script) if matches!(script.status, 404 | 410) => {
            return fail(
                "the service no longer has the script that the tag pins",
                paste,
            );
        }
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
            paste,
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
            .with_hint(paste),
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
