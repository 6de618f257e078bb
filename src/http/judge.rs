//! The goal of finished calls, judged out of their words; and calls that people read and label, blind to the mode.
//!
//! Here a judge is handed the script and the words. The mode is known to the tables alone: nothing below reads it, but for
//! drawing as many calls of each mode for people to read, which is told to nobody.

use super::body::Object;
use super::converse::Counted;
use super::life::said;
use super::runs::run_id;
use super::voice::body_of;
use super::{Model, Problem, Web};
use crate::chat::{Patience, Question};
use crate::dialogue::model::Exchange;
use crate::dialogue::{Script, Variables, judge};
use crate::domain::experiment::Judge;
use crate::domain::{AttemptId, RunId, Timestamp};
use crate::report::gather::seed;
use crate::store::judged::{Judgement, SpokenTurn, ToLabel};
use crate::store::{Made, Store};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Calls judged by one request, unless it says otherwise; whoever asks goes on with `after`.
const CALLS: i64 = 100;
pub const CALLS_MAX: i64 = 1000;
/// Calls about which a model is asked at once.
const TOGETHER: usize = 8;
/// A judge is not on the phone: it may take its time.
const PATIENCE: Patience = Patience { first: Duration::from_secs(30), whole: Duration::from_secs(60) };
/// Calls of a sample for people to read.
const SAMPLE: usize = 30;
const SAMPLE_MAX: usize = 500;

/// Who judges.
pub enum By<'m> {
    Rules,
    Model(&'m Model),
}

impl<'m> By<'m> {
    /// Refused where a model is to judge and there is none.
    pub fn of(judge: Judge, model: Option<&'m Model>) -> Result<Self, Problem> {
        match (judge, model) {
            (Judge::Rules, _) => Ok(By::Rules),
            (Judge::Model, Some(model)) => Ok(By::Model(model)),
            (Judge::Model, None) => {
                Err(Problem::refused("no model is there to judge: set OPENAI_MODEL, or judge by `rules`", Vec::new()))
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            By::Rules => Judge::Rules.as_str(),
            By::Model(_) => Judge::Model.as_str(),
        }
    }

    fn model(&self) -> Option<&str> {
        match self {
            By::Rules => None,
            By::Model(model) => Some(model.client.model()),
        }
    }
}

/// What became of a piece of a run's calls.
#[derive(Debug, Serialize, Deserialize)]
pub struct Judged {
    pub run: RunId,
    pub rubric: String,
    pub judge: String,
    pub model: Option<String>,
    /// Calls judged now.
    pub judged: usize,
    /// Calls that the judge could not be asked about, by what went wrong; they stay unjudged.
    pub failed: BTreeMap<String, u64>,
    /// Calls of the run that this rubric has not judged; of the forgotten no words are kept.
    pub left: i64,
    pub forgotten: i64,
    /// The last call of this piece; nothing when none was left behind `after`.
    pub after: Option<AttemptId>,
    pub cost_micros: i64,
}

/// Judges up to `limit` human calls of a run behind `after`. Whoever was judged by the same rubric is not judged again.
/// `script` is the campaign's, as it is stored.
pub async fn judge_run(
    store: &Store,
    script: &str,
    run: RunId,
    by: &By<'_>,
    (after, limit): (Option<AttemptId>, i64),
    now: Timestamp,
) -> Result<Judged, Problem> {
    let read = Script::parse(script).map_err(|faults| Problem::ours(format!("stored script: {faults}")))?;
    let rubric = match by {
        By::Rules => judge::rubric_of_rules(script),
        By::Model(model) => judge::rubric_of_model(&read, model.client.model()),
    };
    let wanted = store.to_judge(run, after.map_or(0, |after| after.0), &rubric, limit).await?;
    let ids: Vec<i64> = wanted.iter().map(|row| row.attempt_id).collect();
    let mut spoken = by_attempt(store.transcripts(&ids).await?);
    let asked = wanted.into_iter().map(|row| {
        let words = spoken.remove(&row.attempt_id).unwrap_or_default();
        one(AttemptId(row.attempt_id), &read, row.variables, words, by)
    });
    let asked: Vec<_> = asked.collect();
    let found: Vec<_> = futures::stream::iter(asked).buffer_unordered(TOGETHER).collect().await;
    let (mut judgements, mut failed, mut cost_micros) = (Vec::new(), BTreeMap::<String, u64>::new(), 0);
    for (attempt, found) in found {
        match found {
            Ok((finding, made)) => {
                cost_micros += made.cost_micros.unwrap_or(0);
                judgements.push(Judgement {
                    attempt,
                    rubric: rubric.clone(),
                    judge: by.name(),
                    model: by.model().map(str::to_owned),
                    goal: finding.goal,
                    why: finding.why.to_string(),
                    at: now,
                    tokens_in: made.tokens_in,
                    tokens_out: made.tokens_out,
                    cost_micros: made.cost_micros,
                });
            }
            Err(trouble) => *failed.entry(trouble).or_default() += 1,
        }
    }
    let judged = if judgements.is_empty() { 0 } else { store.put_judgements(judgements).await? };
    let left = store.unjudged(run, &rubric).await?;
    Ok(Judged {
        run,
        rubric,
        judge: by.name().to_owned(),
        model: by.model().map(str::to_owned),
        judged,
        failed,
        left: left.unjudged,
        forgotten: left.forgotten,
        after: ids.last().map(|id| AttemptId(*id)),
        cost_micros,
    })
}

/// The words of each attempt, in their order.
fn by_attempt(turns: Vec<SpokenTurn>) -> BTreeMap<i64, Vec<Exchange>> {
    let mut found: BTreeMap<i64, Vec<Exchange>> = BTreeMap::new();
    for turn in turns {
        let exchange = Exchange { heard: turn.callee_text, said: turn.agent_text.unwrap_or_default() };
        found.entry(turn.attempt_id).or_default().push(exchange);
    }
    found
}

/// What was found in one call, or why nothing was.
type Found = Result<(judge::Finding, Made), String>;

async fn one(
    attempt: AttemptId,
    script: &Script,
    variables: String,
    words: Vec<Exchange>,
    by: &By<'_>,
) -> (AttemptId, Found) {
    (attempt, find(script, &variables, &words, by).await)
}

async fn find(script: &Script, variables: &str, words: &[Exchange], by: &By<'_>) -> Found {
    let model = match by {
        // Nobody needs a model to see that nothing was said.
        By::Model(model) if !judge::is_silent(words) => model,
        _ => {
            // A list's values that cannot be read are no values.
            let variables: Variables = serde_json::from_str(variables).unwrap_or_default();
            return Ok((judge::by_rules(script, &variables, words), Made::default()));
        }
    };
    let question = Question { messages: judge::question(script, words), tools: json!([]), may_call: false };
    let (mut counted, mut made) = (Counted::default(), Made::default());
    let said = model.client.ask(&question, PATIENCE, |_| true).await.map_err(|failure| failure.trouble.to_string())?;
    counted.add(&question, &said);
    counted.into(&mut made, model);
    let finding = judge::read(script, &said.text).map_err(|why| format!("the model {why}"))?;
    Ok((finding, made))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// `rules` or `model`; as the experiment says when absent.
    by: Option<String>,
    limit: Option<i64>,
    after: Option<String>,
}

pub(super) async fn run(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    body: Bytes,
) -> Result<Json<Judged>, Problem> {
    let order: Order = said(&body)?;
    let run = web.store.run(run_id(&run)?).await?;
    let rules = web.dialer.rules(run.campaign).await?;
    let judge = match order.by.as_deref() {
        None => rules.settings.experiment.judge,
        Some(text) => text.parse().map_err(|why| Problem::bad(format!("by: {why}")))?,
    };
    let limit = order.limit.unwrap_or(CALLS);
    if !(1..=CALLS_MAX).contains(&limit) {
        return Err(Problem::bad(format!("limit: write 1 to {CALLS_MAX}")));
    }
    let after = order.after.as_deref().map(|text| text.parse().map_err(|_| Problem::bad("after: no such attempt")));
    let by = By::of(judge, web.model.as_ref())?;
    let piece = (after.transpose()?, limit);
    judge_run(&web.store, &rules.script, run.run, &by, piece, web.clock.now()).await.map(Json)
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    n: Option<usize>,
    /// The campaign's own when absent.
    seed: Option<u64>,
}

/// Calls for a person to read: drawn by a seed, as many of each mode as there are, in an order that tells nothing. Neither
/// mode nor goal nor what a judge found is told.
pub async fn sample(store: &Store, run: RunId, n: usize, salt: &str, seeded: Option<u64>) -> Result<Value, Problem> {
    let seed = seeded.unwrap_or_else(|| seed(salt));
    let drawn = draw(store.to_label(run).await?, n, seed);
    let ids: Vec<i64> = drawn.iter().map(|row| row.attempt_id).collect();
    let mut spoken = by_attempt(store.transcripts(&ids).await?);
    let items = drawn.into_iter().map(|row| {
        let words = spoken.remove(&row.attempt_id).unwrap_or_default();
        let words: Vec<Value> = words.iter().map(|e| json!({ "callee": e.heard, "agent": e.said })).collect();
        let label = row.label.map(|goal| goal == 1);
        json!({ "attempt": AttemptId(row.attempt_id), "label": label, "transcript": words })
    });
    Ok(json!({ "run": run, "seed": seed.to_string(), "items": items.collect::<Vec<_>>() }))
}

fn draw(calls: Vec<ToLabel>, n: usize, seed: u64) -> Vec<ToLabel> {
    let place = |row: &ToLabel| <[u8; 32]>::from(Sha256::digest(format!("{seed}:{}", row.attempt_id)));
    let mut by_mode: BTreeMap<String, Vec<ToLabel>> = BTreeMap::new();
    for row in calls {
        by_mode.entry(row.mode.clone()).or_default().push(row);
    }
    let mut ranked: Vec<(usize, [u8; 32], ToLabel)> = Vec::new();
    for mut rows in by_mode.into_values() {
        rows.sort_by_cached_key(place);
        ranked.extend(rows.into_iter().enumerate().map(|(rank, row)| (rank, place(&row), row)));
    }
    // The first of each mode before the second of any.
    ranked.sort_by_key(|(rank, place, _)| (*rank, *place));
    ranked.truncate(n);
    ranked.sort_by_key(|(_, place, _)| *place);
    ranked.into_iter().map(|(_, _, row)| row).collect()
}

pub(super) async fn to_label(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let n = wanted.n.unwrap_or(SAMPLE);
    if !(1..=SAMPLE_MAX).contains(&n) {
        return Err(Problem::bad(format!("n: write 1 to {SAMPLE_MAX}")));
    }
    let run = web.store.run(run_id(&run)?).await?;
    let campaign = web.store.find_campaign(&run.campaign.to_string()).await?;
    let mut sample = sample(&web.store, run.run, n, &campaign.salt, wanted.seed).await?;
    let script = web.script(run.campaign).await?;
    sample["phases"] =
        script.phases.iter().map(|phase| json!({ "name": phase.name, "say": phase.say.as_str() })).collect();
    sample["success"] = json!(script.success);
    Ok(Json(sample))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    goal: bool,
}

pub(super) async fn label(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let Object(label): Object<Label> = body_of(body)?;
    let missing = || Problem::missing(format!("attempt `{id}` is no human call of a campaign"));
    let attempt: AttemptId = id.parse().map_err(|_| missing())?;
    if !web.store.put_label(attempt, label.goal, web.clock.now()).await? {
        return Err(missing());
    }
    Ok(Json(json!({ "attempt": attempt, "goal": label.goal })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(of: &[(&str, i64)]) -> Vec<ToLabel> {
        let row = |mode: &str, attempt_id| ToLabel { attempt_id, mode: mode.into(), label: None };
        of.iter().flat_map(|(mode, n)| (0..*n).map(move |id| row(mode, id * 10 + mode.len() as i64))).collect()
    }

    /// The guard: the rank in `draw`. Without it a mode with many calls would fill the sample.
    #[test]
    fn a_sample_holds_as_many_of_each_mode_in_an_order_that_tells_nothing() {
        let all = calls(&[("dialog", 200), ("pure", 20), ("rare", 3)]);
        let drawn = draw(all.clone(), 23, 7);
        let of = |mode: &str| drawn.iter().filter(|row| row.mode == mode).count();
        assert_eq!((of("dialog"), of("pure"), of("rare")), (10, 10, 3));
        let ids = |rows: &[ToLabel]| rows.iter().map(|row| row.attempt_id).collect::<Vec<_>>();
        assert_eq!(ids(&drawn), ids(&draw(all.clone(), 23, 7)), "the same seed draws the same");
        assert_ne!(ids(&drawn), ids(&draw(all, 23, 8)));
        let changes = drawn.windows(2).filter(|pair| pair[0].mode != pair[1].mode).count();
        assert!(changes > 4, "modes do not stand together: {changes}");
    }
}
