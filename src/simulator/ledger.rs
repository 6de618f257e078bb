//! What was asked and what was dialled, for any check from outside.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// The oldest lines go first beyond this.
const LINES_MAX: usize = 1_000_000;
const SECOND_US: i64 = 1_000_000;

#[derive(Default)]
pub struct Ledger {
    starts: VecDeque<Value>,
    calls: VecDeque<Value>,
    /// Arrivals of the last second, in microseconds.
    recent: VecDeque<i64>,
    busiest: usize,
    open: usize,
    most_open: usize,
}

impl Ledger {
    /// A `StartScenarios` arrives.
    pub fn arrived(&mut self, at_us: i64) {
        while self.recent.front().is_some_and(|first| at_us - first >= SECOND_US) {
            self.recent.pop_front();
        }
        self.recent.push_back(at_us);
        self.busiest = self.busiest.max(self.recent.len());
    }

    pub fn started(&mut self, line: Value) {
        keep(&mut self.starts, line);
    }

    pub fn dialled(&mut self, line: Value) {
        keep(&mut self.calls, line);
    }

    pub fn call_opened(&mut self) {
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
    }

    pub fn call_closed(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    pub fn starts(&self) -> String {
        lines(&self.starts)
    }

    pub fn calls(&self) -> String {
        lines(&self.calls)
    }

    pub fn pace(&self) -> Value {
        json!({
            "starts_busiest_second": self.busiest, "open_calls_most": self.most_open,
            "open_calls": self.open, "starts": self.starts.len(), "calls": self.calls.len(),
        })
    }
}

fn keep(held: &mut VecDeque<Value>, line: Value) {
    if held.len() == LINES_MAX {
        held.pop_front();
    }
    held.push_back(line);
}

fn lines(held: &VecDeque<Value>) -> String {
    held.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_rolls() {
        let mut ledger = Ledger::default();
        for at in [0, 400_000, 800_000, 1_000_000, 1_300_000] {
            ledger.arrived(at);
        }
        assert_eq!(ledger.pace()["starts_busiest_second"], 4);
    }
}
