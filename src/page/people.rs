//! The search over all campaigns, and the person behind a contact.

use super::asked::{Posted, Visit};
use super::client::encoded;
use super::doors::{shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

pub struct FoundRow {
    pub contact: String,
    pub number: String,
    pub name: String,
    pub external_id: String,
    pub campaign: String,
    pub campaign_id: String,
    pub mode: String,
    pub suppressed: bool,
    pub stands: String,
}

impl FoundRow {
    fn of(item: &Value, s: &Shell) -> Self {
        let stands = match (item.text("disposition"), item.text("gate"), item.at("due_at")) {
            (disposition, _, _) if !disposition.is_empty() => s.outcome(&disposition),
            (_, gate, Some(at)) if !gate.is_empty() => format!("{} · {}", s.gate(&gate), s.at(at)),
            (_, _, Some(_)) => s.t("waits its turn", "ждёт очереди").to_owned(),
            _ => s.t("in no run", "ни в одном запуске").to_owned(),
        };
        FoundRow {
            contact: item.text("contact"),
            number: item.text("number"),
            name: item.text("name"),
            external_id: item.text("external_id"),
            campaign: item.text("campaign_name"),
            campaign_id: item.text("campaign"),
            mode: item.text("mode"),
            suppressed: item.yes("suppressed"),
            stands,
        }
    }
}

#[derive(Template)]
#[template(path = "page/people.html")]
struct Found {
    s: Shell,
    rows: Vec<FoundRow>,
    next: String,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

async fn searched(visit: &Visit, asked: &Asked) -> Result<Response, Trouble> {
    let q: String = asked.q.chars().take(200).collect();
    let mut path = format!("/people?q={}", encoded(&q));
    if !asked.after.is_empty() {
        path += &format!("&after={}", encoded(&asked.after));
    }
    let found = visit.api.get(&path).await?;
    let mut s = Shell::of(visit, "people", visit.t("Search", "Поиск")).await?;
    s.q = q;
    let rows: Vec<FoundRow> = found.list("items").iter().map(|item| FoundRow::of(item, &s)).collect();
    Ok(shown(&Found { next: found.text("next"), rows, s }))
}

pub async fn search(visit: Visit, Query(asked): Query<Asked>) -> Response {
    searched(&visit, &asked).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

pub struct TryRow {
    pub attempt: String,
    pub campaign: String,
    pub run: String,
    pub single: bool,
    pub mode: String,
    pub state: String,
    pub outcome: String,
    pub at: Option<Timestamp>,
    pub talk_ms: Option<i64>,
    pub goal: bool,
}

pub struct InCampaign {
    pub row: FoundRow,
    pub line: i64,
    pub variables: Vec<(String, String)>,
    pub consent: Option<(String, Option<Timestamp>, String)>,
    pub why: String,
}

#[derive(Template)]
#[template(path = "page/person.html")]
struct PersonPage {
    s: Shell,
    id: String,
    name: String,
    number: String,
    standing: Value,
    erased: bool,
    campaigns: Vec<InCampaign>,
    tries: Vec<TryRow>,
}

async fn made(visit: &Visit, contact: &str) -> Result<Response, Trouble> {
    let person = visit.api.get(&format!("/people/{}", encoded(contact))).await?;
    let number = person.text("number");
    let standing = visit.api.get(&format!("/numbers/{}", encoded(contact))).await?;
    let erased = person.yes("erased");
    let otherwise = || if erased { visit.t("Erased", "Стёрт").to_owned() } else { number.clone() };
    let name = Some(person.text("name")).filter(|name| !name.is_empty()).unwrap_or_else(otherwise);
    let s = Shell::of(visit, "people", name.clone()).await?;
    let mut campaigns = Vec::new();
    for item in person.list("contacts") {
        let why = visit.api.get(&format!("/contacts/{}/why", item.text("contact"))).await;
        let why = why.map(|why| match visit.lang {
            super::words::Lang::En => why.text("why"),
            super::words::Lang::Ru => s.gate(why.text("gate")),
        });
        let variables = match item.find("variables") {
            Value::Object(all) => all.iter().map(|(key, value)| (key.clone(), value.text(""))).collect(),
            _ => Vec::new(),
        };
        let consent = item.find("consent");
        campaigns.push(InCampaign {
            row: FoundRow::of(item, &s),
            line: item.int("line"),
            variables,
            consent: consent.has("kind").then(|| (consent.text("kind"), consent.at("at"), consent.text("source"))),
            why: why.unwrap_or_default(),
        });
    }
    let tries = person.list("attempts").iter().map(|row| TryRow {
        attempt: row.text("id"),
        campaign: row.text("campaign_name"),
        run: row.text("run"),
        single: row.text("kind") == "single",
        mode: row.text("mode"),
        state: row.text("state"),
        outcome: row.text("outcome"),
        at: row.at("dialed_at").or(row.at("ended_at")),
        talk_ms: row.find("talk_ms").as_i64(),
        goal: row.yes("goal"),
    });
    let tries = tries.collect();
    Ok(shown(&PersonPage { id: person.text("id"), name, number, standing, erased, campaigns, tries, s }))
}

pub async fn show(visit: Visit, Path(contact): Path<String>) -> Response {
    made(&visit, &contact).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

/// Onto the suppression list or off it, onto the allow-list or off it; erased.
pub async fn act(Path((contact, act)): Path<(String, String)>, posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let done = async {
        let person = visit.api.get(&format!("/people/{}", encoded(&contact))).await?;
        let number = person.text("number");
        let path = encoded(&number);
        let reason = fields.said("reason").map(encoded).map(|reason| format!("?reason={reason}")).unwrap_or_default();
        match act.as_str() {
            "suppress" => {
                let mut order = json!({ "number": number });
                if let Some(reason) = fields.said("reason") {
                    order["reason"] = reason.into();
                }
                visit.api.post("/suppressions", &order).await
            }
            "lift" => visit.api.delete(&format!("/suppressions/{path}{reason}")).await,
            "allow" => visit.api.put(&format!("/numbers/{path}/allow-list"), &json!({})).await,
            "erase" => visit.api.delete(&format!("/numbers/{}", encoded(&contact))).await,
            "forbid" => visit.api.delete(&format!("/numbers/{path}/allow-list")).await,
            _ => Err(Trouble::new(
                axum::http::StatusCode::NOT_FOUND,
                visit.t("There is no such order.", "Такого распоряжения нет."),
            )),
        }
    };
    match done.await {
        Ok(_) => to(&format!("/people/{}", encoded(&contact))),
        Err(trouble) => visit.troubled(&trouble),
    }
}
