//! How a page is fetched: the limits, and which redirects are followed. Whoever fetches one, with
//! whatever client, follows these.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use url::Url;

use super::visit::Hop;

/// Scripts that are asked for at the same time.
pub const PARALLEL_SCRIPTS: usize = 6;

/// Redirects of a page that are followed.
pub const MAX_REDIRECTS: usize = 10;

/// Redirects of a script or a frame that are followed.
pub const MAX_PART_REDIRECTS: usize = 3;

/// Requests for a page, its scripts and its frames together, with all redirects.
pub const MAX_REQUESTS: usize = 150;

/// Headers of an answer: browsers limit their bytes only, and some sites send more than the 100 of
/// usual clients.
pub const MAX_HEADERS: usize = 1000;

/// Bytes of a page that are read, and of its scripts and frames together: the snippet is often at
/// the end of the page. Compressed bytes count, too, when they are more than what is in them.
pub const MAX_PAGE_BYTES: usize = 5 << 20;

/// Scripts of a page that are read: an ordinary page has tens.
pub const MAX_SCRIPTS: usize = 100;

/// Time for the page with all redirects, and once more for its scripts.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for one script or frame.
pub const PART_TIMEOUT: Duration = Duration::from_secs(3);

/// What a page is asked for with.
pub const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/// How answers may be compressed.
pub const ACCEPT_ENCODING: &str = "gzip, deflate";

/// The bytes that may still be read: a page has [`MAX_PAGE_BYTES`], and its scripts together.
#[derive(Debug)]
pub struct ByteBudget(AtomicUsize);

impl ByteBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// Spends bytes, or those that are left: how many of them may be kept.
    pub fn take(&self, wanted: usize) -> usize {
        let spend = |left: usize| Some(left.saturating_sub(wanted));
        let left = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        left.unwrap_or_else(|left| left).min(wanted)
    }

    /// Gives back what was taken and not needed.
    pub(super) fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether no bytes are left.
    pub fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// The requests that may still be sent for one page: [`MAX_REQUESTS`] with all its parts.
#[derive(Debug)]
pub struct RequestBudget(AtomicUsize);

impl RequestBudget {
    /// Spends a request: whether it may be sent.
    pub fn take(&self) -> bool {
        let spend = |left: usize| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
            .is_ok()
    }
}

impl Default for RequestBudget {
    fn default() -> Self {
        Self(AtomicUsize::new(MAX_REQUESTS))
    }
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// There are more than this number.
    #[error("it redirects more than {0} times")]
    TooMany(usize),
    /// The address was asked before, which sites do that first set a cookie.
    #[error(
        "it redirects in a circle, as sites do that set a cookie first: without cookies it does \
         not load"
    )]
    Circle,
    /// The address, of which this is the scheme, is not one of the web.
    #[error("it redirects to `{0}:…`, which is not an address of the web")]
    NotWeb(String),
}

/// The address to ask after these answers; nothing when the last one is the page. A redirect
/// without an address is the page, as in browsers. `limit` is [`MAX_REDIRECTS`] or
/// [`MAX_PART_REDIRECTS`].
///
/// ```
/// use widget_core::doctor::{self, Hop};
///
/// let hop = Hop {
///     url: "http://shop.example/cart".parse()?,
///     status: 301,
///     headers: vec![("location".to_owned(), "https://shop.example/cart".to_owned())],
/// };
/// let next = doctor::next_address(&[hop], doctor::MAX_REDIRECTS)?;
/// assert_eq!(next.map(String::from).as_deref(), Some("https://shop.example/cart"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When browsers would not get to a page either, or there are too many redirects.
pub fn next_address(hops: &[Hop], limit: usize) -> Result<Option<Url>, RedirectError> {
    let Some(last) = hops.last() else {
        return Ok(None);
    };
    if !matches!(last.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = last.header("location") else {
        return Ok(None);
    };
    let not_web = || RedirectError::NotWeb(scheme_of(location, &last.url));
    let next = last.url.join(location.trim()).map_err(|_| not_web())?;
    if !matches!(next.scheme(), "http" | "https") {
        return Err(not_web());
    }
    if hops.len() > limit {
        // One address twice may be a cookie that a proxy sets, and works.
        let times = hops.iter().filter(|hop| hop.url == next).count();
        return Err(if times > 1 {
            RedirectError::Circle
        } else {
            RedirectError::TooMany(limit)
        });
    }
    Ok(Some(next))
}

/// The scheme of an address that may have secrets, and need not be an address at all.
fn scheme_of(location: &str, base: &Url) -> String {
    const MAX_SCHEME: usize = 30;
    let is_scheme = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.len() <= MAX_SCHEME
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    };
    let written = location.trim().split_once(':').map(|(scheme, _)| scheme);
    let scheme = written.filter(|scheme| is_scheme(scheme));
    scheme.unwrap_or(base.scheme()).to_ascii_lowercase()
}

/// Whether redirects end where browsers do not get any further either.
pub(super) fn is_dead_end(hops: &[Hop]) -> bool {
    matches!(
        next_address(hops, MAX_REDIRECTS),
        Err(RedirectError::NotWeb(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(url: &str, status: u16, location: Option<&str>) -> Hop {
        let location = location.map(|location| ("Location".to_owned(), location.to_owned()));
        Hop {
            url: url.parse().expect("a URL"),
            status,
            headers: location.into_iter().collect(),
        }
    }

    #[test]
    fn a_budget_ends() {
        let budget = ByteBudget::new(10);
        assert_eq!(budget.take(4), 4);
        assert_eq!(budget.take(7), 6);
        assert_eq!(budget.take(1), 0);
        budget.give_back(2);
        assert!(!budget.is_spent());
        assert_eq!((budget.take(5), budget.take(5)), (2, 0));
        assert!(budget.is_spent());
        let requests = RequestBudget::default();
        assert_eq!((0..500).filter(|_| requests.take()).count(), MAX_REQUESTS);
    }

    #[test]
    fn redirects_are_those_of_browsers() {
        let next = |status, location| {
            let hops = [hop("https://shop.example/a/b", status, location)];
            next_address(&hops, MAX_REDIRECTS).map(|next| next.map(String::from))
        };
        let followed = Ok(Some("https://shop.example/a/c".to_owned()));
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(next(status, Some(" c ")), followed);
            assert_eq!(next(status, None), Ok(None));
        }
        for status in [200, 201, 300, 304, 305, 404] {
            assert_eq!(next(status, Some("c")), Ok(None));
        }
        for (location, scheme) in [
            ("App://x?token=secret", "app"),
            ("javascript:alert(1)", "javascript"),
            ("http://[", "http"),
            ("//ann:secret@[", "https"),
        ] {
            let error = RedirectError::NotWeb(scheme.to_owned());
            assert_eq!(next(302, Some(location)), Err(error));
            let hops = [hop("https://shop.example/", 302, Some(location))];
            assert!(is_dead_end(&hops));
        }
        let circle = vec![hop("https://shop.example/", 302, Some("/")); MAX_REDIRECTS + 1];
        let next = |hops: &[Hop]| next_address(hops, MAX_REDIRECTS);
        assert_eq!(next(&circle), Err(RedirectError::Circle));
        assert!(next(&circle[1..]).is_ok() && !is_dead_end(&circle));
        let many: Vec<_> = (0..=MAX_REDIRECTS)
            .map(|at| hop(&format!("https://shop.example/{at}"), 302, Some("/next")))
            .collect();
        assert_eq!(next(&many), Err(RedirectError::TooMany(MAX_REDIRECTS)));
        assert_eq!(next(&[]), Ok(None));
        let next = |hops: &[Hop]| next_address(hops, MAX_PART_REDIRECTS);
        assert!(next(&many[..MAX_PART_REDIRECTS]).is_ok());
        assert!(next(&many[..=MAX_PART_REDIRECTS]).is_err());
    }
}
