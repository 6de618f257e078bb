//! `[schedule]`: when a campaign runs by itself.

use super::{or, zone};
use crate::domain::keys::Table;
use crate::domain::schedule::Cron;
use crate::domain::settings::{Missed, Overlap, Schedule, Take};
use chrono_tz::Tz;
use serde_json::{Value, json};

pub(super) fn read(table: Table<'_>, campaign_zone: Tz) -> Option<Schedule> {
    let cron = if table.has("cron") {
        table.parsed("cron", |text| text.parse::<Cron>().map(|_| text.to_owned()).map_err(|e| e.to_string()))
    } else {
        table.value("cron");
        table.refuse("cron", "missing", "write five fields, as in \"0 2 * * *\"");
        None
    };
    let timezone = or(&table, "timezone", zone, || campaign_zone);
    let take = or(&table, "take", take, || Take::Unreached);
    let overlap = or(&table, "overlap", overlap, || Overlap::EndPrevious);
    let missed = or(&table, "missed", missed, || Missed::Run);
    if (overlap, missed) == (Some(Overlap::Wait), Some(Missed::Skip)) {
        let found = "a firing that waits for the run before it is late by wish, and would be skipped for it";
        table.refuse("missed", found, "write missed = \"run\", or overlap = \"skip\"");
    }
    table.close(&[]);
    Some(Schedule { cron: cron?, timezone: timezone?, take: take?, overlap: overlap?, missed: missed? })
}

fn take(text: &str) -> Result<Take, String> {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["all"] => Ok(Take::All),
        ["unreached"] => Ok(Take::Unreached),
        ["next", n] => n.parse().ok().filter(|n| *n > 0).map(Take::Next).ok_or("write next and a number".to_owned()),
        _ => Err("write all, unreached, or next and a number, as in \"next 100\"".to_owned()),
    }
}

pub fn take_text(take: Take) -> String {
    match take {
        Take::All => "all".into(),
        Take::Unreached => "unreached".into(),
        Take::Next(n) => format!("next {n}"),
    }
}

fn overlap(text: &str) -> Result<Overlap, String> {
    let known = [Overlap::EndPrevious, Overlap::Skip, Overlap::Wait];
    known.into_iter().find(|o| overlap_text(*o) == text).ok_or("write end-previous, skip or wait".to_owned())
}

pub fn overlap_text(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::EndPrevious => "end-previous",
        Overlap::Skip => "skip",
        Overlap::Wait => "wait",
    }
}

fn missed(text: &str) -> Result<Missed, String> {
    let known = [Missed::Run, Missed::Skip];
    known.into_iter().find(|missed| missed_text(*missed) == text).ok_or("write run or skip".to_owned())
}

fn missed_text(missed: Missed) -> &'static str {
    match missed {
        Missed::Run => "run",
        Missed::Skip => "skip",
    }
}

pub(super) fn to_json(schedule: &Schedule) -> Value {
    json!({
        "cron": schedule.cron,
        "timezone": schedule.timezone.name(),
        "take": take_text(schedule.take),
        "overlap": overlap_text(schedule.overlap),
        "missed": missed_text(schedule.missed),
    })
}
