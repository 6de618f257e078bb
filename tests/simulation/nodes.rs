//! Processes that dial: what each of their verbs waits for, how they die and come back.

use super::laws::Law;
use super::provider::Answer;
use super::world::{Event, World};
use halo::dialer::{Dialer, Platform};
use halo::domain::AttemptId;
use halo::store::Planned;
use halo::voximplant::{Client, Connection, Credentials, Modes, Pacer};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A process that dials: it may be dead, and each life has a name of its own.
pub struct Node {
    pub dialer: Option<Arc<Dialer>>,
    pub life: u32,
}

/// What a verb came to.
pub enum Done {
    Planned(Vec<Planned>),
    Dialled,
    Reconciled,
}

/// A verb that waits for the provider.
pub struct Flight {
    pub node: usize,
    pub doing: JoinHandle<Done>,
    pub reply: Option<(oneshot::Sender<Answer>, Answer)>,
}

impl World {
    pub fn alive(&self, node: usize, life: u32) -> Option<Arc<Dialer>> {
        self.nodes[node].dialer.clone().filter(|_| self.nodes[node].life == life)
    }

    /// Whoever answers at BACKEND_URL: nobody while all nodes are dead.
    pub fn any_node(&mut self) -> Option<(usize, Arc<Dialer>)> {
        let living: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].dialer.is_some()).collect();
        if living.is_empty() {
            return None;
        }
        let node = self.dice.pick(&living);
        self.nodes[node].dialer.clone().map(|dialer| (node, dialer))
    }

    pub fn dies(&mut self, node: usize) {
        self.trace(&format!("node {node} dies"));
        self.nodes[node].dialer = None;
        let of_node: Vec<u64> = self.flights.iter().filter(|(_, f)| f.node == node).map(|(id, _)| *id).collect();
        for flight in of_node {
            if let Some(flight) = self.flights.remove(&flight) {
                flight.doing.abort();
            }
        }
        let after = self.dice.delay(3_000, 40_000);
        self.later(after, Event::Lives { node });
    }

    pub fn lives(&mut self, node: usize) {
        if self.nodes[node].dialer.is_some() {
            return;
        }
        let life = self.nodes[node].life + 1;
        let dialer = self.dialer(format!("{node}-{life}"));
        self.nodes[node] = Node { dialer: Some(Arc::new(dialer)), life };
        self.trace(&format!("node {node} lives"));
    }

    fn dialer(&self, name: String) -> Dialer {
        let modes = "[[mode]]\nname = \"greeting\"\nsummary = \"\"\nscenario = \"greeting\"\n\
                     rule = \"greeting_rule\"\nfile = \"greeting.js\"\n";
        let clock = self.clock.clone();
        let connection = Connection {
            url: self.url.clone(),
            account: "1".into(),
            credentials: Credentials::Key("key".to_owned().into()),
            application: Some(1),
            application_name: "halo".into(),
            backend_url: "http://127.0.0.1:1".into(),
            modes: Modes::read(modes, &|_| None).expect("modes"),
        };
        let client = Client::new(connection, Arc::new(move || clock.wall())).expect("a client");
        let platform = Platform { name: "simulated".into(), real: false };
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let rules = halo::app::read_rules([super::mode()].into());
        Dialer::new(store, clock, Arc::new(client), Arc::new(Pacer::new(None)), platform, self.account, name, rules)
    }

    /// The queue hands a job out shortly after its slot; a newer plan may have given another since.
    pub async fn job(&mut self, node: usize, life: u32, attempt: AttemptId) -> Law {
        let Some(dialer) = self.alive(node, life) else { return Ok(()) };
        let Some(slot_us) = self.store.slot_us(attempt).await.expect("the store answers") else { return Ok(()) };
        let early_ms = (slot_us + 999) / 1000 - self.now();
        if early_ms > 0 {
            self.later(early_ms, Event::Job { node, life, attempt });
            return Ok(());
        }
        // The rule is looked up between the claim and the start: a place to be slow at.
        if self.dice.chance(40) {
            dialer.client.forget_rules();
        }
        let doing = tokio::spawn(async move {
            dialer.dial(attempt).await;
            Done::Dialled
        });
        self.fly(node, doing).await
    }

    pub async fn fly(&mut self, node: usize, doing: JoinHandle<Done>) -> Law {
        self.flown += 1;
        self.drive(self.flown, Flight { node, doing, reply: None }).await
    }

    pub async fn replies(&mut self, id: u64) -> Law {
        let Some(mut flight) = self.flights.remove(&id) else { return Ok(()) };
        if let Some((reply, answer)) = flight.reply.take() {
            let _gone = reply.send(answer);
        }
        self.drive(id, flight).await
    }

    /// Lets a verb go on until it is done or asks the provider something: everything else waits meanwhile, so
    /// the order is the queue's alone.
    async fn drive(&mut self, id: u64, mut flight: Flight) -> Law {
        tokio::select! {
            biased;
            request = self.heard.recv() => {
                let request = request.expect("the door stands open");
                self.trace(&format!("{} of node {}", request.method, flight.node));
                let answer = self.answer(&request.method, &request.form)?;
                flight.reply = Some((request.reply, answer));
                self.flights.insert(id, flight);
                // Mostly at once: a start must not miss its slot every time.
                let after = if self.dice.chance(75) { 1 } else { self.dice.delay(200, 100_000) };
                self.later(after, Event::Replies { flight: id });
            }
            done = &mut flight.doing => match done.expect("no verb panics") {
                Done::Planned(planned) => self.planned(flight.node, &planned),
                Done::Dialled | Done::Reconciled => {}
            },
        }
        Ok(())
    }

    /// One job for each, twice or never; a node that dies before it pushes has told nobody.
    fn planned(&mut self, node: usize, planned: &[Planned]) {
        if planned.is_empty() {
            return;
        }
        self.trace(&format!("node {node} plans {}", planned.len()));
        if self.dice.chance(4) {
            return;
        }
        for planned in planned {
            let times = if self.dice.chance(8) { 2 } else { 1 };
            for _ in 0..times {
                let Some((worker, _)) = self.any_node() else { return };
                let late = if self.dice.chance(85) { self.dice.within(0, 8) } else { self.dice.within(8, 60) };
                let at = (planned.slot_us + 999) / 1000 - self.now() + late;
                let life = self.nodes[worker].life;
                self.later(at.max(0), Event::Job { node: worker, life, attempt: planned.attempt });
            }
        }
    }
}
