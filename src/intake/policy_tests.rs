//! What the policies that ship let open, and which files are none.

use super::*;
use crate::domain::calendar::{is_open, next_open};
use chrono_tz::{America::New_York, Europe::Moscow, Tz};

fn at(text: &str) -> crate::domain::Timestamp {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

#[test]
fn every_policy_that_ships_can_be_read() {
    for name in names() {
        let policy = find(name).unwrap();
        let calendars = policy.clone().calendars();
        assert!(next_open(calendars.iter(), Moscow, at("2026-11-20T00:00:00Z")).is_some(), "{name} never opens");
        for rule in &policy.rules {
            assert!(rule.clause.len() > 5 && rule.source.len() > 10, "{name} hides a source");
            // Nobody read a law for this project yet; its own decisions need no reading.
            assert_eq!(rule.unverified, !rule.source.starts_with("this project"), "{name}: {}", rule.says);
        }
        assert_eq!(policy.to_json()["rules"].as_array().unwrap().len(), policy.rules.len());
    }
    assert_eq!(find("ru"), None);
    let schema: Value = serde_json::from_str(include_str!("../../campaigns/campaign.schema.json")).unwrap();
    assert_eq!(schema["properties"]["policy"]["enum"], json!(names()));
}

#[test]
fn hours() {
    let moscow = |text: &str| format!("{text}:00+03:00");
    let york = |text: &str| format!("{text}:00-05:00");
    for (name, zone, instant, open) in [
        ("safe", Moscow, moscow("2026-11-20T08:59"), false),
        ("safe", Moscow, moscow("2026-11-20T09:00"), true),
        ("safe", Moscow, moscow("2026-11-20T19:59"), true),
        ("safe", Moscow, moscow("2026-11-20T20:00"), false),
        ("safe", Moscow, moscow("2026-11-21T17:59"), true),
        ("safe", Moscow, moscow("2026-11-21T18:00"), false),
        ("safe", Moscow, moscow("2026-11-22T12:00"), false),
        // Monday 4 January 2027 is a public holiday in Russia, the 11th is not
        ("safe", Moscow, moscow("2027-01-04T12:00"), true),
        ("ru-informational", Moscow, moscow("2027-01-04T12:00"), false),
        ("ru-informational", Moscow, moscow("2027-01-11T12:00"), true),
        ("ru-informational", Moscow, moscow("2027-01-11T20:00"), false),
        ("ru-debt", Moscow, moscow("2027-01-11T07:59"), false),
        ("ru-debt", Moscow, moscow("2027-01-11T08:00"), true),
        ("ru-debt", Moscow, moscow("2027-01-11T21:59"), true),
        ("ru-debt", Moscow, moscow("2027-01-11T22:00"), false),
        ("ru-debt", Moscow, moscow("2027-01-10T08:59"), false),
        ("ru-debt", Moscow, moscow("2027-01-10T09:00"), true),
        ("ru-debt", Moscow, moscow("2027-01-10T20:00"), false),
        ("ru-debt", Moscow, moscow("2027-01-04T08:59"), false),
        ("ru-debt", Moscow, moscow("2027-01-04T19:59"), true),
        ("ru-debt", Moscow, moscow("2027-01-04T20:00"), false),
        ("us", New_York, york("2027-01-10T07:59"), false),
        ("us", New_York, york("2027-01-10T08:00"), true),
        ("us", New_York, york("2027-01-10T20:59"), true),
        ("us", New_York, york("2027-01-10T21:00"), false),
    ] {
        let calendars = find(name).unwrap().calendars();
        let zone: Tz = zone;
        assert_eq!(is_open(calendars.iter(), zone, at(&instant)), open, "{name} at {instant}");
    }
}

#[test]
fn safe_lies_inside_every_other_policy_but_for_holidays() {
    let safe = find("safe").unwrap().calendars();
    for name in names().into_iter().filter(|name| *name != "ru-informational") {
        let other = find(name).unwrap().calendars();
        for hour in 0..7 * 48 {
            // A week without a holiday.
            let at = at("2027-01-11T00:00:00Z").plus_ms(hour * 1_800_000);
            let wider = !is_open(safe.iter(), Moscow, at) || is_open(other.iter(), Moscow, at);
            assert!(wider, "{name} is shut at {at}, and safe is not");
        }
    }
}

#[test]
fn a_rule_that_is_wrong_is_no_policy() {
    let good = "title = 'x'\npurposes = ['debt']\n[[rules]]\ndays = 'mon 09:00-10:00'\nsays = 'a'\nclause = 'b'\n\
                source = 'c'\nunverified = true\n";
    assert!(parse("x", good).is_ok());
    for (line, said) in [
        (
            "days = 'mon 09:00-10:00'\n",
            "rules[0].days: missing; write the windows of the week that the rule leaves open",
        ),
        ("clause = 'b'\n", "rules[0].clause: missing; name the clause"),
        ("source = 'c'\n", "rules[0].source: missing; name the law, or who decided"),
        (
            "unverified = true\n",
            "rules[0].unverified: missing or no yes/no; write true unless the clause itself was read",
        ),
        ("purposes = ['debt']\n", "purposes: names none; write the purposes for which these rules are meant"),
    ] {
        let faults = parse("x", &good.replace(line, "")).unwrap_err().list();
        assert_eq!(faults, [said]);
    }
    let capped = good.replace("[[rules]]", "calls_per_day = 1\n[[rules]]");
    assert!(
        parse("x", &capped).unwrap_err().to_string().contains("calls_per_day: unknown key"),
        "nobody would obey it"
    );
}

#[test]
fn advertising_in_russia_is_refused() {
    assert!(refused(Purpose::Advertising, "RU").is_some());
    assert!(refused(Purpose::Advertising, "US").is_none() && refused(Purpose::Survey, "RU").is_none());
}
