//! What our own side of a conversation says, and the judge of what was reached.
//!
//! One script feeds every mode: `script` reads it (`prompt` what stands in its place for one call),
//! `prompts` tells it to the models, `replier` plays it by rule without any model, `model` asks one and judges what
//! it answers (`speech` makes that fit to be spoken, `answers` takes what was collected in its declared shape),
//! `judge` says of a finished call what was reached, blind to the mode, `optout` hears in every mode who must never be
//! called again. Nothing here knows the web, a database or the provider of
//! calls; time is an argument, and the same words in the same state get the same answer.

pub mod answers;
pub mod callback;
pub mod judge;
pub mod model;
pub mod optout;
pub mod prompt;
pub mod prompts;
pub mod replier;
pub mod script;
pub mod speech;
mod success;
pub mod words;

pub use prompts::{Manner, Models, Told, told};
pub use replier::{Heard, Record, Reply, reply, verdict};
pub use script::Script;

/// A contact's own values, by the names that a script writes in braces.
pub type Variables = std::collections::BTreeMap<String, String>;
