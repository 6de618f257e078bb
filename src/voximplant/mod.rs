//! The only knowledge of the provider.
//!
//! Starts sessions (`client`), brings scenarios, rules and secrets to the platform (`deploy`), reads
//! what a session reports (`callback`), tells one to hang up (`live`) and reads what the platform
//! remembers (`history`). It turns the provider's words into `domain`'s and decides nothing: whether to
//! call, when again, and what an attempt becomes are for others. It never meets the database, and it
//! knows no phone number: the number travels with the grant, from our server to the session.

mod account;
mod api;
mod bundle;
pub mod callback;
mod client;
mod codes;
mod deploy;
mod deployed;
mod erase;
mod error;
mod history;
mod live;
mod modes;
mod outcome;
mod pacer;
pub mod recording;
mod service_key;
mod window;
mod wire;

pub use account::{Account, CallerId, Price, RentedNumber, SipRegistration};
pub use api::Credentials;
pub use bundle::{Bundle, BundleError, Sources};
pub use client::{Client, Connection, Started, Way};
pub use deploy::{DeployError, Wanted};
pub use deployed::{About, Change, Deployed};
pub use error::{ApiError, StartError};
pub use history::{Evidence, HISTORY_BATCH_MAX, Record};
pub use live::{Live, LiveError, Told};
pub use modes::{ModeEntry, Modes, ModesError};
pub use pacer::{Pacer, Permit};
pub use service_key::{ServiceKey, ServiceKeyError, Wall};
pub use wire::Provider;

#[cfg(test)]
mod codes_tests;
#[cfg(test)]
mod deploy_tests;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod tests;
