//! `[experiment]`: what a comparison is judged by. It is written down before the first call and stays.

use crate::domain::Mode;
use crate::domain::experiment::{Experiment, Judge, Kind, NIGHTS, Regime, Success};
use crate::domain::keys::{Table, cut};
use serde_json::{Map, Value, json};

const NIGHTS_MAX: u32 = 366;
const CALLS_MAX: u32 = 1_000_000;
const LOOKS_MAX: usize = 20;

/// `modes` are those of the split; nothing where they were refused already.
pub(super) fn read(table: Option<Table<'_>>, modes: Option<&[(Mode, u32)]>) -> Option<Experiment> {
    let Some(table) = table else { return Some(Experiment::default()) };
    // A wrong value leaves a fault: it must not become another experiment.
    let baseline = table.text("baseline");
    let baseline = baseline.and_then(|name| {
        let modes = modes?;
        let found = modes.iter().find(|(mode, _)| mode.as_str() == name);
        if found.is_none() {
            let names: Vec<&str> = modes.iter().map(|(mode, _)| mode.as_str()).collect();
            table.refuse("baseline", format!("`{}` is no mode of the split", cut(&name)), names.join(", "));
        }
        found.map(|(mode, _)| mode.clone())
    });
    let kind = if table.has("kind") {
        table.parsed("kind", |text| {
            let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
            known.ok_or_else(|| "write split, aa or crossover".to_owned())
        })
    } else {
        table.value("kind");
        Some(Kind::Split)
    };
    if kind.is_some_and(|kind| !kind.is_split()) && modes.is_some_and(|modes| modes.len() < 2) {
        table.refuse("kind", "one mode alone cannot be compared", "name two modes or more in `modes`");
    }
    let success = if table.has("success") {
        table.parsed("success", |text| {
            let known = Success::ALL.into_iter().find(|success| success.as_str() == text);
            known.ok_or_else(|| "write dialogue or judge".to_owned())
        })
    } else {
        table.value("success");
        Some(Success::Dialogue)
    };
    let judge = if table.has("judge") {
        table.parsed("judge", |text| text.parse::<Judge>())
    } else {
        table.value("judge");
        Some(Judge::Rules)
    };
    let margin_pp = table.number("margin_pp", 0.1, 50.0);
    let regime = if table.has("regime") {
        table.parsed("regime", |text| {
            let known = Regime::ALL.into_iter().find(|regime| regime.as_str() == text);
            known.ok_or_else(|| "write fixed, group or always_valid".to_owned())
        })
    } else {
        table.value("regime");
        Some(Regime::Fixed)
    };
    let nights = table.whole("nights", 1, NIGHTS_MAX);
    let looks = looks(&table);
    let calls = table.whole("calls", 100, CALLS_MAX);
    if let Some(regime) = regime {
        if regime != Regime::Group && !looks.is_empty() {
            table.refuse("looks", "looks are planned by `group` alone", "write regime = \"group\", or leave them out");
        }
        if let (Some(last), Some(nights)) = (looks.last(), nights)
            && *last != nights
        {
            table.refuse("looks", format!("the last is {last}"), format!("end with the planned nights, {nights}"));
        }
    }
    table.close(&[]);
    let (regime, kind, success, judge) = (regime?, kind?, success?, judge?);
    let nights = nights.or_else(|| looks.last().copied());
    let looks = match regime {
        Regime::Group if looks.is_empty() => Experiment::looks_of(nights.unwrap_or(NIGHTS)),
        _ => looks,
    };
    let nights = nights.or_else(|| looks.last().copied());
    Some(Experiment { kind, baseline, margin_pp, regime, nights, looks, calls, success, judge })
}

fn looks(table: &Table<'_>) -> Vec<u32> {
    let Some(value) = table.value("looks") else { return Vec::new() };
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let nights: Vec<u32> = items
        .iter()
        .filter_map(|item| item.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=NIGHTS_MAX).contains(n)))
        .collect();
    let ascending = nights.windows(2).all(|pair| pair[0] < pair[1]);
    if nights.is_empty() || nights.len() != items.len() || nights.len() > LOOKS_MAX || !ascending {
        let cure = format!("write 1 to {LOOKS_MAX} ascending nights, as in [7, 14, 21, 28]");
        table.refuse("looks", "found no such list", cure);
        return Vec::new();
    }
    nights
}

pub(super) fn to_json(experiment: &Experiment) -> Value {
    let mut value = Map::new();
    let Experiment { kind, baseline, margin_pp, regime, nights, looks, calls, success, judge } = experiment;
    if !kind.is_split() {
        value.insert("kind".to_owned(), json!(kind.as_str()));
    }
    if let Some(mode) = baseline {
        value.insert("baseline".to_owned(), json!(mode));
    }
    if let Some(points) = margin_pp {
        value.insert("margin_pp".to_owned(), json!(points));
    }
    value.insert("regime".to_owned(), json!(regime.as_str()));
    if let Some(nights) = nights {
        value.insert("nights".to_owned(), json!(nights));
    }
    if !looks.is_empty() {
        value.insert("looks".to_owned(), json!(looks));
    }
    if let Some(calls) = calls {
        value.insert("calls".to_owned(), json!(calls));
    }
    if !success.is_dialogue() {
        value.insert("success".to_owned(), json!(success.as_str()));
    }
    if !judge.is_rules() {
        value.insert("judge".to_owned(), json!(judge.as_str()));
    }
    Value::Object(value)
}
