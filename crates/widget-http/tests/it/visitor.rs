//! The visitor's side: what pages of other origins, the window and LiveKit may do.

mod background;
mod budgets;
mod builds;
mod bursts;
mod caching_proxy;
mod cluster;
mod conversations;
mod documents;
mod launcher;
pub(crate) mod limits;
mod livekit;
mod livekit_health;
mod livekit_outage;
mod lost_events;
mod nodes;
mod previews;
mod resume;
mod submissions;
pub(crate) mod support;
mod tokens;
mod vectors;
pub(crate) mod webhook;
