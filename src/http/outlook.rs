//! What a campaign would come to: who is dialled when in which zone, how long that takes, what it may cost, and what
//! the first of them are told.

use crate::dialogue::{Manner, Script, told};
use crate::domain::clearance::open_at;
use crate::domain::forecast::{Demand, ends_at, starts_per_second};
use crate::domain::money::{MICROS, Models, Prices, shown};
use crate::domain::settings::{Purpose, Settings};
use crate::domain::{Mode, PhoneNumber, Timestamp};
use crate::intake::{self, Row};
use chrono_tz::Tz;
use serde::Serialize;
use std::collections::BTreeMap;

/// A call of which nothing is known rings so long, and is talked through so long when somebody answers.
const RING_S: i64 = 15;
const TALK_S: i64 = 60;
/// Zones told in lines for a person.
const ZONES_SHOWN_MAX: usize = 12;

/// Where and by whom calls would be made.
pub struct Place {
    pub now: Timestamp,
    /// The account's limits.
    pub cps_max: Option<f64>,
    pub lines_max: Option<i64>,
    pub prices: Option<Prices>,
    /// For their prices.
    pub models: Models,
    pub has_dialog: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// Who is dialled when, those who are first before all.
    pub zones: Vec<Zone>,
    /// Test phones: windows do not hold for them.
    pub any_hour: usize,
    pub pace: Pace,
    /// When everybody was called once. Retries come on top.
    pub first_tries_end: Span,
    pub cost: Option<Cost>,
    pub prompts: Vec<Prompt>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Zone {
    pub timezone: String,
    pub contacts: usize,
    /// Null: not within a year.
    pub opens_at: Option<Timestamp>,
    /// The same by the clock on the wall there.
    pub opens_local: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Pace {
    /// Starts per second, and open calls, as the campaign and the account allow.
    pub cps: f64,
    pub lines: f64,
    /// What the account holds back of what the campaign asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<String>,
}

/// Between these two: calls of a minute, and calls that last as long as they may.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Span {
    pub soonest: Option<Timestamp>,
    pub latest: Option<Timestamp>,
}

/// In units of the currency, by prices.toml.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    pub currency: String,
    /// Everybody answers the first call and talks for a minute.
    pub a_minute_each: f64,
    /// Everybody is talked to as long as the settings allow.
    pub most: f64,
    /// The same at every try that the settings allow.
    pub most_with_retries: f64,
    pub prices_of: String,
    pub prices_unverified: usize,
}

/// What a session would be told of one of the first contacts.
#[derive(Clone, Debug, Serialize)]
pub struct Prompt {
    pub line: u64,
    pub mode: Mode,
    pub first_phrase: String,
    pub instructions: String,
}

/// `zones`: accepted rows by the zone that they or their numbers name; `callable`: each number with its own mode.
pub fn outlook(
    place: &Place,
    settings: &Settings,
    script: &Script,
    zones: &BTreeMap<Option<&'static str>, usize>,
    callable: impl Iterator<Item = (PhoneNumber, Option<Mode>)>,
    first: &[Row],
) -> Outlook {
    let policy = intake::policy::find(&settings.policy).map(|policy| policy.calendars()).unwrap_or_default();
    let open = |zone: Tz, at: Timestamp| open_at(settings, &policy, zone, at);
    let mut count: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (zone, rows) in zones {
        *count.entry(zone.unwrap_or(settings.timezone.name())).or_default() += rows;
    }
    let (any_hour, cost) = counted(place, settings, callable);
    // Which zones test phones are of is not counted: they are taken from all alike.
    let listed: usize = count.values().sum();
    let held = |rows: usize| rows - (rows * any_hour).checked_div(listed).unwrap_or_default();
    let mut told: Vec<(Tz, Zone)> = Vec::new();
    for (name, contacts) in count {
        let Ok(zone) = name.parse::<Tz>() else { continue };
        let opens_at = open(zone, place.now);
        let local = opens_at.and_then(Timestamp::utc);
        let opens_local = local.map(|at| at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M").to_string());
        told.push((zone, Zone { timezone: name.to_owned(), contacts, opens_at, opens_local }));
    }
    told.sort_by_key(|(_, zone)| (zone.opens_at.is_none(), zone.opens_at, std::cmp::Reverse(zone.contacts)));
    let mut demand: Vec<Demand> =
        told.iter().map(|(zone, t)| Demand { zone: Some(*zone), contacts: held(t.contacts) as u64 }).collect();
    let windows: u64 = demand.iter().map(|demand| demand.contacts).sum();
    demand.push(Demand { zone: None, contacts: (listed as u64).saturating_sub(windows) });
    let pace = pace(place, settings);
    let ends = |held_s: f64| ends_at(&demand, starts_per_second(pace.cps, pace.lines, held_s), place.now, open);
    let longest = f64::from(settings.dial.ring_s + settings.dial.call_s);
    let first_tries_end = Span { soonest: ends((RING_S + TALK_S) as f64), latest: ends(longest) };
    let zones = told.into_iter().map(|(_, zone)| zone).collect();
    Outlook { zones, any_hour, first_tries_end, cost, prompts: prompts(place, settings, script, first), pace }
}

fn pace(place: &Place, settings: &Settings) -> Pace {
    let dial = &settings.dial;
    let (cps, lines) = (dial.cps, f64::from(dial.lines));
    let account_cps = settings.pacing.share_of_cps(place.cps_max);
    let account_lines = settings.pacing.share_of_lines(place.lines_max).map(|lines| lines as f64);
    let mut held_back = Vec::new();
    let mut least = |asked: f64, limit: Option<f64>, what: &str| match limit.filter(|limit| *limit < asked) {
        Some(limit) => {
            held_back.push(format!("the account allows {limit} {what}, the campaign asks for {asked}"));
            limit
        }
        None => asked,
    };
    let cps = least(cps, account_cps, "starts per second");
    let lines = least(lines, account_lines, "open calls");
    Pace { cps, lines, held_back }
}

/// Numbers that are called at any hour, and what calling all may cost.
fn counted(
    place: &Place,
    settings: &Settings,
    callable: impl Iterator<Item = (PhoneNumber, Option<Mode>)>,
) -> (usize, Option<Cost>) {
    let mut any_hour = 0;
    // One number stands for all that have its price.
    let mut groups: BTreeMap<(&str, Option<Mode>), (PhoneNumber, i64)> = BTreeMap::new();
    for (number, mode) in callable {
        any_hour += usize::from(settings.exempts(number.is_example(), false));
        let Some(prices) = &place.prices else { continue };
        let begins = prices.calls.iter().map(|price| price.to.as_str()).filter(|to| number.as_str().starts_with(to));
        let group = (begins.max_by_key(|to| to.len()).unwrap_or_default(), mode);
        groups.entry(group).or_insert_with(|| (number, 0)).1 += 1;
    }
    let Some(prices) = &place.prices else { return (any_hour, None) };
    let weights: i64 = settings.modes.iter().map(|(_, weight)| i64::from(*weight)).sum();
    let (mut minute, mut most) = (0_i128, 0_i128);
    for ((_, own), (number, rows)) in groups {
        let modes = match &own {
            Some(mode) => vec![(mode, 1, 1)],
            None => settings.modes.iter().map(|(mode, weight)| (mode, i64::from(*weight), weights)).collect(),
        };
        for (mode, weight, of) in modes {
            let tariff = prices.tariff(&number, mode, &settings.dial, &place.models);
            let talk_s = TALK_S.min(i64::from(settings.dial.call_s));
            let calls = i128::from(rows) * i128::from(weight);
            minute += i128::from(tariff.of(RING_S, talk_s)) * calls / i128::from(of);
            most += i128::from(tariff.most()) * calls / i128::from(of);
        }
    }
    let units = |micros: i128| micros as f64 / MICROS as f64;
    let cost = Cost {
        currency: prices.currency.clone(),
        a_minute_each: units(minute),
        most: units(most),
        most_with_retries: units(most * i128::from(settings.retry.attempts_max)),
        prices_of: prices.date.to_string(),
        prices_unverified: prices.unverified().0,
    };
    (any_hour, Some(cost))
}

fn prompts(place: &Place, settings: &Settings, script: &Script, first: &[Row]) -> Vec<Prompt> {
    let mut prompts = Vec::new();
    for row in first {
        let modes = match &row.mode {
            Some(own) => vec![own],
            None => settings.modes.iter().map(|(mode, _)| mode).collect(),
        };
        for mode in modes {
            let told = told(script, Manner::of(mode, place.has_dialog), &row.variables);
            let (first_phrase, instructions) = (told.first_phrase, told.instructions);
            prompts.push(Prompt { line: row.line, mode: mode.clone(), first_phrase, instructions });
        }
    }
    prompts
}

impl Outlook {
    /// For a person, a line each.
    pub fn lines(&self, settings: &Settings, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        if self.any_hour > 0 {
            lines.push(format!("{} test phones are called at any hour", self.any_hour));
        }
        for zone in self.zones.iter().take(ZONES_SHOWN_MAX).filter(|_| settings.purpose != Purpose::Test) {
            let opens = match (&zone.opens_local, zone.opens_at) {
                (_, Some(at)) if at <= now => "may be called now".to_owned(),
                (Some(local), _) => format!("from {local} there"),
                _ => "never within a year".to_owned(),
            };
            lines.push(format!("{:>7} in {}: {opens}", zone.contacts, zone.timezone));
        }
        if let Some(more) = self.zones.len().checked_sub(ZONES_SHOWN_MAX).filter(|more| *more > 0) {
            lines.push(format!("        and in {more} more zones"));
        }
        lines.extend(self.pace.held_back.iter().map(|why| format!("Held back: {why}")));
        let text = |at: Option<Timestamp>| at.map_or("in more than a year".to_owned(), |at| at.to_string());
        let Span { soonest, latest } = self.first_tries_end;
        let pace = format!("at {} starts per second and {} open calls", self.pace.cps, self.pace.lines);
        lines.push(format!(
            "Everybody was called once {pace}: {} when calls last a minute, {} when they last as long as they may",
            text(soonest),
            text(latest)
        ));
        if let Some(cost) = &self.cost {
            let money = |units: f64| shown((units * MICROS as f64) as i64, &cost.currency);
            lines.push(format!(
                "May cost {} (everybody answers and talks for a minute), at most {}, with all retries {}; prices of \
                 {}, {} of them unverified",
                money(cost.a_minute_each),
                money(cost.most),
                money(cost.most_with_retries),
                cost.prices_of,
                cost.prices_unverified
            ));
        }
        let first = self.prompts.first().map(|prompt| prompt.line);
        for prompt in self.prompts.iter().filter(|prompt| Some(prompt.line) == first) {
            lines.push(format!("Line {} in {}: {}", prompt.line, prompt.mode, prompt.first_phrase));
        }
        lines
    }
}
