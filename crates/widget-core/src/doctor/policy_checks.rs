//! Whether a policy of the page is in the way of a widget.

use std::fmt::Write as _;

use content_security_policy::Destination;
use url::Url;

use super::inserter_policies::{check_handed_nonce, check_inserters, find_handed_nonces};
use super::permissions::{self, Permission};
use super::policy::{Blocked, WidgetRequest};
use super::question::{Answer, LauncherAnswer};
use super::read_page::Page;
use super::report::{Audience, CheckStatus, PageFinding};
use super::script::Kind;
use super::sorted::Run;
use super::{evidence, tools};
use crate::{finding::Code, mode::Mode, origin::Origin};

/// A page with less text of its own, in bytes, is nothing but its frame.
const MAX_FRAME_TEXT: usize = 200;

pub(super) fn check(page: &Page<'_>, runs: &[Run<'_>]) -> Vec<PageFinding> {
    let mut findings = Vec::new();
    if let Some(target) = &page.target {
        let service = &target.service;
        check_content_policy(page, runs, service, &mut findings);
        check_permissions(page, service, &mut findings);
        findings.extend(check_embedder_policy(page, runs));
        findings.extend(check_mixed_content(page, service));
    } else if runs.is_empty() {
        findings.extend(check_inserters(page));
    }
    findings.extend(check_frames(page));
    findings
}

/// The same for a page whose frame `inner` has the widget: the policy of the outer page does not
/// govern what a page in it loads.
pub(super) fn check_framed(
    page: &Page<'_>,
    inner: &Page<'_>,
    runs: &[Run<'_>],
    name: &str,
) -> Vec<PageFinding> {
    let mut findings = Vec::new();
    if let Some(target) = &page.target {
        let service = &target.service;
        check_content_policy(inner, runs, service, &mut findings);
        for finding in &mut findings {
            finding.detail = format!("in the frame `{name}`, {}", finding.detail);
        }
        let here = &page.hop.url;
        let outer = permissions::find(&page.hop.headers, "microphone", here, here);
        let deciding = match outer {
            Permission::Denied { .. } => page,
            _ => inner,
        };
        check_permissions(deciding, service, &mut findings);
        // The outer page loads no script of the widget.
        let embedder = check_embedder_policy(page, &[]);
        findings.extend(embedder.or_else(|| check_embedder_policy(inner, runs)));
        findings.extend(check_mixed_content(page, service));
    }
    findings.extend(check_frames(page));
    findings
}

fn check_content_policy(
    page: &Page<'_>,
    runs: &[Run<'_>],
    service: &Url,
    findings: &mut Vec<PageFinding>,
) {
    if let Some((evidence, missing)) = page.policies.find_sandbox() {
        let missing = tools::listed(&missing);
        findings.push(
            PageFinding::fail(
                Code::CspSandboxed,
                Audience::Site,
                format!("the page is in a sandbox without {missing}"),
            )
            .with_evidence(evidence)
            .with_hint(format!("add {missing} to `sandbox`, or remove `sandbox`")),
        );
    }
    if page.policies.is_empty() {
        findings.push(PageFinding::ok(
            Code::CspScriptBlocked,
            Audience::Site,
            "the page has no Content-Security-Policy",
        ));
        return;
    }
    let id = page
        .target
        .as_ref()
        .and_then(|target| target.widget_id)
        .map_or_else(|| "0".to_owned(), |id| id.to_string());
    let address = |path: String| service.join(&path).unwrap_or_else(|_| service.clone());

    findings.push(check_script(page, runs, service, &id));
    let launcher = address(format!("core/public/web-widgets/{id}"));
    let tickets = address(format!("core/public/web-widgets/{id}/embed-tickets"));
    let window = address(format!("public/widget/{id}"));
    let icon = match &page.question.answers.launcher {
        Answer::Given(LauncherAnswer::Shown { icon_url }) => icon_url.as_ref(),
        _ => None,
    };
    let requests = [
        (
            Code::CspConnectBlocked,
            Destination::None,
            "connect-src",
            "requests to the service",
            Some(vec![&launcher, &tickets]),
        ),
        (
            Code::CspFrameBlocked,
            Destination::IFrame,
            "frame-src",
            "the window",
            Some(vec![&window]),
        ),
        (
            Code::CspImageBlocked,
            Destination::Image,
            "img-src",
            "the launcher's image",
            icon.map(|icon| vec![icon]),
        ),
    ];
    for (code, destination, name, what, urls) in requests {
        let Some(urls) = urls else { continue };
        let blocked = urls.iter().find_map(|url| {
            let request = WidgetRequest {
                url,
                destination,
                script: None,
                by_parser: false,
            };
            Some((
                page.policies.find_block(&page.hop.url, &request, None)?,
                *url,
            ))
        });
        findings.push(match blocked {
            Some((blocked, url)) => {
                let source = url.origin().ascii_serialization();
                let finding = if code == Code::CspImageBlocked {
                    PageFinding::warn(code, Audience::Site, describe(&blocked, what))
                } else {
                    PageFinding::fail(code, Audience::Site, describe(&blocked, what))
                };
                finding
                    .with_evidence(blocked.evidence.clone())
                    .with_hint(add_hint(&blocked, name, &source))
            }
            None => PageFinding::ok(
                code,
                Audience::Site,
                format!("the page's Content-Security-Policy allows {what}"),
            ),
        });
    }
}

/// Whether the policies allow the script, and what is about to insert it.
fn check_script(page: &Page<'_>, runs: &[Run<'_>], service: &Url, id: &str) -> PageFinding {
    let address = |path: String| service.join(&path).unwrap_or_else(|_| service.clone());
    let source = service.origin().ascii_serialization();
    if let Some(finding) = Some(page)
        .filter(|_| runs.is_empty())
        .and_then(check_inserters)
    {
        return finding;
    }
    match find_script_block(page, runs, &address, id) {
        Some((blocked, _))
            if runs.is_empty()
                && find_handed_nonces(page).iter().any(|nonced| {
                    let run = Run {
                        script: Some(nonced),
                        url: None,
                        by_parser: false,
                    };
                    find_script_block(page, &[run], &address, id).is_none()
                }) =>
        {
            check_handed_nonce(&blocked, &source)
        }
        Some((blocked, detail)) => {
            let scripts = runs.iter().filter_map(|run| run.script);
            let mut nonced = scripts.filter(|script| {
                let nonce = script.attribute("nonce");
                nonce.is_some_and(|nonce| !nonce.trim().is_empty())
            });
            let nonce = match nonced.next() {
                Some(script) if !script.is_nonceable => TagNonce::Ignored,
                Some(_) => TagNonce::Other,
                None => TagNonce::Missing,
            };
            script_blocked(&blocked, detail, &source, nonce)
        }
        None => match find_hash_only(page, runs) {
            Some(blocked) => PageFinding::warn(
                Code::CspScriptBlocked,
                Audience::Site,
                "the page's Content-Security-Policy allows the script by its hash, which Firefox \
                 does not accept",
            )
            .with_evidence(blocked.evidence.clone())
            .with_hint(add_hint(&blocked, &blocked.directive, &source)),
            None => PageFinding::ok(
                Code::CspScriptBlocked,
                Audience::Site,
                "the page's Content-Security-Policy allows the script",
            ),
        },
    }
}

fn describe(blocked: &Blocked, what: &str) -> String {
    format!(
        "`{}` of the page's Content-Security-Policy blocks {what}",
        blocked.directive
    )
}

pub(super) fn add_hint(blocked: &Blocked, name: &str, source: &str) -> String {
    let mut hint = add_source(blocked, name, source);
    if let Some(wildcard) = &blocked.wildcard {
        let _ = write!(
            hint,
            "; `{wildcard}` allows only the hosts below it, not the host itself"
        );
    }
    if blocked.has_comma {
        hint += "; a comma in the header begins another policy, and each policy has to allow it";
    }
    hint
}

fn add_source(blocked: &Blocked, name: &str, source: &str) -> String {
    if blocked.directive == name && blocked.is_repeated {
        format!(
            "add `{source}` to the first `{name}`; browsers ignore the second `{name}` of a policy"
        )
    } else if blocked.directive == name {
        format!("add `{source}` to `{name}`")
    } else {
        format!(
            "add `{name}` with the sources of `{}` and `{source}`",
            blocked.directive
        )
    }
}

/// The nonce of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TagNonce {
    Missing,
    /// Browsers do not look at it.
    Ignored,
    /// It is not that of the page.
    Other,
}

fn script_blocked(blocked: &Blocked, detail: String, source: &str, nonce: TagNonce) -> PageFinding {
    let hint = if nonce == TagNonce::Ignored && blocked.has_nonce {
        "correct the tag: an attribute is in it twice, or has a tag in it, so that browsers ignore \
         its `nonce`"
            .to_owned()
    } else if nonce == TagNonce::Other && blocked.has_nonce {
        "write the `nonce` of the page's policy into the tag, and a new one with every answer: that \
         in the tag is another one, as a cache keeps it"
            .to_owned()
    } else if blocked.is_strict && blocked.has_nonce {
        "write the page's `nonce` into the tag; with `'strict-dynamic'` addresses have no effect"
            .to_owned()
    } else if blocked.is_strict {
        "use the snippet with `integrity`, and write its hash into the policy; with \
         `'strict-dynamic'` addresses have no effect"
            .to_owned()
    } else if blocked.has_nonce {
        format!(
            "write the page's `nonce` into the tag, or add `{source}` to `{}`",
            blocked.directive
        )
    } else {
        let name = if blocked.directive == "default-src" {
            "script-src"
        } else {
            blocked.directive.as_str()
        };
        add_hint(blocked, name, source)
    };
    PageFinding::fail(Code::CspScriptBlocked, Audience::Site, detail)
        .with_evidence(blocked.evidence.clone())
        .with_hint(hint)
}

/// What stops the loader, or the script that it loads when the window is opened. Of several tags,
/// one that nothing stops is enough.
fn find_script_block(
    page: &Page<'_>,
    runs: &[Run<'_>],
    address: &impl Fn(String) -> Url,
    id: &str,
) -> Option<(Blocked, String)> {
    let loader = address(format!("public/embed/{id}"));
    let panel = address(format!("public/embed/{id}/panel.js"));
    let unseen = [Run {
        script: None,
        url: None,
        by_parser: false,
    }];
    let runs = if runs.is_empty() { &unseen[..] } else { runs };
    let mut first = None;
    for run in runs {
        let copied = run
            .script
            .filter(|_| run.url.is_none())
            .and_then(|script| script.attribute("src"))
            .and_then(|src| page.tags.base(&page.hop.url).join(src).ok());
        let url = run.url.or(copied.as_ref()).unwrap_or(&loader);
        let position = run.script.map(|script| script.position);
        let request = WidgetRequest {
            url,
            destination: Destination::Script,
            script: run.script,
            by_parser: run.by_parser,
        };
        let blocked = page.policies.find_block(&page.hop.url, &request, position);
        let found = match blocked {
            Some(blocked) => {
                let detail = describe(&blocked, "the script");
                Some((blocked, detail))
            }
            // The script that a page pins has everything in it.
            None if run.script.is_some_and(|script| script.has("integrity")) => None,
            None => {
                let request = WidgetRequest {
                    url: &panel,
                    destination: Destination::Script,
                    script: run.script,
                    by_parser: false,
                };
                let blocked = page.policies.find_block(&page.hop.url, &request, None);
                blocked.map(|blocked| {
                    let what = "the second script, with which the window opens";
                    let detail = describe(&blocked, what);
                    (blocked, detail)
                })
            }
        };
        match found {
            None => return None,
            found => first = first.or(found),
        }
    }
    first
}

/// The directive that allows a pinned script by its hash and by nothing else.
fn find_hash_only(page: &Page<'_>, runs: &[Run<'_>]) -> Option<Blocked> {
    runs.iter().find_map(|run| {
        let script = run.script.filter(|script| script.has("integrity"))?;
        let mut bare = script.clone();
        bare.attributes.remove("integrity");
        let request = WidgetRequest {
            url: run.url?,
            destination: Destination::Script,
            script: Some(&bare),
            by_parser: run.by_parser,
        };
        let position = Some(script.position);
        page.policies.find_block(&page.hop.url, &request, position)
    })
}

/// For a widget whose voice is off: whoever turns it on finds out that this is not all.
fn check_later_microphone(
    page: &Page<'_>,
    service: &Url,
    source: &str,
    findings: &mut Vec<PageFinding>,
) {
    let found = permissions::find(&page.hop.headers, "microphone", &page.hop.url, service);
    let Permission::Denied { evidence, .. } = found else {
        return;
    };
    let detail = "the page does not give the microphone to the window, which visitors need once \
                  voice is on";
    findings.push(
        PageFinding::ok(Code::PermissionsPolicyMicrophone, Audience::Site, detail)
            .with_evidence(evidence)
            .with_hint(format!(
                "Permissions-Policy: microphone=(self \"{source}\")"
            )),
    );
}

fn check_permissions(page: &Page<'_>, service: &Url, findings: &mut Vec<PageFinding>) {
    let has_voice = page.question.may_have(Mode::Voice);
    let source = service.origin().ascii_serialization();
    if !has_voice {
        check_later_microphone(page, service, &source, findings);
        return;
    }
    let can_write = page.question.may_have(Mode::Text);
    for (code, feature, effect) in [
        (
            Code::PermissionsPolicyMicrophone,
            "microphone",
            if can_write {
                "does not give the microphone to the window: visitors can write, and not talk"
            } else {
                "does not give the microphone to the window, and this widget is for talking only"
            },
        ),
        (
            Code::PermissionsPolicyAutoplay,
            "autoplay",
            "does not let the window play sound by itself: the agent may stay silent",
        ),
    ] {
        let needed = format!("Permissions-Policy: {feature}=(self \"{source}\")");
        let allowed = || {
            PageFinding::ok(
                code,
                Audience::Site,
                format!("the page lets the window use `{feature}`"),
            )
        };
        findings.push(
            match permissions::find(&page.hop.headers, feature, &page.hop.url, service) {
                Permission::Denied {
                    evidence,
                    is_unquoted,
                } => {
                    let is_needed = code == Code::PermissionsPolicyMicrophone && !can_write;
                    let status = if is_needed {
                        CheckStatus::Fail
                    } else {
                        CheckStatus::Warn
                    };
                    let hint = if is_unquoted {
                        format!("write the address in double quotes: {needed}")
                    } else {
                        needed
                    };
                    PageFinding::new(code, status, Audience::Site, format!("the page {effect}"))
                        .with_evidence(evidence)
                        .with_hint(hint)
                }
                Permission::Malformed { evidence } => PageFinding::ok(
                    code,
                    Audience::Site,
                    format!(
                        "`Permissions-Policy` has a fault, so that browsers ignore all of it, and \
                         the window may use `{feature}`"
                    ),
                )
                .with_evidence(evidence)
                .with_hint(format!("should the header count, it has to say: {needed}")),
                Permission::Unrestricted | Permission::Allowed => allowed(),
            },
        );
    }
}

/// Whether the script, as every tag of the page asks for it, does not say that other sites may load
/// it.
fn lacks_resource_policy(page: &Page<'_>, runs: &[Run<'_>]) -> bool {
    let Answer::Given(answer) = &page.question.answers.script else {
        return false;
    };
    let mut headers = answer.headers.iter();
    let says_so = headers.any(|(name, value)| {
        let is_it = name.eq_ignore_ascii_case("cross-origin-resource-policy");
        is_it && ["cross-origin", "same-site"].contains(&value.trim())
    });
    let is_bare = |run: &Run<'_>| {
        let is_other = |url: &Url| url.origin() != page.hop.url.origin();
        run.url.is_some_and(is_other)
            && run.script.is_some_and(|script| {
                !script.has("crossorigin") && Kind::of(script) == Kind::Classic
            })
    };
    // Without any headers, they are not known.
    !answer.headers.is_empty() && !says_so && !runs.is_empty() && runs.iter().all(is_bare)
}

/// A page that wants to be isolated shows only frames that agree.
fn check_embedder_policy(page: &Page<'_>, runs: &[Run<'_>]) -> Option<PageFinding> {
    // Several headers are one value with a comma, which is none. It counts on secure pages only.
    let mut values = page.hop.headers("cross-origin-embedder-policy");
    let value = values.next().filter(|value| !value.contains(','))?;
    let is_secure = Origin::try_from(&page.hop.url).is_ok_and(|origin| origin.is_secure_context());
    if values.next().is_some() || !is_secure {
        return None;
    }
    let policy = value.split(';').next().unwrap_or_default().trim();
    if !["require-corp", "credentialless"].contains(&policy) {
        return None;
    }
    let evidence = evidence::of_header("Cross-Origin-Embedder-Policy", value);
    if policy == "require-corp" && lacks_resource_policy(page, runs) {
        return Some(
            PageFinding::fail(
                Code::CoepBlocksWindow,
                Audience::Operator,
                "the page is isolated, and the script lacks the header for it, so browsers refuse it",
            )
            .with_evidence(evidence)
            .with_hint(
                "let a proxy before the service pass `Cross-Origin-Resource-Policy` of \
                 `/public/embed/`",
            ),
        );
    }
    let header = |headers: &[(String, String)], name: &str| {
        headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| {
                value
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            })
    };
    let finding = match &page.question.answers.window {
        Answer::Given(headers) => {
            let embedder = header(headers, "cross-origin-embedder-policy");
            let agrees = embedder
                .is_some_and(|value| ["require-corp", "credentialless"].contains(&value.as_str()));
            let resource = header(headers, "cross-origin-resource-policy");
            if agrees && resource.as_deref() == Some("cross-origin") {
                PageFinding::ok(
                    Code::CoepBlocksWindow,
                    Audience::Operator,
                    "the page is isolated, and the window has the headers for it",
                )
            } else {
                PageFinding::fail(
                    Code::CoepBlocksWindow,
                    Audience::Operator,
                    "the page is isolated, and the window lacks a header for it, so it stays blank",
                )
                .with_hint(
                    "let a proxy before the service pass `Cross-Origin-Embedder-Policy` and \
                     `Cross-Origin-Resource-Policy` of `/public/widget/`",
                )
            }
        }
        Answer::NotAsked | Answer::OutOfTime | Answer::Failed(_) => PageFinding::new(
            Code::CoepBlocksWindow,
            CheckStatus::Warn,
            Audience::Site,
            "the page is isolated; whether the window has the headers for it is not known",
        )
        .with_hint("open the window on the page; if it stays blank, look at its headers"),
    };
    Some(finding.with_evidence(evidence))
}

/// An encrypted page loads nothing that is not.
fn check_mixed_content(page: &Page<'_>, service: &Url) -> Option<PageFinding> {
    let here = &page.hop.url;
    let upgrades = page.policies.upgrades();
    if (here.scheme() != "https" && !upgrades) || service.scheme() == "https" {
        return None;
    }
    let is_trusted = Origin::try_from(service).is_ok_and(|origin| origin.is_secure_context());
    if is_trusted {
        return None;
    }
    let tags = &page.snippets.tags;
    let script = tags.iter().find(|tag| tag.address.service == *service);
    let detail = if upgrades {
        "the page loads the service over `https`, and its snippet expects it on `http`, so the window never becomes ready"
    } else {
        "the page is encrypted and the service is not, so browsers refuse the script"
    };
    let finding = PageFinding::fail(Code::MixedContent, Audience::Site, detail).with_hint(
        if here.scheme() == "https" {
            "write `https://` into the snippet; the service has to be reachable there"
        } else {
            "write `https://` into the snippet; or remove `upgrade-insecure-requests` from the \
             page's Content-Security-Policy"
        },
    );
    Some(match script {
        Some(tag) => finding.with_evidence(tag.script.evidence.clone()),
        None => finding.with_evidence(evidence::of_url(service)),
    })
}

/// A page without a snippet, with another page in a frame.
fn frames_other(url: &Url, tag: &str, is_only: bool, is_frameset: bool) -> PageFinding {
    let (shown, argument) = (evidence::of_url(url), evidence::argument(url));
    let finding = if is_only {
        PageFinding::fail(
            Code::PageFrameOnly,
            Audience::Site,
            format!(
                "the page is only a frame around `{shown}`, and in a page that another site frames \
                 the window stays blank"
            ),
        )
    } else {
        PageFinding::warn(
            Code::PageFrameOnly,
            Audience::Site,
            format!("the page shows `{shown}` in a frame, which may have a snippet of its own"),
        )
    };
    finding
        .with_evidence(tag.to_owned())
        .with_hint(if is_frameset {
            format!(
                "let the address redirect to `{shown}` instead of framing it, and look at that \
                 page: widget doctor {argument}"
            )
        } else {
            format!(
                "paste the snippet into the outer page; to look at the inner one: widget doctor \
                 {argument}"
            )
        })
}

/// A page around another one, or one that is shown in others.
fn check_frames(page: &Page<'_>) -> Option<PageFinding> {
    let here = &page.hop.url;
    let base = page.tags.base(here);
    let framed = page.tags.frames.iter().find_map(|frame| {
        let url = base.join(&frame.content).ok()?;
        let is_page = matches!(url.scheme(), "http" | "https") && !tools::is_media_frame(&url);
        (is_page && url != *here).then_some((url, &frame.evidence))
    });
    let has_snippet = !page.snippets.tags.is_empty()
        || !page.snippets.copied.is_empty()
        || !page.snippets.joined.is_empty();
    if let Some((url, tag)) = framed.filter(|_| !has_snippet && page.framed.is_empty()) {
        let is_only = (page.tags.has_frameset || page.tags.visible_text < MAX_FRAME_TEXT)
            && url.origin() != here.origin();
        let is_frameset = page.tags.has_frameset;
        return Some(frames_other(&url, tag, is_only, is_frameset));
    }
    if page.tags.is_frameset && has_snippet {
        return Some(
            PageFinding::fail(
                Code::PageFrameOnly,
                Audience::Site,
                "the page is a `<frameset>`, in which the widget has no place",
            )
            .with_evidence("<frameset>")
            .with_hint("paste the snippet into the page that the frame shows"),
        );
    }
    let mut names_others = page.policies.frame_ancestors();
    names_others.retain(|(sources, _)| {
        sources.iter().any(|source| {
            let is_site = source.contains('.') || source.contains("://");
            let own = here.origin().ascii_serialization();
            is_site && *source != own && here.host_str().is_none_or(|host| source != host)
        })
    });
    if let Some((_, evidence)) = names_others.into_iter().next() {
        return Some(
            PageFinding::warn(
                Code::PageFrameOnly,
                Audience::Site,
                "the page is made to be shown in frames of other sites, where the window stays blank",
            )
            .with_evidence(evidence)
            .with_hint("open the page by itself; on the other sites, paste the snippet into the outer page"),
        );
    }
    let value = page.hop.header("x-frame-options");
    let value = value.filter(|value| value.trim().to_ascii_lowercase().starts_with("allow-from"));
    let Some(value) = value else {
        let is_closed = page.hop.header("x-frame-options").is_some()
            || !page.policies.frame_ancestors().is_empty();
        return is_closed.then(|| {
            PageFinding::ok(
                Code::PageFrameOnly,
                Audience::Site,
                "no page of another site may frame the page",
            )
        });
    };
    Some(
        PageFinding::warn(
            Code::PageFrameOnly,
            Audience::Site,
            "the page is made to be shown in a frame of another site, where the window stays blank",
        )
        .with_evidence(evidence::of_header("X-Frame-Options", value))
        .with_hint(
            "open the page by itself; on the other site, paste the snippet into the outer page",
        ),
    )
}
