//! A report cut by a column, an hour, a zone, a list or a caller id; and the turns that were waited for longest.

use super::asked::Visit;
use super::client::encoded;
use super::doors::shown;
use super::look::Look;
use super::report::{Cell, ms, rate};
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

pub struct Choice {
    pub value: String,
    pub told: String,
}

pub struct Row {
    pub told: String,
    /// Of each mode, in their order; nothing where the slice has no call of it.
    pub cells: Vec<Option<Part>>,
}

pub struct Part {
    pub success: Cell,
    pub wait: String,
    pub dialled: i64,
    /// Where the slowest turns behind it are told.
    pub link: String,
    pub chosen: bool,
}

pub struct Turn {
    pub attempt: String,
    pub mode: String,
    pub night: i64,
    pub nth: i64,
    /// Nothing: nobody replied.
    pub turn_ms: Option<i64>,
    pub stages: Vec<(&'static str, i64)>,
    pub notes: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "page/slices.html")]
struct Slices {
    s: Shell,
    id: String,
    name: String,
    notice: String,
    caution: String,
    choices: Vec<Choice>,
    by: String,
    /// Days of the campaign's zone, as they were asked for.
    from: String,
    until: String,
    /// What was played before is left out.
    since: Option<Timestamp>,
    modes: Vec<String>,
    rows: Vec<Row>,
    left_out: i64,
    /// The cell whose turns are told, in words; empty for the whole campaign.
    of: String,
    turns: Vec<Turn>,
}

#[derive(Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    by: String,
    label: Option<String>,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
}

impl Asked {
    /// The span in the words of an address; empty where none is asked for.
    fn span(&self) -> String {
        let said = [("from", &self.from), ("until", &self.until)].into_iter().filter(|(_, day)| !day.is_empty());
        said.map(|(name, day)| format!("&{name}={}", encoded(day))).collect()
    }
}

/// By what it can be cut: what every call has, and the columns that the first person of the list brought.
async fn choices(visit: &Visit, id: &str, s: &Shell) -> Result<Vec<Choice>, Trouble> {
    let choice = |value: &str, told: &str| Choice { value: value.to_owned(), told: told.to_owned() };
    let mut choices = vec![
        choice("hour", s.t("hour of the day", "час суток")),
        choice("zone", s.t("time zone", "часовой пояс")),
        choice("list", s.t("list", "список")),
        choice("caller_id", s.t("caller id", "номер звонящего")),
    ];
    let first = visit.api.get(&format!("/campaigns/{id}/contacts?limit=1")).await?;
    if let Some(contact) = first.list("items").first().map(|row| row.text("id")) {
        let person = visit.api.get(&format!("/people/{contact}")).await?;
        let own = person.list("contacts").iter().find(|row| row.text("contact") == contact);
        let columns = own.and_then(|row| row.find("variables").as_object());
        let of = s.t("column", "колонка");
        choices.extend(
            columns
                .into_iter()
                .flat_map(|columns| columns.keys())
                .map(|name| choice(&format!("column:{name}"), &format!("{of} {name}"))),
        );
    }
    Ok(choices)
}

/// A slice as people read it.
fn told(label: &str, by: &str, campaign: &Value, s: &Shell) -> String {
    if label.is_empty() {
        return s.t("not said", "не указано").to_owned();
    }
    match by {
        "hour" => format!("{label}:00–{label}:59"),
        "list" => {
            let list = campaign.list("imports").iter().find(|list| list.text("batch") == label);
            list.map_or(label.to_owned(), |list| format!("{}. {}", list.int("ordinal"), list.text("source")))
        }
        _ => label.to_owned(),
    }
}

fn median(latency: &Value, s: &Shell) -> String {
    let estimate = latency.find("p50.estimate").as_f64();
    estimate.map_or("–".to_owned(), |x| format!("{}\u{a0}{}", ms(x), s.t("ms", "мс")))
}

/// The address of the same page with a cell chosen.
fn link(id: &str, by: &str, label: &str, mode: &str, span: &str) -> String {
    let (by, label, mode) = (encoded(by), encoded(label), encoded(mode));
    format!("/campaigns/{id}/report/slices?by={by}&label={label}&mode={mode}{span}#slowest")
}

fn turn(row: &Value, s: &Shell) -> Turn {
    let stages = [
        ("asr_ms", s.t("recognition", "распознавание")),
        ("reply_ms", s.t("reply", "ответ")),
        ("model_ms", s.t("model", "модель")),
        ("tts_ms", s.t("synthesis", "синтез")),
    ];
    let notes = [
        ("filler", s.t("a filler was said first", "сначала прозвучала заглушка")),
        ("interrupted", s.t("interrupted", "перебит")),
    ];
    Turn {
        attempt: row.text("attempt_id"),
        mode: row.text("mode"),
        night: row.int("night"),
        nth: row.int("turn"),
        turn_ms: row.find("turn_ms").as_i64(),
        stages: stages.into_iter().filter(|(key, _)| row.has(key)).map(|(key, told)| (told, row.int(key))).collect(),
        notes: notes.into_iter().filter(|(key, _)| row.yes(key)).map(|(_, told)| told).collect(),
    }
}

async fn made(visit: &Visit, name: &str, asked: &Asked) -> Result<Response, Trouble> {
    let campaign = visit.api.get(&format!("/campaigns/{}", encoded(name))).await?;
    let id = campaign.text("id");
    let title = format!("{} · {}", visit.t("Slices", "Срезы"), campaign.text("name"));
    let s = Shell::of(visit, "campaigns", title).await?;
    let lang = s.lang.as_str();
    let (by, span) = (asked.by.as_str(), asked.span());
    let cut = match by {
        "" => Value::Null,
        by => visit.api.get(&format!("/campaigns/{id}/report/slices?by={}{span}", encoded(by))).await?,
    };
    let mut modes: Vec<String> =
        cut.list("slices").iter().flat_map(|slice| slice.list("cells")).map(|cell| cell.text("mode")).collect();
    modes.sort_by_key(|mode| (words::mode_place(mode), mode.clone()));
    modes.dedup();
    let row = |slice: &Value| {
        let label = slice.text("label");
        let part = |mode: &String| {
            let cell = slice.list("cells").iter().find(|cell| cell.text("mode") == *mode)?;
            Some(Part {
                success: rate(cell.find("success_rate"), &s),
                wait: median(cell.find("call_turn_ms"), &s),
                dialled: cell.int("dialled"),
                link: link(&id, by, &label, mode, &span),
                chosen: asked.label.as_ref() == Some(&label) && asked.mode == *mode,
            })
        };
        Row { told: told(&label, by, &campaign, &s), cells: modes.iter().map(part).collect() }
    };
    let rows: Vec<Row> = cut.list("slices").iter().map(row).collect();
    let (behind, of) = match asked.label.as_deref().filter(|_| !by.is_empty()) {
        None => (format!("?{}", span.trim_start_matches('&')), String::new()),
        Some(label) => (
            format!("?by={}&label={}&mode={}{span}", encoded(by), encoded(label), encoded(&asked.mode)),
            format!("{} · {}", told(label, by, &campaign, &s), asked.mode),
        ),
    };
    let slowest = visit.api.get(&format!("/campaigns/{id}/report/calls{behind}")).await?;
    Ok(shown(&Slices {
        name: campaign.text("name"),
        notice: slowest.find("notice").text(lang),
        caution: cut.find("caution").text(lang),
        choices: choices(visit, &id, &s).await?,
        by: by.to_owned(),
        from: asked.from.clone(),
        until: asked.until.clone(),
        since: cut.at("since"),
        left_out: cut.int("left_out"),
        turns: slowest.list("slowest_turns").iter().map(|row| turn(row, &s)).collect(),
        modes,
        rows,
        of,
        id,
        s,
    }))
}

pub async fn show(visit: Visit, Path(name): Path<String>, Query(asked): Query<Asked>) -> Response {
    made(&visit, &name, &asked).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}
