//! What may insert a snippet while the page runs: tag managers, frameworks, applications.

use super::evidence;
use super::page::PageTags;
use super::script::{Kind, ScriptTag};

/// What may put a snippet into the page while it runs, and how it was recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inserter {
    pub(super) name: &'static str,
    pub(super) evidence: String,
    /// The positions of its scripts, when it was recognized by them.
    pub(super) positions: Vec<usize>,
}

/// Tag managers, by a part of the address or of the text of a script.
const TAG_MANAGERS: &[(&str, &[&str])] = &[
    (
        "Google Tag Manager",
        &[
            "googletagmanager.com/gtm.js",
            "googletagmanager.com/ns.html",
            "'gtm.start'",
            "\"gtm.start\"",
            "/gtm.js?id=",
        ],
    ),
    ("Tealium", &["tiqcdn.com", "utag.js"]),
    ("Adobe Launch", &["assets.adobedtm.com", "_satellite."]),
    ("Matomo Tag Manager", &["_mtm.push", "/js/container_"]),
    ("Piwik PRO", &["containers.piwik.pro", ".piwik.pro/"]),
    ("Commanders Act", &["tagcommander.com", "commander1.com"]),
    ("Ensighten", &["nexus.ensighten.com"]),
    ("Cloudflare Zaraz", &["/cdn-cgi/zaraz"]),
    (
        "etracker tag manager",
        &["etracker.com/code/e.js\" data-tag-manager"],
    ),
    ("Segment", &["cdn.segment.com/analytics.js"]),
];

/// Frameworks that render or complete the page in the browser, by parts of scripts.
const FRAMEWORKS: &[(&str, &[&str])] = &[
    ("Next.js", &["self.__next_f", "/_next/static/"]),
    ("Nuxt", &["window.__NUXT__", "/_nuxt/"]),
    ("Remix", &["__remixContext", "__reactRouterContext"]),
    ("Gatsby", &["___gatsby", "/webpack-runtime-"]),
    ("SvelteKit", &["__sveltekit", "/_app/immutable/"]),
    ("Wix", &["static.parastorage.com", "wixstatic.com"]),
];

/// The same, by elements and attributes, as they are kept in [`PageTags::marks`].
const FRAMEWORK_MARKS: &[(&str, &str)] = &[
    ("Next.js", "id=__NEXT_DATA__"),
    ("Next.js", "id=__next"),
    ("Nuxt", "id=__nuxt"),
    ("Gatsby", "id=___gatsby"),
    ("React", "data-reactroot="),
    ("React", "data-react-helmet="),
    ("Vue", "data-v-app="),
    ("Vue", "data-server-rendered="),
    ("Angular", "ng-version="),
    ("Angular", "element=app-root"),
    ("Astro", "element=astro-island"),
    ("Ember", "data-ember-action="),
];

/// Elements that an application fills, when the page has almost no text of its own.
const SHELL_MARKS: &[&str] = &[
    "id=root",
    "id=app",
    "id=__next",
    "id=__nuxt",
    "id=main",
    "id=q-app",
    "id=svelte",
    "id=ember-app",
    "id=application",
    "id=react-root",
    "id=app-root",
    "id=mount",
    "id=ROOT",
    "element=app-root",
    "element=my-app",
    "element=ng-app",
];

/// What may insert a snippet into this page.
pub(super) fn find_inserters(tags: &PageTags) -> Vec<Inserter> {
    let mut found: Vec<Inserter> = Vec::new();
    let mut add = |name: &'static str, evidence: &str, position: Option<usize>| {
        let mut known = found.iter_mut();
        match known.find(|inserter| inserter.name == name) {
            Some(known) => known.positions.extend(position),
            None => found.push(Inserter {
                name,
                evidence: evidence.to_owned(),
                positions: position.into_iter().collect(),
            }),
        }
    };
    for script in &tags.scripts {
        let src = script.attribute("src").unwrap_or_default();
        for (name, parts) in TAG_MANAGERS.iter().chain(FRAMEWORKS) {
            if parts.iter().any(|part| src.contains(part)) {
                add(name, &script.evidence, Some(script.position));
            } else if let Some(at) = parts.iter().find_map(|part| script.text.find(part)) {
                // The id of the container says most.
                let at = script.text.find("GTM-").unwrap_or(at);
                add(
                    name,
                    &evidence::around(&script.text, at),
                    Some(script.position),
                );
            }
        }
    }
    for (name, mark) in FRAMEWORK_MARKS {
        if tags.marks.iter().any(|found| found.starts_with(mark)) {
            add(name, mark, None);
        }
    }
    let shell = SHELL_MARKS
        .iter()
        .find(|mark| tags.marks.iter().any(|found| found == *mark));
    let runs = |script: &&ScriptTag| {
        Kind::of(script).runs() && (script.has("src") || !script.text.trim().is_empty())
    };
    let first = tags.scripts.iter().find(runs);
    if tags.is_almost_empty()
        && let Some(script) = first
        && (shell.is_some() || tags.visible_text == 0)
    {
        let name = "an application that draws the page";
        add(name, &script.evidence, Some(script.position));
    }
    found
}
