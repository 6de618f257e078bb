//! One call, from its plan to its end; and the order for a single one.

use super::asked::{Fields, Posted, Visit};
use super::charts;
use super::client::encoded;
use super::doors::{page, shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;

const DRAWN_EVERY: Duration = Duration::from_millis(700);
const DRAWINGS_MAX: u32 = 5000;

/// One happening of the timeline.
pub struct Step {
    pub what: String,
    pub said: String,
    pub at: String,
    /// Since the session began.
    pub at_ms: Option<i64>,
    pub class: &'static str,
    pub key: String,
}

/// One reply: what was said, and how long the callee waited for it.
pub struct Turn {
    pub nth: i64,
    pub callee: String,
    pub agent: String,
    pub turn_ms: Option<i64>,
    pub method: String,
    pub interrupted: bool,
    pub drawn: String,
    /// Stages where they are known.
    pub stages: Vec<(&'static str, i64)>,
}

/// Who replied or spoke in it, what that took, and which tools were called.
pub struct Used {
    pub who: String,
    /// Tokens in and out, where somebody counted them.
    pub tokens: Option<(i64, i64)>,
    pub cost_micros: Option<i64>,
    pub tools: Vec<(String, bool)>,
}

#[derive(Template)]
#[template(path = "page/call_live.html")]
pub struct Live {
    s: Shell,
    call: Value,
    state: String,
    open: bool,
    steps: Vec<Step>,
    turns: Vec<Turn>,
    scale_ms: i64,
    answers: Vec<(String, String)>,
    used: Vec<Used>,
    /// Of the goal: what was reached, and what is missing.
    verdict: (Vec<String>, Vec<String>),
    why: Option<String>,
}

#[derive(Template)]
#[template(path = "page/call.html")]
struct CallPage {
    s: Shell,
    live: Live,
    campaign: String,
    single: bool,
    told: Option<Value>,
}

fn step(s: &Shell, happened: &Value) -> Step {
    let what = happened.text("what");
    let (mut said, mut class) = (Vec::new(), "");
    match what.as_str() {
        "granted" => {
            class = "on";
            said.push(format!("{} {}", s.t("session", "сеанс"), happened.text("session_id")));
        }
        "connected" => class = "on",
        "machine" => said.push(match happened.text("result").as_str() {
            "HUMAN" => s.t("a person", "человек").to_owned(),
            "VOICEMAIL" => s.t("an answering machine", "автоответчик").to_owned(),
            other => other.to_lowercase(),
        }),
        "opt_out" => {
            class = "bad";
            said.push(happened.text("text"));
        }
        "refused" | "unclear" | "not_dialled" => {
            class = "bad";
            said.push(happened.text("reason"));
        }
        "held" => {
            class = "warn";
            said.push(s.gate(happened.text("gate")));
            if let Some(until) = happened.at("until") {
                said.push(format!("{} {}", s.t("until", "до"), s.at(until)));
            }
        }
        "ended" => {
            class = if happened.text("outcome") == "answered" { "on" } else { "warn" };
            said.push(s.outcome(happened.text("outcome")));
            if happened.has("reason") {
                let code = if happened.has("code") { format!(" ({})", happened.text("code")) } else { String::new() };
                said.push(format!("{}{code}", happened.text("reason")));
            }
            said.push(match happened.text("hung_up_by").as_str() {
                "agent" => s.t("the agent hung up", "трубку положил агент").to_owned(),
                "callee" => s.t("the callee hung up", "трубку положил собеседник").to_owned(),
                _ => String::new(),
            });
        }
        _ => {}
    }
    said.retain(|text| !text.is_empty());
    Step {
        said: said.join(" · "),
        at: s.exact(happened.at("at")),
        at_ms: happened.find("at_ms").as_i64(),
        class,
        key: happened.text("id"),
        what: words::happened(&what, s.lang),
    }
}

fn turns(call: &Value) -> (Vec<Turn>, i64) {
    let rows = call.list("turns");
    let longest = rows.iter().map(|turn| turn.int("turn_ms")).max().unwrap_or(0);
    // Two seconds fill the ruler unless somebody waited longer: quick calls look quick.
    let scale_ms = longest.max(2000).div_euclid(500) * 500 + if longest % 500 == 0 { 0 } else { 500 };
    let mode = format!("m{}", words::mode_place(&call.text("mode")));
    let each = rows.iter().map(|turn| {
        let turn_ms = turn.find("turn_ms").as_i64();
        let part = turn_ms.map(|ms| (mode.as_str(), ms));
        let stages = [("asr_ms", "asr"), ("reply_ms", "reply"), ("model_ms", "model"), ("tts_ms", "tts")];
        Turn {
            nth: turn.int("turn"),
            callee: turn.text("callee_text"),
            agent: turn.text("agent_text"),
            turn_ms,
            method: turn.text("method"),
            interrupted: turn.yes("interrupted"),
            drawn: charts::bar(&part.into_iter().collect::<Vec<_>>(), scale_ms),
            stages: stages.iter().filter_map(|(key, name)| Some((*name, turn.find(key).as_i64()?))).collect(),
        }
    });
    (each.collect(), scale_ms)
}

/// Our replier over its turns, then each stream of a model that spoke.
fn used(call: &Value) -> Vec<Used> {
    let mut found: Vec<Used> = Vec::new();
    let tools = |row: &Value| -> Vec<(String, bool)> {
        row.list("tools").iter().map(|tool| (tool.text("name"), tool.text("result") != "refused")).collect()
    };
    for turn in call.list("dialogue") {
        let who = turn.text("replier");
        let place = found.iter().position(|used| used.who == who).unwrap_or_else(|| {
            found.push(Used { who, tokens: None, cost_micros: None, tools: Vec::new() });
            found.len() - 1
        });
        let used = &mut found[place];
        if turn.has("tokens") {
            let (before_in, before_out) = used.tokens.unwrap_or_default();
            used.tokens = Some((before_in + turn.int("tokens.in"), before_out + turn.int("tokens.out")));
        }
        if let Some(cost) = turn.find("cost_micros").as_i64() {
            *used.cost_micros.get_or_insert(0) += cost;
        }
        used.tools.extend(tools(turn));
    }
    for stream in call.list("streams") {
        let sum = |names: &[&str]| names.iter().map(|name| stream.int(&format!("tally.tokens.{name}"))).sum::<i64>();
        found.push(Used {
            who: stream.text("model"),
            tokens: Some((
                sum(&["text_in", "text_cached", "audio_in", "audio_cached"]),
                sum(&["text_out", "audio_out"]),
            )),
            cost_micros: stream.find("cost_micros").as_i64(),
            tools: tools(stream),
        });
    }
    found
}

impl Live {
    fn of(call: Value, why: Option<String>, s: Shell) -> Self {
        let steps =
            call.list("timeline").iter().filter(|it| it.text("what") != "turn").map(|it| step(&s, it)).collect();
        let (turns, scale_ms) = turns(&call);
        let answers = match call.find("call.answers") {
            Value::Object(answers) => answers.iter().map(|(key, value)| (key.clone(), value.text(""))).collect(),
            _ => Vec::new(),
        };
        let named = |path: &str| {
            let all = call.list(path).iter().filter_map(Value::as_str).map(str::to_owned);
            all.collect::<Vec<String>>()
        };
        let verdict = (named("verdict.reached"), named("verdict.missing_phases"));
        let (state, used) = (call.text("state"), used(&call));
        Live { open: state != "ended", state, steps, turns, scale_ms, answers, used, verdict, why, call, s }
    }
}

/// What became of the contact after this call, in words.
async fn why(visit: &Visit, call: &Value) -> Option<String> {
    if call.text("kind") == "single" || call.text("state") != "ended" {
        return None;
    }
    let why = visit.api.get(&format!("/contacts/{}/why", call.text("contact"))).await.ok()?;
    let s = Shell::bare(visit.lang, visit.theme, visit.zone, visit.now, "");
    let until = why.at("opens_at").map(|at| format!(" · {} {}", s.t("until", "до"), s.moment(at))).unwrap_or_default();
    let gate = why.text("gate");
    let outcome = why.text("outcome");
    let said = match visit.lang {
        words::Lang::En => why.text("why"),
        words::Lang::Ru if outcome.is_empty() => words::gate(&gate, visit.lang),
        words::Lang::Ru => format!("{}: {}", words::gate(&gate, visit.lang), s.outcome(&outcome)),
    };
    Some(format!("{said}{until}"))
}

async fn made(visit: &Visit, id: &str) -> Result<Response, Trouble> {
    let call = visit.api.get(&format!("/attempts/{}", encoded(id))).await?;
    let single = call.text("kind") == "single";
    let campaign = match single {
        true => String::new(),
        false => visit.api.get(&format!("/campaigns/{}", call.text("campaign"))).await?.text("name"),
    };
    let told = visit.api.get(&format!("/attempts/{}/told", call.text("id"))).await.ok();
    let title = format!("{} {}", visit.t("Call", "Звонок"), call.text("number"));
    let s = Shell::of(visit, if single { "call" } else { "campaigns" }, title).await?;
    let why = why(visit, &call).await;
    let live = Live::of(call, why, s.clone());
    Ok(shown(&CallPage { s, live, campaign, single, told }))
}

pub async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    made(&visit, &id).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

/// The part that lives, drawn anew while the call goes on.
pub async fn live(visit: Visit, Path(id): Path<String>) -> Response {
    let path = format!("/attempts/{}", encoded(&id));
    let shell = match (visit.api.get(&path).await, Shell::of(&visit, "call", "").await) {
        (Ok(_), Ok(shell)) => shell,
        (Err(trouble), _) | (_, Err(trouble)) => return visit.troubled(&trouble),
    };
    let place = match visit.watch() {
        Ok(place) => place,
        Err(response) => return response,
    };
    let begun = (visit, shell, path, String::new(), 0_u32, place);
    let drawn = stream::unfold(begun, |(visit, shell, path, mut last, mut nth, place)| async move {
        while nth <= DRAWINGS_MAX {
            if nth > 0 {
                let stopping = visit.stopping();
                tokio::select! {
                    () = stopping.cancelled() => return None,
                    () = tokio::time::sleep(DRAWN_EVERY) => {}
                }
            }
            nth += 1;
            let call = visit.api.get(&path).await.ok()?;
            let why = why(&visit, &call).await;
            let live = Live::of(call, why, shell.clone());
            let open = live.open;
            // An event knows no carriage return; a text of somebody else may hold one.
            let html = live.render().ok()?.replace('\r', " ");
            if !open {
                nth = DRAWINGS_MAX + 1;
            }
            if html != last {
                last.clone_from(&html);
                let event = Event::default().event(if open { "html" } else { "last" }).data(html);
                return Some((Ok::<_, Infallible>(event), (visit, shell, path, last, nth, place)));
            }
        }
        None
    });
    Sse::new(drawn).keep_alive(KeepAlive::default()).into_response()
}

pub async fn recording(visit: Visit, Path(id): Path<String>) -> Response {
    super::files::pass(&visit, &format!("/attempts/{}/recording", encoded(&id))).await
}

pub async fn log(visit: Visit, Path(id): Path<String>, _: HeaderMap) -> Response {
    super::files::pass(&visit, &format!("/attempts/{}/log", encoded(&id))).await
}

pub async fn hang_up(Path(id): Path<String>, posted: Posted) -> Response {
    let id = encoded(&id);
    match posted.visit.api.post(&format!("/attempts/{id}/hangup"), &Value::Null).await {
        Ok(_) => to(&format!("/calls/{id}")),
        Err(trouble) => posted.visit.troubled(&trouble),
    }
}

/// One way of talking to choose.
struct Choice {
    mode: String,
    name: String,
    told: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "page/order.html")]
struct Order {
    s: Shell,
    choices: Vec<Choice>,
    phone: String,
    prompt: String,
    voice: String,
    language: String,
    purpose: String,
    faults: Vec<String>,
    phone_fault: Option<String>,
}

#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    phone: String,
}

async fn form(visit: &Visit, fields: &Fields, trouble: Option<&Trouble>) -> Result<Order, Trouble> {
    let modes = visit.api.get("/modes").await?;
    let mut known: Vec<String> = modes.list("items").iter().map(|item| item.text("mode")).collect();
    known.sort_by_key(|mode| (words::mode_place(mode), mode.clone()));
    let chosen = fields.said("mode").unwrap_or("dialog").to_owned();
    let choices = known.into_iter().map(|mode| {
        let words = words::mode_choice(&mode, visit.lang);
        Choice {
            name: words.map_or_else(|| mode.clone(), |(name, _)| name.to_owned()),
            told: words.map_or("", |(_, told)| told),
            chosen: mode == chosen,
            mode,
        }
    });
    let mut faults = trouble.map(Trouble::lines).unwrap_or_default();
    let at = faults.iter().position(|fault| fault.starts_with("phone"));
    let phone_fault = at.map(|at| faults.remove(at));
    let s = Shell::of(visit, "call", visit.t("Call", "Звонок")).await?;
    Ok(Order {
        choices: choices.collect(),
        phone: fields.get("phone").to_owned(),
        prompt: fields.get("prompt").to_owned(),
        voice: fields.get("voice").to_owned(),
        language: fields.get("language").to_owned(),
        purpose: fields.said("purpose").unwrap_or("test").to_owned(),
        faults,
        phone_fault,
        s,
    })
}

pub async fn order(visit: Visit, Query(wanted): Query<Wanted>) -> Response {
    let mut fields = Fields::default();
    fields.put("phone", wanted.phone);
    match form(&visit, &fields, None).await {
        Ok(form) => shown(&form),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// «Позвонить».
pub async fn place(posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let mut order = json!({});
    for key in ["phone", "mode", "purpose", "prompt", "voice", "language"] {
        if let Some(value) = fields.said(key) {
            order[key] = value.into();
        }
    }
    match visit.api.post("/demo/session", &order).await {
        Ok(placed) => to(&format!("/calls/{}", placed.text("attempt"))),
        Err(trouble) if trouble.status.is_client_error() && trouble.status != StatusCode::UNAUTHORIZED => {
            match form(&visit, &fields, Some(&trouble)).await {
                Ok(form) => page(trouble.status, &form),
                Err(trouble) => visit.troubled(&trouble),
            }
        }
        Err(trouble) => visit.troubled(&trouble),
    }
}
