//! `halo campaign rehearse`: a list, its script and its settings against the simulator's callees, in scaled time.
//!
//! It takes place in a database of its own that is deleted in the end, and every call goes to a simulator inside:
//! nobody is rung, and nothing of it is kept or counted in the user's database. Its suppression list and allow-list
//! hold; calls that were made to a number before are not counted against its caps. Time in which nobody may be called is
//! skipped, so that a rehearsal of two nights takes minutes.

mod piece;

use crate::app::{App, ClockStart, known_modes, models, open_store, prices, private_folder};
use crate::config::{Config, DialogBase, PlatformConfig};
use crate::demo::interrupted;
use crate::domain::assign::{dial_order, dial_order_of};
use crate::domain::money::{MICROS, Models, Prices, shown};
use crate::domain::settings::Take;
use crate::domain::{AttemptId, BatchId, CampaignId, Outcome, PhoneNumber, RunId, Timestamp};
use crate::intake;
use crate::simulator::{self, Mischief};
use crate::store::{AttemptRow, Campaign, ContactRow, Listed, NewCampaign, NewContact, RunState, Store, Turn};
use anyhow::{Context, Result, bail};
use piece::{Piece, all_contacts, of_database, of_folder};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The provider's history is waited for so long after the last call.
const HISTORY_WITHIN: Duration = Duration::from_secs(20);
/// Waiting that is shorter than this is waited through, in program time.
const SKIPPED_MS_MIN: i64 = 120_000;
/// A skip ends so long before the next call.
const WAKE_MS: i64 = 2_000;
const PAGE: i64 = 5_000;
/// Rows told where a list cannot be read.
const FAULTS_SHOWN_MAX: usize = 20;
/// Transcripts shown for each mode.
const TRANSCRIPTS_OF_MODE: usize = 1;
/// No rehearsal ends for want of the simulator's money.
const BALANCE: f64 = 1e9;

pub const SIMULATED: &str = "simulated: says nothing about the real modes";

pub struct Order {
    /// A folder with campaign.toml and contacts.csv, or a campaign of the database.
    pub what: String,
    /// Decides the callees' answers and, of a long list, who is taken.
    pub seed: u64,
    /// How many times faster than life.
    pub speed: f64,
    /// Contacts that are called at most.
    pub contacts_max: usize,
    /// When it begins; now when absent.
    pub at: Option<Timestamp>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Rehearsed {
    pub note: &'static str,
    pub campaign: String,
    pub seed: u64,
    pub contacts: usize,
    /// Of the whole list; `contacts` of them, drawn by the seed, were called.
    pub contacts_listed: usize,
    pub state: &'static str,
    pub reason: Option<String>,
    pub began_at: Timestamp,
    /// When the last contact came to rest, or the run paused.
    pub ended_at: Timestamp,
    pub calls: usize,
    /// Attempts by how they ended.
    pub outcomes: BTreeMap<String, usize>,
    /// Contacts by where they came to rest.
    pub dispositions: BTreeMap<String, usize>,
    pub cost: Cost,
    pub transcripts: Vec<Transcript>,
    pub seconds: f64,
}

/// By prices.toml, in units of its currency.
#[derive(Debug, Serialize)]
pub struct Cost {
    pub currency: String,
    pub provider: f64,
    pub models: f64,
    pub by_mode: BTreeMap<String, f64>,
    /// The same for the whole list, if the others are like those that were called.
    pub whole_list: f64,
    pub prices_of: String,
    pub prices_unverified: usize,
    pub prices: usize,
}

#[derive(Debug, Serialize)]
pub struct Transcript {
    pub mode: String,
    pub callee: String,
    pub outcome: String,
    pub turns: Vec<Turn>,
}

/// Is this a folder with a campaign, and not the name of one in the database?
pub fn is_folder(what: &str) -> bool {
    Path::new(what).join("campaign.toml").is_file()
}

pub async fn run(config: &Config, order: &Order) -> Result<Rehearsed> {
    let folder = private_folder("halo-rehearsal")?;
    let rehearsed = in_folder(config, order, &folder).await;
    let removed = std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string());
    let rehearsed = rehearsed?;
    removed?;
    Ok(rehearsed)
}

async fn in_folder(config: &Config, order: &Order, folder: &Path) -> Result<Rehearsed> {
    let began = Instant::now();
    let ours = Config {
        database_url: format!("sqlite:{}", folder.join("rehearsal.db").display()),
        listen: "127.0.0.1:0".parse().context("an address of our own")?,
        platform: PlatformConfig::Inside,
        backend_url: None,
        api_auth_key: None,
        openai_api_key: None,
        openai_base_url: None,
        // The rules reply in its place; what it would cost is reckoned by its prices.
        model: None,
        // Somebody else's replier is not to be talked to by simulated callees.
        dialog: if config.dialog == DialogBase::Off { DialogBase::Off } else { DialogBase::Backend },
        ..config.clone()
    };
    let store = open_store(&ours).await?;
    let modes = known_modes(config)?;
    let piece = if is_folder(&order.what) {
        of_folder(&store, Path::new(&order.what), &modes, config, order).await?
    } else {
        of_database(config, &order.what, &modes).await?
    };
    let simulated = simulator::Settings {
        seed: order.seed,
        speed: order.speed,
        mischief: Mischief::none(),
        balance: BALANCE,
        ..simulator::Settings::default()
    };
    let clock = ClockStart { speed: order.speed, at: order.at };
    let app = App::start(&ours, store, clock, simulated).await?;
    let rehearsed = play(&app, &piece, order, &models(config), began).await;
    piece.close().await;
    app.stop().await;
    rehearsed
}

/// All of a short list; of a long one those that the seed draws, whatever their order in it.
fn drawn(contacts: &[ContactRow], order: &Order) -> Result<Vec<(PhoneNumber, ContactRow)>> {
    let salt = order.seed.to_string();
    let mut numbered =
        contacts.iter().map(|row| Ok((row.e164.parse::<PhoneNumber>()?, row.clone()))).collect::<Result<Vec<_>>>()?;
    if numbered.len() > order.contacts_max {
        numbered.sort_by_key(|(number, row)| (dial_order(&salt, number), row.contact_id));
        numbered.truncate(order.contacts_max);
    }
    Ok(numbered)
}

async fn play(app: &App, piece: &Piece, order: &Order, models: &Models, began: Instant) -> Result<Rehearsed> {
    let prices = prices()?;
    let taken = drawn(&piece.contacts, order)?;
    let (campaign, run) = begin(app, piece, &taken).await?;
    let began_at = app.clock.now();
    watch(app, run).await?;
    let ended = app.store.run(run).await?;
    let waited = Instant::now();
    while ended.state == RunState::Completed
        && waited.elapsed() < HISTORY_WITHIN
        && !app.dialer.history_is_complete(run).await?
    {
        tokio::time::sleep(LOOK_EVERY).await;
    }

    let attempts = all_attempts(&app.store, campaign).await?;
    let mut outcomes = BTreeMap::new();
    for attempt in &attempts {
        *outcomes.entry(attempt.outcome.clone().unwrap_or_else(|| attempt.state.clone())).or_default() += 1;
    }
    let mut dispositions = BTreeMap::new();
    for contact in all_contacts(&app.store, campaign).await? {
        *dispositions.entry(contact.disposition.unwrap_or_else(|| "waiting".to_owned())).or_default() += 1;
    }
    let (contacts, contacts_listed) = (taken.len(), piece.contacts.len());
    Ok(Rehearsed {
        note: SIMULATED,
        campaign: piece.name.clone(),
        seed: order.seed,
        contacts,
        contacts_listed,
        state: ended.state.as_str(),
        reason: ended.state_reason,
        began_at,
        ended_at: ended.ended_at.unwrap_or(ended.changed_at),
        calls: attempts.iter().filter(|attempt| attempt.dialed_at.is_some()).count(),
        outcomes,
        dispositions,
        cost: cost(piece, &prices, models, &attempts, contacts_listed as f64 / contacts.max(1) as f64)?,
        transcripts: transcripts(app, &attempts).await?,
        seconds: began.elapsed().as_secs_f64(),
    })
}

async fn begin(app: &App, piece: &Piece, taken: &[(PhoneNumber, ContactRow)]) -> Result<(CampaignId, RunId)> {
    let (store, now) = (&app.store, app.clock.now());
    let campaign = CampaignId(store.ids.one(now.0));
    let mut contacts = Vec::with_capacity(taken.len());
    for (number, row) in taken {
        contacts.push(NewContact {
            line: row.line,
            number: number.clone(),
            mode: row.mode.parse()?,
            own_mode: row.own_mode != 0,
            dial_order: dial_order_of(&piece.salt, number, row.wishes().priority),
            name: row.name.clone(),
            timezone: row.timezone.as_deref().map(str::parse).transpose()?,
            external_id: row.external_id.clone(),
            variables: row.variables.clone(),
            raw_phone: number.as_str().to_owned(),
            consent_kind: row.consent_kind.clone(),
            consent_at: row.consent_at.map(Timestamp),
            consent_source: row.consent_source.clone(),
            wishes: row.wishes(),
            alternates: piece.further.get(&row.contact_id).cloned().unwrap_or_default(),
        });
    }
    // Whoever asked not to be called is not called in a rehearsal either, and test phones ring at any hour.
    let all: Vec<&PhoneNumber> = contacts
        .iter()
        .flat_map(|contact| std::iter::once(&contact.number).chain(contact.alternates.iter().map(|a| &a.number)))
        .collect();
    piece.hand_over(&all, store, now).await?;
    let new = NewCampaign {
        campaign: Campaign {
            campaign,
            // Names end at 80 letters, and only a file's are held to that.
            name: format!("rehearsal of {}", piece.name),
            settings: intake::settings::to_json(&piece.settings).to_string(),
            script: piece.script.clone(),
            salt: piece.salt.clone(),
            created_at: now,
        },
        batch: BatchId(store.ids.one(now.0)),
        source: "rehearsal".into(),
        content_hash: String::new(),
        key: None,
        list: Listed::of(contacts, Vec::new(), Vec::new()),
        schedule: None,
        ids: store.ids.clone(),
    };
    store.create_campaign(new).await?;
    let (run, _) = store.start_run(campaign, app.dialer.account, Take::All, now).await?;
    Ok((campaign, run))
}

/// Until the run is over or paused. While nobody is called and nobody is due, time is skipped.
async fn watch(app: &App, run: RunId) -> Result<()> {
    let mut stop = std::pin::pin!(interrupted());
    let mut skipped_us = 0;
    loop {
        tokio::select! {
            () = &mut stop => bail!("interrupted; nothing of the rehearsal is kept"),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if app.store.run(run).await?.state != RunState::Running {
            return Ok(());
        }
        let due = app.store.next_due(run).await?;
        let progress = app.store.progress(run).await?;
        let idle = progress.dialing + progress.live == 0;
        let Some(until) = due.filter(|_| idle) else { continue };
        let ahead_ms = until.plus_ms(-WAKE_MS).since(app.clock.now());
        if ahead_ms >= SKIPPED_MS_MIN {
            skipped_us += (ahead_ms as f64 * 1000.0 / app.clock.speed()) as i64;
            app.clock.set_offset(skipped_us);
        }
    }
}

async fn all_attempts(store: &Store, campaign: CampaignId) -> Result<Vec<AttemptRow>> {
    let mut rows: Vec<AttemptRow> = Vec::new();
    loop {
        let page = store.attempts(campaign, rows.last().map_or(0, |row| row.attempt_id), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

fn cost(piece: &Piece, prices: &Prices, used: &Models, attempts: &[AttemptRow], of_list: f64) -> Result<Cost> {
    let seconds = |ms: Option<i64>| ms.map_or(0, |ms| (ms.max(0) + 999) / 1000);
    let (mut provider, mut models, mut by_mode) = (0, 0, BTreeMap::<String, i64>::new());
    for attempt in attempts.iter().filter(|attempt| attempt.dialed_at.is_some()) {
        let tariff = prices.tariff(&attempt.e164.parse()?, &attempt.mode.parse()?, &piece.settings.dial, used);
        let talk_s = seconds(attempt.talk_ms);
        let billed = tariff.provider(seconds(attempt.ring_ms), talk_s);
        let told = tariff.models(talk_s) + tariff.replies(talk_s);
        provider += billed;
        models += told;
        *by_mode.entry(attempt.mode.clone()).or_default() += billed + told;
    }
    let units = |micros: i64| micros as f64 / MICROS as f64;
    let (unverified, all) = prices.unverified();
    Ok(Cost {
        currency: prices.currency.clone(),
        provider: units(provider),
        models: units(models),
        by_mode: by_mode.into_iter().map(|(mode, micros)| (mode, units(micros))).collect(),
        whole_list: units(provider + models) * of_list,
        prices_of: prices.date.to_string(),
        prices_unverified: unverified,
        prices: all,
    })
}

/// For each mode the first conversation that was one.
async fn transcripts(app: &App, attempts: &[AttemptRow]) -> Result<Vec<Transcript>> {
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for attempt in attempts.iter().filter(|attempt| attempt.outcome.as_deref() == Some(Outcome::Answered.as_str())) {
        let n = shown.entry(&attempt.mode).or_default();
        if *n >= TRANSCRIPTS_OF_MODE || (attempt.turns == 0 && attempt.mode != "greeting") {
            continue;
        }
        *n += 1;
        found.push(Transcript {
            mode: attempt.mode.clone(),
            callee: attempt.e164.parse::<PhoneNumber>()?.masked(),
            outcome: attempt.outcome.clone().unwrap_or_default(),
            turns: app.store.turns(AttemptId(attempt.attempt_id)).await?,
        });
    }
    Ok(found)
}

impl fmt::Display for Rehearsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Rehearsal of {}, seed {} ({})\n", self.campaign, self.seed, self.note)?;
        let whom = if self.contacts == self.contacts_listed {
            format!("all {} contacts of the list", self.contacts)
        } else {
            format!("{} of {} contacts, drawn by the seed", self.contacts, self.contacts_listed)
        };
        writeln!(f, "Called:    {whom}; {} calls. Nobody was rung.", self.calls)?;
        let reason = self.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        writeln!(f, "Ended:     {}{reason}", self.state)?;
        writeln!(
            f,
            "Time:      {} to {} ({})",
            self.began_at,
            self.ended_at,
            span(self.ended_at.since(self.began_at))
        )?;
        if self.contacts != self.contacts_listed {
            writeln!(f, "           of those that were called: the whole list takes longer")?;
        }
        let list = |counts: &BTreeMap<String, usize>| {
            counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "Calls:     {}", list(&self.outcomes))?;
        writeln!(f, "Contacts:  {}", list(&self.dispositions))?;
        let cost = &self.cost;
        let money = |units: f64| shown((units * MICROS as f64) as i64, &cost.currency);
        let by_mode: Vec<String> =
            cost.by_mode.iter().map(|(mode, units)| format!("{mode} {}", money(*units))).collect();
        writeln!(
            f,
            "Cost:      {} ({}), of which models {}",
            money(cost.provider + cost.models),
            by_mode.join(", "),
            money(cost.models)
        )?;
        if self.contacts != self.contacts_listed {
            writeln!(
                f,
                "           about {} for the whole list, if the others are like these",
                money(cost.whole_list)
            )?;
        }
        writeln!(
            f,
            "           by prices.toml of {}, {} of {} prices unverified",
            cost.prices_of, cost.prices_unverified, cost.prices
        )?;
        for transcript in &self.transcripts {
            writeln!(f, "\n{} with {} ({}):", transcript.mode, transcript.callee, transcript.outcome)?;
            for turn in &transcript.turns {
                for (who, text) in [("callee", &turn.callee_text), ("agent", &turn.agent_text)] {
                    if let Some(text) = text {
                        writeln!(f, "  {who:<7} {text}")?;
                    }
                }
            }
        }
        writeln!(f, "\nIt took {:.0} s. {}", self.seconds, self.note)
    }
}

/// As in `2 d 3 h 5 min`.
fn span(ms: i64) -> String {
    let minutes = (ms.max(0) + 59_999) / 60_000;
    let parts = [(minutes / 1440, "d"), (minutes / 60 % 24, "h"), (minutes % 60, "min")];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if said.is_empty() { "0 min".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_days_hours_and_minutes() {
        let min = 60_000;
        assert_eq!((span(0).as_str(), span(1).as_str(), span(61 * min).as_str()), ("0 min", "1 min", "1 h 1 min"));
        assert_eq!(span(2 * 1440 * min + 5 * min), "2 d 5 min");
    }
}
