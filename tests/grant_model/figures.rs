//! The model's ticks stand for figures of the program and of the scenarios: these must be what it takes them for.

use super::world::{PLAIN, RULE, TICK_MS};
use halo::dialer::decisions::held_ms;
use halo::domain::settings::{Amd, Dial};
use std::fs;

/// `const NAME = VALUE;` of every file the scenarios share, by the end of the name.
fn constants(ending: &str) -> Vec<i64> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/voximplant/lib");
    let mut found = Vec::new();
    for file in fs::read_dir(folder).expect("the scenarios' folder") {
        let text = fs::read_to_string(file.expect("an entry").path()).expect("a script");
        for line in text.lines() {
            let constant = line.trim().strip_prefix("const ").and_then(|rest| rest.split_once(" = "));
            if let Some((name, value)) = constant.filter(|(name, _)| name.ends_with(ending)) {
                let value = value.trim_end_matches(';').parse();
                found.push(value.unwrap_or_else(|_| panic!("{name} is no number")));
            }
        }
    }
    found
}

#[test]
fn a_session_gives_an_old_grant_back_after_one_tick() {
    assert_eq!(constants("AGE_MAX_MS"), [TICK_MS * i64::from(RULE)]);
    let tries = constants("TRY_MS");
    assert!(tries.len() == 1 && tries[0] <= TICK_MS, "a try lasts a tick at most: {tries:?}");
    assert!(constants("TRIES").contains(&i64::from(PLAIN.asks)));
}

/// `HOLD` is the rule, the call and a tick: a line is held for longer than its session's timers let a call last.
#[test]
fn a_line_is_held_longer_than_a_call_can_last() {
    let (ring_s, call_s) = (45, 300);
    let dial = Dial { cps: 1.0, lines: 1, caller_ids: Vec::new(), ring_s, call_s, record: false, amd: Amd::Off };
    let leaving = [constants("GOODBYE_MS"), constants("HANGUP_MS")].map(|found| found.into_iter().max());
    let [Some(goodbye), Some(hang_up)] = leaving else { panic!("the timers of a polite end are gone") };
    let longest = TICK_MS * i64::from(RULE) + i64::from(ring_s + call_s) * 1000 + goodbye + hang_up;
    assert!(held_ms(&dial) > longest, "{} ms for a call of {longest} ms", held_ms(&dial));
}
