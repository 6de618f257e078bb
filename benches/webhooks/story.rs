//! What sessions tell of their calls, in the words of the contract's own examples (`voximplant/callbacks`).

use crate::platform::Granted;
use serde_json::Value;

/// Of so many calls one is busy; the others are talked through.
const BUSY_EVERY: usize = 4;
/// A call is so many calls further than the one behind it on the same connection, when it tells its next event.
const LAG: usize = 2;

/// Bodies without what differs from call to call: the rest of an object whose first two fields are put before it.
pub struct Story {
    answered: Vec<String>,
    busy: Vec<String>,
    pub turns_each: usize,
}

fn rest(mut event: Value) -> String {
    let fields = event.as_object_mut().expect("an event is an object");
    fields.retain(|name, _| name != "call_id" && name != "session_id");
    event.to_string()[1..].to_owned()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("the contract's examples are JSON")
}

impl Story {
    pub fn of_the_contract() -> Self {
        let ringing = read(include_str!("../../voximplant/callbacks/ringing.json"));
        let mut ended = read(include_str!("../../voximplant/callbacks/disconnected.json"));
        // A promised call would leave its contact waiting: here everybody comes to rest.
        ended["callback_at"] = Value::Null;
        let mut answered = vec![
            ringing.clone(),
            read(include_str!("../../voximplant/callbacks/connected.json")),
            read(include_str!("../../voximplant/callbacks/machine_human.json")),
        ];
        let turns = ended["turns"].as_array().expect("it lists its turns").clone();
        for turn in &turns {
            let mut told = read(include_str!("../../voximplant/callbacks/turn.json"));
            told["turn"] = turn.clone();
            answered.push(told);
        }
        answered.push(ended);
        for (seq, event) in (1..).zip(&mut answered) {
            event["seq"] = Value::from(seq);
        }
        let busy = vec![ringing, read(include_str!("../../voximplant/callbacks/failed_busy.json"))];
        Story {
            answered: answered.into_iter().map(rest).collect(),
            busy: busy.into_iter().map(rest).collect(),
            turns_each: turns.len(),
        }
    }

    pub fn is_busy(nth: usize) -> bool {
        nth % BUSY_EVERY == BUSY_EVERY - 1
    }

    fn events(&self, nth: usize) -> &[String] {
        if Story::is_busy(nth) { &self.busy } else { &self.answered }
    }

    pub fn count(&self, calls: std::ops::Range<usize>) -> usize {
        calls.map(|nth| self.events(nth).len()).sum()
    }

    /// Which call tells which of its events, in the order of one connection: every call in its own order, and all
    /// stages of calls at any time.
    pub fn order(&self, calls: &[usize]) -> Vec<(usize, usize)> {
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        for (place, nth) in calls.iter().enumerate() {
            order.extend((0..self.events(*nth).len()).map(|event| (place + event * LAG, *nth, event)));
        }
        order.sort_unstable();
        order.into_iter().map(|(_, nth, event)| (nth, event)).collect()
    }

    pub fn body(&self, call: &Granted, nth: usize, event: usize) -> String {
        let rest = &self.events(nth)[event];
        format!("{{\"call_id\":\"{}\",\"session_id\":\"{}\",{rest}", call.attempt, call.session)
    }
}
