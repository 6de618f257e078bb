//! What is handed in and out: plain values, already of the domain.

use crate::domain::alternates::Line;
use crate::domain::callers::CallerUses;
use crate::domain::caps::Rang;
use crate::domain::clearance::Gate;
use crate::domain::list::NumberKind;
use crate::domain::pace::Brake;
use crate::domain::settings::RetryOrder;
use crate::domain::state::State;
use crate::domain::term::Term;
use crate::domain::{
    AttemptId, BatchId, CampaignId, ContactId, Mode, NumberId, Outcome, PhoneNumber, RunContactId, RunId, ScheduleId,
    SessionId, Timestamp, TokenHash,
};
use chrono_tz::Tz;
use std::sync::Arc;

/// The account at one platform, as the planner sees it under the lock.
#[derive(Clone, Debug)]
pub struct Account {
    pub account: i64,
    pub platform: String,
    pub cps_max: Option<f64>,
    pub lines_max: Option<i64>,
    pub paused_at: Option<Timestamp>,
    pub pause_reason: Option<String>,
    pub last_slot_us: i64,
    /// The last slow-down; it may be over.
    pub brake: Option<Brake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    Running,
    Paused,
    Stopped,
    Completed,
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Paused => "paused",
            RunState::Stopped => "stopped",
            RunState::Completed => "completed",
        }
    }
    pub fn is_over(self) -> bool {
        matches!(self, RunState::Stopped | RunState::Completed)
    }
}

impl std::str::FromStr for RunState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "running" => RunState::Running,
            "paused" => RunState::Paused,
            "stopped" => RunState::Stopped,
            "completed" => RunState::Completed,
            other => return Err(format!("`{other}` is not a state of a run")),
        })
    }
}

#[derive(Clone, Debug, serde::Serialize)]
pub struct Run {
    pub run: RunId,
    pub campaign: CampaignId,
    #[serde(skip)]
    pub account: i64,
    pub platform: String,
    pub ordinal: i64,
    pub kind: String,
    pub schedule: Option<ScheduleId>,
    pub due_at: Option<Timestamp>,
    pub started_at: Timestamp,
    #[serde(skip)]
    pub state: RunState,
    /// The state, and what stands beside it: what people are shown.
    #[serde(rename = "state")]
    pub shown: super::Shown,
    pub state_reason: Option<String>,
    pub changed_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Since when nobody new is called.
    pub draining_at: Option<Timestamp>,
    /// Nobody is dialled before.
    pub starts_at: Option<Timestamp>,
    /// The version of its campaign's settings that holds now.
    pub settings_version: i64,
}

/// A running run, as the planner sees it under the lock.
#[derive(Clone, Debug)]
pub struct OpenRun {
    pub run: RunId,
    pub campaign: CampaignId,
    pub last_slot_us: i64,
    /// When it started or was resumed.
    pub since: Timestamp,
    /// Started sessions in a row that never asked for their grant.
    pub ungranted: i64,
    /// Lines that its attempts hold: planned under a lease, dialing, live until `held_until`.
    pub lines_held: i64,
    /// Micros that the slots of this plan can cost, of a run that counts its money.
    pub promised: i64,
}

/// A contact whose turn it is, taken so that nobody else takes it.
#[derive(Clone, Debug)]
pub struct Leased {
    pub run_contact: RunContactId,
    pub contact: ContactId,
    pub number: NumberId,
    pub mode: Mode,
    pub to: PhoneNumber,
    pub timezone: Option<Tz>,
    pub suppressed: bool,
    pub allow_listed: bool,
    /// The contact's consent is on record.
    pub consented: bool,
    /// The planned attempt that lost its slot, if one waits.
    pub planned: Option<AttemptId>,
    pub tries_made: i64,
    /// The caller id of the contact's earlier tries: retries keep it.
    pub caller_id: Option<PhoneNumber>,
    /// Calls to this number over all campaigns; read only where the planner counts them.
    pub history: Vec<Rang>,
    pub term: Term,
    /// Every number of a contact that has several.
    pub lines: Vec<Line>,
}

pub enum Placement {
    Slot {
        slot_us: i64,
        caller_id: Option<PhoneNumber>,
        leased_until: Timestamp,
    },
    Park {
        until: Timestamp,
        gate: Gate,
    },
    Rest(Outcome),
    /// Never, for want of something: it rests `suppressed`, and keeps the gate's name.
    Bar(Gate),
    /// It has to wait for what calls under way may give back, and so has everybody behind it.
    Short,
    /// This number of the contact is rung instead; it is looked at again.
    Elsewhere(NumberId),
}

/// A planned attempt and when it may leave: what the queue is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub attempt: AttemptId,
    pub slot_us: i64,
}

/// Decides inside the plan's transaction; pure but for its own counting.
pub trait Planner: Send + Sync {
    /// How many contacts of this run may be leased now.
    fn want(&self, account: &Account, lines_held: i64, run: &OpenRun) -> usize;
    /// The first slot that the run may have, whatever its share of the account; `head` is whose turn it is there,
    /// where that is known already.
    fn next_us(&self, account: &Account, run: &OpenRun, _callers: &CallerUses, _head: Option<&Leased>) -> i64 {
        account.last_slot_us.max(run.last_slot_us)
    }
    /// Is anything counted by number, so that the history of leased contacts must be read?
    fn counts_calls(&self, _run: &OpenRun) -> bool {
        false
    }
    /// Who goes first of those whose turn it is.
    fn order(&self, _run: &OpenRun) -> RetryOrder {
        RetryOrder::Due
    }
    /// Caller ids whose calls of the day must be counted for this run, and when that day began.
    fn counted(&self, _run: &OpenRun) -> Vec<(String, Timestamp)> {
        Vec::new()
    }
    /// How many of those wanted its caller ids can carry now.
    fn carried(&self, _account: &Account, _run: &OpenRun, _callers: &CallerUses, want: usize) -> usize {
        want
    }
    /// Where one of them goes. `callers` is what is known of each caller id.
    fn place(&self, account: &mut Account, run: &mut OpenRun, callers: &mut CallerUses, contact: &Leased) -> Placement;
}

pub struct PlanOrder {
    pub account: i64,
    pub now: Timestamp,
    /// For how long contacts are leased before their slots are known.
    pub lease_until: Timestamp,
    pub ids: super::Ids,
    pub planner: Arc<dyn Planner>,
}

/// Everything known about an attempt at the moment of a decision, under locks.
#[derive(Clone, Debug)]
pub struct Held {
    pub attempt: AttemptId,
    pub run_contact: RunContactId,
    pub contact: ContactId,
    pub run: RunId,
    pub campaign: CampaignId,
    pub number: NumberId,
    pub try_number: i64,
    pub mode: Mode,
    pub caller_id: Option<PhoneNumber>,
    pub state: State,
    pub slot_us: i64,
    pub token: Option<TokenHash>,
    pub session: Option<SessionId>,
    pub dialed_at: Option<Timestamp>,
    pub held_until: Option<Timestamp>,
    pub ungranted: i64,
    pub told: Option<String>,
    pub to: PhoneNumber,
    pub suppressed: bool,
    pub allow_listed: bool,
    /// Other calls to this number, over all campaigns.
    pub history: Vec<Rang>,
    /// The contact's consent is on record.
    pub consented: bool,
    pub term: Term,
    /// Until when another live call holds the number.
    pub number_held_until: Option<Timestamp>,
    pub timezone: Option<Tz>,
    pub name: Option<String>,
    pub variables: String,
    pub leased_until: Timestamp,
    pub disposition: Option<Outcome>,
    pub run_state: RunState,
    pub run_kind: String,
    pub run_ungranted: i64,
    pub run_not_dialled: i64,
    pub run_prohibited: i64,
    pub account_paused: bool,
    pub platform: String,
    /// Outcomes of this run contact's ended attempts, this one excepted.
    pub ended: Vec<Outcome>,
    /// Has any start of the current token been answered with a session?
    pub start_had_session: bool,
    pub facts: super::RunFacts,
    /// Filled inside a decision alone, of campaigns that count their money.
    pub money: super::HeldMoney,
    /// Every number of a contact that has several, this attempt's own end apart.
    pub lines: Vec<Line>,
}

/// What a decision changes. `None` leaves alone.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub attempt: Option<AttemptChange>,
    pub contact: Option<ContactChange>,
    /// What a contact lacks that comes to rest with this change; its row keeps the gate.
    pub rest_gate: Option<Gate>,
    pub run_paused: Option<String>,
    pub run_ungranted: Option<i64>,
    pub run_not_dialled: Option<i64>,
    pub run_prohibited: Option<i64>,
    /// What the run's hold counts: 1 for a contact dialled for the first time, -1 for one given back.
    pub hold: Option<i64>,
    pub suppress: Option<String>,
    /// The next try rings this number of the contact.
    pub number: Option<NumberId>,
    /// The callee asked to be called again then.
    pub callback_at: Option<Timestamp>,
    pub call: Option<Call>,
    pub turns: Vec<Turn>,
    /// What a realtime model in the session used.
    pub stream: Option<super::media::MediaStream>,
    /// What the attempt holds of its budgets from now on.
    pub money: Option<super::Reservation>,
}

#[derive(Clone, Debug)]
pub struct AttemptChange {
    pub state: State,
    pub token: Option<TokenHash>,
    pub session: Option<SessionId>,
    pub dialed_at: Option<Timestamp>,
    pub held_until: Option<Timestamp>,
    pub evidence: Option<&'static str>,
    pub corrected_at: Option<Timestamp>,
    pub ungranted: i64,
    pub told: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub enum ContactChange {
    /// An attempt is dialing or live.
    Busy,
    Waits {
        due_at: Timestamp,
        gate: Gate,
    },
    Rests(Outcome),
}

/// An event as it came, to be stored once.
#[derive(Clone, Debug)]
pub struct Heard {
    pub session: SessionId,
    pub seq: i64,
    pub event: String,
    pub at_ms: Option<i64>,
    pub body: String,
}

/// The call of an attempt, in session milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    pub session: i64,
    pub source: &'static str,
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub hung_up_by: Option<String>,
    pub goal: Option<bool>,
    pub answers: Option<String>,
    pub fault: Option<String>,
    pub machine: bool,
    pub answer_ms: Option<i64>,
    pub ring_ms: Option<i64>,
    pub first_audio_ms: Option<i64>,
    pub first_audio_method: Option<String>,
    pub talk_ms: Option<i64>,
    /// As the session told it; what is billed stands in the history.
    pub cost_micros: Option<i64>,
    /// The session said that it records.
    pub recorded: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, sqlx::FromRow, serde::Serialize)]
pub struct Turn {
    pub turn: i64,
    pub callee_text: Option<String>,
    pub agent_text: Option<String>,
    pub callee_end_ms: Option<i64>,
    pub agent_start_ms: Option<i64>,
    pub turn_ms: Option<i64>,
    pub method: String,
    pub asr_ms: Option<i64>,
    pub reply_ms: Option<i64>,
    pub model_ms: Option<i64>,
    pub tts_ms: Option<i64>,
    pub filler: bool,
    /// Behind a filler: from the end of the callee's speech until the reply itself was heard.
    pub content_ms: Option<i64>,
    pub interrupted: bool,
}

/// The decision, taken inside the transaction: what changes, and what the caller is told.
pub type Decision<A> = Arc<dyn Fn(&Held) -> (Change, A) + Send + Sync>;

pub struct Decide<A> {
    pub attempt: AttemptId,
    pub now: Timestamp,
    /// A claim writes the start it is about to send.
    pub start: Option<TokenHash>,
    /// An event is stored first; a second copy of it changes nothing.
    pub heard: Option<Heard>,
    pub decision: Decision<A>,
}

pub enum Decided<A> {
    Unknown,
    /// This very event was stored before.
    Again,
    Done(A),
}

/// What a session tells of a call under way: nothing hangs on it but its run's patience.
#[derive(Clone, Debug)]
pub struct Note {
    pub attempt: AttemptId,
    pub now: Timestamp,
    pub heard: Heard,
    pub turns: Vec<Turn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    Unknown,
    /// This very event was stored before.
    Again,
    Stored,
    /// Something hangs on it: nothing was stored, and the attempt is to be decided about.
    Decide,
}

/// A campaign with what is needed to call for it.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub campaign: CampaignId,
    pub name: String,
    pub settings: String,
    pub script: String,
    pub salt: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, serde::Serialize)]
pub struct Import {
    pub batch: BatchId,
    pub ordinal: i64,
    pub source: String,
    pub rows_total: i64,
    pub accepted: i64,
    pub duplicates: i64,
    pub refused: i64,
    pub imported_at: Timestamp,
    /// The modes and weights by which its arms were given; none where nothing was given.
    pub split: Option<Vec<(Mode, u32)>>,
}

/// One accepted row on its way in.
#[derive(Clone, Debug)]
pub struct NewContact {
    pub line: i64,
    pub number: PhoneNumber,
    pub mode: Mode,
    pub own_mode: bool,
    pub dial_order: i64,
    pub name: Option<String>,
    pub timezone: Option<Tz>,
    pub external_id: Option<String>,
    pub variables: String,
    pub raw_phone: String,
    /// `phone2` and so on, in their order.
    pub alternates: Vec<super::NewNumber>,
    /// Proof of consent: its kind, since when, where it can be looked up.
    pub consent_kind: Option<String>,
    pub consent_at: Option<Timestamp>,
    pub consent_source: Option<String>,
    pub wishes: Wishes,
}

/// What a list says of a contact besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    pub term: Term,
    /// 0 to 9; higher ones are called first. `dial_order` holds it already.
    pub priority: u8,
    pub kind: Option<NumberKind>,
}

#[derive(Clone, Debug, serde::Serialize, sqlx::FromRow)]
pub struct Reject {
    pub line: i64,
    pub bucket: String,
    pub field: String,
    pub reason: String,
    pub raw: String,
    /// Every cell of the row as it stood in the file, a JSON array of texts.
    pub cells: Option<String>,
}

/// A campaign and its first list, stored as one; or one that is there, and a further list.
pub struct NewCampaign {
    pub campaign: Campaign,
    pub batch: BatchId,
    pub source: String,
    pub content_hash: String,
    /// Whoever sends the same order again names it so, and gets the same answer.
    pub key: Option<String>,
    pub list: super::Listed,
    pub schedule: Option<NewSchedule>,
    pub ids: super::Ids,
}

#[derive(Clone, Debug)]
pub struct NewSchedule {
    pub schedule: ScheduleId,
    pub cron: String,
    pub timezone: String,
    pub take: String,
    pub overlap: String,
    pub next_at: Option<Timestamp>,
}
