//! Pages that check whether a browser asks for the page, and show it to nobody else.

use super::page::PageTags;

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
];

/// The same, by a part of the address of a frame.
const WALL_FRAMES: &[(&str, &str)] = &[
    ("Imperva", "/_Incapsula_Resource"),
    ("DataDome", "captcha-delivery.com"),
];

/// Who checks whether a browser asks, and the script by which that was recognized.
pub(super) fn find_wall(tags: &PageTags) -> Option<(&'static str, String)> {
    if !tags.is_almost_empty() {
        return None;
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
