//! Snippets on a page: which tags are some, and whether the browser runs them.
//!
//! The loader reads addresses and attributes in the same way, in `embed/src/loader/tag.ts`.

use url::Url;

use super::evidence;
use super::page::{FrameTag, HiddenTag, PageTags};
use super::script::{Inert, Kind, PATH, ScriptTag};
use super::tools::{self, Effect, Tool};
use super::visit::Visit;
use crate::id::WidgetId;

/// What only the service's own script has in it, beside [`PATH`].
const LOADER_MARK: &str = "data-web-widget";

/// What only the service's own script has in it, and other scripts of a page may have, too.
const LOADER_PARTS: [&str; 3] = [PATH, LOADER_MARK, "webWidgetQueue"];

/// Quotes that editors for texts write, and that are none in HTML.
const QUOTES: [char; 6] = [
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{2033}',
];

/// What is around an address whose quotes are in a text of a script, or are written twice.
const ESCAPED_QUOTES: [char; 3] = ['\\', '"', '\''];

/// An address without quotes that are a part of it.
fn unquoted(address: &str) -> &str {
    let is_quote = |letter: char| QUOTES.contains(&letter) || ESCAPED_QUOTES.contains(&letter);
    address.trim().trim_matches(is_quote)
}

/// A script as its strings and patterns mean it: in them, slashes have a backslash.
fn without_escapes(script: &str) -> String {
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
        let id = rest[..end].to_owned();
        if id.is_empty() {
            return None;
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

/// A snippet in a frame of the page.
#[derive(Debug, Clone)]
pub(super) struct FramedSnippet {
    pub(super) address: Address,
    /// What the frame is.
    pub(super) frame: String,
    /// What the `sandbox` of the frame keeps from it, and the tag of the frame.
    pub(super) missing: Vec<&'static str>,
    pub(super) evidence: String,
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
    /// Those that run in frames of the page.
    pub(super) framed: Vec<FramedSnippet>,
    /// What the page shows or keeps as text.
    pub(super) texts: Vec<(Option<Address>, String, String)>,
}

impl Snippets {
    pub(super) fn find(tags: &PageTags, base: &Url) -> Self {
        let mut found = Self::default();
        for script in &tags.scripts {
            found.script(script, base);
        }
        for tag in &tags.hidden {
            let address = find_address(&tag.script, base).map(|(address, _)| address);
            if let Some(address) = address {
                let tag = tag.clone();
                found.hidden.push(HiddenSnippet { tag, address });
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
                let element = mention.element.clone();
                found
                    .texts
                    .push((address, mention.evidence.clone(), element));
            }
        }
        // An attribute of a script is judged with its tag.
        found.texts.retain(|(_, _, element)| element != "script");
        found
    }

    /// Adds what the scripts that the page loads say, and the frames of the same site.
    pub(super) fn with_scripts(mut self, tags: &PageTags, visit: &Visit) -> Self {
        let base = visit.page().map(|hop| tags.base(&hop.url));
        let documents = tags.documents.iter().filter_map(|frame| {
            let shown = "<iframe srcdoc>".to_owned();
            Some((base.clone()?, frame.content.as_str(), shown, Some(frame)))
        });
        let frames = visit.frames.iter();
        let frames = frames.map(|frame| {
            let is_tag = |tag: &&FrameTag| {
                let url = base.as_ref().and_then(|base| base.join(&tag.content).ok());
                url.as_ref() == Some(&frame.url)
            };
            let tag = tags.frames.iter().find(is_tag);
            let shown = evidence::of_url(&frame.url);
            (frame.url.clone(), frame.html.as_str(), shown, tag)
        });
        for (url, html, shown, tag) in documents.chain(frames) {
            let tags = PageTags::read_html(html);
            let found = Self::find(&tags, &tags.base(&url)).tags.into_iter();
            let live = found.filter(|tag| matches!(tag.state, State::Live { .. }));
            self.framed.extend(live.map(|found| FramedSnippet {
                address: found.address,
                frame: shown.clone(),
                missing: tag.map(|tag| tag.missing.clone()).unwrap_or_default(),
                evidence: tag.map(|tag| tag.evidence.clone()).unwrap_or_default(),
            }));
        }
        // Those that a browser runs first.
        self.framed.sort_by_key(|framed| !framed.missing.is_empty());
        for script in visit.scripts.iter().filter(|script| script.runs()) {
            let text = without_escapes(&script.text);
            if !text.contains(PATH) {
                continue;
            }
            if is_loader(&text) == Some(true) {
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
        if let Some((address, attribute)) = find_address(script, base) {
            let state = judge(script, &kind, &attribute);
            self.tags.push(SnippetTag {
                script: script.clone(),
                address,
                state,
            });
        } else if script.has("src")
            && let Some(id) = script.attribute("data-web-widget")
        {
            let src = script.attribute("src").unwrap_or_default();
            self.copied.push(CopiedTag {
                script: script.clone(),
                url: base.join(src.trim()).ok(),
                state: judge(script, &kind, "src"),
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
                Some(address) if !data => self.tags.push(SnippetTag {
                    script: script.clone(),
                    address,
                    state: hold_back(script, reason),
                }),
                address => {
                    let element = "data".to_owned();
                    self.texts.push((address, script.evidence.clone(), element));
                }
            }
        }
    }
}

/// The address of a snippet on a script, and the attribute that has it.
fn find_address(script: &ScriptTag, base: &Url) -> Option<(Address, String)> {
    let src = script.attribute("src");
    let src = src.map(unquoted);
    if let Some(address) = src.and_then(|src| Address::read(src, base)) {
        return Some((address, "src".to_owned()));
    }
    let other = |(name, value): (&String, &String)| {
        if !value.contains(PATH) || name == "data-context" {
            return None;
        }
        Some((Address::read(unquoted(value), base)?, name.clone()))
    };
    script.attributes.iter().find_map(other)
}

fn judge(script: &ScriptTag, kind: &Kind, attribute: &str) -> State {
    let src = script.attribute("src").unwrap_or_default().trim();
    let is_quoted = src.starts_with(QUOTES);
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
            reason: "its address is in typographic quotes, which are a part of the address"
                .to_owned(),
            hint: "write straight quotes (`\"`) around the address; editors for texts replace them",
            by_tool: false,
        },
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
