//! Whether a page lets the window use the microphone and play sound.

use sfv::{BareItem, Dictionary, FieldType as _, ListEntry};
use url::Url;

use super::evidence;

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
    let members = sfv::Parser::new(&policy).parse::<Dictionary>();
    // Browsers ignore a header with one fault in it as a whole.
    if members.is_err() && policy.contains(feature) {
        return Permission::Malformed {
            evidence: evidence::of_header("Permissions-Policy", &policy),
        };
    }
    let member = members.ok().and_then(|members| {
        members
            .into_iter()
            .find(|(name, _)| name.as_str() == feature)
    });
    if let Some((name, member)) = member {
        let items = match &member {
            ListEntry::Item(item) => std::slice::from_ref(item),
            ListEntry::InnerList(list) => &list.items,
        };
        // What is neither a word that is known nor in quotes counts as nothing.
        let allowed = items.iter().any(|item| match &item.bare_item {
            BareItem::Token(word) if word.as_str() == "*" => true,
            BareItem::Token(word) if word.as_str() == "self" => page.origin() == service.origin(),
            BareItem::String(origin) => matches(origin.as_str(), service),
            _ => false,
        });
        if allowed {
            return Permission::Allowed;
        }
        let is_unquoted = items.iter().any(|item| match &item.bare_item {
            BareItem::Token(word) => matches(word.as_str(), service),
            _ => false,
        });
        let member = Dictionary::from_iter([(name, member)]).serialize();
        return Permission::Denied {
            evidence: evidence::of_header("Permissions-Policy", &member.unwrap_or_default()),
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
