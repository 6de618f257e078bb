//! Figures out of the tables: counts and lists, nothing compared.

use super::{Result, Store, StoreError};
use crate::domain::{AttemptId, CampaignId, Mode, PhoneNumber, RunId, Timestamp};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// Nights of which latencies are read together: a server of PostgreSQL puts each together in a process of its own.
const NIGHTS_AT_ONCE: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct ProvedRows {
    pub rows_total: i64,
    pub accepted: i64,
    pub duplicates: i64,
    pub refused: i64,
    pub contacts: i64,
    pub rejects_duplicate: i64,
    pub rejects_refused: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct ProvedCalls {
    pub attempts: i64,
    pub planned: i64,
    pub dialing: i64,
    pub live: i64,
    pub ended: i64,
    pub granted: i64,
    pub starts: i64,
    pub granted_without_history: i64,
    pub ended_without_history: i64,
    pub sessions_in_history: i64,
    pub calls_in_history: i64,
    pub attempts_called_twice: i64,
    pub calls_without_grant: i64,
    pub answered_without_call: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct ProvedRun {
    #[sqlx(try_from = "i64")]
    pub run_id: RunId,
    pub ordinal: i64,
    pub state: String,
    pub contacts: i64,
    pub rested: i64,
    pub waiting: i64,
    pub busy: i64,
    pub tries_max: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct Unclear {
    #[sqlx(try_from = "i64")]
    pub attempt_id: AttemptId,
    pub state: String,
    pub outcome: Option<String>,
    pub claimed_at: Option<i64>,
    pub dialed_at: Option<i64>,
    pub session_id: Option<i64>,
    pub calls: Option<i64>,
    pub events: i64,
}

/// What `prove` holds against the laws.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proved {
    pub rows: ProvedRows,
    pub calls: ProvedCalls,
    pub runs: Vec<ProvedRun>,
    pub unclear: Vec<Unclear>,
    pub money: ProvedMoney,
    pub arms: ProvedArms,
}

/// Arms given again, by salt, list, weights and numbers, beside those that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProvedArms {
    pub contacts: i64,
    /// Contacts that have another arm than they were given.
    pub wrong: i64,
    /// Lists whose arms cannot be given again: a copy kept them, they are older, or a person of the list was erased.
    pub lists_unknown: i64,
}

/// Counters of money beside the rows that they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct ProvedMoney {
    pub budgets: i64,
    /// Budgets whose rows add up to something else.
    pub wrong: i64,
}

/// Unclear attempts listed at most.
pub(super) const UNCLEAR_MAX: i64 = 1000;

impl Store {
    pub async fn prove(&self, campaign: CampaignId) -> Result<Proved> {
        Ok(Proved {
            rows: read!(self, figures::rows(campaign))?,
            calls: read!(self, figures::calls(campaign))?,
            runs: read!(self, figures::runs(campaign))?,
            unclear: read!(self, figures::unclear(campaign, UNCLEAR_MAX))?,
            money: read!(self, money::proved(campaign))?,
            arms: read!(self, figures::arms(campaign))?,
        })
    }
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedRun {
    pub run_id: i64,
    pub night: i64,
    pub account_id: i64,
    pub platform: String,
    pub state: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountedContacts {
    pub night: i64,
    pub mode: String,
    pub assigned: i64,
    pub dialled: i64,
    pub reached: i64,
    pub goals: i64,
    pub clean: i64,
    pub clean_goals: i64,
    pub opt_outs: i64,
}

#[derive(Clone, Debug, Default)]
pub struct CountedOutcome {
    pub night: i64,
    pub mode: String,
    pub outcome: String,
    pub n: i64,
}

#[derive(Clone, Debug, Default)]
pub struct CountedCalls {
    pub night: i64,
    pub mode: String,
    pub human: i64,
    pub machine: i64,
    pub unknown: i64,
    pub conversed: i64,
    pub early_hangups: i64,
    pub late_greetings: i64,
    pub faults: i64,
    pub talk_ms: i64,
    pub cost_micros: Option<i64>,
    /// Answered attempts of which the whole cost is known.
    pub costed: i64,
    pub ringing: i64,
    pub interruptions: i64,
    pub barge_ins: i64,
    pub fillers: i64,
}

/// Ended attempts of one outcome that were dialled in one quarter of an hour (0: never).
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct CountedAttempts {
    pub night: i64,
    pub mode: String,
    pub outcome: String,
    pub quarter_at: i64,
    pub n: i64,
    pub goals: i64,
    pub conversed: i64,
    pub early_hangups: i64,
    pub late_greetings: i64,
    pub faults: i64,
    pub talk_ms: i64,
    pub cost_micros: i64,
    pub costed: i64,
    pub ringing: i64,
    pub interruptions: i64,
    pub barge_ins: i64,
    pub fillers: i64,
}

/// Outcomes without a dial, as the views count them.
const NOT_DIALLED: [&str; 5] = ["cancelled", "expired", "suppressed", "scenario_error", "no_funds"];

impl Counted {
    /// Rows come by night and mode.
    fn attempts(&mut self, rows: Vec<CountedAttempts>) {
        for row in rows {
            let (night, mode) = (row.night, row.mode);
            match self.outcomes.last_mut() {
                Some(last) if (last.night, &last.mode, &last.outcome) == (night, &mode, &row.outcome) => {
                    last.n += row.n
                }
                _ => {
                    let outcome = row.outcome.clone();
                    self.outcomes.push(CountedOutcome { night, mode: mode.clone(), outcome, n: row.n });
                }
            }
            if self.calls.last().is_none_or(|last| (last.night, &last.mode) != (night, &mode)) {
                self.calls.push(CountedCalls { night, mode: mode.clone(), ..CountedCalls::default() });
            }
            let human = if row.outcome == "answered" { row.n } else { 0 };
            if let Some(calls) = self.calls.last_mut() {
                calls.human += human;
                calls.machine += if row.outcome == "machine" { row.n } else { 0 };
                calls.conversed += row.conversed;
                calls.early_hangups += row.early_hangups;
                calls.late_greetings += row.late_greetings;
                calls.faults += row.faults;
                calls.talk_ms += row.talk_ms;
                if matches!(row.outcome.as_str(), "answered" | "machine") {
                    calls.costed += row.costed;
                }
                if row.cost_micros > 0 || row.costed > 0 {
                    *calls.cost_micros.get_or_insert(0) += row.cost_micros;
                }
                calls.ringing += row.ringing;
                calls.interruptions += row.interruptions;
                calls.barge_ins += row.barge_ins;
                calls.fillers += row.fillers;
            }
            if row.quarter_at > 0 {
                let dialled = if NOT_DIALLED.contains(&row.outcome.as_str()) { 0 } else { row.n };
                let (quarter_at, goals) = (row.quarter_at, row.goals);
                let quarter = self.quarters.entry((night, mode.clone(), quarter_at)).or_default();
                quarter.attempts += dialled;
                quarter.answered += if matches!(row.outcome.as_str(), "answered" | "machine") { row.n } else { 0 };
                quarter.goals += goals;
                quarter.talk_ms += row.talk_ms;
                quarter.cost_micros += row.cost_micros;
                self.hours.push(CountedHour { night, mode, quarter_at, dialled, human, goals });
            }
        }
    }

    /// Each contact once, in the night that counts for it: all of a night but those that another counts.
    fn contacts(&mut self, opt_outs: Vec<(i64, String, i64)>, again: &[CountedContacts], from: i64) {
        for (night, mode, n) in opt_outs {
            let row = self.night_contacts.iter_mut().find(|row| (row.night, &row.mode) == (night, &mode));
            row.into_iter().for_each(|row| row.opt_outs = n);
        }
        self.contacts = self.night_contacts.iter().filter(|row| row.night >= from).cloned().collect();
        for row in &mut self.contacts {
            let less = again.iter().find(|less| (less.night, &less.mode) == (row.night, &row.mode));
            if let Some(less) = less {
                row.assigned -= less.assigned;
                row.dialled -= less.dialled;
                row.reached -= less.reached;
                row.goals -= less.goals;
                row.clean -= less.clean;
                row.clean_goals -= less.clean_goals;
                row.opt_outs -= less.opt_outs;
            }
        }
        self.contacts.retain(|row| row.assigned > 0);
    }
}

/// The counts of one latency of a mode in a night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedLatency {
    pub night: i64,
    pub mode: String,
    pub metric: String,
    /// The worst ruler, by its place from the best; -1: none.
    pub ruler: i64,
    pub values: Vec<CountedValue>,
}

/// How often a whole millisecond occurred (of a call's medians: half a millisecond); -1 is a wait without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountedValue {
    pub ms: i64,
    pub n: i64,
    /// What intervals of turns need (migration 0021).
    pub ranks: i64,
    pub sizes: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct PackedLatencies {
    pub mode: String,
    pub metric: String,
    pub ruler: i64,
    pub counts: String,
}

impl PackedLatencies {
    /// A million values are a few texts: a row of its own would cost more than what it says.
    pub fn unpack(self, night: i64) -> Result<CountedLatency> {
        let value = |text: &str| {
            let mut numbers = text.split(' ').map(str::parse::<i64>);
            let (ms, n) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            let Some(ranks) = numbers.next() else { return Some(CountedValue { ms, n, ranks: 0, sizes: 0 }) };
            Some(CountedValue { ms, n, ranks: ranks.ok()?, sizes: numbers.next()?.ok()? })
        };
        let values: Option<Vec<CountedValue>> = self.counts.split(',').map(value).collect();
        let values = values.ok_or_else(|| StoreError::row("latency_counts", "ms", "neither two numbers nor four"))?;
        let PackedLatencies { mode, metric, ruler, .. } = self;
        Ok(CountedLatency { night, mode, metric, ruler, values })
    }
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedTurn {
    pub night: i64,
    pub mode: String,
    pub contact: i64,
    pub attempt: i64,
    pub try_number: i64,
    pub turn_ms: Option<i64>,
    pub method: String,
    pub goal: i64,
    /// Something of ours or of the platform ended its call.
    pub faulty: i64,
}

/// One call's answers as JSON, and in how many calls they were the same.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedAnswers {
    pub mode: String,
    pub answers: String,
    pub n: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedApart {
    pub mode: String,
    pub contacts: i64,
    pub attempts: i64,
    pub answered: i64,
    pub human: i64,
    pub goals: i64,
}

/// The rows of a comparison, as counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub contacts: Vec<CountedContacts>,
    pub night_contacts: Vec<CountedContacts>,
    pub outcomes: Vec<CountedOutcome>,
    pub calls: Vec<CountedCalls>,
    pub latencies: Vec<CountedLatency>,
    /// Of whoever was talked to more than once.
    pub repeats: Vec<CountedTurn>,
    pub hours: Vec<CountedHour>,
    /// By night, mode and when the quarter of an hour began.
    pub quarters: BTreeMap<(i64, String, i64), CountedQuarter>,
    pub apart: Vec<CountedApart>,
    pub answers: Vec<CountedAnswers>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedBundle {
    pub night: i64,
    pub mode: String,
    pub bundle: String,
}

#[derive(Clone, Debug, Default)]
pub struct CountedHour {
    pub night: i64,
    pub mode: String,
    /// When the quarter of an hour began.
    pub quarter_at: i64,
    pub dialled: i64,
    pub human: i64,
    pub goals: i64,
}

/// What the dials of a mode in one quarter of an hour came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountedQuarter {
    pub attempts: i64,
    pub answered: i64,
    pub goals: i64,
    pub talk_ms: i64,
    pub cost_micros: i64,
}

/// A mode was played by this bundle in this run.
#[derive(Clone, Debug)]
pub struct PlayedBundle {
    pub run: RunId,
    pub mode: Mode,
    pub bundle: String,
    /// What it says, as JSON.
    pub told: String,
    pub at: Timestamp,
}

/// The last moments at which an attempt ended or was corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Watermark {
    /// Of the views.
    pub version: i64,
    pub ended_at: Option<i64>,
    pub corrected_at: Option<i64>,
}

impl Watermark {
    /// Nothing that ended or was corrected is later.
    pub fn at(self) -> Option<i64> {
        self.ended_at.max(self.corrected_at)
    }
}

impl Store {
    pub async fn counted_runs(&self, campaign: CampaignId) -> Result<Vec<CountedRun>> {
        read!(self, report::runs(campaign))
    }

    /// How far the data goes, and by which version of the views it is counted.
    pub async fn watermark(&self, campaign: CampaignId) -> Result<Watermark> {
        read!(self, report::watermark(campaign))
    }

    pub async fn view_version(&self) -> Result<i64> {
        read!(self, report::view_version())
    }

    pub async fn bundles(&self, campaign: CampaignId, account: i64) -> Result<Vec<CountedBundle>> {
        read!(self, report::bundles(campaign, account))
    }

    /// Contacts by the arm that they were given.
    pub async fn arms(&self, campaign: CampaignId) -> Result<Vec<(String, i64)>> {
        read!(self, report::arms(campaign))
    }

    /// Of one contact of the experiment, to be priced by.
    pub async fn first_number(&self, campaign: CampaignId) -> Result<Option<PhoneNumber>> {
        let text = read!(self, report::first_number(campaign))?;
        text.map(|text| text.parse().map_err(|e| StoreError::row("numbers", "e164", e))).transpose()
    }

    /// Counts every latency anew, out of the attempts themselves.
    pub async fn count_latencies_anew(&self) -> Result<()> {
        write!(self, latencies::count_anew(()))
    }

    /// Known already: nothing changes.
    pub async fn put_bundle(&self, played: PlayedBundle) -> Result<()> {
        write!(self, report::put_bundle(played))
    }

    /// What played a mode in a run, in clear (JSON), the newest first.
    pub async fn bundles_of_run(&self, run: RunId, mode: &Mode) -> Result<Vec<String>> {
        let key = (run, mode.clone());
        read!(self, report::bundles_of_run(&key))
    }

    /// Everything that is counted of a campaign's runs at an account. Pooled figures are over the nights from `from` on.
    /// `answered`: with what callees answered.
    pub async fn counted(&self, campaign: CampaignId, account: i64, from: i64, answered: bool) -> Result<Counted> {
        let latencies = async {
            let runs = self.counted_runs(campaign).await?.into_iter().filter(|run| run.account_id == account);
            let one = |run: CountedRun| async move { read!(self, report::latencies(run.run_id, run.night)) };
            let found: Vec<Vec<CountedLatency>> =
                stream::iter(runs).map(one).buffered(NIGHTS_AT_ONCE).try_collect().await?;
            Ok::<_, StoreError>(found.into_iter().flatten().collect())
        };
        let answers = async {
            if !answered {
                return Ok(Vec::new());
            }
            read!(self, report::answers(campaign, account))
        };
        let (latencies, repeats, attempts, assigned, opt_outs, again, apart, answers) = futures::try_join!(
            latencies,
            async { read!(self, report::repeats(campaign, account, from)) },
            async { read!(self, report::attempts(campaign, account)) },
            async { read!(self, report::assigned(campaign, account)) },
            async { read!(self, report::opt_outs(campaign, account)) },
            async { read!(self, report::again(campaign, account, from)) },
            async { read!(self, report::apart(campaign, account)) },
            answers,
        )?;
        let mut counted =
            Counted { latencies, repeats, night_contacts: assigned, apart, answers, ..Counted::default() };
        counted.attempts(attempts);
        counted.contacts(opt_outs, &again, from);
        Ok(counted)
    }
}
