//! The comparison of a campaign's modes, night by night, and two nights beside each other; links that show it to somebody
//! without a key.

use super::asked::{Posted, Visit};
use super::client::encoded;
use super::doors::{page, shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;

pub struct Card {
    pub mode: String,
    pub state: String,
    pub word: &'static str,
    pub sentence: String,
    pub guardrails: Vec<String>,
}

/// A figure with its interval, of every mode.
pub struct Figure {
    pub label: &'static str,
    pub hint: &'static str,
    pub main: bool,
    pub cells: Vec<Cell>,
}

#[derive(Default)]
pub struct Cell {
    pub told: String,
    pub note: String,
}

pub struct Range {
    pub mode: String,
    pub told: String,
    pub drawn: String,
}

pub struct Night {
    pub number: i64,
    pub run: String,
    pub state: String,
    pub started: Option<Timestamp>,
    pub cells: Vec<Cell>,
}

pub struct Health {
    pub class: &'static str,
    pub text: String,
}

/// A link to the report.
pub struct Share {
    pub id: String,
    /// While it is good.
    pub url: String,
    pub lang: String,
    pub state: String,
    pub by: String,
    pub expires: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "page/report.html")]
struct ReportPage {
    s: Shell,
    id: String,
    name: String,
    notice: String,
    cards: Vec<Card>,
    modes: Vec<String>,
    figures: Vec<Figure>,
    ranges: Vec<Range>,
    top_ms: i64,
    nights: Vec<Night>,
    beside: Option<(Night, Night)>,
    chosen: (i64, i64),
    health: Vec<Health>,
    fine: usize,
    shares: Vec<Share>,
    /// Of the form for a link.
    days: String,
    faults: Vec<String>,
}

#[derive(Default, Deserialize)]
pub struct Chosen {
    /// Two nights to lay beside each other.
    #[serde(default)]
    one: i64,
    #[serde(default)]
    other: i64,
}

fn state_word(word: &str, s: &Shell) -> &'static str {
    match word {
        "invalid" => s.t("invalid", "недействительно"),
        "not_comparable" => s.t("not comparable", "несравнимо"),
        "interim" => s.t("interim", "промежуточно"),
        "success_worse" => s.t("success worse", "успех хуже"),
        "not_faster" => s.t("not faster", "не быстрее"),
        "no_difference_found" => s.t("no difference found", "разница не найдена"),
        "confirmed" => s.t("confirmed", "подтверждено"),
        _ => s.t("not settled", "не решено"),
    }
}

/// `42 %` of at least ten, `3 of 7` of fewer: a percentage of few would pretend to know.
pub fn rate(rate: &Value, s: &Shell) -> Cell {
    let (k, n) = (rate.int("k"), rate.int("n"));
    let of = format!("{} {} {}", words::grouped(k), s.t("of", "из"), words::grouped(n));
    match rate.find("estimate").as_f64().filter(|_| n >= 10) {
        None if n == 0 => Cell { told: "–".to_owned(), note: String::new() },
        None => Cell { told: of, note: String::new() },
        Some(share) => {
            let percent = |x: f64| words::decimal(x * 100.0, s.lang);
            let (lower, upper) = (rate.find("lower").as_f64(), rate.find("upper").as_f64());
            let limits = lower.zip(upper).map(|(l, u)| format!("{}–{}\u{a0}% · ", percent(l), percent(u)));
            Cell { told: format!("{}\u{a0}%", percent(share)), note: limits.unwrap_or_default() + &of }
        }
    }
}

pub fn ms(x: f64) -> String {
    words::grouped(x.round() as i64)
}

fn latency(arm: &Value, metric: &str, quantile: &str, s: &Shell) -> Cell {
    let Some(found) = arm.list("latencies").iter().find(|latency| latency.text("metric") == metric) else {
        return Cell { told: "–".to_owned(), note: String::new() };
    };
    let q = found.find(quantile);
    let unit = s.t("ms", "мс");
    let told = match q.find("estimate").as_f64() {
        Some(value) => format!("{}\u{a0}{unit}", ms(value)),
        None => "–".to_owned(),
    };
    let limits = q.find("lower").as_f64().zip(q.find("upper").as_f64());
    let limits = limits.map(|(l, u)| format!("{}–{} · ", ms(l), ms(u))).unwrap_or_default();
    Cell { told, note: format!("{limits}n = {}", words::grouped(found.int("n"))) }
}

fn figures(arms: &[Value], s: &Shell) -> Vec<Figure> {
    let rates = [
        (
            "success_rate",
            s.t("Success", "Успех"),
            s.t("goal reached, of those reached", "цель достигнута, из дозвонившихся"),
            true,
        ),
        ("reach_rate", s.t("Reached", "Дозвонились"), s.t("of those dialled", "из набранных"), false),
        ("conversation_rate", s.t("Talked", "Поговорили"), s.t("of those reached", "из дозвонившихся"), false),
        ("early_hangup_rate", s.t("Hung up early", "Рано положили трубку"), "", false),
        ("silent_rate", s.t("Silent agent", "Агент промолчал"), "", false),
        ("unanswered_turn_rate", s.t("Turns without a reply", "Реплики без ответа"), "", false),
        ("opt_out_rate", s.t("Asked not to be called", "Попросили не звонить"), "", false),
        ("fault_rate", s.t("Our faults", "Наши сбои"), "", false),
    ];
    let waits = [
        ("call_turn_ms", "p50", s.t("Wait for a reply, median call", "Ожидание ответа, медиана по звонкам"), true),
        ("turn_ms", "p95", s.t("Wait for a reply, 95 % of turns", "Ожидание ответа, 95 % реплик"), false),
        ("first_audio_ms", "p50", s.t("Until the first word, median", "До первого слова, медиана"), false),
        ("answer_ms", "p50", s.t("Until the answer, median", "До ответа абонента, медиана"), false),
    ];
    let mut all: Vec<Figure> = waits
        .into_iter()
        .map(|(metric, quantile, label, main)| Figure {
            label,
            hint: "",
            main,
            cells: arms.iter().map(|arm| latency(arm, metric, quantile, s)).collect(),
        })
        .collect();
    all.extend(rates.into_iter().map(|(key, label, hint, main)| Figure {
        label,
        hint,
        main,
        cells: arms.iter().map(|arm| rate(arm.find(&format!("rates.{key}")), s)).collect(),
    }));
    let counts = [
        ("contacts.dialled", s.t("People dialled", "Набрано людей")),
        ("human", s.t("Answered by people", "Ответили люди")),
    ];
    all.extend(counts.into_iter().map(|(key, label)| Figure {
        label,
        hint: "",
        main: false,
        cells: arms.iter().map(|arm| Cell { told: words::grouped(arm.int(key)), note: String::new() }).collect(),
    }));
    all
}

/// Median of each mode with its interval, on one ruler.
fn ranges(arms: &[Value], s: &Shell) -> (Vec<Range>, i64) {
    let found = |arm: &Value| {
        let latency = arm.list("latencies").iter().find(|l| l.text("metric") == "call_turn_ms")?;
        let q = latency.find("p50");
        let middle = q.find("estimate").as_f64()?;
        Some((q.find("lower").as_f64().unwrap_or(middle), middle, q.find("upper").as_f64().unwrap_or(middle)))
    };
    let top = arms.iter().filter_map(found).map(|(_, _, upper)| upper).fold(0.0, f64::max);
    let top_ms = super::charts::nice(top as i64).max(500);
    let at = |x: f64| x / top_ms as f64 * 1000.0;
    let each = arms.iter().filter_map(|arm| {
        let (lower, middle, upper) = found(arm)?;
        let m = words::mode_place(&arm.text("mode"));
        let mut drawn =
            r#"<svg class="range" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">"#.to_owned();
        let _ = write!(
            drawn,
            r#"<rect class="rail" x="0" y="11" width="1000" height="2"/><rect class="m{m} soft" x="{:.1}" y="6" width="{:.1}" height="12"/><rect class="m{m}" x="{:.1}" y="2" width="6" height="20"/></svg>"#,
            at(lower),
            (at(upper) - at(lower)).max(2.0),
            at(middle) - 3.0
        );
        Some(Range { mode: arm.text("mode"), told: format!("{}\u{a0}{}", ms(middle), s.t("ms", "мс")), drawn })
    });
    (each.collect(), top_ms)
}

fn night(row: &Value, modes: &[String], s: &Shell) -> Night {
    let cells = modes.iter().map(|mode| {
        let Some(arm) = row.list("arms").iter().find(|arm| arm.text("mode") == *mode) else { return Cell::default() };
        let median = arm.find("call_turn_ms.estimate").as_f64();
        let told = median.map_or("–".to_owned(), |x| format!("{}\u{a0}{}", ms(x), s.t("ms", "мс")));
        let goals = format!(
            "{} {} / {}",
            s.t("goals", "цели"),
            words::grouped(arm.int("contacts.goals")),
            words::grouped(arm.int("contacts.reached"))
        );
        Cell { told, note: goals }
    });
    Night {
        number: row.int("night"),
        run: row.text("run_id"),
        state: row.text("state"),
        started: row.at("started_at"),
        cells: cells.collect(),
    }
}

fn share_of(row: &Value) -> Share {
    Share {
        id: row.text("id"),
        url: row.text("url"),
        lang: row.text("lang"),
        state: row.text("state"),
        by: row.text("created_by"),
        expires: row.at("expires_at"),
    }
}

async fn made(visit: &Visit, name: &str, chosen: &Chosen) -> Result<ReportPage, Trouble> {
    let campaign = visit.api.get(&format!("/campaigns/{}", encoded(name))).await?;
    let id = campaign.text("id");
    let report = visit.api.get(&format!("/campaigns/{id}/report.json")).await?;
    let title = format!("{} · {}", visit.t("Report", "Отчёт"), campaign.text("name"));
    let s = Shell::of(visit, "campaigns", title).await?;
    let shares = match s.operates() {
        true => visit.api.get(&format!("/campaigns/{id}/report/shares")).await?,
        false => Value::Null,
    };
    let lang = s.lang.as_str();
    let sentence = |value: &Value| value.text(lang);
    let arms = report.list("arms");
    let modes: Vec<String> = arms.iter().map(|arm| arm.text("mode")).collect();
    let cards = report.list("verdicts").iter().map(|verdict| Card {
        mode: verdict.text("mode"),
        word: state_word(&verdict.text("state"), &s),
        state: verdict.text("state"),
        sentence: sentence(verdict.find("sentence")),
        guardrails: verdict.list("guardrails").iter().map(sentence).collect(),
    });
    let cards = cards.collect();
    let (ranges, top_ms) = ranges(arms, &s);
    let rows = report.list("nights");
    let find = |number: i64| rows.iter().find(|row| row.int("night") == number).map(|row| night(row, &modes, &s));
    let last = rows.last().map_or(0, |row| row.int("night"));
    let chosen = match (chosen.one, chosen.other) {
        (0, 0) => (last - 1, last),
        chosen => chosen,
    };
    let checks = report.list("health");
    let fine = checks.iter().filter(|check| check.text("light") == "good").count();
    let health = checks.iter().filter(|check| !matches!(check.text("light").as_str(), "good" | "not_checked"));
    let health = health.map(|check| Health {
        class: if check.text("light") == "warning" { "warn" } else { "bad" },
        text: sentence(check.find("text")),
    });
    Ok(ReportPage {
        name: campaign.text("name"),
        notice: sentence(report.find("notice")),
        cards,
        figures: figures(arms, &s),
        ranges,
        top_ms,
        beside: find(chosen.0).zip(find(chosen.1)).filter(|_| rows.len() > 1),
        nights: rows.iter().rev().map(|row| night(row, &modes, &s)).collect(),
        chosen,
        health: health.collect(),
        fine,
        shares: shares.list("items").iter().map(share_of).collect(),
        days: String::new(),
        faults: Vec::new(),
        modes,
        id,
        s,
    })
}

pub async fn show(visit: Visit, Path(name): Path<String>, Query(chosen): Query<Chosen>) -> Response {
    match made(&visit, &name, &chosen).await {
        Ok(report) => shown(&report),
        Err(trouble) => visit.troubled(&trouble),
    }
}

fn links(campaign: &str) -> String {
    format!("/campaigns/{}/report#shares", encoded(campaign))
}

/// A link for somebody without a key.
pub async fn share(Path(name): Path<String>, posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let typed = fields.get("days");
    let days = typed.parse::<i64>().map_or_else(|_| json!(typed), |days| json!(days));
    let order = match typed.is_empty() {
        true => json!({ "lang": fields.get("lang") }),
        false => json!({ "lang": fields.get("lang"), "days": days }),
    };
    let trouble = match visit.api.post(&format!("/campaigns/{}/report/share", encoded(&name)), &order).await {
        Ok(_) => return to(&links(&name)),
        Err(trouble) => trouble,
    };
    if !matches!(trouble.status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST) {
        return visit.troubled(&trouble);
    }
    match made(&visit, &name, &Chosen::default()).await {
        Ok(report) => page(trouble.status, &ReportPage { days: typed.to_owned(), faults: trouble.lines(), ..report }),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// The link shows nothing from now on.
pub async fn unshare(Path((name, share)): Path<(String, String)>, posted: Posted) -> Response {
    match posted.visit.api.delete(&format!("/shares/{}", encoded(&share))).await {
        Ok(_) => to(&links(&name)),
        Err(trouble) => posted.visit.troubled(&trouble),
    }
}
