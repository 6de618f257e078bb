//! A session: one engine, one world, one task that drives them.
//!
//! Events are taken from the heap in virtual order. Between them real time passes at the simulator's
//! speed; while a request is out, virtual time stands still.

pub mod bytecode;
pub mod calls;
pub mod digest;
pub mod http;
pub mod inbound;
pub mod media;
pub mod model;
pub mod ops;
pub mod record;
pub mod reply;
pub mod socket;
pub mod speech;
pub mod spine;
pub mod stream;
pub mod vm;
pub mod world;

#[cfg(test)]
mod tests;

pub use spine::{Move, Spine};

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::simulator::clock::{Micros, wall_ms};
use crate::simulator::draw::Dice;
use crate::simulator::platform::{Platform, Script};
use crate::simulator::session::http::{Arrived, Request, carry};
use crate::simulator::session::inbound::RingIn;
use crate::simulator::session::record::SessionRecord;
use crate::simulator::session::vm::{Shared, Vm, lock};
use crate::simulator::session::world::{APPLICATION, Delivery, Handle, Life, World};

/// Answers of requests and commands from outside, waiting for the session's task.
pub const INBOX_MAX: usize = 64;
/// Sleeping for less would only cost wake-ups.
const SLEEP_MIN: Duration = Duration::from_millis(1);

/// A request to the session's access address.
#[derive(Debug)]
pub struct Command {
    pub method: String,
    pub path: String,
    pub content: String,
    pub headers: Vec<(String, String)>,
    pub answer: oneshot::Sender<Option<String>>,
}

/// What a session's task is woken by.
#[derive(Debug)]
pub enum Inbound {
    Answer(Arrived, Option<Request>),
    Command(Command),
    Socket(Handle, Option<socket::Place>, socket::News),
    /// Somebody connects to the session's address; the answer is the socket's number in the session.
    SocketComes {
        request: serde_json::Value,
        says: mpsc::Sender<socket::Say>,
        answer: oneshot::Sender<Option<Handle>>,
    },
}

/// All that a session is made from.
pub struct Plan {
    pub platform: Arc<Platform>,
    pub record: Arc<SessionRecord>,
    pub scripts: Vec<Script>,
    pub dice: Dice,
    /// Dies before its scenario runs: mischief.
    pub stillborn: bool,
    /// Somebody rings in; otherwise the API started it.
    pub ring: Option<RingIn>,
    pub inbox: mpsc::Receiver<Inbound>,
    pub outbox: mpsc::Sender<Inbound>,
}

pub async fn run(plan: Plan) {
    let Plan { platform, record, scripts, dice, stillborn, ring, inbox, outbox } = plan;
    if stillborn {
        record.note(0, "mischief: the session dies before its scenario runs");
        record.finish_reason("Internal error (billing timeout)");
        record.finish(wall_ms(), 0);
        platform.session_over(record.session_id);
        return;
    }
    let latency = platform.latency.of_rule(&record.rule_name);
    let mut world = World::new(Arc::clone(&platform), Arc::clone(&record), dice, latency);
    if let Some(ring) = &ring {
        world.ring_in(ring);
    }
    let shared: Shared = Arc::new(Mutex::new(world));
    match Vm::new(Arc::clone(&shared)) {
        Ok(vm) => {
            let driver = Driver {
                vm,
                world: shared,
                pace: Pace::at(platform.speed),
                platform,
                record,
                inbox,
                outbox,
                held: None,
            };
            driver.run(scripts).await;
        }
        Err(error) => {
            record.complain(0, &error.to_string());
            record.finish_reason("JS session error");
            record.finish(wall_ms(), 0);
            platform.session_over(record.session_id);
        }
    }
}

struct Driver {
    vm: Vm,
    world: Shared,
    platform: Arc<Platform>,
    record: Arc<SessionRecord>,
    inbox: mpsc::Receiver<Inbound>,
    outbox: mpsc::Sender<Inbound>,
    /// What mischief holds back until the next request has gone.
    held: Option<Request>,
    pace: Pace,
}

/// How virtual time follows real time: from an instant on, at a speed.
struct Pace {
    began: Instant,
    from: Micros,
    speed: f64,
}

impl Pace {
    fn at(speed: f64) -> Self {
        Self { began: Instant::now(), from: 0, speed }
    }

    /// When real time has come as far as this.
    fn instant_of(&self, at: Micros) -> Instant {
        self.began + Duration::from_secs_f64(at.saturating_sub(self.from) as f64 / 1e6 / self.speed)
    }

    /// How far virtual time may have come.
    fn now(&self) -> Micros {
        self.from + (self.began.elapsed().as_secs_f64() * 1e6 * self.speed) as Micros
    }

    /// From now on a second is a second.
    fn real(&mut self, now: Micros) {
        if self.speed != 1.0 {
            *self = Self { began: Instant::now(), from: now, speed: 1.0 };
        }
    }
}

impl Driver {
    async fn run(mut self, scripts: Vec<Script>) {
        if self.load(&scripts) {
            let started = json!({
                "sessionId": self.record.session_id, "accountId": self.platform.account_id(),
                "applicationId": self.record.application_id,
                "accessURL": self.platform.access_url(&self.record),
                "accessSecureURL": self.platform.access_secure_url(&self.record),
                "logURL": format!("{}/simulator/sessions/{}/log", self.platform.origin(), self.record.session_id),
            });
            let unit = APPLICATION;
            self.vm.deliver(Delivery::Event { unit, name: "Application.Started", data: started });
            self.live().await;
        }
        self.bury();
    }

    /// The platform's own lines in the log: what happened, never what was said.
    fn note(&self, delivery: &Delivery) {
        let now = lock(&self.world).now;
        match delivery {
            Delivery::Event { unit, name, .. } => self.record.note(now, &format!("< {name} of {unit}")),
            Delivery::Http(id, result) => self.record.note(now, &format!("< answer {} to request {id}", result.code)),
            Delivery::Timer(_) | Delivery::Settle { .. } => {}
        }
    }

    fn load(&self, scripts: &[Script]) -> bool {
        for script in scripts {
            let loaded = match script.code() {
                Ok(code) => self.vm.load(code),
                Err(error) => Err(error.to_string()),
            };
            if let Err(fault) = loaded {
                self.record.complain(0, &format!("scenario {}: {fault}", script.name));
                self.record.finish_reason("JS session error");
                return false;
            }
        }
        true
    }

    async fn live(&mut self) {
        loop {
            self.send_requests();
            let (life, now, next_at, outstanding, real) = {
                let world = lock(&self.world);
                (world.life, world.now, world.next_at(), world.http.outstanding() + world.connecting, world.real_time)
            };
            if real {
                self.pace.real(now);
            }
            if life == Life::Over {
                return;
            }
            // The clock stands still while a request is out; what is due at this instant still happens. Audio
            // cannot wait for an answer.
            if outstanding > 0 && next_at.is_none_or(|at| at > now && !real) {
                match self.inbox.recv().await {
                    Some(inbound) => self.take_in(inbound),
                    None => return,
                }
                continue;
            }
            let Some(next_at) = next_at else {
                self.record.note(now, "nothing can happen any more: the session is ended");
                return;
            };
            if !self.pace(next_at).await {
                continue;
            }
            let deliveries = {
                let mut world = lock(&self.world);
                world.step();
                world.take_out()
            };
            for delivery in deliveries {
                self.note(&delivery);
                self.vm.deliver(delivery);
            }
        }
    }

    /// Waits until real time has come as far as virtual time; false when something else came first.
    async fn pace(&mut self, next_at: Micros) -> bool {
        let due = self.pace.instant_of(next_at);
        if due.saturating_duration_since(Instant::now()) < SLEEP_MIN {
            if let Ok(inbound) = self.inbox.try_recv() {
                self.take_in(inbound);
                return false;
            }
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep_until(due) => true,
            inbound = self.inbox.recv() => {
                {
                    let mut world = lock(&self.world);
                    world.now = world.now.max(self.pace.now().min(next_at));
                }
                if let Some(inbound) = inbound {
                    self.take_in(inbound);
                }
                false
            }
        }
    }

    fn take_in(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Answer(arrived, held) => {
                self.held = self.held.take().or(held);
                lock(&self.world).arrived(arrived);
            }
            Inbound::Socket(socket, place, news) => lock(&self.world).socket_news(socket, place, news),
            Inbound::SocketComes { request, says, answer } => {
                let taken = lock(&self.world).socket_comes(says, request);
                // Whoever came may be gone.
                let _unheard = answer.send(taken);
                let told = lock(&self.world).take_out();
                told.into_iter().for_each(|delivery| self.vm.deliver(delivery));
            }
            Inbound::Command(command) => {
                let headers: Vec<_> = command
                    .headers
                    .iter()
                    .filter(|(name, _)| name.to_lowercase().starts_with("x-"))
                    .map(|(name, value)| json!({ "key": name, "value": value }))
                    .collect();
                let told = json!({
                    "method": command.method, "path": command.path, "content": command.content, "headers": headers,
                });
                let answer = self.vm.ask("Application.HttpRequest", &told);
                // Whoever asked may be gone.
                let _unheard = command.answer.send(answer);
            }
        }
    }

    fn send_requests(&mut self) {
        let (sends, sockets) = {
            let mut world = lock(&self.world);
            (world.take_sends(), world.take_sockets())
        };
        for order in sockets {
            tokio::spawn(socket::carry(order, self.outbox.clone()));
        }
        for outgoing in sends {
            let before = self.held.take();
            let (client, outbox) = (self.platform.client.clone(), self.outbox.clone());
            tokio::spawn(async move {
                let (arrived, held) = carry(client, outgoing, before).await;
                // A session that is over needs no answer.
                let _unneeded = outbox.send(Inbound::Answer(arrived, held)).await;
            });
        }
    }

    fn bury(self) {
        let now = {
            let mut world = lock(&self.world);
            for handle in 0..world.units.len() as Handle {
                world.end_call_now(handle);
            }
            world.now
        };
        if let Some(held) = self.held {
            let client = self.platform.client.clone();
            tokio::spawn(async move { http::let_go(client, held).await });
        }
        self.record.doing("over");
        self.record.finish(wall_ms(), now);
        self.platform.session_over(self.record.session_id);
    }
}
