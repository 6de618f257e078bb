//! Processes that dial: where each of their verbs stands still, how they freeze, die and come back.

use super::laws::Law;
use super::provider::{Answer, Door, Request};
use super::sessions::Told;
use super::world::{Event, World};
use futures::future::BoxFuture;
use halo::dialer::{Dialer, Grant, Platform, Settled};
use halo::domain::AttemptId;
use halo::store::{Planned, Turns};
use halo::voximplant::{Client, Connection, Credentials, Live, Modes, Pacer};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A process that dials: it may be dead or frozen, and each life has a name of its own.
pub struct Node {
    pub dialer: Option<Arc<Dialer>>,
    pub life: u32,
    pub frozen_until: i64,
}

/// Why a verb stands still.
pub enum Stop {
    /// Its next act of the store is yet to begin.
    Acts(oneshot::Sender<()>),
    Sleeps(i64, oneshot::Sender<()>),
    Asks(Request),
}

/// How a verb that stands still goes on.
enum Stands {
    Waits(oneshot::Sender<()>),
    Asked(oneshot::Sender<Answer>, Answer),
}

/// What a verb came to.
pub enum Done {
    Planned(Vec<Planned>),
    Dialled,
    Reconciled,
    Granted { session: i64, nth: u32, grant: Grant },
    Told { session: i64, told: Told, settled: Settled },
}

/// A verb under way.
pub struct Flight {
    pub node: usize,
    /// Whom it is about, where that is one.
    pub of: Option<AttemptId>,
    doing: JoinHandle<Done>,
    stands: Option<Stands>,
    /// It has sent a start.
    sent: bool,
}

impl Flight {
    pub fn ends(self) {
        self.doing.abort();
    }
}

/// Before each act of the store the world is asked.
struct Bell(mpsc::UnboundedSender<Stop>);

impl Turns for Bell {
    fn turn(&self) -> BoxFuture<'static, ()> {
        waits(&self.0, Stop::Acts)
    }
}

/// Tells the world and waits for its word.
pub fn waits(
    tell: &mpsc::UnboundedSender<Stop>,
    stop: impl FnOnce(oneshot::Sender<()>) -> Stop,
) -> BoxFuture<'static, ()> {
    let (go, word) = oneshot::channel();
    let _ended = tell.send(stop(go));
    Box::pin(async move {
        let _ended = word.await;
    })
}

impl World {
    pub fn alive(&self, node: usize, life: u32) -> Option<Arc<Dialer>> {
        self.nodes[node].dialer.clone().filter(|_| self.nodes[node].life == life)
    }

    /// Whoever answers at BACKEND_URL: nobody while all nodes are dead or frozen.
    pub fn any_node(&mut self) -> Option<(usize, Arc<Dialer>)> {
        let now = self.now();
        let awake = |node: &usize| self.nodes[*node].dialer.is_some() && self.nodes[*node].frozen_until <= now;
        let awake: Vec<usize> = (0..self.nodes.len()).filter(awake).collect();
        if awake.is_empty() {
            return None;
        }
        let node = self.dice.pick(&awake);
        self.nodes[node].dialer.clone().map(|dialer| (node, dialer))
    }

    pub fn dies(&mut self, node: usize) {
        if self.nodes[node].dialer.take().is_none() {
            return;
        }
        self.trace(&format!("node {node} dies"));
        let of_node: Vec<u64> = self.flights.iter().filter(|(_, f)| f.node == node).map(|(id, _)| *id).collect();
        for flight in of_node {
            if let Some(flight) = self.flights.remove(&flight) {
                flight.ends();
            }
        }
        let after = self.dice.delay(3_000, 40_000);
        self.later(after, Event::Lives { node });
    }

    /// It neither acts nor hears for a while; what it had begun goes on afterwards, all at once.
    pub fn freezes(&mut self, node: usize) {
        let for_ms =
            if self.dice.chance(50) { self.dice.within(100, 20_000) } else { self.dice.within(60_000, 200_000) };
        self.trace(&format!("node {node} freezes for {for_ms} ms"));
        self.nodes[node].frozen_until = self.now() + for_ms;
    }

    pub fn lives(&mut self, node: usize) {
        if self.nodes[node].dialer.is_some() {
            return;
        }
        let life = self.nodes[node].life + 1;
        let dialer = self.dialer(format!("{node}-{life}"));
        self.nodes[node] = Node { dialer: Some(Arc::new(dialer)), life, frozen_until: 0 };
        self.trace(&format!("node {node} lives"));
    }

    fn dialer(&self, name: String) -> Dialer {
        let connection = Connection {
            url: "http://127.0.0.1:1".into(),
            account: "1".into(),
            credentials: Credentials::Key("key".to_owned().into()),
            application: Some(1),
            application_name: "halo".into(),
            backend_url: "http://127.0.0.1:1".into(),
            modes: self.common.modes.clone(),
        };
        let wall = self.clock.clone();
        let door = Arc::new(Door(self.bell.clone()));
        let client = Client::of(door, connection, Arc::new(move || wall.wall()), self.common.live.clone());
        let platform = Platform { name: "simulated".into(), real: false };
        let store = self.store.in_turns(Arc::new(Bell(self.bell.clone())));
        let (clock, rules) = (self.clock.clone(), self.common.rules.clone());
        Dialer::new(store, clock, Arc::new(client), Arc::new(Pacer::open()), platform, self.account, name, rules)
    }

    /// The queue hands a job out before its slot, or a little late.
    pub async fn job(&mut self, node: usize, life: u32, attempt: AttemptId) -> Law {
        let Some(dialer) = self.alive(node, life) else { return Ok(()) };
        let frozen_ms = self.nodes[node].frozen_until - self.now();
        if frozen_ms > 0 {
            self.later(frozen_ms, Event::Job { node, life, attempt });
            return Ok(());
        }
        // The rule is looked up between the claim and the start: a place to be slow at.
        if self.dice.chance(15) {
            dialer.client.forget_rules();
        }
        self.fly(node, Some(attempt), async move {
            dialer.dial(attempt).await;
            Done::Dialled
        })
        .await
    }

    pub async fn fly(
        &mut self,
        node: usize,
        of: Option<AttemptId>,
        verb: impl Future<Output = Done> + Send + 'static,
    ) -> Law {
        self.flown += 1;
        let doing = tokio::spawn(verb);
        self.drive(self.flown, Flight { node, of, doing, stands: None, sent: false }).await
    }

    pub async fn goes_on(&mut self, id: u64) -> Law {
        let Some(flight) = self.flights.get(&id) else { return Ok(()) };
        let frozen_ms = self.nodes[flight.node].frozen_until - self.now();
        if frozen_ms > 0 {
            let after = frozen_ms + self.dice.within(0, 3);
            self.later(after, Event::GoesOn { flight: id });
            return Ok(());
        }
        let Some(mut flight) = self.flights.remove(&id) else { return Ok(()) };
        match flight.stands.take() {
            Some(Stands::Waits(go)) => drop(go.send(())),
            Some(Stands::Asked(reply, answer)) => drop(reply.send(answer)),
            None => {}
        }
        self.drive(id, flight).await
    }

    /// Lets a verb go on until it is done or stands still for longer: everything else waits meanwhile, so the order
    /// is the queue's alone.
    async fn drive(&mut self, id: u64, mut flight: Flight) -> Law {
        loop {
            let stop = tokio::select! {
                biased;
                stop = self.heard.recv() => stop.expect("the door stands open"),
                done = &mut flight.doing => {
                    let sent = flight.sent;
                    return self.done(flight.node, sent, done.expect("no verb panics")).await;
                }
            };
            let (stands, after_ms) = match stop {
                Stop::Acts(go) => match self.pause_ms() {
                    0 => {
                        let _gone = go.send(());
                        continue;
                    }
                    pause_ms => (Stands::Waits(go), pause_ms),
                },
                Stop::Sleeps(until_us, wake) => {
                    let sleeps_ms = (until_us + 999) / 1000 - self.now();
                    let late_ms = if self.dice.chance(90) { self.dice.within(0, 2) } else { self.pause_ms() };
                    if late_ms == 0 && sleeps_ms > 0 && self.dice.chance(self.knobs.freezes) {
                        self.later(1, Event::Freezes { node: flight.node });
                    }
                    (Stands::Waits(wake), sleeps_ms + late_ms)
                }
                Stop::Asks(request) => {
                    flight.sent |= request.method == "StartScenarios";
                    self.trace(&format!("{} of node {}", request.method, flight.node));
                    let answer = self.answer(request.method, &request.form).await?;
                    // Mostly at once: a start must not miss its slot every time.
                    let after = if self.dice.chance(75) { 1 } else { self.dice.delay(200, 160_000) };
                    (Stands::Asked(request.reply, answer), after)
                }
            };
            flight.stands = Some(stands);
            self.flights.insert(id, flight);
            self.later(after_ms, Event::GoesOn { flight: id });
            return Ok(());
        }
    }

    /// Between two acts of a verb: mostly nothing, now and then long enough for everything else.
    fn pause_ms(&mut self) -> i64 {
        match self.dice.within(0, 1000) {
            0..800 => 0,
            800..970 => self.dice.within(1, 5),
            970..994 => self.dice.within(5, 900),
            _ => self.dice.within(1_000, 160_000),
        }
    }

    async fn done(&mut self, node: usize, sent: bool, done: Done) -> Law {
        match done {
            Done::Planned(planned) => self.planned(node, &planned),
            // Without a start it was deferred, or came too late.
            Done::Dialled if !sent => self.plan_soon(),
            Done::Dialled => {}
            Done::Reconciled => self.looks_at_calls().await?,
            Done::Granted { session, nth, grant } => self.decided(session, nth, grant).await?,
            Done::Told { session, told, settled } => {
                self.settled(session, &told, settled)?;
                if settled == Settled::Moved {
                    self.looks_at_calls().await?;
                }
            }
        }
        Ok(())
    }

    /// One job for each, twice or never; a node that dies before it pushes has told nobody.
    fn planned(&mut self, node: usize, planned: &[Planned]) {
        if planned.is_empty() {
            return;
        }
        self.trace(&format!("node {node} plans {}", planned.len()));
        self.plan_soon();
        if self.dice.chance(4) {
            return;
        }
        for planned in planned {
            let times = if self.dice.chance(12) { 2 } else { 1 };
            for _ in 0..times {
                let Some((worker, _)) = self.any_node() else { return };
                let slot_ms = (planned.slot_us + 999) / 1000 - self.now();
                let at = match self.dice.within(0, 100) {
                    0..85 => self.dice.within(0, slot_ms.max(1)),
                    85..97 => slot_ms.max(0) + self.dice.within(0, 60),
                    _ => slot_ms.max(0) + self.dice.within(60, 20_000),
                };
                let life = self.nodes[worker].life;
                self.later(at, Event::Job { node: worker, life, attempt: planned.attempt });
            }
        }
    }
}

/// What all worlds have in common: it is made once.
pub struct Common {
    pub modes: Modes,
    pub live: Live,
    pub rules: halo::dialer::ReadRules,
}

impl Common {
    pub fn make() -> Self {
        let modes = "[[mode]]\nname = \"greeting\"\nsummary = \"\"\nscenario = \"greeting\"\n\
                     rule = \"greeting_rule\"\nfile = \"greeting.js\"\n";
        let read = halo::app::read_rules([super::mode()].into());
        let known = std::sync::Mutex::new(std::collections::HashMap::new());
        let rules = move |text: &str| {
            let mut known = known.lock().expect("no panic while holding it");
            known.entry(text.to_owned()).or_insert_with(|| read(text)).clone()
        };
        Common {
            modes: Modes::read(modes, &|_| None).expect("modes"),
            live: Live::new().expect("a client"),
            rules: Arc::new(rules),
        }
    }
}
