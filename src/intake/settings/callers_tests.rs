//! `[dial]` about pace: what is read, refused and kept.

use super::super::{from_json, parse, to_json};
use super::*;
use crate::domain::Mode;
use crate::domain::settings::Settings;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn dial(lines: &str) -> Result<Settings, Vec<String>> {
    let text = format!("name = 'x'\npurpose = 'test'\n[dial]\n{lines}");
    parse(&text, &BTreeSet::from([Mode::dialog()])).map_err(|faults| faults.list())
}

#[test]
fn a_pool_is_numbers_or_tables() {
    let settings = dial(
        "caller_ids = ['+74951234567', { number = '+79990000001', weight = 2, cps = 1.0, day_max = 500, cool_down = '30s' },
                       { number = '+79990000002' }]
         ramp_up = '2m'\njitter = 0.2\nreserve = 0.2",
    )
    .unwrap();
    let ids: Vec<&str> = settings.dial.caller_ids.iter().map(PhoneNumber::as_str).collect();
    assert_eq!(ids, ["+74951234567", "+79990000001", "+79990000002"]);
    let limits = CallerLimits { weight: 2, cps: Some(1.0), day_max: Some(500), cool_down_ms: 30_000 };
    assert_eq!(settings.pacing.callers.into_iter().collect::<Vec<_>>(), [("+79990000001".parse().unwrap(), limits)]);
    let pacing = (settings.pacing.ramp_up_ms, settings.pacing.jitter, settings.pacing.reserve);
    assert_eq!(pacing, (120_000, 0.2, 0.2));
    assert_eq!(dial("").unwrap().pacing, Pacing::default());
    assert_eq!(dial("caller_ids = '+74951234567'").unwrap().dial.caller_ids.len(), 1);
}

#[test]
fn every_fault_of_a_pool_is_told() {
    let faults = dial(
        "caller_ids = [{ weight = 2 }, { number = '+79990000001', weight = 0, cool_down = '2d', days_max = 3 }, 7,
                       { number = '8 495' }, '+74951234567', '+74951234567']
         ramp_up = 'slow'\njitter = 2\nreserve = 1",
    )
    .unwrap_err();
    assert_eq!(
        faults,
        [
            "dial.caller_ids[2]: found 7; write a text that is not empty, or a table",
            "dial.caller_ids[0].number: missing; write it as +74951234567",
            "dial.caller_ids[1].weight: found 0; write a whole number from 1 to 100",
            "dial.caller_ids[1].cool_down: found `2d`; write a time as in 30s, 5m or 1h30m, at most 1d",
            "dial.caller_ids[1].days_max: unknown key; did you mean `day_max`?",
            "dial.caller_ids: `8 495`: not an E.164 number (a plus and 7 to 15 digits); write it as +74951234567",
            "dial.caller_ids: `+74951234567` stands twice; keep one of them",
            "dial.ramp_up: found `slow`; write a time as in 30s, 5m or 1h30m, at most 1d",
            "dial.jitter: found 2; write a number from 0 to 1",
            "dial.reserve: found 1; write a number from 0 to 0.95",
        ]
    );
}

#[test]
fn what_was_stored_before_still_reads() {
    let stored = json!({ "name": "x", "purpose": "test", "dial": { "cps": 5.0, "caller_ids": ["+74951234567"] } });
    let settings = from_json(&stored, &BTreeSet::from([Mode::dialog()])).unwrap();
    assert_eq!((settings.dial.caller_ids.len(), settings.pacing), (1, Pacing::default()));
}

proptest! {
    #[test]
    fn what_is_stored_is_read_back(
        weight in 1u32..=100, cps in prop::option::of(0.001f64..1000.0), day_max in prop::option::of(1u32..10_000),
        cool_s in 0i64..86_400, ramp_s in 0i64..86_400, jitter in 0.0f64..=1.0, reserve in 0.0f64..0.95,
    ) {
        let span = |s: i64| (s > 0).then(|| delay_text(&Delay::Ms(s * 1000)));
        let mut value = json!({
            "name": "x", "purpose": "test",
            "dial": { "caller_ids": [{ "number": "+79990000001", "weight": weight }, "+74951234567"], "jitter": jitter, "reserve": reserve },
        });
        for (path, key, text) in [("/dial/caller_ids/0", "cool_down", span(cool_s)), ("/dial", "ramp_up", span(ramp_s))] {
            if let Some(text) = text {
                value.pointer_mut(path).unwrap()[key] = json!(text);
            }
        }
        if let Some(cps) = cps {
            value["dial"]["caller_ids"][0]["cps"] = json!(cps);
        }
        if let Some(max) = day_max {
            value["dial"]["caller_ids"][0]["day_max"] = json!(max);
        }
        let modes = BTreeSet::from([Mode::dialog()]);
        let settings = from_json(&value, &modes).unwrap();
        let text = to_json(&settings).to_string();
        prop_assert_eq!(parse(&text, &modes), Ok(settings));
    }
}
