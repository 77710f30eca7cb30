//! How a `v1` document is read: its records, the rules between them, and the defaults that depend
//! on other keys.

use serde_json::{Map, Value};

use super::ConfigV1;
use super::warnings;
use crate::check::{Context, read_record};
use crate::config::version::{First, Version};
use crate::finding::Code;
use crate::mode::Mode;

impl Version for ConfigV1 {
    const NUMBER: u64 = 1;
    type Previous = First;

    fn read(document: &Map<String, Value>, context: &mut Context) -> Self {
        let mut config: Self = read_record(document, context).unwrap_or_default();
        config.check_modes(document, context);
        config.resolve(document);
        config
    }

    fn migrate(previous: First) -> Self {
        match previous {}
    }

    fn warn(&self, context: &mut Context) {
        warnings::warn(self, context);
    }
}

impl ConfigV1 {
    fn check_modes(&self, document: &Map<String, Value>, context: &mut Context) {
        if !self.modes.text && !self.modes.voice {
            context.below("modes", |context| {
                let detail = "`text` and `voice` are both false, at least one must be true";
                context.fault(Code::ModeMissing, detail.to_owned(), None);
            });
        } else if document.contains_key("default_mode") && !self.is_enabled(self.default_mode) {
            context.below("default_mode", |context| {
                let detail = format!(
                    "`{mode}` is not an enabled mode: `modes.{mode}` is false",
                    mode = self.default_mode
                );
                let hint = format!(
                    "enable `modes.{}`, or leave `default_mode` out",
                    self.default_mode
                );
                context.fault(Code::ModeDisabled, detail, Some(hint));
            });
        }
    }

    /// Fills in the defaults that depend on other keys.
    fn resolve(&mut self, document: &Map<String, Value>) {
        let chat = document.get("chat");
        if !document.contains_key("default_mode") && !self.modes.text {
            self.default_mode = Mode::Voice;
        }
        if chat.and_then(|chat| chat.get("avatar_shape")).is_none() {
            self.chat.avatar_shape = self.trigger.shape;
        }
        for palette in [&mut self.chat.light_mode, &mut self.chat.dark_mode] {
            let backgrounds = &palette.background_color;
            let texts = &mut palette.text_color;
            for (background, text) in [
                (backgrounds.user_message, &mut texts.user_message),
                (backgrounds.controls_button, &mut texts.controls_button),
            ] {
                if let (Some(background), None) = (background.color(), text.color()) {
                    *text = background.readable_text().into();
                }
            }
        }
    }
}
