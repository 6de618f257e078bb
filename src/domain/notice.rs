//! What is worth telling somebody, how often a try to tell is made, and when something is an alert.

use super::Timestamp;
use chrono::{LocalResult, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

/// What outgoing webhooks name as `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    RunStarted,
    RunPaused,
    RunResumed,
    RunStopped,
    RunCompleted,
    CallEnded,
    OptOut,
    Report,
    AlertRaised,
    AlertResolved,
    /// Somebody tries an endpoint.
    Test,
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::RunStarted,
        Kind::RunPaused,
        Kind::RunResumed,
        Kind::RunStopped,
        Kind::RunCompleted,
        Kind::CallEnded,
        Kind::OptOut,
        Kind::Report,
        Kind::AlertRaised,
        Kind::AlertResolved,
        Kind::Test,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::RunStarted => "run.started",
            Kind::RunPaused => "run.paused",
            Kind::RunResumed => "run.resumed",
            Kind::RunStopped => "run.stopped",
            Kind::RunCompleted => "run.completed",
            Kind::CallEnded => "call.ended",
            Kind::OptOut => "number.opted_out",
            Kind::Report => "report.ready",
            Kind::AlertRaised => "alert.raised",
            Kind::AlertResolved => "alert.resolved",
            Kind::Test => "test",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no kind of notice")]
pub struct NotAKind(pub String);

impl FromStr for Kind {
    type Err = NotAKind;
    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| NotAKind(text.to_owned()))
    }
}

/// By which way somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Webhook,
    Email,
    Telegram,
}

impl Channel {
    pub const ALL: [Channel; 3] = [Channel::Webhook, Channel::Email, Channel::Telegram];

    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Webhook => "webhook",
            Channel::Email => "email",
            Channel::Telegram => "telegram",
        }
    }
}

impl FromStr for Channel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Channel::ALL.into_iter().find(|channel| channel.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no channel; there are webhook, email and telegram"))
    }
}

const S: i64 = 1000;
const MIN: i64 = 60 * S;
const H: i64 = 60 * MIN;
/// Delays before the second, third … try: the Standard Webhooks convention's own, two and a half days in all.
const DELAYS_MS: [i64; 9] = [5 * S, 5 * MIN, 30 * MIN, 2 * H, 5 * H, 10 * H, 14 * H, 12 * H, 16 * H];

/// How long to wait after so many failed tries; `None`: nobody tries by itself any more.
pub fn again_after_ms(tries: i64) -> Option<i64> {
    DELAYS_MS.get(usize::try_from(tries - 1).ok()?).copied()
}

/// What a try to tell came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Delivered,
    /// Who was asked does not want to be asked again (410).
    Gone,
    Failed(String),
}

/// `[report]`: the report that arrives by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Morning {
    /// Minutes after midnight in the campaign's time zone; `None`: no report arrives.
    pub at_min: Option<u32>,
    /// By which ways; empty: by all that are set up.
    pub channels: Vec<Channel>,
    pub russian: bool,
}

/// The day's report is due when its moment has passed: the day by its name, and that moment.
pub fn morning(at_min: u32, zone: Tz, now: Timestamp) -> Option<(String, Timestamp)> {
    let day = now.utc()?.with_timezone(&zone).date_naive();
    let due = moment(day, at_min, zone)?;
    (due <= now).then(|| (day.to_string(), due))
}

/// An hour that a clock change leaves out comes an hour later; one that comes twice is meant the first time.
fn moment(day: NaiveDate, at_min: u32, zone: Tz) -> Option<Timestamp> {
    let wall = day.and_hms_opt(at_min / 60, at_min % 60, 0)?;
    let at = match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at,
        LocalResult::None => zone.from_local_datetime(&(wall + TimeDelta::hours(1))).earliest()?,
    };
    Some(at.with_timezone(&Utc).into())
}

/// What people are told of until it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    Breaker,
    Balance,
    Idle,
    Night,
    /// A night lies beyond its control band.
    Control,
}

impl AlertKind {
    pub const ALL: [AlertKind; 5] =
        [AlertKind::Breaker, AlertKind::Balance, AlertKind::Idle, AlertKind::Night, AlertKind::Control];

    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::Breaker => "breaker",
            AlertKind::Balance => "balance",
            AlertKind::Idle => "idle",
            AlertKind::Night => "night",
            AlertKind::Control => "control",
        }
    }
}

/// One thing that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub kind: AlertKind,
    /// What it is about, in a word that stays the same while it lasts.
    pub subject: String,
    pub told: String,
}

/// What an installation looks like to whoever watches it.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Paused runs that a breaker stopped: run, campaign, reason.
    pub tripped: Vec<(String, String, String)>,
    /// What is left at the provider, and in which currency.
    pub balance: Option<(f64, String)>,
    /// Somebody is told below this.
    pub balance_min: Option<f64>,
    /// Somebody wants calls to be made: no pause over all of them.
    pub account_paused: bool,
    /// Since when the first of those whose turn has come waits; `None`: it is nobody's turn.
    pub due_since: Option<Timestamp>,
    pub in_flight: i64,
    pub last_start: Option<Timestamp>,
    pub idle_max_ms: i64,
    /// Nights that did not happen: schedule, campaign, its moment, why.
    pub missed: Vec<(String, String, Timestamp, String)>,
    /// Nights that ended not long ago beyond their control band: run, campaign, what left it.
    pub unlike: Vec<(String, String, String)>,
}

/// An alert that was raised stays until this much more is there, so that a balance at the limit does not flutter.
const BALANCE_SPARE: f64 = 1.05;

/// What is wrong now. `open` are the alerts that were raised and not resolved.
pub fn alerts(seen: &Watched, open: &[(AlertKind, String)], now: Timestamp) -> Vec<Alert> {
    let mut found = Vec::new();
    for (run, campaign, reason) in &seen.tripped {
        let told = format!("{campaign}: the run is paused by a breaker: {reason}");
        found.push(Alert { kind: AlertKind::Breaker, subject: run.clone(), told });
    }
    if let (Some((amount, currency)), Some(min)) = (&seen.balance, seen.balance_min) {
        let raised = open.iter().any(|(kind, _)| *kind == AlertKind::Balance);
        let limit = if raised { min * BALANCE_SPARE } else { min };
        if *amount < limit {
            let told = format!("the balance at the provider is {amount:.2} {currency}, below {min:.2}");
            found.push(Alert { kind: AlertKind::Balance, subject: "account".into(), told });
        }
    }
    if let Some(since) = idle_since(seen).filter(|since| now.since(*since) >= seen.idle_max_ms) {
        let told = format!(
            "nobody has been dialled since {since}, although contacts are due and nothing holds them; `halo status` and \
             `halo why CONTACT` say more"
        );
        found.push(Alert { kind: AlertKind::Idle, subject: "account".into(), told });
    }
    for (schedule, campaign, due_at, reason) in &seen.missed {
        let told = format!("{campaign}: the run of {due_at} did not begin: {reason}");
        found.push(Alert { kind: AlertKind::Night, subject: schedule.clone(), told });
    }
    for (run, campaign, told) in &seen.unlike {
        let told = format!("{campaign}: {told}");
        found.push(Alert { kind: AlertKind::Control, subject: run.clone(), told });
    }
    found
}

/// Since when somebody could have been dialled and nobody was. A contact whose gate is closed is not due: its turn
/// comes when the gate opens.
fn idle_since(seen: &Watched) -> Option<Timestamp> {
    if seen.account_paused || seen.in_flight > 0 {
        return None;
    }
    let due = seen.due_since?;
    Some(seen.last_start.map_or(due, |start| start.max(due)))
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
