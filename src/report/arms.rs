//! One arm's figures, pooled over its nights, and the same of each night.

use std::collections::BTreeMap;

use crate::domain::experiment::Kind;
use crate::domain::{Mode, Outcome};

use super::effort::{self, Ratio};
use super::figures::{CallRow, ContactRow, Figures, Metric, Night, TurnSums};
use super::intervals::{self, rate, rate_of_turns};
use super::model::{Arm, Contacts, EcdfPoint, FaultRow, Latency, NightArm, NightBlock, Turns, Unit};
use super::stats::bootstrap::Sample;
use super::stats::clustered::{Clusters, Tally};
use super::stats::proportion::Share;
use super::stats::quantile::{Frequencies, Level};
use super::turns;

/// Fewer of the answered calls whose cost is known, and it is not compared.
const COST_KNOWN_MIN: f64 = 0.9;

/// Points of a drawn distribution: more than a page has room for would only make it heavy.
pub const ECDF_POINTS_MAX: usize = 200;

/// A reply under the first feels like talking, under the second like thinking; over the last, people
/// ask whether anybody is there.
pub const YARDSTICKS_MS: [u32; 3] = [800, 1_500, 3_000];

/// Was somebody rung on this attempt? No money is not counted: nobody could be.
pub fn is_counted(outcome: Outcome) -> bool {
    outcome.is_dialled() && outcome != Outcome::NoFunds
}

/// Outcomes that tell of the callee, whatever it did: the numerator of network effectiveness.
fn is_network_effective(outcome: Outcome) -> bool {
    use Outcome::{Busy, NoAnswer, Rejected, Unavailable};
    outcome.is_answered() || matches!(outcome, Busy | NoAnswer | Unavailable | Rejected)
}

/// All calls of one arm, each contact once: its first with turns. Of a panel, all.
pub struct ArmCalls {
    nights: Vec<TurnSums>,
}

impl ArmCalls {
    pub fn of(figures: &Figures, mode: &Mode) -> Self {
        if figures.design.kind == Kind::Crossover {
            return ArmCalls { nights: figures.turns.iter().filter(|sums| sums.mode == *mode).cloned().collect() };
        }
        ArmCalls { nights: turns::each_once(&figures.turns, &figures.repeats, mode) }
    }

    /// `call_turn_ms`, by night.
    pub fn medians(&self) -> Sample {
        Sample::collect(self.nights.iter().map(TurnSums::medians))
    }

    /// `call_turn_ms` of calls that no fault ended.
    pub fn medians_without_faults(&self) -> Sample {
        Sample::collect(self.nights.iter().map(TurnSums::medians_without_faults))
    }

    /// `call_turn_all_ms`.
    pub fn medians_of_all(&self) -> Sample {
        Sample::collect(self.nights.iter().map(TurnSums::medians_of_all))
    }

    pub fn clusters(&self) -> Clusters {
        turns::clusters(&self.nights)
    }
}

/// Values in half milliseconds, since a median of two whole ones may end in a half.
fn frequencies(sorted: &[f64]) -> Frequencies {
    Frequencies::collect(sorted.iter().map(|value| (value.is_finite().then(|| (value * 2.0).round() as i64), 1)))
}

fn halved(mut interval: super::model::Interval) -> super::model::Interval {
    for value in [&mut interval.estimate, &mut interval.lower, &mut interval.upper] {
        *value = value.map(|doubled| doubled / 2.0);
    }
    interval
}

/// Quantiles over calls of values that may end in halves.
pub fn call_latency(metric: &str, sample: &Sample) -> Latency {
    let table = frequencies(&sample.sorted());
    let at = |level| halved(intervals::quantile(&table, level));
    Latency {
        metric: metric.to_owned(),
        unit: Unit::Calls,
        n: table.n(),
        never: table.infinite(),
        largest_ms: table.largest().map(|doubled| (doubled + 1) / 2),
        p50: at(Level::P50),
        p90: at(Level::P90),
        p95: at(Level::P95),
        p99: at(Level::P99),
    }
}

pub fn contacts_of<'a>(rows: impl IntoIterator<Item = &'a ContactRow>) -> Contacts {
    rows.into_iter().fold(Contacts::default(), |sum, row| Contacts {
        assigned: sum.assigned + row.assigned,
        dialled: sum.dialled + row.dialled,
        reached: sum.reached + row.reached,
        goals: sum.goals + row.goals,
        opt_outs: sum.opt_outs + row.opt_outs,
        clean: sum.clean + row.clean,
        clean_goals: sum.clean_goals + row.clean_goals,
    })
}

fn table(figures: &Figures, mode: &Mode, metric: Metric) -> Frequencies {
    let rows = figures.latencies.iter().filter(|row| row.mode == *mode && row.metric == metric);
    Frequencies::of(rows.clone().flat_map(|row| row.counts.iter().copied()), rows.map(|row| row.never).sum())
}

/// The waits of a metric of which each call, or attempt, has one.
pub fn alone(figures: &Figures, mode: &Mode, metric: Metric) -> Clusters {
    let rows = figures.latencies.iter().filter(|row| row.mode == *mode && row.metric == metric);
    let tally = |(ms, n): (i64, u64)| Tally { value: ms as f64, n, ranks: n, sizes: n };
    let tallies: Vec<Tally> = rows.flat_map(|row| row.counts.iter().copied()).map(tally).collect();
    let n = tallies.iter().map(|tally| tally.n).sum();
    Clusters::of_tallies(tallies, n)
}

/// Waits until the reply itself: those of all turns, but behind a filler until the audio that is none; of some of those
/// nobody knows it, and they are waits without end. Empty where no arm said a filler: it would be `turn_ms` once more.
fn content(figures: &Figures, mode: &Mode) -> Frequencies {
    if !figures.latencies.iter().any(|row| Metric::FILLERS.contains(&row.metric)) {
        return Frequencies::default();
    }
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    let turns = figures.turns.iter().filter(|sums| sums.mode == *mode).flat_map(|sums| &sums.turns);
    turns.for_each(|count| *counts.entry(count.ms).or_default() += count.n as i64);
    // A reply that nobody heard begin behind its filler is no fast one.
    let n_of = |metric| -> u64 {
        let rows = figures.latencies.iter().filter(|row| row.mode == *mode && row.metric == metric);
        rows.flat_map(|row| &row.counts).map(|(_, n)| n).sum()
    };
    let unheard = n_of(Metric::FillerTurnMs).saturating_sub(n_of(Metric::FillerContentMs));
    for row in figures.latencies.iter().filter(|row| row.mode == *mode) {
        let sign = match row.metric {
            Metric::FillerTurnMs => -1,
            Metric::FillerContentMs => 1,
            _ => continue,
        };
        row.counts.iter().for_each(|(ms, n)| *counts.entry(*ms).or_default() += sign * *n as i64);
    }
    let some = counts.into_iter().filter(|(_, n)| *n > 0);
    Frequencies::of(some.map(|(ms, n)| (ms, n.unsigned_abs())), unheard)
}

fn latencies(figures: &Figures, mode: &Mode, calls: &ArmCalls) -> Vec<Latency> {
    let of_arm = || figures.turns.iter().filter(|sums| sums.mode == *mode);
    let every_call = turns::clusters(of_arm());
    let alike = turns::alike(of_arm());
    let of_metric = |metric: Metric| {
        let table = match metric {
            Metric::TurnMs => {
                let counts = of_arm().flat_map(|sums| &sums.turns);
                Frequencies::of(counts.map(|count| (count.ms, count.n)), 0)
            }
            Metric::TurnContentMs => content(figures, mode),
            _ => table(figures, mode, metric),
        };
        let unit = match metric {
            Metric::TurnMs
            | Metric::TurnContentMs
            | Metric::FillerTurnMs
            | Metric::FillerContentMs
            | Metric::AsrMs
            | Metric::ReplyMs
            | Metric::ModelMs
            | Metric::TtsMs => Unit::Turns,
            Metric::FirstAudioMs | Metric::TalkMs => Unit::Calls,
            Metric::PddMs | Metric::RingMs | Metric::AnswerMs => Unit::Attempts,
        };
        let at = |level| match unit {
            Unit::Turns if metric != Metric::TurnMs => intervals::of_stage(&table, alike, level),
            Unit::Turns => intervals::turn_quantile(&table, &every_call, level),
            Unit::Calls | Unit::Attempts => intervals::quantile(&table, level),
        };
        Latency {
            metric: metric.as_str().to_owned(),
            unit,
            n: table.n(),
            never: table.infinite(),
            largest_ms: table.largest(),
            p50: at(Level::P50),
            p90: at(Level::P90),
            p95: at(Level::P95),
            p99: at(Level::P99),
        }
    };
    let mut all: Vec<Latency> = Metric::ALL.into_iter().map(of_metric).collect();
    all.extend(Metric::STAGES.into_iter().map(of_metric).filter(|stage| stage.n > 0));
    all.push(call_latency("call_turn_ms", &calls.medians()));
    all.push(call_latency("call_turn_all_ms", &calls.medians_of_all()));
    all
}

/// Sums of the arm's call rows.
fn summed<'a>(rows: impl IntoIterator<Item = &'a CallRow>, mode: &Mode) -> CallRow {
    let empty = CallRow {
        night: 0,
        mode: mode.clone(),
        human: 0,
        machine: 0,
        unknown: 0,
        conversed: 0,
        early_hangups: 0,
        late_greetings: 0,
        faults: 0,
        talk_ms: 0,
        cost_micros: None,
        costed: 0,
        ringing: 0,
        interruptions: 0,
        barge_ins: 0,
        fillers: 0,
    };
    rows.into_iter().fold(empty, |mut sum, row| {
        sum.human += row.human;
        sum.machine += row.machine;
        sum.unknown += row.unknown;
        sum.conversed += row.conversed;
        sum.early_hangups += row.early_hangups;
        sum.late_greetings += row.late_greetings;
        sum.faults += row.faults;
        sum.talk_ms += row.talk_ms;
        sum.costed += row.costed;
        sum.ringing += row.ringing;
        sum.interruptions += row.interruptions;
        sum.barge_ins += row.barge_ins;
        sum.fillers += row.fillers;
        sum.cost_micros = match (sum.cost_micros, row.cost_micros) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        sum
    })
}

pub fn arm(figures: &Figures, mode: &Mode, weight: u32) -> Arm {
    let contacts = contacts_of(figures.contacts.iter().filter(|row| row.mode == *mode));
    let ended: Vec<_> = figures.attempts.iter().filter(|row| row.mode == *mode && is_counted(row.outcome)).collect();
    let n_of = |wanted: &dyn Fn(Outcome) -> bool| -> u64 {
        ended.iter().filter(|row| wanted(row.outcome)).map(|row| row.n).sum()
    };
    let attempts = n_of(&|_| true);
    let answered = n_of(&Outcome::is_answered);
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for row in &ended {
        *outcomes.entry(row.outcome.as_str().to_owned()).or_default() += row.n;
    }
    let sums = summed(figures.calls.iter().filter(|row| row.mode == *mode), mode);
    let of_arm = || figures.turns.iter().filter(|call| call.mode == *mode);
    let valid: u64 = of_arm().map(TurnSums::answered).sum();
    let unanswered: u64 = of_arm().map(|sums| sums.unanswered).sum();
    let calls = ArmCalls::of(figures, mode);
    let silent = table(figures, mode, Metric::FirstAudioMs).infinite();
    let medians = calls.medians();
    let minutes = sums.talk_ms as f64 / 60_000.0;
    let with_turns: u64 = of_arm().flat_map(|sums| &sums.calls_of_all).map(|(_, n)| n).sum();
    let of_turns = |k: u64| rate_of_turns(k.min(valid + unanswered), valid + unanswered, with_turns);
    let per_goal = |sum: f64| (contacts.goals > 0).then(|| sum / contacts.goals as f64);
    let cost_known = Share::new(sums.costed.min(answered), answered);
    // Of a mode most of whose calls told half their cost, nothing is said of cost.
    let cost = sums.cost_micros.filter(|_| cost_known.rate().is_some_and(|known| known >= COST_KNOWN_MIN));
    let cost = cost.map(|cost| cost as f64);
    let ratios = Ratio::ALL.map(|ratio| {
        let told = match ratio {
            Ratio::AttemptsPerGoal => per_goal(attempts as f64),
            Ratio::MinutesPerGoal => per_goal(minutes),
            Ratio::CostPerGoal => cost.and_then(per_goal),
            Ratio::CostPerMinute => cost.filter(|_| minutes > 0.0).map(|cost| cost / minutes),
            Ratio::Acd => (answered > 0).then(|| sums.talk_ms as f64 / answered as f64),
        };
        effort::ratio(figures, mode, ratio, told)
    });
    let [attempts_per_goal, minutes_per_goal, cost_per_goal, cost_per_minute, acd] =
        ratios.each_ref().map(|effort| effort.value.estimate);

    Arm {
        baseline: *mode == figures.design.baseline,
        weight,
        attempts,
        outcomes,
        ringing: sums.ringing,
        answered,
        human: sums.human,
        machine: sums.machine,
        unknown: sums.unknown,
        conversed: sums.conversed,
        rates: super::model::Rates {
            answer_seizure_rate: rate(answered, attempts),
            network_effectiveness_rate: rate(n_of(&is_network_effective), attempts),
            machine_rate: rate(sums.machine, answered),
            reach_rate: rate(contacts.reached, contacts.assigned),
            conversation_rate: rate(sums.conversed, sums.human),
            success_rate: rate(contacts.goals, contacts.reached),
            success_assigned_rate: rate(contacts.goals, contacts.assigned),
            early_hangup_rate: rate(sums.early_hangups, sums.human),
            late_greeting_rate: rate(sums.late_greetings, sums.human),
            silent_rate: rate(silent, sums.human),
            fault_rate: rate(sums.faults, answered),
            opt_out_rate: rate(contacts.opt_outs, contacts.reached),
            unanswered_turn_rate: of_turns(unanswered),
            barge_in_rate: of_turns(sums.barge_ins),
            filler_rate: of_turns(sums.fillers),
            success_without_faults_rate: rate(contacts.clean_goals, contacts.clean),
            cost_known_rate: rate(cost_known.k, cost_known.n),
            lost_rate: rate(n_of(&|outcome| outcome == Outcome::Lost), attempts),
        },
        turns: Turns {
            turns: valid + unanswered,
            answered: valid,
            unanswered,
            interruptions: sums.interruptions,
            coverage: of_turns(valid),
            method: of_arm().filter_map(|sums| sums.method).max(),
            calls: with_turns,
            calls_with_latency: medians.n(),
        },
        latencies: latencies(figures, mode, &calls),
        acd_ms: acd,
        cost_micros: sums.cost_micros,
        cost_per_goal_micros: cost_per_goal,
        attempts_per_goal,
        minutes_per_goal,
        cost_per_minute_micros: cost_per_minute,
        effort: ratios.to_vec(),
        call_turn_ecdf: ecdf(&calls.medians_of_all(), &medians),
        call_turn_within: within(&calls.medians_of_all(), &medians),
        contacts,
        mode: mode.clone(),
    }
}

fn within(all: &Sample, answered: &Sample) -> Vec<super::model::Within> {
    let values = answered.sorted();
    let kept = |ms: u32| values.partition_point(|value| *value <= f64::from(ms)) as u64;
    YARDSTICKS_MS.map(|ms| super::model::Within { ms, rate: rate(kept(ms), all.n().max(answered.n())) }).to_vec()
}

/// The distribution of `call_turn_ms` over all calls with turns: calls without any answered turn
/// stay in the count and are never reached, so that the curve ends below 100 %.
fn ecdf(all: &Sample, answered: &Sample) -> Vec<EcdfPoint> {
    let values = answered.sorted();
    let total = all.n().max(values.len() as u64) as f64;
    let step = values.len().div_ceil(ECDF_POINTS_MAX).max(1);
    let mut points: Vec<EcdfPoint> = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if index % step == step - 1 || index + 1 == values.len() {
            let share = (index + 1) as f64 / total;
            match points.last_mut() {
                Some(last) if last.ms == *value => last.share = share,
                _ => points.push(EcdfPoint { ms: *value, share }),
            }
        }
    }
    points
}

/// `call_turn_ms` of a night's calls.
pub fn night_medians(figures: &Figures, night: Night, mode: &Mode) -> Sample {
    let sums = figures.turns.iter().find(|sums| sums.night == night && sums.mode == *mode);
    Sample::collect(sums.map(TurnSums::medians))
}

pub fn night_blocks(figures: &Figures) -> Vec<NightBlock> {
    let night_arm = |night: Night, mode: &Mode| {
        let contacts = contacts_of(figures.night_contacts.iter().filter(|row| row.night == night && row.mode == *mode));
        let ended = figures.attempts.iter().filter(|row| row.night == night && row.mode == *mode);
        let (mut attempts, mut answered) = (0, 0);
        for row in ended.filter(|row| is_counted(row.outcome)) {
            attempts += row.n;
            answered += if row.outcome.is_answered() { row.n } else { 0 };
        }
        let calls = figures.calls.iter().filter(|row| row.night == night && row.mode == *mode);
        let medians = night_medians(figures, night, mode);
        NightArm {
            mode: mode.clone(),
            attempts,
            answered,
            human: calls.map(|row| row.human).sum(),
            success_rate: rate(contacts.goals, contacts.reached),
            call_turn_ms: call_latency("call_turn_ms", &medians).p50,
            contacts,
        }
    };
    figures
        .runs
        .iter()
        .map(|run| NightBlock {
            night: run.night,
            run_id: run.run_id.clone(),
            state: run.state,
            started_at: run.started_at,
            arms: figures.design.arms.iter().map(|(mode, _)| night_arm(run.night, mode)).collect(),
        })
        .collect()
}

/// Ends before the answer that speak of the carrier, the provider, us, or nobody knows whom.
pub fn before_answer(figures: &Figures) -> Vec<FaultRow> {
    use crate::domain::Fault;
    let mut sums: BTreeMap<(usize, Outcome), u64> = BTreeMap::new();
    let withdrawn = [Outcome::Expired, Outcome::Suppressed];
    for row in figures.attempts.iter().filter(|row| row.outcome.fault() != Fault::Contact) {
        if let Some(place) = figures.design.arms.iter().position(|(mode, _)| *mode == row.mode)
            && !withdrawn.contains(&row.outcome)
        {
            *sums.entry((place, row.outcome)).or_default() += row.n;
        }
    }
    sums.into_iter()
        .map(|((place, outcome), n)| FaultRow {
            mode: figures.design.arms[place].0.clone(),
            outcome,
            fault: outcome.fault().into(),
            n,
        })
        .collect()
}

/// Contacts with goal of those reached, night by night.
pub fn success_by_night(figures: &Figures, mode: &Mode) -> BTreeMap<Night, Share> {
    let mut nights: BTreeMap<Night, Share> = BTreeMap::new();
    for row in figures.contacts.iter().filter(|row| row.mode == *mode) {
        let share = nights.entry(row.night).or_insert(Share::new(0, 0));
        share.k += row.goals;
        share.n += row.reached;
    }
    nights
}
