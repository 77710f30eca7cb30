//! The embed ticket: made from an [`Admission`].

use time::OffsetDateTime;
use uuid::Uuid;

use super::admission::Admission;
use crate::{
    id::{PreviewId, WidgetId},
    origin::Origin,
};

/// What a ticket says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketClaims {
    /// Its own id, so that it can be used once.
    pub id: Uuid,
    /// The widget that it is for.
    pub widget_id: WidgetId,
    /// The origin of the page that asked for it.
    pub origin: Origin,
    /// The preview that it is for; none for the widget itself.
    pub preview_id: Option<PreviewId>,
    /// The end of its life.
    pub expires_at: OffsetDateTime,
}

/// Says that a page may start or resume one conversation, for a short time.
///
/// Only what is made here may be signed and handed out:
///
/// ```compile_fail,E0423
/// use widget_core::serve::{EmbedTicket, TicketClaims};
///
/// fn forge(claims: TicketClaims) -> EmbedTicket {
///     EmbedTicket(claims)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedTicket(TicketClaims);

impl EmbedTicket {
    /// A ticket for the admitted page; `id` is new, so that the ticket can be used once.
    #[must_use]
    pub fn new(admission: &Admission<'_>, id: Uuid, expires_at: OffsetDateTime) -> Self {
        Self(TicketClaims {
            id,
            widget_id: admission.widget().id,
            origin: admission.origin().clone(),
            preview_id: admission.preview_id(),
            expires_at,
        })
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &TicketClaims {
        &self.0
    }
}
