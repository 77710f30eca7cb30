//! What the host page and the window get: the line to paste, and the security policies that
//! keep both strict.
//!
//! Every source that goes into a policy is a type of its own, so that no text from outside can
//! add a directive.
//!
//! ```
//! use widget_core::{config::Config, embed::{self, HostPagePolicy}};
//!
//! let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b".parse()?;
//! let service = "https://widgets.example".parse()?;
//! assert_eq!(
//!     embed::snippet(&service, id),
//!     r#"<script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>"#
//! );
//!
//! let policy = HostPagePolicy::new(&(&service).try_into()?, &Config::default());
//! assert_eq!(policy.lines()[0], "script-src https://widgets.example");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod public_url;

pub use public_url::{PublicUrl, PublicUrlError};

use std::{fmt, fmt::Write as _};

use url::{Url, form_urlencoded};

use crate::{
    choice::choices,
    config::{Config, values::WebUrl},
    id::WidgetId,
    origin::{Origin, Scheme},
    serve::{Admission, EmbedTicket, PREVIEW_PATH, PreviewGrant},
    widget::Widget,
};

/// The line of HTML that shows the widget on a page.
///
/// `public_url` is the address under which browsers reach the service; its path is kept.
#[must_use]
pub fn snippet(public_url: &Url, id: WidgetId) -> String {
    format!(
        r#"<script async src="{}"></script>"#,
        escape_attribute(&address(public_url, &format!("public/embed/{id}")))
    )
}

/// The same for pages that pin the bytes of the script (Subresource Integrity).
///
/// `file_name` is the script's immutable name such as `3f2a….js`, `integrity` its hash such as
/// `sha384-…`. Such a page must be edited to get a newer loader.
#[must_use]
pub fn snippet_with_integrity(
    public_url: &Url,
    id: WidgetId,
    file_name: &str,
    integrity: &str,
) -> String {
    format!(
        r#"<script async src="{}" integrity="{}" crossorigin="anonymous"></script>"#,
        escape_attribute(&address(
            public_url,
            &format!("public/embed/{id}/{file_name}")
        )),
        escape_attribute(integrity),
    )
}

/// The address of the window for the page that got the ticket.
#[must_use]
pub fn window_url(public_url: &Url, ticket: &EmbedTicket) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("o", ticket.claims().origin.as_str())
        .finish();
    let path = format!("public/widget/{}?{query}", ticket.claims().widget_id);
    address(public_url, &path)
}

choices! {
    /// The screen on which a preview shows its sample page: a frame of that size.
    pub enum PreviewSite {
        /// A phone: 390 × 844 pixels.
        Phone = "phone",
        /// A desktop: 1280 × 800 pixels.
        Desktop = "desktop",
    }
}

impl PreviewSite {
    /// The width and the height of the frame, in pixels of CSS.
    #[must_use]
    pub const fn size(self) -> (u16, u16) {
        match self {
            Self::Phone => (390, 844),
            Self::Desktop => (1280, 800),
        }
    }
}

/// The link of a preview; `token` is what its owner is shown once. Without a `site` it shows the
/// plain sample page.
#[must_use]
pub fn preview_url(public_url: &Url, token: &str, site: Option<PreviewSite>) -> String {
    let mut path = format!("{}{token}", &PREVIEW_PATH[1..]);
    if let Some(site) = site {
        let _ = write!(path, "?site={site}");
    }
    address(public_url, &path)
}

fn address(public_url: &Url, path: &str) -> String {
    let mut base = public_url.clone();
    base.set_query(None);
    base.set_fragment(None);
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

fn escape_attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Why an address is not one of a LiveKit server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the address of a LiveKit server; write it as `wss://livekit.example`")]
pub struct LiveKitServerError(String);

impl LiveKitServerError {
    /// About this text, without the user name and the password that it may have.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self(match url.rsplit_once('@') {
            Some((_, server)) => format!("…@{server}"),
            None => url.to_owned(),
        })
    }
}

/// The LiveKit server as browsers reach it, as a source of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveKitServer(Origin);

impl LiveKitServer {
    /// Reads `ws://`, `wss://`, `http://` or `https://` with a host; a path is dropped.
    ///
    /// # Errors
    ///
    /// When it is anything else, or a policy cannot name the host: an IPv6 address, `_`, a final
    /// dot.
    pub fn parse(url: &str) -> Result<Self, LiveKitServerError> {
        let refused = || LiveKitServerError::new(url);
        let web = match url.split_once("://") {
            Some(("ws" | "http", rest)) => format!("http://{rest}"),
            Some(("wss" | "https", rest)) => format!("https://{rest}"),
            _ => return Err(refused()),
        };
        Origin::parse_page(&web)
            .ok()
            .filter(|origin| origin.unnameable().is_none())
            .map(Self)
            .ok_or_else(refused)
    }

    /// The server's web origin.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.0
    }
}

impl fmt::Display for LiveKitServer {
    /// Signaling uses a WebSocket, the request for the nearest region HTTP.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `http` becomes `ws`, `https` becomes `wss`.
        write!(
            formatter,
            "ws{} {}",
            &self.0.as_str()["http".len()..],
            self.0
        )
    }
}

/// The Content-Security-Policy of the window's document: that of an admitted page, or
/// [`CLOSED`](Self::CLOSED).
#[derive(Debug, Clone, PartialEq)]
pub struct WindowPolicy<'a> {
    admission: Option<Admission<'a>>,
    livekit: Option<&'a LiveKitServer>,
}

impl WindowPolicy<'static> {
    /// The policy of a page that shows nothing and that no page may frame.
    pub const CLOSED: Self = Self {
        admission: None,
        livekit: None,
    };
}

impl<'a> WindowPolicy<'a> {
    /// Only the admitted page may frame the window; no page may if its host is one that browsers do
    /// not accept in `frame-ancestors`, of which [`explain`](crate::explain) has a note. Images
    /// that the config names on a loopback address are allowed beside `https:`; `livekit` is where
    /// conversations take place, when that is set up.
    #[must_use]
    pub const fn new(admission: Admission<'a>, livekit: Option<&'a LiveKitServer>) -> Self {
        Self {
            admission: Some(admission),
            livekit,
        }
    }

    /// The value of the header field `Content-Security-Policy`.
    #[must_use]
    pub fn to_header_value(&self) -> String {
        let mut policy =
            String::from("default-src 'none'; script-src 'self'; style-src 'self'; img-src ");
        policy.push_str(&image_sources(
            self.admission.map(|admission| admission.widget()),
        ));
        policy.push_str("; connect-src 'self'");
        if let Some(livekit) = self.livekit {
            let _ = write!(policy, " {livekit}");
        }
        policy.push_str(
            "; media-src 'self' blob:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; frame-ancestors ",
        );
        match self.admission {
            Some(admission) => policy.push_str(admission.origin().as_str()),
            None => policy.push_str("'none'"),
        }
        policy
    }
}

/// The hash of an inline script or style sheet, as a source of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashSource(String);

impl HashSource {
    /// From the Base64 text of a SHA-256 hash; nothing when it is something else.
    #[must_use]
    pub fn of_sha256(base64: &str) -> Option<Self> {
        let digits = base64.strip_suffix('=')?;
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        (digits.len() == 43 && digits.bytes().all(is_digit))
            .then(|| Self(format!("'sha256-{base64}'")))
    }
}

impl fmt::Display for HashSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The Content-Security-Policy of the page that shows a preview: it runs the script that is written
/// in it and the loader, frames the window, and only pages of the service frame it.
#[must_use]
pub fn preview_page_policy(
    grant: PreviewGrant<'_>,
    script: &HashSource,
    style: &HashSource,
) -> String {
    let images = image_sources(Some(grant.preview().draft()));
    format!(
        "default-src 'none'; script-src 'self' {script}; style-src {style}; img-src {images}; \
         connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; frame-ancestors 'self'"
    )
}

/// The Content-Security-Policy of the page that shows a preview on a [`PreviewSite`]: it frames the
/// page of the link, runs nothing, and nobody frames it.
#[must_use]
pub fn preview_site_policy(style: &HashSource) -> String {
    format!(
        "default-src 'none'; style-src {style}; img-src data:; frame-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Where images of a widget may come from.
fn image_sources(widget: Option<&Widget>) -> String {
    let mut sources = String::from("'self' https: data:");
    if let Some(widget) = widget {
        for origin in loopback_image_origins(&widget.config) {
            let _ = write!(sources, " {origin}");
        }
    }
    sources
}

/// Images that the config names on a loopback address: `https:` allows all others.
fn loopback_image_origins(config: &Config) -> Vec<Origin> {
    let current = config.current();
    let images = [
        &current.trigger.icon_url,
        &current.chat.avatar_url,
        &current.chat.logo_url,
    ];
    let mut origins: Vec<_> = images
        .into_iter()
        .flatten()
        .filter_map(image_origin)
        .filter(|origin| origin.scheme() == Scheme::Http)
        .collect();
    origins.sort();
    origins.dedup();
    origins
}

/// The image's origin as a source; none when a policy cannot express it (an IPv6 address).
fn image_origin(image: &WebUrl) -> Option<Origin> {
    Origin::parse_source(image.origin()).ok()
}

/// What begins the line of [`HostPagePolicy::permissions_policy`].
const PERMISSIONS: &str = "Permissions-Policy: ";

/// What a host page with a policy of its own must allow for a widget.
///
/// The loader is a script of the service, asks it for the config and frames the window; the
/// launcher's own icon, if there is one, is an image of the host page.
/// Style sheets are constructed by script, so `style-src` needs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPagePolicy {
    service: Origin,
    icon: Option<Origin>,
    has_voice: bool,
}

impl HostPagePolicy {
    /// For a widget with this config, served from `service`.
    #[must_use]
    pub fn new(service: &Origin, config: &Config) -> Self {
        let current = config.current();
        Self {
            service: service.clone(),
            icon: current.trigger.icon_url.as_ref().and_then(image_origin),
            has_voice: current.modes.voice,
        }
    }

    /// Sources to add, by directive of Content-Security-Policy, in the order to show them.
    #[must_use]
    pub fn directives(&self) -> Vec<(&'static str, &Origin)> {
        ["script-src", "connect-src", "frame-src"]
            .into_iter()
            .map(|directive| (directive, &self.service))
            .chain(self.icon.iter().map(|icon| ("img-src", icon)))
            .collect()
    }

    /// The header field `Permissions-Policy`, for pages that restrict the microphone; nothing for
    /// a widget without voice.
    #[must_use]
    pub fn permissions_policy(&self) -> Option<String> {
        let service = &self.service;
        self.has_voice
            .then(|| format!(r#"microphone=(self "{service}"), autoplay=(self "{service}")"#))
    }

    /// Lines for people: `script-src https://widgets.example` and so on, then
    /// `Permissions-Policy: …` if there is one.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let directives = self.directives().into_iter();
        let permissions = self.permissions_policy();
        directives
            .map(|(directive, source)| format!("{directive} {source}"))
            .chain(permissions.map(|policy| format!("{PERMISSIONS}{policy}")))
            .collect()
    }

    /// Reads the [`lines`](Self::lines).
    #[cfg(feature = "serde")]
    pub(crate) fn from_lines(lines: &[String]) -> Option<Self> {
        let source = |directive: &str| {
            let mut sources = lines.iter().map(|line| line.strip_prefix(directive));
            sources.find_map(|source| source?.parse().ok())
        };
        let policy = Self {
            service: source("script-src ")?,
            icon: source("img-src "),
            has_voice: lines.iter().any(|line| line.starts_with(PERMISSIONS)),
        };
        (policy.lines() == lines).then_some(policy)
    }
}
