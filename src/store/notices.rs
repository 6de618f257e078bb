//! What is worth telling, to whom it goes, and what became of it, for the room that tells.

use super::{Result, Store, StoreError};
use crate::domain::notice::{Alert, AlertKind, Channel, Kind};
use crate::domain::{CampaignId, DeliveryId, EndpointId, Mode, NoticeId, RunId, Timestamp};
use serde_json::json;

/// Happenings that one look takes up.
pub const LOOK_MAX: i64 = 2_000;

/// Where a notice goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    pub channel: Channel,
    /// Of a webhook.
    pub endpoint: Option<EndpointId>,
    /// Unique among those of a notice: the endpoint's id, an address, a chat.
    pub target: String,
}

#[derive(Clone, Debug)]
pub struct NewNotice {
    /// What it tells of: a second look makes no second notice.
    pub source: String,
    pub kind: Kind,
    pub happened_at: Timestamp,
    pub title: String,
    pub body: String,
    /// JSON.
    pub data: serde_json::Value,
    pub to: Vec<Addressee>,
}

/// Notices, and how far their kind of happening has been looked at: durable together.
pub struct NoticesOrder {
    pub notices: Vec<NewNotice>,
    pub seen: Option<(&'static str, Timestamp)>,
    pub now: Timestamp,
    /// First ids of notices and of deliveries.
    pub notice: i64,
    pub delivery: i64,
}

/// The report of a day, made once.
pub struct MorningOrder {
    pub campaign: CampaignId,
    pub day: String,
    pub notices: NoticesOrder,
}

pub struct AlertsOrder {
    /// Those that are new, with the notice that tells of each.
    pub raised: Vec<(i64, Alert, NewNotice)>,
    pub resolved: Vec<(i64, NewNotice)>,
    pub notices: NoticesOrder,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AlertRow {
    pub alert_id: i64,
    pub kind: String,
    pub subject: String,
    pub told: String,
    pub raised_at: i64,
    #[sqlx(default)]
    pub resolved_at: Option<i64>,
}

impl AlertRow {
    pub fn kind(&self) -> Result<AlertKind> {
        let known = AlertKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind);
        known.ok_or_else(|| StoreError::row("alerts", "kind", &self.kind))
    }
}

/// A delivery whose turn has come.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    pub delivery_id: i64,
    pub notice_id: i64,
    pub channel: String,
    pub target: String,
    pub tries: i64,
    pub kind: String,
    pub happened_at: i64,
    pub title: String,
    pub body: String,
    pub data: String,
    pub url: Option<String>,
    pub secret: Option<String>,
    pub enabled: bool,
}

/// What a try came to, and what follows.
pub struct TryOrder {
    pub delivery: DeliveryId,
    pub at: Timestamp,
    pub status: Option<u16>,
    pub told: Option<String>,
    pub took_ms: i64,
    pub then: Then,
    /// The endpoint wants nothing more.
    pub gone: Option<EndpointId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Delivered,
    Again(Timestamp),
    Failed,
}

#[derive(Clone, Debug)]
pub struct Endpoint {
    pub endpoint: EndpointId,
    pub url: String,
    pub secret: String,
    /// Empty: every kind.
    pub kinds: Vec<Kind>,
    pub note: Option<String>,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub disabled_reason: Option<String>,
}

impl Endpoint {
    pub fn wants(&self, kind: Kind, happened_at: Timestamp) -> bool {
        let listens = self.disabled_at.is_none() && happened_at >= self.created_at;
        listens && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeliveryRow {
    pub delivery_id: i64,
    pub notice_id: i64,
    pub kind: String,
    pub happened_at: i64,
    pub state: String,
    pub tries: i64,
    pub due_at: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TryRow {
    pub delivery_id: i64,
    pub try_number: i64,
    pub tried_at: i64,
    pub status: Option<i64>,
    pub told: Option<String>,
    pub took_ms: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RunHappened {
    pub run_id: i64,
    pub seq: i64,
    pub state: String,
    pub at: i64,
    pub reason: Option<String>,
    pub ordinal: i64,
    pub campaign_id: i64,
    pub campaign: String,
    /// It was running before.
    pub again: bool,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CallHappened {
    pub attempt_id: i64,
    pub run_id: i64,
    pub mode: String,
    pub outcome: String,
    pub ended_at: i64,
    pub try_number: i64,
    pub contact_id: i64,
    pub external_id: Option<String>,
    pub e164: String,
    pub campaign_id: i64,
    pub campaign: String,
    pub goal: Option<i64>,
    pub talk_ms: Option<i64>,
    pub answers: Option<String>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OptOutHappened {
    pub number_id: i64,
    pub e164: String,
    pub suppressed_at: i64,
    pub suppressed_reason: Option<String>,
}

/// Moments that made no run: schedule, campaign, its moment, why.
pub type MissedNight = (i64, String, i64, String);

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MorningProgress {
    pub ordinal: i64,
    pub state: String,
    pub state_reason: Option<String>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub contacts: i64,
    pub rested: i64,
}

impl Store {
    pub fn notices_order(
        &self,
        notices: Vec<NewNotice>,
        seen: Option<(&'static str, Timestamp)>,
        now: Timestamp,
    ) -> NoticesOrder {
        let deliveries = notices.iter().map(|notice| notice.to.len()).sum::<usize>();
        let (notice, delivery) = (self.ids.take(now.0, notices.len().max(1)), self.ids.take(now.0, deliveries.max(1)));
        NoticesOrder { notices, seen, now, notice, delivery }
    }

    /// Returns how many were not told before.
    pub async fn put_notices(&self, order: NoticesOrder) -> Result<usize> {
        write!(self, notices::put(order))
    }

    /// False when the day's report was made already.
    pub async fn put_morning(&self, order: MorningOrder) -> Result<bool> {
        write!(self, notices::put_morning(order))
    }

    pub async fn morning_made(&self, campaign: CampaignId, day: &str) -> Result<bool> {
        read!(self, notices::morning_made(campaign, day))
    }

    /// Campaigns with a report, each with the run it tells of: begun before `due`, not over by `since`.
    pub async fn morning_campaigns(&self, due: Timestamp, since: Timestamp) -> Result<Vec<(CampaignId, RunId)>> {
        read!(self, notices::morning_campaigns(due, since))
    }

    pub async fn morning_progress(&self, run: RunId) -> Result<MorningProgress> {
        read!(self, notices::morning_progress(run))
    }

    pub async fn notice_cursor(&self, name: &'static str) -> Result<Option<Timestamp>> {
        Ok(read!(self, notices::cursor(name))?.map(Timestamp))
    }

    pub async fn runs_happened(&self, since: Timestamp) -> Result<Vec<RunHappened>> {
        read!(self, notices::runs(since))
    }

    pub async fn calls_happened(&self, since: Timestamp, modes: &[Mode]) -> Result<Vec<CallHappened>> {
        let modes = json!(modes.iter().map(Mode::as_str).collect::<Vec<_>>()).to_string();
        read!(self, notices::calls(since, &modes))
    }

    pub async fn opt_outs_happened(&self, since: Timestamp) -> Result<Vec<OptOutHappened>> {
        read!(self, notices::opt_outs(since))
    }

    /// Deliveries whose turn has come: nobody else takes them before `held_until`.
    pub async fn claim_deliveries(&self, now: Timestamp, held_until: Timestamp, limit: i64) -> Result<Vec<Due>> {
        // Mostly nobody waits, and the writer need not be asked.
        if !read!(self, notices::are_due(now))? {
            return Ok(Vec::new());
        }
        write!(self, notices::claim((now, held_until, limit)))
    }

    pub async fn tried(&self, order: TryOrder) -> Result<()> {
        write!(self, notices::tried(order))
    }

    /// False when there is no such delivery to this endpoint.
    pub async fn deliver_again(&self, delivery: DeliveryId, endpoint: EndpointId, now: Timestamp) -> Result<bool> {
        write!(self, notices::deliver_again((delivery, endpoint, now)))
    }

    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        read!(self, notices::endpoints())
    }

    pub async fn add_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        write!(self, notices::add_endpoint(endpoint))
    }

    pub async fn change_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        write!(self, notices::change_endpoint(endpoint))
    }

    /// The endpoint, its deliveries and their tries.
    pub async fn forget_endpoint(&self, endpoint: EndpointId) -> Result<bool> {
        write!(self, notices::forget_endpoint(endpoint))
    }

    /// The newest before `before`, each with its tries.
    pub async fn endpoint_deliveries(
        &self,
        endpoint: EndpointId,
        before: Option<DeliveryId>,
        limit: i64,
    ) -> Result<(Vec<DeliveryRow>, Vec<TryRow>)> {
        read!(self, notices::endpoint_deliveries(endpoint, before.map_or(i64::MAX, |id| id.0), limit))
    }

    /// What ended before then is forgotten.
    pub async fn forget_notices(&self, before: Timestamp) -> Result<()> {
        write!(self, notices::forget(before))
    }

    /// Paused runs that a breaker stopped: run, campaign, reason.
    pub async fn watched_trips(&self, account: i64) -> Result<Vec<(i64, String, String)>> {
        read!(self, notices::watched_trips(account))
    }

    pub async fn watched_nights(&self, since: Timestamp, late: Timestamp) -> Result<Vec<MissedNight>> {
        read!(self, notices::watched_nights(since, late))
    }

    /// Campaigns of at least so many runs, of which the newest that is over ended since then.
    pub async fn watched_ends(
        &self,
        account: i64,
        since: Timestamp,
        runs_min: i64,
    ) -> Result<Vec<(CampaignId, RunId)>> {
        read!(self, notices::watched_ends(account, since, runs_min))
    }

    /// When the newest start was claimed that the provider took, of those since an instant.
    pub async fn watched_last_start(&self, since: Timestamp) -> Result<Option<Timestamp>> {
        Ok(read!(self, notices::watched_last_start(since))?.map(Timestamp))
    }

    pub async fn open_alerts(&self) -> Result<Vec<AlertRow>> {
        read!(self, notices::open_alerts())
    }

    pub async fn alerts(&self, limit: i64) -> Result<Vec<AlertRow>> {
        read!(self, notices::alerts(limit))
    }

    /// Raises and resolves; each is told in the same transaction. Returns how many of both.
    pub async fn put_alerts(&self, order: AlertsOrder) -> Result<usize> {
        write!(self, notices::put_alerts(order))
    }

    pub fn notice_id(&self, now: Timestamp) -> NoticeId {
        NoticeId(self.ids.one(now.0))
    }
}
