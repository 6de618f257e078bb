//! A campaign from a list: what the file turns out to be, what a run would come to, and the making of it.
//!
//! A form's words come before its file, so the file is passed on to the API piece by piece, whatever its size.

use super::asked::{Fields, TOKEN_FIELD, Visit};
use super::campaign::ZoneRow;
use super::charts;
use super::doors::{page, shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::Multipart;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};
use std::io;
use tokio::sync::{mpsc, oneshot};

const WORDS_CHARS_MAX: usize = 512 * 1024;
/// Pieces of a file that are on their way.
const PIECES: usize = 8;
const WEIGHT: &str = "weight_";
const DAYS: [(&str, &str); 3] = [("week", "mon-fri"), ("sat", "sat"), ("sun", "sun")];

struct Weight {
    mode: String,
    name: String,
    weight: String,
}

#[derive(Template)]
#[template(path = "page/new.html")]
struct New {
    s: Shell,
    fields: Fields,
    weights: Vec<Weight>,
    policies: Vec<String>,
    faults: Vec<String>,
}

impl New {
    /// What was typed, or what is usual.
    fn or(&self, name: &str, usual: &str) -> String {
        self.fields.said(name).unwrap_or(usual).to_owned()
    }
}

async fn form(visit: &Visit, fields: Fields, faults: Vec<String>) -> Result<New, Trouble> {
    let policies = visit.api.get("/policies").await?;
    let s = Shell::of(visit, "campaigns", visit.t("New campaign", "Новая кампания")).await?;
    let known = visit.api.get("/modes").await?;
    let mut modes: Vec<String> = known.list("items").iter().map(|row| row.text("mode")).collect();
    modes.sort_by_key(|mode| words::mode_place(mode));
    let typed = fields.said_behind(WEIGHT).next().is_some();
    let weights = modes.into_iter().map(|mode| Weight {
        name: words::mode_choice(&mode, visit.lang).map_or_else(|| mode.clone(), |(name, _)| name.to_owned()),
        weight: match fields.said(&format!("{WEIGHT}{mode}")) {
            Some(weight) => weight.to_owned(),
            None if mode == "dialog" && !typed => "1".to_owned(),
            None => "0".to_owned(),
        },
        mode,
    });
    let weights = weights.collect();
    Ok(New { s, weights, policies: policies.list("").iter().map(|p| p.text("name")).collect(), faults, fields })
}

pub async fn show(visit: Visit) -> Response {
    match form(&visit, Fields::default(), Vec::new()).await {
        Ok(form) => shown(&form),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// The campaign's settings as the API takes them.
fn settings(fields: &Fields) -> Value {
    let mut all = Map::new();
    for key in ["name", "purpose", "policy", "timezone", "region"] {
        if let Some(text) = fields.said(key) {
            all.insert(key.to_owned(), text.into());
        }
    }
    let weight = |(mode, weight): (&str, &str)| Some((mode.to_owned(), json!(whole(weight)?)));
    let modes: Map<String, Value> =
        fields.said_behind(WEIGHT).filter_map(weight).filter(|(_, weight)| weight.as_i64() != Some(0)).collect();
    if !modes.is_empty() {
        all.insert("modes".to_owned(), modes.into());
    }
    let mut days = Vec::new();
    for (key, name) in DAYS {
        let (from, until) = (fields.get(&format!("{key}_from")), fields.get(&format!("{key}_until")));
        if !from.is_empty() && !until.is_empty() {
            days.push(format!("{name} {from}-{until}"));
        }
    }
    if !days.is_empty() {
        all.insert("windows".to_owned(), json!({ "days": days }));
    }
    let mut dial = Map::new();
    for key in ["cps", "lines", "ring_s", "call_s"] {
        if let Some(text) = fields.said(key) {
            // What is no number is handed on as it is: the API says what is wrong with it.
            dial.insert(key.to_owned(), number(text));
        }
    }
    if fields.get("record") == "yes" {
        dial.insert("record".to_owned(), true.into());
    }
    all.insert("dial".to_owned(), dial.into());
    let mut retry = Map::new();
    if let Some(text) = fields.said("attempts_max") {
        retry.insert("attempts_max".to_owned(), number(text));
    }
    for key in ["busy", "no_answer"] {
        if let Some(text) = fields.said(key) {
            let each: Vec<&str> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
            retry.insert(key.to_owned(), json!(each));
        }
    }
    all.insert("retry".to_owned(), retry.into());
    if let Some(text) = fields.said("budget_run") {
        all.insert("budget".to_owned(), json!({ "run": number(text) }));
    }
    if let Some((hour, minute)) = fields.said("nightly").and_then(|text| text.split_once(':')) {
        let cron =
            format!("{} {} * * *", minute.trim_start_matches('0').max("0"), hour.trim_start_matches('0').max("0"));
        all.insert("schedule".to_owned(), json!({ "cron": cron, "take": fields.said("take").unwrap_or("unreached") }));
    }
    all.into()
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn number(text: &str) -> Value {
    if let Ok(n) = text.parse::<i64>() {
        return n.into();
    }
    text.replace(',', ".").parse::<f64>().map_or_else(|_| text.into(), |x| json!(x))
}

/// A form on its way: its words, and its file, still to come.
struct Coming {
    fields: Fields,
    file: Option<String>,
    pieces: mpsc::Receiver<io::Result<Bytes>>,
}

async fn coming(mut form: Multipart) -> Option<Coming> {
    let (tell, told) = oneshot::channel();
    let (send, pieces) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        let mut fields = Fields::default();
        let mut left = WORDS_CHARS_MAX;
        while let Ok(Some(mut field)) = form.next_field().await {
            let name = field.name().unwrap_or_default().to_owned();
            if name != "contacts" {
                let Ok(text) = field.text().await else { return };
                let Some(rest) = left.checked_sub(text.len()) else { return };
                left = rest;
                fields.put(&name, text);
                continue;
            }
            let file = field.file_name().map(str::to_owned).filter(|file| !file.is_empty());
            if tell.send((fields, file)).is_err() {
                return;
            }
            loop {
                let piece = match field.chunk().await {
                    Ok(Some(piece)) => Ok(piece),
                    Ok(None) => return,
                    Err(cause) => Err(io::Error::other(cause.to_string())),
                };
                let broken = piece.is_err();
                if send.send(piece).await.is_err() || broken {
                    return;
                }
            }
        }
        // Nobody is there to be told when the page has gone.
        let _ = tell.send((fields, None));
    });
    let (fields, file) = told.await.ok()?;
    Some(Coming { fields, file, pieces })
}

/// The API's own form: settings, script, and the list as it comes.
fn passed_on(coming: Coming) -> (HeaderValue, Body) {
    let seam = format!("halo{:032x}", rand::random::<u128>());
    let part =
        |name: &str, more: &str| format!("--{seam}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    let mut head = format!("{}{}\r\n", part("settings", ""), settings(&coming.fields));
    if let Some(script) = coming.fields.said("script") {
        head += &format!("{}{script}\r\n", part("script", ""));
    }
    let file: String = coming.file.unwrap_or_default().chars().filter(|c| !c.is_control() && *c != '"').collect();
    head += &part("contacts", &format!("; filename=\"{file}\""));
    let tail = format!("\r\n--{seam}--\r\n");
    let pieces = stream::unfold(coming.pieces, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    let whole = stream::once(async { Ok(Bytes::from(head)) }).chain(pieces);
    let whole = whole.chain(stream::once(async { Ok(Bytes::from(tail)) }));
    let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={seam}"));
    (kind.unwrap_or(HeaderValue::from_static("multipart/form-data")), Body::from_stream(whole))
}

struct Reason {
    bucket: String,
    field: String,
    reason: String,
    rows: i64,
    first: String,
}

struct Mapped {
    header: String,
    role: String,
}

struct Said {
    mode: String,
    phrase: String,
}

#[derive(Template)]
#[template(path = "page/checked.html")]
struct Checked {
    s: Shell,
    told: Value,
    bar: String,
    columns: Vec<Mapped>,
    reasons: Vec<Reason>,
    zones: Vec<ZoneRow>,
    said: Vec<Said>,
    ends: (Option<crate::domain::Timestamp>, Option<crate::domain::Timestamp>),
}

fn role(role: &Value, s: &Shell) -> String {
    let word = match role {
        Value::Object(one) => one.iter().next().map(|(key, n)| format!("{key} {n}")).unwrap_or_default(),
        other => other.text(""),
    };
    let told = match word.as_str() {
        "phone" => s.t("number", "номер"),
        "name" => s.t("name", "имя"),
        "timezone" => s.t("time zone", "часовой пояс"),
        "mode" => s.t("mode", "режим"),
        "external_id" => s.t("external id", "внешний id"),
        "variable" => s.t("for the script", "для сценария"),
        "ignored" => s.t("not used", "не используется"),
        _ => return word.replace('_', " "),
    };
    told.to_owned()
}

impl Checked {
    fn of(told: Value, s: Shell) -> Self {
        let count = |bucket: &str| told.int(&format!("buckets.{bucket}"));
        let parts = [("good", count("accepted")), ("warn", count("duplicate")), ("bad", count("refused"))];
        let reasons = told.list("reasons").iter().map(|row| Reason {
            bucket: row.text("bucket"),
            field: row.text("field"),
            reason: row.text("reason"),
            rows: row.int("rows"),
            first: row
                .list("first")
                .iter()
                .map(|first| format!("{} {}: {}", s.t("line", "строка"), first.int("line"), first.text("raw")))
                .collect::<Vec<_>>()
                .join(" · "),
        });
        let zones = told.list("zones").iter().map(|zone| ZoneRow {
            name: zone.text("timezone"),
            contacts: zone.int("contacts"),
            opens: match zone.at("opens_at") {
                Some(at) if at <= s.now => s.t("may be called now", "можно звонить сейчас").to_owned(),
                Some(at) => format!("{} {}", s.t("from", "с"), s.moment(at)),
                None => s.t("never within a year", "никогда в течение года").to_owned(),
            },
        });
        let first = told.list("prompts").first().map(|prompt| prompt.int("line"));
        let said = told.list("prompts").iter().filter(|prompt| Some(prompt.int("line")) == first);
        Checked {
            bar: charts::bar(&parts, told.int("rows")),
            columns: told
                .list("columns")
                .iter()
                .map(|column| Mapped { header: column.text("header"), role: role(column.find("role"), &s) })
                .collect(),
            reasons: reasons.collect(),
            zones: zones.collect(),
            said: said.map(|p| Said { mode: p.text("mode"), phrase: p.text("first_phrase") }).collect(),
            ends: (told.at("first_tries_end.soonest"), told.at("first_tries_end.latest")),
            told,
            s,
        }
    }
}

fn no_file(visit: &Visit) -> Trouble {
    let said = visit.t("Choose a list: a CSV or XLSX file.", "Выберите список: файл CSV или XLSX.");
    Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, said)
}

/// What the list would come to under these rules; a piece of a page for the script that asks.
pub async fn check(visit: Visit, form: Multipart) -> Response {
    let Some(coming) = coming(form).await else { return visit.forged() };
    if !visit.is_token(coming.fields.get(TOKEN_FIELD)) {
        return visit.forged();
    }
    let told = match coming.file {
        None => Err(no_file(&visit)),
        Some(_) => {
            let (kind, body) = passed_on(coming);
            visit.api.form("/campaigns/check", kind, body).await
        }
    };
    let s = Shell::bare(visit.lang, visit.theme, visit.zone, visit.now, &visit.here);
    match told {
        Ok(told) => shown(&Checked::of(told, s)),
        Err(trouble) => page(trouble.status, &Refused { s, faults: trouble.lines() }),
    }
}

#[derive(Template)]
#[template(path = "page/refused.html")]
struct Refused {
    s: Shell,
    faults: Vec<String>,
}

pub async fn make(visit: Visit, form: Multipart) -> Response {
    let Some(mut coming) = coming(form).await else { return visit.forged() };
    if !visit.is_token(coming.fields.get(TOKEN_FIELD)) {
        return visit.forged();
    }
    let fields = std::mem::take(&mut coming.fields);
    let made = match coming.file {
        None => Err(no_file(&visit)),
        Some(_) => {
            coming.fields = fields.clone();
            let (kind, body) = passed_on(coming);
            visit.api.form("/campaigns", kind, body).await
        }
    };
    match made {
        Ok(made) => to(&format!("/campaigns/{}/start", made.text("id"))),
        Err(trouble) if trouble.status == StatusCode::UNAUTHORIZED => visit.troubled(&trouble),
        Err(trouble) => match self::form(&visit, fields, trouble.lines()).await {
            Ok(form) => page(trouble.status, &form),
            Err(trouble) => visit.troubled(&trouble),
        },
    }
}

/// An example of a list.
pub async fn template(visit: Visit) -> Response {
    super::files::pass(&visit, &format!("/template.csv?language={}", visit.lang.as_str())).await.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_settings() {
        let text = "name=a&purpose=test&weight_dialog=2&weight_realtime=0&weight_greeting=1&week_from=09:00&\
                    week_until=20:00&sat_from=&sat_until=18:00&cps=2,5&lines=x&busy=5m, 30m&nightly=02:05&budget_run=";
        let made = settings(&Fields::read(text.as_bytes()));
        assert_eq!(made["modes"], json!({ "dialog": 2, "greeting": 1 }));
        assert_eq!(made["windows"], json!({ "days": ["mon-fri 09:00-20:00"] }));
        assert_eq!((&made["dial"]["cps"], &made["dial"]["lines"]), (&json!(2.5), &json!("x")));
        assert_eq!(made["retry"], json!({ "busy": ["5m", "30m"] }));
        assert_eq!((&made["schedule"]["cron"], made.get("budget")), (&json!("5 2 * * *"), None));
        let midnight = settings(&Fields::read(b"nightly=00:00"));
        assert_eq!(midnight["schedule"]["cron"], "0 0 * * *");
    }
}
