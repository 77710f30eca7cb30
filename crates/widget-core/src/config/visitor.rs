//! What a visitor's browser gets of a config: finished values, with nothing left for it to decide.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::current::Current;
use super::document::Config;
use super::surface::RAISED;
use super::v1::{self, BUILT_IN_BACKGROUND, Chat, ConfigV1, Fallback, Palette, Theme, Trigger};
use super::values::{ColorSetting, Direction, Locale, WebUrl};
use crate::check::{Definitions, paragraph};
use crate::color::{Color, MIN_PROMINENCE};
use crate::form::FormDefinition;

/// What the window of the conversation draws: the whole config, where every color is filled in and
/// readable, the feedback has a form, and nothing is offered that does nothing in the enabled
/// modes.
///
/// The labels of the built-in feedback form are empty: the window localizes them by the fields'
/// ids, see [`FormDefinition::default_feedback`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowConfig {
    #[serde(flatten)]
    config: Current,
    edges: Edges,
}

/// What stands out from the window where the colors of a palette may be too pale or too dark to:
/// borders of messages and buttons, the focus ring, the sphere of a call. A color that stands out
/// is its own edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Edges {
    /// On the light surfaces of the window.
    pub light_mode: PaletteEdges,
    /// On the dark ones.
    pub dark_mode: PaletteEdges,
}

/// The edges of one palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PaletteEdges {
    /// Of the visitor's messages.
    pub user_message: Color,
    /// Of the launcher and the buttons.
    pub controls_button: Color,
}

impl PaletteEdges {
    fn of(palette: &Palette, surface: Color) -> Self {
        let edge = |background: ColorSetting| {
            background
                .color()
                .unwrap_or(BUILT_IN_BACKGROUND)
                .made_to_contrast(surface, MIN_PROMINENCE)
        };
        Self {
            user_message: edge(palette.background_color.user_message),
            controls_button: edge(palette.background_color.controls_button),
        }
    }
}

impl WindowConfig {
    /// The finished values.
    #[must_use]
    pub const fn values(&self) -> &Current {
        &self.config
    }

    /// What stands out where the colors of the palettes do not.
    #[must_use]
    pub const fn edges(&self) -> Edges {
        self.edges
    }

    /// The title of the document: that of the chat, or `Chat`, because a frame needs a name.
    #[must_use]
    pub fn title(&self) -> &str {
        match self.config.chat.title.as_str() {
            "" => "Chat",
            title => title,
        }
    }

    /// The language of the document: the configured one, or that of the built-in texts.
    #[must_use]
    pub fn language(&self) -> &str {
        self.config.locale.as_ref().map_or("en", Locale::as_str)
    }

    /// The direction in which that language is written.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let locale = self.config.locale.as_ref();
        locale.map_or(Direction::LeftToRight, Locale::direction)
    }
}

/// Defines a record that is a part of another one: some of its keys as they are, some that are null
/// where the document leaves them out, and some as parts themselves.
macro_rules! part {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident of $whole:ident {
            keys { $($key:ident: $type:ty,)* }
            or_null { $($null_key:ident: $null_type:ty,)* }
            parts { $($part_key:ident: $part:ident,)* }
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                #[doc = concat!("As [`", stringify!($whole), "::", stringify!($key), "`].")]
                pub $key: $type,
            )*
            $(
                #[doc = concat!("As [`", stringify!($whole), "::", stringify!($null_key), "`].")]
                pub $null_key: $null_type,
            )*
            $(
                #[doc = concat!("Of [`", stringify!($whole), "::", stringify!($part_key), "`].")]
                pub $part_key: $part,
            )*
        }

        impl $name {
            fn of(whole: &$whole) -> Self {
                Self {
                    $($key: whole.$key.clone(),)*
                    $($null_key: whole.$null_key.clone(),)*
                    $($part_key: $part::of(&whole.$part_key),)*
                }
            }

            fn describe(definitions: &mut Definitions) {
                $($part::describe(definitions);)*
                let properties = &definitions[stringify!($whole)]["properties"];
                let mut picked = Map::new();
                $(picked.insert(stringify!($key).to_owned(), properties[stringify!($key)].clone());)*
                $(
                    let mut property = properties[stringify!($null_key)].clone();
                    property["type"] = json!([property["type"], "null"]);
                    picked.insert(stringify!($null_key).to_owned(), property);
                )*
                $(
                    let description = &properties[stringify!($part_key)]["description"];
                    let reference = concat!("#/$defs/", stringify!($part));
                    let part = json!({"description": description, "$ref": reference});
                    picked.insert(stringify!($part_key).to_owned(), part);
                )*
                let required: Vec<&String> = picked.keys().collect();
                let schema = json!({
                    "description": paragraph(&[$($doc),*]),
                    "type": "object",
                    "required": required,
                    "properties": picked,
                });
                definitions.insert(stringify!($name).to_owned(), schema);
            }
        }
    };
}

part! {
    /// What the launcher draws on a host page. Anybody may see it.
    pub struct LauncherConfig of ConfigV1 {
        keys {
            theme: Theme,
            locale: Option<Locale>,
            trigger: Trigger,
            suggested_questions: Vec<String>,
            start_conversation_on_toggle: bool,
        }
        or_null {}
        parts {
            fallback: LauncherFallback,
            chat: LauncherChat,
        }
    }
}

part! {
    /// What the launcher draws of the window: the name, size and colors of its frame.
    pub struct LauncherChat of Chat {
        keys {
            title: String,
            width: u16,
            height: u16,
            light_mode: Palette,
            dark_mode: Palette,
        }
        or_null {}
        parts {}
    }
}

part! {
    /// Where else the visitor can turn when the window cannot be loaded.
    pub struct LauncherFallback of Fallback {
        keys {
            url: Option<WebUrl>,
        }
        or_null {
            text: Option<String>,
        }
        parts {}
    }
}

impl Config {
    /// What the window of the conversation draws.
    ///
    /// ```
    /// use widget_core::config::Config;
    ///
    /// let window = Config::parse(
    ///     r##"{"v1": {"chat": {"dark_mode":
    ///         {"background_color": {"user_message": "#ffcc00"}}}}}"##,
    /// )?
    /// .for_window();
    /// let text = &window.values().chat.dark_mode.text_color;
    /// assert_eq!(text.user_message.to_string(), "#111111");
    /// assert_eq!(text.controls_button.to_string(), "#ffffff");
    /// # Ok::<(), widget_core::config::ConfigError>(())
    /// ```
    #[must_use]
    pub fn for_window(&self) -> WindowConfig {
        let mut config = self.current().clone();
        config.remove_what_has_no_effect();
        let chat = &mut config.chat;
        chat.dark_mode = chat.drawn_dark_mode();
        finish_colors(&mut chat.light_mode);
        finish_colors(&mut chat.dark_mode);
        let edges = Edges {
            light_mode: PaletteEdges::of(&chat.light_mode, RAISED.light),
            dark_mode: PaletteEdges::of(&chat.dark_mode, RAISED.dark),
        };
        config
            .post_conversation_feedback
            .form
            .get_or_insert_with(FormDefinition::default_feedback);
        WindowConfig { config, edges }
    }

    /// What the launcher draws on a host page.
    #[must_use]
    pub fn for_launcher(&self) -> LauncherConfig {
        LauncherConfig::of(self.for_window().values())
    }
}

/// The JSON Schema (2020-12) of [`LauncherConfig`], with the definitions of everything in it and
/// of the config.
#[must_use]
pub fn launcher_json_schema() -> Value {
    let mut definitions = Map::new();
    v1::schema(&mut definitions);
    LauncherConfig::describe(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LauncherConfig",
        "$ref": "#/$defs/LauncherConfig",
        "$defs": definitions,
    })
}

fn finish_colors(palette: &mut Palette) {
    let Palette {
        background_color: backgrounds,
        text_color: texts,
    } = palette;
    for (background, text) in [
        (&mut backgrounds.user_message, &mut texts.user_message),
        (&mut backgrounds.controls_button, &mut texts.controls_button),
    ] {
        let ground = background.color().unwrap_or(BUILT_IN_BACKGROUND);
        let readable = text.color().unwrap_or_else(|| ground.readable_text());
        *background = ground.into();
        *text = readable.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::color::MIN_CONTRAST;
    use crate::config::surface::{PAGE, Surface};

    fn config(v1: &Value) -> Config {
        Config::from_value(json!({ "v1": v1 })).expect("a valid config")
    }

    fn colors(palette: &Palette) -> [(Color, Color); 2] {
        let (grounds, texts) = (&palette.background_color, &palette.text_color);
        let color = |setting: ColorSetting| setting.color().expect("a finished color");
        [
            (color(grounds.user_message), color(texts.user_message)),
            (color(grounds.controls_button), color(texts.controls_button)),
        ]
    }

    #[test]
    fn the_surfaces_are_those_of_the_style_sheet() {
        let sheet = include_str!("../../../../embed/src/window/window.css");
        for (name, surface) in [("--page", PAGE), ("--raised", RAISED)] {
            let Surface { light, dark } = surface;
            let line = format!("\n  {name}: light-dark({light}, {dark});\n");
            assert!(sheet.contains(&line), "{line}");
        }
    }

    #[test]
    fn every_color_is_filled_in_and_readable() {
        for background in ["", "#fff", "#000", "#fc0", "#2450d8", "#777", "#808080"] {
            let mode = json!({"background_color": {
                "user_message": background, "controls_button": background}});
            let config = config(&json!({"chat": {"light_mode": mode}}));
            let (window, launcher) = (config.for_window(), config.for_launcher());
            for palette in [&window.values().chat.light_mode, &launcher.chat.light_mode] {
                for (ground, text) in colors(palette) {
                    assert!(text.contrast(ground) >= MIN_CONTRAST, "{text} on {ground}");
                }
            }
        }
    }

    #[test]
    fn the_dark_palette_follows_the_light_one_where_it_says_nothing() {
        let dark = |chat: &Value| {
            let config = config(&json!({ "chat": chat }));
            colors(&config.for_launcher().chat.dark_mode).map(|(ground, _)| ground.to_string())
        };
        let brand = |color: &str| json!({"background_color": {"controls_button": color}});
        let built_in = BUILT_IN_BACKGROUND.to_string();
        assert_eq!(dark(&json!({})), [built_in.clone(), built_in.clone()]);
        // Light enough as it is, and made so.
        assert_eq!(dark(&json!({"light_mode": brand("#fc0")}))[1], "#ffcc00");
        let [message, button] = dark(&json!({"light_mode": brand("#004000")}));
        assert_eq!(message, built_in);
        let button: Color = button.parse().expect("a color");
        assert!(button.contrast(PAGE.dark) >= MIN_PROMINENCE, "{button}");
        let both = json!({"light_mode": brand("#004000"), "dark_mode": brand("#123456")});
        assert_eq!(dark(&both)[1], "#123456");
    }

    #[test]
    fn the_warnings_are_about_the_colors_that_are_drawn() {
        let colors = ["", "#fff", "#ffd400", "#777", "#2450d8", "#004000", "#000"];
        let all = || {
            colors
                .iter()
                .flat_map(|one| colors.map(|other| (*one, other)))
        };
        for ((light, dark), (light_text, dark_text)) in
            all().flat_map(|grounds| all().map(move |texts| (grounds, texts)))
        {
            let mode = |ground: &str, text: &str| {
                json!({"background_color": {"controls_button": ground},
                    "text_color": {"controls_button": text}})
            };
            let chat = json!({"light_mode": mode(light, light_text),
                "dark_mode": mode(dark, dark_text)});
            let config = config(&json!({ "chat": chat }));
            let drawn = config.for_window();
            let warned: Vec<_> = config
                .warnings()
                .into_iter()
                .filter_map(|finding| finding.pointer)
                .collect();
            for (mode, palette) in [
                ("light_mode", &drawn.values().chat.light_mode),
                ("dark_mode", &drawn.values().chat.dark_mode),
            ] {
                let (ground, text) = self::colors(palette)[1];
                let pointer = format!("/config/v1/chat/{mode}/text_color/controls_button");
                let is_low = text.contrast(ground) < MIN_CONTRAST;
                assert_eq!(warned.contains(&pointer), is_low, "{mode} of {chat}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn an_edge_stands_out_on_every_surface(red: u8, green: u8, blue: u8) {
            let color = Color::new(red, green, blue).to_string();
            let mode = json!({"background_color": {
                "user_message": color, "controls_button": color}});
            let chat = json!({"light_mode": mode, "dark_mode": mode});
            let edges = config(&json!({ "chat": chat })).for_window().edges();
            for (edges, surfaces) in [
                (edges.light_mode, [RAISED.light, PAGE.light]),
                (edges.dark_mode, [RAISED.dark, PAGE.dark]),
            ] {
                for edge in [edges.user_message, edges.controls_button] {
                    for surface in surfaces {
                        proptest::prop_assert!(edge.contrast(surface) >= MIN_PROMINENCE);
                    }
                }
            }
        }
    }

    #[test]
    fn chosen_colors_stay() {
        let config = config(&json!({"chat": {"light_mode": {
            "background_color": {"user_message": "#ffffff"},
            "text_color": {"user_message": "#eeeeee", "controls_button": "#fc0"},
        }}}));
        let color = |text: &str| text.parse::<Color>().expect("a color");
        assert_eq!(
            colors(&config.for_launcher().chat.light_mode),
            [
                (Color::WHITE, color("#eeeeee")),
                (BUILT_IN_BACKGROUND, color("#ffcc00"))
            ]
        );
    }

    #[test]
    fn the_document_has_a_title_and_a_language() {
        use Direction::{LeftToRight, RightToLeft};
        for (title, locale, expected) in [
            ("", None, ("Chat", "en", LeftToRight)),
            ("Ask us", Some("de-AT"), ("Ask us", "de-AT", LeftToRight)),
            ("", Some("he"), ("Chat", "he", RightToLeft)),
        ] {
            let window = config(&json!({"chat": {"title": title}, "locale": locale})).for_window();
            let found = (window.title(), window.language(), window.direction());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_does_nothing_in_the_enabled_modes_is_not_offered() {
        let button = |id: &str, action: Value| json!({"id": id, "label": id, "action": action});
        let all = json!([
            button("write", json!({"type": "send_message", "text": "Prices?"})),
            button("talk", json!({"type": "start_voice"})),
            button(
                "shop",
                json!({"type": "open_url", "url": "https://shop.example/"})
            ),
        ]);
        for (text, voice, buttons, questions) in [
            (true, true, vec!["write", "talk", "shop"], 1),
            (true, false, vec!["write", "shop"], 1),
            (false, true, vec!["talk", "shop"], 0),
        ] {
            let config = config(&json!({
                "modes": {"text": text, "voice": voice},
                "quick_actions": all,
                "suggested_questions": ["Are you open?"],
            }));
            let (window, launcher) = (config.for_window(), config.for_launcher());
            let values = window.values();
            let ids: Vec<_> = values.quick_actions.iter().map(|each| &each.id).collect();
            assert_eq!(ids, buttons);
            for offered in [&values.suggested_questions, &launcher.suggested_questions] {
                assert_eq!(offered.len(), questions, "text: {text}, voice: {voice}");
            }
        }
    }

    #[test]
    fn feedback_always_has_a_form() {
        let form = |config: &Config| {
            let window = config.for_window();
            window.values().post_conversation_feedback.form.clone()
        };
        assert_eq!(
            form(&Config::default()),
            Some(FormDefinition::default_feedback())
        );
        let own = json!({"id": "f", "fields": [{"id": "a", "type": "text", "label": "A"}]});
        let own = config(&json!({"post_conversation_feedback": {"form": own}}));
        assert_eq!(form(&own), own.current().post_conversation_feedback.form);
    }

    #[test]
    fn the_launcher_gets_what_its_schema_describes_and_no_more() {
        let schema = launcher_json_schema();
        let launcher = serde_json::to_value(Config::default().for_launcher()).expect("JSON");
        let keys = |value: &Value| -> Vec<String> {
            let object = value.as_object().expect("an object");
            object.keys().cloned().collect()
        };
        for (value, name) in [
            (&launcher, "LauncherConfig"),
            (&launcher["chat"], "LauncherChat"),
            (&launcher["fallback"], "LauncherFallback"),
        ] {
            let definition = &schema["$defs"][name];
            assert_eq!(keys(value), keys(&definition["properties"]), "{name}");
            assert_eq!(definition["required"], json!(keys(value)), "{name}");
            for property in definition["properties"].as_object().expect("keys").values() {
                assert!(property["description"].is_string(), "{name}: {property}");
            }
        }
    }
}
