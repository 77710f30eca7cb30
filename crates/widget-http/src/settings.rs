//! The settings of the process, after flags and environment have been read.

use std::str::FromStr;

use secrecy::SecretString;
use url::Url;
use widget_core::{
    conversation::{
        LifecycleLimits,
        budget::{Budgets, Limits, Owner},
    },
    embed::{LiveKitServer, LiveKitServerError, PublicUrl},
};

use crate::embed_files::EmbedFiles;
use crate::web::caller::{ForwardedHeader, TrustedProxies};

/// Everything that an operator can set and that handlers look at.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers reach this service; its origin is the window's own origin.
    pub public_url: PublicUrl,
    /// The LiveKit deployment that conversations use; without it conversations cannot be created.
    pub livekit: Option<LiveKitSettings>,
    /// Where versions of agents are kept, if that is not the registry in the database.
    pub agent_directory: Option<AgentDirectorySettings>,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// Which of these headers is read.
    pub forwarded_header: ForwardedHeader,
    /// The embed that this service has as its own.
    pub embed: EmbedFiles,
    /// Whether auto-brand reads pages on private addresses, too.
    pub brand_from_private_addresses: bool,
    /// How long content is kept after the end of a conversation; always, if nothing is set. An
    /// organization can set less.
    pub transcript_retention: Option<time::Duration>,
    /// How long numbers about widgets are kept.
    pub statistics_retention: time::Duration,
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
            agent_directory: None,
            trusted_proxies: TrustedProxies::default(),
            forwarded_header: ForwardedHeader::default(),
            embed: EmbedFiles::default(),
            brand_from_private_addresses: false,
            transcript_retention: None,
            statistics_retention: time::Duration::days(400),
            limits: LimitSettings::default(),
        }
    }
}

/// Where the agent directory is, and the token for it.
#[derive(Debug, Clone)]
pub struct AgentDirectorySettings {
    /// Its address, to which `/agents/{agent_id}/versions/{version_id}` is appended.
    pub url: Url,
    /// The bearer token that it expects.
    pub token: SecretString,
}

/// A LiveKit deployment.
#[derive(Debug, Clone)]
pub struct LiveKitSettings {
    /// Where this service reaches it (`ws`, `wss`, `http` or `https`).
    pub url: Url,
    /// Where browsers reach it.
    pub public_url: LiveKitPublicUrl,
    /// Name of the key that signs tokens and webhooks.
    pub api_key: String,
    /// Secret of that key.
    pub api_secret: SecretString,
}

/// Where browsers reach LiveKit: an address that the policy of the window can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveKitPublicUrl {
    address: String,
    server: LiveKitServer,
}

impl LiveKitPublicUrl {
    /// The address for the window's script, with `ws` or `wss`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The server as a source of the window's policy.
    #[must_use]
    pub const fn server(&self) -> &LiveKitServer {
        &self.server
    }
}

impl FromStr for LiveKitPublicUrl {
    type Err = LiveKitServerError;

    /// Reads an address with `ws`, `wss`, `http` or `https`.
    fn from_str(text: &str) -> Result<Self, LiveKitServerError> {
        let url = Url::parse(text);
        let text = url.as_ref().map_or(text, Url::as_str);
        let server = LiveKitServer::parse(text)?;
        let text = text.trim_end_matches('/');
        let address = match text.strip_prefix("http") {
            Some(rest) => format!("ws{rest}"),
            None => text.to_owned(),
        };
        Ok(Self { address, server })
    }
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
    /// New conversations per minute and address prefix; an IPv6 /48 may begin three times as many.
    pub conversations_per_minute: u32,
    /// New conversations per minute and widget.
    pub widget_conversations_per_minute: u32,
    /// New conversations per minute and organization; `None` for any number.
    pub organization_conversations_per_minute: Option<u32>,
    /// How many conversations there may be, and what may be used on one day; keys may set less.
    pub budgets: Budgets,
    /// How long a conversation may last, wait and stay silent.
    pub lifecycle: LifecycleLimits,
}

impl LimitSettings {
    /// The most that keys may set.
    #[must_use]
    pub fn ceilings(&self, owner: Owner) -> Limits {
        let new_per_minute = match owner {
            Owner::Organization => self.organization_conversations_per_minute,
            Owner::Widget => Some(self.widget_conversations_per_minute),
        };
        // A rate of less than one does not exist.
        let new_per_minute = new_per_minute.map(|rate| rate.max(1));
        self.budgets.ceilings(owner, new_per_minute)
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
            organization_conversations_per_minute: None,
            budgets: Budgets::default(),
            lifecycle: LifecycleLimits::default(),
        }
    }
}
