//! Statements, lists, and whom a run takes.

use crate::both_engines;
use crate::common::calls::{NOON, contact, mode, new_campaign, phone};
use crate::common::{Bench, Engine};
use halo::domain::settings::Take;
use halo::domain::{Outcome, RunId};
use halo::store::{Db, Reject, RunState, StoreError};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

both_engines! {
    every_statement_prepares
    an_import_stores_everything_or_nothing
    buckets_sum_to_the_rows_of_the_file
    a_name_is_taken_once
    a_long_list_is_stored_whole
    one_number_has_one_row
    a_run_takes_all_the_unreached_or_the_next
    texts_that_an_engine_cannot_store_lose_only_that
}

async fn prepares(bench: &Bench, text: String) -> sqlx::Result<()> {
    let text = AssertSqlSafe(text).into_sql_str();
    match bench.store.db() {
        Db::Sqlite { writer, .. } => (&mut *writer.acquire().await?).prepare(text).await.map(|_| ()),
        Db::Postgres(pool) => (&mut *pool.acquire().await?).prepare(text).await.map(|_| ()),
    }
}

async fn every_statement_prepares(bench: Bench) {
    let other = if bench.engine == Engine::Sqlite { "-- postgres" } else { "-- sqlite" };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/queries");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the folder of statements") {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a statement");
        let ours: Vec<&str> = text.lines().filter(|line| !line.trim_end().ends_with(other)).collect();
        if let Err(cause) = prepares(&bench, ours.join("\n")).await {
            panic!("{}: {cause}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 80, "only {seen} statements were found");
    assert!(prepares(&bench, "select nothing from nowhere".into()).await.is_err(), "preparing checks nothing");
}

/// The guard: one transaction around the import.
async fn an_import_stores_everything_or_nothing(bench: Bench) {
    let mut contacts: Vec<_> = (0..1500).map(contact).collect();
    contacts[1400].number = phone(7);
    let refused = bench.store.create_campaign(new_campaign(&bench.store, "demo", contacts, Vec::new())).await;
    assert!(refused.is_err(), "one number twice in a list was stored");
    for table in ["campaigns", "imports", "rejects", "contacts", "numbers"] {
        assert_eq!(bench.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
}

fn reject(line: i64, bucket: &str) -> Reject {
    Reject { line, bucket: bucket.into(), field: "phone".into(), reason: "no".into(), raw: "x".into(), cells: None }
}

/// The guard: the check of table `imports`.
async fn buckets_sum_to_the_rows_of_the_file(bench: Bench) {
    let rejects = vec![reject(90, "duplicate"), reject(91, "refused"), reject(92, "refused")];
    let new = new_campaign(&bench.store, "demo", (0..5).map(contact).collect(), rejects);
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.unwrap();
    let import = &bench.store.imports(campaign).await.unwrap()[0];
    assert_eq!((import.rows_total, import.accepted, import.duplicates, import.refused), (8, 5, 1, 2));
    let proved = bench.store.prove(campaign).await.unwrap().rows;
    assert_eq!((proved.rows_total, proved.contacts, proved.rejects_duplicate, proved.rejects_refused), (8, 5, 1, 2));
    let lines: Vec<i64> = bench.store.rejects(campaign).await.unwrap().iter().map(|r| r.line).collect();
    assert_eq!(lines, [90, 91, 92]);

    let mut short = new_campaign(&bench.store, "short", vec![contact(1)], vec![reject(3, "refused")]);
    short.list.refused = 2;
    assert!(bench.store.create_campaign(short).await.is_err(), "a row of the file is in no bucket");
}

async fn a_name_is_taken_once(bench: Bench) {
    let new = |n: usize| new_campaign(&bench.store, "demo", vec![contact(n)], Vec::new());
    bench.store.create_campaign(new(1)).await.unwrap();
    let again = bench.store.create_campaign(new(2)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    // Two at once, from two processes: one of them, and the other is told why.
    let other = bench.another().await;
    let (one, two) = tokio::join!(
        bench.store.create_campaign(new_campaign(&bench.store, "night", vec![contact(3)], Vec::new())),
        other.create_campaign(new_campaign(&other, "night", vec![contact(4)], Vec::new()))
    );
    let lost = match (one, two) {
        (Ok(()), Err(lost)) | (Err(lost), Ok(())) => lost,
        both => panic!("{both:?}"),
    };
    assert!(matches!(lost, StoreError::Conflict(_)), "{lost:?}");
    assert_eq!(bench.store.find_campaign("night").await.unwrap().name, "night");
    assert!(matches!(bench.store.find_campaign("morning").await, Err(StoreError::Missing(_))));
}

async fn a_long_list_is_stored_whole(bench: Bench) {
    let run = bench.run_of(2500).await;
    let (mut after, mut lines) = (0, Vec::new());
    loop {
        let page = bench.store.contacts(run.campaign, after, 700).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.contact_id;
        lines.extend(page.iter().map(|row| (row.line, row.e164.clone(), row.mode.clone())));
    }
    lines.sort();
    let list: Vec<_> =
        (0..2500).map(contact).map(|c| (c.line, c.number.as_str().to_owned(), c.mode.as_str().to_owned())).collect();
    assert_eq!(lines, list);
}

async fn one_number_has_one_row(bench: Bench) {
    for name in ["one", "two"] {
        let new = new_campaign(&bench.store, name, (0..10).map(contact).collect(), Vec::new());
        bench.store.create_campaign(new).await.unwrap();
    }
    assert_eq!(bench.number("select count(*) from numbers").await, 10);
    assert_eq!(bench.number("select count(*) from contacts").await, 20);
}

async fn taken(bench: &Bench, run: RunId) -> Vec<i64> {
    let mut lines = Vec::new();
    for n in 0..20 {
        let here = format!(
            "select count(*) from run_contacts r join contacts c on c.contact_id = r.contact_id
             where r.run_id = {} and c.line = {n}",
            run.0
        );
        if bench.number(&here).await == 1 {
            lines.push(n);
        }
    }
    lines
}

async fn a_run_takes_all_the_unreached_or_the_next(bench: Bench) {
    let calls = bench.run_of(6).await;
    assert_eq!(taken(&bench, calls.run).await, [2, 3, 4, 5, 6, 7]);
    let live = calls.all_live(100, NOON).await;
    let ends =
        [Outcome::Answered, Outcome::Busy, Outcome::Machine, Outcome::Lost, Outcome::NoAnswer, Outcome::Answered];
    for ((attempt, session), outcome) in live.iter().zip(ends) {
        assert!(calls.finish(*attempt, *session, outcome, NOON).await);
    }
    calls.store.suppress(phone(4), "asked", NOON).await.unwrap();
    let start = |take| calls.store.start_run(calls.campaign, calls.account, take, NOON);
    // A second click is not a second round of calls.
    assert!(matches!(start(Take::All).await, Err(StoreError::Conflict(_))), "the run before is still open");
    calls.plan(NOON).await;
    // Lines 2 and 7 talked to a person, line 6 may never be called again.
    let (unreached, contacts) = start(Take::Unreached).await.unwrap();
    assert_eq!((taken(&bench, unreached).await, contacts), (vec![3, 4, 5], 3));
    let stop = |run| calls.store.set_run_state(run, RunState::Stopped, None, NOON);
    assert!(stop(unreached).await.unwrap());
    // An earlier run took everybody.
    assert_eq!(start(Take::Next(4)).await.unwrap().1, 0);
    let fresh = new_campaign(&bench.store, "fresh", (0..6).map(contact).collect(), Vec::new());
    let campaign = fresh.campaign.campaign;
    bench.store.create_campaign(fresh).await.unwrap();
    for lines in [vec![2, 3, 4, 5], vec![6, 7]] {
        let (run, _) = bench.store.start_run(campaign, calls.account, Take::Next(4), NOON).await.unwrap();
        assert_eq!(taken(&bench, run).await, lines);
        assert!(stop(run).await.unwrap());
    }
    let ordinals: Vec<i64> = bench.store.runs(campaign).await.unwrap().iter().map(|r| r.ordinal).collect();
    assert_eq!(ordinals, [1, 2]);
}

/// The guard: `store::text`. PostgreSQL stores no NUL and refuses the statement; SQLite does not mind.
async fn texts_that_an_engine_cannot_store_lose_only_that(bench: Bench) {
    let mut odd = contact(1);
    odd.name = Some("An\0na \\u0000 \"'; drop table contacts; --".into());
    odd.mode = mode("greeting");
    let mut refused = reject(9, "refused");
    refused.raw = "\0\u{1F600}\u{7f}".into();
    refused.cells = Some(r#"["\u0000","\\","\t"]"#.into());
    let new = new_campaign(&bench.store, "odd", vec![odd], vec![refused]);
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.unwrap();
    let row = &bench.store.contacts(campaign, 0, 10).await.unwrap()[0];
    assert_eq!(row.name.as_deref(), Some("Anna \\u0000 \"'; drop table contacts; --"));
    let kept = &bench.store.rejects(campaign).await.unwrap()[0];
    assert_eq!((kept.raw.as_str(), kept.cells.as_deref()), ("\u{1F600}\u{7f}", Some(r#"["\u0000","\\","\t"]"#)));
}
