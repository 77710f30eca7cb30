//! Builds of the embed: a page may still ask for one that this node does not have in its binary.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::error::StoreError;

/// What was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuildKind {
    /// The loader that pages pin.
    Loader,
    /// The panel script.
    Panel,
    /// All files of the window.
    Window,
}

impl BuildKind {
    /// The text in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loader => "loader",
            Self::Panel => "panel",
            Self::Window => "window",
        }
    }

    /// Hexadecimal digits of a name; the loader contains that of its panel script.
    const fn digits(self) -> usize {
        match self {
            Self::Panel => 16,
            Self::Loader | Self::Window => 32,
        }
    }
}

impl FromStr for BuildKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Loader, Self::Panel, Self::Window]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a kind of build"))
    }
}

/// The name of a build: what it is, and the start of the SHA-256 of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BuildName {
    kind: BuildKind,
    hash: String,
}

impl BuildName {
    /// The name of these bytes.
    #[must_use]
    pub fn of(kind: BuildKind, bytes: &[u8]) -> Self {
        let mut hash = format!("{:x}", Sha256::digest(bytes));
        hash.truncate(kind.digits());
        Self { kind, hash }
    }

    /// Reads the digits of an address; `None` when they cannot be a name.
    #[must_use]
    pub fn parse(kind: BuildKind, digits: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_name = digits.len() == kind.digits() && digits.bytes().all(is_digit);
        is_name.then(|| Self {
            kind,
            hash: digits.to_owned(),
        })
    }

    /// What it names.
    #[must_use]
    pub const fn kind(&self) -> BuildKind {
        self.kind
    }

    /// The digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl fmt::Display for BuildName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind.as_str(), self.hash)
    }
}

/// A build under its name, which is that of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedBuild {
    name: BuildName,
    bytes: Bytes,
}

impl EmbedBuild {
    /// These bytes under their name.
    #[must_use]
    pub fn new(kind: BuildKind, bytes: Bytes) -> Self {
        let name = BuildName::of(kind, &bytes);
        Self { name, bytes }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &BuildName {
        &self.name
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// A build as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBuild {
    /// The build.
    pub build: EmbedBuild,
    /// When a node or a page last had it.
    pub last_seen_at: OffsetDateTime,
}

/// Builds of the embed.
#[async_trait::async_trait]
pub trait EmbedBuildStore {
    /// Stores a build, or marks it as seen when it is there.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn keep_embed_build(
        &self,
        build: &EmbedBuild,
        now: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// The names of all builds.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_embed_builds(&self) -> Result<Vec<BuildName>, StoreError>;

    /// The build of this name.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when its bytes are not those of the name.
    async fn find_embed_build(&self, name: &BuildName) -> Result<Option<StoredBuild>, StoreError>;

    /// Marks a build as seen.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn mark_embed_build(
        &self,
        name: &BuildName,
        now: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// Deletes the builds that were last seen before `before`; returns how many.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn forget_embed_builds(&self, before: OffsetDateTime) -> Result<u64, StoreError>;
}
