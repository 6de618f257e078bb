//! Audio between the platform's media stream and a realtime model, run by our own backend.
//!
//! `g711`, `encoding` and `resample` turn samples into one another; `frames` speaks the platform's JSON,
//! `words` the model's; `playout` knows how much of what was sent is still to be heard, `outbox` what the
//! model has not taken. `bridge` joins them: a pure machine, told what came and what time it is, which says what
//! is to be sent, and in the end how it ended (`ends`). `carry` is its shell, with `connect` (and its `proxy`) the
//! only part that waits. Nothing here knows a database, a web framework or a campaign.

pub mod bridge;
pub mod carry;
pub mod connect;
pub mod encoding;
pub mod ends;
pub mod frames;
pub mod g711;
pub mod outbox;
pub mod playout;
pub mod proxy;
pub mod resample;
pub mod words;

pub use bridge::Bridge;
pub use carry::{Came, Carried, Way, carry};
pub use connect::{Model, connect};
pub use encoding::Encoding;
pub use ends::{End, Tally, ToolCall};
pub use words::{Plan, Tokens};
