//! Consent managers that stop scripts by themselves while a page loads.

use std::collections::BTreeMap;

use super::page::PageTags;
use super::script::{Kind, ScriptTag};

/// A consent manager that stops scripts by itself while the page loads.
#[derive(Debug)]
pub(super) struct Blocker {
    pub(super) name: &'static str,
    /// Parts of the address of its script; a space before the name of an attribute that the tag
    /// must have, with its value.
    parts: &'static [&'static str],
    /// The attribute, with its value, by which a tag is exempt.
    exemption: &'static str,
}

impl Blocker {
    /// The attribute by which a tag is exempt, as it is written there.
    pub(super) fn attribute(&self) -> Option<String> {
        let exemption = (!self.exemption.is_empty()).then_some(self.exemption)?;
        Some(match exemption.split_once('=') {
            Some((name, value)) => format!("{name}=\"{value}\""),
            None => exemption.to_owned(),
        })
    }
}

/// The attribute by which a tag is exempt from a consent manager.
pub(super) fn attribute_of(name: &str) -> Option<String> {
    BLOCKERS
        .iter()
        .find(|blocker| blocker.name == name)?
        .attribute()
}

/// Each is recognized by what its own instructions put into the page.
const BLOCKERS: &[Blocker] = &[
    Blocker {
        name: "Cookiebot",
        parts: &["consent.cookiebot.", " data-blockingmode=auto"],
        exemption: "data-cookieconsent=ignore",
    },
    Blocker {
        name: "OneTrust",
        parts: &["otautoblock.js"],
        exemption: "data-ot-ignore",
    },
    Blocker {
        name: "Usercentrics",
        parts: &["usercentrics.eu/", "uc-block"],
        exemption: "data-uc-allowed=true",
    },
    Blocker {
        name: "Usercentrics",
        parts: &["usercentrics.eu/", "autoblocker.js"],
        exemption: "data-uc-allowed=true",
    },
    Blocker {
        name: "iubenda",
        parts: &["iubenda.com/autoblocking/"],
        exemption: "class=_iub_cs_skip",
    },
    Blocker {
        name: "Termly",
        parts: &["app.termly.io/resource-blocker/", "autoblock=on"],
        exemption: "data-categories=essential",
    },
    Blocker {
        name: "Termly",
        parts: &["app.termly.io/", " data-auto-block=on"],
        exemption: "data-categories=essential",
    },
    Blocker {
        name: "consentmanager",
        parts: &["consentmanager.net/delivery/autoblocking/"],
        exemption: "data-cmp-ab=1",
    },
    Blocker {
        name: "TrustArc",
        parts: &["consent.trustarc.com/", "autoblock"],
        exemption: "",
    },
    Blocker {
        name: "Osano",
        parts: &["cmp.osano.com/", "osano.js"],
        exemption: "data-osano=essential",
    },
    Blocker {
        name: "Transcend",
        parts: &["transcend", "/airgap.js"],
        exemption: "",
    },
];

/// Whether a tag has an attribute with this value, written `name=value`; a class is one of several.
fn has_value(attributes: &BTreeMap<String, String>, wanted: &str) -> bool {
    let (name, value) = wanted.split_once('=').unwrap_or((wanted, ""));
    attributes.get(name).is_some_and(|found| {
        let found = found.trim().to_ascii_lowercase();
        value.is_empty()
            || found == value
            || found.split_ascii_whitespace().any(|word| word == value)
    })
}

/// The consent manager that may stop a script which comes at `position`, with the tag by which it
/// is recognized; none when the script is exempt.
pub(super) fn find_blocker<'a>(
    tags: &'a PageTags,
    script: &ScriptTag,
) -> Option<(&'static Blocker, &'a ScriptTag)> {
    let before = tags.scripts.iter();
    // It never stops what was read before it.
    let before = before.take_while(|other| other.position < script.position);
    before
        .filter(|other| Kind::of(other).runs())
        .find_map(|other| {
            let src = other.attribute("src")?.to_ascii_lowercase();
            let blocker = BLOCKERS.iter().find(|blocker| {
                blocker
                    .parts
                    .iter()
                    .all(|part| match part.strip_prefix(' ') {
                        Some(attribute) => has_value(&other.attributes, attribute),
                        None => src.contains(part),
                    })
            })?;
            let is_exempt =
                !blocker.exemption.is_empty() && has_value(&script.attributes, blocker.exemption);
            (!is_exempt).then_some((blocker, other))
        })
}
