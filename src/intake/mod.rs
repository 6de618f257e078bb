//! From what an operator wrote to what the program knows: settings, policies, lists of contacts.
//!
//! Everything raw is read here, once: after this room a number is a `PhoneNumber` and a campaign's
//! settings are `Settings`. Every row of a list ends in exactly one bucket (accepted, duplicate,
//! refused) with its line and reason. This room returns; the caller writes. It knows no database, no
//! network and no file system, and it never guesses in silence.

pub mod calendar;
pub mod check;
pub mod columns;
pub mod consent;
pub mod contacts;
pub mod json_rows;
pub mod list;
pub mod phone;
pub mod policy;
pub mod prices;
pub mod rejects;
pub mod row;
mod rows;
mod seen;
pub mod settings;
pub mod template;
pub mod times;
pub mod values;
pub mod zones;

pub use contacts::{Fate, Found, IntakeError, List, Order, each, read, read_from, useful};
pub use row::{Alternate, Bucket, Complaint, Note, Row};
