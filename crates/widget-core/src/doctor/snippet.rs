//! Snippets on a page: which tags are some, and whether the browser runs them.
//!
//! The loader reads addresses and attributes in the same way, in `embed/src/loader/tag.ts`.

use std::collections::BTreeSet;

use url::{Origin, Url};

use super::address::{Repaired, repair};
use super::evidence;
use super::page::{HiddenTag, PageTags};
use super::script::{Inert, Kind, PATH, ScriptTag};
use super::tools::{self, Effect, Tool};
use super::visit::Visit;
use crate::id::WidgetId;

/// What only the service's own script has in it, beside [`PATH`].
const LOADER_MARK: &str = "data-web-widget";

/// What only the service's own script has in it, and other scripts of a page may have, too.
const LOADER_PARTS: [&str; 3] = [PATH, LOADER_MARK, "webWidgetQueue"];

/// Quotes that editors for texts write, and that are none in HTML.
const QUOTES: [char; 11] = [
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{2033}', '\u{ab}', '\u{bb}',
    '\u{2039}', '\u{203a}', '`',
];

/// What is around an address whose quotes are in a text of a script, or are written twice.
const ESCAPED_QUOTES: [char; 3] = ['\\', '"', '\''];

/// An address without quotes that are a part of it; read in a wrong encoding, they are other
/// letters.
fn unquoted(address: &str) -> &str {
    let address = address.trim();
    let is_quote = |letter: char| QUOTES.contains(&letter) || ESCAPED_QUOTES.contains(&letter);
    // One at the end alone changes nothing: the service reads the id without it.
    let is_quoted = address.starts_with(is_quote);
    let inner = if is_quoted {
        address.trim_matches(is_quote)
    } else {
        address
    };
    let garbled = inner.trim_start_matches(|letter: char| !letter.is_ascii() || letter == '`');
    let is_whole = ["http://", "https://", "//"]
        .iter()
        .any(|start| garbled.starts_with(start));
    if is_whole && garbled != inner {
        return garbled.trim_end_matches(|letter: char| !letter.is_ascii() || letter == '`');
    }
    inner
}

/// A script as its strings and patterns mean it: in them, slashes have a backslash.
pub(super) fn without_escapes(script: &str) -> String {
    script.replace("\\/", "/").replace("\\u002F", "/")
}

/// Whether a text is that of the service's script; `None` for one that has only some of it.
pub(super) fn is_loader(text: &str) -> Option<bool> {
    let text = without_escapes(text);
    if text.contains(PATH) && text.contains(LOADER_MARK) {
        return Some(true);
    }
    (!LOADER_PARTS.iter().any(|part| text.contains(part))).then_some(false)
}

/// What the address of a snippet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The whole address.
    pub(super) url: Url,
    /// What is before [`PATH`], with a slash at the end.
    pub(super) service: Url,
    pub(super) id: String,
}

impl Address {
    /// Reads `<service>/public/embed/<id>` and what may follow.
    pub(super) fn read(text: &str, base: &Url) -> Option<Self> {
        let is_id = |address: &Self| {
            let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
            address.id.starts_with(is_letter)
        };
        Self::read_tag(text, base).filter(is_id)
    }

    /// The same for the address in a tag, where anything may stand in the place of the id.
    fn read_tag(text: &str, base: &Url) -> Option<Self> {
        let url = base.join(text.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let path = url.path();
        let at = path.rfind(PATH)?;
        let rest = &path[at + PATH.len()..];
        let end = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')))
            .unwrap_or(rest.len());
        let mut id = rest[..end].to_owned();
        if id.parse::<WidgetId>().is_err() {
            // All of it shows what is wrong.
            let written = text.rfind(PATH).map_or(rest, |at| &text[at + PATH.len()..]);
            let segment = written.trim_end().split(['/', '?', '#']).next();
            segment.unwrap_or_default().clone_into(&mut id);
        }
        let mut service = url.clone();
        service.set_path(&format!("{}/", &path[..at]));
        service.set_query(None);
        service.set_fragment(None);
        Some(Self { url, service, id })
    }

    /// Reads an address out of a text, such as a script that creates the tag.
    pub(super) fn find(text: &str, base: &Url) -> Option<Self> {
        let at = text.find(PATH)?;
        let is_end = |letter: char| {
            letter.is_whitespace()
                || matches!(letter, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ';')
        };
        let start = text[..at].rfind(is_end).map_or(0, |before| {
            before + text[before..].chars().next().map_or(1, char::len_utf8)
        });
        let end = text[at..]
            .find(is_end)
            .map_or(text.len(), |after| at + after);
        // `"https://…" + PATH` and templates have no service in front of the path.
        let candidate = text[start..end].trim_start_matches("&quot;");
        if start == at || candidate.contains(['$', '{', '}']) {
            return None;
        }
        Self::read(candidate, base)
    }

    pub(super) fn widget_id(&self) -> Option<WidgetId> {
        self.id.parse().ok()
    }

    /// Whether the address is one that optimizers give to copies.
    pub(super) fn is_cached(&self) -> bool {
        let url = self.url.as_str();
        tools::find_joiner(url).is_some()
            || ["/wp-content/", "/cache/", "/_cache/", "/minify/"]
                .iter()
                .any(|part| url.contains(part))
    }

    /// Whether the address has the name of a file with fixed bytes.
    pub(super) fn is_pinned(&self) -> bool {
        self.url
            .path()
            .rsplit_once('.')
            .is_some_and(|(_, kind)| kind == "js")
    }
}

/// Whether, and when, the browser runs a snippet.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// As soon as it reads the tag.
    Live { is_module: bool },
    /// When a tool gives it to the browser.
    Delayed { tool: &'static Tool },
    /// Not by itself.
    Inert {
        tool: Option<&'static Tool>,
        reason: Inert,
    },
}

/// A tag with the address of a snippet.
#[derive(Debug, Clone)]
pub(super) struct SnippetTag {
    pub(super) script: ScriptTag,
    pub(super) address: Address,
    pub(super) state: State,
}

/// A snippet in a place where the browser makes no element of it.
#[derive(Debug, Clone)]
pub(super) struct HiddenSnippet {
    pub(super) tag: HiddenTag,
    pub(super) address: Address,
}

/// A script of another address that names a widget: the copy of an optimizer.
#[derive(Debug, Clone)]
pub(super) struct CopiedTag {
    pub(super) script: ScriptTag,
    /// The address of the copy.
    pub(super) url: Option<Url>,
    pub(super) id: String,
    pub(super) service: Option<String>,
    pub(super) state: State,
}

/// A text of the page with the address of a snippet in it.
#[derive(Debug, Clone)]
pub(super) struct TextSnippet {
    pub(super) address: Option<Address>,
    pub(super) evidence: String,
    /// The element around it, `text` or `data`.
    pub(super) element: String,
    /// Whether the end tag of that element is missing.
    pub(super) is_open: bool,
}

/// Everything on a page that names a widget.
#[derive(Debug, Default)]
pub(super) struct Snippets {
    pub(super) tags: Vec<SnippetTag>,
    pub(super) hidden: Vec<HiddenSnippet>,
    pub(super) copied: Vec<CopiedTag>,
    /// What scripts that run have in their text.
    pub(super) scripted: Vec<(Option<Address>, String)>,
    /// The addresses of scripts that contain the service's.
    pub(super) joined: Vec<Url>,
    /// What the page shows or keeps as text.
    pub(super) texts: Vec<TextSnippet>,
}

impl Snippets {
    pub(super) fn find(tags: &PageTags, base: &Url) -> Self {
        let mut found = Self::default();
        for script in &tags.scripts {
            found.script(script, base);
        }
        for tag in &tags.hidden {
            if let Some(address) = find_address(&tag.script, base) {
                found.hidden.push(HiddenSnippet {
                    tag: tag.clone(),
                    address: address.address,
                });
            }
        }
        for mention in &tags.mentions {
            if mention.element == "script" && !mention.is_script {
                // Judged with its tag above, unless it is data.
                continue;
            }
            let address = Address::find(&mention.text, base);
            if mention.is_script {
                found.scripted.push((address, mention.evidence.clone()));
            } else if mention.element != "script" || address.is_some() {
                found.texts.push(TextSnippet {
                    address,
                    evidence: mention.evidence.clone(),
                    element: mention.element.clone(),
                    is_open: mention.is_open,
                });
            }
        }
        // An attribute of a script is judged with its tag.
        found.texts.retain(|text| text.element != "script");
        found
    }

    /// Leaves out what other vendors have at addresses like those of snippets: without the id of a
    /// widget, only what is of a service that is known counts.
    pub(super) fn of_services(mut self, services: &[Url], page: &Url) -> Self {
        let named = self.tags.iter().map(|tag| &tag.address);
        let named = named.filter(|address| address.widget_id().is_some());
        let mut known: Vec<Origin> = services.iter().map(Url::origin).collect();
        // A page rarely has more services.
        known.extend(named.map(|address| address.service.origin()).take(3));
        let is_own = |address: &Address| {
            address.widget_id().is_some()
                || address.url.origin() == page.origin()
                || known.contains(&address.url.origin())
                // Nobody writes a placeholder that is the name of a file.
                || (known.is_empty() && !address.is_pinned())
        };
        self.tags.retain(|tag| is_own(&tag.address));
        self.hidden.retain(|found| is_own(&found.address));
        self
    }

    /// Adds what the scripts that the page loads say.
    pub(super) fn with_scripts(mut self, visit: &Visit) -> Self {
        let addressed = self.tags.iter().map(|tag| tag.address.url.clone());
        let addressed: BTreeSet<Url> = addressed.collect();
        for script in visit.scripts.iter().filter(|script| script.runs()) {
            let text = without_escapes(&script.text);
            if !text.contains(PATH) {
                continue;
            }
            if is_loader(&text) == Some(true) {
                // A tag with that address is a snippet, whatever is wrong with it.
                if addressed.contains(&script.url) {
                    continue;
                }
                self.joined.push(script.url.clone());
            } else {
                let address = Address::find(&text, &script.url);
                self.scripted.push((address, evidence::of_url(&script.url)));
            }
        }
        self
    }

    fn script(&mut self, script: &ScriptTag, base: &Url) {
        let kind = Kind::of(script);
        if let Some(found) = find_address(script, base) {
            self.tags.push(SnippetTag {
                script: script.clone(),
                state: judge(script, &kind, &found.attribute, found.repaired.as_ref()),
                address: found.address,
            });
        } else if script.has("src")
            && let Some(id) = script.attribute("data-web-widget")
            // Other vendors have an attribute of this name, too.
            && (script.has("data-service") || id.trim().parse::<WidgetId>().is_ok())
        {
            let src = script.attribute("src").unwrap_or_default();
            self.copied.push(CopiedTag {
                script: script.clone(),
                url: base.join(src.trim()).ok(),
                state: judge(script, &kind, "src", None),
                id: id.to_owned(),
                service: script.attribute("data-service").map(str::to_owned),
            });
        } else if let Kind::Inert(reason) = kind
            && script.text.contains(PATH)
        {
            let data = script
                .attribute("type")
                .is_some_and(|kind| kind.contains("json") || kind.contains("importmap"));
            let address = Address::find(&script.text, base);
            match address {
                Some(address) if !data => {
                    let mut shown = script.clone();
                    if let Some(at) = script.text.find(PATH).filter(|_| !script.is_closed) {
                        let part = evidence::around(&script.text, at);
                        shown.evidence = format!("{}…{part}", script.evidence);
                    }
                    self.tags.push(SnippetTag {
                        script: shown,
                        address,
                        state: hold_back(script, reason),
                    });
                }
                address => {
                    self.texts.push(TextSnippet {
                        address,
                        evidence: script.evidence.clone(),
                        element: "data".to_owned(),
                        is_open: false,
                    });
                }
            }
        }
    }
}

/// The address of a snippet on a script.
struct Found {
    address: Address,
    /// The attribute that has it.
    attribute: String,
    /// What is wrong with its beginning, when the address is only meant.
    repaired: Option<Repaired>,
}

impl Found {
    fn new(address: Address, attribute: &str) -> Self {
        Self {
            address,
            attribute: attribute.to_owned(),
            repaired: None,
        }
    }
}

fn find_address(script: &ScriptTag, base: &Url) -> Option<Found> {
    let src = script.attribute("src");
    let src = src.map(unquoted);
    let read = src.and_then(|src| Address::read_tag(src, base));
    if let Some(repaired) = src.and_then(repair)
        && let Some(address) = Address::read_tag(&repaired.address, base)
        && read
            .as_ref()
            .is_none_or(|read| read.service != address.service)
    {
        return Some(Found {
            address,
            attribute: "src".to_owned(),
            repaired: Some(repaired),
        });
    }
    if let Some(address) = read {
        return Some(Found::new(address, "src"));
    }
    let other = |(name, value): (&String, &String)| {
        if !value.contains(PATH) || name == "data-context" {
            return None;
        }
        Some(Found::new(Address::read(unquoted(value), base)?, name))
    };
    script.attributes.iter().find_map(other)
}

fn judge(script: &ScriptTag, kind: &Kind, attribute: &str, repaired: Option<&Repaired>) -> State {
    let src = script.attribute("src").unwrap_or_default().trim();
    let is_quoted = unquoted(src) != src && !src.starts_with(ESCAPED_QUOTES);
    let is_escaped = src.starts_with(ESCAPED_QUOTES) && unquoted(src) != src;
    let reason = match kind {
        Kind::Classic | Kind::Module if is_escaped => Inert {
            reason: "its address has quotes with a backslash, or quotes twice, which are a part \
                     of the address"
                .to_owned(),
            hint: "write plain quotes (`\"`) around the address; a backslash before them belongs \
                   into texts of scripts only",
            by_tool: false,
        },
        Kind::Classic | Kind::Module if is_quoted => Inert {
            reason: "typographic or other quotes are around its address, which HTML does not read \
                     as quotes, so that they are a part of the address"
                .to_owned(),
            hint: "write straight quotes (`\"`) around the address; editors for texts replace them",
            by_tool: false,
        },

        Kind::Classic | Kind::Module if repaired.is_some() => {
            let (written, meant) = repaired
                .map(|found| (found.written.as_str(), found.meant.as_str()))
                .unwrap_or_default();
            Inert {
                reason: format!(
                    "its address begins with `{}` instead of `{}`",
                    evidence::of_text(written),
                    evidence::of_text(meant)
                ),
                hint: "correct the address in `src`, which begins with `https://` and the host of \
                       the service",
                by_tool: false,
            }
        }
        Kind::Classic | Kind::Module if attribute == "src" => {
            return State::Live {
                is_module: *kind == Kind::Module,
            };
        }
        Kind::Classic | Kind::Module => {
            Inert::new(format!("its address is in `{attribute}` instead of `src`"))
        }
        Kind::Inert(reason) => reason.clone(),
    };
    hold_back(script, reason)
}

fn hold_back(script: &ScriptTag, reason: Inert) -> State {
    match find_tool(script, &reason) {
        Some(tool) if tool.effect == Effect::Delay => State::Delayed { tool },
        tool => State::Inert { tool, reason },
    }
}

fn find_tool(script: &ScriptTag, reason: &Inert) -> Option<&'static Tool> {
    tools::find_tool(&script.attributes).filter(|_| reason.by_tool)
}
