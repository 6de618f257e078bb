//! What the acts are asked to do, as values.

use super::{Account, Campaign, Ids, RunState};
use crate::domain::pace::Brake;
use crate::domain::settings::{Overlap, Take};
use crate::domain::{AttemptId, BatchId, CampaignId, Mode, PhoneNumber, RunId, ScheduleId, Timestamp};
use chrono_tz::Tz;
use std::sync::Arc;

pub struct AccountOrder {
    pub id: i64,
    pub platform: String,
    pub cps_max: Option<f64>,
    pub lines_max: Option<i64>,
}

/// What becomes of the account's brake, given the account and how many starts were claimed since then.
pub type BrakeDecision = Arc<dyn Fn(&Account, i64) -> Option<Brake> + Send + Sync>;

pub struct BrakeOrder {
    pub account: i64,
    pub now: Timestamp,
    /// Starts are counted from here.
    pub since: Timestamp,
    pub decision: BrakeDecision,
}

pub struct LimitOrder {
    pub account: i64,
    /// The outer `None` leaves a limit alone, whoever changes it meanwhile; the inner one takes it away.
    pub cps_max: Option<Option<f64>>,
    pub lines_max: Option<Option<i64>>,
    /// Only where the limits still are these: starts per second, open calls.
    pub seen: Option<(Option<f64>, Option<i64>)>,
    pub now: Timestamp,
}

pub struct LeadOrder {
    pub name: &'static str,
    pub owner: String,
    pub now: Timestamp,
    pub until: Timestamp,
}

pub struct RunOrder {
    pub run: RunId,
    pub campaign: CampaignId,
    pub account: i64,
    pub kind: &'static str,
    pub schedule: Option<(ScheduleId, Timestamp)>,
    pub take: Take,
    pub beginning: super::Beginning,
    pub now: Timestamp,
    pub ids: Ids,
}

/// One call, with the rules and the words it is made by.
pub struct SingleOrder {
    pub campaign: Campaign,
    pub batch: BatchId,
    pub run: RunId,
    pub attempt: AttemptId,
    pub account: i64,
    pub number: PhoneNumber,
    pub mode: Mode,
    pub timezone: Option<Tz>,
    pub caller_id: Option<PhoneNumber>,
    pub now: Timestamp,
    pub ids: Ids,
}

pub struct RunStateOrder {
    pub run: RunId,
    pub to: RunState,
    pub by: super::By,
    /// A resumed run pauses itself again after so many more contacts.
    pub hold_after: Option<u32>,
    pub now: Timestamp,
}

pub struct SkipOrder {
    pub schedule: ScheduleId,
    pub due_at: Timestamp,
    /// The next moment that counts.
    pub next_at: Option<Timestamp>,
    pub reason: String,
    pub now: Timestamp,
}

pub struct FireOrder {
    /// The leadership under which this is done.
    pub owner: String,
    pub generation: i64,
    pub due_at: Timestamp,
    pub next_at: Option<Timestamp>,
    pub overlap: Overlap,
    pub run: RunOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fired {
    Started {
        contacts: u64,
    },
    /// Last night's run is still open, and the schedule says so: not tonight.
    Skipped,
    /// … or: when it has ended.
    Waiting,
    /// Somebody else fired it, or leads.
    NotOurs,
}
