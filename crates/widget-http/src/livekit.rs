//! What this service asks of LiveKit: participant tokens, removal of rooms, and the proof that a
//! webhook is LiveKit's own.

mod client;
mod names;
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
