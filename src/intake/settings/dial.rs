//! `[dial]`: pace, lines, caller ids, and how a call is made.

use super::{callers, or};
use crate::domain::keys::Table;
use crate::domain::pace::Pacing;
use crate::domain::settings::{Amd, Dial};
use serde_json::{Value, json};

pub const CALLER_IDS_MAX: usize = 1000;
const LATER_DIAL: &[(&str, &str)] =
    &[("route", "a route by campaign (a mode's entry in voximplant/modes.toml may name one)")];

pub(super) fn read(table: Option<Table<'_>>) -> Option<(Dial, Pacing)> {
    let mut dial =
        Dial { cps: 5.0, lines: 20, caller_ids: Vec::new(), ring_s: 45, call_s: 300, record: false, amd: Amd::HangUp };
    let Some(table) = table else { return Some((dial, Pacing::default())) };
    // Rounded, so that the stored text reads back as the very same number.
    dial.cps = table.number("cps", 0.01, 1000.0).map_or(dial.cps, |cps| (cps * 1000.0).round() / 1000.0);
    dial.lines = table.whole("lines", 1, 10_000).unwrap_or(dial.lines);
    dial.ring_s = table.whole("ring_s", 5, 120).unwrap_or(dial.ring_s);
    dial.call_s = table.whole("call_s", 5, 3600).unwrap_or(dial.call_s);
    dial.record = table.flag("record").unwrap_or(dial.record);
    dial.amd = or(&table, "amd", amd, || Amd::HangUp).unwrap_or(dial.amd);
    let (caller_ids, pacing) = callers::read(&table);
    dial.caller_ids = caller_ids;
    table.close(LATER_DIAL);
    Some((dial, pacing))
}

fn amd(text: &str) -> Result<Amd, String> {
    Amd::ALL.into_iter().find(|amd| amd.as_str() == text).ok_or("write off, mark, hang_up or message".to_owned())
}

pub(super) fn to_json(dial: &Dial, pacing: &Pacing) -> Value {
    let mut value = json!({
        "cps": dial.cps,
        "lines": dial.lines,
        "caller_ids": callers::ids_to_json(&dial.caller_ids, pacing),
        "ring_s": dial.ring_s,
        "call_s": dial.call_s,
        "record": dial.record,
        "amd": dial.amd.as_str(),
    });
    callers::add_to_json(pacing, &mut value);
    value
}
