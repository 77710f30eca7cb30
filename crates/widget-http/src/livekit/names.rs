//! Names that nobody can guess.

use base64::{Engine, engine::general_purpose};

use crate::system::{RandomError, RandomSource};

/// LiveKit's name of a room: 128 random bits, so that nobody can guess one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// A name that no other room has.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(random: &dyn RandomSource) -> Result<Self, RandomError> {
        Ok(Self(format!("room_{}", random_text(random)?)))
    }

    /// The name as LiveKit writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 128 random bits as text of 22 characters that is safe in URLs.
pub(super) fn random_text(random: &dyn RandomSource) -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
