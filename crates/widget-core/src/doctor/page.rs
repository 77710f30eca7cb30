//! What the HTML of a page has that matters to a widget: scripts, policies, frames, and texts that
//! look like a snippet and are none.

use std::collections::BTreeMap;

use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{State, Tokenizer};
use url::Url;

use super::evidence;
use super::script::{Kind, PATH, Place, ScriptTag};

/// The tags of a page, in their order.
#[derive(Debug, Default)]
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
    /// The addresses of frames.
    pub(super) frames: Vec<String>,
    pub(super) has_frameset: bool,
    /// Bytes of text that visitors see.
    pub(super) visible_text: usize,
    /// Ids of elements, and attributes that frameworks write; for recognizing them.
    pub(super) marks: Vec<String>,
}

/// A snippet that is not an element of the document.
#[derive(Debug, Clone)]
pub(super) struct HiddenTag {
    pub(super) place: Place,
    pub(super) script: ScriptTag,
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
    pub(super) text: String,
}

/// A policy of the page's HTML.
#[derive(Debug, Clone)]
pub(super) struct MetaPolicy {
    pub(super) position: usize,
    pub(super) content: String,
}

/// A page that sends its visitors on.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) url: String,
    pub(super) evidence: String,
}

/// A longer wait is a page that visitors read.
const MAX_REFRESH_SECONDS: u32 = 10;

impl PageTags {
    pub(super) fn read(html: &str) -> Self {
        let mut reader = Reader::new(html, Place::Document);
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

struct Reader<'a> {
    html: &'a str,
    /// Where everything of this text is.
    place: Place,
    tags: PageTags,
    position: usize,
    in_head: bool,
    templates: usize,
    foreign: usize,
    noframes: usize,
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
            tags: PageTags::default(),
            position: 0,
            in_head: true,
            templates: 0,
            foreign: 0,
            noframes: 0,
            inside: None,
        }
    }

    fn run(&mut self) {
        let emitter = DefaultEmitter::<usize>::new_with_span();
        let mut tokenizer = Tokenizer::new_with_emitter(self.html, emitter);
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
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        self.close_text();
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
        let is_foreign = matches!(name.as_str(), "svg" | "math");
        if is_foreign && !tag.self_closing {
            self.foreign += 1;
        }
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
        ) && self.templates == 0
        {
            self.in_head = false;
        }
        let written = self.written(tag, &name, &attributes);
        self.element(&name, attributes, written);
        if self.foreign > 0 {
            // There, text is markup, and a tag may close itself.
            if tag.self_closing {
                self.end(&name);
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

    /// The tag as it is written in the page, for evidence.
    fn written(
        &self,
        tag: &StartTag<usize>,
        name: &str,
        attributes: &BTreeMap<String, String>,
    ) -> String {
        let slice = self.html.get(tag.span.start..);
        let slice = slice.filter(|slice| {
            slice.starts_with('<')
                && slice
                    .get(1..=name.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        let length = tag.span.end.saturating_sub(tag.span.start);
        let written = slice.and_then(|slice| slice.get(..length));
        if let Some(written) = written.filter(|written| written.ends_with('>')) {
            return evidence::of_tag(written);
        }
        let attributes: String = attributes
            .iter()
            .map(|(name, value)| match value.as_str() {
                "" => format!(" {name}"),
                value => format!(" {name}=\"{value}\""),
            })
            .collect();
        evidence::of_tag(&format!("<{name}{attributes}>"))
    }

    fn element(&mut self, name: &str, attributes: BTreeMap<String, String>, written: String) {
        let attribute = |name: &str| attributes.get(name).map(|value| value.trim().to_owned());
        let is_live = self.place == Place::Document && self.templates == 0 && self.noframes == 0;
        match name {
            "template" => self.templates += 1,
            "noframes" => self.noframes += 1,
            "script" => {
                let place = if self.templates > 0 {
                    Place::Template
                } else {
                    self.place
                };
                self.inside = Some(Inside {
                    name: name.to_owned(),
                    script: Some(ScriptTag {
                        position: self.position,
                        attributes,
                        evidence: written,
                        text: String::new(),
                        place,
                    }),
                    text: String::new(),
                });
                return;
            }
            "base" if is_live && self.tags.base.is_none() => self.tags.base = attribute("href"),
            "meta" if is_live => self.meta(&attributes, &written),
            "frameset" if is_live => self.tags.has_frameset = true,
            "iframe" | "frame" if is_live => {
                if let Some(src) = attribute("src") {
                    self.tags.frames.push(src);
                }
            }
            _ => {}
        }
        if !is_live {
            return;
        }
        if let Some(id) = attribute("data-web-widget") {
            self.tags.named.push(NamedWidget {
                id,
                service: attribute("data-service"),
                evidence: written.clone(),
            });
        }
        for (key, value) in &attributes {
            if key == "id" || key.starts_with("data-") || key.starts_with("ng-") {
                self.mark(key, value);
            }
            if value.contains(PATH) && !matches!(name, "link" | "a") {
                self.tags.mentions.push(Mention {
                    element: name.to_owned(),
                    evidence: written.clone(),
                    is_script: false,
                    text: value.clone(),
                });
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
        match name {
            "template" => self.templates = self.templates.saturating_sub(1),
            "noframes" => self.noframes = self.noframes.saturating_sub(1),
            "svg" | "math" => self.foreign = self.foreign.saturating_sub(1),
            _ => {}
        }
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
        if self.templates == 0 {
            self.in_head = false;
            self.tags.visible_text += trimmed.len();
        }
        self.mention("text", text, false);
    }

    fn mention(&mut self, element: &str, text: &str, is_script: bool) {
        let plain = text.replace("\\/", "/").replace("\\u002F", "/");
        if let Some(start) = plain.find(PATH) {
            self.tags.mentions.push(Mention {
                element: element.to_owned(),
                evidence: evidence::around(&plain, start),
                is_script,
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
            ("noscript" | "noframes" | "noembed", None) => self.hide(Place::Noscript, &text),
            ("style", None) => {}
            _ => self.mention(&name, &text, false),
        }
    }

    fn script(&mut self, script: ScriptTag) {
        match script.place {
            Place::Document => {
                if !script.has("src") && !script.text.trim().is_empty() {
                    let is_script = Kind::of(&script).runs();
                    let text = script.text.clone();
                    self.mention("script", &text, is_script);
                }
                self.tags.scripts.push(script);
            }
            place => self.tags.hidden.push(HiddenTag { place, script }),
        }
    }

    fn comment(&mut self, text: &str) {
        if text.contains(PATH) {
            self.hide(Place::Comment, text);
        }
    }

    /// Reads a text that the browser does not read as markup, for the snippets in it.
    fn hide(&mut self, place: Place, text: &str) {
        // The text of a comment has no comments; what is nested more deeply is not searched.
        if self.place != Place::Document || !text.contains(PATH) {
            return;
        }
        let mut reader = Reader::new(text, place);
        reader.run();
        let found = reader.tags;
        if found.hidden.is_empty() {
            self.mention("comment", text, false);
        }
        self.tags.hidden.extend(found.hidden);
    }
}

/// The address of a refresh that comes soon: `0; url=https://…`.
fn read_refresh(content: &str) -> Option<String> {
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
