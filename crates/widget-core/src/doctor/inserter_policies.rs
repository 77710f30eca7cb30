//! What the policies of a page do to the scripts that may insert a snippet, and to what they hand
//! on to it.

use url::Url;

use super::inserters::find_inserters;
use super::policy::{Blocked, WidgetRequest};
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::script::{Kind, PATH, ScriptTag};
use super::snippet::without_escapes;
use crate::finding::Code;

/// Of more scripts, nobody knows which one inserts the snippet.
const MAX_SCRIPTS: usize = 50;

/// The scripts of a page that may insert a snippet.
struct Inserting<'a> {
    scripts: Vec<(&'a ScriptTag, String)>,
    /// Something else may insert it, too.
    has_others: bool,
}

fn find_inserting<'a>(page: &'a Page<'a>) -> Inserting<'a> {
    let scripts = &page.tags.scripts;
    let makes_tag = |script: &&ScriptTag| {
        !script.has("src")
            && Kind::of(script).runs()
            && without_escapes(&script.text).contains(PATH)
    };
    let own = scripts.iter().filter(makes_tag);
    let own = own.map(|script| (script, "the inline script that adds the snippet".to_owned()));
    let mut found: Vec<_> = own.collect();
    let mut has_others =
        page.snippets.scripted.len() > found.len() || page.question.visit.has_unread_scripts();
    for inserter in find_inserters(&page.tags) {
        has_others |= inserter.positions.is_empty();
        // They are in the order of the page.
        let of_it = scripts
            .iter()
            .filter(|script| inserter.positions.binary_search(&script.position).is_ok());
        found.extend(of_it.map(|script| (script, format!("the script of {}", inserter.name))));
    }
    has_others |= found.len() > MAX_SCRIPTS;
    found.truncate(MAX_SCRIPTS);
    Inserting {
        scripts: found,
        has_others,
    }
}

/// What stops all scripts that may insert the snippet, on a page that has none.
pub(super) fn check_inserters(page: &Page<'_>) -> Option<PageFinding> {
    if page.sent_on.is_some() {
        return None;
    }
    let inserting = find_inserting(page);
    if inserting.has_others {
        return None;
    }
    let mut first = None;
    for (script, what) in inserting.scripts {
        let (blocked, url) = find_block(page, script)?;
        first = first.or(Some((blocked, url, what)));
    }
    let (blocked, url, what) = first?;
    let name = &blocked.directive;
    let hint = match url {
        _ if blocked.has_nonce => "write the page's `nonce` into the tag of that script".to_owned(),
        Some(url) => format!("add `{}` to `{name}`", url.origin().ascii_serialization()),
        None => format!(
            "add a nonce or the hash of that script to `{name}`; or paste the snippet into the \
             page instead"
        ),
    };
    let detail = format!("`{name}` of the page's Content-Security-Policy blocks {what}");
    let finding = PageFinding::fail(Code::CspScriptBlocked, Audience::Site, detail);
    Some(
        finding
            .with_evidence(blocked.evidence.clone())
            .with_hint(hint),
    )
}

/// What stops a script of the page, and its address.
fn find_block(page: &Page<'_>, script: &ScriptTag) -> Option<(Blocked, Option<Url>)> {
    let Some(src) = script.attribute("src") else {
        return Some((page.policies.find_inline_block(script)?, None));
    };
    let here = &page.hop.url;
    let url = page.tags.base(here).join(src.trim()).ok()?;
    let request = WidgetRequest {
        url: &url,
        destination: content_security_policy::Destination::Script,
        script: Some(script),
        by_parser: true,
    };
    let blocked = page
        .policies
        .find_block(here, &request, Some(script.position))?;
    Some((blocked, Some(url)))
}

/// The nonces that scripts of the page may hand on to the snippet, as tags that have nothing else.
pub(super) fn find_handed_nonces(page: &Page<'_>) -> Vec<ScriptTag> {
    let hands_on = |script: &ScriptTag| {
        let nonce = script.attribute("nonce").unwrap_or_default();
        // Tag managers may hand it on by themselves.
        let may = !script.text.contains(PATH) || script.text.contains("nonce");
        script.is_nonceable && !nonce.trim().is_empty() && may
    };
    let scripts = find_inserting(page).scripts.into_iter();
    let scripts = scripts.map(|(script, _)| script);
    let nonces = scripts.filter(|script| hands_on(script)).map(|script| {
        let mut bare = script.clone();
        bare.attributes.retain(|name, _| name == "nonce");
        bare
    });
    nonces.collect()
}

/// Whether the snippet is allowed is decided by a script that nobody ran.
pub(super) fn check_handed_nonce(blocked: &Blocked, source: &str) -> PageFinding {
    PageFinding::unknown(
        Code::CspScriptBlocked,
        Audience::Site,
        "the page's Content-Security-Policy allows the script only if the script that adds it hands \
         on its `nonce`, which cannot be seen without running the page",
    )
    .with_evidence(blocked.evidence.clone())
    .with_hint(format!(
        "look in the console of the browser's developer tools (F12) for an error about \
         `{}`; to be sure, add `{source}` to it",
        blocked.directive
    ))
}
