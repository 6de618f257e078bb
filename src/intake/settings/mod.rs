//! `campaign.toml`, or the same as JSON, to [`Settings`], and back to the JSON that is stored.
//!
//! All faults are listed at once. Unknown keys are refused by name; so is a key that we know and do
//! not obey yet, because a limit that nobody enforces is worse than none.

mod breakers;
mod budget;
mod callers;
pub(in crate::intake) mod caps;
mod consent;
mod dial;
mod experiment;
pub(in crate::intake) mod gap;
mod list;
mod report;
mod retry;
mod schedule;

pub use dial::CALLER_IDS_MAX;
pub use retry::{ATTEMPTS_MAX, DELAYS_MAX};
pub use schedule::{overlap_text, take_text};

use super::{calendar, policy};
use crate::domain::Mode;
use crate::domain::calendar::Calendar;
use crate::domain::keys::{Faults, Reading, Table, cut};
use crate::domain::settings::{Purpose, Settings};
use crate::domain::window::Windows;
use chrono_tz::Tz;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub const NAME_CHARS_MAX: usize = 80;
pub const MODES_MAX: usize = 10;
pub const WEIGHT_MAX: u32 = 100;

/// What a campaign gets that says nothing: inside what `safe` allows besides.
const DEFAULT_DAYS: &[&str] = &["mon-sun 09:00-20:00"];
const DEFAULT_ZONE: Tz = chrono_tz::Europe::Moscow;

const LATER: &[(&str, &str)] = &[("notify", "whom to tell; a report of the morning has [report]")];

/// Settings as text: TOML, or JSON when it starts with a brace.
pub fn parse(text: &str, modes: &BTreeSet<Mode>) -> Result<Settings, Faults> {
    let reading = Reading::default();
    let settings = reading.parse(text).and_then(|value| root(&reading, &value, modes));
    reading.end(settings)
}

/// Settings as JSON: what the API takes and the database keeps.
pub fn from_json(value: &Value, modes: &BTreeSet<Mode>) -> Result<Settings, Faults> {
    let reading = Reading::default();
    let settings = root(&reading, value, modes);
    reading.end(settings)
}

fn root(reading: &Reading, value: &Value, modes: &BTreeSet<Mode>) -> Option<Settings> {
    let table = reading.table(value)?;
    let name = table.needed("name", "give the campaign a name that no other has").filter(|name| named(&table, name));
    let purpose = if table.has("purpose") {
        table.parsed("purpose", policy::purpose)
    } else {
        table.value("purpose");
        table.refuse("purpose", "missing", "say why people are called: test, service, survey, debt or advertising");
        None::<Purpose>
    };
    let modes = split(&table, modes);
    let region = or(&table, "region", region, || "RU".to_owned());
    let policy = or(&table, "policy", known_policy, || "safe".to_owned()).filter(|name| meant(&table, name, purpose));
    let policy_override = table.table("policy_override").map(overridden);
    let timezone = or(&table, "timezone", zone, || DEFAULT_ZONE);
    let dial = dial::read(table.table("dial"));
    let (dial, pacing) = dial.map_or((None, None), |(dial, pacing)| (Some(dial), Some(pacing)));
    let windows = windows(table.table("windows"));
    let retry = retry::read(table.table("retry"));
    let schedule = table.table("schedule").map(|inner| schedule::read(inner, timezone.unwrap_or(DEFAULT_ZONE)));
    let budget = budget::read(table.table("budget"));
    let breakers = breakers::read(table.table("breakers"));
    let caps = caps::read(table.table("caps"));
    let gap = gap::read(table.table("gap"));
    let consent = consent::read(table.table("consent"));
    let list = list::read(table.table("list"));
    let report = report::read(table.table("report"));
    let experiment = experiment::read(table.table("experiment"), modes.as_deref());
    table.close(LATER);
    Some(Settings {
        name: name?,
        purpose: purpose?,
        modes: modes?,
        region: region?,
        policy: policy?,
        policy_override: policy_override.map_or(Some(None), |reason| reason.map(Some))?,
        timezone: timezone?,
        dial: dial?,
        pacing: pacing?,
        windows: windows?,
        retry: retry?,
        // A schedule that is there and wrong must not become a campaign without one.
        schedule: schedule.map_or(Some(None), |found| found.map(Some))?,
        budget: budget?,
        breakers: breakers?,
        caps: caps?,
        gap: gap?,
        consent: consent?,
        list: list?,
        experiment: experiment?,
        report: report?,
    })
}

/// The key's value, the default when it is absent, nothing when it is wrong.
fn or<T>(
    table: &Table<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
    default: impl Fn() -> T,
) -> Option<T> {
    if table.has(key) {
        table.parsed(key, parse)
    } else {
        table.value(key);
        Some(default())
    }
}

fn named(table: &Table<'_>, name: &str) -> bool {
    let good = name.chars().count() <= NAME_CHARS_MAX
        && name.starts_with(char::is_alphanumeric)
        && name.chars().all(|c| c.is_alphanumeric() || " ._-".contains(c));
    if !good {
        let cure =
            format!("use letters, digits, space, `.`, `_`, `-`, at most {NAME_CHARS_MAX}, a letter or digit first");
        table.refuse("name", format!("found `{}`", cut(name)), cure);
    }
    good
}

/// `mode = "dialog"`, or `modes = { dialog = 1, realtime = 1 }`; `scenario(s)` are other words for the same.
fn split(table: &Table<'_>, known: &BTreeSet<Mode>) -> Option<Vec<(Mode, u32)>> {
    const KEYS: [&str; 4] = ["mode", "modes", "scenario", "scenarios"];
    let present: Vec<&'static str> = KEYS.into_iter().filter(|key| table.value(key).is_some()).collect();
    if let [first, second, ..] = present[..] {
        table.refuse(second, format!("says again what `{first}` says"), "keep one of them");
        return None;
    }
    let Some(&key) = present.first() else { return Some(vec![(Mode::dialog(), 1)]) };
    let refuse = |found: String, cure: &str| {
        table.refuse(key, found, cure);
        None
    };
    let mode = |name: &str| match name.parse::<Mode>() {
        Ok(mode) if known.contains(&mode) => Some(mode),
        _ => {
            let names: Vec<&str> = known.iter().map(Mode::as_str).collect();
            refuse(format!("`{}` is not a mode", cut(name)), &format!("known: {}", names.join(", ")));
            None
        }
    };
    match table.value(key)? {
        Value::String(name) => Some(vec![(mode(name.trim())?, 1)]),
        Value::Object(weights) if (1..=MODES_MAX).contains(&weights.len()) => {
            let mut modes = Vec::with_capacity(weights.len());
            for (name, weight) in weights {
                let found = mode(name);
                let weight =
                    weight.as_u64().and_then(|w| u32::try_from(w).ok()).filter(|w| (1..=WEIGHT_MAX).contains(w));
                match (found, weight) {
                    (Some(found), Some(weight)) => modes.push((found, weight)),
                    (_, None) => {
                        let cure = format!("write a whole number from 1 to {WEIGHT_MAX}");
                        refuse(format!("the weight of `{}` is none", cut(name)), &cure);
                    }
                    _ => {}
                }
            }
            // A wrong entry has left a fault; a list without it must not pass for the wish.
            (modes.len() == weights.len()).then_some(modes)
        }
        Value::Object(weights) => {
            refuse(format!("found {} modes", weights.len()), &format!("write 1 to {MODES_MAX} modes with weights"))
        }
        _ => refuse("found neither a name nor weights".into(), "write \"dialog\" or { dialog = 1, realtime = 1 }"),
    }
}

fn region(text: &str) -> Result<String, String> {
    super::phone::region(text).map(|_| text.to_owned())
}

fn known_policy(name: &str) -> Result<String, String> {
    let names = policy::names();
    if names.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!("no such policy; there is: {}", names.join(", ")))
    }
}

/// Is this policy written for the campaign's purpose?
fn meant(table: &Table<'_>, name: &str, purpose: Option<Purpose>) -> bool {
    let purposes = policy::find(name).map(|policy| policy.purposes).unwrap_or_default();
    let good = purpose.is_none_or(|purpose| purposes.contains(&purpose));
    if !good {
        table.refuse(
            "policy",
            format!("`{name}` is not written for this purpose"),
            "use safe, or state the real purpose",
        );
    }
    good
}

/// The reason of an override; without one it is none.
fn overridden(table: Table<'_>) -> Option<String> {
    let reason = table.needed("reason", "say why, for whoever asks later");
    table.close(&[]);
    reason
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "write an IANA time zone, as in Europe/Moscow".to_owned())
}

fn windows(table: Option<Table<'_>>) -> Option<Calendar> {
    let default = || Windows::parse(DEFAULT_DAYS).expect("the default is read by a test");
    let Some(table) = table else { return Some(default().into()) };
    let days = if table.has("days") { calendar::days(&table) } else { Some(default()) };
    table.value("days");
    let (holidays, span) = (calendar::days_off(&table), calendar::span(&table));
    table.close(&[]);
    let (from, until) = span?;
    Some(Calendar { days: days?, holidays: holidays?, from, until })
}

/// The settings with every default written out; [`from_json`] reads the same settings back.
pub fn to_json(settings: &Settings) -> Value {
    let modes: Map<String, Value> = settings.modes.iter().map(|(m, weight)| (m.to_string(), json!(weight))).collect();
    let mut value = json!({
        "name": settings.name,
        "purpose": settings.purpose,
        "modes": modes,
        "region": settings.region,
        "policy": settings.policy,
        "timezone": settings.timezone.name(),
        "dial": dial::to_json(&settings.dial, &settings.pacing),
        "windows": calendar::to_json(&settings.windows),
        "retry": retry::to_json(&settings.retry),
        "breakers": breakers::to_json(&settings.breakers),
    });
    if settings.budget.is_set() {
        value["budget"] = budget::to_json(&settings.budget);
    }
    if let Some(reason) = &settings.policy_override {
        value["policy_override"] = json!({ "reason": reason });
    }
    if let Some(schedule) = &settings.schedule {
        value["schedule"] = schedule::to_json(schedule);
    }
    // Where nothing is asked for, nothing is written.
    for (key, section, is_default) in [
        ("caps", caps::to_json(&settings.caps), settings.caps == Default::default()),
        ("gap", gap::to_json(&settings.gap), settings.gap == Default::default()),
        ("consent", consent::to_json(&settings.consent), settings.consent == Default::default()),
        ("list", list::to_json(&settings.list), settings.list == Default::default()),
        ("report", report::to_json(&settings.report), settings.report == Default::default()),
        ("experiment", experiment::to_json(&settings.experiment), settings.experiment == Default::default()),
    ] {
        if !is_default {
            value[key] = section;
        }
    }
    value
}

#[cfg(test)]
mod experiment_tests;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod tests;
