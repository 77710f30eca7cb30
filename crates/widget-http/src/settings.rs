//! The settings of the process, after flags and environment have been read.

use std::{ops::Deref, str::FromStr, time::Duration};

use secrecy::SecretString;
use url::Url;
use widget_core::{
    conversation::{LifecycleLimits, budget::Budgets},
    origin::Origin,
};

use crate::web::caller::{ForwardedHeader, TrustedProxies};

/// Where browsers reach this service: an `http` or `https` address with an origin that a page can
/// have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
    origin: Origin,
}

/// Browsers cannot reach a service at this address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be the public URL; use one such as `https://widgets.example`")]
pub struct PublicUrlError(String);

impl PublicUrl {
    /// The origin of the service, which the window has too.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl TryFrom<Url> for PublicUrl {
    type Error = PublicUrlError;

    fn try_from(url: Url) -> Result<Self, PublicUrlError> {
        match Origin::try_from(&url) {
            Ok(origin) => Ok(Self { url, origin }),
            Err(_) => Err(PublicUrlError(url.into())),
        }
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError(text.to_owned()))?;
        Self::try_from(url)
    }
}

impl Deref for PublicUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.url
    }
}

/// Everything that an operator can set and that handlers look at.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers reach this service; its origin is the window's own origin.
    pub public_url: PublicUrl,
    /// The LiveKit deployment that conversations use; without it conversations cannot be created.
    pub livekit: Option<LiveKitSettings>,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// Which of these headers is read.
    pub forwarded_header: ForwardedHeader,
    /// Whether auto-brand reads pages on private addresses, too.
    pub brand_from_private_addresses: bool,
    /// Rates and bounds of the public endpoints.
    pub limits: LimitSettings,
}

impl Settings {
    /// Settings with every default, for a service reached at `public_url`.
    #[must_use]
    pub fn new(public_url: PublicUrl) -> Self {
        Self {
            public_url,
            livekit: None,
            trusted_proxies: TrustedProxies::default(),
            forwarded_header: ForwardedHeader::default(),
            brand_from_private_addresses: false,
            limits: LimitSettings::default(),
        }
    }
}

/// A LiveKit deployment.
#[derive(Debug, Clone)]
pub struct LiveKitSettings {
    /// Where this service reaches it (`ws`, `wss`, `http` or `https`).
    pub url: Url,
    /// Where browsers reach it (`ws` or `wss`).
    pub public_url: Url,
    /// Name of the key that signs tokens and webhooks.
    pub api_key: String,
    /// Secret of that key.
    pub api_secret: SecretString,
}

/// Bounds of the public endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Launcher configs per minute and address prefix.
    pub configs_per_minute: u32,
    /// Window documents per minute and address prefix.
    pub documents_per_minute: u32,
    /// Tickets per minute and address prefix.
    pub tickets_per_minute: u32,
    /// New conversations per minute and address prefix.
    pub conversations_per_minute: u32,
    /// New conversations per minute and widget.
    pub widget_conversations_per_minute: u32,
    /// Conversations that a widget may have open at once.
    pub widget_open_conversations: u32,
    /// New conversations per day (UTC) and organization; no bound when absent.
    pub organization_conversations_per_day: Option<u32>,
    /// How long a conversation may last.
    pub conversation_length: Duration,
    /// How long a conversation may be silent before it ends.
    pub conversation_silence: Duration,
    /// How long a visitor may be away and still come back.
    pub conversation_resume: Duration,
    /// How long a visitor may take to join.
    pub conversation_join: Duration,
}

impl LimitSettings {
    /// How many conversations there may be.
    #[must_use]
    pub const fn budgets(&self) -> Budgets {
        Budgets {
            open_on_widget: self.widget_open_conversations,
            per_day: self.organization_conversations_per_day,
        }
    }

    /// The bounds of a conversation's life as core knows them.
    #[must_use]
    pub fn of_conversations(&self) -> LifecycleLimits {
        let bound = |duration| time::Duration::try_from(duration).unwrap_or(time::Duration::MAX);
        LifecycleLimits {
            max_length: bound(self.conversation_length),
            max_silence: bound(self.conversation_silence),
            resume_within: bound(self.conversation_resume),
            join_within: bound(self.conversation_join),
            ..LifecycleLimits::default()
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            configs_per_minute: 600,
            documents_per_minute: 600,
            tickets_per_minute: 60,
            conversations_per_minute: 20,
            widget_conversations_per_minute: 600,
            widget_open_conversations: 500,
            organization_conversations_per_day: None,
            conversation_length: Duration::from_hours(1),
            conversation_silence: Duration::from_mins(10),
            conversation_resume: Duration::from_mins(30),
            conversation_join: Duration::from_mins(10),
        }
    }
}
