//! What is valid in a `v1` document and still deserves a look: text that cannot be
//! read, and settings without effect.

use super::{Action, BUILT_IN_BACKGROUND, ConfigV1};
use crate::check::Context;
use crate::color::MIN_CONTRAST;
use crate::finding::Code;
use crate::mode::Mode;

/// Adds every warning about a valid document.
pub(super) fn warn(config: &ConfigV1, context: &mut Context) {
    config.warn_of_contrast(context);
    config.warn_of_actions(context);
    config.warn_of_what_has_no_effect(context);
    config.warn_of_loopback(context);
}

impl ConfigV1 {
    fn warn_of_contrast(&self, context: &mut Context) {
        let dark_mode = self.chat.drawn_dark_mode();
        for (mode, written, drawn) in [
            ("light_mode", &self.chat.light_mode, &self.chat.light_mode),
            ("dark_mode", &self.chat.dark_mode, &dark_mode),
        ] {
            let (texts, grounds) = (&drawn.text_color, &drawn.background_color);
            let written = &written.background_color;
            for (part, text, ground, written) in [
                (
                    "user_message",
                    texts.user_message,
                    grounds.user_message,
                    written.user_message,
                ),
                (
                    "controls_button",
                    texts.controls_button,
                    grounds.controls_button,
                    written.controls_button,
                ),
            ] {
                // Both built-in colors are readable, and so is a derived one.
                let Some(text) = text.color() else { continue };
                let origin = match (written.color(), ground.color()) {
                    (Some(_), _) => "",
                    (None, Some(_)) => "the background of the light palette, here ",
                    (None, None) => "the built-in ",
                };
                let ground = ground.color().unwrap_or(BUILT_IN_BACKGROUND);
                let ratio = text.contrast(ground);
                if ratio >= MIN_CONTRAST {
                    continue;
                }
                let pointer = ["chat", mode, "text_color", part];
                context.at(&pointer, |context| {
                    let detail = format!(
                        "`{text}` on {origin}`{ground}` has a contrast of {}:1, WCAG 2.2 AA asks \
                         for {MIN_CONTRAST}:1",
                        rounded_down(ratio)
                    );
                    let hint = format!("`{}` is readable there", text.made_readable_on(ground));
                    context.warn(Code::ContrastLow, detail, Some(hint));
                });
            }
        }
    }

    fn warn_of_actions(&self, context: &mut Context) {
        for (index, quick_action) in self.quick_actions.iter().enumerate() {
            let index = index.to_string();
            match &quick_action.action {
                Action::ShowForm { form_id }
                    if !self.forms.iter().any(|form| form.id == *form_id) =>
                {
                    context.at(&["quick_actions", &index, "action", "form_id"], |context| {
                        let detail = format!("`{form_id}` is not the id of a form in `forms`");
                        let hint = if self.forms.is_empty() {
                            "define the form in `forms`".to_owned()
                        } else {
                            let ids: Vec<String> = self
                                .forms
                                .iter()
                                .map(|form| format!("`{}`", form.id))
                                .collect();
                            format!("the forms are {}", ids.join(", "))
                        };
                        context.warn(Code::FormNotFound, detail, Some(hint));
                    });
                }
                action => {
                    let Some(mode) = self.missing_mode(action) else {
                        continue;
                    };
                    let (name, code) = match mode {
                        Mode::Text => ("send_message", Code::TextDisabled),
                        Mode::Voice => ("start_voice", Code::VoiceDisabled),
                    };
                    context.at(&["quick_actions", &index, "action"], |context| {
                        let detail = format!("`{name}` does nothing: `modes.{mode}` is false");
                        let hint = format!("enable `modes.{mode}`, or remove the action");
                        context.warn(code, detail, Some(hint));
                    });
                }
            }
        }
    }

    fn warn_of_what_has_no_effect(&self, context: &mut Context) {
        if !self.modes.text && !self.suggested_questions.is_empty() {
            context.at(&["suggested_questions"], |context| {
                let detail = "suggested questions are sent as text, but `modes.text` is false";
                let hint = "enable `modes.text`, or remove them";
                context.warn(Code::TextDisabled, detail.to_owned(), Some(hint.to_owned()));
            });
        }
        for (index, question) in self.suggested_questions.iter().enumerate() {
            if self
                .suggested_questions
                .iter()
                .take(index)
                .any(|earlier| earlier == question)
            {
                context.at(&["suggested_questions", &index.to_string()], |context| {
                    let detail = format!("`{question}` is suggested twice");
                    context.warn(Code::QuestionDuplicate, detail, None);
                });
            }
        }
        let feedback = &self.post_conversation_feedback;
        if !feedback.enabled && (feedback.form.is_some() || !feedback.thank_you_text.is_empty()) {
            context.at(&["post_conversation_feedback"], |context| {
                let detail = "the feedback is never asked for: `enabled` is false";
                let hint = "set `post_conversation_feedback.enabled` to true";
                context.warn(
                    Code::FeedbackDisabled,
                    detail.to_owned(),
                    Some(hint.to_owned()),
                );
            });
        }
        if self.start_conversation_on_toggle {
            let first = if self.pre_conversation_form.is_some() {
                "the form before the conversation comes first"
            } else if self.notice.consent_required {
                "the visitor's consent comes first"
            } else {
                return;
            };
            context.at(&["start_conversation_on_toggle"], |context| {
                let detail = format!("opening the window does not start the conversation: {first}");
                context.warn(Code::StartDelayed, detail, None);
            });
        }
    }

    fn warn_of_loopback(&self, context: &mut Context) {
        for (path, url) in [
            (["trigger", "icon_url"], &self.trigger.icon_url),
            (["chat", "avatar_url"], &self.chat.avatar_url),
            (["chat", "logo_url"], &self.chat.logo_url),
            (["notice", "privacy_url"], &self.notice.privacy_url),
            (["fallback", "url"], &self.fallback.url),
        ] {
            if let Some(url) = url.as_ref().filter(|url| url.is_loopback()) {
                context.at(&path, |context| {
                    let detail = format!("`{url}` is on loopback, visitors cannot reach it");
                    let hint = "use an `https` address before the widget goes live";
                    context.warn(Code::UrlLoopback, detail, Some(hint.to_owned()));
                });
            }
        }
    }
}

/// A ratio with two decimals, never rounded up to a limit that it misses.
fn rounded_down(ratio: f64) -> f64 {
    (ratio * 100.0).floor() / 100.0
}
