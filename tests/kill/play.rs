//! One cell: work, death, life, judgement.

use crate::harness::{ledger, number};
use crate::place::{Ground, Place, wait};
use crate::{Callee, Cell};
use halo::domain::settings::Take;
use halo::domain::{CampaignId, RunId, Timestamp};
use halo::http::import::{Here, Upload, import};
use halo::report::Proof;
use halo::store::{Db, RunState, Store};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A death comes, and afterwards an end, within this.
const WITHIN: Duration = Duration::from_secs(180);
/// What made everything be over can be the very act after which it dies: its rows are seen before its end is.
const DYING: Duration = Duration::from_secs(10);
const TRIES_MAX: u32 = 4;
const NAME: &str = "killed";

type Played = Result<(), String>;

/// Six, of whom one at least has bad luck where starts are refused by the dice.
fn contacts(cell: Cell) -> u32 {
    if cell.callee == Callee::Refused { 6 } else { 2 }
}

/// The numbers of a cell, which no other cell of its callee has.
fn numbers(cell: Cell) -> Vec<String> {
    let (first, endings) = match cell.callee {
        Callee::Answered => (0, 30),
        Callee::Lost => (30, 15),
        Callee::Refused => (45, 15),
        Callee::Busy => (70, 5),
        Callee::Ending(ending) => (ending, 1),
    };
    let at = |nth: u32| number(nth / endings % 100, first + nth % endings);
    (0..contacts(cell)).map(|n| at(cell.nth * contacts(cell) + n)).collect()
}

fn settings(cell: Cell) -> String {
    let schedule = match cell.point.starts_with("fire.") {
        true => "[schedule]\ncron = \"0 3 1 1 *\"\ntimezone = \"UTC\"\ntake = \"all\"\n",
        false => "",
    };
    format!(
        "name = \"{NAME}\"\npurpose = \"test\"\nmode = \"greeting\"\n[dial]\ncps = 20\nlines = 10\nring_s = 30\n\
         call_s = 120\n[retry]\nattempts_max = {TRIES_MAX}\nbusy = [\"2m\"]\nno_answer = [\"2m\"]\n\
         unavailable = [\"2m\"]\nnetwork_error = [\"2m\"]\n{schedule}"
    )
}

fn list(cell: Cell) -> String {
    numbers(cell).iter().fold("phone\n".to_owned(), |list, number| list + number + "\n")
}

fn told(cause: impl std::fmt::Display) -> String {
    cause.to_string()
}

pub async fn play(ground: &Ground, cell: Cell) -> Played {
    let place = ground.copy(cell).await;
    let store = Store::open(&place.url).await.map_err(told)?;
    let played = work(&place, &store, cell).await.map_err(|fault| format!("{fault}\n{}", place.told()));
    store.close().await;
    played
}

async fn work(place: &Place, store: &Store, cell: Cell) -> Played {
    let aim = format!("{}:{}", cell.point, cell.hit);
    let what = cell.point.split('.').next().unwrap_or_default();
    let campaign =
        if what == "import" { torn_import(place, store, cell, &aim).await? } else { take_in(store, cell).await? };
    match what {
        "run" => torn_start(place, store, campaign, cell, &aim).await?,
        "fire" => moment_comes(store).await?,
        _ => drop(begin(place, store, campaign).await?),
    }
    if what != "import" && what != "run" {
        dies(place, store, campaign, &aim).await?;
    }
    let mut again = place.serve(None);
    finishes(&mut again, store, campaign).await?;
    again.kill();
    judge(place, store, campaign, cell).await
}

async fn take_in(store: &Store, cell: Cell) -> Result<CampaignId, String> {
    let modes = BTreeSet::from(["greeting".parse().map_err(told)?]);
    let now = halo::app::peek_clock(store).await.map_err(told)?.now();
    let here = Here { store, modes: &modes, real_platform: false, default_caller_id: "+74951234567".parse().ok(), now };
    let (settings, contacts) = (settings(cell), list(cell));
    let upload = Upload {
        source: "contacts.csv",
        settings: &settings,
        script: None,
        contacts: contacts.as_bytes(),
        salt: Some("salt".into()),
    };
    import(&here, upload).await.map(|done| done.campaign).map_err(|cause| format!("{cause}: {:?}", cause.faults()))
}

/// All of the list or nothing of it, and the same list again only if it was nothing.
async fn torn_import(place: &Place, store: &Store, cell: Cell, aim: &str) -> Result<CampaignId, String> {
    std::fs::write(place.folder.join("campaign.toml"), settings(cell)).map_err(told)?;
    std::fs::write(place.folder.join("contacts.csv"), list(cell)).map_err(told)?;
    if !place.verb(&["campaign", "import", "."], Some(aim)).await? {
        return Err("the import came to its end: the point was not reached".into());
    }
    let kept = store.campaigns(10).await.map_err(told)?;
    let durable = ["import.committed", "import.done"].contains(&cell.point);
    if kept.len() != usize::from(durable) {
        return Err(format!("after {} there are {} campaigns", cell.point, kept.len()));
    }
    for table in ["imports", "contacts", "numbers"] {
        let rows = count(store, table).await?;
        let wanted = i64::from(durable) * if table == "imports" { 1 } else { i64::from(contacts(cell)) };
        if rows != wanted {
            return Err(format!("after {} there are {rows} {table}", cell.point));
        }
    }
    match kept.first() {
        Some(campaign) => Ok(campaign.campaign),
        None => take_in(store, cell).await,
    }
}

async fn count(store: &Store, table: &str) -> Result<i64, String> {
    let text = AssertSqlSafe(format!("select count(*) from {table}"));
    match store.db() {
        Db::Sqlite { reader, .. } => sqlx::query_scalar(text).fetch_one(reader).await,
        Db::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await,
    }
    .map_err(told)
}

async fn begin(place: &Place, store: &Store, campaign: CampaignId) -> Result<RunId, String> {
    let now = halo::app::peek_clock(store).await.map_err(told)?.now();
    let (run, _) = store.start_run(campaign, place.account, Take::All, now).await.map_err(told)?;
    Ok(run)
}

/// A run with all of its contacts, or no run.
async fn torn_start(place: &Place, store: &Store, campaign: CampaignId, cell: Cell, aim: &str) -> Played {
    store.set_installation_value("account", place.account.to_string()).await.map_err(told)?;
    if !place.verb(&["campaign", "start", NAME], Some(aim)).await? {
        return Err("the run was started: the point was not reached".into());
    }
    let (runs, taken) = (count(store, "runs").await?, count(store, "run_contacts").await?);
    match (runs, taken) {
        (0, 0) => begin(place, store, campaign).await.map(drop),
        (1, taken) if taken == i64::from(contacts(cell)) => Ok(()),
        _ => Err(format!("{runs} runs of {taken} contacts")),
    }
}

/// The schedule's moment is now.
async fn moment_comes(store: &Store) -> Played {
    let now = halo::app::peek_clock(store).await.map_err(told)?.now();
    let text = AssertSqlSafe(format!("update schedules set next_at = {}", now.0));
    match store.db() {
        Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.map(drop),
        Db::Postgres(pool) => sqlx::query(text).execute(pool).await.map(drop),
    }
    .map_err(told)
}

/// Is there nothing more to come: runs over, calls ended, history copied?
async fn is_over(store: &Store, campaign: CampaignId) -> Result<bool, String> {
    let runs = store.runs(campaign).await.map_err(told)?;
    if let Some(run) = runs.iter().find(|run| run.state == RunState::Paused) {
        return Err(format!("a run was paused: {:?}", run.state_reason));
    }
    if runs.is_empty() || runs.iter().any(|run| !run.state.is_over()) {
        return Ok(false);
    }
    for run in &runs {
        if store.sessions_left(run.run).await.map_err(told)? > 0 {
            return Ok(false);
        }
    }
    let calls = store.prove(campaign).await.map_err(told)?.calls;
    Ok(calls.live + calls.dialing == 0)
}

async fn dies(place: &Place, store: &Store, campaign: CampaignId, aim: &str) -> Played {
    let mut service = place.serve(Some(aim));
    let (began, mut over) = (Instant::now(), None::<Instant>);
    loop {
        if let Some(death) = service.ended() {
            return death;
        }
        if over.is_some_and(|since| since.elapsed() > DYING) {
            return Err("everything came to its end: the point was not reached".into());
        }
        if over.is_none() && is_over(store, campaign).await? {
            over = Some(Instant::now());
        }
        if began.elapsed() > WITHIN {
            return Err("neither killed nor at an end".into());
        }
        wait().await;
    }
}

async fn finishes(service: &mut crate::place::Service, store: &Store, campaign: CampaignId) -> Played {
    let began = Instant::now();
    while !is_over(store, campaign).await? {
        if let Some(end) = service.ended() {
            return Err(format!("started again, the service ended: {end:?}"));
        }
        if began.elapsed() > WITHIN {
            let proved = store.prove(campaign).await.map_err(told)?;
            return Err(format!("not at an end: {:?} {:?}", proved.calls, proved.runs));
        }
        wait().await;
    }
    Ok(())
}

async fn judge(place: &Place, store: &Store, campaign: CampaignId, cell: Cell) -> Played {
    let ours: BTreeSet<String> = numbers(cell).into_iter().collect();
    let rang: Vec<_> =
        ledger::calls_at(place.simulator).await.into_iter().filter(|call| ours.contains(&e164(&call.number))).collect();
    let mut attempts = BTreeSet::new();
    if let Some(call) = rang.iter().find(|call| !attempts.insert(call.attempt.clone())) {
        return Err(format!("attempt {} rang twice", call.attempt));
    }
    let rows = store.contacts(campaign, 0, 100).await.map_err(told)?;
    if rows.len() != contacts(cell) as usize || rows.iter().any(|contact| contact.disposition.is_none()) {
        return Err(format!("a contact does not rest: {rows:?}"));
    }
    let proof = Proof::of(NAME.into(), store.prove(campaign).await.map_err(told)?, TRIES_MAX);
    if !proof.holds() || proof.proved.calls.granted_without_history > 0 {
        return Err(proof.text());
    }
    // Every granted call that rang is one that the tables know of.
    if (proof.proved.calls.calls_in_history as usize) != rang.len() {
        return Err(format!("{} rang:\n{}", rang.len(), proof.text()));
    }
    let runs = store.runs(campaign).await.map_err(told)?;
    let next = store.schedules().await.map_err(told)?.first().and_then(|schedule| schedule.next_at);
    let moved = next.is_none_or(|next: Timestamp| runs[0].due_at.is_some_and(|due| next > due));
    if runs.len() != 1 || !moved {
        return Err(format!("one moment, and {} runs; the next is {next:?}", runs.len()));
    }
    Ok(())
}

fn e164(number: &str) -> String {
    format!("+{}", number.chars().filter(char::is_ascii_digit).collect::<String>())
}
