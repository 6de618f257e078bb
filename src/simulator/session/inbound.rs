//! Somebody rings in: the call is there before the scenario does anything, and waits to be answered.

use serde_json::json;

use crate::simulator::callee::words::Tongue;
use crate::simulator::callee::{Fate, Temper};
use crate::simulator::clock::{MS, SECOND};
use crate::simulator::session::calls::{Call, CallStep, State};
use crate::simulator::session::media::Kind;
use crate::simulator::session::record::CallRecord;
use crate::simulator::session::world::{APPLICATION, Act, Handle, World};

/// Someone who is not answered gives up.
const WAITS: u64 = 60 * SECOND;
const TONES_MAX: usize = 20;

/// A call from outside, as it is ordered.
#[derive(Clone, Debug, Default)]
pub struct RingIn {
    pub from: String,
    pub to: String,
    /// What the caller presses, one key every two seconds from the fourth on.
    pub tones: String,
}

impl World {
    pub fn ring_in(&mut self, ring: &RingIn) {
        let digits: String = ring.from.chars().filter(char::is_ascii_digit).collect();
        let dice = self.dice.clone();
        let place = self.record.call_started(CallRecord {
            call_id: self.platform.next_id(),
            started_ms: self.record.started_ms,
            local_number: ring.to.trim_start_matches('+').to_owned(),
            remote_number: digits.clone(),
            remote_number_type: "pstn",
            incoming: true,
            ended: None,
        });
        let tones = ring.tones.chars().take(TONES_MAX).collect();
        let call = Call::incoming(&ring.from, Tongue::of_number(&ring.from), dice, place, tones);
        let Ok(handle) = self.add_unit(Kind::Call(Box::new(call))) else { return };
        self.platform.call_opened();
        self.calls_changed();
        self.record.doing("somebody rings in");
        let told = json!({
            "handle": handle, "callerid": digits, "destination": ring.to, "displayName": "", "fromURI": "", "toURI": "",
            "headers": {}, "customData": "", "scheme": "pstn",
        });
        self.deliver_after(5 * MS, APPLICATION, "Application.CallAlerting", told);
        self.after(WAITS, Act::Call(handle, CallStep::GivesUp));
    }

    /// The scenario's `answer`.
    pub fn answer(&mut self, handle: Handle) {
        let Some(call) = self.call(handle) else { return };
        if call.state != State::Ringing || call.fate() != Fate::Answers(Temper::Silent) {
            return;
        }
        let tones: Vec<char> = call.tones.chars().collect();
        self.after(30 * MS, Act::Call(handle, CallStep::Answers));
        for (nth, tone) in tones.into_iter().enumerate() {
            let told = json!({ "tone": tone.to_string(), "type": "DTMF" });
            self.deliver_after(4 * SECOND + nth as u64 * 2 * SECOND, handle, "Call.ToneReceived", told);
        }
    }
}
