//! One turn of a conversation: whoever asks for it, and however often, it is answered once.
//!
//! Rules answer at once. A model's answer is made by a task of its own, which goes on when whoever asked is gone, and
//! which everybody who asks for the same turn meanwhile listens to. The answer is kept before it is given.

use super::callers::{Known, in_call};
use super::converse::converse;
use super::recent::Recent;
use super::{Problem, Web};
use crate::chat;
use crate::dialer::Report;
use crate::dialogue::model::{Exchange, Step};
use crate::dialogue::{self, Heard, Record, Reply, Script, Variables, model};
use crate::domain::money::TokenPrices;
use crate::domain::{AttemptId, Timestamp};
use crate::store::{DialogueTurn, Made, Stand};
use axum::http::{HeaderMap, StatusCode};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tracing::warn;

const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Turns that are being answered at once, over all calls.
const GOING_MAX: usize = 10_000;
pub const RULES: &str = "rules";

/// What answers instead of the rules.
pub struct Model {
    pub client: chat::Client,
    /// Micros for a million tokens.
    pub prices: TokenPrices,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    call_id: String,
    #[serde(default)]
    pub turn: Option<i64>,
    #[serde(default)]
    text: Option<String>,
    /// Only what was said to its end is answered.
    #[serde(default)]
    is_final: Option<bool>,
    /// The filler was had already.
    #[serde(default)]
    pub again: bool,
}

pub(super) enum Answer {
    Given(Value),
    /// A model is at it.
    Coming {
        turn: i64,
        going: watch::Receiver<Going>,
        filler: String,
    },
}

/// An answer on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Going {
    /// Fit to be spoken, in their order.
    pub sentences: Vec<String>,
    /// The reply that is kept, or the refusal.
    pub end: Option<Result<Value, Refusal>>,
}

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal { status: problem.status, code: problem.code, detail: problem.detail }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::new(refusal.status, refusal.code, refusal.detail)
    }
}

type Turns = BTreeMap<(AttemptId, i64), watch::Receiver<Going>>;

/// Conversations under way.
#[derive(Default)]
pub(super) struct Talks {
    /// Turns that models are answering.
    going: Mutex<Turns>,
    /// The last turn that was kept here, and the record after it.
    kept: Recent<(i64, Record)>,
}

impl Talks {
    fn open(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a conversation stands before this turn, and the record so far.
///
/// A turn that was kept never changes. So whoever asks for the one after it needs nothing from the tables: should another
/// node have answered it meanwhile, that answer is found when this one is kept.
async fn stand(web: &Web, attempt: AttemptId, turn: i64) -> Result<(Stand, Record), Problem> {
    let known = web.talks.kept.get(attempt, |(last, record)| (last + 1 == turn).then(|| (*last, record.clone())));
    if let Some((last, record)) = known {
        return Ok((Stand { last: Some(last), ..Stand::default() }, record));
    }
    let stand = web.store.dialogue(attempt, turn).await?;
    let record = stand.record.as_deref().map(read_record).transpose()?.unwrap_or_default();
    Ok((stand, record))
}

/// All that a turn is answered from.
struct Talk {
    attempt: AttemptId,
    turn: i64,
    text: Option<String>,
    script: Arc<Script>,
    variables: Arc<Variables>,
    zone: Tz,
    now: Timestamp,
}

impl Talk {
    fn heard(&self) -> Heard<'_> {
        match &self.text {
            None => Heard::Opening,
            Some(text) => Heard::Text { text, now: self.now, zone: self.zone },
        }
    }
}

/// The reply to a turn, or where it can be waited for. The opening is turn 0.
pub(super) async fn answer(web: &Arc<Web>, asked: &Asked, headers: &HeaderMap) -> Result<Answer, Problem> {
    if asked.text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
        return Err(Problem::bad(format!("text: more than {TEXT_BYTES_MAX} bytes")));
    }
    if asked.is_final == Some(false) {
        return Err(Problem::bad("is_final: only what was said to its end is answered: ask when it is"));
    }
    if asked.text.is_none() && asked.turn.is_some_and(|turn| turn > 0) {
        return Err(Problem::bad("text: missing; only the opening, turn 0, is asked for without"));
    }
    let (attempt, known) = in_call(web, &asked.call_id, headers).await?;
    let (turn, (stand, record)) = match asked.turn {
        _ if asked.text.is_none() => (0, stand(web, attempt, 0).await?),
        Some(turn) if turn < 1 => return Err(Problem::bad("turn: counts from 1")),
        Some(turn) => (turn, stand(web, attempt, turn).await?),
        None => {
            let stand = stand(web, attempt, i64::MAX).await?;
            let going =
                web.talks.open().range((attempt, 0)..=(attempt, i64::MAX)).next_back().map(|((_, turn), _)| *turn);
            (stand.0.last.max(going).unwrap_or(0) + 1, stand)
        }
    };
    // Asking twice for the same turn gives the same answer.
    if let Some(reply) = stand.reply {
        return Ok(Answer::Given(serde_json::from_str(&reply).map_err(Problem::ours)?));
    }
    let script = web.script(known.campaign).await?;
    let Known { variables, zone, .. } = known;
    let talk = Talk { attempt, turn, text: asked.text.clone(), script, variables, zone, now: web.clock.now() };
    match &web.model {
        Some(_) if turn > 0 => {
            let filler = model::filler(&talk.script, &talk.variables);
            Ok(Answer::Coming { turn, going: going(web, talk)?, filler })
        }
        _ => {
            in_order(turn, stand.last)?;
            let reply = dialogue::reply(&talk.script, &talk.variables, &record, talk.heard());
            Ok(Answer::Given(keep(web, &talk, reply, Made { replier: RULES.into(), ..Made::default() }).await?))
        }
    }
}

/// One turn comes after the other: an answer to a later one would be made of what nobody said.
fn in_order(turn: i64, last: Option<i64>) -> Result<(), Problem> {
    let next = last.unwrap_or(0) + 1;
    if turn <= next {
        return Ok(());
    }
    Err(Problem::conflict(format!("turn: {turn} comes too early; turn {next} is the next (or leave `turn` out)")))
}

/// Joins the task that answers this turn, or begins it.
fn going(web: &Arc<Web>, talk: Talk) -> Result<watch::Receiver<Going>, Problem> {
    let key = (talk.attempt, talk.turn);
    let mut turns = web.talks.open();
    if let Some(going) = turns.get(&key) {
        return Ok(going.clone());
    }
    if turns.len() >= GOING_MAX {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many turns are being answered"));
    }
    let earlier: Vec<_> = turns.range((talk.attempt, 0)..key).map(|(_, going)| going.clone()).collect();
    let (tell, going) = watch::channel(Going::default());
    turns.insert(key, going.clone());
    drop(turns);
    let place = Place { web: web.clone(), key };
    tokio::spawn(async move {
        for mut earlier in earlier {
            // One whose task is gone has said all it will.
            let _gone = earlier.wait_for(|going| going.end.is_some()).await;
        }
        let end = work(&place.web, &talk, &tell).await.map_err(Refusal::from);
        tell.send_modify(|going| going.end = Some(end));
        drop(place);
    });
    Ok(going)
}

/// A turn's place among those under way, given back whatever happens.
struct Place {
    web: Arc<Web>,
    key: (AttemptId, i64),
}

impl Drop for Place {
    fn drop(&mut self) {
        self.web.talks.open().remove(&self.key);
    }
}

async fn work(web: &Web, talk: &Talk, tell: &watch::Sender<Going>) -> Result<Value, Problem> {
    // It may have been answered since it was looked for.
    let (stand, record) = stand(web, talk.attempt, talk.turn).await?;
    if let Some(reply) = stand.reply {
        return serde_json::from_str(&reply).map_err(Problem::ours);
    }
    in_order(talk.turn, stand.last)?;
    let Some(model) = &web.model else { return Err(Problem::ours("no model is there to answer")) };
    let before = web.store.talked(&[talk.attempt.0]).await?;
    let before: Vec<Exchange> = before
        .into_iter()
        .filter(|row| row.turn < talk.turn)
        .map(|row| Exchange { heard: (row.turn > 0).then_some(row.text), said: said(&row.reply) })
        .collect();
    match model::begin(&talk.script, &talk.variables, &record, talk.heard(), &before) {
        Step::Say(reply) => keep(web, talk, reply, Made { replier: RULES.into(), ..Made::default() }).await,
        Step::Ask(question) => {
            let heard = (talk.text.as_deref().unwrap_or_default(), talk.now, talk.zone);
            let (answer, made) = converse(model, web.turn, &talk.script, &question, heard, tell).await;
            let (reply, made) = match answer {
                Some(said) => {
                    let (reply, done) =
                        model::take(&talk.script, &talk.variables, &question.record, &said.text, &said.called, heard);
                    let tools = (!done.is_empty()).then(|| json!(done).to_string());
                    (reply, Made { tools, ..made })
                }
                None => (model::sorry(&talk.script, &question.record), Made { fault: Some("replier".into()), ..made }),
            };
            if let Some(trouble) = &made.trouble {
                warn!(attempt.id = %talk.attempt, "Turn {} of attempt {}: {trouble}", talk.turn, talk.attempt);
            }
            keep(web, talk, reply, made).await
        }
    }
}

fn said(reply: &str) -> String {
    let reply: Value = serde_json::from_str(reply).unwrap_or_default();
    reply["reply_text"].as_str().unwrap_or_default().to_owned()
}

/// Keeps the answer, and returns the one that stands.
async fn keep(web: &Web, talk: &Talk, reply: Reply, made: Made) -> Result<Value, Problem> {
    let mut answer = json!({
        "reply_text": reply.reply_text,
        "end_session": reply.end_session,
        "goal": reply.goal,
        "answers": reply.answers,
        "callback_at": reply.callback_at.map(|at| at.to_string()),
        "opt_out": reply.opt_out,
    });
    if let Some(fault) = &made.fault {
        answer["fault"] = json!(fault);
    }
    // Before the answer is kept: a repeated turn gets the kept answer and nothing else.
    if reply.opt_out {
        let report = Report { opt_out: Some("asked in a call".into()), ..Report::default() };
        web.dialer.settle(talk.attempt, report).await?;
    }
    let verdict = dialogue::verdict(&talk.script, &reply.record).to_string();
    let stood = web
        .store
        .put_dialogue(DialogueTurn {
            attempt: talk.attempt,
            turn: talk.turn,
            text: talk.text.clone().unwrap_or_default(),
            reply: answer.to_string(),
            record: serde_json::to_string(&reply.record).map_err(Problem::ours)?,
            at: talk.now,
            made: Made { verdict: Some(verdict), ..made },
        })
        .await?;
    let Some(stood) = stood else {
        web.talks.kept.put(talk.attempt, (talk.turn, reply.record));
        return Ok(answer);
    };
    serde_json::from_str(&stood).map_err(Problem::ours)
}

fn read_record(text: &str) -> Result<Record, Problem> {
    serde_json::from_str(text).map_err(|e| Problem::ours(format!("stored dialogue: {e}")))
}

/// Waits for the reply.
pub(super) async fn ended(going: &mut watch::Receiver<Going>) -> Result<Value, Problem> {
    let gone = |_| Problem::ours("a turn's task ended without an answer");
    let end = going.wait_for(|going| going.end.is_some()).await.map_err(gone)?.end.clone();
    end.expect("it was waited for").map_err(Problem::from)
}

/// What is said until there is a reply.
pub(super) fn pending(filler: &str) -> Value {
    json!({
        "reply_text": filler, "end_session": false, "goal": null, "answers": {}, "callback_at": null, "opt_out": false,
        "filler": true, "pending": true,
    })
}
