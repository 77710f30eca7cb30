//! Pages that check whether a browser asks for the page, and show it to nobody else.

use super::evidence;
use super::page::PageTags;
use super::visit::Hop;

/// Headers with which such pages say what they are, with their value.
const WALL_HEADERS: &[(&str, &str, &str)] = &[
    ("Cloudflare", "cf-mitigated", "challenge"),
    ("Vercel", "x-vercel-mitigated", "challenge"),
    ("SiteGround", "sg-captcha", "challenge"),
];

/// Such pages, by a part of the address or of the text of a script. Some put the same scripts into
/// pages that they show, which have texts of their own.
const WALLS: &[(&str, &[&str])] = &[
    (
        "Cloudflare",
        &[
            "/orchestrate/chl_page/",
            "/orchestrate/jsch/",
            "_cf_chl_opt",
        ],
    ),
    ("DataDome", &["captcha-delivery.com"]),
    ("HUMAN", &["captcha.px-cdn.net", "px-captcha"]),
    ("AWS WAF", &["gokuProps"]),
    ("Sucuri", &["sucuri_cloudproxy_js"]),
    ("Akamai", &["/_sec/cp_challenge/"]),
    ("Anubis", &["/.within.website/x/cmd/anubis/"]),
    ("Imunify360", &["wsidchk"]),
    ("Vercel", &["/.well-known/vercel/security/"]),
    ("Kasada", &["window.KPSDK"]),
    ("InfinityFree", &["\"__test="]),
];

/// The same, by a part of the address of a frame.
const WALL_FRAMES: &[(&str, &str)] = &[
    ("Imperva", "/_Incapsula_Resource"),
    ("DataDome", "captcha-delivery.com"),
];

/// The same, by a part of the address of a refresh.
const WALL_REFRESHES: &[(&str, &str)] = &[("SiteGround", "/.well-known/sgcaptcha/")];

/// Who says in a header of the answer that it checks whether a browser asks.
pub(super) fn find_challenge(hop: &Hop) -> Option<(&'static str, String)> {
    WALL_HEADERS.iter().find_map(|(wall, name, expected)| {
        let value = hop.header(name)?;
        let is_challenge = value.trim().eq_ignore_ascii_case(expected);
        is_challenge.then(|| (*wall, evidence::of_header(name, value)))
    })
}

/// Who checks whether a browser asks, and the script by which that was recognized.
pub(super) fn find_wall(tags: &PageTags) -> Option<(&'static str, String)> {
    if !tags.is_almost_empty() {
        return None;
    }
    if let Some(refresh) = &tags.refresh {
        let mut walls = WALL_REFRESHES.iter();
        if let Some((name, _)) = walls.find(|(_, part)| refresh.url.contains(part)) {
            return Some((*name, refresh.evidence.clone()));
        }
    }
    let framed = tags.frames.iter().find_map(|frame| {
        let mut walls = WALL_FRAMES.iter();
        let (name, _) = walls.find(|(_, part)| frame.content.contains(part))?;
        Some((*name, frame.evidence.clone()))
    });
    if framed.is_some() {
        return framed;
    }
    tags.scripts.iter().find_map(|script| {
        let src = script.attribute("src").unwrap_or_default();
        let mut walls = WALLS.iter();
        let has = |part: &&str| src.contains(*part) || script.text.contains(*part);
        let (name, _) = walls.find(|(_, parts)| parts.iter().any(has))?;
        Some((*name, script.evidence.clone()))
    })
}
