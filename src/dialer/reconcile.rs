//! reconcile: what nobody told us, asked for.
//!
//! Silence is never answered by a second call: an attempt whose grant nobody asked for goes back to
//! planned (nobody can have been rung), one that was granted ends by the provider's history or as `lost`.

use super::counted::Counted;
use super::settle::{News, Report};
use super::{Dialer, DialerError, Result, Rules, change};
use crate::domain::clearance::Gate;
use crate::domain::state::{Event, State};
use crate::domain::{AttemptId, Outcome, RunId, SessionId, Timestamp};
use crate::fail;
use crate::store::{AskLater, Call, Change, Decide, Decided, Held, HistoryRow, Record, SessionToAsk};
use crate::voximplant::{Evidence, HISTORY_BATCH_MAX};
use std::sync::Arc;
use tracing::{error, info, warn};

/// Started sessions that never asked for their grant: this many end the attempt.
const UNGRANTED_TRIES_MAX: i64 = 3;
/// After an unanswered start the attempt waits this long.
const UNGRANTED_DEFERRAL_MS: i64 = 30_000;
/// A session that may still be talking is first asked about after this, of program and of real time.
const LIVE_PATIENCE_MS: i64 = 15_000;
const PATIENCE_WALL_MS: i64 = 2_000;
/// A session that history does not know yet is asked about again after this, and then after twice the last wait.
const PATIENCE_MS: i64 = 5_000;
const PATIENCE_MS_MAX: i64 = 3600 * 1000;
/// A session that history has not told of by then never will be: the provider keeps a month.
const FORGOTTEN_MS: i64 = 31 * 24 * 3600 * 1000;
/// While history cannot be read it is left alone for so long, and then for twice as long (real time).
const OUTAGE_WALL_MS: i64 = 2_000;
const OUTAGE_WALL_MS_MAX: i64 = 60_000;
/// A call that cannot last any longer waits this long for a history that cannot be read.
const UNREADABLE_MS_MAX: i64 = 6 * 3600 * 1000;

/// Until when history is left alone, and how long that was (wall); `None` when it answered last.
pub(super) type Outage = Option<(Timestamp, i64)>;

enum History {
    Known(Vec<Evidence>),
    /// It could not be read.
    Failed,
    /// It could not be read a moment ago, and was not asked.
    Resting,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub revoked: usize,
    pub settled: usize,
    pub lost: usize,
    pub copied: usize,
    /// Runs that a breaker or a spent budget paused.
    pub paused: usize,
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
        change::ended(held, rules, event, "silence", None, now)
    } else {
        let until = now.plus_ms(UNGRANTED_DEFERRAL_MS);
        change::deferred(held, Event::Deferred { of: token, until }, Gate::Unanswered, now)
    }
    .unwrap_or_default();
    if let Some(attempt) = &mut change.attempt {
        attempt.ungranted = ungranted;
    }
    if held.start_had_session {
        // How many in a row are too many, the breaker says.
        change.run_ungranted = Some(held.run_ungranted + 1);
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
        (done.settled, done.copied) = self.ask_history().await?;
        done.lost = self.give_up_silent().await?;
        done.paused = self.watch().await?;
        self.tidy_now_and_then().await?;
        Ok(done)
    }

    /// Claims whose grant was not asked for in time: revoked, because nobody can have been rung.
    async fn revoke_overdue(&self) -> Result<usize> {
        let now = self.clock.now();
        let overdue = self.store.overdue_grants(now.plus_ms(-self.grant_deadline_ms())).await?;
        let deadline_ms = self.grant_deadline_ms();
        for attempt in &overdue {
            let Some(held) = self.store.attempt(*attempt).await? else { continue };
            let rules = match self.rules_at(held.campaign, held.facts.settings_version).await {
                Ok(rules) => rules,
                Err(cause) => {
                    error!(attempt.id = %attempt, "Attempt {attempt} cannot be revoked: {cause}");
                    continue;
                }
            };
            let decision = move |held: &Held| {
                let change = revoke(held, &rules, now, deadline_ms);
                let counted = Counted::of(held, &change);
                (change, counted)
            };
            let order = Decide { attempt: *attempt, now, start: None, heard: None, decision: Arc::new(decision) };
            if let Decided::Done(counted) = self.store.decide(order).await? {
                counted.count();
            }
            warn!(attempt.id = %attempt, "Attempt {attempt}: its grant was not asked for in time; revoked");
        }
        Ok(overdue.len())
    }

    /// Asks the provider about the sessions whose turn it is: attempts without a final event, and lost ones, are
    /// settled by what it knows; the histories of all are kept.
    async fn ask_history(&self) -> Result<(usize, usize)> {
        let now = self.clock.now();
        let due = self.store.sessions_to_ask(self.account, now).await?;
        // Whoever may still be talking is given time to end by itself first.
        let (young, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|asked| asked.busy && asked.waited_ms == 0);
        let live_ms = self.clock.at_least(LIVE_PATIENCE_MS, PATIENCE_WALL_MS);
        self.ask_later(young.iter().map(|asked| later(asked, now, live_ms)).collect()).await?;
        let (mut settled, mut copied) = (0, 0);
        for batch in due.chunks(HISTORY_BATCH_MAX) {
            let sessions: Vec<SessionId> = batch.iter().map(|asked| asked.session).collect();
            let known = match self.history(&sessions).await {
                History::Known(known) => known,
                History::Resting => break,
                History::Failed => {
                    // To the back with them, with the patience they had: should the trouble be theirs, the others
                    // have their turn, and should it not, they lose little.
                    let first = self.clock.at_least(PATIENCE_MS, PATIENCE_WALL_MS);
                    let back = |a: &SessionToAsk| AskLater { waited_ms: a.waited_ms, ..later(a, now, first) };
                    self.ask_later(batch.iter().map(back).collect()).await?;
                    break;
                }
            };
            let (mut rows, mut again) = (Vec::new(), Vec::new());
            for asked in batch {
                let Some(evidence) = known.iter().find(|e| e.session == asked.session && e.finished) else {
                    again.push(self.patience(asked, now));
                    continue;
                };
                if asked.busy || asked.lost {
                    match self.settle_by(asked.attempt, evidence).await {
                        Ok(moved) => settled += usize::from(moved),
                        // A campaign that cannot be read does not stop the others; its turn comes again.
                        Err(cause @ DialerError::Rules { .. }) => {
                            error!(attempt.id = %asked.attempt, "Attempt {} cannot be settled: {cause}", asked.attempt);
                            again.push(self.patience(asked, now));
                            continue;
                        }
                        Err(cause) => return Err(cause),
                    }
                }
                rows.push(history_row(asked.attempt, evidence, now));
            }
            copied += rows.len();
            self.put_history(rows).await?;
            self.ask_later(again).await?;
        }
        Ok((settled, copied))
    }

    /// Each session is asked about again only after twice the last wait, and at last no more.
    fn patience(&self, asked: &SessionToAsk, now: Timestamp) -> AskLater {
        let first = self.clock.at_least(PATIENCE_MS, PATIENCE_WALL_MS);
        let waits = (asked.waited_ms * 2).clamp(first, first.max(PATIENCE_MS_MAX));
        let later = later(asked, now, waits);
        let forgotten = !asked.busy && now.since(asked.known_at) > FORGOTTEN_MS;
        AskLater { ask_at: later.ask_at.filter(|_| !forgotten), ..later }
    }

    async fn ask_later(&self, sessions: Vec<AskLater>) -> Result<()> {
        if sessions.is_empty() { Ok(()) } else { Ok(self.store.ask_later(sessions).await?) }
    }

    async fn put_history(&self, rows: Vec<HistoryRow>) -> Result<()> {
        if rows.is_empty() { Ok(()) } else { Ok(self.store.put_history(rows).await?) }
    }

    /// A provider in trouble is asked more and more seldom.
    async fn history(&self, sessions: &[SessionId]) -> History {
        let wall = self.clock.wall();
        let before = *self.outage.lock().expect("no panic while holding it");
        if before.is_some_and(|(until, _)| until > wall) {
            return History::Resting;
        }
        fail::point("history.asking");
        let known = self.client.history(sessions, wall).await;
        fail::point("history.answered");
        let waits = before.map_or(OUTAGE_WALL_MS, |(_, waited)| (waited * 2).min(OUTAGE_WALL_MS_MAX));
        let outage = known.is_err().then(|| (self.clock.wall().plus_ms(waits), waits));
        *self.outage.lock().expect("no panic while holding it") = outage;
        match known {
            Ok(known) => History::Known(known),
            Err(cause) => {
                error!("History of {} sessions: {cause}", sessions.len());
                History::Failed
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

    /// Calls that cannot last any longer end by history's word or as `lost`; a lost one is asked about further,
    /// and may be corrected, once.
    async fn give_up_silent(&self) -> Result<usize> {
        let now = self.clock.now();
        let silent = self.store.silent_calls(self.account, now).await?;
        let overdue = self.store.silent_calls(self.account, now.plus_ms(-UNREADABLE_MS_MAX)).await?;
        let mut given_up = 0;
        for batch in silent.chunks(HISTORY_BATCH_MAX) {
            let sessions: Vec<SessionId> = batch.iter().map(|(_, session)| *session).collect();
            // Where history cannot be read, the calls wait, but not for ever.
            let known = match self.history(&sessions).await {
                History::Known(known) => Some(known),
                History::Failed | History::Resting => None,
            };
            let mut rows = Vec::new();
            for (attempt, session) in batch {
                let evidence = known.iter().flatten().find(|e| e.session == *session && e.finished);
                let settled = match evidence {
                    Some(evidence) => self.settle_by(*attempt, evidence).await.map(drop),
                    None if known.is_some() || overdue.contains(&(*attempt, *session)) => {
                        let report = Report { news: News::Silent { by: *session }, ..Report::default() };
                        self.settle(*attempt, report).await.map(drop)
                    }
                    None => continue,
                };
                match (settled, evidence) {
                    (Ok(()), Some(evidence)) => rows.push(history_row(*attempt, evidence, now)),
                    (Ok(()), None) => {
                        warn!(attempt.id = %attempt, "Attempt {attempt}: granted, then silence; it stands as lost");
                        given_up += 1;
                    }
                    (Err(cause @ DialerError::Rules { .. }), _) => {
                        error!(attempt.id = %attempt, "Attempt {attempt} cannot be settled: {cause}");
                    }
                    (Err(cause), _) => return Err(cause),
                }
            }
            self.put_history(rows).await?;
        }
        Ok(given_up)
    }

    /// Has the provider told of every session of the run, as far as it ever will?
    pub async fn history_is_complete(&self, run: RunId) -> Result<bool> {
        Ok(self.store.sessions_left(run).await? == 0)
    }
}

fn later(asked: &SessionToAsk, now: Timestamp, waits_ms: i64) -> AskLater {
    AskLater { session: asked.session, ask_at: Some(now.plus_ms(waits_ms)), waited_ms: waits_ms }
}

fn history_row(attempt: AttemptId, evidence: &Evidence, now: Timestamp) -> HistoryRow {
    let costs = (!evidence.costs.is_empty()).then(|| serde_json::json!(evidence.costs).to_string());
    let records = evidence.records.iter().map(|r| Record { url: r.url.clone(), duration_s: r.duration_s });
    HistoryRow {
        session: evidence.session,
        attempt,
        calls: evidence.calls,
        body: evidence.body.clone(),
        fetched_at: now,
        finish_reason: evidence.finish_reason.clone(),
        session_s: evidence.session_s,
        talk_s: evidence.talk_s,
        code: evidence.code,
        reason: evidence.reason.clone(),
        cost_micros: evidence.cost_micros,
        costs,
        log_url: evidence.log_url.clone(),
        records: records.collect(),
    }
}
