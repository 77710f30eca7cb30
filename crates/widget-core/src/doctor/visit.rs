//! What was fetched of a page.

use url::Url;

use super::script::blocked_type;

use crate::origin::Origin;

/// One answer on the way to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address that was asked.
    pub url: Url,
    /// The status of the answer.
    pub status: u16,
    /// Its headers in their order; a name may occur several times. Names may be in any case.
    pub headers: Vec<(String, String)>,
}

/// What was fetched of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visit {
    /// The answers in their order: redirects, and the page.
    pub hops: Vec<Hop>,
    /// Why there is no page, when there is none.
    pub failure: Option<PageFailure>,
    /// The bytes of the page, without the encoding of their transfer.
    pub body: Vec<u8>,
    /// Whether the page has more bytes than were read, or its end is missing.
    pub is_cut: bool,
    /// Scripts of the page, as [`parts_to_read`](super::parts_to_read) names them; those that
    /// browsers do not get either are missing.
    pub scripts: Vec<PageScript>,
    /// How many scripts could not be read here, or were not asked for because there are too many.
    pub unread_scripts: usize,
    /// Pages in frames of the page, as [`parts_to_read`](super::parts_to_read) names them.
    pub frames: Vec<PageFrame>,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFailure {
    /// For people: what follows "the page cannot be loaded: ".
    pub reason: String,
    /// What decides what helps.
    pub cause: FailureCause,
}

/// What kept a page from being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureCause {
    /// The address is not one that is looked at, or anything else is wrong.
    Other,
    /// There is no host of this name.
    Name,
    /// Nothing answers there.
    Connection,
    /// There is no secure connection.
    Certificate,
    /// It takes too long.
    Timeout,
    /// Redirects lead nowhere.
    Redirect,
    /// The answer ends early, or cannot be read.
    Answer,
}

impl FailureCause {
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Other => "open the address in a browser, and compare its spelling",
            Self::Name => "compare the spelling of the address; its host may have no DNS record",
            Self::Connection => {
                "check that the site runs, and that the address has the right scheme and port"
            }
            Self::Certificate => {
                "open the address in a browser: if it warns, too, correct the certificate of the \
                 site first; if it does not, this network has an authority of its own, which \
                 `--ca-file` names"
            }
            Self::Timeout => {
                "open the address in a browser; if it is slow there, too, correct the site first"
            }
            Self::Redirect => {
                "open the address in a browser, and look at the address where it ends; if it does \
                 not end, correct the redirects of the site first"
            }
            Self::Answer => {
                "correct what the site, or a proxy before it, answers to programs that ask for \
                 `gzip` at most"
            }
        }
    }
}

/// A script that a page loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageScript {
    /// Its address, as the page has it.
    pub url: Url,
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: Vec<(String, String)>,
    /// Its text.
    pub text: String,
    /// Whether it has more bytes than were read.
    pub is_cut: bool,
}

impl PageScript {
    /// Whether browsers run the answer.
    pub(super) fn runs(&self) -> bool {
        (200..300).contains(&self.status) && blocked_type(&self.headers).is_none()
    }
}

/// A page of the same site in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFrame {
    /// Its address, as the page has it.
    pub url: Url,
    /// The answer that is its page, after redirects.
    pub hop: Hop,
    /// Its HTML.
    pub html: String,
}

impl Visit {
    /// The answer that is the page, when there is one.
    #[must_use]
    pub fn page(&self) -> Option<&Hop> {
        self.hops.last().filter(|_| self.failure.is_none())
    }

    /// The origin of the page after all redirects; `None` when there is no page.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        Origin::try_from(&self.page()?.url).ok()
    }

    /// Whether a script may have what was not seen.
    pub(super) fn has_unread_scripts(&self) -> bool {
        self.unread_scripts > 0 || self.scripts.iter().any(|script| script.is_cut)
    }

    pub(super) fn html(&self) -> String {
        let kind = self.page().and_then(Hop::content_type);
        decode(&self.body, kind)
    }
}

impl Hop {
    /// Whether browsers read the page as XML.
    pub(super) fn is_xml(&self) -> bool {
        self.content_type().is_some_and(|kind| {
            let essence = essence_of(kind);
            let mut known = ["application/xhtml+xml", "application/xml", "text/xml"].iter();
            known.any(|known| essence.eq_ignore_ascii_case(known))
        })
    }

    /// The last `Content-Type` that is one.
    /// <https://fetch.spec.whatwg.org/#concept-header-extract-mime-type>
    pub(super) fn content_type(&self) -> Option<&str> {
        let is_token = |text: &str| {
            let is_plain =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            !text.is_empty() && text.bytes().all(is_plain)
        };
        let is_type = |kind: &&str| {
            let essence = essence_of(kind);
            let parts = essence.split_once('/').filter(|_| essence != "*/*");
            parts.is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
        };
        let values = self.headers("content-type");
        values
            .flat_map(|value| value.split(','))
            .filter(is_type)
            .last()
    }

    /// All headers of this name.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter();
        let found = headers.filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(found.1.as_str())
    }
}

/// A type without its parameters.
pub(super) fn essence_of(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

/// The text of a page. Everything that is looked for is ASCII, which all encodings of the web have
/// in common except UTF-16, so that no other is decoded.
fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    let declares =
        |name: &str| content_type.is_some_and(|value| value.to_ascii_lowercase().contains(name));
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        bytes if declares("utf-16be") => wide(bytes, u16::from_be_bytes),
        bytes if declares("utf-16") => wide(bytes, u16::from_le_bytes),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}
