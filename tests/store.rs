//! The laws of the tables: one body for each, run on SQLite and on PostgreSQL.
//!
//! A test that proves a guard names it: with that guard taken out, the test fails.

mod common;

#[path = "store/access.rs"]
mod access;
#[path = "store/appends.rs"]
mod appends;
#[path = "store/attempts.rs"]
mod attempts;
#[path = "store/batches.rs"]
mod batches;
#[path = "store/breakers.rs"]
mod breakers;
#[path = "store/caps.rs"]
mod caps;
#[path = "store/dials.rs"]
mod dials;
#[path = "store/erasures.rs"]
mod erasures;
#[path = "store/figures.rs"]
mod figures;
#[path = "store/histories.rs"]
mod histories;
#[path = "store/imports.rs"]
mod imports;
#[path = "store/judged.rs"]
mod judged;
#[path = "store/lanes.rs"]
mod lanes;
#[path = "store/latencies.rs"]
mod latencies;
#[path = "store/life.rs"]
mod life;
#[path = "store/media.rs"]
mod media;
#[path = "store/money.rs"]
mod money;
#[path = "store/nights.rs"]
mod nights;
#[path = "store/numbers.rs"]
mod numbers;
#[path = "store/pace.rs"]
mod pace;
#[path = "store/people.rs"]
mod people;
#[path = "store/plans.rs"]
mod plans;
#[path = "store/races.rs"]
mod races;
#[path = "store/reports.rs"]
mod reports;
#[path = "store/retries.rs"]
mod retries;
#[path = "store/runs.rs"]
mod runs;
#[path = "store/sessions.rs"]
mod sessions;
#[path = "store/settings.rs"]
mod settings;
#[path = "store/singles.rs"]
mod singles;
#[path = "store/terms.rs"]
mod terms;
#[path = "store/ways.rs"]
mod ways;
#[path = "store/why.rs"]
mod why;
#[path = "store/writer.rs"]
mod writer;
