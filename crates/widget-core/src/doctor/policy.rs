//! What the Content-Security-Policies of a page do to the requests of a widget.
//!
//! The matching is that of the crate `content-security-policy`, which Servo uses.

use std::{borrow::Cow, collections::BTreeSet};

use content_security_policy as csp;
use csp::{
    CheckResult, Destination, Directive, Element, Initiator, InlineCheckType, ParserMetadata,
    Policy, PolicyDisposition, PolicySource, Violates,
};
use url::Url;

use super::evidence;
use super::page::PageTags;
use super::script::ScriptTag;

/// One policy of a page.
#[derive(Debug)]
pub(super) struct PagePolicy {
    policy: Policy,
    /// For a policy in HTML: the number of its tag.
    position: Option<usize>,
    /// The names of directives that it has more than once.
    repeated: Vec<String>,
    /// Whether its header has more than this policy.
    has_comma: bool,
}

/// The directive that stops a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Blocked {
    /// The directive that decides, such as `default-src`.
    pub(super) directive: String,
    pub(super) evidence: String,
    /// Whether `'strict-dynamic'` makes addresses ineffective.
    pub(super) is_strict: bool,
    /// Whether the directive has a nonce.
    pub(super) has_nonce: bool,
    /// Whether the policy has the directive again, which browsers ignore.
    pub(super) is_repeated: bool,
    /// Whether the header has several policies, with commas between them.
    pub(super) has_comma: bool,
    /// The source with a `*` for the hosts below that of the request.
    pub(super) wildcard: Option<String>,
}

/// A request that a widget makes.
#[derive(Debug, Clone)]
pub(super) struct WidgetRequest<'a> {
    pub(super) url: &'a Url,
    pub(super) destination: Destination,
    /// The tag that makes it, for scripts.
    pub(super) script: Option<&'a ScriptTag>,
    /// Whether the parser of the page makes it, not another script.
    pub(super) by_parser: bool,
}

/// All policies of a page that are enforced.
#[derive(Debug, Default)]
pub(super) struct PagePolicies(Vec<PagePolicy>);

impl PagePolicies {
    pub(super) fn of(headers: &[(String, String)], tags: &PageTags) -> Self {
        let mut policies = Vec::new();
        for (name, value) in headers {
            if !name.eq_ignore_ascii_case("content-security-policy") {
                continue;
            }
            for text in value.split(',') {
                policies.push(PagePolicy {
                    policy: parse(text, PolicySource::Header),
                    position: None,
                    repeated: find_repeated(text),
                    has_comma: value.trim_end_matches([',', ' ']).contains(','),
                });
            }
        }
        for meta in &tags.policies {
            // A comma separates nothing here: the attribute is one policy.
            let mut policy = parse(&meta.content, PolicySource::Meta);
            policy.directive_set.retain(|directive| {
                !["report-uri", "frame-ancestors", "sandbox"].contains(&directive.name.as_str())
            });
            policies.push(PagePolicy {
                policy,
                position: Some(meta.position),
                repeated: find_repeated(&meta.content),
                has_comma: false,
            });
        }
        policies.retain(|policy| !policy.policy.directive_set.is_empty());
        Self(policies)
    }

    /// The policies of a document that the page itself has, as `srcdoc` does: those of the page,
    /// all of which come before it, and its own.
    pub(super) fn inherited(
        headers: &[(String, String)],
        outer: &PageTags,
        inner: &PageTags,
    ) -> Self {
        let mut policies = Self::of(headers, outer);
        for policy in &mut policies.0 {
            policy.position = policy.position.and(Some(0));
        }
        policies.0.extend(Self::of(&[], inner).0);
        policies
    }

    /// The `frame-ancestors` of the page that keeps `outer` from framing it.
    pub(super) fn find_refused_ancestor(&self, page: &Url, outer: &Url) -> Option<String> {
        // Only the origin of the outer page counts.
        let outer = outer.join("/").unwrap_or_else(|_| outer.clone());
        let request = WidgetRequest {
            url: &outer,
            destination: Destination::IFrame,
            script: None,
            by_parser: false,
        };
        let mut ancestors = self.frame_ancestors().into_iter();
        let refused = ancestors.find(|(sources, _)| {
            // Sources are matched in the same way for all directives.
            let text = format!("frame-src {}", sources.join(" "));
            let policy = PagePolicy {
                policy: parse(&text, PolicySource::Header),
                position: None,
                repeated: Vec::new(),
                has_comma: false,
            };
            let policies = Self(vec![policy]);
            policies.find_block(page, &request, None).is_some()
        });
        refused.map(|(_, evidence)| evidence)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first directive that stops the request. A policy in HTML stops nothing that was
    /// requested before it, which is decided by `position`.
    pub(super) fn find_block(
        &self,
        page: &Url,
        request: &WidgetRequest<'_>,
        position: Option<usize>,
    ) -> Option<Blocked> {
        let script = request.script;
        let attribute = |name: &str| {
            script
                .and_then(|script| script.attribute(name))
                .unwrap_or_default()
        };
        let asked = csp::Request {
            url: request.url.clone(),
            current_url: request.url.clone(),
            origin: origin_for(page, request.url),
            redirect_count: 0,
            destination: request.destination,
            initiator: if request.destination == Destination::None {
                Initiator::Fetch
            } else {
                Initiator::None
            },
            nonce: match script {
                Some(script) if !script.is_nonceable => String::new(),
                _ => attribute("nonce").to_owned(),
            },
            integrity_metadata: attribute("integrity").to_owned(),
            parser_metadata: if request.by_parser {
                ParserMetadata::ParserInserted
            } else {
                ParserMetadata::NotParserInserted
            },
        };
        self.0.iter().find_map(|policy| {
            if let (Some(tag), Some(meta)) = (position, policy.position)
                && tag < meta
            {
                return None;
            }
            match policy.policy.does_request_violate_policy(&asked) {
                Violates::DoesNotViolate => None,
                Violates::Directive(directive) => {
                    let mut sources = directive.value.iter();
                    let wildcard = sources.find(|source| is_wildcard_below(source, request.url));
                    Some(Blocked {
                        wildcard: wildcard.cloned(),
                        ..policy.blocked(&directive)
                    })
                }
            }
        })
    }

    /// The first directive that stops an inline script.
    pub(super) fn find_inline_block(&self, script: &ScriptTag) -> Option<Blocked> {
        let nonce = script.attribute("nonce").filter(|_| script.is_nonceable);
        let element = Element {
            nonce: nonce.map(Cow::Borrowed),
        };
        self.0.iter().find_map(|policy| {
            if policy.position.is_some_and(|meta| script.position < meta) {
                return None;
            }
            let kind = InlineCheckType::Script;
            let mut directives = policy.policy.directive_set.iter();
            let directive = directives.find(|directive| {
                directive.inline_check(&element, kind, &policy.policy, &script.text)
                    == CheckResult::Blocked
            })?;
            Some(policy.blocked(directive))
        })
    }

    /// The `sandbox` directive that takes away from the page what a widget needs, and what that is.
    pub(super) fn find_sandbox(&self) -> Option<(String, Vec<&'static str>)> {
        self.0.iter().find_map(|policy| {
            let directive = policy.find("sandbox")?;
            let missing: Vec<_> = ["allow-scripts", "allow-same-origin"]
                .into_iter()
                .filter(|flag| {
                    !directive
                        .value
                        .iter()
                        .any(|value| value.eq_ignore_ascii_case(flag))
                })
                .collect();
            (!missing.is_empty()).then(|| (policy.evidence(directive), missing))
        })
    }

    /// The sources of each `frame-ancestors`, with evidence.
    pub(super) fn frame_ancestors(&self) -> Vec<(&[String], String)> {
        let found = |policy: &'_ PagePolicy| -> Option<usize> {
            policy
                .policy
                .directive_set
                .iter()
                .position(|directive| directive.name == "frame-ancestors")
        };
        self.0
            .iter()
            .filter_map(|policy| {
                let directive = &policy.policy.directive_set[found(policy)?];
                Some((directive.value.as_slice(), policy.evidence(directive)))
            })
            .collect()
    }

    /// The evidence of `upgrade-insecure-requests`.
    pub(super) fn upgrades(&self) -> bool {
        self.0
            .iter()
            .any(|policy| policy.find("upgrade-insecure-requests").is_some())
    }
}

impl PagePolicy {
    fn find(&self, name: &str) -> Option<&Directive> {
        let mut directives = self.policy.directive_set.iter();
        directives.find(|directive| directive.name == name)
    }

    fn blocked(&self, directive: &Directive) -> Blocked {
        let has = |start: &str| {
            directive
                .value
                .iter()
                .any(|value| value.to_ascii_lowercase().starts_with(start))
        };
        Blocked {
            directive: directive.name.clone(),
            evidence: self.evidence(directive),
            is_strict: has("'strict-dynamic'"),
            has_nonce: has("'nonce-"),
            is_repeated: self.repeated.contains(&directive.name),
            has_comma: self.has_comma,
            wildcard: None,
        }
    }

    fn evidence(&self, directive: &Directive) -> String {
        let name = match self.position {
            None => "Content-Security-Policy",
            Some(_) => "<meta http-equiv=\"Content-Security-Policy\">",
        };
        evidence::of_header(name, &directive.to_string())
    }
}

/// The origin of a page for `'self'`: that of a page on `http` is also the same host on `https`,
/// which the crate does not see for the default ports.
fn origin_for(page: &Url, request: &Url) -> url::Origin {
    let is_default = |url: &Url| url.port().is_none();
    let is_upgraded = page.scheme() == "http" && request.scheme() == "https";
    if is_upgraded && is_default(page) && is_default(request) && page.host() == request.host() {
        return request.origin();
    }
    page.origin()
}

/// Whether a source is `*.` and the host of an address, so that it has only the hosts below.
fn is_wildcard_below(source: &str, url: &Url) -> bool {
    let source = source.split_once("://").map_or(source, |(_, rest)| rest);
    let host = source.split(['/', ':']).next().unwrap_or_default();
    let below = host.strip_prefix("*.");
    below.is_some_and(|below| {
        url.host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case(below))
    })
}

/// The names that begin more than one directive of a policy.
fn find_repeated(text: &str) -> Vec<String> {
    let names = text.split(';').filter_map(|directive| {
        let name = directive.split_ascii_whitespace().next()?;
        Some(name.to_ascii_lowercase())
    });
    let (mut seen, mut repeated) = (BTreeSet::new(), Vec::new());
    for name in names {
        if !seen.insert(name.clone()) {
            repeated.push(name);
        }
    }
    repeated
}

/// Parses one policy. Sources with a port that does not exist match nothing, and are left out.
fn parse(text: &str, source: PolicySource) -> Policy {
    let mut policy = Policy::parse(text, source, PolicyDisposition::Enforce);
    for directive in &mut policy.directive_set {
        directive.value.retain(|value| !has_impossible_port(value));
    }
    policy
}

fn has_impossible_port(source: &str) -> bool {
    let rest = source.split_once("://").map_or(source, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        // `https:` and keywords have no port.
        Some((_, port)) if !port.is_empty() && port != "*" => {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_err()
        }
        _ => false,
    }
}
