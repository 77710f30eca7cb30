//! May this widget serve this page now? The one decision that the service and the CLI ask for, and
//! what is made from its proof.
//!
//! ```
//! use widget_core::{go_live::PinnedVersion, serve};
//! # use widget_core::{origin::{AllowedOrigins, SuffixList}, widget::NewWidget};
//! # let id: uuid::Uuid = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//! # let widget = NewWidget {
//! #     domains: AllowedOrigins::parse(&["shop.example"], SuffixList::builtin())?,
//! #     published: true,
//! #     ..NewWidget::new("acme".parse()?, agent, version)
//! # }.into_widget(widget_core::id::WidgetId::from_uuid(id), now);
//!
//! let page = "https://shop.example".parse()?;
//! let admission = serve::admit(&widget, PinnedVersion::Published, &page)?;
//! let ticket = serve::EmbedTicket::new(&admission, id, now);
//! assert_eq!(ticket.claims().origin, page);
//!
//! let other = "https://other.example".parse()?;
//! assert!(serve::admit(&widget, PinnedVersion::Published, &other).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admission;
mod dispatch;
mod preview;
mod ticket;

pub(crate) use admission::not_listed;
pub use admission::{Admission, Refusal, admit};
pub use dispatch::{Dispatch, DispatchError, DispatchTarget};
pub use preview::{
    MAX_PREVIEW_SECONDS, MAX_PREVIEWS, MIN_PREVIEW_SECONDS, PREVIEW_LIFETIME, PREVIEW_PATH,
    Preview, PreviewGrant, PreviewLifetimeError, PreviewProof, PreviewsFull, admit_preview,
    preview_expiry, require_preview_capacity, without_preview_token,
};
pub use ticket::{EmbedTicket, TicketClaims};
