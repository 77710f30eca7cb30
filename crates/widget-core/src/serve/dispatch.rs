//! Which agent joins a conversation: made from an [`Admission`] and the conversation.

use super::admission::Admission;
use crate::{
    id::{AgentVersionId, ConversationId, PreviewId, WidgetId},
    mode::Mode,
    origin::Origin,
};

/// The conversation that an agent joins, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DispatchTarget<'a> {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The widget on which it takes place.
    pub widget_id: WidgetId,
    /// The preview in which it began; none for one of the widget itself.
    pub preview_id: Option<PreviewId>,
    /// The origin of the page on which it began.
    pub origin: &'a Origin,
    /// The version of the agent with which it began.
    pub agent_version_id: AgentVersionId,
    /// The name under which that version's workers are registered.
    pub agent_name: &'a str,
    /// Whether the visitor types or speaks from here on.
    pub mode: Mode,
}

/// Proof that an agent may join a conversation now, and what the agent may know.
///
/// The visitor can read all of it, so nothing else may go in here. What lets a visitor into a room
/// is made from one of these alone, so that no other admission can be used for it:
///
/// ```compile_fail,E0451
/// use widget_core::serve::Dispatch;
///
/// fn forge(allowed: Dispatch, other: widget_core::id::ConversationId) -> Dispatch {
///     Dispatch { conversation_id: other, ..allowed }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    agent_name: String,
    conversation_id: ConversationId,
    agent_version_id: AgentVersionId,
    mode: Mode,
    resumed: bool,
}

/// Why an admission says nothing about a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// The admission is for another widget.
    #[error("the conversation takes place on another widget")]
    OtherWidget,
    /// The admission is for a page of another origin.
    #[error("the conversation began on a page of another origin")]
    OtherOrigin,
    /// The admission is for another preview, or only one of the two is of a preview.
    #[error("the conversation began in another preview, or in none")]
    OtherPreview,
}

impl Dispatch {
    /// An agent for a conversation that begins.
    ///
    /// # Errors
    ///
    /// [`DispatchError`] when the admission is for another widget, preview or origin.
    pub fn start(
        admission: &Admission<'_>,
        target: DispatchTarget<'_>,
    ) -> Result<Self, DispatchError> {
        Self::new(admission, target, false)
    }

    /// An agent for a conversation that continues.
    ///
    /// # Errors
    ///
    /// [`DispatchError`] when the admission is for another widget, preview or origin.
    pub fn resume(
        admission: &Admission<'_>,
        target: DispatchTarget<'_>,
    ) -> Result<Self, DispatchError> {
        Self::new(admission, target, true)
    }

    fn new(
        admission: &Admission<'_>,
        target: DispatchTarget<'_>,
        resumed: bool,
    ) -> Result<Self, DispatchError> {
        if target.widget_id != admission.widget().id {
            return Err(DispatchError::OtherWidget);
        }
        if target.preview_id != admission.preview_id() {
            return Err(DispatchError::OtherPreview);
        }
        if target.origin != admission.origin() {
            return Err(DispatchError::OtherOrigin);
        }
        Ok(Self {
            agent_name: target.agent_name.to_owned(),
            conversation_id: target.conversation_id,
            agent_version_id: target.agent_version_id,
            mode: target.mode,
            resumed,
        })
    }

    /// The name under which the worker is registered.
    #[must_use]
    pub fn agent_name(&self) -> &str {
        &self.agent_name
    }

    /// The conversation that the worker is to lead.
    #[must_use]
    pub const fn conversation_id(&self) -> ConversationId {
        self.conversation_id
    }

    /// The version that the worker is to run.
    #[must_use]
    pub const fn agent_version_id(&self) -> AgentVersionId {
        self.agent_version_id
    }

    /// Whether the visitor types or speaks.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether there is an earlier transcript.
    #[must_use]
    pub const fn resumed(&self) -> bool {
        self.resumed
    }
}
