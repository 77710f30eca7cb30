//! What is known of the tools that change or hold back scripts: consent managers and optimizers.

use std::collections::BTreeMap;

use url::Url;

/// What a tool does to a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Runs it when the visitor has agreed.
    Consent,
    /// Runs it later, often when the visitor first moves or taps.
    Delay,
    /// Runs it where there is no page.
    Worker,
}

/// A tool that marks the scripts that it holds back.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    /// Parts of the attribute `type`, in lower case.
    types: &'static [&'static str],
    /// How names of attributes begin.
    attributes: &'static [&'static str],
    /// How classes begin.
    classes: &'static [&'static str],
}

const fn tool(
    name: &'static str,
    effect: Effect,
    types: &'static [&'static str],
    attributes: &'static [&'static str],
    classes: &'static [&'static str],
) -> Tool {
    Tool {
        name,
        effect,
        types,
        attributes,
        classes,
    }
}

/// More specific ones first.
const TOOLS: &[Tool] = &[
    tool("Partytown", Effect::Worker, &["text/partytown"], &[], &[]),
    tool(
        "OneTrust",
        Effect::Consent,
        &[],
        &["data-ot-", "data-optanon"],
        &["optanon-category", "ot-category"],
    ),
    tool(
        "Cookiebot",
        Effect::Consent,
        &[],
        &["data-cookieconsent"],
        &[],
    ),
    tool(
        "Usercentrics",
        Effect::Consent,
        &[],
        &["data-usercentrics", "uc-src", "data-uc-"],
        &[],
    ),
    tool(
        "Complianz",
        Effect::Consent,
        &[],
        &["data-cmplz", "data-complianz"],
        &["cmplz"],
    ),
    tool(
        "consentmanager",
        Effect::Consent,
        &[],
        &["data-cmp-"],
        &["cmplazyload"],
    ),
    tool(
        "iubenda",
        Effect::Consent,
        &[],
        &["data-iub-", "data-suppressedsrc"],
        &["_iub_cs_activate"],
    ),
    tool(
        "Borlabs Cookie",
        Effect::Consent,
        &[],
        &["data-borlabs"],
        &["brlbs"],
    ),
    tool(
        "CookieYes",
        Effect::Consent,
        &[],
        &["data-cookieyes", "data-cky"],
        &[],
    ),
    tool(
        "CookieFirst",
        Effect::Consent,
        &[],
        &["data-cookiefirst"],
        &[],
    ),
    tool(
        "Cookie Script",
        Effect::Consent,
        &[],
        &["data-cookiescript"],
        &[],
    ),
    tool(
        "Cookie Information",
        Effect::Consent,
        &[],
        &["data-consent-src", "data-category-consent"],
        &[],
    ),
    tool(
        "Real Cookie Banner",
        Effect::Consent,
        &[],
        &["consent-required", "consent-original", "consent-by"],
        &[],
    ),
    tool(
        "Didomi",
        Effect::Consent,
        &["didomi/"],
        &["data-vendor"],
        &["didomi"],
    ),
    tool("Osano", Effect::Consent, &[], &["data-osano"], &[]),
    tool(
        "Termly",
        Effect::Consent,
        &[],
        &["data-termly"],
        &["termly"],
    ),
    tool(
        "TrustArc",
        Effect::Consent,
        &[],
        &["data-truste", "data-trustarc"],
        &["trustecm"],
    ),
    tool(
        "tarteaucitron",
        Effect::Consent,
        &["tarteaucitron"],
        &[],
        &["tarteaucitron"],
    ),
    tool(
        "Civic Cookie Control",
        Effect::Consent,
        &[],
        &["data-ccc-", "data-cookiecontrol"],
        &[],
    ),
    tool(
        "CookieHub",
        Effect::Consent,
        &[],
        &["data-consent"],
        &["dg_cookie"],
    ),
    tool(
        "Axeptio",
        Effect::Consent,
        &["text/axeptio"],
        &["data-axeptio"],
        &[],
    ),
    tool(
        "Moove GDPR Cookie Compliance",
        Effect::Consent,
        &[],
        &["data-gdpr"],
        &["moove"],
    ),
    tool(
        "Cloudflare Rocket Loader",
        Effect::Delay,
        &["-text/javascript", "-module", "-application/javascript"],
        &[],
        &[],
    ),
    tool(
        "WP Rocket",
        Effect::Delay,
        &["rocketlazyloadscript"],
        &["data-rocket-"],
        &["rocket-lazyload"],
    ),
    tool(
        "LiteSpeed Cache",
        Effect::Delay,
        &["litespeed/"],
        &["data-litespeed", "litespeed-"],
        &[],
    ),
    tool(
        "Perfmatters",
        Effect::Delay,
        &["pmdelayedscript"],
        &["data-pmdelayed", "data-perfmatters"],
        &["pmdelayedscript"],
    ),
    tool(
        "NitroPack",
        Effect::Delay,
        &["nitropack/"],
        &["data-nitro", "nitro-"],
        &["nitro-"],
    ),
    tool(
        "FlyingPress",
        Effect::Delay,
        &["flying-"],
        &["data-loading-method", "data-lazy-method"],
        &[],
    ),
    tool(
        "Swift Performance",
        Effect::Delay,
        &["swift/"],
        &["data-swift"],
        &[],
    ),
    tool(
        "Phast",
        Effect::Delay,
        &["text/phast"],
        &["data-phast"],
        &[],
    ),
    tool(
        "Debloat",
        Effect::Delay,
        &["text/debloat"],
        &["data-debloat"],
        &[],
    ),
    tool(
        "Hummingbird",
        Effect::Delay,
        &["wphb-delay"],
        &["data-wphb"],
        &[],
    ),
    tool("WP-Optimize", Effect::Delay, &["wpo"], &["data-wpo"], &[]),
    tool(
        "W3 Total Cache",
        Effect::Delay,
        &["w3tc"],
        &["data-w3tc"],
        &[],
    ),
    tool(
        "Jetpack Boost",
        Effect::Delay,
        &["jetpack"],
        &["data-jetpack-boost"],
        &[],
    ),
    tool(
        "SiteGround Optimizer",
        Effect::Delay,
        &["siteground"],
        &["data-sg-"],
        &["sg-"],
    ),
    tool(
        "Autoptimize",
        Effect::Delay,
        &["text/autoptimize"],
        &["data-ao-", "data-aosrc"],
        &["ao-"],
    ),
    tool("Breeze", Effect::Delay, &["breeze"], &["data-breeze"], &[]),
    tool(
        "PageSpeed",
        Effect::Delay,
        &["text/psajs"],
        &["data-pagespeed", "pagespeed_"],
        &[],
    ),
    tool(
        "WP Meteor",
        Effect::Delay,
        &["javascript/blocked"],
        &["data-wpmeteor"],
        &[],
    ),
    tool(
        "RapidLoad",
        Effect::Delay,
        &["rapidload/"],
        &["data-rapidload"],
        &[],
    ),
    tool(
        "WP Compress",
        Effect::Delay,
        &["wpc-delay-script"],
        &["data-wpc-"],
        &[],
    ),
    tool(
        "Seraphinite Accelerator",
        Effect::Delay,
        &["o/js-lzl"],
        &["data-lzl"],
        &[],
    ),
    tool("Klaro", Effect::Consent, &[], &["data-name"], &[]),
    tool(
        "a consent manager",
        Effect::Consent,
        &["text/plain", "text/template", "blocked", "text/tmp"],
        &[
            "data-category",
            "data-cookie",
            "data-consent",
            "data-purpose",
            "data-categories",
        ],
        &["cookie", "consent", "cc-"],
    ),
    tool(
        "an optimizer",
        Effect::Delay,
        &["lazy", "delay", "defer"],
        &["data-lazy", "data-delay", "data-defer", "data-src"],
        &["lazyload"],
    ),
];

/// The tool that holds a script back, by the attributes of its tag.
pub(super) fn find_tool(attributes: &BTreeMap<String, String>) -> Option<&'static Tool> {
    let lower = |name: &str| {
        let value = attributes.get(name).map(String::as_str);
        value.unwrap_or_default().to_ascii_lowercase()
    };
    let (kind, classes) = (lower("type"), lower("class"));
    TOOLS.iter().find(|tool| {
        tool.types.iter().any(|part| kind.contains(part))
            || tool
                .attributes
                .iter()
                .any(|start| attributes.keys().any(|name| name.starts_with(start)))
            || tool.classes.iter().any(|start| {
                classes
                    .split_ascii_whitespace()
                    .any(|class| class.starts_with(start))
            })
    })
}

/// Optimizers that copy or join scripts, by a part of the address of their files.
const JOINERS: &[(&str, &str)] = &[
    ("Autoptimize", "/cache/autoptimize/"),
    ("LiteSpeed Cache", "/litespeed/js/"),
    ("WP Rocket", "/cache/min/"),
    ("W3 Total Cache", "/cache/minify/"),
    ("SiteGround Optimizer", "/siteground-optimizer-assets/"),
    ("WP-Optimize", "/cache/wpo-minify/"),
    ("Asset CleanUp", "/cache/asset-cleanup/"),
    ("Fast Velocity Minify", "/cache/fvm/"),
    ("FlyingPress", "/cache/flying-press/"),
    ("Perfmatters", "/cache/perfmatters/"),
    ("Hummingbird", "/hummingbird-assets/"),
    ("Breeze", "/cache/breeze-minification/"),
    ("SpeedyCache", "/cache/speedycache/"),
    ("Swift Performance", "/cache/swift-performance/"),
    ("Jetpack Boost", "/_jb_static/"),
    ("NitroPack", "nitrocdn.com"),
    ("PageSpeed", ".pagespeed."),
    ("Magento", "/_cache/merged/"),
];

/// The optimizer that made the file at this address.
pub(super) fn find_joiner(address: &str) -> Option<&'static str> {
    let found = JOINERS.iter().find(|(_, part)| address.contains(part));
    found.map(|(name, _)| *name)
}

/// Frames that many pages have beside their own content, by the end of their host.
const MEDIA_FRAMES: &[&str] = &[
    "googletagmanager.com",
    "youtube.com",
    "youtube-nocookie.com",
    "vimeo.com",
    "google.com",
    "recaptcha.net",
    "facebook.com",
    "instagram.com",
    "twitter.com",
    "doubleclick.net",
    "stripe.com",
    "paypal.com",
    "spotify.com",
    "openstreetmap.org",
];

/// Whether a frame has a video, a map or the like, and no site.
pub(super) fn is_media_frame(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    MEDIA_FRAMES.iter().any(|name| {
        host.strip_suffix(name)
            .is_some_and(|head| head.is_empty() || head.ends_with('.'))
    })
}

/// Words of HTML as a list in a sentence.
pub(super) fn listed(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" and ")
}

/// The name of a tool at the beginning of a sentence; names are written as their owners do.
pub(super) fn capitalized(name: &str) -> String {
    match name.strip_prefix('a') {
        Some(rest) if rest.starts_with([' ', 'n']) => format!("A{rest}"),
        _ => name.to_owned(),
    }
}
