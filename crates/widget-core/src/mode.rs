//! Text or voice: the two ways in which a visitor and an agent talk.
//!
//! ```
//! use widget_core::mode::Mode;
//!
//! assert_eq!("voice".parse(), Ok(Mode::Voice));
//! assert_eq!(Mode::Text.to_string(), "text");
//! ```

use crate::choice::choices;

choices! {
    /// How a visitor talks to the agent; it may change within a conversation.
    pub enum Mode {
        /// Typing: the microphone is not asked for and the speaker is off.
        Text = "text",
        /// Speaking: the microphone is asked for on opening and the speaker is on.
        Voice = "voice",
    }
}
