//! Text or voice: the two ways in which a visitor and an agent talk.

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
