//! One campaign: its people, its rules, its runs, its files; and the question before a start.

use super::asked::{Posted, Visit};
use super::charts;
use super::client::encoded;
use super::doors::{shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};

pub struct RunRow {
    pub id: String,
    pub ordinal: i64,
    pub state: String,
    pub reason: String,
    pub started: Option<Timestamp>,
    pub contacts: i64,
    pub rested: i64,
    pub answered: i64,
    pub open: bool,
    pub bar: String,
}

impl RunRow {
    fn of(run: &Value) -> Self {
        let outcomes = run.list("outcomes");
        let answered =
            outcomes.iter().filter(|row| row.text("outcome") == "answered").map(|row| row.int("attempts")).sum();
        let (contacts, rested) = (run.int("progress.contacts"), run.int("progress.rested"));
        let state = run.text("state");
        RunRow {
            id: run.text("id"),
            ordinal: run.int("ordinal"),
            reason: run.text("state_reason"),
            started: run.at("started_at"),
            contacts,
            rested,
            answered,
            open: !matches!(state.as_str(), "completed" | "stopped"),
            bar: charts::bar(&[("good", answered), ("rest", rested - answered)], contacts),
            state,
        }
    }
}

pub struct ListRow {
    pub ordinal: i64,
    pub source: String,
    pub at: Option<Timestamp>,
    pub rows: i64,
    pub accepted: i64,
    pub duplicates: i64,
    pub refused: i64,
    pub bar: String,
}

/// A mode and its part of the split.
pub struct Arm {
    pub mode: String,
    pub share: String,
}

pub struct Day {
    pub name: &'static str,
    pub hours: String,
    pub drawn: String,
}

/// The windows of a week, drawn.
pub fn days(settings: &Value, s: &Shell) -> Vec<Day> {
    let lines: Vec<String> =
        settings.list("windows.days").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let hours = |open: &[(u32, u32)]| {
        let each = open
            .iter()
            .map(|(from, until)| format!("{:02}:{:02}–{:02}:{:02}", from / 60, from % 60, until / 60, until % 60));
        let told: Vec<String> = each.collect();
        if told.is_empty() { s.t("closed", "закрыто").to_owned() } else { told.join(", ") }
    };
    let week = charts::week(&lines);
    let each = week.iter().enumerate();
    each.map(|(nth, open)| Day {
        name: super::time::weekday(nth, s.lang),
        hours: hours(open),
        drawn: charts::day(open),
    })
    .collect()
}

pub fn arms(settings: &Value, s: &Shell) -> Vec<Arm> {
    let modes: Vec<(String, f64)> = match settings.find("modes") {
        Value::Object(modes) => modes.iter().map(|(mode, weight)| (mode.clone(), weight.num(""))).collect(),
        _ => vec![(settings.text("mode"), 1.0)],
    };
    let total: f64 = modes.iter().map(|(_, weight)| weight).sum();
    let share = |weight: f64| format!("{}\u{a0}%", words::decimal(weight * 100.0 / total.max(0.001), s.lang));
    modes.into_iter().filter(|(mode, _)| !mode.is_empty()).map(|(mode, w)| Arm { mode, share: share(w) }).collect()
}

/// "5m, 30m, next-day" of a list of delays.
fn delays(settings: &Value, path: &str) -> String {
    let told: Vec<&str> = settings.list(path).iter().filter_map(Value::as_str).collect();
    if told.is_empty() { "—".to_owned() } else { told.join(", ") }
}

#[derive(Template)]
#[template(path = "page/campaign.html")]
struct Campaign {
    s: Shell,
    id: String,
    name: String,
    settings: Value,
    hindrances: Vec<String>,
    lists: Vec<ListRow>,
    runs: Vec<RunRow>,
    arms: Vec<Arm>,
    days: Vec<Day>,
    retries: Vec<(String, String)>,
    open_run: Option<String>,
}

async fn told(visit: &Visit, name: &str) -> Result<Campaign, Trouble> {
    let told = visit.api.get(&format!("/campaigns/{}", encoded(name))).await?;
    let id = told.text("id");
    let mut runs: Vec<RunRow> =
        visit.api.get(&format!("/campaigns/{id}/runs")).await?.list("").iter().map(RunRow::of).collect();
    runs.reverse();
    let s = Shell::of(visit, "campaigns", told.text("name")).await?;
    let lists: Vec<ListRow> = told
        .list("imports")
        .iter()
        .map(|list| {
            let (accepted, duplicates, refused) = (list.int("accepted"), list.int("duplicates"), list.int("refused"));
            ListRow {
                ordinal: list.int("ordinal"),
                source: list.text("source"),
                at: list.at("imported_at"),
                rows: accepted + duplicates + refused,
                accepted,
                duplicates,
                refused,
                bar: charts::bar(&[("good", accepted), ("warn", duplicates), ("bad", refused)], 0),
            }
        })
        .collect();
    let settings = told.find("settings").clone();
    let retries = ["busy", "no_answer", "unavailable", "network_error", "machine", "rejected"];
    Ok(Campaign {
        id,
        name: told.text("name"),
        hindrances: told.list("hindrances").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        open_run: runs.iter().find(|run| run.open).map(|run| run.id.clone()),
        arms: arms(&settings, &s),
        days: days(&settings, &s),
        retries: retries
            .iter()
            .map(|outcome| (s.outcome(outcome), delays(&settings, &format!("retry.{outcome}"))))
            .collect(),
        lists,
        runs,
        settings,
        s,
    })
}

pub async fn show(visit: Visit, Path(name): Path<String>) -> Response {
    match told(&visit, &name).await {
        Ok(page) => shown(&page),
        Err(trouble) => visit.troubled(&trouble),
    }
}

pub struct ZoneRow {
    pub name: String,
    pub contacts: i64,
    pub opens: String,
}

#[derive(Template)]
#[template(path = "page/start.html")]
struct Confirm {
    s: Shell,
    id: String,
    name: String,
    outlook: Value,
    zones: Vec<ZoneRow>,
    people: i64,
    hindrances: Vec<String>,
    fault: Vec<String>,
    ends: (Option<Timestamp>, Option<Timestamp>),
    open_run: Option<String>,
    /// What the comparison can decide, the expensive thing first; nothing where nothing is compared.
    plan: Vec<String>,
    cautions: Vec<String>,
}

async fn question(visit: &Visit, name: &str, fault: Vec<String>) -> Result<Response, Trouble> {
    let campaign = visit.api.get(&format!("/campaigns/{}", encoded(name))).await?;
    let id = campaign.text("id");
    let outlook = visit.api.get(&format!("/campaigns/{id}/outlook")).await?;
    let runs = visit.api.get(&format!("/campaigns/{id}/runs")).await?;
    let compares = campaign.find("settings.modes").as_object().is_some_and(|modes| modes.len() > 1);
    let plan = match compares {
        true => visit.api.get(&format!("/campaigns/{id}/plan")).await?,
        false => Value::Null,
    };
    let over = |run: &Value| matches!(run.text("state").as_str(), "completed" | "stopped");
    let s = Shell::of(visit, "campaigns", campaign.text("name")).await?;
    let zones = outlook.list("zones").iter().map(|zone| ZoneRow {
        name: zone.text("timezone"),
        contacts: zone.int("contacts"),
        opens: match zone.at("opens_at") {
            Some(at) if at <= visit.now => s.t("may be called now", "можно звонить сейчас").to_owned(),
            Some(at) => format!("{} {}", s.t("from", "с"), s.moment(at)),
            None => s.t("never within a year", "никогда в течение года").to_owned(),
        },
    });
    let sentences = |of: &str| plan.list(of).iter().map(|text| text.text(s.lang.as_str())).collect();
    Ok(shown(&Confirm {
        plan: sentences("told"),
        cautions: sentences("cautions"),
        zones: zones.collect(),
        people: outlook.int("contacts"),
        hindrances: campaign.list("hindrances").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ends: (outlook.at("first_tries_end.soonest"), outlook.at("first_tries_end.latest")),
        open_run: runs.list("").iter().rev().find(|run| !over(run)).map(|run| run.text("id")),
        name: campaign.text("name"),
        id,
        outlook,
        fault,
        s,
    }))
}

pub async fn confirm(visit: Visit, Path(name): Path<String>) -> Response {
    question(&visit, &name, Vec::new()).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

pub async fn start(Path(name): Path<String>, posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let mut order = json!({ "by": "admin page" });
    if let Some(reason) = fields.said("reason") {
        order["reason"] = reason.into();
    }
    if let Ok(after) = fields.get("hold_after").parse::<u32>() {
        order["hold_after"] = after.into();
    }
    match visit.api.post(&format!("/campaigns/{}/runs", encoded(&name)), &order).await {
        Ok(run) => to(&format!("/runs/{}", run.text("id"))),
        Err(trouble) if trouble.status.is_client_error() && trouble.status.as_u16() != 401 => {
            question(&visit, &name, trouble.lines()).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
        }
        Err(trouble) => visit.troubled(&trouble),
    }
}
