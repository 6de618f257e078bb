//! What happened since the last look, as notices.
//!
//! Rows are written at their own moment and seen at their commit, so each look goes back a little: what was told already
//! is known by its source. Where nobody listens nothing is looked at, and whoever begins to listen is told of what
//! happens from then on.

use super::{Notifier, Result};
use crate::domain::notice::Kind;
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, Timestamp};
use crate::store::notices::{CallHappened, Endpoint, NewNotice, OptOutHappened, RunHappened};
use serde_json::{Value, json};

/// How long before its commit a row may have been written (real time).
const BEHIND_WALL_MS: i64 = 30_000;
/// While nothing happens, how far the looks have come is written down so often (real time): each time is a commit.
const MARK_WALL_MS: i64 = 10_000;

impl Notifier {
    /// Returns how many notices are new.
    pub(super) async fn happenings(&self) -> Result<usize> {
        let endpoints = self.store.endpoints().await?;
        let now = self.clock.now();
        let mut new = 0;
        for name in ["runs", "calls", "opt_outs"] {
            let marked = self.store.notice_cursor(name).await?;
            let since = match marked {
                // Nobody is told of what was before there was anybody to tell.
                None => now,
                Some(seen) => seen.plus_ms(-self.clock.at_least(BEHIND_WALL_MS, BEHIND_WALL_MS)),
            };
            let (notices, last) = match name {
                "runs" => self.runs(&endpoints, since).await?,
                "calls" => self.calls(&endpoints, since).await?,
                _ => self.opt_outs(&endpoints, since).await?,
            };
            let fresh = marked.is_some_and(|at| now.since(at) < self.clock.at_least(MARK_WALL_MS, MARK_WALL_MS));
            if notices.is_empty() && fresh {
                continue;
            }
            // Where a look was full, the next one goes on behind its last.
            let seen = last.unwrap_or(now);
            let order = self.store.notices_order(notices, Some((name, seen)), now);
            new += self.store.put_notices(order).await?;
        }
        Ok(new)
    }

    fn listens(&self, endpoints: &[Endpoint], kinds: &[Kind]) -> bool {
        let wants = |endpoint: &Endpoint| kinds.iter().any(|kind| endpoint.wants(*kind, Timestamp::NEVER));
        endpoints.iter().any(wants)
    }

    async fn runs(&self, endpoints: &[Endpoint], since: Timestamp) -> Result<(Vec<NewNotice>, Option<Timestamp>)> {
        let kinds = [Kind::RunStarted, Kind::RunPaused, Kind::RunResumed, Kind::RunStopped, Kind::RunCompleted];
        if !self.listens(endpoints, &kinds) {
            return Ok((Vec::new(), None));
        }
        let found = self.store.runs_happened(since).await?;
        let last = full(found.len()).then(|| found.last().map(|row| Timestamp(row.at))).flatten();
        Ok((found.into_iter().map(|row| self.run_notice(endpoints, row)).collect(), last))
    }

    fn run_notice(&self, endpoints: &[Endpoint], row: RunHappened) -> NewNotice {
        let (kind, word) = match (row.state.as_str(), row.again) {
            ("running", false) => (Kind::RunStarted, "started"),
            ("running", true) => (Kind::RunResumed, "goes on"),
            ("paused", _) => (Kind::RunPaused, "paused"),
            ("stopped", _) => (Kind::RunStopped, "stopped"),
            _ => (Kind::RunCompleted, "completed"),
        };
        let at = Timestamp(row.at);
        let title = format!("{}: run {} {word}", row.campaign, row.ordinal);
        NewNotice {
            source: format!("run:{}:{}", row.run_id, row.seq),
            kind,
            happened_at: at,
            body: row.reason.clone().unwrap_or_default(),
            title,
            data: json!({
                "run": RunId(row.run_id), "ordinal": row.ordinal, "campaign": CampaignId(row.campaign_id),
                "campaign_name": row.campaign, "state": row.state, "reason": row.reason,
            }),
            to: self.addressees(endpoints, kind, at, &[]),
        }
    }

    async fn calls(&self, endpoints: &[Endpoint], since: Timestamp) -> Result<(Vec<NewNotice>, Option<Timestamp>)> {
        if !self.listens(endpoints, &[Kind::CallEnded]) {
            return Ok((Vec::new(), None));
        }
        let found = self.store.calls_happened(since, &self.modes).await?;
        let last = full(found.len()).then(|| found.last().map(|row| Timestamp(row.ended_at))).flatten();
        Ok((found.into_iter().map(|row| self.call_notice(endpoints, row)).collect(), last))
    }

    fn call_notice(&self, endpoints: &[Endpoint], row: CallHappened) -> NewNotice {
        let (attempt, at) = (AttemptId(row.attempt_id), Timestamp(row.ended_at));
        let answers: Value =
            row.answers.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        NewNotice {
            source: format!("call:{}", row.attempt_id),
            kind: Kind::CallEnded,
            happened_at: at,
            title: format!("{}: attempt {attempt} ended: {}", row.campaign, row.outcome),
            body: String::new(),
            data: json!({
                "attempt": attempt, "try": row.try_number, "run": RunId(row.run_id),
                "campaign": CampaignId(row.campaign_id), "campaign_name": row.campaign,
                "contact": ContactId(row.contact_id), "external_id": row.external_id, "number": row.e164,
                "mode": row.mode, "outcome": row.outcome, "goal": row.goal.map(|goal| goal != 0),
                "talk_ms": row.talk_ms, "answers": answers,
            }),
            to: self.addressees(endpoints, Kind::CallEnded, at, &[]),
        }
    }

    async fn opt_outs(&self, endpoints: &[Endpoint], since: Timestamp) -> Result<(Vec<NewNotice>, Option<Timestamp>)> {
        if !self.listens(endpoints, &[Kind::OptOut]) {
            return Ok((Vec::new(), None));
        }
        let found = self.store.opt_outs_happened(since).await?;
        let last = full(found.len()).then(|| found.last().map(|row| Timestamp(row.suppressed_at))).flatten();
        Ok((found.into_iter().map(|row| self.opt_out_notice(endpoints, row)).collect(), last))
    }

    fn opt_out_notice(&self, endpoints: &[Endpoint], row: OptOutHappened) -> NewNotice {
        let at = Timestamp(row.suppressed_at);
        NewNotice {
            source: format!("optout:{}:{}", row.number_id, row.suppressed_at),
            kind: Kind::OptOut,
            happened_at: at,
            title: "Somebody asked never to be called again".into(),
            body: String::new(),
            data: json!({ "number": row.e164, "reason": row.suppressed_reason }),
            to: self.addressees(endpoints, Kind::OptOut, at, &[]),
        }
    }
}

fn full(found: usize) -> bool {
    i64::try_from(found).is_ok_and(|found| found >= crate::store::notices::LOOK_MAX)
}
