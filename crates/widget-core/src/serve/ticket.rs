//! The embed ticket: made from an [`Admission`].

use time::OffsetDateTime;
use uuid::Uuid;

use super::admission::Admission;
use crate::{id::WidgetId, origin::Origin};

/// Says that a page may start or resume one conversation, for a short time.
///
/// Only what is made here may be signed and handed out:
///
/// ```compile_fail,E0451
/// use widget_core::{origin::Origin, serve::EmbedTicket};
///
/// fn forge(allowed: EmbedTicket, origin: Origin) -> EmbedTicket {
///     EmbedTicket { origin, ..allowed }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedTicket {
    id: Uuid,
    widget_id: WidgetId,
    origin: Origin,
    expires_at: OffsetDateTime,
}

impl EmbedTicket {
    /// A ticket for the admitted page; `id` is new, so that the ticket can be used once.
    #[must_use]
    pub fn new(admission: &Admission<'_>, id: Uuid, expires_at: OffsetDateTime) -> Self {
        Self {
            id,
            widget_id: admission.widget().id,
            origin: admission.origin().clone(),
            expires_at,
        }
    }

    /// Its own id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The widget that it is for.
    #[must_use]
    pub const fn widget_id(&self) -> WidgetId {
        self.widget_id
    }

    /// The origin of the page that asked for it.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The end of its life.
    #[must_use]
    pub const fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }
}
