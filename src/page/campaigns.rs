//! The first page: every campaign with its newest run.

use super::asked::Visit;
use super::charts;
use super::client::encoded;
use super::doors::{Back, own, shown};
use super::look::Look;
use super::shell::{Line, Shell};
use super::trouble::Trouble;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

pub struct Row {
    pub id: String,
    pub name: String,
    pub contacts: i64,
    pub calls: i64,
    pub next_at: Option<Timestamp>,
    pub state: String,
    pub reason: String,
    pub run: String,
    pub ordinal: i64,
    pub since: Option<Timestamp>,
    pub taken: i64,
    pub rested: i64,
    pub live: i64,
    pub bar: String,
}

impl Row {
    fn of(item: &Value) -> Self {
        let run = item.find("run");
        let (taken, rested, answered) = (run.int("contacts"), run.int("rested"), run.int("answered"));
        let since = run.at("ended_at").or(run.at("changed_at"));
        Row {
            id: item.text("id"),
            name: item.text("name"),
            contacts: item.int("contacts"),
            calls: item.int("calls_24h"),
            next_at: item.at("next_at"),
            state: if run.is_null() { "none".to_owned() } else { run.text("state") },
            reason: run.text("reason"),
            run: run.text("id"),
            ordinal: run.int("ordinal"),
            since,
            taken,
            rested,
            live: run.int("live"),
            bar: charts::bar(&[("good", answered), ("rest", rested - answered)], taken),
        }
    }

    pub fn percent(&self) -> i64 {
        self.rested * 100 / self.taken.max(1)
    }
}

#[derive(Template)]
#[template(path = "page/campaigns.html")]
struct Campaigns {
    s: Shell,
    rows: Vec<Row>,
    next: String,
}

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    after: String,
}

async fn listed(visit: &Visit, page: &Page) -> Result<Response, Trouble> {
    let after = if page.after.is_empty() { String::new() } else { format!("?after={}", encoded(&page.after)) };
    let told = visit.api.get(&format!("/overview{after}")).await?;
    let s = Shell::of(visit, "campaigns", visit.t("Campaigns", "Кампании")).await?;
    Ok(shown(&Campaigns { s, rows: told.list("items").iter().map(Row::of).collect(), next: told.text("next") }))
}

pub async fn list(visit: Visit, Query(page): Query<Page>) -> Response {
    listed(&visit, &page).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

#[derive(Template)]
#[template(path = "page/line.html")]
struct LinePage {
    s: Shell,
    line: Line,
}

/// The line over everything, by itself: a script asks for it every few seconds.
pub async fn line(mut visit: Visit, Query(back): Query<Back>) -> Response {
    // Its forms come back to the page over which it stands.
    visit.here = own(&back.to).to_owned();
    match Shell::of(&visit, "", "").await {
        Ok(s) => match s.line.clone() {
            Some(line) => shown(&LinePage { s, line }),
            None => visit.forged(),
        },
        Err(trouble) => visit.troubled(&trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Role, Timestamp};
    use crate::page::words::Lang;
    use serde_json::json;

    /// The guard: `restored` in `Line::of`. What the API refuses until the restore is confirmed is not offered.
    #[test]
    fn over_a_restored_backup_stands_what_is_to_be_done() {
        let line = |restored: Option<&str>| {
            let mut s = Shell::bare(Lang::Ru, "auto", chrono_tz::UTC, Timestamp(0), "/");
            s.role = Role::Operator;
            let status = json!({ "dialling": false, "gate": "paused", "since": 0, "restored": restored });
            let line = Line::of(&status, &json!({ "paused": true, "reason": "night" }), &s);
            LinePage { s, line }.render().expect("a line")
        };
        let (after, plain) = (line(Some("restored from a backup: …")), line(None));
        assert!(after.contains("href=\"/setup\"") && !after.contains("/all/resume"), "{after}");
        assert!(after.contains("восстановлено из копии") && !after.contains("night"), "{after}");
        assert!(plain.contains("/all/resume") && plain.contains("night"), "{plain}");
    }
}
