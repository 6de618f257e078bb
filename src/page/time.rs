//! Instants and spans as people read them.

use super::words::Lang;
use crate::domain::Timestamp;
use chrono::{Datelike, Timelike};
use chrono_tz::Tz;

const MONTHS_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_RU: [&str; 12] =
    ["янв.", "февр.", "мар.", "апр.", "мая", "июн.", "июл.", "авг.", "сент.", "окт.", "нояб.", "дек."];
const DAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAYS_RU: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

pub fn weekday(nth: usize, lang: Lang) -> &'static str {
    match lang {
        Lang::En => DAYS_EN[nth % 7],
        Lang::Ru => DAYS_RU[nth % 7],
    }
}

/// The clock alone on the day that it is there; otherwise with the day, and with the year when it is another.
pub fn instant(at: Timestamp, now: Timestamp, zone: Tz, lang: Lang, seconds: bool) -> String {
    let (Some(at), Some(now)) = (at.utc(), now.utc()) else { return "—".to_owned() };
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let clock = match seconds {
        true => format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()),
        false => format!("{:02}:{:02}", at.hour(), at.minute()),
    };
    if at.date_naive() == now.date_naive() {
        return clock;
    }
    let months = if lang == Lang::En { &MONTHS_EN } else { &MONTHS_RU };
    let month = months[at.month0() as usize];
    let year = if at.year() == now.year() { String::new() } else { format!(" {}", at.year()) };
    format!("{} {month}{year}, {clock}", at.day())
}

/// "пн, 23 нояб., 02:00": a moment to come.
pub fn moment(at: Timestamp, now: Timestamp, zone: Tz, lang: Lang) -> String {
    let Some(local) = at.utc().map(|utc| utc.with_timezone(&zone)) else { return "—".to_owned() };
    let day = weekday(local.weekday().num_days_from_monday() as usize, lang);
    let today = now.utc().is_some_and(|now| now.with_timezone(&zone).date_naive() == local.date_naive());
    let said = instant(at, now, zone, lang, false);
    match (today, lang) {
        (true, Lang::En) => format!("today, {said}"),
        (true, Lang::Ru) => format!("сегодня, {said}"),
        (false, _) => format!("{day}, {said}"),
    }
}

/// "1:05" of a call.
pub fn clock(ms: i64) -> String {
    let s = (ms / 1000).max(0);
    format!("{}:{:02}", s / 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_338_000_000);

    #[test]
    fn a_day_is_named_when_it_is_another() {
        let say = |ms: i64, lang| instant(NOW.plus_ms(ms), NOW, Tz::UTC, lang, false);
        assert_eq!(say(0, Lang::En).len(), 5);
        assert!(say(86_400_000 * 3, Lang::Ru).contains(", "));
        assert_eq!(clock(65_999), "1:05");
    }
}
