//! What the policies that ship let open, and which files are none.

use super::*;
use crate::domain::calendar::{is_open, next_open};
use crate::domain::caps::Most;
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
        for asked in policy.asks() {
            assert!(asked.clause.len() > 5 && asked.source.len() > 10, "{name} hides a source");
            // Nobody read a law for this project yet; its own decisions need no reading.
            assert_eq!(asked.unverified, !asked.source.starts_with("this project"), "{name}: {}", asked.says);
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
            "rules[0].days: missing, and no caps or gap either; \
             write the windows of the week that the rule leaves open (days), caps or gap",
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
fn a_rule_may_count_and_a_policy_may_demand() {
    let cited = "says = 'a'\nclause = 'b'\nsource = 'c'\nunverified = true\n";
    let counts = "[[rules]]\ncaps = { talks_day = 1, talks_week = 2 }\ngap = { after_talk = '2d' }\n";
    let text = format!("title = 'x'\npurposes = ['debt']\n{counts}{cited}[consent]\nrequired = true\n{cited}");
    let policy = parse("x", &text).unwrap();
    assert!(policy.consent.is_some() && policy.recording.is_none() && policy.clone().calendars().is_empty());
    assert_eq!((policy.asks().count(), policy.unverified()), (2, 2));
    let value = policy.to_json();
    assert_eq!(value["rules"][0]["caps"], json!({ "talks_day": 1, "talks_week": 2 }));
    assert_eq!((&value["rules"][0]["gap"], &value["consent"]["clause"]), (&json!({ "after_talk": "2d" }), &json!("b")));
    // The stricter of both holds, number by number.
    let of_campaign = Caps { talks: Most { day: Some(3), week: Some(1), ..Most::default() }, ..Caps::default() };
    let held = policy.over(Settings { caps: of_campaign, ..crate::domain::follow::tests::settings() });
    assert_eq!(held.caps.talks, Most { day: Some(1), week: Some(1), ..Most::default() });
    assert_eq!((held.gap.after_talk_ms, held.consent.required), (Some(2 * 24 * 3_600_000), true));
    for (wrong, said) in [
        (text.replace("required = true", "required = false"), "consent.required: is not true"),
        (text.replace("[consent]", "[consnet]"), "consnet: unknown key; did you mean `consent`?"),
        (text.replace("talks_day = 1", "talks_day = 0"), "rules[0].caps.talks_day: found 0"),
        (text.replace("gap =", "holidays = '01-01'\ngap ="), "rules[0].holidays: found no days beside them"),
    ] {
        let faults = parse("x", &wrong).unwrap_err().list();
        assert!(faults.iter().any(|fault| fault.starts_with(said)), "{said}: {faults:?}");
    }
}

#[test]
fn what_the_shipped_policies_count_and_demand() {
    let talks = |name: &str| find(name).unwrap().over(crate::domain::follow::tests::settings()).caps.talks;
    assert_eq!(talks("ru-debt"), Most { day: Some(1), week: Some(2), month: Some(8), rolling: None });
    assert_eq!(talks("us"), Most::default());
    let demands = |name: &str| {
        let policy = find(name).unwrap();
        [policy.consent.is_some(), policy.recording.is_some(), policy.disclosure.is_some()]
    };
    assert_eq!(demands("safe"), [false, false, false]);
    assert_eq!(demands("ru-informational"), [false, false, false]);
    assert_eq!(demands("ru-debt"), [false, true, true]);
    assert_eq!(demands("us"), [true, true, true]);
}

#[test]
fn advertising_in_russia_is_refused() {
    assert!(refused(Purpose::Advertising, "RU").is_some());
    assert!(refused(Purpose::Advertising, "US").is_none() && refused(Purpose::Survey, "RU").is_none());
}
