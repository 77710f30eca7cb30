//! Bodies of `/core/api-keys` and `/core/whoami`: the API keys of an organization.

use serde::{Deserialize, Serialize};
use widget_core::{api_key::KeyStatus, id::OrganizationId};

#[cfg(feature = "schemars")]
use crate::{MAX_PAGE_LIMIT, schema};
use crate::{Received, Scope, Scopes, Timestamp};
#[cfg(feature = "schemars")]
use widget_core::agent::MAX_NAME_CHARACTERS;

/// Which API keys to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApiKeysQuery {
    /// The number of keys in an answer: 1 to 200, the default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_PAGE_LIMIT)))]
    pub limit: Option<u32>,
    /// Where to continue, as the `Link` of the answer before says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// An API key to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// The name for people, which the history of widgets shows.
    #[cfg_attr(feature = "schemars", schemars(length(min = 1, max = MAX_NAME_CHARACTERS)))]
    pub name: String,
    /// What the key may do: only what the key that creates it may do.
    #[cfg_attr(feature = "schemars", schemars(length(min = 1)))]
    pub scopes: Scopes,
    /// When the key expires: not after the key that creates it, and together with it when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub expires_at: Option<Timestamp>,
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ApiKey {
    /// The part of the key between `ak_` and the dot.
    pub id: String,
    /// The name for people; empty when the key was created without one.
    pub name: String,
    /// What the key may do.
    pub scopes: Vec<Received<Scope>>,
    /// Whether the key is accepted.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<KeyStatus>"))]
    pub status: KeyStatus,
    /// When the key was created.
    pub created_at: Timestamp,
    /// The key that created it, and with which it ends; `null` for one of the command line.
    pub created_by: Option<ApiKeyName>,
    /// From when on the key is rejected; `null` for one that does not expire.
    pub expires_at: Option<Timestamp>,
    /// When the key was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The day of its last use, in UTC; `null` for one that was never used.
    #[cfg_attr(
        feature = "schemars",
        schemars(extend("format" = "date", "examples" = ["2026-01-31"]))
    )]
    pub last_used_on: Option<String>,
}

/// Which API key it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ApiKeyName {
    /// The part of the key between `ak_` and the dot.
    pub id: String,
    /// The name for people; `null` when the key has none, or is no longer kept.
    pub name: Option<String>,
}

/// An API key that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct CreatedApiKey {
    /// The key without its secret.
    #[serde(flatten)]
    pub key: ApiKey,
    /// The whole key, `ak_<id>.<secret>`: only this answer shows it.
    pub api_key: String,
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Whoami {
    /// The organization that the key belongs to.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<OrganizationId>"))]
    pub organization_id: OrganizationId,
    /// The key.
    pub api_key: ApiKeyName,
    /// What the key may do.
    pub scopes: Vec<Received<Scope>>,
    /// From when on the key is rejected; `null` for one that does not expire.
    pub expires_at: Option<Timestamp>,
    /// The version of the service.
    pub version: String,
}
