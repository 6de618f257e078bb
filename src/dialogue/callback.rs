//! "Call me in two hours": the instant that a callee asks for, as far as a rule can understand it.

use super::words::plain;
use crate::domain::Timestamp;
use chrono::{Days, TimeZone};
use chrono_tz::Tz;

/// No promise is made further ahead.
const MINUTES_MAX: i64 = 30 * 24 * 60;

/// When to call back; `None` when no time was understood.
pub fn asked_for(text: &str, zone: Tz, now: Timestamp) -> Option<Timestamp> {
    let heard = plain(text);
    let words: Vec<&str> = heard.split_whitespace().collect();
    for (place, word) in words.iter().enumerate() {
        let rest = &words[place + 1..];
        match *word {
            "завтра" | "tomorrow" => return tomorrow(zone, now),
            "через" | "in" => {
                if let Some(minutes) = distance(rest) {
                    return Some(now.plus_s(minutes * 60));
                }
            }
            _ => {}
        }
    }
    None
}

/// `2 часа`, `полчаса`, `час`, `an hour`, `twenty minutes`.
fn distance(words: &[&str]) -> Option<i64> {
    let unit = |word: &str| match word {
        "полчаса" => Some(30),
        w if w.starts_with("час") || w.starts_with("hour") => Some(60),
        w if w.starts_with("минут") || w.starts_with("minute") => Some(1),
        w if w.starts_with("день") || w.starts_with("дня") || w.starts_with("дней") || w.starts_with("day") => {
            Some(24 * 60)
        }
        w if w.starts_with("недел") || w.starts_with("week") => Some(7 * 24 * 60),
        _ => None,
    };
    let (&first, rest) = words.split_first()?;
    let minutes = match (unit(first), number(first)) {
        (Some(minutes), _) => minutes,
        (None, Some(n)) => n.checked_mul(unit(rest.first()?)?)?,
        (None, None) => return None,
    };
    (1..=MINUTES_MAX).contains(&minutes).then_some(minutes)
}

pub(super) fn number(word: &str) -> Option<i64> {
    const WORDS: &[(&str, i64)] = &[
        ("a", 1),
        ("an", 1),
        ("one", 1),
        ("один", 1),
        ("одну", 1),
        ("two", 2),
        ("два", 2),
        ("две", 2),
        ("пару", 2),
        ("three", 3),
        ("три", 3),
        ("four", 4),
        ("четыре", 4),
        ("five", 5),
        ("пять", 5),
        ("six", 6),
        ("шесть", 6),
        ("ten", 10),
        ("десять", 10),
        ("fifteen", 15),
        ("пятнадцать", 15),
        ("twenty", 20),
        ("двадцать", 20),
        ("thirty", 30),
        ("тридцать", 30),
    ];
    word.parse().ok().filter(|n| *n > 0).or_else(|| WORDS.iter().find(|(name, _)| *name == word).map(|(_, n)| *n))
}

/// The same wall time tomorrow; a day later where the clock does not show it.
fn tomorrow(zone: Tz, now: Timestamp) -> Option<Timestamp> {
    let wall = now.utc()?.with_timezone(&zone).naive_local().checked_add_days(Days::new(1))?;
    let at = zone.from_local_datetime(&wall).earliest().map(|at| Timestamp(at.timestamp_millis()));
    Some(at.unwrap_or_else(|| now.plus_s(24 * 3600)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Moscow;

    #[test]
    fn times_as_people_say_them() {
        let now = Timestamp::from("2026-11-20T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        for (text, minutes) in [
            ("Перезвоните через час", Some(60)),
            ("Давайте через 2 часа", Some(120)),
            ("через полчаса", Some(30)),
            ("через двадцать минут, пожалуйста", Some(20)),
            ("Лучше завтра", Some(24 * 60)),
            ("через неделю", Some(7 * 24 * 60)),
            ("call me in an hour", Some(60)),
            ("in ten minutes", Some(10)),
            ("tomorrow please", Some(24 * 60)),
            ("через забор", None),
            ("через 99999999 дней", None),
            ("позже", None),
        ] {
            assert_eq!(asked_for(text, Moscow, now), minutes.map(|m: i64| now.plus_s(m * 60)), "{text}");
        }
    }
}
