//! What the HTML of a page has that matters to a widget: scripts, policies, frames, and texts that
//! look like a snippet and are none.

use std::collections::BTreeMap;

use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{Error, State, Tokenizer};
use url::Url;

use super::foreign::{Foreign, Language};
use super::script::{Kind, PATH, Place, ScriptTag};
use super::templates::Templates;
use super::visit::{Hop, Visit};
use super::{encoded, evidence, tools};
use crate::id::WidgetId;

/// The tags of a page, in their order.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct PageTags {
    base: Option<String>,
    /// Scripts that the browser finds as elements, whatever their type.
    pub(super) scripts: Vec<ScriptTag>,
    /// Other elements with `data-web-widget`, which name a widget for a copied script.
    pub(super) named: Vec<NamedWidget>,
    /// Snippets in places where the browser makes no element of them.
    pub(super) hidden: Vec<HiddenTag>,
    /// Texts that mention the address of a snippet.
    pub(super) mentions: Vec<Mention>,
    /// `<meta http-equiv="Content-Security-Policy">` in the head.
    pub(super) policies: Vec<MetaPolicy>,
    /// The address of `<meta http-equiv="refresh">`, when it leads elsewhere within seconds.
    pub(super) refresh: Option<Refresh>,
    /// Frames with an address.
    pub(super) frames: Vec<FrameTag>,
    /// Frames whose pages the page itself has, if these mention a snippet.
    pub(super) documents: Vec<FrameTag>,
    /// What the page runs when it has loaded, as `onload` has it.
    pub(super) handlers: Vec<String>,
    pub(super) has_frameset: bool,
    /// The page is a frameset instead of having a body.
    pub(super) is_frameset: bool,
    /// Its root element does not say that it is XHTML, which matters in XML.
    pub(super) lacks_namespace: bool,
    /// Bytes of text that visitors see.
    pub(super) visible_text: usize,
    /// Ids of elements, and attributes that frameworks write; for recognizing them.
    pub(super) marks: Vec<String>,
    /// The page says that it is AMP.
    pub(super) is_amp: bool,
    /// It has the frame of Google Tag Manager for browsers that do not run scripts.
    pub(super) has_manager_frame: bool,
}

/// A snippet that is not an element of the document.
#[derive(Debug, Clone)]
pub(super) struct HiddenTag {
    pub(super) place: Place,
    pub(super) script: ScriptTag,
    /// Whether the end of what hides it is missing.
    pub(super) is_open: bool,
}

/// An element that names a widget.
#[derive(Debug, Clone)]
pub(super) struct NamedWidget {
    pub(super) id: String,
    pub(super) service: Option<String>,
    pub(super) evidence: String,
}

/// A text with the address of a snippet in it.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// The element around it.
    pub(super) element: String,
    pub(super) evidence: String,
    /// Whether it is a script, which may create the tag.
    pub(super) is_script: bool,
    /// Whether the end tag of the element is missing.
    pub(super) is_open: bool,
    pub(super) text: String,
}

/// A frame of the page.
#[derive(Debug, Clone)]
pub(super) struct FrameTag {
    /// Its address, or its page.
    pub(super) content: String,
    /// What its `sandbox` keeps from a widget in it.
    pub(super) missing: Vec<&'static str>,
    pub(super) evidence: String,
}

/// A policy of the page's HTML.
#[derive(Debug, Clone)]
pub(super) struct MetaPolicy {
    pub(super) position: usize,
    pub(super) content: String,
}

/// A page that redirects to another one by a tag.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) url: String,
    pub(super) evidence: String,
}

/// Attributes of a longer tag are not looked for in its text, in bytes.
const MAX_TAG: usize = 4096;

/// A longer wait is a page that visitors read.
const MAX_REFRESH_SECONDS: u32 = 10;

/// A page with more text is one that visitors read, in bytes.
const MAX_TEXT_OF_EMPTY: usize = 400;

impl PageTags {
    /// Whether visitors see almost no text, so that a script fills the page, redirects or checks
    /// who asks.
    pub(super) const fn is_almost_empty(&self) -> bool {
        self.visible_text < MAX_TEXT_OF_EMPTY
    }

    pub(super) fn read(visit: &Visit) -> Self {
        let is_xml = visit.page().is_some_and(Hop::is_xml);
        Self::read_text(&visit.html(), visit.is_cut, is_xml)
    }

    /// Reads the whole of a page in HTML.
    pub(super) fn read_html(html: &str) -> Self {
        Self::read_text(html, false, false)
    }

    /// Reads a page; `is_cut` says that there is more of it.
    fn read_text(html: &str, is_cut: bool, is_xml: bool) -> Self {
        let mut reader = Reader::new(html, Place::Document);
        reader.is_cut = is_cut;
        reader.is_xml = is_xml;
        reader.run();
        reader.tags
    }

    /// What relative addresses of the page are resolved against.
    pub(super) fn base(&self, page: &Url) -> Url {
        let base = self.base.as_deref().and_then(|base| page.join(base).ok());
        base.filter(|base| !base.cannot_be_a_base())
            .unwrap_or_else(|| page.clone())
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Reader<'a> {
    html: &'a str,
    /// Where everything of this text is.
    place: Place,
    /// There is more text than was read.
    is_cut: bool,
    /// The page is XML, where any tag may close itself.
    is_xml: bool,
    tags: PageTags,
    position: usize,
    in_head: bool,
    templates: Templates,
    /// Where in the found tags those of the last comment start.
    last_comment: usize,
    foreign: Foreign,
    noframes: usize,
    /// The next tag has an attribute twice.
    has_duplicate: bool,
    /// The element whose text is read, and is not markup.
    inside: Option<Inside>,
}

struct Inside {
    name: String,
    script: Option<ScriptTag>,
    text: String,
}

impl<'a> Reader<'a> {
    fn new(html: &'a str, place: Place) -> Self {
        Self {
            html,
            place,
            is_cut: false,
            is_xml: false,
            tags: PageTags::default(),
            position: 0,
            in_head: true,
            templates: Templates::default(),
            last_comment: 0,
            foreign: Foreign::default(),
            noframes: 0,
            has_duplicate: false,
            inside: None,
        }
    }

    fn run(&mut self) {
        let emitter = DefaultEmitter::<usize>::new_with_span();
        let mut tokenizer = Tokenizer::new_with_emitter(self.html, emitter);
        let mut is_open_comment = false;
        while let Some(token) = tokenizer.next() {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => {
                    if let Some(state) = self.start(&tag) {
                        tokenizer.set_state(state);
                    }
                }
                Token::EndTag(tag) => self.end(&String::from_utf8_lossy(&tag.name)),
                Token::String(text) => self.text(&String::from_utf8_lossy(&text.value)),
                Token::Comment(text) => self.comment(&String::from_utf8_lossy(&text.value)),
                Token::Error(error) if *error == Error::DuplicateAttribute => {
                    self.has_duplicate = true;
                }
                Token::Error(error) if *error == Error::EofInComment => is_open_comment = true,
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        // Browsers never run a script whose end tag is missing.
        let is_cut = self.is_cut;
        if let Some(script) = self
            .inside
            .as_mut()
            .and_then(|inside| inside.script.as_mut())
        {
            script.is_closed = is_cut;
        }
        let is_open = self.inside.is_some();
        let (hidden, mentions) = (self.tags.hidden.len(), self.tags.mentions.len());
        self.close_text();
        if is_open && !is_cut {
            let hidden = self.tags.hidden[hidden..].iter_mut();
            hidden.for_each(|tag| tag.is_open = true);
            let mentions = self.tags.mentions[mentions..].iter_mut();
            mentions.for_each(|mention| mention.is_open = true);
        } else if is_open_comment && !is_cut {
            let hidden = self.tags.hidden[self.last_comment..].iter_mut();
            hidden.for_each(|tag| tag.is_open = true);
        }
    }

    fn in_template(&self) -> bool {
        self.templates.is_inert()
    }

    fn start(&mut self, tag: &StartTag<usize>) -> Option<State> {
        self.close_text();
        self.position += 1;
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let attributes: BTreeMap<String, String> = tag
            .attributes
            .iter()
            .map(|(name, value)| {
                (
                    String::from_utf8_lossy(name).into_owned(),
                    String::from_utf8_lossy(value).into_owned(),
                )
            })
            .collect();
        if self.tags.is_frameset && !is_of_frameset(&name) {
            // Browsers ignore the tag, so that what follows is not the text of a script.
            if name == "script" {
                let mut script = self.script_tag(tag, attributes);
                script.place = Place::Frameset;
                self.script(script);
            }
            self.has_duplicate = false;
            return None;
        }
        let is_foreign = self.foreign.enter(&name, &attributes, tag.self_closing);
        let can_be_frameset = self.in_head && !self.is_xml && !is_foreign;
        if !matches!(
            name.as_str(),
            "html"
                | "head"
                | "base"
                | "basefont"
                | "bgsound"
                | "link"
                | "meta"
                | "title"
                | "noscript"
                | "noframes"
                | "style"
                | "script"
                | "template"
        ) && self.templates.is_empty()
        {
            self.in_head = false;
        }
        if !is_foreign {
            self.templates.enter(&name, &attributes);
        }
        self.tags.is_frameset |= name == "frameset"
            && can_be_frameset
            && self.place == Place::Document
            && self.templates.is_empty();
        self.element(tag, &name, attributes);
        self.has_duplicate = false;
        if self.is_xml && tag.self_closing && !is_foreign {
            self.end(&name);
            return None;
        }
        if is_foreign {
            // There, text is markup, and a tag may close itself.
            if tag.self_closing {
                self.close_text();
            }
            return None;
        }
        let state = match name.as_str() {
            "script" => State::ScriptData,
            "textarea" | "title" => State::RcData,
            "style" | "iframe" | "xmp" | "noembed" | "noscript" | "noframes" => State::RawText,
            "plaintext" => State::PlainText,
            _ => return None,
        };
        if self.inside.is_none() {
            self.inside = Some(Inside {
                name,
                script: None,
                text: String::new(),
            });
        }
        Some(state)
    }

    /// The tag as it is in the page.
    fn slice_of(&self, tag: &StartTag<usize>, name: &str) -> Option<&'a str> {
        let slice = self.html.get(tag.span.start..);
        let slice = slice.filter(|slice| {
            slice.starts_with('<')
                && slice
                    .get(1..=name.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        let length = tag.span.end.saturating_sub(tag.span.start);
        let written = slice.and_then(|slice| slice.get(..length));
        written.filter(|written| written.ends_with('>'))
    }

    /// The tag as it is written in the page, for evidence. It takes time, so that only tags that
    /// matter are written.
    fn written(
        &self,
        tag: &StartTag<usize>,
        name: &str,
        attributes: &BTreeMap<String, String>,
    ) -> String {
        if let Some(written) = self.slice_of(tag, name) {
            return evidence::of_tag(written);
        }
        evidence::of_tag(&written_anew(name, attributes))
    }

    fn script_tag(
        &mut self,
        tag: &StartTag<usize>,
        mut attributes: BTreeMap<String, String>,
    ) -> ScriptTag {
        let evidence = self.written(tag, "script", &attributes);
        let slice = self.slice_of(tag, "script").unwrap_or_default();
        let is_xml = is_xml_tag(slice, &attributes);
        let is_nonceable = !self.has_duplicate
            && !attributes.iter().any(|(name, value)| {
                let has = |text: &str| {
                    let text = text.to_ascii_lowercase();
                    text.contains("<script") || text.contains("<style")
                };
                has(name) || has(value)
            });
        let place = match self.foreign.language() {
            _ if self.in_template() => Place::Template,
            None => self.place.clone(),
            Some(Language::MathMl) => Place::Foreign,
            // The script of SVG has its address in `href`.
            Some(Language::Svg) => match attributes
                .remove("href")
                .or_else(|| attributes.remove("xlink:href"))
            {
                Some(href) => {
                    attributes.insert("src".to_owned(), href);
                    self.place.clone()
                }
                None if attributes.contains_key("src") => Place::Foreign,
                None => self.place.clone(),
            },
        };
        ScriptTag {
            position: self.position,
            attributes,
            evidence,
            text: String::new(),
            place,
            is_closed: true,
            is_nonceable,
            is_xml,
        }
    }

    fn element(&mut self, tag: &StartTag<usize>, name: &str, attributes: BTreeMap<String, String>) {
        let attribute = |name: &str| attributes.get(name).map(|value| value.trim().to_owned());
        let is_live = self.place == Place::Document && !self.in_template() && self.noframes == 0;
        match name {
            "noframes" if self.foreign.language().is_none() => self.noframes += 1,
            "script" => {
                let script = self.script_tag(tag, attributes);
                self.inside = Some(Inside {
                    name: name.to_owned(),
                    script: Some(script),
                    text: String::new(),
                });
                return;
            }
            "html" => {
                self.tags.lacks_namespace |= self.position == 1
                    && attribute("xmlns").as_deref() != Some("http://www.w3.org/1999/xhtml");
                self.tags.is_amp |= ["amp", "\u{26a1}", "\u{26a1}\u{fe0f}"]
                    .iter()
                    .any(|mark| attributes.contains_key(*mark));
            }
            "base" if is_live && self.tags.base.is_none() => self.tags.base = attribute("href"),
            "meta" if is_live && attributes.contains_key("http-equiv") => {
                let written = self.written(tag, name, &attributes);
                self.meta(&attributes, &written);
            }
            "frameset" if is_live => self.tags.has_frameset = true,
            "iframe" | "frame" if is_live => {
                let frame = |content: String, evidence: String| FrameTag {
                    content,
                    missing: find_missing_flags(attributes.get("sandbox")),
                    evidence,
                };
                if let Some(document) = attributes.get("srcdoc") {
                    if document.contains(PATH) {
                        let mut shown = attributes.clone();
                        shown.insert("srcdoc".to_owned(), "…".to_owned());
                        let evidence = evidence::of_tag(&written_anew(name, &shown));
                        self.tags.documents.push(frame(document.clone(), evidence));
                        return;
                    }
                } else if let Some(src) = attribute("src") {
                    let evidence = self.written(tag, name, &attributes);
                    self.tags.frames.push(frame(src, evidence));
                }
            }
            "body" if is_live => self.tags.handlers.extend(attribute("onload")),
            _ => {}
        }
        if !is_live {
            return;
        }
        // Other vendors have an attribute of this name, too.
        let names_widget =
            |id: &String| id.parse::<WidgetId>().is_ok() || attributes.contains_key("data-service");
        if let Some(id) = attribute("data-web-widget").filter(names_widget) {
            self.tags.named.push(NamedWidget {
                id,
                service: attribute("data-service"),
                evidence: self.written(tag, name, &attributes),
            });
        }
        for (key, value) in &attributes {
            if key == "id" || key.starts_with("data-") || key.starts_with("ng-") {
                self.mark(key, value);
            }
            if let Some(at) = value.find(PATH)
                && !matches!(name, "link" | "a")
            {
                self.tags.mentions.push(Mention {
                    element: name.to_owned(),
                    evidence: {
                        let shown = evidence::around(value, at);
                        evidence::of_tag(&format!("<{name} … {key}=… {shown} …>"))
                    },
                    is_script: false,
                    is_open: false,
                    text: value.clone(),
                });
            } else if let Some(text) = encoded::decode_markup(value) {
                let place = Place::Encoded {
                    evidence: self.written(tag, name, &attributes),
                    tool: tools::find_tool(&attributes).map(|tool| tool.name),
                };
                self.hide(&place, &text);
            }
        }
        if name.contains('-') {
            self.mark("element", name);
        }
    }

    fn mark(&mut self, key: &str, value: &str) {
        /// Enough for all that is recognized by them.
        const MAX_MARKS: usize = 5000;
        if self.tags.marks.len() < MAX_MARKS {
            let value: String = value.chars().take(40).collect();
            self.tags.marks.push(format!("{key}={value}"));
        }
    }

    fn meta(&mut self, attributes: &BTreeMap<String, String>, written: &str) {
        let Some(kind) = attributes.get("http-equiv") else {
            return;
        };
        let content = attributes.get("content").map_or("", String::as_str);
        match kind.trim().to_ascii_lowercase().as_str() {
            // Elsewhere browsers ignore it.
            "content-security-policy" if self.in_head => self.tags.policies.push(MetaPolicy {
                position: self.position,
                content: content.to_owned(),
            }),
            "refresh" if self.tags.refresh.is_none() => {
                if let Some(url) = read_refresh(content) {
                    self.tags.refresh = Some(Refresh {
                        url,
                        evidence: written.to_owned(),
                    });
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        self.close_text();
        if name == "noframes" {
            self.noframes = self.noframes.saturating_sub(1);
        }
        if self.foreign.language().is_none() {
            self.templates.leave(name);
        }
        self.foreign.leave(name);
    }

    fn text(&mut self, text: &str) {
        if let Some(inside) = &mut self.inside {
            inside.text.push_str(text);
            return;
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return;
        }
        if !self.in_template() {
            self.in_head = false;
            self.tags.visible_text += trimmed.len();
        }
        self.mention("text", text, false);
    }

    fn mention(&mut self, element: &str, text: &str, is_script: bool) {
        // Most texts have nothing of it, and need not be copied.
        if !text.contains("embed") {
            return;
        }
        let plain = text.replace("\\/", "/").replace("\\u002F", "/");
        if let Some(start) = plain.find(PATH) {
            self.tags.mentions.push(Mention {
                element: element.to_owned(),
                evidence: evidence::around(&plain, start),
                is_script,
                is_open: false,
                text: plain,
            });
        }
    }

    fn close_text(&mut self) {
        let Some(Inside { name, script, text }) = self.inside.take() else {
            return;
        };
        match (name.as_str(), script) {
            (_, Some(mut script)) => {
                script.text = text;
                self.script(script);
            }
            ("noscript" | "noframes" | "noembed", None) => {
                self.tags.has_manager_frame |= text.contains("googletagmanager.com/ns.html");
                self.hide(&Place::Noscript, &text);
            }
            _ => self.mention(&name, &text, false),
        }
    }

    fn script(&mut self, mut script: ScriptTag) {
        if script.place != Place::Document {
            let place = script.place.clone();
            self.tags.hidden.push(HiddenTag {
                place,
                script,
                is_open: false,
            });
            return;
        }
        if script.text.trim().is_empty() {
            // Optimizers write inline scripts into addresses.
            let mut addresses = script.attributes.values();
            let text = addresses.find_map(|value| encoded::decode_data_url(value));
            script.text = text.unwrap_or_default();
        }
        let runs = Kind::of(&script).runs();
        let is_inline = !script.has("src") || encoded::is_data_url(&script.attributes["src"]);
        if let Some(tag) = find_swallowed(&script.text).filter(|_| runs) {
            self.hide(&Place::Script, tag);
        } else if !runs && let Some(text) = encoded::decode_markup(&script.text) {
            let place = Place::Encoded {
                evidence: script.evidence.clone(),
                tool: tools::find_tool(&script.attributes).map(|tool| tool.name),
            };
            self.hide(&place, &text);
        } else if is_inline && !script.text.trim().is_empty() {
            let text = script.text.clone();
            self.mention("script", &text, runs);
        }
        self.tags.scripts.push(script);
    }

    fn comment(&mut self, text: &str) {
        self.last_comment = self.tags.hidden.len();
        if let Some(text) = text.strip_prefix("[CDATA[") {
            // The end of the tag ends it in HTML.
            self.hide(&Place::Cdata, &format!("{text}>"));
        } else if text.contains(PATH) {
            self.hide(&Place::Comment, text);
        }
    }

    /// Reads a text that the browser does not read as markup, for the snippets in it.
    fn hide(&mut self, place: &Place, text: &str) {
        // The text of a comment has no comments; what is nested more deeply is not searched.
        if self.place != Place::Document || !text.contains(PATH) {
            return;
        }
        let mut reader = Reader::new(text, place.clone());
        // Its end may be outside.
        reader.is_cut = true;
        reader.run();
        let found = reader.tags;
        if found.hidden.is_empty() && matches!(place, Place::Comment | Place::Noscript) {
            self.mention("comment", text, false);
        }
        self.tags.hidden.extend(found.hidden);
    }
}

/// Whether browsers look at the tag in a frameset.
fn is_of_frameset(name: &str) -> bool {
    matches!(name, "frameset" | "frame" | "noframes" | "html")
}

/// A tag with these attributes.
fn written_anew(name: &str, attributes: &BTreeMap<String, String>) -> String {
    let attributes: String = attributes
        .iter()
        .map(|(name, value)| match value.as_str() {
            "" => format!(" {name}"),
            // Quotes in the value would end the mask of a secret.
            value => format!(" {name}=\"{}\"", value.replace('"', "&quot;")),
        })
        .collect();
    format!("<{name}{attributes}>")
}

/// What a frame with this `sandbox` keeps from a widget in it.
fn find_missing_flags(sandbox: Option<&String>) -> Vec<&'static str> {
    let Some(sandbox) = sandbox else {
        return Vec::new();
    };
    let has = |flag: &str| {
        let mut words = sandbox.split_ascii_whitespace();
        words.any(|word| word.eq_ignore_ascii_case(flag))
    };
    let needed = ["allow-scripts", "allow-same-origin"].into_iter();
    needed.filter(|flag| !has(flag)).collect()
}

/// The snippet in the text of a script whose own end tag is missing: the text ends with the
/// snippet's start tag, because the snippet's end tag ended that script.
fn find_swallowed(text: &str) -> Option<&str> {
    let text = text.trim_end();
    if !text.ends_with('>') || !text.contains(PATH) {
        return None;
    }
    let start = text.to_ascii_lowercase().rfind("<script")?;
    let tag = &text[start..];
    let is_one = !tag[..tag.len() - 1].contains('>');
    (is_one && tag.contains(PATH)).then_some(tag)
}

/// Whether a tag is well-formed XML: each attribute has a value in quotes.
fn is_xml_tag(tag: &str, attributes: &BTreeMap<String, String>) -> bool {
    if tag.len() > MAX_TAG {
        return true;
    }
    let lower = tag.to_ascii_lowercase();
    attributes.keys().all(|name| {
        let mut at = lower.match_indices(name.as_str());
        at.any(|(at, _)| {
            let rest = lower[at + name.len()..].trim_start();
            rest.strip_prefix('=')
                .is_some_and(|value| value.trim_start().starts_with(['"', '\'']))
        })
    })
}

/// The address of a refresh that comes soon: `0; url=https://…`.
pub(super) fn read_refresh(content: &str) -> Option<String> {
    let content = content.trim();
    let digits = content
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(content.len());
    let seconds: u32 = content[..digits].parse().ok()?;
    if seconds > MAX_REFRESH_SECONDS {
        return None;
    }
    let rest = content[digits..]
        .trim_start_matches(|character: char| character.is_ascii_digit() || character == '.')
        .trim_start()
        .trim_start_matches([';', ','])
        .trim_start();
    let is_named = rest
        .get(..3)
        .is_some_and(|name| name.eq_ignore_ascii_case("url"));
    let rest = if is_named {
        rest[3..].trim_start().strip_prefix('=').unwrap_or(rest)
    } else {
        rest
    };
    let url = rest.trim().trim_matches(['"', '\'']).trim();
    (!url.is_empty()).then(|| url.to_owned())
}
