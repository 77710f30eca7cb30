//! What is valid in a list and probably a mistake.

use super::{
    entry::Entry,
    fault::entry_pointer,
    host,
    suffix::SuffixList,
    tuple::{Origin, Scheme},
};
use crate::finding::{Code, Finding};

pub(super) fn no_domains() -> Finding {
    Finding::new(
        Code::NoDomains,
        "the list of domains is empty: it allows no site, so the widget is shown nowhere",
    )
    .at("/domains")
    .with_hint("add the address of the page, such as `https://shop.example`")
}

/// Warnings of every entry that can be read; `is_admitted` is the list's decision.
pub(super) fn of_list(
    entries: &[String],
    suffixes: &SuffixList,
    is_admitted: impl Fn(&Origin) -> bool,
) -> Vec<Finding> {
    let mut warnings = Vec::new();
    for (position, text) in entries.iter().enumerate() {
        let Ok(entry) = Entry::parse_unjudged(text) else {
            continue;
        };
        let mut warn = |finding: Finding| warnings.push(finding.at(entry_pointer(position)));
        match entry {
            // Beside other entries it admits nothing, which is reported already.
            Entry::AnySite if entries.len() > 1 => {}
            Entry::AnySite => warn(
                Finding::new(
                    Code::AnySite,
                    "`*` allows every site: anybody can show this widget and use what it costs",
                )
                .with_hint("list the sites that should show it"),
            ),
            Entry::Pattern(pattern) => {
                of_scheme_and_host(text, pattern.scheme(), pattern.base(), &mut warn);
            }
            Entry::Exact(origin) => {
                of_scheme_and_host(text, origin.scheme(), origin.host(), &mut warn);
                of_exact(&origin, suffixes, &is_admitted, &mut warn);
            }
        }
    }
    warnings
}

fn of_scheme_and_host(text: &str, scheme: Scheme, name: &str, warn: &mut impl FnMut(Finding)) {
    if host::is_loopback(name) {
        warn(
            Finding::new(
                Code::LoopbackOrigin,
                format!("`{text}` is the visitor's own machine: good for development only"),
            )
            .with_hint(if scheme == Scheme::Https {
                format!(
                    "development servers usually speak http: `{}`",
                    text.replacen("https://", "http://", 1)
                )
            } else {
                "remove it before the widget goes live".to_owned()
            }),
        );
    } else if scheme == Scheme::Http {
        warn(
            Finding::new(
                Code::InsecureOrigin,
                format!("`{text}` is not encrypted: any network on the way can change the page"),
            )
            .with_hint(format!("use `{}`", text.replacen("http://", "https://", 1))),
        );
    }
    if let Some(shown) = host::to_unicode(name) {
        warn(Finding::new(
            Code::IdnOrigin,
            format!(
                "`{text}` is shown to visitors as `{shown}`; check that it is the name you mean"
            ),
        ));
    }
}

fn of_exact(
    origin: &Origin,
    suffixes: &SuffixList,
    is_admitted: &impl Fn(&Origin) -> bool,
    warn: &mut impl FnMut(Finding),
) {
    let name = origin.host();
    if host::canonical_ipv4(name).is_some() {
        if !origin.is_loopback() {
            warn(
                Finding::new(
                    Code::IpOrigin,
                    format!("`{origin}` is an IP address, which may be given to somebody else"),
                )
                .with_hint("use a host name"),
            );
        }
        return;
    }
    if origin.is_loopback() {
        return;
    }
    if !name.contains('.') {
        warn(
            Finding::new(
                Code::SingleLabel,
                format!("`{name}` is a name without a dot, which only resolves inside a network"),
            )
            .with_hint("write the full name of the host, unless this is an intranet"),
        );
        return;
    }
    if let Some(twin) = origin.www_twin(suffixes)
        && !is_admitted(&twin)
    {
        warn(
            Finding::new(
                Code::TwinMissing,
                format!("`{origin}` is listed, `{twin}` is not; they are different sites"),
            )
            .with_hint(format!("add `{twin}` if the page can be reached there too")),
        );
    }
}

impl Origin {
    /// The same site with `www.` before a registered domain, or without it; `None` for other hosts.
    #[must_use]
    pub fn www_twin(&self, suffixes: &SuffixList) -> Option<Self> {
        let name = self.host();
        let twin = match name.strip_prefix("www.") {
            Some(apex) if suffixes.registrable(apex) == Some(apex) => apex.to_owned(),
            None if suffixes.registrable(name) == Some(name) => format!("www.{name}"),
            _ => return None,
        };
        Some(Self::from_parts(self.scheme(), &twin, self.port()))
    }
}
