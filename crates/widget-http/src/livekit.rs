//! What this service asks of LiveKit: participant tokens, who is in a room, removal of rooms, the
//! proof that a webhook is LiveKit's own, and whether it works at all.

mod checks;
mod client;
mod health;
mod meters;
mod names;
mod presence;
mod rooms;
mod tokens;
mod webhooks;

pub use self::{
    client::LiveKit,
    names::RoomName,
    rooms::RoomCleaner,
    tokens::{MintError, PARTICIPANT_TOKEN_LIFETIME, ParticipantTokens},
};
pub(crate) use tokens::is_visitor;
