//! What an operator may write, what is refused and how, and that the JSON Schema says the same.

use super::*;
use crate::domain::Outcome;
use crate::domain::settings::{Alternates, Amd, Delay, RetryOrder, Take};
use proptest::prelude::*;

const SCHEMA: &str = include_str!("../../../campaigns/campaign.schema.json");

fn modes() -> BTreeSet<Mode> {
    ["dialog", "realtime", "realtime_pure", "greeting"].iter().map(|m| m.parse().unwrap()).collect()
}

fn faults(text: &str) -> Vec<String> {
    parse(text, &modes()).unwrap_err().0.iter().map(ToString::to_string).collect()
}

/// The sample of the design, as an operator has it.
const SAMPLE: &str = r#"
name = "demo"
purpose = "test"                    # test, service, survey, debt, advertising: the law asks
modes = { realtime_pure = 1, dialog = 2, realtime = 1 }
region = "RU"
policy = "safe"
timezone = "Europe/Moscow"

[dial]
cps = 5.0
lines = 20
caller_ids = ["+74951234567"]
ring_s = 45
call_s = 300

[windows]
days = ["mon-fri 09:00-20:00", "sat 10:00-18:00"]

[retry]
attempts_max = 4
busy = ["5m", "30m", "next-day"]
no_answer = ["1h", "4h", "next-day"]

[schedule]
cron = "0 2 * * *"
timezone = "Europe/Moscow"
take = "next 100"
overlap = "end-previous"
"#;

#[test]
fn the_sample_is_understood() {
    let settings = parse(SAMPLE, &modes()).unwrap();
    assert_eq!(settings.purpose, Purpose::Test);
    let weights: Vec<_> = settings.modes.iter().map(|(m, w)| format!("{m}={w}")).collect();
    assert_eq!(weights, ["realtime_pure=1", "dialog=2", "realtime=1"], "in the order written");
    assert_eq!(settings.windows.days.to_string(), "mon-fri 09:00-20:00; sat 10:00-18:00");
    assert_eq!(settings.retry.delays[&Outcome::Busy], [Delay::Ms(300_000), Delay::Ms(1_800_000), Delay::NextDay]);
    assert_eq!(settings.schedule.as_ref().unwrap().take, Take::Next(100));
    assert_eq!(from_json(&to_json(&settings), &modes()), Ok(settings));
}

#[test]
fn everything_but_name_and_purpose_has_a_default() {
    let settings = parse("name = 'x'\npurpose = 'survey'", &modes()).unwrap();
    assert_eq!(
        serde_json::to_string(&to_json(&settings)).unwrap(),
        concat!(
            r#"{"name":"x","purpose":"survey","modes":{"dialog":1},"region":"RU","policy":"safe","timezone":"Europe/Moscow","#,
            r#""dial":{"cps":5.0,"lines":20,"caller_ids":[],"ring_s":45,"call_s":300,"record":false,"amd":"hang_up"},"#,
            r#""windows":{"days":["mon-sun 09:00-20:00"]},"#,
            r#""retry":{"attempts_max":4,"busy":["5m","30m","next-day"],"no_answer":["1h","4h","next-day"],"#,
            r#""unavailable":["1h","4h","next-day"],"network_error":["5m","30m"],"machine":[],"rejected":[],"#,
            r#""jitter":0.0,"order":"due","alternates":"rotate"},"#,
            r#""breakers":{"failures":0.5,"ungranted":10,"silent":0.03,"spend_hour":"off"}}"#
        )
    );
    assert_eq!(from_json(&to_json(&settings), &modes()), Ok(settings));
}

#[test]
fn scenario_is_another_word_for_mode() {
    for (line, found) in [
        ("mode = 'realtime'", "[(realtime, 1)]"),
        ("scenario = 'realtime'", "[(realtime, 1)]"),
        ("scenarios = { dialog = 1, realtime = 3 }", "[(dialog, 1), (realtime, 3)]"),
        ("", "[(dialog, 1)]"),
    ] {
        let settings = parse(&format!("name = 'x'\npurpose = 'test'\n{line}"), &modes()).unwrap();
        assert_eq!(format!("{:?}", settings.modes), found, "{line}");
    }
}

#[test]
fn a_calendar_with_and_without_quotes() {
    let text = r#"
name = "x"
purpose = "survey"
[windows]
days = "mon-fri 09:00-20:00"
holidays = ["2027-03-08 10:00-14:00", 2027-01-04, "01-01"]
from = 2027-01-01
until = "2027-06-30"
"#;
    let settings = parse(text, &modes()).unwrap();
    assert_eq!(
        to_json(&settings)["windows"],
        json!({
            "days": ["mon-fri 09:00-20:00"],
            "holidays": ["2027-01-04", "2027-03-08 10:00-14:00", "01-01"],
            "from": "2027-01-01", "until": "2027-06-30",
        })
    );
    assert_eq!(from_json(&to_json(&settings), &modes()), Ok(settings));
}

#[test]
fn a_calendar_that_is_wrong_is_told_line_by_line() {
    let windows = |lines: &str| faults(&format!("name = 'x'\npurpose = 'survey'\n[windows]\n{lines}"));
    for (lines, said) in [
        ("days = []", "windows.days: found no window; write at least one line, as in \"mon-fri 09:00-20:00\""),
        ("holidays = [3]", "windows.holidays[0]: found 3; write a text that is not empty"),
        (
            "holidays = ['New Year']",
            "windows.holidays: `New` is not a date: write 2027-01-07, or 01-07 for every year, and hours behind it \
             if there are any; mend this line",
        ),
        ("from = '1 May'", "windows.from: found `1 May`; write a date, as in 2027-01-31"),
        ("until = 2027-01-31T10:00:00", "windows.until: found `2027-01-31T10:00:00`; write a date, as in 2027-01-31"),
        (
            "from = 2027-02-01\nuntil = 2027-01-31",
            "windows.until: 2027-01-31 lies before from = 2027-02-01; write the last day with calls, not before the first",
        ),
        ("holiday = ['01-01']", "windows.holiday: unknown key; did you mean `holidays`?"),
    ] {
        assert_eq!(windows(lines), [said], "{lines}");
    }
}

#[test]
fn a_policy_is_for_its_purposes_and_an_override_has_a_reason() {
    let settings = |more: &str| parse(&format!("name = 'x'\n{more}"), &modes());
    assert!(settings("purpose = 'debt'\npolicy = 'ru-debt'").is_ok());
    for purpose in ["test", "survey", "advertising"] {
        let said = settings(&format!("purpose = '{purpose}'\npolicy = 'ru-debt'")).unwrap_err().list();
        assert_eq!(said, ["policy: `ru-debt` is not written for this purpose; use safe, or state the real purpose"]);
    }
    let overridden =
        settings("purpose = 'advertising'\n[policy_override]\nreason = 'all of them asked for it'").unwrap();
    assert_eq!(overridden.policy_override.as_deref(), Some("all of them asked for it"));
    assert_eq!(from_json(&to_json(&overridden), &modes()), Ok(overridden));
    let said = settings("purpose = 'advertising'\n[policy_override]").unwrap_err().list();
    assert_eq!(said, ["policy_override.reason: missing; say why, for whoever asks later"]);
}

#[test]
fn a_list_of_delays_can_be_emptied() {
    let settings = parse("name = 'x'\npurpose = 'test'\n[retry]\nbusy = []\nmachine = '1d12h'", &modes()).unwrap();
    assert_eq!(settings.retry.delays.get(&Outcome::Busy), None);
    assert_eq!(settings.retry.delays[&Outcome::Machine], [Delay::Ms(36 * 3600 * 1000)]);
    assert_eq!(settings.retry.delays[&Outcome::NoAnswer].len(), 3, "the others keep their defaults");
}

#[test]
fn retries_may_be_irregular_and_choose_their_place() {
    let retry = |lines: &str| parse(&format!("name = 'x'\npurpose = 'test'\n[retry]\n{lines}"), &modes());
    let read =
        retry("jitter = 0.2\norder = 'last'\nalternates = 'on-failure'\nbusy = ['5m', 'other-day-part']").unwrap();
    assert_eq!((read.retry.jitter, read.retry.order), (0.2, RetryOrder::Last));
    assert_eq!(read.retry.alternates, Alternates::OnFailure);
    assert_eq!(read.retry.delays[&Outcome::Busy], [Delay::Ms(300_000), Delay::OtherDayPart]);
    assert_eq!(from_json(&to_json(&read), &modes()), Ok(read.clone()));
    let wrong = retry("jitter = 1.5\norder = 'now'\nalternates = 'all'").unwrap_err().list();
    assert_eq!(
        wrong,
        [
            "retry.jitter: found 1.5; write a number from 0 to 1",
            "retry.order: found `now`; write first, last or due",
            "retry.alternates: found `all`; write rotate or on-failure",
        ]
    );
    // What was stored before there were such keys.
    let mut stored = to_json(&read);
    for key in ["jitter", "order", "alternates"] {
        stored["retry"].as_object_mut().unwrap().remove(key);
    }
    let older = from_json(&stored, &modes()).unwrap().retry;
    assert_eq!((older.jitter, older.order, older.alternates), (0.0, RetryOrder::Due, Alternates::Rotate));
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = &schema["properties"]["retry"]["properties"];
    assert_eq!(keys["order"]["enum"], json!(RetryOrder::ALL.map(RetryOrder::as_str)));
    assert_eq!(keys["alternates"]["enum"], json!(Alternates::ALL.map(Alternates::as_str)));
}

#[test]
fn all_faults_at_once_each_with_its_cure() {
    let text = r#"
purpose = "fun"
mode = "robot"
region = "XX"
policy = "none"
timezone = "Moscow"
budget = 100
colour = "red"
[dial]
cps = 0
lines = "many"
caller_ids = ["8 495 123 45 67"]
record = "yes"
amd = "maybe"
route = "pstn"
[windows]
days = ["mon 09:00"]
[retry]
attempts_max = 99
busy = ["soon"]
answered = ["1h"]
[schedule]
cron = "0 0 2 * * *"
take = "some"
overlap = "both"
missed = "never"
"#;
    assert_eq!(
        faults(text),
        [
            "name: missing; give the campaign a name that no other has",
            "purpose: found `fun`; write one of test, service, survey, debt, advertising",
            "mode: `robot` is not a mode; known: dialog, greeting, realtime, realtime_pure",
            "region: found `XX`; write a country as two capital letters, as in RU",
            "policy: found `none`; no such policy; there is: safe, ru-informational, ru-debt, us",
            "timezone: found `Moscow`; write an IANA time zone, as in Europe/Moscow",
            "dial.cps: found 0; write a number from 0.01 to 1000",
            "dial.lines: found `many`; write a whole number from 1 to 10000",
            "dial.record: found `yes`; write true or false",
            "dial.amd: found `maybe`; write off, mark, hang_up or message",
            "dial.caller_ids: `8 495 123 45 67`: not an E.164 number (a plus and 7 to 15 digits); write it as +74951234567",
            "dial.route: a route by campaign (a mode's entry in voximplant/modes.toml may name one): known, but not obeyed yet; leave it out; nothing would follow",
            "windows.days: `mon 09:00` is not a window: write days and hours, as in `mon-fri 09:00-20:00`; mend this line",
            "retry.attempts_max: found 99; write a whole number from 1 to 20",
            "retry.busy: found `soon`; write a delay as in 30s, 5m, 1h30m, 2d (at most 30d), or next-day, or other-day-part",
            "retry.answered: a retry after it: known, but not obeyed yet; leave it out; nothing would follow",
            "schedule.cron: found `0 0 2 * * *`; cron `0 0 2 * * *` has 6 fields; five are expected: minute hour day month weekday",
            "schedule.take: found `some`; write all, unreached, or next and a number, as in \"next 100\"",
            "schedule.overlap: found `both`; write end-previous, skip or wait",
            "schedule.missed: found `never`; write run or skip",
            "budget: found 100; write a table",
            "colour: unknown key; known here: name, purpose, mode, modes, scenario, scenarios, region, policy, policy_override, timezone, dial, windows, retry, schedule, budget, breakers, caps, gap, consent, list, report, experiment",
        ]
    );
    let late = "name = 'x'\npurpose = 'test'\n[schedule]\ncron = '0 2 * * *'\noverlap = 'wait'\nmissed = 'skip'";
    assert_eq!(
        faults(late),
        ["schedule.missed: a firing that waits for the run before it is late by wish, and would be skipped for it; \
          write missed = \"run\", or overlap = \"skip\""]
    );
    assert_eq!(faults("name = 'x'\npurpose = 'test'\nmode = 'dialog'\nscenario = 'dialog'").len(), 1);
    assert_eq!(faults("name = 'x'\npurpose = 'test'\nmodes = {}").len(), 1);
    assert_eq!(faults("name = 'x'\npurpose = 'test'\nmodes = { dialog = 0 }").len(), 1);
    assert_eq!(faults("[]").len(), 1);
    assert!(faults("{\"name\": 3}")[0].starts_with("name: found 3"));
}

#[test]
fn caps_gaps_and_consent() {
    let read = |more: &str| parse(&format!("name = 'x'\npurpose = 'survey'\n{more}"), &modes());
    let settings = read(
        "[caps]\ntries_day = 3\ntries_24h = 4\ntalks_week = 2\ntalks_month = 8\n\
         [gap]\nafter_try = '1h'\nafter_talk = '2d'\n[consent]\nrequired = true",
    )
    .unwrap();
    assert_eq!(
        (settings.caps.tries.day, settings.caps.tries.rolling, settings.caps.tries.week),
        (Some(3), Some(4), None)
    );
    assert_eq!((settings.caps.talks.week, settings.caps.talks.month), (Some(2), Some(8)));
    assert_eq!((settings.gap.after_try_ms, settings.gap.after_talk_ms), (Some(3_600_000), Some(172_800_000)));
    assert!(settings.consent.required);
    let value = to_json(&settings);
    assert_eq!(value["caps"], json!({ "tries_day": 3, "tries_24h": 4, "talks_week": 2, "talks_month": 8 }));
    assert_eq!(value["gap"], json!({ "after_try": "1h", "after_talk": "2d" }));
    assert_eq!(from_json(&value, &modes()), Ok(settings));
    for (lines, said) in [
        ("[caps]\ntries_day = 0", "caps.tries_day: found 0; write a whole number from 1 to 1000"),
        ("[caps]\ntries_dya = 1", "caps.tries_dya: unknown key; did you mean `tries_day`?"),
        (
            "[gap]\nafter_try = 'next-day'",
            "gap.after_try: found `next-day`; write a time as in 30m, 1h, 2d (at most 30d)",
        ),
        ("[gap]\nafter_talk = '31d'", "gap.after_talk: found `31d`; write a time as in 30m, 1h, 2d (at most 30d)"),
        ("[consent]\nrequired = 'yes'", "consent.required: found `yes`; write true or false"),
    ] {
        assert_eq!(faults(&format!("name = 'x'\npurpose = 'survey'\n{lines}")), [said]);
    }
}

#[test]
fn recording_is_off_and_machines_are_hung_up_on_unless_somebody_says_otherwise() {
    let read = |dial: &str| parse(&format!("name = 'x'\npurpose = 'test'\n[dial]\n{dial}"), &modes()).unwrap().dial;
    assert_eq!((read("").record, read("").amd), (false, Amd::HangUp));
    assert!(read("record = true").record);
    for amd in Amd::ALL {
        assert_eq!(read(&format!("amd = '{}'", amd.as_str())).amd, amd);
    }
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let dial = &schema["properties"]["dial"]["properties"];
    assert_eq!(dial["amd"]["enum"], json!(Amd::ALL.map(Amd::as_str)));
    assert_eq!((&dial["amd"]["default"], &dial["record"]["default"]), (&json!("hang_up"), &json!(false)));
}

#[test]
fn budgets_and_breakers_are_amounts_shares_or_off() {
    let with = |lines: &str| format!("name = 'x'\npurpose = 'survey'\n{lines}");
    let text =
        with("[budget]\nrun = 500\nday = 2000.5\n[breakers]\nfailures = 'off'\nsilent = 0.1\nspend_hour = 12.25");
    let settings = parse(&text, &modes()).unwrap();
    assert_eq!((settings.budget.run, settings.budget.day), (Some(500_000_000), Some(2_000_500_000)));
    let breakers = settings.breakers;
    assert_eq!((breakers.failures, breakers.ungranted, breakers.silent), (None, Some(10), Some(0.1)));
    assert_eq!(breakers.spend_hour, Some(12_250_000));
    assert_eq!(from_json(&to_json(&settings), &modes()), Ok(settings));
    assert_eq!(
        faults(&with("[budget]\nrun = 0\nweek = 7\n[breakers]\nfailures = 2\nsilent = 'on'")),
        [
            "budget.run: found 0; write a number from 0.01 to 1000000000",
            "budget.week: unknown key; known here: run, day",
            "breakers.failures: found 2; write a number from 0.01 to 1",
            "breakers.silent: found `on`; write a number from 0.001 to 1",
        ]
    );
    // What was stored before there were breakers has their defaults.
    let mut stored = to_json(&parse(&with(""), &modes()).unwrap());
    stored.as_object_mut().unwrap().remove("breakers");
    assert_eq!(from_json(&stored, &modes()).unwrap().breakers, Default::default());
}

/// Keys that the parser knows in one table, learned from what it says about a key that it does not.
fn known(value: Value, table: &str) -> BTreeSet<String> {
    let fault = from_json(&value, &modes()).unwrap_err().0.into_iter().find(|f| f.key.ends_with("zzzzzzzzzz"));
    let cure = fault.unwrap_or_else(|| panic!("{table} takes any key")).cure;
    cure.trim_start_matches("known here: ").split(", ").map(str::to_owned).collect()
}

#[test]
fn the_schema_that_ships_knows_the_same_keys() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = |schema: &Value| -> BTreeSet<String> {
        assert_eq!(schema["additionalProperties"], json!(false));
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let mut root = keys(&schema);
    assert!(root.remove("$schema") || !root.contains("$schema"));
    assert_eq!(root, known(json!({ "zzzzzzzzzz": 1 }), "the root"));
    for table in [
        "policy_override",
        "dial",
        "windows",
        "retry",
        "schedule",
        "budget",
        "breakers",
        "caps",
        "gap",
        "consent",
        "list",
    ] {
        let value = json!({ table: { "zzzzzzzzzz": 1 } });
        assert_eq!(keys(&schema["properties"][table]), known(value, table), "{table}");
    }
    assert_eq!(schema["required"], json!(["name", "purpose"]));
}

proptest! {
    #[test]
    fn what_is_stored_is_read_back(cps in 0.01f64..1000.0, lines in 1u32..10_000, s in 1i64..2_000_000, n in 1u32..1000, weight in 1u32..100) {
        let delay = retry::delay_text(&Delay::Ms(s * 1000));
        let value = json!({
            "name": "x", "purpose": "debt", "modes": { "realtime": weight, "dialog": 1 },
            "dial": { "cps": cps, "lines": lines, "record": n % 2 == 0, "amd": Amd::ALL[n as usize % 4].as_str() }, "retry": { "busy": [delay, "next-day"] },
            "schedule": { "cron": "0 2 * * 1-5", "take": format!("next {n}"), "overlap": "skip", "missed": "skip", "timezone": "Asia/Omsk" },
        });
        let settings = from_json(&value, &modes()).unwrap();
        prop_assert_eq!(settings.retry.delays[&Outcome::Busy][0], Delay::Ms(s * 1000));
        let text = to_json(&settings).to_string();
        prop_assert_eq!(parse(&text, &modes()), Ok(settings));
    }
}
