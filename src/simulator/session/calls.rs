//! Calls: dialling, ringing, talking, and the one final event of each.

use serde_json::{Value, json};

use crate::simulator::callee::talk::{Deed, Heard, Talker};
use crate::simulator::callee::words::{ANNOUNCEMENT, Tongue};
use crate::simulator::callee::{Behaviour, Broken, Fate, Nature, Temper};
use crate::simulator::clock::{MS, Micros, SECOND, wall_ms};
use crate::simulator::draw::Dice;
use crate::simulator::session::media::{Kind, Unit};
use crate::simulator::session::record::{CallEnd, CallRecord};
use crate::simulator::session::world::{Act, Handle, World};

const CALLS_MAX: usize = 50;
const PROGRESSING_MAX: usize = 10;
const RINGING_MAX: Micros = 60 * SECOND;
const EARLY_MEDIA_MAX: Micros = 60 * SECOND;
/// From a hang-up to the event that tells of it.
const SIGNALLING: Micros = 20 * MS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Dialling,
    Ringing,
    Connected,
    Ended,
}

#[derive(Clone, Copy, Debug)]
pub enum CallStep {
    Rings,
    Answers,
    Announces,
    Drops,
    /// A caller whom nobody answers.
    GivesUp,
    Fails {
        code: u16,
        reason: &'static str,
    },
}

pub struct Call {
    pub number: String,
    pub state: State,
    fate: Fate,
    pub broken: Option<Broken>,
    pub verdict: Option<(&'static str, &'static str)>,
    pub temper: Option<Temper>,
    tongue: Tongue,
    pub dice: Dice,
    talker: Option<Talker>,
    pub amd: Option<Handle>,
    answered_at: Micros,
    answers_after: Micros,
    place: usize,
    record_url: Option<String>,
    incoming: bool,
    /// What an incoming caller presses.
    pub tones: String,
}

impl Call {
    /// Somebody who rings in listens, may press keys, and says nothing.
    pub fn incoming(number: &str, tongue: Tongue, dice: Dice, place: usize, tones: String) -> Self {
        Self {
            number: number.to_owned(),
            state: State::Ringing,
            fate: Fate::Answers(Temper::Silent),
            broken: None,
            verdict: None,
            temper: Some(Temper::Silent),
            tongue,
            dice,
            talker: None,
            amd: None,
            answered_at: 0,
            answers_after: 0,
            place,
            record_url: None,
            incoming: true,
            tones,
        }
    }

    pub fn fate(&self) -> Fate {
        self.fate
    }

    pub fn is_open(&self) -> bool {
        self.state != State::Ended
    }
}

impl World {
    /// `callPSTN` and `callSIP`. The call exists at once; what becomes of it is heard later.
    pub fn dial(&mut self, number: &str, caller_id: &str, amd: Option<Handle>, sip: bool) -> Result<Handle, String> {
        if number.is_empty() {
            return Err("number is empty".to_owned());
        }
        let open = |unit: &&Unit| match &unit.kind {
            Kind::Call(call) => matches!(call.state, State::Dialling | State::Ringing),
            _ => false,
        };
        let over_limit = self.calls_made >= CALLS_MAX || self.units.iter().filter(open).count() >= PROGRESSING_MAX;
        self.calls_made += 1;
        // Of a SIP address only the user part names somebody: hosts have digits too.
        let user = number.trim_start_matches("sips:").trim_start_matches("sip:").split('@').next().unwrap_or(number);
        let digits: String = user.chars().filter(char::is_ascii_digit).collect();
        let now_ms = wall_ms();
        let times = self.platform.dialled(&self.record, &digits, number, now_ms);
        let dice = Dice::of_call(self.platform.seed, &digits, times);
        self.dice = dice.clone();
        let place = self.record.call_started(CallRecord {
            call_id: self.platform.next_id(),
            started_ms: self.record.started_ms + (self.now / MS) as i64,
            local_number: caller_id.trim_start_matches('+').to_owned(),
            remote_number: if sip { number.to_owned() } else { digits.clone() },
            remote_number_type: if sip { "sip address" } else { "pstn" },
            incoming: false,
            ended: None,
        });
        let Behaviour { fate, broken, verdict } = self.platform.behaviour(&digits, times);
        let network = &self.platform.latency;
        let dials = network.dial_ms.draw(&dice, "dial", 0);
        let rings = network.ring_ms.draw(&dice, "ring", 0).clamp(1500 * MS, 24 * SECOND);
        let temper = match fate {
            Fate::Answers(temper) => Some(temper),
            _ => None,
        };
        let call = self.add_unit(Kind::Call(Box::new(Call {
            number: number.to_owned(),
            state: State::Dialling,
            fate,
            broken,
            verdict,
            temper,
            tongue: Tongue::of_number(user),
            dice,
            talker: None,
            amd,
            answered_at: 0,
            answers_after: rings,
            place,
            record_url: None,
            incoming: false,
            tones: String::new(),
        })))?;
        let last_two = &digits[digits.len().saturating_sub(2)..];
        self.record.doing(&format!("dialling a number that ends in {last_two}"));
        self.platform.call_opened();
        self.calls_changed();
        if over_limit {
            let step = CallStep::Fails { code: 403, reason: "Call limit reached" };
            self.after(SIGNALLING, Act::Call(call, step));
            return Ok(call);
        }
        if self.platform.refuses_calls() {
            self.record.finish_reason("Insufficient funds");
            let step = CallStep::Fails { code: 402, reason: "Insufficient funds" };
            self.after(SIGNALLING, Act::Call(call, step));
            return Ok(call);
        }
        let step = match fate {
            Fate::Answers(_) | Fate::RingsOut | Fate::RingsThen { .. } => CallStep::Rings,
            Fate::Refused { code, reason } => CallStep::Fails { code, reason },
            Fate::Announced { .. } => CallStep::Announces,
        };
        self.after(dials, Act::Call(call, step));
        Ok(call)
    }

    pub fn call_step(&mut self, handle: Handle, step: CallStep) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.state == State::Ended {
            return;
        }
        match step {
            CallStep::Rings => {
                call.state = State::Ringing;
                let (fate, rings) = (call.fate, call.answers_after);
                self.deliver(handle, "Call.Ringing", json!({ "headers": {} }));
                let (after, next) = match fate {
                    Fate::Answers(_) => (rings, CallStep::Answers),
                    Fate::RingsThen { code, reason } => (rings / 2, CallStep::Fails { code, reason }),
                    _ => (RINGING_MAX, CallStep::Fails { code: 408, reason: "Request Timeout" }),
                };
                self.after(after, Act::Call(handle, next));
            }
            CallStep::Announces => {
                let (code, reason) = match call.fate {
                    Fate::Announced { code, reason } => (code, reason),
                    _ => (486, "Busy here"),
                };
                let text = ANNOUNCEMENT.pick(call.tongue, &call.dice, "announcement", 0);
                self.deliver(handle, "Call.AudioStarted", json!({ "headers": {} }));
                let lasts = World::agent_speaking_time(&text).min(EARLY_MEDIA_MAX);
                self.begin_voice(handle, text, lasts);
                self.after(lasts + SECOND, Act::Call(handle, CallStep::Fails { code, reason }));
            }
            CallStep::Answers => self.answered(handle),
            CallStep::GivesUp if call.state == State::Ringing => self.end_call(handle, 487, "Request Terminated"),
            CallStep::GivesUp => {}
            CallStep::Drops => self.end_call(handle, 503, "Media connection lost"),
            CallStep::Fails { code, reason } => self.end_call(handle, code, reason),
        }
    }

    fn answered(&mut self, handle: Handle) {
        let (now, uninterested) = (self.now, self.latency.uninterested);
        let Some(call) = self.call(handle) else {
            return;
        };
        let temper = call.temper.unwrap_or(Temper::Silent);
        call.state = State::Connected;
        call.answered_at = now;
        let nature = Nature::of(temper, &call.dice, uninterested);
        call.talker = Some(Talker::new(temper, nature, call.tongue, call.dice.clone()));
        let amd = call.amd;
        self.mute |= temper == Temper::Unheard;
        self.record.doing("talking");
        self.deliver(handle, "Call.AudioStarted", json!({ "headers": {} }));
        self.deliver(handle, "Call.Connected", json!({ "headers": {}, "customData": "" }));
        self.deliver_after(40 * MS, handle, "Call.FirstAudioPacketReceived", json!({}));
        if let Some(after) = nature.drops_after {
            self.after(after, Act::Call(handle, CallStep::Drops));
        }
        if let Some(amd) = amd {
            self.detect_machine(amd, handle, None);
        }
        self.callee_hears(handle, Heard::Answered);
    }

    pub fn callee_wakes(&mut self, handle: Handle, wake: u32) {
        self.callee_hears(handle, Heard::Woke(wake));
    }

    /// Tells the callee, and does what it then does. Nobody listens before the answer.
    pub fn callee_hears(&mut self, handle: Handle, heard: Heard<'_>) {
        let now = self.now;
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.state != State::Connected {
            return;
        }
        let Some(talker) = &mut call.talker else {
            return;
        };
        let deeds = talker.hear(heard, now);
        for deed in deeds {
            match deed {
                Deed::WakeAt(at, wake) => self.at(at, Act::CalleeWakes(handle, wake)),
                Deed::HangUp => self.end_call(handle, 200, "Normal call clearing"),
                Deed::Speak(text) => {
                    let lasts = self
                        .call(handle)
                        .and_then(|call| call.talker.as_ref())
                        .map_or(SECOND, |talker| talker.speaking_time(&text));
                    self.begin_voice(handle, text, lasts);
                }
            }
        }
    }

    /// The scenario's own `hangup`, `decline`, `reject`.
    pub fn hang_up(&mut self, handle: Handle) {
        let Some(call) = self.call(handle) else {
            return;
        };
        match call.state {
            State::Connected => self.end_call(handle, 200, "Normal call clearing"),
            State::Dialling | State::Ringing => self.end_call(handle, 487, "Request Terminated"),
            State::Ended => {}
        }
    }

    /// At the session's end all calls are hung up, and the scenario still hears of it.
    pub fn end_call_now(&mut self, handle: Handle) {
        self.hang_up(handle);
    }

    fn end_call(&mut self, handle: Handle, code: u16, reason: &'static str) {
        let now = self.now;
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.state == State::Ended {
            return;
        }
        let was_connected = call.state == State::Connected;
        call.state = State::Ended;
        let direction = if call.incoming { "incoming" } else { "outgoing" };
        let talked_ms = if was_connected { (now - call.answered_at) / MS } else { 0 };
        // By the started second, as phone calls are billed.
        let cost = if was_connected { talked_ms.div_ceil(1000) as f64 * 0.000_4 } else { 0.0 };
        let cost = (cost * 1e6).round() / 1e6;
        let (place, amd, record_url) = (call.place, call.amd, call.record_url.clone());
        let duration_s = talked_ms.div_ceil(1000);
        let details = reason.to_owned();
        let end =
            CallEnd { duration_s, successful: was_connected, code, details, cost, record_url: record_url.clone() };
        self.record.call_ended(place, end);
        if code == 402 {
            self.record.finish_reason("Insufficient funds");
        }
        self.platform.call_closed();
        self.end_voice(handle);
        let sources: Vec<Handle> = self.edges.iter().filter(|edge| edge.to == handle).map(|edge| edge.from).collect();
        let heard_by: Vec<Handle> = self.edges.iter().filter(|edge| edge.from == handle).map(|edge| edge.to).collect();
        self.edges.retain(|edge| edge.from != handle && edge.to != handle);
        heard_by.into_iter().for_each(|unit| self.socket_media_ends(unit));
        for source in sources {
            if matches!(&self.units[source as usize].kind, Kind::Player(player) if player.of_call.is_some()) {
                self.stop_player(source);
            }
        }
        if let Some(amd) = amd {
            self.machine_undecided(amd, handle);
        }
        if was_connected {
            let told = json!({
                "internalCode": code, "reason": reason, "duration": duration_s, "cost": cost,
                "direction": direction, "headers": {},
            });
            self.deliver_after(SIGNALLING, handle, "Call.Disconnected", told);
            if self.broken() == Some(Broken::EndsTwice) {
                let told = json!({ "code": 487, "reason": "Request Terminated", "headers": {} });
                self.deliver_after(SIGNALLING + MS, handle, "Call.Failed", told);
            }
        } else {
            let told = json!({ "code": code, "reason": reason, "headers": {} });
            self.deliver_after(SIGNALLING, handle, "Call.Failed", told);
        }
        if let Some(url) = record_url {
            let told = json!({ "url": url, "cost": cost, "duration": duration_s });
            self.deliver_after(SIGNALLING + 30 * MS, handle, "Call.RecordStopped", told);
        }
        self.record.doing("after the call");
        self.calls_changed();
    }

    pub fn record_call(&mut self, handle: Handle) -> Value {
        let url = format!("{}/simulator/records/{}-{handle}.wav", self.platform.origin(), self.record.session_id);
        if let Some(call) = self.call(handle) {
            call.record_url = Some(url.clone());
        }
        self.deliver_after(15 * MS, handle, "Call.RecordStarted", json!({ "url": url }));
        Value::Null
    }
}
