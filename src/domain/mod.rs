//! The rules of calling, as values and functions.
//!
//! What a number, a mode, an attempt and an outcome are; what may follow what; when somebody may be
//! called and when again. Nothing here waits, reads a clock, throws dice or knows a database: time
//! and randomness are arguments, so every rule can be tested without a minute of waiting.

pub mod allowed;
pub mod alternates;
pub mod assign;
pub mod breaker;
pub mod budget;
pub mod calendar;
pub mod callers;
pub mod caps;
pub mod clearance;
#[cfg(test)]
mod clock_changes;
pub mod delays;
pub mod experiment;
pub mod follow;
pub mod forecast;
pub mod ids;
pub mod keys;
pub mod list;
pub mod masked;
pub mod mode;
pub mod money;
pub mod network;
pub mod notice;
pub mod number;
pub mod outcome;
pub mod pace;
pub mod role;
pub mod route;
pub mod schedule;
pub mod settings;
pub mod slot;
pub mod start;
pub mod state;
pub mod status;
pub mod term;
pub mod time;
pub mod token;
pub mod why;
pub mod window;

pub use ids::{
    AttemptId, AuditId, BatchId, CampaignId, ContactId, DeliveryId, EndpointId, KeyId, NoticeId, NumberId,
    RunContactId, RunId, ScheduleId, SessionId, ShareId,
};
pub use mode::Mode;
pub use number::PhoneNumber;
pub use outcome::{Fault, Outcome};
pub use role::Role;
pub use route::Route;
pub use start::StartOrder;
pub use time::Timestamp;
pub use token::{Token, TokenHash};
