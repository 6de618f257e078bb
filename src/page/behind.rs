//! The calls behind a figure of the report: the turns that were waited for longest, each with its call.

use super::asked::Visit;
use super::client::encoded;
use super::doors::shown;
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

struct Slow {
    call: String,
    night: i64,
    mode: String,
    turn: i64,
    waited: String,
    method: String,
    notes: String,
}

#[derive(Template)]
#[template(path = "page/behind.html")]
struct BehindPage {
    s: Shell,
    id: String,
    name: String,
    notice: String,
    told: String,
    turns: Vec<Slow>,
}

#[derive(Deserialize)]
pub struct Cell {
    #[serde(default)]
    mode: String,
    #[serde(default)]
    night: i64,
}

async fn made(visit: &Visit, name: &str, cell: &Cell) -> Result<Response, Trouble> {
    let campaign = visit.api.get(&format!("/campaigns/{}", encoded(name))).await?;
    let (id, name) = (campaign.text("id"), campaign.text("name"));
    let path = format!("/campaigns/{id}/report/calls?mode={}&night={}", encoded(&cell.mode), cell.night);
    let found = visit.api.get(&path).await?;
    let s =
        Shell::of(visit, "campaigns", format!("{} · {name}", visit.t("Slowest turns", "Самые долгие ответы"))).await?;
    let turns = found.list("slowest_turns").iter().map(|turn| {
        let waited = turn.find("turn_ms").as_i64();
        let mut notes = Vec::new();
        if turn.find("filler").as_bool() == Some(true) {
            notes.push(s.t("with a filler", "с заполнителем"));
        }
        if turn.find("interrupted").as_bool() == Some(true) {
            notes.push(s.t("spoken into", "перебит"));
        }
        Slow {
            call: turn.text("attempt_id"),
            night: turn.int("night"),
            mode: turn.text("mode"),
            turn: turn.int("turn"),
            waited: waited.map_or_else(
                || s.t("no reply", "без ответа").to_owned(),
                |ms| format!("{}\u{a0}{}", words::grouped(ms), s.t("ms", "мс")),
            ),
            method: turn.text("method"),
            notes: notes.join(", "),
        }
    });
    let turns = turns.collect();
    let night = (cell.night > 0).then(|| format!("{} {}", s.t("run", "запуск"), cell.night));
    let mode = (!cell.mode.is_empty()).then(|| cell.mode.clone());
    let told = mode.into_iter().chain(night).collect::<Vec<_>>().join(", ");
    let notice = found.find("notice").text(s.lang.as_str());
    Ok(shown(&BehindPage { id, name, notice, told, turns, s }))
}

pub async fn show(visit: Visit, Path(name): Path<String>, Query(cell): Query<Cell>) -> Response {
    made(&visit, &name, &cell).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}
