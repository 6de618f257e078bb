//! Everything that two arms are compared by and no verdict speaks of.

use super::arms::{self, ArmCalls};
use super::compare::{newcombe, share_of};
use super::effort::{self, Ratio};
use super::figures::{Figures, Metric};
use super::intervals::{absent, bare, by_calls, calls_min, known, too_few};
use super::model::{Arm, Beside, Interval, Rate};
use super::stats::LEVEL;
use super::stats::clustered::{self, Clusters};
use super::stats::quantile::{Level, calls_needed};

const QUANTILES: [(&str, Level); 4] =
    [("p50", Level::P50), ("p90", Level::P90), ("p95", Level::P95), ("p99", Level::P99)];
/// Waits of which a call, or an attempt, has one.
const ALONE: [Metric; 3] = [Metric::AnswerMs, Metric::FirstAudioMs, Metric::TalkMs];

/// A rate of an arm.
type Of = fn(&Arm) -> &Rate;

/// An arm, and its calls.
type Side<'a> = (&'a Arm, &'a ArmCalls);

/// Mode first, then what it is compared with.
pub fn beside(figures: &Figures, (mode, calls): Side<'_>, (base, base_calls): Side<'_>) -> Vec<Beside> {
    let mut found = Vec::new();
    let mut add = |metric: &str, stat: &str, difference: Interval| {
        found.push(Beside { metric: metric.to_owned(), stat: stat.to_owned(), difference });
    };
    let rates: [(&str, Of); 5] = [
        ("answer_seizure_rate", |arm| &arm.rates.answer_seizure_rate),
        ("machine_rate", |arm| &arm.rates.machine_rate),
        ("reach_rate", |arm| &arm.rates.reach_rate),
        ("conversation_rate", |arm| &arm.rates.conversation_rate),
        ("silent_rate", |arm| &arm.rates.silent_rate),
    ];
    for (metric, of) in rates {
        add(metric, "rate", newcombe(share_of(of(mode)), share_of(of(base)), LEVEL));
    }
    let of_turns: [(&str, Of); 2] = [
        ("unanswered_turn_rate", |arm| &arm.rates.unanswered_turn_rate),
        ("barge_in_rate", |arm| &arm.rates.barge_in_rate),
    ];
    for (metric, of) in of_turns {
        let share = |arm: &Arm| by_calls(share_of(of(arm)), arm.turns.calls);
        let told = of(mode).interval.estimate.zip(of(base).interval.estimate).map(|(own, base)| own - base);
        // The limits move with the difference of all turns, which that of calls only stands for.
        let limits = newcombe(share(mode), share(base), LEVEL);
        let moved = told.zip(limits.estimate).map_or(0.0, |(told, by_calls)| told - by_calls);
        add(
            metric,
            "rate",
            Interval {
                estimate: told,
                lower: limits.lower.map(|limit| limit + moved),
                upper: limits.upper.map(|limit| limit + moved),
                method: "newcombe_by_calls".to_owned(),
                ..limits
            },
        );
    }
    let turns = (calls.clusters(), base_calls.clusters());
    for (stat, level) in QUANTILES.into_iter().filter(|(_, level)| *level != Level::P95) {
        add("turn_ms", stat, difference(&turns, level));
    }
    let medians = (Clusters::alone(&calls.medians().sorted()), Clusters::alone(&base_calls.medians().sorted()));
    for (stat, level) in QUANTILES.into_iter().filter(|(_, level)| *level != Level::P50) {
        add("call_turn_ms", stat, difference(&medians, level));
    }
    for metric in ALONE {
        let both = (arms::alone(figures, &mode.mode, metric), arms::alone(figures, &base.mode, metric));
        for (stat, level) in QUANTILES {
            add(metric.as_str(), stat, difference(&both, level));
        }
    }
    for ratio in Ratio::ALL {
        let of = |arm: &Arm| {
            arm.effort.iter().find(|effort| effort.metric == ratio.as_str()).and_then(|effort| effort.value.estimate)
        };
        add(ratio.as_str(), "ratio", effort::against(figures, (&mode.mode, &base.mode), ratio, (of(mode), of(base))));
    }
    found
}

/// Of a quantile, with calls as clusters; mode first.
pub(super) fn difference((mode, base): &(Clusters, Clusters), level: Level) -> Interval {
    const METHOD: &str = "clustered_delta";
    let needed = calls_needed(level, LEVEL);
    let Some(found) = clustered::quantile_difference(mode, base, level.fraction(), LEVEL) else {
        return absent(METHOD, 0, too_few(0, calls_min()));
    };
    let values = found.treatment.values.min(found.control.values);
    let calls = found.treatment.calls.min(found.control.calls);
    if values < needed {
        bare(METHOD, values, Some(found.difference), too_few(values, needed))
    } else if calls < calls_min() {
        bare(METHOD, values, Some(found.difference), too_few(calls, calls_min()))
    } else {
        known(METHOD, values, found.difference, found.lower, found.upper)
    }
}
