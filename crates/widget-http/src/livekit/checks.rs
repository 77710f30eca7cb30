//! Whether LiveKit accepts what this service gives to visitors, found out without a visitor.
//!
//! LiveKit validates a token before a client joins with it. That answers all three questions at
//! once: whether it is there, whether it has the same secret, and whether joining creates the room.

use http::StatusCode;
use time::OffsetDateTime;
use widget_api::health::LiveKitPart;

use super::{client::LiveKit, meters::Call, names::RoomName, tokens::MintError};
use crate::system::RandomSource;

/// What a health check of LiveKit found.
#[derive(Debug)]
pub(crate) struct LiveKitCheck {
    /// What is reported.
    pub(crate) part: LiveKitPart,
    /// Whether the check before found something else.
    pub(crate) is_new: bool,
    /// More about it, for the log; without credentials.
    pub(crate) cause: String,
}

impl LiveKit {
    /// What the last check found.
    #[must_use]
    pub fn condition(&self) -> LiveKitPart {
        self.health.last()
    }

    /// Asks LiveKit whether a visitor could join a room that does not exist yet.
    ///
    /// # Errors
    /// When no token can be written.
    pub(crate) async fn check(
        &self,
        random: &dyn RandomSource,
        now: OffsetDateTime,
    ) -> Result<LiveKitCheck, MintError> {
        let room = RoomName::random(random)?;
        let token = self.tokens.mint_for_check(&room, now)?;
        let answer = self.health.validate(&token);
        let (part, cause) = match self.meters.measure(Call::ValidateToken, answer).await {
            Ok(status) if status.is_success() => (LiveKitPart::Ok, String::new()),
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                (LiveKitPart::KeyRejected, String::new())
            }
            // The room is not there; which does not matter while the setting is on. Any web server
            // answers so, too.
            Ok(StatusCode::NOT_FOUND) => match self.has_room(&room).await {
                Ok(_) => (LiveKitPart::AutoCreateDisabled, String::new()),
                Err(_) => (
                    LiveKitPart::Unavailable,
                    "what answers is not LiveKit".to_owned(),
                ),
            },
            Ok(status) => (
                LiveKitPart::Unavailable,
                format!("it answers with status {status}"),
            ),
            Err(cause) => (LiveKitPart::Unavailable, cause),
        };
        Ok(LiveKitCheck {
            part,
            is_new: self.health.keep(part),
            cause,
        })
    }
}
