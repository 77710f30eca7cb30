//! Whether a page lets the window use the microphone and play sound.

use url::Url;

use super::evidence;
use super::structured::{Item, parse_dictionary};

/// What a page says about one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Permission {
    /// The page restricts nothing.
    Unrestricted,
    /// The page names the feature in a header that browsers ignore.
    Malformed { evidence: String },
    /// The service may use the feature.
    Allowed,
    /// It may not.
    Denied {
        evidence: String,
        /// The service is listed without the quotes that it needs.
        is_unquoted: bool,
    },
}

/// Looks for a feature in `Permissions-Policy`, and in `Feature-Policy` where that is missing.
pub(super) fn find(
    headers: &[(String, String)],
    feature: &str,
    page: &Url,
    service: &Url,
) -> Permission {
    let joined = |wanted: &str| -> String {
        let values: Vec<_> = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
            .collect();
        values.join(", ")
    };
    let policy = joined("permissions-policy");
    let members = parse_dictionary(&policy);
    if members.is_none() && policy.contains(feature) {
        return Permission::Malformed {
            evidence: evidence::of_header("Permissions-Policy", &policy),
        };
    }
    let mut members = members.unwrap_or_default().into_iter().rev();
    if let Some((_, items)) = members.find(|(name, _)| name == feature) {
        // What is neither a word that is known nor in quotes counts as nothing.
        let allowed = items.iter().any(|item| match item {
            Item::Token(word) if word == "*" => true,
            Item::Token(word) if word == "self" => page.origin() == service.origin(),
            Item::Text(origin) => matches(origin, service),
            Item::Token(_) | Item::Other => false,
        });
        if allowed {
            return Permission::Allowed;
        }
        let is_unquoted = items
            .iter()
            .any(|item| matches!(item, Item::Token(word) if matches(word, service)));
        let member = split(&policy, ',').into_iter().rev().find(|member| {
            let name = member.split(['=', ';']).next().unwrap_or_default();
            name.trim() == feature
        });
        return Permission::Denied {
            evidence: evidence::of_header("Permissions-Policy", member.unwrap_or_default().trim()),
            is_unquoted,
        };
    }
    let policy = joined("feature-policy");
    let member = policy.split([';', ',']).find_map(|member| {
        let mut words = member.split_whitespace();
        (words.next()? == feature).then(|| (member.trim(), words.collect::<Vec<_>>()))
    });
    let Some((member, sources)) = member else {
        return Permission::Unrestricted;
    };
    let allowed = sources.iter().any(|source| match *source {
        "*" => true,
        "'self'" => page.origin() == service.origin(),
        source => matches(source, service),
    });
    if allowed {
        Permission::Allowed
    } else {
        Permission::Denied {
            evidence: evidence::of_header("Feature-Policy", member),
            is_unquoted: false,
        }
    }
}

/// Whether an origin of the list, which may begin with `*.`, is that of the service.
fn matches(item: &str, service: &Url) -> bool {
    if let Some((scheme, rest)) = item.split_once("://*.") {
        let (host, port) = match rest.trim_end_matches('/').rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (rest.trim_end_matches('/'), None),
        };
        let service_host = service.host_str().unwrap_or_default();
        return service.scheme() == scheme
            && service.port() == port
            && service_host
                .strip_suffix(host)
                .is_some_and(|head| head.ends_with('.'));
    }
    Url::parse(item).is_ok_and(|listed| listed.origin() == service.origin())
}

/// The parts of a structured field: no separator inside of quotes or parentheses counts.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut depth) = (false, 0_usize);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == separator && !quoted && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: Option<bool>) {
        let page = Url::parse("https://shop.example/").expect("a URL");
        let service = Url::parse("https://widgets.example/").expect("a URL");
        let headers = [(name.to_owned(), value.to_owned())];
        let found = match find(&headers, "microphone", &page, &service) {
            Permission::Unrestricted | Permission::Malformed { .. } => None,
            Permission::Allowed => Some(true),
            Permission::Denied { .. } => Some(false),
        };
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn a_feature_is_restricted_by_its_own_member() {
        for (value, expected) in [
            ("", None),
            ("camera=()", None),
            ("microphone=()", Some(false)),
            ("microphone=(self)", Some(false)),
            ("microphone=self", Some(false)),
            ("microphone=*", Some(true)),
            ("microphone=(*)", Some(true)),
            (
                "camera=(), microphone=(self \"https://widgets.example\")",
                Some(true),
            ),
            (
                "microphone=(self \"https://widgets.example:8443\")",
                Some(false),
            ),
            ("microphone=(\"https://*.widgets.example\")", Some(false)),
            ("microphone=(\"https://*.example\")", Some(true)),
            ("microphone=*;report-to=\"a,b\"", Some(true)),
            ("microphone=*, microphone=()", Some(false)),
            ("microphone", Some(false)),
            ("microphone=none", Some(false)),
            ("microphone=(self https://widgets.example)", Some(false)),
            ("microphone=\"https://widgets.example\"", Some(true)),
            // Browsers ignore these as a whole.
            ("microphone=(), camera='none'", None),
            ("microphone=(),", None),
            ("microphone 'none'", None),
        ] {
            check("Permissions-Policy", value, expected);
        }
        for (value, expected) in [
            ("camera 'none'", None),
            ("microphone 'none'", Some(false)),
            ("geolocation *; microphone 'self'", Some(false)),
            ("microphone 'self' https://widgets.example", Some(true)),
        ] {
            check("feature-policy", value, expected);
        }
    }
}
