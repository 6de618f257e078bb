//! What a session's scenario lives in: a clock that only events move, units that exchange media,
//! timers and requests. Nothing here knows JavaScript; the scenario's calls put acts on the heap,
//! and acts become deliveries.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::simulator::callee::Broken;
use crate::simulator::clock::{MS, Micros, SECOND};
use crate::simulator::draw::Dice;
use crate::simulator::latency::LatencyModel;
use crate::simulator::platform::Platform;
use crate::simulator::session::calls::{Call, CallStep};
use crate::simulator::session::http::{Http, HttpResult};
use crate::simulator::session::media::{Edge, Kind, Unit, Voice};
use crate::simulator::session::model::ModelStep;
use crate::simulator::session::record::SessionRecord;
use crate::simulator::session::socket::Order;
use crate::simulator::session::speech::SpeechStep;

pub const TIMERS_MAX: usize = 100;
const INTERVAL_MS_MIN: f64 = 100.0;
const WITHOUT_CALL_MAX: Micros = 60 * SECOND;
/// Units of a session, hidden players included; the platform counts players alone.
const UNITS_MAX: usize = 2_000;
/// Acts waiting in a session; reached only by a scenario that runs away.
const ACTS_MAX: usize = 20_000;

/// A unit's number in its session. 0 is the application itself.
pub type Handle = u32;
pub const APPLICATION: Handle = 0;

/// What the scenario is told.
#[derive(Debug)]
pub enum Delivery {
    Event { unit: Handle, name: &'static str, data: Value },
    Timer(u32),
    Http(u32, HttpResult),
    Settle { promise: u32, ok: bool, data: Value },
}

/// What happens at a point of virtual time.
#[derive(Debug)]
pub enum Act {
    Deliver(Delivery),
    Timer(u32),
    HttpDone(u32, HttpResult),
    Call(Handle, CallStep),
    CalleeWakes(Handle, u32),
    PlayerBegins(Handle),
    VoiceEnds(Handle, u32),
    Speech(Handle, SpeechStep),
    Model(Handle, ModelStep),
    SocketTick(Handle),
    NoCallSince(u32),
    LookForEnd,
    Terminate,
    Terminated,
}

struct Due {
    at: Micros,
    seq: u64,
    act: Act,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.seq) == (other.at, other.seq)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

/// How far a session's end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Running,
    Terminating,
    Over,
}

pub struct World {
    pub now: Micros,
    seq: u64,
    heap: BinaryHeap<Reverse<Due>>,
    out: Vec<Delivery>,
    pub units: Vec<Unit>,
    pub edges: Vec<Edge>,
    timers: BTreeSet<u32>,
    intervals: std::collections::BTreeMap<u32, Micros>,
    timers_made: u32,
    pub http: Http,
    pub life: Life,
    pub dice: Dice,
    pub latency: LatencyModel,
    pub platform: Arc<Platform>,
    pub record: Arc<SessionRecord>,
    pub calls_made: usize,
    pub voices_made: u32,
    /// Somebody answered who never hears the agent's audio begin.
    pub mute: bool,
    /// WebSockets to be opened, and those that are being opened.
    pub sockets: Vec<Order>,
    pub connecting: usize,
    pub allows_sockets: bool,
    pub sockets_in: usize,
    /// Audio is carried: from now on the session's clock is the wall's.
    pub real_time: bool,
    without_call: u32,
    draws: u64,
    said_terminated: bool,
}

impl World {
    pub fn new(platform: Arc<Platform>, record: Arc<SessionRecord>, dice: Dice, latency: LatencyModel) -> Self {
        let mut world = Self {
            now: 0,
            seq: 0,
            heap: BinaryHeap::new(),
            out: Vec::new(),
            units: vec![Unit::new(Kind::Application)],
            edges: Vec::new(),
            timers: BTreeSet::new(),
            intervals: std::collections::BTreeMap::new(),
            timers_made: 0,
            http: Http::default(),
            life: Life::Running,
            dice,
            latency,
            platform,
            record,
            calls_made: 0,
            voices_made: 0,
            mute: false,
            sockets: Vec::new(),
            connecting: 0,
            allows_sockets: false,
            sockets_in: 0,
            real_time: false,
            without_call: 0,
            draws: 0,
            said_terminated: false,
        };
        world.after(WITHOUT_CALL_MAX, Act::NoCallSince(0));
        world
    }

    /// A number that breaks ties; taken when something starts, not when its answer arrives.
    pub fn reserve(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub fn at(&mut self, at: Micros, act: Act) {
        let seq = self.reserve();
        self.at_reserved(at, seq, act);
    }

    pub fn at_reserved(&mut self, at: Micros, seq: u64, act: Act) {
        if self.heap.len() >= ACTS_MAX {
            self.record.complain(self.now, "too many events are waiting: the session is ended");
            self.life = Life::Over;
            return;
        }
        self.heap.push(Reverse(Due { at: at.max(self.now), seq, act }));
    }

    pub fn after(&mut self, delay: Micros, act: Act) {
        self.at(self.now + delay, act);
    }

    pub fn next_at(&self) -> Option<Micros> {
        self.heap.peek().map(|Reverse(due)| due.at)
    }

    /// Moves the clock to the next act and does it. What the scenario must hear is then in `take_out`.
    pub fn step(&mut self) {
        let Some(Reverse(due)) = self.heap.pop() else {
            return;
        };
        self.now = due.at;
        if self.life == Life::Over {
            return;
        }
        match due.act {
            Act::Deliver(delivery) => self.out.push(delivery),
            Act::Timer(id) => self.timer_due(id),
            Act::HttpDone(id, result) => {
                self.request_completed();
                self.out.push(Delivery::Http(id, result));
                // The scenario may answer an answer: the end is looked for after it has heard this one.
                self.after(0, Act::LookForEnd);
            }
            Act::LookForEnd => self.end_when_quiet(),
            Act::Call(call, step) => self.call_step(call, step),
            Act::CalleeWakes(call, wake) => self.callee_wakes(call, wake),
            Act::PlayerBegins(player) => self.player_begins(player),
            Act::VoiceEnds(unit, voice) => self.voice_ends(unit, voice),
            Act::Speech(unit, step) => self.speech_step(unit, step),
            Act::Model(unit, step) => self.model_step(unit, step),
            Act::SocketTick(socket) => self.socket_tick(socket),
            Act::NoCallSince(mark) if mark == self.without_call && self.life == Life::Running => {
                self.record.note(self.now, "no call for 60 s: the session is ended");
                self.record.finish_reason("Timeout");
                self.terminate();
            }
            Act::NoCallSince(_) => {}
            Act::Terminate => self.terminating(),
            Act::Terminated => self.life = Life::Over,
        }
    }

    pub fn take_out(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.out)
    }

    pub fn deliver(&mut self, unit: Handle, name: &'static str, data: Value) {
        self.out.push(Delivery::Event { unit, name, data });
    }

    pub fn deliver_after(&mut self, delay: Micros, unit: Handle, name: &'static str, data: Value) {
        self.after(delay, Act::Deliver(Delivery::Event { unit, name, data }));
    }

    pub fn settle_after(&mut self, delay: Micros, promise: u32, ok: bool, data: Value) {
        self.after(delay, Act::Deliver(Delivery::Settle { promise, ok, data }));
    }

    /// What `Date.now()` says: the wall time of the session's start, and the session's own time since.
    pub fn platform_ms(&self) -> f64 {
        self.record.started_ms as f64 + (self.now / MS) as f64
    }

    pub fn random(&mut self) -> f64 {
        self.draws += 1;
        self.dice.unit("Math.random", self.draws)
    }

    pub fn add_unit(&mut self, kind: Kind) -> Result<Handle, String> {
        if self.units.len() >= UNITS_MAX {
            return Err("too many media units in one session".to_owned());
        }
        self.units.push(Unit::new(kind));
        Ok((self.units.len() - 1) as Handle)
    }

    pub fn unit(&mut self, handle: Handle) -> Option<&mut Unit> {
        self.units.get_mut(handle as usize)
    }

    pub fn call(&mut self, handle: Handle) -> Option<&mut Call> {
        match self.unit(handle)?.kind {
            Kind::Call(ref mut call) => Some(call),
            _ => None,
        }
    }

    /// What of the provider's breaks in this session's call.
    pub fn broken(&self) -> Option<Broken> {
        self.units.iter().find_map(|unit| match &unit.kind {
            Kind::Call(call) => call.broken,
            _ => None,
        })
    }

    pub fn voice_number(&mut self) -> u32 {
        self.voices_made += 1;
        self.voices_made
    }

    pub fn voice_of(&self, handle: Handle) -> Option<&Voice> {
        self.units.get(handle as usize)?.voice.as_ref()
    }

    // Timers.

    pub fn timer(&mut self, delay_ms: f64, repeats: bool) -> Result<u32, String> {
        if self.timers.len() >= TIMERS_MAX {
            return Err(format!("Timers count limit exceeded: {TIMERS_MAX}"));
        }
        self.timers_made += 1;
        let id = self.timers_made;
        let delay_ms = if delay_ms.is_finite() { delay_ms.clamp(0.0, 1e9) } else { 0.0 };
        let delay_ms = if repeats { delay_ms.max(INTERVAL_MS_MIN) } else { delay_ms };
        let delay = (delay_ms * MS as f64) as Micros;
        self.timers.insert(id);
        if repeats {
            self.intervals.insert(id, delay);
        }
        self.after(delay, Act::Timer(id));
        Ok(id)
    }

    pub fn cancel_timer(&mut self, id: u32) {
        self.timers.remove(&id);
        self.intervals.remove(&id);
    }

    fn timer_due(&mut self, id: u32) {
        if !self.timers.contains(&id) {
            return;
        }
        match self.intervals.get(&id).copied() {
            Some(every) => self.after(every, Act::Timer(id)),
            None => {
                self.timers.remove(&id);
            }
        }
        self.out.push(Delivery::Timer(id));
    }

    // The end of the session.

    /// A call begins or ends: the time without one is counted anew, and only while there is none.
    pub fn calls_changed(&mut self) {
        self.without_call += 1;
        let open = self.units.iter().any(|unit| matches!(&unit.kind, Kind::Call(call) if call.is_open()));
        if !open {
            let mark = self.without_call;
            self.after(WITHOUT_CALL_MAX, Act::NoCallSince(mark));
        }
    }

    pub fn terminate(&mut self) {
        if self.life == Life::Running {
            self.after(0, Act::Terminate);
        }
    }

    fn terminating(&mut self) {
        if self.life != Life::Running {
            return;
        }
        self.life = Life::Terminating;
        self.timers.clear();
        self.intervals.clear();
        for handle in 0..self.units.len() as Handle {
            self.end_call_now(handle);
        }
        self.http.begin_terminating();
        self.deliver(APPLICATION, "Application.Terminating", json!({}));
        // The scenario hears Terminating first and may send one more request; then the end is looked for.
        self.after(0, Act::LookForEnd);
        self.after(90 * SECOND, Act::Terminated);
    }

    /// Terminated follows when nothing is out any more.
    fn end_when_quiet(&mut self) {
        if self.life == Life::Terminating && self.http.is_quiet() && !self.said_terminated {
            self.said_terminated = true;
            self.deliver(APPLICATION, "Application.Terminated", json!({}));
            self.after(0, Act::Terminated);
        }
    }
}
