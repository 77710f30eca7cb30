//! What the visitor's side keeps in memory of one node: nothing that is lost with it.

pub mod assets;
pub mod limits;
pub mod public_widgets;
pub mod refusals;
pub mod signing;

use tokio::sync::Notify;
use widget_core::{conversation::LifecycleLimits, embed::LiveKitServer, origin::Origin};

use crate::{
    livekit::LiveKit,
    settings::Settings,
    state::Services,
    visitors::{
        limits::Limits,
        public_widgets::PublicWidgets,
        signing::{Signer, SigningContext},
    },
};

/// Helpers of the public routes, made once at start.
#[derive(Debug)]
pub struct Visitor {
    /// Widgets, as visitors may see them.
    pub widgets: PublicWidgets,
    /// Rates of the public endpoints.
    pub limits: Limits,
    /// Bounds of a conversation's life.
    pub conversation_limits: LifecycleLimits,
    /// Tickets and conversation tokens.
    pub signer: Signer,
    /// Where conversations take place, when that is set up.
    pub livekit: Option<LiveKit>,
    /// The same as a source of the window's security policy.
    pub livekit_source: Option<LiveKitServer>,
    /// Wakes the task that removes rooms, so that it need not wait for its next turn.
    pub rooms_to_remove: Notify,
    /// This service's own origin, which the window has.
    own_origin: Origin,
}

impl Visitor {
    /// Prepares everything; connects to nothing.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let livekit = settings.livekit.as_ref();
        Self {
            widgets: PublicWidgets::default(),
            limits: Limits::new(&settings.limits),
            conversation_limits: settings.limits.of_conversations(),
            signer: Signer::default(),
            livekit: livekit.map(LiveKit::new),
            livekit_source: livekit
                .and_then(|livekit| LiveKitServer::parse(livekit.public_url.as_str()).ok()),
            rooms_to_remove: Notify::new(),
            own_origin: settings.public_url.origin().clone(),
        }
    }

    /// Whether an origin is this service's own, which the window has.
    #[must_use]
    pub fn is_own(&self, origin: &Origin) -> bool {
        *origin == self.own_origin
    }
}

impl Services {
    /// What signing and reading tokens needs.
    #[must_use]
    pub fn signing(&self) -> SigningContext<'_> {
        SigningContext {
            storage: self.storage.as_ref(),
            random: self.random.as_ref(),
            now: self.now(),
        }
    }
}
