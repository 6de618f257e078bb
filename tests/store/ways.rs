//! The statements that ticks ask go by an index: a table that grows for months is never looked through.

use crate::common::Bench;
use halo::store::Db;
use sqlx::{AssertSqlSafe, Row};
use std::fs;

/// Asked at every tick, by every decision or at every start.
const ASKED_OFTEN: &[&str] = &[
    "apply_attempt",
    "apply_contact",
    "apply_run",
    "answer_start",
    "attempt_secrets",
    "attempt_slot",
    "attempt_whose",
    "calls_under_way",
    "complete_runs",
    "consents_of",
    "end_session",
    "ended_outcomes",
    "free_leases",
    "know_session",
    "known_events",
    "know_started_session",
    "lease_due",
    "lines_of_contacts",
    "load_budgets",
    "load_reservations",
    "leased_contacts",
    "lines_of_paused",
    "load_attempt",
    "move_slots",
    "open_runs",
    "overdue_grants",
    "people_alike",
    "people_exactly",
    "people_looked_at",
    "place_contacts",
    "rang_before",
    "run_facts",
    "runs_open",
    "sessions_to_ask",
    "silent_calls",
    "whose_word",
];

/// Questions with a limit of their own inside others, by their names there.
const LIMITED: &[&str] = &["fresh", "again", "waiting", "near", "begun", "named"];

/// The guards: partial indexes, and conditions that name their very words (`lines_of_paused` without its list of
/// states looks through every attempt of every run that ever was).
#[tokio::test]
async fn nothing_that_grows_is_looked_through() {
    let bench = Bench::sqlite().await;
    let Db::Sqlite { writer, .. } = bench.store.db() else { panic!("asked for SQLite") };
    for name in ASKED_OFTEN {
        let path = format!("{}/src/store/queries/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).expect("a statement of that name");
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_end().ends_with("-- postgres")).collect();
        let plan = AssertSqlSafe(format!("explain query plan {}", lines.join("\n")));
        for step in sqlx::query(plan).fetch_all(writer).await.expect("a sound statement") {
            let step: String = step.get("detail");
            let by_index = step.contains(" USING ") || step.contains("VIRTUAL TABLE");
            // What a question inside the question has found already, by an index and up to a limit.
            let found = LIMITED.iter().any(|name| step == format!("SCAN {name}"));
            assert!(by_index || found || !step.starts_with("SCAN"), "{name}: {step}");
        }
    }
}
