//! Schedules, the suppression list, what modes are told, and the set-up.

use super::asked::{Posted, Visit};
use super::client::encoded;
use super::doors::{page, shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::{Path, Query, RawQuery};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

pub struct Plan {
    pub campaign: String,
    pub name: String,
    pub cron: String,
    pub zone: String,
    pub take: String,
    pub overlap: &'static str,
    pub firings: Vec<String>,
    pub skipped: Vec<(String, String)>,
    pub waits: bool,
}

#[derive(Template)]
#[template(path = "page/schedules.html")]
struct Schedules {
    s: Shell,
    plans: Vec<Plan>,
}

async fn planned(visit: &Visit) -> Result<Response, Trouble> {
    let told = visit.api.get("/schedules").await?;
    let s = Shell::of(visit, "schedules", visit.t("Schedules", "Расписания")).await?;
    let mut plans = Vec::new();
    for row in told.list("") {
        let campaign = row.text("campaign");
        let name = visit.api.get(&format!("/campaigns/{campaign}")).await.map(|c| c.text("name")).unwrap_or_default();
        // A schedule's moments are told by its own clock.
        let mut own = s.clone();
        own.zone = row.text("timezone").parse().unwrap_or(s.zone);
        let moments = row.list("upcoming").iter().filter_map(|at| at.at(""));
        plans.push(Plan {
            campaign,
            name,
            cron: row.text("cron"),
            zone: row.text("timezone"),
            take: match row.text("take").as_str() {
                "all" => s.t("everybody", "всем").to_owned(),
                "unreached" => s.t("those not reached yet", "тем, до кого не дозвонились").to_owned(),
                other => other.replace("next", s.t("the next", "следующим")),
            },
            overlap: match row.text("overlap").as_str() {
                "skip" => {
                    s.t("skips a night while the last run is open", "пропускает ночь, пока открыт прошлый запуск")
                }
                "wait" => s.t("waits for the end of the last run", "ждёт конца прошлого запуска"),
                _ => s.t("ends the last run's open retries", "закрывает повторы прошлого запуска"),
            },
            firings: moments.map(|at| own.moment(at)).collect(),
            skipped: row
                .list("skipped")
                .iter()
                .take(3)
                .map(|skip| (skip.at("due_at").map_or(String::new(), |at| own.moment(at)), skip.text("reason")))
                .collect(),
            waits: row.has("waits_for"),
        });
    }
    Ok(shown(&Schedules { s, plans }))
}

pub async fn schedules(visit: Visit) -> Response {
    planned(&visit).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

#[derive(Template)]
#[template(path = "page/suppressions.html")]
struct Suppressions {
    s: Shell,
    rows: Vec<(String, Option<Timestamp>, String, String)>,
    next: String,
    asked: String,
    number: String,
    faults: Vec<String>,
}

#[derive(Default, Deserialize)]
pub struct Listed {
    #[serde(default)]
    find: String,
    #[serde(default)]
    after: String,
}

async fn list(visit: &Visit, listed: Listed, number: &str, faults: Vec<String>) -> Result<Suppressions, Trouble> {
    let mut path = format!("/suppressions?limit=100&q={}", encoded(&listed.find));
    if !listed.after.is_empty() {
        path += &format!("&after={}", encoded(&listed.after));
    }
    let told = visit.api.get(&path).await?;
    let s = Shell::of(visit, "suppressions", visit.t("Suppression list", "Стоп-лист")).await?;
    let row = |row: &Value| {
        let by = match row.text("by").as_str() {
            "callee" => s.t("the person", "сам человек").to_owned(),
            "operator" => s.t("an operator", "оператор").to_owned(),
            _ => String::new(),
        };
        (row.text("number"), row.at("since"), row.text("reason"), by)
    };
    let rows = told.list("items").iter().map(row).collect();
    Ok(Suppressions { rows, next: told.text("next"), asked: listed.find, number: number.to_owned(), faults, s })
}

pub async fn suppressions(visit: Visit, Query(listed): Query<Listed>) -> Response {
    match list(&visit, listed, "", Vec::new()).await {
        Ok(page) => shown(&page),
        Err(trouble) => visit.troubled(&trouble),
    }
}

pub async fn suppress(posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let mut order = json!({ "number": fields.get("number") });
    if let Some(reason) = fields.said("reason") {
        order["reason"] = reason.into();
    }
    match visit.api.post("/suppressions", &order).await {
        Ok(_) => to("/suppressions"),
        Err(trouble) if trouble.status.is_client_error() && trouble.status != StatusCode::UNAUTHORIZED => {
            match list(&visit, Listed::default(), fields.get("number"), trouble.lines()).await {
                Ok(form) => page(trouble.status, &form),
                Err(trouble) => visit.troubled(&trouble),
            }
        }
        Err(trouble) => visit.troubled(&trouble),
    }
}

pub async fn suppressions_file(visit: Visit, Path(kind): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    super::files::pass(&visit, &format!("/suppressions.{}{query}", encoded(&kind))).await
}

pub struct Told {
    pub mode: String,
    pub name: String,
    pub how: String,
    pub language: String,
    pub voice: String,
    pub phrase: String,
    pub instructions: String,
    pub tools: String,
}

#[derive(Template)]
#[template(path = "page/modes.html")]
struct Modes {
    s: Shell,
    campaigns: Vec<(String, String)>,
    chosen: String,
    line: Option<i64>,
    script: String,
    told: Vec<Told>,
}

#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    campaign: String,
}

async fn previewed(visit: &Visit, which: &Which) -> Result<Response, Trouble> {
    let campaigns = visit.api.get("/overview?limit=200").await?;
    let campaigns: Vec<(String, String)> =
        campaigns.list("items").iter().map(|item| (item.text("id"), item.text("name"))).collect();
    let chosen = match which.campaign.as_str() {
        "" => campaigns.first().map(|(id, _)| id.clone()).unwrap_or_default(),
        asked => asked.to_owned(),
    };
    let preview = match chosen.is_empty() {
        true => Value::Null,
        false => visit.api.get(&format!("/campaigns/{}/preview", encoded(&chosen))).await?,
    };
    let s = Shell::of(visit, "modes", visit.t("Modes and script", "Режимы и сценарий")).await?;
    let mut told: Vec<Told> = preview
        .list("items")
        .iter()
        .map(|item| {
            let mode = item.text("mode");
            let (name, how) = words::mode_choice(&mode, s.lang).unwrap_or(("", ""));
            Told {
                name: if name.is_empty() { mode.clone() } else { name.to_owned() },
                how: how.to_owned(),
                language: item.text("language"),
                voice: item.text("voice"),
                phrase: item.text("first_phrase"),
                instructions: item.text("instructions"),
                tools: item
                    .list("tools")
                    .iter()
                    .map(|tool| if tool.has("name") { tool.text("name") } else { tool.text("function.name") })
                    .collect::<Vec<_>>()
                    .join(", "),
                mode,
            }
        })
        .collect();
    told.sort_by_key(|told| (words::mode_place(&told.mode), told.mode.clone()));
    let line = preview.find("line").as_i64();
    Ok(shown(&Modes { s, campaigns, chosen, line, script: preview.text("script"), told }))
}

pub async fn modes(visit: Visit, Query(which): Query<Which>) -> Response {
    previewed(&visit, &which).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

pub struct Node {
    pub name: String,
    pub host: String,
    pub roles: String,
    pub alive: bool,
    pub here: bool,
    pub since: Option<Timestamp>,
}

pub struct Finding {
    pub check: String,
    pub level: String,
    pub told: String,
}

#[derive(Template)]
#[template(path = "page/setup.html")]
struct Setup {
    s: Shell,
    account: Value,
    /// A restore that waits to be confirmed.
    restored: Value,
    nodes: Vec<Node>,
    findings: Vec<Finding>,
    ok: bool,
    faults: Vec<String>,
}

async fn examined(visit: &Visit, faults: Vec<String>) -> Result<Setup, Trouble> {
    let account = visit.api.get("/account").await?;
    let nodes = visit.api.get("/nodes").await?;
    let setup = visit.api.get("/setup").await?;
    let restored = visit.api.get("/restore").await?;
    let s = Shell::of(visit, "setup", visit.t("Set-up", "Настройка")).await?;
    let nodes = nodes.list("").iter().map(|node| Node {
        name: node.text("node"),
        host: node.text("host"),
        roles: node.list("roles").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        alive: node.yes("alive"),
        here: node.yes("here"),
        since: node.at("started_at"),
    });
    let finding = |row: &Value| Finding { check: row.text("check"), level: row.text("level"), told: row.text("told") };
    let mut findings: Vec<Finding> = setup.list("findings").iter().map(finding).collect();
    let weight = |level: &str| match level {
        "failed" => 0,
        "warning" => 1,
        _ => 2,
    };
    findings.sort_by_key(|finding| weight(&finding.level));
    Ok(Setup { nodes: nodes.collect(), ok: setup.yes("ok"), findings, account, restored, faults, s })
}

pub async fn setup(visit: Visit) -> Response {
    match examined(&visit, Vec::new()).await {
        Ok(page) => shown(&page),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// Limits of the account; an empty field takes the limit away.
pub async fn limit(posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let said = |name: &str| match fields.said(name) {
        None => Value::Null,
        Some(text) => text.replace(',', ".").parse::<f64>().map_or_else(
            |_| json!(text),
            |x| {
                if x.fract() == 0.0 { json!(x as i64) } else { json!(x) }
            },
        ),
    };
    let limits = json!({ "cps": said("cps"), "lines": said("lines") });
    match visit.api.put("/account/limits", &limits).await {
        Ok(_) => to("/setup"),
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            match examined(&visit, trouble.lines()).await {
                Ok(form) => page(trouble.status, &form),
                Err(trouble) => visit.troubled(&trouble),
            }
        }
        Err(trouble) => visit.troubled(&trouble),
    }
}
