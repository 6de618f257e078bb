//! dial: claim shortly before the slot, send at the slot, or not at all.

use super::plan::SINGLE;
use super::{Dialer, Result, change};
use crate::domain::clearance::Gate;
use crate::domain::slot::{LATE_MS_MAX, may_leave};
use crate::domain::state::{Event, Step};
use crate::domain::{AttemptId, StartOrder, Timestamp, Token, TokenHash};
use crate::store::{Change, ContactChange, Decide, Decided, Held, RunState, StartAnswer};
use crate::voximplant::StartError;
use crate::{fail, measures};
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, error, info, warn};

/// The claim is made this long before the slot (wall time): its commit must be done when the slot comes, and a disk
/// that is busy with something else takes a tenth of a second and more for one.
pub(super) const CLAIM_AHEAD_WALL_MS: i64 = 250;
/// With a scaled clock the provider is on this machine and pace is not what is proven.
const LATE_WALL_MS_SCALED: i64 = 2_000;
/// Backoff after starts that the provider did not take: 2 s, 4 s … up to a minute, real time at least.
const BACKOFF_WALL_MS: i64 = 2_000;
const BACKOFF_MS_MAX: i64 = 60_000;

/// How long the provider has not been taking starts.
#[derive(Clone, Copy, Default)]
pub(super) struct Refusals {
    /// The last slow-down that this process saw: whoever was claimed before it does not leave after it.
    pub(super) slowed_at: Timestamp,
    /// Backoffs in a row: the exponent of the next one.
    steps: u32,
    /// Nobody tries again before this.
    until: Timestamp,
    /// The provider itself asked for a pause until then: whoever has a slot before does not knock either.
    asked_until: Timestamp,
}

/// What a claim needs to be true at the moment it is made.
#[derive(Clone, Copy)]
pub struct Claim {
    pub token: TokenHash,
    /// The slot that the job was given; a newer plan has another.
    pub slot_us: i64,
    pub now: Timestamp,
}

/// planned → dialing, for whoever still has the slot and the lease, in a run that dials.
pub fn claim(held: &Held, claim: Claim) -> Option<Change> {
    let theirs = held.slot_us != claim.slot_us || held.leased_until <= claim.now;
    if theirs || held.run_state != RunState::Running || held.account_paused || held.disposition.is_some() {
        return None;
    }
    let Step::Moved(to) = held.state.step(&Event::Claimed { token: claim.token }, claim.now) else { return None };
    Some(Change { attempt: Some(change::attempt(held, to)), contact: Some(ContactChange::Busy), ..Change::default() })
}

/// dialing → planned by the token's hash: somebody else's claim is not undone.
pub fn defer(held: &Held, of: TokenHash, until: Timestamp, gate: Gate, now: Timestamp) -> Change {
    change::deferred(held, Event::Deferred { of, until }, gate, now).unwrap_or_default()
}

impl Dialer {
    /// One planned attempt, at its slot. Every failure is dealt with here: the queue never retries.
    pub async fn dial(&self, attempt: AttemptId) {
        if let Err(cause) = self.try_dial(attempt).await {
            // The lease or the grant's deadline brings the attempt back.
            error!(attempt.id = %attempt, error = %cause, "Attempt {attempt} was not dialled: {cause}");
        }
    }

    async fn try_dial(&self, attempt: AttemptId) -> Result<()> {
        fail::point("dial.woken");
        let Some(slot_us) = self.store.slot_us(attempt).await? else { return Ok(()) };
        let ahead_us = 1000 * self.clock.at_least(CLAIM_AHEAD_WALL_MS, CLAIM_AHEAD_WALL_MS);
        self.clock.sleep_until_us(slot_us - ahead_us).await;

        let token = Token::from_random(rand::random());
        let hash = token.hash();
        let now = self.clock.now();
        let claimed = self
            .store
            .decide(Decide {
                attempt,
                now,
                start: Some(hash),
                heard: None,
                decision: Arc::new(move |held| match claim(held, Claim { token: hash, slot_us, now }) {
                    Some(change) => (change, Some(held.clone())),
                    None => (Change::default(), None),
                }),
            })
            .await?;
        let Decided::Done(Some(held)) = claimed else { return Ok(()) };
        let mode = held.mode.clone();
        self.claimed.keep(held);
        fail::point("dial.claimed");

        if let Some(until) = self.pause_asked_for() {
            debug!(attempt.id = %attempt, "The provider asked for a pause; attempt {attempt} is deferred to {until}");
            return self.defer(attempt, hash, until, Gate::Provider).await;
        }
        let (started, asked_us) = match self.client.way(attempt, &mode).await {
            Err(cause) => (Err(cause), self.clock.now_us()),
            Ok(way) => {
                self.clock.sleep_until_us(slot_us).await;
                let permit = self.pacer.permit().await;
                let now_us = self.clock.now_us();
                if let Some((until, gate)) = self.stays(attempt, slot_us, now_us, now) {
                    measures::start(if gate == Gate::Provider { "held" } else { "late" });
                    return self.defer(attempt, hash, until, gate).await;
                }
                fail::point("dial.sending");
                (self.client.start(StartOrder { attempt, token, mode }, way, permit).await, now_us)
            }
        };
        fail::point("dial.answered");
        match started {
            Ok(started) => {
                measures::start("started");
                self.taken_again();
                let answer = StartAnswer {
                    token: hash,
                    session: Some(started.session),
                    access_url: Some(started.access_url),
                    at: self.clock.now(),
                    result: "started",
                };
                self.store.answer_start(answer).await?;
                fail::point("dial.done");
                Ok(())
            }
            Err(StartError::Refused { wait, cause, .. }) => {
                measures::start("refused");
                let until = wait.map_or_else(|| self.backoff(), |wait| self.asked_to_wait(wait));
                warn!(attempt.id = %attempt, cause = %cause, "The provider did not take attempt {attempt}: {cause}; deferred to {until}");
                if cause.asks_for_less() {
                    self.slow_down(Timestamp(asked_us.div_euclid(1000)), wait.map(|_| until), cause.to_string())
                        .await?;
                }
                self.answered(hash, "refused").await?;
                fail::point("dial.refused");
                self.defer(attempt, hash, until, Gate::Provider).await
            }
            Err(cause @ StartError::Unclear { .. }) => {
                measures::start("unclear");
                // A session may run; without a grant it rings nobody. The grant's deadline decides.
                warn!(attempt.id = %attempt, cause = %cause, "No answer to starting attempt {attempt}; waiting for its grant or the deadline");
                self.answered(hash, "unclear").await
            }
            Err(StartError::Account { cause }) if !self.platform.real => {
                measures::start("account");
                warn!(cause = %cause, "The simulator knows no rule for attempt {attempt}: {cause}; deploying to it again");
                self.forgotten.notify_one();
                self.answered(hash, "refused").await?;
                self.defer(attempt, hash, self.backoff(), Gate::Provider).await
            }
            Err(StartError::Account { cause }) => {
                measures::start("account");
                error!(cause = %cause, "The provider's account cannot place calls: {cause}");
                self.answered(hash, "refused").await?;
                self.defer_and_pause(attempt, hash, format!("the provider refuses every start: {}", cause.told())).await
            }
        }
    }

    /// At the last moment before a start is sent: what keeps it here, and until when.
    fn stays(&self, attempt: AttemptId, slot_us: i64, now_us: i64, claimed_at: Timestamp) -> Option<(Timestamp, Gate)> {
        if !may_leave(slot_us, now_us, self.late_us_max()) {
            debug!(attempt.id = %attempt, late_ms = (now_us - slot_us) / 1000, "Attempt {attempt} missed its slot");
            return Some((self.clock.now(), Gate::Pace));
        }
        if let Some(until) = self.pause_asked_for() {
            debug!(attempt.id = %attempt, "The provider asked for a pause; attempt {attempt} is deferred to {until}");
            return Some((until, Gate::Provider));
        }
        if self.slowed_since(claimed_at) {
            debug!(attempt.id = %attempt, "The account slowed down; attempt {attempt} gets another slot");
            return Some((self.clock.now(), Gate::Pace));
        }
        None
    }

    fn late_us_max(&self) -> i64 {
        let wall_ms = if self.clock.speed() == 1.0 { LATE_MS_MAX } else { LATE_WALL_MS_SCALED };
        1000 * self.clock.at_least(LATE_MS_MAX, wall_ms)
    }

    /// One outage is one step, however many starts were on their way when it began.
    fn backoff(&self) -> Timestamp {
        let now = self.clock.now();
        let mut refusals = self.refusals.lock().expect("no panic while holding it");
        if refusals.until <= now {
            let wall_ms = (BACKOFF_WALL_MS << refusals.steps.min(5)).min(BACKOFF_MS_MAX);
            refusals.steps += 1;
            refusals.until = now.plus_ms(self.clock.at_least(wall_ms, wall_ms));
        }
        refusals.until
    }

    /// The provider said how long, or its code does: everybody waits, in real time.
    fn asked_to_wait(&self, wait: Duration) -> Timestamp {
        let wall_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let until = self.clock.now().plus_ms(self.clock.at_least(wall_ms, wall_ms));
        let mut refusals = self.refusals.lock().expect("no panic while holding it");
        refusals.asked_until = refusals.asked_until.max(until);
        refusals.asked_until
    }

    /// The provider takes starts: the next outage begins anew. A pause it asked for stands.
    fn taken_again(&self) {
        let mut refusals = self.refusals.lock().expect("no panic while holding it");
        *refusals =
            Refusals { asked_until: refusals.asked_until, slowed_at: refusals.slowed_at, ..Refusals::default() };
    }

    fn pause_asked_for(&self) -> Option<Timestamp> {
        let until = self.refusals.lock().expect("no panic while holding it").asked_until;
        (until > self.clock.now()).then_some(until)
    }

    async fn answered(&self, token: TokenHash, result: &'static str) -> Result<()> {
        let answer = StartAnswer { token, session: None, access_url: None, at: self.clock.now(), result };
        Ok(self.store.answer_start(answer).await?)
    }

    pub(super) async fn defer(&self, attempt: AttemptId, of: TokenHash, until: Timestamp, gate: Gate) -> Result<()> {
        let now = self.clock.now();
        let decision = move |held: &Held| (defer(held, of, until, gate, now), ());
        self.store.decide(Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) }).await?;
        Ok(())
    }

    async fn defer_and_pause(&self, attempt: AttemptId, of: TokenHash, reason: String) -> Result<()> {
        let now = self.clock.now();
        let why = reason.clone();
        let decision = move |held: &Held| {
            let event = Event::Deferred { of, until: now };
            let mut change = change::deferred(held, event, Gate::Provider, now).unwrap_or_default();
            let single = held.run_kind == SINGLE;
            change.run_paused = Some(why.clone()).filter(|_| !single);
            (change, (held.run, single))
        };
        let done =
            self.store.decide(Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) }).await?;
        match done {
            // Whoever ordered a single call does not wait until somebody resumes it.
            Decided::Done((run, true)) => {
                self.store.set_run_state(run, RunState::Stopped, Some(reason), now).await?;
            }
            Decided::Done((run, false)) => info!(run.id = %run, "Run {run} paused: {reason}"),
            Decided::Unknown | Decided::Again => {}
        }
        Ok(())
    }
}
