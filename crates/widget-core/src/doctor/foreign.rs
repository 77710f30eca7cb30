//! Where a page has SVG or `MathML`, whose elements are not those of HTML.

use std::collections::BTreeMap;

/// Elements are nested no deeper in browsers.
const MAX_DEPTH: usize = 512;

/// What elements are of, where they are not of HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Svg,
    MathMl,
}

#[derive(Debug)]
enum Open {
    Language(Language),
    /// An element of either that has HTML in it.
    Html(String),
}

/// The open elements of SVG and `MathML`, and those in them that have HTML again.
#[derive(Debug, Default)]
pub(super) struct Foreign(Vec<Open>);

impl Foreign {
    /// What the elements here are of; nothing for HTML.
    pub(super) fn language(&self) -> Option<Language> {
        match self.0.last()? {
            Open::Language(language) => Some(*language),
            Open::Html(_) => None,
        }
    }

    /// Whether an element is not one of HTML; what follows may be inside of it.
    /// <https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inforeign>
    pub(super) fn enter(
        &mut self,
        name: &str,
        attributes: &BTreeMap<String, String>,
        self_closing: bool,
    ) -> bool {
        if self.language().is_some() && leaves_foreign(name, attributes) {
            while self.language().is_some() {
                self.0.pop();
            }
        }
        let language = self.language();
        let is_foreign = language.is_some() || matches!(name, "svg" | "math");
        if self_closing || self.0.len() >= MAX_DEPTH {
            return is_foreign;
        }
        let has_html = match language {
            Some(Language::Svg) => matches!(name, "foreignobject" | "desc" | "title"),
            Some(Language::MathMl) => {
                matches!(name, "mi" | "mo" | "mn" | "ms" | "mtext")
                    || (name == "annotation-xml" && is_html(attributes))
            }
            None => false,
        };
        if has_html {
            self.0.push(Open::Html(name.to_owned()));
        } else if name == "svg" && language != Some(Language::MathMl) {
            self.0.push(Open::Language(Language::Svg));
        } else if name == "math" && language.is_none() {
            self.0.push(Open::Language(Language::MathMl));
        }
        is_foreign
    }

    /// An element ends, and with it those that are open inside of it.
    pub(super) fn leave(&mut self, name: &str) {
        let is_opened = |open: &Open| match open {
            Open::Language(Language::Svg) => name == "svg",
            Open::Language(Language::MathMl) => name == "math",
            Open::Html(opened) => opened == name,
        };
        if let Some(at) = self.0.iter().rposition(is_opened) {
            self.0.truncate(at);
        }
    }
}

/// Whether `annotation-xml` says that it has HTML in it.
fn is_html(attributes: &BTreeMap<String, String>) -> bool {
    attributes.get("encoding").is_some_and(|encoding| {
        let mut known = ["text/html", "application/xhtml+xml"].into_iter();
        known.any(|known| encoding.eq_ignore_ascii_case(known))
    })
}

/// Whether a tag of HTML ends SVG and `MathML`.
fn leaves_foreign(name: &str, attributes: &BTreeMap<String, String>) -> bool {
    match name {
        "font" => ["color", "face", "size"]
            .iter()
            .any(|attribute| attributes.contains_key(*attribute)),
        "b" | "big" | "blockquote" | "body" | "br" | "center" | "code" | "dd" | "div" | "dl"
        | "dt" | "em" | "embed" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "head" | "hr" | "i"
        | "img" | "li" | "listing" | "menu" | "meta" | "nobr" | "ol" | "p" | "pre" | "ruby"
        | "s" | "small" | "span" | "strong" | "strike" | "sub" | "sup" | "table" | "tt" | "u"
        | "ul" | "var" => true,
        _ => false,
    }
}
