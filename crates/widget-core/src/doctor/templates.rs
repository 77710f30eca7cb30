//! Which `<template>` elements keep their content out of the page: all but declarative shadow
//! roots, which depend on the element around them.

use std::collections::BTreeMap;

/// An end tag ends no element that is further outside.
const MAX_DEPTH: usize = 16;

/// So many open elements are kept; pages of people have tens.
const MAX_OPEN: usize = 10_000;

#[derive(Debug)]
struct Open {
    name: String,
    /// It already has a shadow root.
    has_root: bool,
}

/// The open elements, as far as templates need them.
#[derive(Debug, Default)]
pub(super) struct Templates {
    open: Vec<Open>,
    /// Where in `open` the templates are, and whether each is inert.
    positions: Vec<(usize, bool)>,
    inert: usize,
}

impl Templates {
    /// Whether no template is open.
    pub(super) const fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Whether what follows is not a part of the page.
    pub(super) const fn is_inert(&self) -> bool {
        self.inert > 0
    }

    /// An element of HTML starts.
    pub(super) fn enter(&mut self, name: &str, attributes: &BTreeMap<String, String>) {
        if is_void(name) {
            return;
        }
        if name == "template" {
            let is_inert = !self.is_root(attributes);
            self.positions.push((self.open.len(), is_inert));
            self.inert += usize::from(is_inert);
        }
        // Lists have many of these, without end tags.
        let is_closing =
            |open: &Open| matches!(name, "li" | "dt" | "dd" | "p") && open.name == name;
        if self.open.last().is_some_and(is_closing) {
            self.open.pop();
        }
        if self.open.len() >= MAX_OPEN && name != "template" {
            return;
        }
        self.open.push(Open {
            name: name.to_owned(),
            has_root: false,
        });
    }

    /// Whether a template becomes the shadow root of the element around it.
    /// <https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inhead>
    fn is_root(&mut self, attributes: &BTreeMap<String, String>) -> bool {
        let mode = attributes.get("shadowrootmode").map(|mode| mode.trim());
        let is_mode = |mode: &str| {
            let mut modes = ["open", "closed"].into_iter();
            modes.any(|known| mode.eq_ignore_ascii_case(known))
        };
        let (true, Some(host)) = (mode.is_some_and(is_mode), self.open.last_mut()) else {
            return false;
        };
        let is_first = !host.has_root;
        host.has_root = true;
        is_first && can_host(&host.name)
    }

    /// An element of HTML ends, and with it those that are open inside of it.
    pub(super) fn leave(&mut self, name: &str) {
        if name == "template" {
            if let Some((at, is_inert)) = self.positions.pop() {
                self.open.truncate(at);
                self.inert -= usize::from(is_inert);
            }
            return;
        }
        // What is outside of a template does not end in it.
        let outside = self.positions.last().map_or(0, |(at, _)| at + 1);
        let start = outside.max(self.open.len().saturating_sub(MAX_DEPTH));
        let inside = self.open[start..].iter();
        if let Some(at) = inside.rev().position(|open| open.name == name) {
            self.open.truncate(self.open.len() - 1 - at);
        }
    }
}

/// <https://dom.spec.whatwg.org/#valid-shadow-host-name>
fn can_host(name: &str) -> bool {
    const HOSTS: [&str; 18] = [
        "article",
        "aside",
        "blockquote",
        "body",
        "div",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "main",
        "nav",
        "p",
        "section",
        "span",
    ];
    name.contains('-') || HOSTS.contains(&name)
}

/// <https://html.spec.whatwg.org/multipage/syntax.html#void-elements>, and older ones.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}
