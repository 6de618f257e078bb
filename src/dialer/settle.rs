//! settle: the only place a call ends, whoever brings the news.

use super::counted::Counted;
use super::{Dialer, Result, Rules, change};
use crate::domain::clearance::Gate;
use crate::domain::state::{Event, State};
use crate::domain::{AttemptId, Outcome, SessionId, Timestamp, TokenHash};
use crate::store::MediaStream;
use crate::store::{Call, Change, Decide, Decided, Heard, Held, Note, Noted, Turn};
use std::sync::Arc;
use tracing::info;

/// A session that held its grant too long is planned again after this.
const NOT_DIALLED_MS: i64 = 5_000;
/// So many in a row pause the run: each has cost a session, and nobody was called.
const NOT_DIALLED_ROW_MAX: i64 = 10;

/// What somebody tells about an attempt.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The event to store, once; evidence from elsewhere has none.
    pub heard: Option<Heard>,
    pub news: News,
    /// Why the callee's number is never called again, if that was asked for.
    pub opt_out: Option<String>,
    /// When the callee asked to be called again.
    pub callback_at: Option<Timestamp>,
    pub call: Option<Call>,
    pub turns: Vec<Turn>,
    /// What a realtime model in the session used.
    pub stream: Option<MediaStream>,
}

impl Report {
    /// Most of what is told changes nothing but what is known of the call: [`decide`] need not be asked.
    pub fn note(&self, attempt: AttemptId, now: Timestamp) -> Option<Note> {
        match self {
            Report {
                heard: Some(heard),
                news: News::Underway,
                opt_out: None,
                callback_at: None,
                call: None,
                turns,
                stream: None,
            } => Some(Note { attempt, now, heard: heard.clone(), turns: turns.clone() }),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub enum News {
    /// On its way: ringing, connected, a turn.
    #[default]
    Underway,
    Finished {
        by: SessionId,
        outcome: Outcome,
        evidence: &'static str,
    },
    /// The call cannot last any longer, and the provider knows nothing.
    Silent {
        by: SessionId,
    },
    NotDialled {
        by: SessionId,
        /// The token the session was started with, where that is what authorised the news.
        token: Option<TokenHash>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Unknown,
    /// This very event came before.
    Again,
    /// Stored; it moved nothing.
    Noted,
    Moved,
}

impl Dialer {
    pub async fn settle(&self, attempt: AttemptId, report: Report) -> Result<Settled> {
        if let Some(note) = report.note(attempt, self.clock.now()) {
            match self.store.note(note).await? {
                Noted::Unknown => return Ok(Settled::Unknown),
                Noted::Again => return Ok(Settled::Again),
                Noted::Stored => return Ok(Settled::Noted),
                Noted::Decide => {}
            }
        }
        let Some((campaign, version)) = self.store.whose(attempt).await? else { return Ok(Settled::Unknown) };
        let rules = self.rules_at(campaign, version).await?;
        let now = self.clock.now();
        let heard = report.heard.clone();
        let decision = move |held: &Held| {
            let (change, settled) = decide(held, &rules, &report, now);
            let change = super::budget::settle(held, &report, change);
            let counted = Counted::of(held, &change);
            (change, (settled, counted))
        };
        let order = Decide { attempt, now, start: None, heard, decision: Arc::new(decision) };
        let settled = match self.store.decide(order).await? {
            Decided::Unknown => Settled::Unknown,
            Decided::Again => Settled::Again,
            Decided::Done((settled, counted)) => {
                counted.count();
                settled
            }
        };
        if settled == Settled::Moved {
            info!(attempt.id = %attempt, "Attempt {attempt} settled");
        }
        Ok(settled)
    }
}

/// Counted by the run, because a contact that was not dialled spends no try: nothing else would ever stop.
fn given_back(held: &Held, change: Change) -> Change {
    let in_a_row = held.run_not_dialled + 1;
    let run_paused = (in_a_row >= NOT_DIALLED_ROW_MAX).then(|| {
        "sessions get their grant too late and call nobody: the way between the platform and BACKEND_URL takes longer \
         than 10 s"
            .to_owned()
    });
    Change { run_not_dialled: Some(in_a_row), run_paused, ..change }
}

/// What a report moves. News of another session or of another token moves nothing.
pub fn decide(held: &Held, rules: &Rules, report: &Report, now: Timestamp) -> (Change, Settled) {
    // An older start's token does not speak for the call that is live now.
    if let (State::Live { token, .. }, News::NotDialled { token: Some(of), .. }) = (held.state, &report.news)
        && token != *of
    {
        return (Change::default(), Settled::Noted);
    }
    let mut change = match &report.news {
        News::Underway => None,
        News::Finished { by, outcome, evidence } => {
            // Whoever asked never to be called again is promised nothing.
            let promised = report.callback_at.filter(|_| report.opt_out.is_none() && !held.suppressed);
            change::ended(held, rules, Event::Finished { by: *by, outcome: *outcome }, evidence, promised, now)
        }
        News::Silent { by } => change::ended(held, rules, Event::Silent { by: *by }, "silence", None, now),
        News::NotDialled { by, token } => {
            let until = now.plus_ms(NOT_DIALLED_MS);
            let event = match (held.state, token) {
                (State::Dialing { .. }, Some(of)) => Event::Deferred { of: *of, until },
                _ => Event::NotDialled { by: *by, until },
            };
            change::deferred(held, event, Gate::NotDialled, now).map(|change| given_back(held, change))
        }
    };
    let moved = change.is_some();
    // A call under way, or one that came to an end of its own: the way to us is short enough.
    if held.run_not_dialled > 0
        && matches!(report.news, News::Underway | News::Finished { evidence: "event", .. })
        && about_this_call(held, report)
    {
        change.get_or_insert_with(Change::default).run_not_dialled = Some(0);
    }
    // What the granted session says of its call is kept even when the state has moved on: the
    // final event repeats every turn. Another session's word is only an event.
    if about_this_call(held, report) {
        let change = change.get_or_insert_with(Change::default);
        change.call = report.call.clone();
        change.turns = report.turns.clone();
        change.stream = report.stream.clone();
        // Kept whether or not the run can keep it: nobody's wish is lost.
        change.callback_at = report.callback_at;
    }
    if let Some(reason) = &report.opt_out {
        change.get_or_insert_with(Change::default).suppress = Some(reason.clone());
    }
    (change.unwrap_or_default(), if moved { Settled::Moved } else { Settled::Noted })
}

fn about_this_call(held: &Held, report: &Report) -> bool {
    let session = report.heard.as_ref().map(|heard| heard.session).or(match report.news {
        News::Finished { by, .. } | News::Silent { by } => Some(by),
        News::Underway | News::NotDialled { .. } => None,
    });
    session.is_some() && session == held.session
}
