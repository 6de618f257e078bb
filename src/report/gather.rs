//! From the store's counts to the figures of a report.

use super::answers;
use super::apart;
use super::figures::{
    ApartRow, AttemptRow, BundleRow, CallRow, CallTurns, ContactRow, Design, Figures, HourRow, LatencyCounts, Method,
    Metric, Money, MoneyRate, Night, QuarterRow, RunRow, RunState, SettingsChange, TurnCount, TurnRow, TurnSums,
    add_up,
};
use super::judged;
use super::nights;
use super::plan::{ASSUMED, CallCost, Known};
use super::verify::Marks;
use crate::domain::experiment::{Kind, NIGHTS};
use crate::domain::money::{MICROS, Models, Prices};
use crate::domain::settings::Settings;
use crate::domain::{Mode, PhoneNumber, RunId, Timestamp};
use crate::store::figures::{CountedContacts, CountedLatency, CountedQuarter, CountedRun, CountedValue};
use crate::store::{Campaign, Result, SettingsVersion, Store, StoreError};
use chrono::Timelike;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Platforms of ours begin so; everything that comes from there is marked.
pub const SIMULATOR: &str = "simulator/";

pub async fn figures(store: &Store, campaign: &Campaign, settings: &Settings, now: Timestamp) -> Result<Figures> {
    figures_of(store, campaign, settings, Of::default(), now).await
}

/// Which of a campaign's runs.
#[derive(Clone, Copy, Default)]
pub struct Of {
    /// Those at this platform's account; without one, at that of the newest run.
    pub account: Option<i64>,
}

pub async fn figures_of(
    store: &Store,
    campaign: &Campaign,
    settings: &Settings,
    of: Of,
    now: Timestamp,
) -> Result<Figures> {
    let runs = store.counted_runs(campaign.campaign).await?;
    let newest = runs.iter().rev().find(|run| of.account.is_none_or(|account| account == run.account_id)).cloned();
    let account = newest.as_ref().map_or(0, |run| run.account_id);
    let changes =
        changes(store.settings_history(campaign.campaign).await?, runs.iter().filter(|run| run.account_id == account));
    let bundles = played(store, campaign, account).await?;
    let runs = nights_at(runs, account)?;
    let modes = apart::compared(&settings.modes);
    // What was played before the last change is pooled with nothing: whoever was called then counts anew.
    let from = nights::versions_of(&modes, &runs, &bundles).last().map_or(0, |version| version.from_night);
    let asked = answers::asked(&campaign.script);
    let crossover = settings.experiment.kind == Kind::Crossover;
    let mut rows = store.counted(campaign.campaign, account, from, !asked.is_empty()).await?;
    let judged = judged::gather(store, campaign.campaign, account, from, &settings.experiment, &mut rows).await?;
    // A report of a finished campaign says the same whenever it is asked for.
    let data_as_of = newest.as_ref().and_then(|run| run.ended_at).map_or(now, Timestamp);
    let mut design = Design::of(&modes, seed(&campaign.salt));
    if settings.schedule.is_some() {
        design.nights_planned = NIGHTS;
    }
    let records = rows.answers.into_iter().map(|row| Ok((mode(&row.mode)?, row.answers, count(row.n))));
    let answers = answers::rows(&asked, records.collect::<Result<Vec<_>>>()?.into_iter());
    design.declare(&settings.experiment);
    let gathered = latencies(rows.latencies)?;
    let mut figures = Figures {
        campaign: campaign.name.clone(),
        simulated: newest.is_none_or(|run| run.platform.starts_with(SIMULATOR)),
        data_as_of,
        design,
        runs,
        changes,
        // In a panel each night of a number counts.
        contacts: contacts(if crossover { rows.night_contacts.clone() } else { rows.contacts })?,
        night_contacts: contacts(rows.night_contacts)?,
        attempts: rows
            .outcomes
            .into_iter()
            .map(|row| {
                Ok(AttemptRow {
                    night: row.night,
                    mode: mode(&row.mode)?,
                    outcome: row.outcome.parse().map_err(|e| StoreError::row("attempts", "outcome", e))?,
                    n: count(row.n),
                })
            })
            .collect::<Result<_>>()?,
        calls: rows
            .calls
            .into_iter()
            .map(|row| {
                Ok(CallRow {
                    night: row.night,
                    mode: mode(&row.mode)?,
                    human: count(row.human),
                    machine: count(row.machine),
                    unknown: count(row.unknown),
                    conversed: count(row.conversed),
                    early_hangups: count(row.early_hangups),
                    late_greetings: count(row.late_greetings),
                    faults: count(row.faults),
                    talk_ms: count(row.talk_ms),
                    cost_micros: row.cost_micros.map(count),
                    costed: count(row.costed),
                    ringing: count(row.ringing),
                    interruptions: count(row.interruptions),
                    barge_ins: count(row.barge_ins),
                    fillers: count(row.fillers),
                })
            })
            .collect::<Result<_>>()?,
        latencies: gathered.latencies,
        turns: gathered.turns,
        repeats: CallTurns::gather(
            rows.repeats
                .into_iter()
                .map(|row| {
                    Ok(TurnRow {
                        night: row.night,
                        mode: mode(&row.mode)?,
                        contact: row.contact,
                        attempt: row.attempt,
                        try_number: row.try_number,
                        turn_ms: row.turn_ms,
                        method: Method::parse(&row.method),
                        goal: row.goal == 1,
                        faulty: row.faulty == 1,
                    })
                })
                .collect::<Result<Vec<_>>>()?,
        ),
        hours: rows
            .hours
            .into_iter()
            .map(|row| {
                let local = Timestamp(row.quarter_at).utc().map(|utc| utc.with_timezone(&settings.timezone));
                Ok(HourRow {
                    night: row.night,
                    mode: mode(&row.mode)?,
                    hour: local.map_or(0, |at| at.hour()),
                    dialled: count(row.dialled),
                    human: count(row.human),
                    goals: count(row.goals),
                })
            })
            .collect::<Result<_>>()?,
        bundles,
        judged,
        quarters: quarters(rows.quarters)?,
        money: money(store).await?,
        apart: rows
            .apart
            .into_iter()
            .map(|row| {
                Ok(ApartRow {
                    mode: mode(&row.mode)?,
                    contacts: count(row.contacts),
                    attempts: count(row.attempts),
                    answered: count(row.answered),
                    human: count(row.human),
                    goals: count(row.goals),
                })
            })
            .collect::<Result<_>>()?,
        // Who asked nothing has the figures of before.
        asked: if answers.is_empty() { Vec::new() } else { asked },
        answers,
    };
    apart::set_apart(&mut figures);
    Ok(figures)
}

/// Under this name an installation keeps the price table that its service runs with ([`Money`] as JSON).
pub const PRICES: &str = "prices";

async fn money(store: &Store) -> Result<Option<Money>> {
    let kept = store.installation_value(PRICES).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

/// What a service tells of its prices, for reports.
pub async fn keep_prices(store: &Store, prices: &Prices) -> Result<()> {
    let rate = |rate: &crate::domain::money::Rate| MoneyRate {
        from: rate.from.clone(),
        rate: rate.worth as f64 / MICROS as f64,
        date: rate.source.date.to_string(),
    };
    let money = Money {
        currency: prices.currency.clone(),
        prices_date: prices.date.to_string(),
        unverified: prices.unverified().0 as u64,
        rates: prices.rates.iter().map(rate).collect(),
    };
    let text = serde_json::to_string(&money).expect("names and numbers are always JSON");
    store.set_installation_value(PRICES, text).await
}

type Quarters = BTreeMap<(i64, String, i64), CountedQuarter>;

fn quarters(counted: Quarters) -> Result<Vec<QuarterRow>> {
    let row = |((night, name, at), found): ((i64, String, i64), CountedQuarter)| {
        Ok(QuarterRow {
            night,
            mode: mode(&name)?,
            at: Timestamp(at),
            attempts: count(found.attempts),
            answered: count(found.answered),
            goals: count(found.goals),
            talk_ms: count(found.talk_ms),
            cost_micros: count(found.cost_micros),
        })
    };
    counted.into_iter().map(row).collect()
}

/// What each night played.
async fn played(store: &Store, campaign: &Campaign, account: i64) -> Result<Vec<BundleRow>> {
    let rows = store.bundles(campaign.campaign, account).await?.into_iter();
    rows.map(|row| Ok(BundleRow { night: row.night, mode: mode(&row.mode)?, bundle: row.bundle })).collect()
}

fn nights_at(runs: Vec<CountedRun>, account: i64) -> Result<Vec<RunRow>> {
    let own = runs.into_iter().filter(|run| run.account_id == account);
    own.map(|run| {
        Ok(RunRow {
            night: run.night,
            run_id: RunId(run.run_id).to_string(),
            state: state(&run.state)?,
            started_at: Timestamp(run.started_at),
        })
    })
    .collect()
}

/// When that began which is played now, where something else was played before.
pub async fn newest_version(store: &Store, campaign: &Campaign, settings: &Settings) -> Result<Option<Timestamp>> {
    let runs = store.counted_runs(campaign.campaign).await?;
    let account = runs.last().map_or(0, |run| run.account_id);
    let (runs, bundles) = (nights_at(runs, account)?, played(store, campaign, account).await?);
    let versions = nights::versions_of(&apart::compared(&settings.modes), &runs, &bundles);
    let first = versions.last().filter(|_| versions.len() > 1).map(|version| version.from_night);
    Ok(runs.iter().find(|run| Some(run.night) == first).map(|run| run.started_at))
}

struct Gathered {
    latencies: Vec<LatencyCounts>,
    turns: Vec<TurnSums>,
}

/// Turns and the medians of calls become sums, everything else counts.
fn latencies(counted: Vec<CountedLatency>) -> Result<Gathered> {
    let (mut rows, mut sums) = (Vec::new(), BTreeMap::<(Night, Mode), TurnSums>::new());
    for latency in counted {
        let (night, mode) = (latency.night, mode(&latency.mode)?);
        let finite = |ms: i64| (ms >= 0).then_some(ms);
        match latency.metric.as_str() {
            "turn_ms" => {
                let found = sums_of(&mut sums, &latency, mode);
                found.unanswered = latency.values.iter().filter(|value| value.ms < 0).map(|value| count(value.n)).sum();
                let answered = latency.values.iter().filter(|value| value.ms >= 0);
                let turn = |value: &CountedValue| TurnCount {
                    ms: value.ms,
                    n: count(value.n),
                    ranks: count(value.ranks),
                    sizes: count(value.sizes),
                };
                let mut turns: Vec<TurnCount> = answered.map(turn).collect();
                turns.sort_by_key(|turn| turn.ms);
                turns.dedup_by(|next, first| {
                    let same = next.ms == first.ms;
                    if same {
                        first.n += next.n;
                        first.ranks += next.ranks;
                        first.sizes += next.sizes;
                    }
                    same
                });
                found.turns = turns;
            }
            "call_turn_half_ms" => sums_of(&mut sums, &latency, mode).calls = by_value(&latency),
            "call_turn_faulty_half_ms" => sums_of(&mut sums, &latency, mode).calls_faulty = by_value(&latency),
            "call_turn_all_half_ms" => {
                let mut calls: BTreeMap<Option<i64>, u64> = BTreeMap::new();
                latency.values.iter().for_each(|value| *calls.entry(finite(value.ms)).or_default() += count(value.n));
                sums_of(&mut sums, &latency, mode).calls_of_all = calls.into_iter().collect();
            }
            name => {
                let metric =
                    Metric::parse(name).ok_or_else(|| StoreError::row("latency_counts", "metric", name.to_owned()))?;
                let never = latency.values.iter().filter(|value| value.ms < 0).map(|value| count(value.n)).sum();
                let finite = latency.values.iter().filter(|value| value.ms >= 0);
                let counts = finite.map(|value| (value.ms, count(value.n))).collect();
                rows.push(LatencyCounts { night, mode, metric, never, counts });
            }
        }
    }
    Ok(Gathered { latencies: rows, turns: sums.into_values().collect() })
}

fn by_value(latency: &CountedLatency) -> Vec<(i64, u64)> {
    let mut calls = latency.values.iter().map(|value| (value.ms, count(value.n))).collect();
    add_up(&mut calls);
    calls
}

fn sums_of<'s>(
    sums: &'s mut BTreeMap<(Night, Mode), TurnSums>,
    latency: &CountedLatency,
    mode: Mode,
) -> &'s mut TurnSums {
    let night = latency.night;
    let found = sums.entry((night, mode.clone())).or_insert_with(|| TurnSums::empty(night, mode));
    found.method = found.method.max(place(latency.ruler));
    found
}

/// A ruler by its place from the best.
fn place(ruler: i64) -> Option<Method> {
    Method::ALL.get(usize::try_from(ruler).ok()?).copied()
}

/// What a plan may rest on: the list as it was assigned, and what earlier runs told; `reach` and `success` are somebody's
/// own guess and win over both.
pub async fn known(
    store: &Store,
    campaign: &Campaign,
    settings: &Settings,
    figures: &Figures,
    guess: Guess<'_>,
) -> Result<Known> {
    let Guess { reach, success, priced } = guess;
    let given = store.arms(campaign.campaign).await?;
    let contacts = figures.design.arms.iter().map(|(mode, _)| {
        let found = given.iter().find(|(name, _)| name == mode.as_str());
        (mode.clone(), found.map_or(0, |(_, n)| count(*n)))
    });
    let sum = |rows: &[ContactRow], of: fn(&ContactRow) -> u64| rows.iter().map(of).sum::<u64>();
    let (dialled, talked) = (sum(&figures.night_contacts, |r| r.dialled), sum(&figures.night_contacts, |r| r.reached));
    let (reached, goals) = (sum(&figures.contacts, |r| r.reached), sum(&figures.contacts, |r| r.goals));
    let share = |guess: Option<f64>, k: u64, n: u64| match guess {
        Some(share) => (share, true),
        // All or nothing is a handful's word: a plan needs something between.
        None if k > 0 && k < n => (k as f64 / n as f64, true),
        None => (ASSUMED, false),
    };
    let cost: u64 = figures.calls.iter().filter_map(|row| row.cost_micros).sum();
    Ok(Known {
        contacts: contacts.collect(),
        take: settings.schedule.as_ref().map(|schedule| schedule.take),
        reach: share(reach, talked, dialled),
        success: share(success, goals, reached),
        cost_per_call: if cost > 0 && reached > 0 {
            let currency = figures.money.as_ref().map_or(String::new(), |money| money.currency.clone());
            Some(CallCost { amount: cost as f64 / MICROS as f64 / reached as f64, currency, told: true })
        } else {
            let to = store.first_number(campaign.campaign).await?;
            priced
                .zip(to)
                .map(|(priced, to)| assumed_cost(priced, settings, figures, &to, share(reach, talked, dialled).0))
        },
    })
}

/// What somebody says of a campaign that nothing is known of.
#[derive(Clone, Copy, Default)]
pub struct Guess<'a> {
    pub reach: Option<f64>,
    pub success: Option<f64>,
    /// By what a call is priced that nobody was billed for.
    pub priced: Option<(&'a Prices, &'a Models)>,
}

/// A talk that nobody has had yet lasts so long.
const TALK_S: i64 = 60;

/// One human call by the price table: the mean of the arms, with the tries that reach nobody.
fn assumed_cost(
    (prices, models): (&Prices, &Models),
    settings: &Settings,
    figures: &Figures,
    to: &PhoneNumber,
    reach: f64,
) -> CallCost {
    let of = |mode: &Mode| {
        let tariff = prices.tariff(to, mode, &settings.dial, models);
        let talked = tariff.provider(tariff.ring_s, TALK_S) + tariff.models(TALK_S) + tariff.replies(TALK_S);
        talked as f64 + tariff.provider(tariff.ring_s, 0) as f64 * (1.0 / reach.max(0.01) - 1.0)
    };
    let arms = &figures.design.arms;
    let sum: f64 = arms.iter().map(|(mode, _)| of(mode)).sum();
    let amount = sum / arms.len().max(1) as f64 / MICROS as f64;
    CallCost { amount, currency: prices.currency.clone(), told: false }
}

/// How far the data of a campaign goes, and what it is counted by.
pub async fn marks(store: &Store, campaign: &Campaign) -> Result<Marks> {
    let mark = store.watermark(campaign.campaign).await?;
    Ok(Marks {
        seed: format!("{:016x}", seed(&campaign.salt)),
        watermark: mark.at().map(|at| Timestamp(at).to_string()),
        view_version: mark.version,
    })
}

/// Versions that began while one of these runs was open.
fn changes<'a>(versions: Vec<SettingsVersion>, runs: impl Iterator<Item = &'a CountedRun>) -> Vec<SettingsChange> {
    let within = |run: &CountedRun, at: Timestamp| at.0 > run.started_at && run.ended_at.is_none_or(|end| at.0 < end);
    let of_run = |run: &'a CountedRun| {
        let during: Vec<SettingsChange> = versions
            .iter()
            .filter(|version| within(run, version.changed_at))
            .map(|version| SettingsChange { night: run.night, version: version.version, at: version.changed_at })
            .collect();
        during
    };
    runs.flat_map(of_run).collect()
}

fn contacts(rows: Vec<CountedContacts>) -> Result<Vec<ContactRow>> {
    rows.into_iter()
        .map(|row| {
            Ok(ContactRow {
                night: row.night,
                mode: mode(&row.mode)?,
                assigned: count(row.assigned),
                dialled: count(row.dialled),
                reached: count(row.reached),
                goals: count(row.goals),
                opt_outs: count(row.opt_outs),
                clean: count(row.clean),
                clean_goals: count(row.clean_goals),
            })
        })
        .collect()
}

pub(super) fn mode(text: &str) -> Result<Mode> {
    text.parse().map_err(|e| StoreError::row("attempts", "mode", e))
}

fn state(text: &str) -> Result<RunState> {
    Ok(match text.parse().map_err(|e| StoreError::row("runs", "state", e))? {
        crate::store::RunState::Running => RunState::Running,
        crate::store::RunState::Paused => RunState::Paused,
        crate::store::RunState::Stopped => RunState::Stopped,
        crate::store::RunState::Completed => RunState::Completed,
    })
}

/// Counts and sums of the tables are never below zero.
pub(super) fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// What everything random of a campaign is drawn from.
pub fn seed(salt: &str) -> u64 {
    let digest = Sha256::digest(salt.as_bytes());
    u64::from_be_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes"))
}
