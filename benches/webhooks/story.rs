//! What sessions tell of their calls, in the words of the contract's own examples (`voximplant/callbacks`).

use crate::platform::Granted;
use serde_json::Value;

/// Of so many calls one is busy; the others are talked through.
const BUSY_EVERY: usize = 4;
/// Between two events of a call so many others begin for each connection: calls of every stage tell at any time.
const LAG: f64 = 0.6;

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

    /// Which call tells which of its events, in the order of all connections: one call begins after the other, and each goes
    /// on at the same pace, so that ends come as evenly as beginnings do.
    pub fn order(&self, calls: std::ops::Range<usize>, connections: usize) -> Vec<(usize, usize)> {
        let lag = (connections as f64 * LAG) as usize + 1;
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        for (place, nth) in calls.enumerate() {
            order.extend((0..self.events(nth).len()).map(|event| (place + event * lag, nth, event)));
        }
        order.sort_unstable();
        order.into_iter().map(|(_, nth, event)| (nth, event)).collect()
    }

    pub fn body(&self, call: &Granted, nth: usize, event: usize) -> String {
        let rest = &self.events(nth)[event];
        format!("{{\"call_id\":\"{}\",\"session_id\":\"{}\",{rest}", call.attempt, call.session)
    }
}
