//! Addresses of snippets with a typing error in their beginning.

use url::Url;

use super::script::PATH;

/// What is wrong with the beginning of an address, and the address without that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repaired {
    /// What is before the path of a snippet, as the page has it.
    pub(super) written: String,
    /// What it should be, without a slash at the end.
    pub(super) meant: String,
    pub(super) address: String,
}

/// Finds out what somebody meant who wrote `https:/widgets.example/public/embed/…`, `htps://…`,
/// `widgets.example/…` or a scheme twice; nothing for what browsers read as it is meant, or where
/// nobody knows.
pub(super) fn repair(text: &str) -> Option<Repaired> {
    let (written, rest) = text.split_at(text.find(PATH)?);
    let compact: String = written.split_whitespace().collect();
    let (host, schemes) = strip_schemes(&compact);
    let name = host.split('/').next().unwrap_or_default();
    let is_right = match schemes {
        0 => compact.starts_with('/') || !is_host(name),
        1 => {
            // Browsers leave these out.
            let read = written.replace(['\t', '\n', '\r'], "");
            let lower = compact.to_ascii_lowercase();
            compact == read && (lower.starts_with("https://") || lower.starts_with("http://"))
        }
        _ => false,
    };
    let url = Url::parse(&format!("https://{host}")).ok();
    if is_right || !is_host(name) || url.is_none_or(|url| !url.username().is_empty()) {
        return None;
    }
    let meant = format!("https://{host}");
    Some(Repaired {
        written: written.to_owned(),
        address: format!("{meant}{rest}"),
        meant,
    })
}

/// What follows everything that looks like a scheme, and how many of these there are.
fn strip_schemes(mut text: &str) -> (&str, usize) {
    /// Nobody writes more.
    const MAX_SCHEMES: usize = 3;
    /// The letters of a scheme that may be missing, or in another order.
    const MAX_TYPOS: usize = 2;
    let mut count = 0;
    while count < MAX_SCHEMES
        && let Some((scheme, rest)) = text.split_once('/')
    {
        let letters = scheme.strip_suffix([':', ';']).unwrap_or(scheme);
        let letters = letters.to_ascii_lowercase();
        let is_scheme = letters.starts_with(|first: char| first.is_ascii_alphabetic())
            && letters.len() <= "https".len() + 1
            && strsim::osa_distance(&letters, "https") <= MAX_TYPOS;
        if !is_scheme {
            break;
        }
        text = rest.trim_start_matches('/');
        count += 1;
    }
    (text, count)
}

/// Whether a text looks like the name of a host, and not like a folder.
fn is_host(text: &str) -> bool {
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => text,
    };
    let labels = || name.split('.');
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = labels().next_back().unwrap_or_default();
    name == "localhost"
        || (labels().count() > 1
            && labels().all(is_label)
            && last.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_typing_errors_are_repaired() {
        for written in [
            "https:/w.example",
            "https//w.example",
            "https:///w.example",
            "http://https://w.example",
            "https://https//w.example",
            "htps://w.example",
            "htpps://w.example",
            "ttps://w.example",
            "https;//w.example",
            "https:// w.example",
            "w.example",
        ] {
            let found = repair(&format!("{written}/public/embed/1"));
            let found = found.map(|found| found.address);
            let expected = match written {
                // Browsers read it as it is meant.
                "https:///w.example" => None,
                _ => Some("https://w.example/public/embed/1"),
            };
            assert_eq!(found.as_deref(), expected, "{written}");
        }
        let folder = repair("w.example:8443/chat/public/embed/1").map(|found| found.meant);
        assert_eq!(folder.as_deref(), Some("https://w.example:8443/chat"));
        for right in [
            "https://w.example",
            "HTTPS://w.example",
            "http://localhost:8080",
            "//w.example",
            "",
            "/js",
            "js",
            "../v1.2",
            "ftp://w.example",
            "data:x,//w.example",
            "chrome-extension://w.example",
        ] {
            assert_eq!(repair(&format!("{right}/public/embed/1")), None, "{right}");
        }
        assert_eq!(repair("https:/w.example/embed/1"), None);
    }
}
