//! The admin page: HTML for people, made of what the API answers and of nothing else.
//!
//! A page is a client of the API that happens to live in the same process: it asks `/api/v1/…` with the key of whoever
//! signed in, so what a key may not do, its page may not do either. Nothing here sees the store, the dialer or a rule.

mod access;
mod asked;
mod assets;
mod behind;
mod call;
mod campaign;
mod campaigns;
mod charts;
mod client;
mod create;
mod doors;
mod files;
mod hooks;
mod look;
mod others;
mod people;
mod report;
mod routes;
mod run;
mod session;
mod shell;
mod slices;
mod time;
mod trouble;
mod words;

pub use routes::router;
