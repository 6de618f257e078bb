//! `[dial]`: pace, lines, caller ids, and how a call is made.

use super::or;
use crate::domain::PhoneNumber;
use crate::domain::keys::{Table, cut};
use crate::domain::settings::{Amd, Dial};
use serde_json::{Value, json};

pub const CALLER_IDS_MAX: usize = 1000;
const LATER_DIAL: &[(&str, &str)] = &[
    ("route", "a route by campaign (a mode's entry in voximplant/modes.toml may name one)"),
    ("ramp_up", "a slow start"),
    ("jitter", "irregular starts"),
    ("reserve", "lines kept for other traffic"),
];

pub(super) fn read(table: Option<Table<'_>>) -> Option<Dial> {
    let mut dial =
        Dial { cps: 5.0, lines: 20, caller_ids: Vec::new(), ring_s: 45, call_s: 300, record: false, amd: Amd::HangUp };
    let Some(table) = table else { return Some(dial) };
    // Rounded, so that the stored text reads back as the very same number.
    dial.cps = table.number("cps", 0.01, 1000.0).map_or(dial.cps, |cps| (cps * 1000.0).round() / 1000.0);
    dial.lines = table.whole("lines", 1, 10_000).unwrap_or(dial.lines);
    dial.ring_s = table.whole("ring_s", 5, 120).unwrap_or(dial.ring_s);
    dial.call_s = table.whole("call_s", 5, 3600).unwrap_or(dial.call_s);
    dial.record = table.flag("record").unwrap_or(dial.record);
    dial.amd = or(&table, "amd", amd, || Amd::HangUp).unwrap_or(dial.amd);
    for text in table.texts("caller_ids", CALLER_IDS_MAX).unwrap_or_default() {
        match text.parse::<PhoneNumber>() {
            Ok(number) if dial.caller_ids.contains(&number) => {
                table.refuse("caller_ids", format!("`{}` stands twice", cut(&text)), "keep one of them");
            }
            Ok(number) => dial.caller_ids.push(number),
            Err(cause) => table.refuse("caller_ids", format!("`{}`: {cause}", cut(&text)), "write it as +74951234567"),
        }
    }
    table.close(LATER_DIAL);
    Some(dial)
}

fn amd(text: &str) -> Result<Amd, String> {
    Amd::ALL.into_iter().find(|amd| amd.as_str() == text).ok_or("write off, mark, hang_up or message".to_owned())
}

pub(super) fn to_json(dial: &Dial) -> Value {
    json!({
        "cps": dial.cps,
        "lines": dial.lines,
        "caller_ids": dial.caller_ids.iter().map(PhoneNumber::as_str).collect::<Vec<_>>(),
        "ring_s": dial.ring_s,
        "call_s": dial.call_s,
        "record": dial.record,
        "amd": dial.amd.as_str(),
    })
}
