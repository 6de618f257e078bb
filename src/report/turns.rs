//! The waits of human calls, turn by turn and call by call, as sums: what a report reads instead of every turn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::figures::Night;
use super::stats::clustered::{Clusters, Tally};
use super::stats::quantile::{Frequencies, Level};

/// How the ends of a turn were found, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Recording,
    Vad,
    EventCorrected,
    Event,
}

impl Method {
    /// Best first.
    pub const ALL: [Method; 4] = [Method::Recording, Method::Vad, Method::EventCorrected, Method::Event];

    pub fn as_str(self) -> &'static str {
        match self {
            Method::Recording => "recording",
            Method::Vad => "vad",
            Method::EventCorrected => "event_corrected",
            Method::Event => "event",
        }
    }

    /// Unknown words count as the worst ruler.
    pub fn parse(text: &str) -> Self {
        Method::ALL.into_iter().find(|method| method.as_str() == text).unwrap_or(Method::Event)
    }
}

/// One turn of a human call. A negative latency is an interruption and no row of this kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRow {
    pub night: Night,
    pub mode: Mode,
    pub contact: i64,
    pub attempt: i64,
    pub try_number: i64,
    /// `None`: the reply never came.
    pub turn_ms: Option<i64>,
    pub method: Method,
    /// Its call reached the goal.
    pub goal: bool,
    /// Something of ours or of the platform ended its call.
    pub faulty: bool,
}

/// The turns of one human call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallTurns {
    pub night: Night,
    pub mode: Mode,
    pub try_number: i64,
    pub answered_ms: Vec<i64>,
    pub unanswered: u64,
    /// The worst ruler among its turns.
    pub method: Method,
    pub contact: i64,
    #[serde(default)]
    pub goal: bool,
    #[serde(default)]
    pub faulty: bool,
}

impl CallTurns {
    /// Rows of one attempt stand together.
    pub fn gather(rows: impl IntoIterator<Item = TurnRow>) -> Vec<CallTurns> {
        let mut calls: Vec<CallTurns> = Vec::new();
        let mut open: Option<i64> = None;
        for row in rows {
            if open != Some(row.attempt) {
                open = Some(row.attempt);
                calls.push(CallTurns {
                    night: row.night,
                    mode: row.mode,
                    try_number: row.try_number,
                    answered_ms: Vec::new(),
                    unanswered: 0,
                    method: row.method,
                    contact: row.contact,
                    goal: row.goal,
                    faulty: row.faulty,
                });
            }
            let Some(call) = calls.last_mut() else { continue };
            call.method = call.method.max(row.method);
            match row.turn_ms {
                Some(ms) => call.answered_ms.push(ms),
                None => call.unanswered += 1,
            }
        }
        calls
    }

    /// Of whoever was talked to more than once, all calls.
    pub fn repeats(calls: &[CallTurns]) -> Vec<CallTurns> {
        let mut met: BTreeMap<i64, usize> = BTreeMap::new();
        calls.iter().for_each(|call| *met.entry(call.contact).or_default() += 1);
        calls.iter().filter(|call| met[&call.contact] > 1).cloned().collect()
    }

    /// The median of its turns in half milliseconds; `None` is a wait without end, or nothing at all.
    pub fn half_median(&self, with_unanswered: bool) -> Option<i64> {
        let infinite = if with_unanswered { self.unanswered } else { 0 };
        let rows = self.answered_ms.iter().map(|ms| (Some(*ms), 1)).chain([(None, infinite)]);
        let median = Frequencies::collect(rows).quantile(Level::P50).filter(|ms| ms.is_finite())?;
        Some((median * 2.0).round() as i64)
    }
}

/// How often a turn took so long, and what its calls make of it (`Tally`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TurnCount {
    pub ms: i64,
    pub n: u64,
    pub ranks: u64,
    pub sizes: u64,
}

/// What the turns of a mode's human calls add up to in one night. Lists are ascending, each value once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TurnSums {
    pub night: Night,
    pub mode: Mode,
    /// The worst ruler among the turns.
    pub method: Option<Method>,
    pub turns: Vec<TurnCount>,
    pub unanswered: u64,
    /// Calls by `call_turn_ms`, the median of their answered turns, in half milliseconds.
    pub calls: Vec<(i64, u64)>,
    /// Calls by `call_turn_all_ms`, where an unanswered turn is a wait without end: `None`.
    pub calls_of_all: Vec<(Option<i64>, u64)>,
    /// Of `calls`, those that something of ours or of the platform ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls_faulty: Vec<(i64, u64)>,
}

impl TurnSums {
    pub fn empty(night: Night, mode: Mode) -> Self {
        TurnSums {
            night,
            mode,
            method: None,
            turns: Vec::new(),
            unanswered: 0,
            calls: Vec::new(),
            calls_of_all: Vec::new(),
            calls_faulty: Vec::new(),
        }
    }

    /// The sums of these calls, by night and mode.
    pub fn of(calls: &[CallTurns]) -> Vec<TurnSums> {
        let mut groups: BTreeMap<(Night, &Mode), Vec<&CallTurns>> = BTreeMap::new();
        for call in calls {
            groups.entry((call.night, &call.mode)).or_default().push(call);
        }
        groups.into_iter().map(|((night, mode), calls)| TurnSums::of_group(night, mode, &calls)).collect()
    }

    fn of_group(night: Night, mode: &Mode, calls: &[&CallTurns]) -> TurnSums {
        let mut turns: BTreeMap<i64, TurnCount> = BTreeMap::new();
        let (mut medians, mut of_all) = (BTreeMap::<i64, u64>::new(), BTreeMap::<Option<i64>, u64>::new());
        let mut faulty: BTreeMap<i64, u64> = BTreeMap::new();
        for call in calls {
            let mut answered = call.answered_ms.clone();
            answered.sort_unstable();
            for (r, ms) in (1..).zip(&answered) {
                let count = turns.entry(*ms).or_insert(TurnCount { ms: *ms, n: 0, ranks: 0, sizes: 0 });
                count.n += 1;
                count.ranks += 2 * r - 1;
                count.sizes += answered.len() as u64;
            }
            if let Some(half) = call.half_median(false) {
                *medians.entry(half).or_default() += 1;
                *faulty.entry(half).or_default() += u64::from(call.faulty);
            }
            *of_all.entry(call.half_median(true)).or_default() += 1;
        }
        TurnSums {
            method: calls.iter().map(|call| call.method).max(),
            unanswered: calls.iter().map(|call| call.unanswered).sum(),
            turns: turns.into_values().collect(),
            calls: medians.into_iter().collect(),
            calls_of_all: of_all.into_iter().collect(),
            calls_faulty: faulty.into_iter().filter(|(_, n)| *n > 0).collect(),
            ..TurnSums::empty(night, mode.clone())
        }
    }

    /// Without what these calls added, which are among its own.
    fn without(&self, calls: &[&CallTurns]) -> TurnSums {
        let less = TurnSums::of_group(self.night, &self.mode, calls);
        let gone: BTreeMap<i64, TurnCount> = less.turns.iter().map(|count| (count.ms, *count)).collect();
        let rest = |count: &TurnCount| match gone.get(&count.ms) {
            Some(gone) => TurnCount {
                ms: count.ms,
                n: count.n.saturating_sub(gone.n),
                ranks: count.ranks.saturating_sub(gone.ranks),
                sizes: count.sizes.saturating_sub(gone.sizes),
            },
            None => *count,
        };
        TurnSums {
            method: self.method,
            turns: self.turns.iter().map(rest).filter(|count| count.n > 0).collect(),
            unanswered: self.unanswered.saturating_sub(less.unanswered),
            calls: fewer(&self.calls, &less.calls),
            calls_of_all: fewer(&self.calls_of_all, &less.calls_of_all),
            calls_faulty: fewer(&self.calls_faulty, &less.calls_faulty),
            ..TurnSums::empty(self.night, self.mode.clone())
        }
    }

    /// Answered turns.
    pub fn answered(&self) -> u64 {
        self.turns.iter().map(|count| count.n).sum()
    }

    /// Values of `call_turn_ms`, ascending.
    pub fn medians(&self) -> Vec<f64> {
        spread(&self.calls)
    }

    /// The same of calls that no fault ended.
    pub fn medians_without_faults(&self) -> Vec<f64> {
        spread(&fewer(&self.calls, &self.calls_faulty))
    }

    /// Values of `call_turn_all_ms`, ascending.
    pub fn medians_of_all(&self) -> Vec<f64> {
        let of = |(half, n): &(Option<i64>, u64)| {
            std::iter::repeat_n(half.map_or(f64::INFINITY, |half| half as f64 / 2.0), *n as usize)
        };
        let mut all: Vec<f64> = self.calls_of_all.iter().flat_map(of).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    fn calls_with_latency(&self) -> u64 {
        self.calls.iter().map(|(_, n)| n).sum()
    }
}

fn spread(calls: &[(i64, u64)]) -> Vec<f64> {
    calls.iter().flat_map(|(half, n)| std::iter::repeat_n(*half as f64 / 2.0, *n as usize)).collect()
}

fn fewer<K: Ord + Copy>(all: &[(K, u64)], gone: &[(K, u64)]) -> Vec<(K, u64)> {
    let gone: BTreeMap<K, u64> = gone.iter().copied().collect();
    let rest = all.iter().map(|(key, n)| (*key, n.saturating_sub(gone.get(key).copied().unwrap_or(0))));
    rest.filter(|(_, n)| *n > 0).collect()
}

/// The turns of several nights, calls as clusters.
pub fn clusters<'a>(sums: impl IntoIterator<Item = &'a TurnSums>) -> Clusters {
    let (mut tallies, mut calls) = (Vec::new(), 0);
    for sums in sums {
        calls += sums.calls_with_latency();
        let tally = |c: &TurnCount| Tally { value: c.ms as f64, n: c.n, ranks: c.ranks, sizes: c.sizes };
        tallies.extend(sums.turns.iter().map(tally));
    }
    Clusters::of_tallies(tallies, calls)
}

/// Σ N² / Σ N over calls of N answered turns: how many turns of a call stand together, as a turn meets them.
pub fn alike<'a>(sums: impl IntoIterator<Item = &'a TurnSums>) -> f64 {
    let counts = sums.into_iter().flat_map(|sums| &sums.turns);
    let (n, sizes) = counts.fold((0, 0), |(n, sizes), count| (n + count.n, sizes + count.sizes));
    if n == 0 { 1.0 } else { sizes as f64 / n as f64 }
}

/// The turns of one mode, each contact once: its first call with turns. `repeats` holds all calls of whoever was talked
/// to more than once.
pub fn each_once(sums: &[TurnSums], repeats: &[CallTurns], mode: &Mode) -> Vec<TurnSums> {
    let mut again: Vec<&CallTurns> = repeats.iter().filter(|call| call.mode == *mode).collect();
    again.sort_by_key(|call| (call.night, call.try_number));
    let mut met = std::collections::BTreeSet::new();
    again.retain(|call| !met.insert(call.contact));
    let mut by_night: BTreeMap<Night, Vec<&CallTurns>> = BTreeMap::new();
    again.into_iter().for_each(|call| by_night.entry(call.night).or_default().push(call));
    let of_mode = sums.iter().filter(|sums| sums.mode == *mode);
    let once = |sums: &TurnSums| match by_night.get(&sums.night) {
        Some(calls) => sums.without(calls),
        None => sums.clone(),
    };
    of_mode.map(once).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call((night, contact, answered, unanswered): (i64, i64, Vec<i64>, u64), place: i64) -> CallTurns {
        CallTurns {
            night,
            mode: Mode::dialog(),
            try_number: place,
            answered_ms: answered,
            unanswered,
            method: Method::Vad,
            contact,
            goal: false,
            faulty: contact % 3 == 0,
        }
    }

    proptest! {
        /// The guards: `without`, and the order in `each_once`.
        #[test]
        fn each_contact_once_is_what_its_first_calls_add_up_to(
            drawn in prop::collection::vec((1_i64..4, 0_i64..6, prop::collection::vec(0_i64..9, 0..5), 0_u64..3), 0..30),
        ) {
            let calls: Vec<CallTurns> = drawn
                .into_iter()
                .filter(|(_, _, answered, unanswered)| !answered.is_empty() || *unanswered > 0)
                .zip(0..)
                .map(|(drawn, place)| call(drawn, place))
                .collect();
            let mut first: BTreeMap<i64, &CallTurns> = BTreeMap::new();
            for call in &calls {
                let known = first.entry(call.contact).or_insert(call);
                if (call.night, call.try_number) < (known.night, known.try_number) {
                    *known = call;
                }
            }
            let first: Vec<CallTurns> = first.into_values().cloned().collect();
            let once = each_once(&TurnSums::of(&calls), &CallTurns::repeats(&calls), &Mode::dialog());
            let once: Vec<TurnSums> = once.into_iter().filter(|sums| !sums.calls_of_all.is_empty()).collect();
            prop_assert_eq!(once, TurnSums::of(&first));
        }
    }
}
