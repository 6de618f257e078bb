//! reconcile: what nobody told us, asked for.
//!
//! Silence is never answered by a second call: an attempt whose grant nobody asked for goes back to
//! planned (nobody can have been rung), one that was granted ends by the provider's history or as `lost`.

use super::settle::{News, Report};
use super::{Dialer, DialerError, Result, Rules, change};
use crate::domain::clearance::Gate;
use crate::domain::state::{Event, State};
use crate::domain::{AttemptId, Outcome, RunId, SessionId, Timestamp};
use crate::store::{Call, Change, Decide, Held, HistoryRow};
use crate::voximplant::Evidence;
use std::collections::HashMap;
use std::sync::Arc;
use tracing::{error, info, warn};

/// Started sessions that never asked for their grant: this many end the attempt, this many in a row
/// pause the run.
const UNGRANTED_TRIES_MAX: i64 = 3;
const UNGRANTED_ROW_MAX: i64 = 10;
/// After an unanswered start the attempt waits this long.
const UNGRANTED_DEFERRAL_MS: i64 = 30_000;
/// A granted attempt without a final event is looked up after this, and then with growing patience.
const PATIENCE_WALL_MS: i64 = 2_000;
const PATIENCE_WALL_MS_MAX: i64 = 300_000;
/// Sessions the memory of patience holds before it is cleared.
const PATIENCE_MAX: usize = 100_000;
/// A call that cannot last any longer waits this long for a history that cannot be read.
const UNREADABLE_MS_MAX: i64 = 6 * 3600 * 1000;
/// History is asked about runs that ended less than this ago, and about lost calls as long.
const HISTORY_MS: i64 = 2 * 24 * 3600 * 1000;

/// When each session may be asked about again, and how long it waited last (wall milliseconds).
pub(super) type Patience = HashMap<SessionId, (Timestamp, i64)>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub revoked: usize,
    pub settled: usize,
    pub lost: usize,
    pub copied: usize,
}

/// A claim whose grant was not asked for in time: back to planned, or at an end when its sessions never ask.
pub fn revoke(held: &Held, rules: &Rules, now: Timestamp, deadline_ms: i64) -> Change {
    let State::Dialing { token, claimed_at } = held.state else { return Default::default() };
    if now.since(claimed_at) < deadline_ms {
        return Default::default();
    }
    let ungranted = held.ungranted + i64::from(held.start_had_session);
    let gives_up = ungranted >= UNGRANTED_TRIES_MAX;
    let mut change = if gives_up {
        let event = Event::GaveUp { of: token, outcome: Outcome::ScenarioError };
        change::ended(held, rules, event, "silence", now)
    } else {
        let until = now.plus_ms(UNGRANTED_DEFERRAL_MS);
        change::deferred(held, Event::Deferred { of: token, until }, Gate::Unanswered, now)
    }
    .unwrap_or_default();
    if let Some(attempt) = &mut change.attempt {
        attempt.ungranted = ungranted;
    }
    if held.start_had_session {
        let in_a_row = held.run_ungranted + 1;
        change.run_ungranted = Some(in_a_row);
        if in_a_row >= UNGRANTED_ROW_MAX {
            change.run_paused = Some("started sessions do not reach BACKEND_URL".into());
        }
    }
    change
}

impl Dialer {
    pub async fn reconcile(&self) -> Result<Reconciled> {
        let mut done = Reconciled::default();
        if self.lead("sweeper").await?.is_none() {
            return Ok(done);
        }
        done.revoked = self.revoke_overdue().await?;
        let since = self.clock.now().plus_ms(-HISTORY_MS);
        let runs = self.store.runs_of_interest(self.account, since).await?;
        for run in &runs {
            match self.copy_history(run.run).await {
                Ok((settled, copied)) => {
                    done.settled += settled;
                    done.copied += copied;
                }
                // The other runs and the sweeps below do not wait for it.
                Err(cause) => error!(run.id = %run.run, "History of run {}: {cause}", run.run),
            }
        }
        done.lost = self.give_up_silent().await?;
        Ok(done)
    }

    /// Claims whose grant was not asked for in time: revoked, because nobody can have been rung.
    async fn revoke_overdue(&self) -> Result<usize> {
        let now = self.clock.now();
        let overdue = self.store.overdue_grants(now.plus_ms(-self.grant_deadline_ms())).await?;
        let deadline_ms = self.grant_deadline_ms();
        for attempt in &overdue {
            let Some(held) = self.store.attempt(*attempt).await? else { continue };
            let rules = match self.rules(held.campaign).await {
                Ok(rules) => rules,
                Err(cause) => {
                    error!(attempt.id = %attempt, "Attempt {attempt} cannot be revoked: {cause}");
                    continue;
                }
            };
            let decision = move |held: &Held| (revoke(held, &rules, now, deadline_ms), ());
            let order = Decide { attempt: *attempt, now, start: None, heard: None, decision: Arc::new(decision) };
            self.store.decide(order).await?;
            warn!(attempt.id = %attempt, "Attempt {attempt}: its grant was not asked for in time; revoked");
        }
        Ok(overdue.len())
    }

    /// Asks the provider about sessions of a run that it was not asked about yet: attempts without a
    /// final event are settled by what it knows, ended ones are only copied.
    async fn copy_history(&self, run: RunId) -> Result<(usize, usize)> {
        let wanted = self.store.sessions_without_history(run).await?;
        let asked: Vec<_> = wanted.into_iter().filter(|w| self.may_ask(w.session, w.busy)).collect();
        if asked.is_empty() {
            return Ok((0, 0));
        }
        let sessions: Vec<SessionId> = asked.iter().map(|w| w.session).collect();
        let known = self.client.history(&sessions, self.clock.wall()).await.map_err(DialerError::History)?;
        let (mut settled, mut copied) = (0, 0);
        for wanted in asked {
            let Some(evidence) = known.iter().find(|e| e.session == wanted.session) else { continue };
            if !evidence.finished {
                continue;
            }
            if wanted.busy && self.settle_by(wanted.attempt, evidence).await? {
                settled += 1;
            }
            self.store
                .put_history(HistoryRow {
                    session: wanted.session,
                    attempt: wanted.attempt,
                    calls: evidence.calls,
                    body: evidence.body.clone(),
                    cost_micros: evidence.cost_micros,
                    fetched_at: self.clock.now(),
                })
                .await?;
            copied += 1;
        }
        Ok((settled, copied))
    }

    /// Each session is asked about again only after twice the last wait.
    fn may_ask(&self, session: SessionId, busy: bool) -> bool {
        let wall = self.clock.wall();
        let mut patience = self.patience.lock().expect("no panic while holding it");
        if patience.len() > PATIENCE_MAX {
            patience.clear();
        }
        match patience.get(&session).copied() {
            // A live call is given time to end by itself first.
            None if busy => {
                patience.insert(session, (wall.plus_ms(PATIENCE_WALL_MS), PATIENCE_WALL_MS));
                false
            }
            Some((at, _)) if at > wall => false,
            before => {
                let waits = before.map_or(PATIENCE_WALL_MS, |(_, ms)| (ms * 2).min(PATIENCE_WALL_MS_MAX));
                patience.insert(session, (wall.plus_ms(waits), waits));
                true
            }
        }
    }

    async fn settle_by(&self, attempt: AttemptId, evidence: &Evidence) -> Result<bool> {
        let by = evidence.session;
        // A session that made no call is `scenario_error` in there, or `no_funds`.
        let outcome = evidence.outcome;
        let call = Call {
            session: by.0,
            source: "history",
            code: evidence.code,
            reason: evidence.reason.clone(),
            talk_ms: evidence.talk_ms.filter(|_| outcome.is_answered()),
            cost_micros: evidence.cost_micros,
            ..Call::default()
        };
        let report =
            Report { news: News::Finished { by, outcome, evidence: "history" }, call: Some(call), ..Report::default() };
        let moved = self.settle(attempt, report).await? == super::Settled::Moved;
        if moved {
            info!(attempt.id = %attempt, "Attempt {attempt} settled by the provider's history: {outcome}");
        }
        Ok(moved)
    }

    /// Calls that cannot last any longer end by history's word or as `lost`; a lost one may still be
    /// corrected, once.
    async fn give_up_silent(&self) -> Result<usize> {
        let now = self.clock.now();
        let silent = self.store.silent_calls(self.account, now).await?;
        let overdue = self.store.silent_calls(self.account, now.plus_ms(-UNREADABLE_MS_MAX)).await?;
        let lost = self.store.lost_calls(self.account, now.plus_ms(-HISTORY_MS)).await?;
        let lost: Vec<_> = lost.into_iter().filter(|(_, session)| self.may_ask(*session, false)).collect();
        let sessions: Vec<SessionId> = silent.iter().chain(&lost).map(|(_, session)| *session).collect();
        if sessions.is_empty() {
            return Ok(0);
        }
        // Where history cannot be read, the calls wait, but not for ever: a lost one may still be corrected.
        let known = match self.client.history(&sessions, self.clock.wall()).await {
            Ok(known) => Some(known),
            Err(cause) => {
                error!("History of {} silent calls: {cause}", sessions.len());
                None
            }
        };
        let mut given_up = 0;
        for (attempt, session) in silent.iter().chain(&lost) {
            let evidence = known.iter().flatten().find(|e| e.session == *session && e.finished);
            let waited = known.is_some() || overdue.contains(&(*attempt, *session));
            if let Some(evidence) = evidence {
                self.settle_by(*attempt, evidence).await?;
            } else if waited && silent.contains(&(*attempt, *session)) {
                let report = Report { news: News::Silent { by: *session }, ..Report::default() };
                self.settle(*attempt, report).await?;
                warn!(attempt.id = %attempt, "Attempt {attempt}: granted, then silence; it stands as lost");
                given_up += 1;
            }
        }
        Ok(given_up)
    }

    /// Is every granted call of the campaign's runs in the copied history?
    pub async fn history_is_complete(&self, run: RunId) -> Result<bool> {
        Ok(self.store.sessions_without_history(run).await?.is_empty())
    }
}
