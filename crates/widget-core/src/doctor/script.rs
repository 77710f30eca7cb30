//! A script of a page, and whether browsers run it.

use std::collections::BTreeMap;

/// What every address of a snippet has in it.
pub(super) const PATH: &str = "/public/embed/";

/// A `<script>` of the page.
#[derive(Debug, Clone)]
pub(super) struct ScriptTag {
    /// The number of the tag in the page.
    pub(super) position: usize,
    pub(super) attributes: BTreeMap<String, String>,
    /// The tag as it is written, cut and masked.
    pub(super) evidence: String,
    /// What is between the tags.
    pub(super) text: String,
    pub(super) place: Place,
    /// Whether its end tag is there.
    pub(super) is_closed: bool,
    /// Whether browsers look at its nonce.
    /// <https://www.w3.org/TR/CSP3/#is-element-nonceable>
    pub(super) is_nonceable: bool,
    /// Whether its tag is well-formed XML.
    pub(super) is_xml: bool,
}

/// Where a tag is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The browser makes an element of it.
    Document,
    /// Inside of `<template>`.
    Template,
    /// Inside of `<noscript>`, `<noframes>` or `<noembed>`.
    Noscript,
    /// Inside of a comment.
    Comment,
    /// Inside of `<![CDATA[`, which is a comment in HTML.
    Cdata,
    /// Inside of `<frameset>`, where browsers read nothing but frames.
    Frameset,
    /// Inside of SVG or `MathML`, where `src` has no effect.
    Foreign,
    /// In the text of another script, whose end tag is missing.
    Script,
    /// In a text that a tool has encoded, and writes into the page later.
    Encoded {
        /// The tag with that text.
        evidence: String,
        /// The tool, when it is known.
        tool: Option<&'static str>,
    },
}

impl ScriptTag {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }
}

/// How browsers treat a script by its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Classic,
    Module,
    /// The browser does not run it.
    Inert(Inert),
}

/// Why browsers do not run a script, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inert {
    pub(super) reason: String,
    pub(super) hint: &'static str,
    /// Whether a tool may have made it so.
    pub(super) by_tool: bool,
}

impl Inert {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: "paste the snippet as it is, without other attributes",
            by_tool: true,
        }
    }
}

impl Kind {
    /// <https://html.spec.whatwg.org/multipage/scripting.html#prepare-the-script-element>
    pub(super) fn of(script: &ScriptTag) -> Self {
        if !script.is_closed && is_double_escaped(&script.text) {
            return Self::Inert(Inert {
                reason:
                    "`<!--` and `<script` in the text of a script keep `</script>` from ending \
                         it, so that it continues to the end of the page"
                        .to_owned(),
                hint: "write `\\x3C!--` instead of `<!--` in the text of that script",
                by_tool: false,
            });
        }
        if !script.is_closed {
            return Self::Inert(Inert {
                reason: "`</script>` is missing, and a script that the page does not close is \
                         never run"
                    .to_owned(),
                hint: "add `</script>` after the tag",
                by_tool: false,
            });
        }
        let kind = match (script.attribute("type"), script.attribute("language")) {
            (Some(""), _) => "text/javascript".to_owned(),
            (Some(kind), _) => kind.trim_ascii().to_ascii_lowercase(),
            (None, Some(language)) if !language.is_empty() => {
                format!("text/{}", language.to_ascii_lowercase())
            }
            (None, _) => "text/javascript".to_owned(),
        };
        if kind == "module" {
            return Self::Module;
        }
        if !is_javascript(&kind) {
            let shown: String = kind.chars().take(60).collect();
            return Self::Inert(Inert::new(format!(
                "its type is `{shown}`, which no browser runs"
            )));
        }
        if script.has("nomodule") {
            return Self::Inert(Inert::new(
                "`nomodule` keeps all current browsers from running it",
            ));
        }
        if let (Some(target), Some(event)) = (script.attribute("for"), script.attribute("event"))
            && !(target.trim().eq_ignore_ascii_case("window")
                && ["onload", "onload()"].contains(&event.trim().to_ascii_lowercase().as_str()))
        {
            return Self::Inert(Inert::new(
                "browsers do not run scripts with `for` and `event`",
            ));
        }
        Self::Classic
    }

    pub(super) const fn runs(&self) -> bool {
        matches!(self, Self::Classic | Self::Module)
    }
}

/// Whether the text of a script has what makes an end tag a part of it.
/// <https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>
fn is_double_escaped(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let inner = text
        .find("<!--")
        .and_then(|at| text[at..].find("<script").map(|to| at + to));
    inner.is_some_and(|at| text[at..].contains("</script"))
}

/// Whether a type, in lower case, is that of scripts.
pub(super) fn is_javascript(essence: &str) -> bool {
    JAVASCRIPT.contains(&essence)
}

/// The type with which browsers do not run a script.
/// <https://fetch.spec.whatwg.org/#should-response-to-request-be-blocked-due-to-nosniff?>
pub(super) fn blocked_type(headers: &[(String, String)]) -> Option<&str> {
    let header = |name: &str| {
        let mut headers = headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(found.1.as_str())
    };
    let kind = header("content-type")?;
    let essence = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_strict = header("x-content-type-options")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("nosniff"));
    let is_media = ["image/", "audio/", "video/"]
        .iter()
        .any(|start| essence.starts_with(start));
    let is_blocked = is_media || essence == "text/csv" || (is_strict && !is_javascript(&essence));
    is_blocked.then_some(kind)
}

/// <https://mimesniff.spec.whatwg.org/#javascript-mime-type>
const JAVASCRIPT: &[&str] = &[
    "application/ecmascript",
    "application/javascript",
    "application/x-ecmascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/javascript",
    "text/javascript1.0",
    "text/javascript1.1",
    "text/javascript1.2",
    "text/javascript1.3",
    "text/javascript1.4",
    "text/javascript1.5",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
    "text/x-javascript",
];
