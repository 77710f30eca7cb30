//! Version 1 of the config document: its keys, defaults and limits.
//!
//! Each record below is the definition of keys in `docs/config.md`: `key: type = default => what
//! is allowed`. Once a `v2` exists these definitions stay as they are, with those of forms and
//! values: `v1` documents are still read by them, and then migrated to `v2`.
//!
//! ```
//! use widget_core::config::{Config, v1::{ConfigV1, Theme}};
//! use widget_core::mode::Mode;
//!
//! let config = Config::parse(r#"{"v1": {"theme": "dark", "chat": {"width": 420}}}"#)?;
//! let v1: &ConfigV1 = config.current();
//! assert_eq!((v1.theme, v1.chat.width), (Theme::Dark, 420));
//! // What the document leaves out has its default.
//! assert_eq!(v1.chat.height, ConfigV1::default().chat.height);
//! assert!(v1.is_enabled(Mode::Text));
//! # Ok::<(), widget_core::config::ConfigError>(())
//! ```

mod reading;
mod warnings;

use std::borrow::Cow;
use std::mem;

use serde_json::{Map, Value, json};

use super::surface::PAGE;
use super::values::{ActionUrl, ColorSetting, Locale, WebUrl};
use crate::check::{
    Definitions, Kind as _, boolean, choice, dependent, example, integer, list, nullable, optional,
    record, settings, text, union, written,
};
use crate::choice::choices;
use crate::color::{Color, MIN_PROMINENCE};
use crate::form::FormDefinition;
use crate::mode::Mode;

choices! {
    /// Which of the two palettes a widget is drawn in.
    pub enum Theme {
        /// As the visitor's system says.
        System = "system",
        /// Always light.
        Light = "light",
        /// Always dark.
        Dark = "dark",
    }
}

choices! {
    /// An outline.
    pub enum Shape {
        /// Round.
        Circle = "circle",
        /// A square with rounded corners.
        Square = "square",
    }
}

choices! {
    /// A corner of the page.
    pub enum Position {
        /// Bottom right.
        BottomRight = "bottom-right",
        /// Bottom left.
        BottomLeft = "bottom-left",
        /// Top right.
        TopRight = "top-right",
        /// Top left.
        TopLeft = "top-left",
    }
}

settings! {
    /// The look and behavior of a widget, version 1.
    pub struct ConfigV1 {
        /// Which palette the widget is drawn in; `system` follows the visitor's.
        pub theme: Theme = Theme::System => choice(),
        /// The language of the widget's own words, as a BCP 47 tag; null: the visitor's browser.
        pub locale: Option<Locale> = None => nullable(written()),
        /// The launcher: the bubble on the page before anything is opened.
        pub trigger: Trigger = Trigger::default() => record(),
        /// The window of the conversation.
        pub chat: Chat = Chat::default() => record(),
        /// The ways in which a visitor can talk to the agent; at least one.
        pub modes: Modes = Modes::default() => record(),
        /// The mode in which a conversation starts; it must be enabled. Left out: `text`, or the
        /// only enabled mode.
        pub default_mode: Mode = Mode::Text => dependent(choice()),
        /// Whether opening the window starts the conversation.
        pub start_conversation_on_toggle: bool = false => boolean(),
        /// Questions above the closed launcher; a tap opens the window and sends it.
        pub suggested_questions: Vec<String> = Vec::new()
            => list(example(text(1, Some(120)), "What are your opening hours?"), 0, 6),
        /// Buttons inside the window.
        pub quick_actions: Vec<QuickAction> = Vec::new() => list(record(), 0, 8).unique("id"),
        /// What visitors read before the first message.
        pub notice: Notice = Notice::default() => record(),
        /// What visitors read when no agent answers.
        pub fallback: Fallback = Fallback::default() => record(),
        /// A form that must be submitted before the conversation; its values go into the
        /// conversation's custom metadata.
        pub pre_conversation_form: Option<FormDefinition> = None => nullable(record()),
        /// Whether a visitor is asked the form before the conversation only once; a changed form
        /// is asked again, filled in with the earlier answers.
        pub pre_conversation_show_once: bool = true => boolean(),
        /// Forms that the agent can show in the middle of a conversation.
        pub forms: Vec<FormDefinition> = Vec::new() => list(record(), 0, 20).unique("id"),
        /// What the visitor is asked after the conversation.
        pub post_conversation_feedback: PostConversationFeedback
            = PostConversationFeedback::default() => record(),
    }
    refine_schema = require_enabled_default_mode;
}

settings! {
    /// The launcher: the bubble on the page before anything is opened.
    pub struct Trigger {
        /// The outline of the launcher.
        pub shape: Shape = Shape::Circle => choice(),
        /// The side length in CSS pixels; presets: XS 40, S 48, M 56, L 64, XL 72.
        pub size: u16 = 56 => integer(32, 96),
        /// The corner of the page.
        pub position: Position = Position::BottomRight => choice(),
        /// The distance from the side of the page, in CSS pixels.
        pub offset_x: u16 = 20 => integer(0, 400),
        /// The distance from the top or bottom of the page, in CSS pixels.
        pub offset_y: u16 = 20 => integer(0, 400),
        /// The place in the stack of the page's layers.
        pub z_index: u32 = 2_147_483_000 => integer(0, 2_147_483_647),
        /// The picture on the launcher; null: the built-in one.
        pub icon_url: Option<WebUrl> = None => nullable(written()),
        /// Words beside the picture; null: none.
        pub label: Option<String> = None => nullable(example(text(0, Some(40)), "Ask us")),
    }
}

settings! {
    /// The window of the conversation.
    pub struct Chat {
        /// The heading.
        pub title: String = String::new()
            => example(text(0, Some(MAX_TITLE_CHARACTERS)), "Ask the shop"),
        /// The line under the heading.
        pub subtitle: String = String::new()
            => example(text(0, Some(120)), "We answer at any time"),
        /// What is shown before the first message.
        pub greeting: String = String::new()
            => example(text(0, Some(500)), "Hello! What can we do for you?"),
        /// What the empty input says; empty: a localized default.
        pub placeholder: String = String::new() => text(0, Some(120)),
        /// The picture of the agent; null: none.
        pub avatar_url: Option<WebUrl> = None => nullable(written()),
        /// The picture in the heading; null: none.
        pub logo_url: Option<WebUrl> = None => nullable(written()),
        /// The outline of the agent's picture. Left out: that of the launcher.
        pub avatar_shape: Shape = Shape::Circle => dependent(choice()),
        /// The width in CSS pixels; on a screen less than 480 wide or high the window fills it.
        pub width: u16 = 400 => integer(280, 640),
        /// The height in CSS pixels; on a screen less than 480 wide or high the window fills it.
        pub height: u16 = 640 => integer(360, 960),
        /// The colors of the light palette.
        pub light_mode: Palette = Palette::default() => record(),
        /// The colors of the dark palette.
        pub dark_mode: Palette = Palette::default() => record(),
    }
}

settings! {
    /// The colors of one palette. A contrast below 4.5:1 between text and background is a
    /// warning; where only the background is given, a readable text color is derived.
    pub struct Palette {
        /// The backgrounds.
        pub background_color: PaletteColors = PaletteColors::default() => record(),
        /// The texts on them.
        pub text_color: PaletteColors = PaletteColors::default() => record(),
    }
}

settings! {
    /// The colors of the parts that can be colored.
    pub struct PaletteColors {
        /// The visitor's messages; empty background: the built-in one, and in the dark palette
        /// that of the light one, made lighter if needed; empty text: one that is readable on the
        /// background.
        pub user_message: ColorSetting = ColorSetting::BUILT_IN => written(),
        /// The launcher and the buttons; empty background: the built-in one, and in the dark
        /// palette that of the light one, made lighter if needed; empty text: one that is readable
        /// on the background.
        pub controls_button: ColorSetting = ColorSetting::BUILT_IN => written(),
    }
}

settings! {
    /// The ways in which a visitor can talk to the agent; at least one must be on.
    pub struct Modes {
        /// Typing.
        pub text: bool = true => boolean(),
        /// Speaking.
        pub voice: bool = true => boolean(),
    }
    refine_schema = require_one_mode;
}

settings! {
    /// What visitors read before the first message.
    pub struct Notice {
        /// Words of the owner, shown after the fixed, localized sentence that the visitor talks to
        /// an AI agent; left out: that sentence alone.
        pub text: Option<String> = None => optional(text(0, Some(300))),
        /// Where the privacy policy is; null: nowhere.
        pub privacy_url: Option<WebUrl> = None => nullable(written()),
        /// Whether the visitor must accept before a conversation starts.
        pub consent_required: bool = false => boolean(),
    }
}

settings! {
    /// What visitors read when no agent answers: where else to turn.
    pub struct Fallback {
        /// The words; left out: localized ones.
        pub text: Option<String> = None => optional(text(0, Some(300))),
        /// Where to turn; null: nowhere.
        pub url: Option<WebUrl> = None => nullable(written()),
    }
}

settings! {
    /// What the visitor is asked after the conversation.
    pub struct PostConversationFeedback {
        /// Whether anything is asked.
        pub enabled: bool = false => boolean(),
        /// What is said when the answer has been sent.
        pub thank_you_text: String = String::new()
            => example(text(0, Some(300)), "Thank you, we read every answer."),
        /// The form; null: a rating from 1 to 5 (`rating`) and a comment (`comment`), whose labels
        /// are localized.
        pub form: Option<FormDefinition> = None => nullable(record()),
    }
}

impl Chat {
    /// The dark palette as it is drawn: a background that only the light palette has is used in
    /// the dark one as well, made light enough to stand out there.
    pub(super) fn drawn_dark_mode(&self) -> Palette {
        let mut palette = self.dark_mode.clone();
        let (light, dark) = (
            &self.light_mode.background_color,
            &mut palette.background_color,
        );
        for (from, to) in [
            (light.user_message, &mut dark.user_message),
            (light.controls_button, &mut dark.controls_button),
        ] {
            if let (Some(color), None) = (from.color(), to.color()) {
                *to = color.made_to_contrast(PAGE.dark, MIN_PROMINENCE).into();
            }
        }
        palette
    }
}

impl PostConversationFeedback {
    /// The form that is asked: the owner's, or [`FormDefinition::default_feedback`].
    #[must_use]
    pub fn effective_form(&self) -> Cow<'_, FormDefinition> {
        match &self.form {
            Some(form) => Cow::Borrowed(form),
            None => Cow::Owned(FormDefinition::default_feedback()),
        }
    }
}

settings! {
    /// A button inside the window.
    pub struct QuickAction {
        /// The id of the button, unique in the list.
        pub id: String => example(text(1, Some(64)), "prices"),
        /// What the button says.
        pub label: String => example(text(1, Some(40)), "Prices"),
        /// What the button does.
        pub action: Action => union(),
    }
}

settings! {
    /// What a quick action does.
    pub enum Action {
        /// What the button does.
        tag "type": ActionType,
        /// Sends a message in the visitor's name.
        SendMessage = "send_message" {
            /// The message.
            text: String => example(text(1, None), "How much is delivery?"),
        },
        /// Opens an address in a new tab.
        OpenUrl = "open_url" {
            /// The address.
            url: ActionUrl => written(),
        },
        /// Changes to the voice mode.
        StartVoice = "start_voice",
        /// Shows one of the config's `forms`.
        ShowForm = "show_form" {
            /// The id of one of the config's `forms`.
            form_id: String => example(text(1, None), "contact"),
        },
    }
}

/// Written as one `not`: from an `anyOf` of constants, generators make Python that does not run.
fn require_one_mode(schema: &mut Map<String, Value>) {
    schema.insert(
        "not".to_owned(),
        json!({
            "properties": {"text": {"const": false}, "voice": {"const": false}},
            "required": ["text", "voice"],
        }),
    );
}

fn require_enabled_default_mode(schema: &mut Map<String, Value>) {
    let only = |off: &str, left: &str| {
        json!({
            "if": {
                "required": ["modes"],
                "properties": {
                    "modes": {"required": [off], "properties": {off: {"const": false}}}
                },
            },
            "then": {"properties": {"default_mode": {"const": left}}},
        })
    };
    schema.insert(
        "allOf".to_owned(),
        json!([only("text", "voice"), only("voice", "text")]),
    );
}

impl ConfigV1 {
    /// Whether visitors can talk to the agent in this way.
    #[must_use]
    pub fn is_enabled(&self, mode: Mode) -> bool {
        match mode {
            Mode::Text => self.modes.text,
            Mode::Voice => self.modes.voice,
        }
    }

    /// The modes that visitors may use.
    #[must_use]
    pub fn enabled_modes(&self) -> Vec<Mode> {
        let modes = Mode::ALL.iter().copied();
        modes.filter(|mode| self.is_enabled(*mode)).collect()
    }

    /// The mode that the action needs, where that is not enabled: it does nothing.
    pub(super) fn missing_mode(&self, action: &Action) -> Option<Mode> {
        let needed = match action {
            Action::SendMessage { .. } => Mode::Text,
            Action::StartVoice => Mode::Voice,
            Action::OpenUrl { .. } | Action::ShowForm { .. } => return None,
        };
        Some(needed).filter(|mode| !self.is_enabled(*mode))
    }

    /// Leaves out the buttons and questions that do nothing in the enabled modes.
    pub(super) fn remove_what_has_no_effect(&mut self) {
        let mut actions = mem::take(&mut self.quick_actions);
        actions.retain(|button| self.missing_mode(&button.action).is_none());
        self.quick_actions = actions;
        if !self.modes.text {
            self.suggested_questions.clear();
        }
    }
}

/// The longest heading of a window.
pub(crate) const MAX_TITLE_CHARACTERS: usize = 60;

/// The built-in color of buttons and of the visitor's messages, in light and in dark; the text
/// on it is white.
pub const BUILT_IN_BACKGROUND: Color = Color::new(0x24, 0x50, 0xd8);

/// The JSON Schema of a `v1` document, its records among `definitions`.
pub(super) fn schema(definitions: &mut Definitions) -> Map<String, Value> {
    record::<ConfigV1>().schema(definitions)
}
