//! apalis's traps, each with the guard that keeps it from us: an upgrade shows here what changed.
//!
//! Nothing sleeps for the sake of being right; what must come is asked for again until a deadline.

mod common;

#[path = "queue/jobs.rs"]
mod jobs;
#[path = "queue/tables.rs"]
mod tables;
