//! `campaign.toml`, or the same as JSON, to [`Settings`], and back to the JSON that is stored.
//!
//! All faults are listed at once. Unknown keys are refused by name; so is a key that we know and do
//! not obey yet, because a limit that nobody enforces is worse than none.

use super::{calendar, policy};
use crate::domain::calendar::Calendar;
use crate::domain::keys::{Faults, Reading, Table, cut};
use crate::domain::schedule::Cron;
use crate::domain::settings::{Amd, Delay, Dial, Missed, Overlap, Purpose, Retry, Schedule, Settings, Take};
use crate::domain::window::Windows;
use crate::domain::{Mode, Outcome, PhoneNumber};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub const NAME_CHARS_MAX: usize = 80;
pub const MODES_MAX: usize = 10;
pub const WEIGHT_MAX: u32 = 100;
pub const CALLER_IDS_MAX: usize = 1000;
pub const ATTEMPTS_MAX: u32 = 20;
pub const DELAYS_MAX: usize = 20;
const DELAY_MS_MAX: i64 = 30 * 24 * 3600 * 1000;

/// What a campaign gets that says nothing: inside what `safe` allows besides.
const DEFAULT_DAYS: &[&str] = &["mon-sun 09:00-20:00"];
const DEFAULT_ZONE: Tz = chrono_tz::Europe::Moscow;

/// Outcomes after which another try can help, with what follows when nothing is said.
const RETRIES: &[(&str, Outcome, &[&str])] = &[
    ("busy", Outcome::Busy, &["5m", "30m", "next-day"]),
    ("no_answer", Outcome::NoAnswer, &["1h", "4h", "next-day"]),
    ("unavailable", Outcome::Unavailable, &["1h", "4h", "next-day"]),
    ("network_error", Outcome::NetworkError, &["5m", "30m"]),
    ("machine", Outcome::Machine, &[]),
    ("rejected", Outcome::Rejected, &[]),
];

const LATER: &[(&str, &str)] = &[
    ("budget", "a limit on money"),
    ("caps", "limits per number over all campaigns"),
    ("gap", "a minimum distance between tries at a number"),
    ("breakers", "thresholds that pause a run"),
    ("experiment", "the declared rules of a comparison"),
    ("notify", "whom to tell"),
    ("consent", "proof of consent"),
];
const LATER_DIAL: &[(&str, &str)] = &[
    ("route", "a route by campaign (a mode's entry in voximplant/modes.toml may name one)"),
    ("ramp_up", "a slow start"),
    ("jitter", "irregular starts"),
    ("reserve", "lines kept for other traffic"),
];
const LATER_RETRY: &[(&str, &str)] = &[("jitter", "irregular delays"), ("order", "retries first or last")];

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
    let dial = dial(table.table("dial"));
    let windows = windows(table.table("windows"));
    let retry = retry(table.table("retry"));
    let schedule = table.table("schedule").map(|inner| schedule(inner, timezone.unwrap_or(DEFAULT_ZONE)));
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
        windows: windows?,
        retry: retry?,
        // A schedule that is there and wrong must not become a campaign without one.
        schedule: schedule.map_or(Some(None), |found| found.map(Some))?,
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

fn dial(table: Option<Table<'_>>) -> Option<Dial> {
    let mut dial =
        Dial { cps: 5.0, lines: 20, caller_ids: Vec::new(), ring_s: 45, call_s: 300, record: false, amd: Amd::HangUp };
    let Some(table) = table else { return Some(dial) };
    // Rounded, so that the stored text reads back as the very same number.
    dial.cps = table.number("cps", 0.01, 1000.0).map_or(dial.cps, |cps| (cps * 1000.0).round() / 1000.0);
    dial.lines = table.whole("lines", 1, 10_000).unwrap_or(dial.lines);
    dial.ring_s = table.whole("ring_s", 5, 120).unwrap_or(dial.ring_s);
    dial.call_s = table.whole("call_s", 5, 3600).unwrap_or(dial.call_s);
    dial.record = table.flag("record").unwrap_or(dial.record);
    dial.amd = or(&table, "amd", amd, || Amd::HangUp).unwrap_or(dial.amd);
    for text in table.texts("caller_ids", CALLER_IDS_MAX).unwrap_or_default() {
        match text.parse::<PhoneNumber>() {
            Ok(number) if dial.caller_ids.contains(&number) => {
                table.refuse("caller_ids", format!("`{}` stands twice", cut(&text)), "keep one of them");
            }
            Ok(number) => dial.caller_ids.push(number),
            Err(cause) => table.refuse("caller_ids", format!("`{}`: {cause}", cut(&text)), "write it as +74951234567"),
        }
    }
    table.close(LATER_DIAL);
    Some(dial)
}

fn amd(text: &str) -> Result<Amd, String> {
    Amd::ALL.into_iter().find(|amd| amd.as_str() == text).ok_or("write off, mark, hang_up or message".to_owned())
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

fn retry(table: Option<Table<'_>>) -> Option<Retry> {
    let mut retry = Retry { attempts_max: 4, delays: BTreeMap::new() };
    let mut lists: BTreeMap<Outcome, Vec<String>> = RETRIES
        .iter()
        .map(|(_, outcome, delays)| (*outcome, delays.iter().map(|d| (*d).to_owned()).collect()))
        .collect();
    if let Some(table) = &table {
        retry.attempts_max = table.whole("attempts_max", 1, ATTEMPTS_MAX).unwrap_or(retry.attempts_max);
        for (key, outcome, _) in RETRIES {
            if let Some(list) = table.texts(key, DELAYS_MAX) {
                lists.insert(*outcome, list);
            }
        }
    }
    for (key, outcome, _) in RETRIES {
        let mut delays = Vec::new();
        for text in &lists[outcome] {
            match delay(text) {
                Ok(delay) => delays.push(delay),
                Err(cure) => {
                    // The defaults are read by a test, so a fault is always in the table that was written.
                    if let Some(table) = &table {
                        table.refuse(key, format!("found `{}`", cut(text)), cure);
                    }
                }
            }
        }
        if !delays.is_empty() {
            retry.delays.insert(*outcome, delays);
        }
    }
    if let Some(table) = table {
        let mut never: Vec<(&str, &str)> = LATER_RETRY.to_vec();
        never.extend(Outcome::ALL.iter().filter(|o| !lists.contains_key(o)).map(|o| (o.as_str(), "a retry after it")));
        table.close(&never);
    }
    Some(retry)
}

/// `30s`, `5m`, `1h30m`, `2d`, or `next-day`.
fn delay(text: &str) -> Result<Delay, String> {
    let cure = || "write a delay as in 30s, 5m, 1h30m, 2d (at most 30d), or next-day".to_owned();
    if text == "next-day" {
        return Ok(Delay::NextDay);
    }
    let (mut ms, mut digits) = (0i64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' if digits.len() < 9 => {
                digits.push(c);
                continue;
            }
            's' => 1000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return Err(cure()),
        };
        let n: i64 = digits.parse().map_err(|_| cure())?;
        digits.clear();
        ms += n * unit;
    }
    if digits.is_empty() && (1000..=DELAY_MS_MAX).contains(&ms) { Ok(Delay::Ms(ms)) } else { Err(cure()) }
}

fn delay_text(delay: &Delay) -> String {
    let Delay::Ms(mut ms) = *delay else { return "next-day".to_owned() };
    let mut text = String::new();
    for (unit, name) in [(86_400_000, 'd'), (3_600_000, 'h'), (60_000, 'm'), (1000, 's')] {
        if ms >= unit {
            text += &format!("{}{name}", ms / unit);
            ms %= unit;
        }
    }
    text
}

fn schedule(table: Table<'_>, campaign_zone: Tz) -> Option<Schedule> {
    let cron = if table.has("cron") {
        table.parsed("cron", |text| text.parse::<Cron>().map(|_| text.to_owned()).map_err(|e| e.to_string()))
    } else {
        table.value("cron");
        table.refuse("cron", "missing", "write five fields, as in \"0 2 * * *\"");
        None
    };
    let timezone = or(&table, "timezone", zone, || campaign_zone);
    let take = or(&table, "take", take, || Take::Unreached);
    let overlap = or(&table, "overlap", overlap, || Overlap::EndPrevious);
    let missed = or(&table, "missed", missed, || Missed::Run);
    if (overlap, missed) == (Some(Overlap::Wait), Some(Missed::Skip)) {
        let found = "a firing that waits for the run before it is late by wish, and would be skipped for it";
        table.refuse("missed", found, "write missed = \"run\", or overlap = \"skip\"");
    }
    table.close(&[]);
    Some(Schedule { cron: cron?, timezone: timezone?, take: take?, overlap: overlap?, missed: missed? })
}

fn take(text: &str) -> Result<Take, String> {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["all"] => Ok(Take::All),
        ["unreached"] => Ok(Take::Unreached),
        ["next", n] => n.parse().ok().filter(|n| *n > 0).map(Take::Next).ok_or("write next and a number".to_owned()),
        _ => Err("write all, unreached, or next and a number, as in \"next 100\"".to_owned()),
    }
}

pub fn take_text(take: Take) -> String {
    match take {
        Take::All => "all".into(),
        Take::Unreached => "unreached".into(),
        Take::Next(n) => format!("next {n}"),
    }
}

fn overlap(text: &str) -> Result<Overlap, String> {
    let known = [Overlap::EndPrevious, Overlap::Skip, Overlap::Wait];
    known.into_iter().find(|o| overlap_text(*o) == text).ok_or("write end-previous, skip or wait".to_owned())
}

pub fn overlap_text(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::EndPrevious => "end-previous",
        Overlap::Skip => "skip",
        Overlap::Wait => "wait",
    }
}

fn missed(text: &str) -> Result<Missed, String> {
    let known = [Missed::Run, Missed::Skip];
    known.into_iter().find(|missed| missed_text(*missed) == text).ok_or("write run or skip".to_owned())
}

fn missed_text(missed: Missed) -> &'static str {
    match missed {
        Missed::Run => "run",
        Missed::Skip => "skip",
    }
}

/// The settings with every default written out; [`from_json`] reads the same settings back.
pub fn to_json(settings: &Settings) -> Value {
    let dial = &settings.dial;
    let modes: Map<String, Value> = settings.modes.iter().map(|(m, weight)| (m.to_string(), json!(weight))).collect();
    let mut retry = Map::from_iter([("attempts_max".to_owned(), json!(settings.retry.attempts_max))]);
    for (key, outcome, _) in RETRIES {
        let delays = settings.retry.delays.get(outcome).map(Vec::as_slice).unwrap_or_default();
        retry.insert((*key).to_owned(), delays.iter().map(delay_text).collect());
    }
    let mut value = json!({
        "name": settings.name,
        "purpose": settings.purpose,
        "modes": modes,
        "region": settings.region,
        "policy": settings.policy,
        "timezone": settings.timezone.name(),
        "dial": {
            "cps": dial.cps,
            "lines": dial.lines,
            "caller_ids": dial.caller_ids.iter().map(PhoneNumber::as_str).collect::<Vec<_>>(),
            "ring_s": dial.ring_s,
            "call_s": dial.call_s,
            "record": dial.record,
            "amd": dial.amd.as_str(),
        },
        "windows": calendar::to_json(&settings.windows),
        "retry": retry,
    });
    if let Some(reason) = &settings.policy_override {
        value["policy_override"] = json!({ "reason": reason });
    }
    if let Some(schedule) = &settings.schedule {
        value["schedule"] = json!({
            "cron": schedule.cron,
            "timezone": schedule.timezone.name(),
            "take": take_text(schedule.take),
            "overlap": overlap_text(schedule.overlap),
            "missed": missed_text(schedule.missed),
        });
    }
    value
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
