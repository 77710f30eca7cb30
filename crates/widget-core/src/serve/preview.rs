//! Previews: a draft of a widget that whoever has its link may see, without the gates, until it
//! ends.
//!
//! ```
//! use widget_core::serve::{self, Preview, PreviewProof};
//! # use widget_core::widget::NewWidget;
//! # let id: uuid::Uuid = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//! # let draft = NewWidget::new("acme".parse()?, agent, version)
//! #     .into_widget(widget_core::id::WidgetId::from_uuid(id), now);
//! # let id = widget_core::id::PreviewId::from_uuid(id);
//!
//! let preview = Preview::new(id, draft, [7; 32], serve::preview_expiry(None, now)?);
//! let grant = preview.open(PreviewProof::Token(&[7; 32]), now).expect("the link is good");
//! let own = "https://widgets.example".parse()?;
//! assert!(serve::admit_preview(grant, &own, &own).is_ok());
//! assert!(preview.open(PreviewProof::Token(&[8; 32]), now).is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use time::{Duration, OffsetDateTime};

use super::{
    admission::{Admission, Refusal, not_listed},
    ticket::TicketClaims,
};
use crate::{
    id::PreviewId,
    origin::{AllowedOrigins, Origin},
    widget::Widget,
};

/// How long a preview lasts unless its maker says otherwise.
pub const PREVIEW_LIFETIME: Duration = Duration::DAY;

/// The shortest life of a preview, in seconds.
pub const MIN_PREVIEW_SECONDS: u32 = 60;

/// The longest life of a preview, in seconds: 30 days.
pub const MAX_PREVIEW_SECONDS: u32 = 30 * 24 * 60 * 60;

/// How many previews of one widget there may be that have not ended.
pub const MAX_PREVIEWS: i64 = 50;

/// Every preview is below this path of the service, followed by its token.
pub const PREVIEW_PATH: &str = "/public/preview/";

/// Why a preview cannot last as long as its maker asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` seconds is not a life of a preview; use {MIN_PREVIEW_SECONDS} to {MAX_PREVIEW_SECONDS}"
)]
pub struct PreviewLifetimeError(u32);

/// The widget has [`MAX_PREVIEWS`] previews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the widget has {MAX_PREVIEWS} previews, the maximum; end one first")]
pub struct PreviewsFull;

/// Whether a widget with `count` previews that have not ended may have another.
///
/// # Errors
///
/// [`PreviewsFull`]
pub const fn require_preview_capacity(count: i64) -> Result<(), PreviewsFull> {
    if count >= MAX_PREVIEWS {
        return Err(PreviewsFull);
    }
    Ok(())
}

/// When a preview ends that is made now; `seconds` is what its maker asks for.
///
/// # Errors
///
/// [`PreviewLifetimeError`]
pub fn preview_expiry(
    seconds: Option<u32>,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, PreviewLifetimeError> {
    match seconds {
        None => Ok(now + PREVIEW_LIFETIME),
        Some(seconds) if (MIN_PREVIEW_SECONDS..=MAX_PREVIEW_SECONDS).contains(&seconds) => {
            Ok(now + Duration::seconds(seconds.into()))
        }
        Some(seconds) => Err(PreviewLifetimeError(seconds)),
    }
}

/// An address of a page without the token of a preview: nobody learns it from what a page says of
/// itself.
#[must_use]
pub fn without_preview_token(address: &str) -> String {
    let Some((before, rest)) = address.split_once(PREVIEW_PATH) else {
        return address.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    format!("{before}{PREVIEW_PATH}{}", &rest[end..])
}

/// A draft of a widget, with what opens it.
///
/// The draft is a closed widget of no site, so that [`admit`](crate::serve::admit) refuses it on
/// every page.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    id: PreviewId,
    draft: Widget,
    token_hash: [u8; 32],
    expires_at: OffsetDateTime,
}

/// What somebody shows to open a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewProof<'a> {
    /// The hash of the token in the link.
    Token(&'a [u8; 32]),
    /// A ticket that was issued to somebody with the link.
    Ticket(&'a TicketClaims),
}

impl Preview {
    /// A preview of `draft`, which whoever has the token with this hash may see until
    /// `expires_at`.
    #[must_use]
    pub fn new(
        id: PreviewId,
        draft: Widget,
        token_hash: [u8; 32],
        expires_at: OffsetDateTime,
    ) -> Self {
        let draft = Widget {
            published: false,
            domains: AllowedOrigins::default(),
            ..draft
        };
        Self {
            id,
            draft,
            token_hash,
            expires_at,
        }
    }

    /// Names the preview for its owner; opens nothing.
    #[must_use]
    pub const fn id(&self) -> PreviewId {
        self.id
    }

    /// The widget as the preview shows it.
    #[must_use]
    pub const fn draft(&self) -> &Widget {
        &self.draft
    }

    /// What is stored of the token.
    #[must_use]
    pub const fn token_hash(&self) -> &[u8; 32] {
        &self.token_hash
    }

    /// When it ends.
    #[must_use]
    pub const fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }

    /// Opens the preview; nothing when the proof is of another one, or the preview has ended.
    #[must_use]
    pub fn open(&self, proof: PreviewProof<'_>, now: OffsetDateTime) -> Option<PreviewGrant<'_>> {
        let is_of_this = match proof {
            PreviewProof::Token(hash) => *hash == self.token_hash,
            PreviewProof::Ticket(claims) => {
                claims.preview_id == Some(self.id) && claims.widget_id == self.draft.id
            }
        };
        (is_of_this && now < self.expires_at).then_some(PreviewGrant(self))
    }
}

/// Proof that somebody has the link of a preview that has not ended; only [`Preview::open`] makes
/// one.
///
/// It is the only way around the gates, and nothing else makes the [`Admission`] of such a visit:
///
/// ```compile_fail,E0423
/// use widget_core::serve::{Preview, PreviewGrant};
///
/// fn forge(preview: &Preview) -> PreviewGrant<'_> {
///     PreviewGrant(preview)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PreviewGrant<'a>(&'a Preview);

impl<'a> PreviewGrant<'a> {
    /// The preview that is open.
    #[must_use]
    pub const fn preview(&self) -> &'a Preview {
        self.0
    }
}

/// Admits a page that shows a preview: only one of the service itself, at `own`.
///
/// # Errors
///
/// [`Refusal`] for a page of another origin.
pub fn admit_preview<'a>(
    grant: PreviewGrant<'a>,
    own: &Origin,
    origin: &'a Origin,
) -> Result<Admission<'a>, Refusal> {
    if origin != own {
        return Err(Refusal {
            reasons: not_listed(origin).into(),
        });
    }
    Ok(Admission {
        widget: grant.preview().draft(),
        origin,
        preview_id: Some(grant.preview().id()),
    })
}
