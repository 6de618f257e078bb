//! The life of runs and campaigns, as values: who changed what, and what stands beside a run's state.

use crate::domain::{CampaignId, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// Through which door a change came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// Somebody, over HTTP.
    Api,
    /// Somebody, at the terminal.
    Cli,
    Schedule,
    /// This program, for the reason told.
    #[default]
    Halo,
}

impl Actor {
    pub fn as_str(self) -> &'static str {
        match self {
            Actor::Api => "api",
            Actor::Cli => "cli",
            Actor::Schedule => "schedule",
            Actor::Halo => "halo",
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Actor::Api, Actor::Cli, Actor::Schedule, Actor::Halo]
            .into_iter()
            .find(|actor| actor.as_str() == text)
            .ok_or_else(|| format!("`{text}` makes no changes"))
    }
}

/// Who changes something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    /// As the request gave it; nobody has proved it.
    pub name: Option<String>,
    pub reason: Option<String>,
    /// Written in the transaction of the change, where a key has asked for it.
    pub audit: Option<Box<super::AuditOrder>>,
}

impl By {
    pub fn of(actor: Actor) -> By {
        By { actor, ..By::default() }
    }

    pub fn halo(reason: impl Into<String>) -> By {
        By { reason: Some(reason.into()), ..By::default() }
    }
}

/// One change of state of a run or of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The state from then on.
    pub state: String,
    pub at: Timestamp,
    pub actor: Actor,
    pub by: Option<String>,
    pub reason: Option<String>,
}

/// What a run shows: its state, and what stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// Its first moment is still to come.
    Scheduled,
    Running,
    /// Nobody new is called; who was called gets the remaining tries.
    Draining,
    Paused,
    Stopped,
    Completed,
}

impl Shown {
    pub fn as_str(self) -> &'static str {
        match self {
            Shown::Scheduled => "scheduled",
            Shown::Running => "running",
            Shown::Draining => "draining",
            Shown::Paused => "paused",
            Shown::Stopped => "stopped",
            Shown::Completed => "completed",
        }
    }
}

/// A run pauses itself when so many contacts have been dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub contacts_left: i64,
    /// Since when they are counted.
    pub since: Timestamp,
}

/// What a decision knows of a run beside its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// Which version of its campaign's settings holds.
    pub settings_version: i64,
    /// Nobody new is called.
    pub draining: bool,
    pub hold: Option<Hold>,
}

/// The hold of a run, for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HoldRow {
    pub after: i64,
    pub dialled: i64,
    pub since: Timestamp,
}

/// How a run begins.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    pub by: By,
    /// Nobody is dialled before; at once when absent.
    pub starts_at: Option<Timestamp>,
    /// Contacts after which the run pauses itself.
    pub hold_after: Option<u32>,
}

pub struct DrainOrder {
    pub run: RunId,
    pub by: By,
    pub now: Timestamp,
}

pub struct AccountPauseOrder {
    pub account: i64,
    /// True: nobody is dialled at this account.
    pub pause: bool,
    pub by: By,
    pub now: Timestamp,
}

/// What an account is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Busy {
    /// Calls under way.
    pub live: i64,
    /// Runs that are not over.
    pub runs: i64,
}

/// One version of a campaign's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsVersion {
    pub version: i64,
    /// As they were stored: JSON.
    pub settings: String,
    pub changed_at: Timestamp,
    pub actor: Actor,
    pub by: Option<String>,
    pub reason: Option<String>,
}

/// What becomes of a campaign's schedule with new settings.
pub enum ScheduleChange {
    Stays,
    Ends,
    Is(super::NewSchedule),
}

pub struct SettingsOrder {
    pub campaign: CampaignId,
    /// The version that the change was made from: another one means that somebody was quicker.
    pub version: i64,
    pub settings: String,
    pub name: String,
    pub schedule: ScheduleChange,
    /// What changes that must not change while a run is open.
    pub only_at_rest: Vec<&'static str>,
    pub by: By,
    pub now: Timestamp,
}

/// A further list of a campaign.
pub struct AppendOrder {
    /// The list's ordinal, of which its arms were made; another one means that somebody was quicker.
    pub ordinal: i64,
    /// The campaign as it stands, with the list.
    pub new: super::NewCampaign,
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// They are called in this run.
    Joined(RunId),
    /// They are called by the next run.
    Waits,
    /// Another list came in between: its numbers and its arms are to be looked at first.
    Outdated,
}

/// A number that another campaign has in one of its lists.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownElsewhere {
    pub e164: String,
    /// Its name.
    pub campaign: String,
    pub ordinal: i64,
    pub line: i64,
    pub imported_at: i64,
}

/// A sending that was taken in before.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Sent {
    pub batch_id: i64,
    pub campaign_id: i64,
    pub campaign: String,
    pub ordinal: i64,
    pub content_hash: String,
    pub rows_total: i64,
    pub accepted: i64,
    pub duplicates: i64,
    pub refused: i64,
    pub imported_at: i64,
}

/// A number that the campaign has already.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownNumber {
    pub e164: String,
    /// Of its list.
    pub ordinal: i64,
    pub line: i64,
}
