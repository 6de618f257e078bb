//! One world: nodes, a provider, operators, and a queue of what happens next. Time moves only here.

use super::dice::Dice;
use super::laws::{ACCOUNT_CPS, ACCOUNT_LINES, Law, Limits, Record};
use super::nodes::{Done, Flight, Node};
use super::provider::{self, Answer, Request};
use super::sessions::{Session, Told};
use halo::clock::Clock;
use halo::dialer::Settled;
use halo::domain::settings::Take;
use halo::domain::{AttemptId, CampaignId, RunId, Timestamp};
use halo::report::Proof;
use halo::store::{By, RunState, Store};
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use tokio::sync::mpsc;

/// From then on nothing breaks any more, and everything must come to its end.
const FAULTS_MS: i64 = 150_000;
const STEPS_MAX: usize = 6_000;
/// Laws that ask the tables are held after so many steps.
const LOOK_EVERY: usize = 120;
const END_EVERY: usize = 15;
pub const CAMPAIGNS: [(&str, Limits); 2] =
    [("first", Limits { lines: 2, tries: 3 }), ("second", Limits { lines: 3, tries: 2 })];

#[derive(Clone, Debug)]
pub enum Event {
    /// Whose tick comes first, plans; so for the sweeps.
    Plan,
    Reconcile,
    /// A job of the queue, at its slot or a little after.
    Job {
        node: usize,
        life: u32,
        attempt: AttemptId,
    },
    /// The provider answers what a verb waits for.
    Replies {
        flight: u64,
    },
    Ask {
        session: i64,
    },
    Asked {
        session: i64,
        nth: u32,
    },
    Answered {
        session: i64,
        nth: u32,
        ago: Option<i64>,
    },
    HangsUp {
        session: i64,
    },
    Told {
        session: i64,
        seq: i64,
        told: Told,
    },
    Dies {
        node: usize,
    },
    Lives {
        node: usize,
    },
    Starts {
        campaign: usize,
    },
    Pauses {
        campaign: usize,
    },
    Resumes {
        campaign: usize,
    },
    Stops {
        campaign: usize,
    },
    PausesAll,
    ResumesAll,
    Suppresses {
        number: usize,
    },
}

pub struct World {
    pub dice: Dice,
    pub store: Store,
    pub sessions: Vec<Session>,
    pub record: Record,
    pub limits: BTreeMap<RunId, Limits>,
    pub clock: Clock,
    pub began: i64,
    pub queue: BTreeMap<(i64, u64), Event>,
    pub queued: u64,
    pub nodes: Vec<Node>,
    pub flights: BTreeMap<u64, Flight>,
    pub flown: u64,
    pub heard: mpsc::UnboundedReceiver<Request>,
    pub url: String,
    pub account: i64,
    pub campaigns: Vec<CampaignId>,
    pub runs: BTreeMap<usize, RunId>,
    pub trace: DefaultHasher,
    /// Prints what happens.
    pub aloud: bool,
}

/// What is left of a world.
pub struct Lived {
    pub trace: u64,
    pub calls: usize,
    pub steps: usize,
}

impl World {
    pub async fn make(seed: u64, store: Store, now: i64, aloud: bool) -> World {
        let mut dice = Dice::new(seed);
        let (url, heard) = provider::open().await;
        let account = store.ensure_account("simulated", Some(ACCOUNT_CPS), Some(ACCOUNT_LINES as i64), Timestamp(now));
        let account = account.await.expect("an account");
        let mut campaigns = Vec::new();
        for (name, _) in CAMPAIGNS {
            campaigns.push(store.find_campaign(name).await.expect("the template holds it").campaign);
        }
        let nodes = dice.within(1, 4);
        let mut world = World {
            dice,
            store,
            sessions: Vec::new(),
            record: Record::default(),
            limits: BTreeMap::new(),
            clock: Clock::manual(Timestamp(now)),
            began: now,
            queue: BTreeMap::new(),
            queued: 0,
            nodes: (0..nodes).map(|_| Node { dialer: None, life: 0 }).collect(),
            flights: BTreeMap::new(),
            flown: 0,
            heard,
            url,
            account,
            campaigns,
            runs: BTreeMap::new(),
            trace: DefaultHasher::new(),
            aloud,
        };
        world.fates();
        world
    }

    /// What befalls this world from outside, all of it before the faults end.
    fn fates(&mut self) {
        for node in 0..self.nodes.len() {
            self.later(0, Event::Lives { node });
            for _ in 0..self.dice.within(0, 4) {
                let at = self.dice.within(2_000, FAULTS_MS);
                self.later(at, Event::Dies { node });
            }
        }
        self.later(1, Event::Starts { campaign: 0 });
        self.later(2, Event::Plan);
        self.later(3, Event::Reconcile);
        if self.dice.chance(70) {
            let at = self.dice.within(2, 60_000);
            self.later(at, Event::Starts { campaign: 1 });
        }
        for campaign in 0..CAMPAIGNS.len() {
            for _ in 0..self.dice.within(0, 3) {
                let at = self.dice.within(500, FAULTS_MS / 2);
                self.later(at, Event::Pauses { campaign });
                let until = at + self.dice.within(500, 90_000);
                self.later(until, Event::Resumes { campaign });
            }
            if self.dice.chance(12) {
                let at = self.dice.within(5_000, FAULTS_MS / 3);
                self.later(at, Event::Stops { campaign });
            }
        }
        if self.dice.chance(25) {
            let at = self.dice.within(500, FAULTS_MS / 3);
            self.later(at, Event::PausesAll);
            let until = at + self.dice.within(500, 60_000);
            self.later(until, Event::ResumesAll);
        }
        if self.dice.chance(40) {
            let (number, at) = (self.dice.within(0, super::NUMBERS as i64) as usize, self.dice.within(500, 120_000));
            self.later(at, Event::Suppresses { number });
        }
    }

    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    pub fn later(&mut self, after_ms: i64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now() + after_ms, self.queued), event);
    }

    pub fn trace(&mut self, what: &str) {
        let at = self.now() - self.began;
        (at, what).hash(&mut self.trace);
        if self.aloud {
            println!("{at:>9} ms  {what}");
        }
    }

    fn faults(&self) -> bool {
        self.now() - self.began < FAULTS_MS
    }

    pub async fn live(mut self) -> Result<Lived, String> {
        for step in 0..STEPS_MAX {
            let Some(((at, _), event)) = self.queue.pop_first() else { return Err("nothing happens any more".into()) };
            self.clock.advance_ms(at - self.now());
            let told = format!("{event:?}");
            self.happens(event).await.map_err(|law| self.broken(&law, &told))?;
            if step % LOOK_EVERY == 0 {
                self.look().await.map_err(|law| self.broken(&law, &told))?;
            }
            if step % END_EVERY == 0 && self.is_over().await {
                self.look().await.map_err(|law| self.broken(&law, "the end"))?;
                let lived = Lived { trace: self.trace.finish(), calls: self.record.calls(), steps: step };
                self.store.close().await;
                return Ok(lived);
            }
        }
        Err(self.broken("everything comes to its end", "the last step"))
    }

    fn broken(&self, law: &str, at: &str) -> String {
        format!("broken after {} ms, at {at}: {law}", self.now() - self.began)
    }

    async fn happens(&mut self, event: Event) -> Law {
        match event {
            Event::Plan => {
                let after = self.dice.delay(5_000, 15_000);
                self.later(after, Event::Plan);
                if let Some((node, dialer)) = self.any_node() {
                    let doing = tokio::spawn(async move { Done::Planned(dialer.plan().await.expect("plan")) });
                    self.fly(node, doing).await?;
                }
            }
            Event::Reconcile => {
                let after = self.dice.within(6_000, 30_000);
                self.later(after, Event::Reconcile);
                if let Some((node, dialer)) = self.any_node() {
                    let doing = tokio::spawn(async move {
                        dialer.reconcile().await.expect("reconcile");
                        Done::Reconciled
                    });
                    self.fly(node, doing).await?;
                }
            }
            Event::Job { node, life, attempt } => self.job(node, life, attempt).await?,
            Event::Replies { flight } => self.replies(flight).await?,
            Event::Ask { session } => self.ask(session),
            Event::Asked { session, nth } => {
                if let Some((_, dialer)) = self.any_node() {
                    let request = self.grant_request(session);
                    let grant = dialer.grant(request).await.expect("grant");
                    self.decided(session, nth, grant).await?;
                }
            }
            Event::Answered { session, nth, ago } => self.answered(session, nth, ago)?,
            Event::HangsUp { session } => self.hangs_up(session),
            Event::Told { session, seq, told } => self.told(session, seq, &told).await?,
            Event::Dies { node } => self.dies(node),
            Event::Lives { node } => self.lives(node),
            operator => self.operates(operator).await,
        }
        Ok(())
    }

    async fn told(&mut self, session: i64, seq: i64, told: &Told) -> Law {
        let Some((_, dialer)) = self.any_node() else { return Ok(()) };
        let (attempt, report) = self.report(session, seq, told);
        let opts_out = report.opt_out.is_some();
        let settled = dialer.settle(attempt, report).await.expect("settle");
        self.trace(&format!("session {session} tells {}: {settled:?}", kind(told)));
        if settled == Settled::Unknown {
            return Err("every session's attempt exists".into());
        }
        if opts_out {
            let held = self.store.attempt(attempt).await.expect("the store answers").expect("it exists");
            self.record.suppressed.insert(held.to.as_str().to_owned());
        }
        Ok(())
    }

    async fn operates(&mut self, what: Event) {
        let now = self.clock.now();
        self.trace_operator(&what);
        match &what {
            Event::Starts { campaign } => {
                let (run, _) =
                    self.store.start_run(self.campaigns[*campaign], self.account, Take::All, now).await.expect("a run");
                self.runs.insert(*campaign, run);
                self.limits.insert(run, CAMPAIGNS[*campaign].1);
            }
            Event::Pauses { campaign } | Event::Resumes { campaign } | Event::Stops { campaign } => {
                let Some(run) = self.runs.get(campaign).copied() else { return };
                let to = match what {
                    Event::Pauses { .. } => RunState::Paused,
                    Event::Resumes { .. } => RunState::Running,
                    _ => RunState::Stopped,
                };
                let done = self.store.set_run_state(run, to, Some("an operator".into()), now).await.expect("a state");
                match to {
                    RunState::Paused if done => {
                        self.record.paused.insert(run);
                    }
                    RunState::Stopped if done => {
                        self.record.stopped.insert(run);
                    }
                    _ => {
                        self.record.paused.remove(&run);
                    }
                }
            }
            Event::PausesAll | Event::ResumesAll => {
                let pauses = matches!(what, Event::PausesAll);
                self.store.pause_all(self.account, pauses, By::halo("an operator"), now).await.expect("the account");
                self.record.account_paused = pauses;
            }
            Event::Suppresses { number } => {
                let number = super::number(*number);
                self.store.suppress(number.parse().expect("E.164"), "asked by letter", now).await.expect("a number");
                self.record.suppressed.insert(number);
            }
            _ => {}
        }
    }

    fn trace_operator(&mut self, what: &Event) {
        let what = format!("operator: {what:?}");
        self.trace(&what);
    }

    /// What the provider does about a request, at the moment at which it arrives.
    pub fn answer(&mut self, method: &str, form: &BTreeMap<String, String>) -> Result<Answer, String> {
        Ok(match method {
            "GetRules" => provider::rules(),
            "GetCallHistory" if self.dice.chance(10) => (provider::UNCLEAR, serde_json::json!({})),
            "GetCallHistory" => (200, self.history(&form["call_session_history_id"])),
            "StartScenarios" => {
                let now = self.now();
                self.record.started(now)?;
                let data = &form["script_custom_data"];
                match self.dice.within(0, 100) {
                    0..6 => provider::refused(340),
                    6..10 => (provider::UNCLEAR, serde_json::json!({})),
                    luck => {
                        let session = self.make_session(data);
                        if luck < 20 {
                            self.make_session(data);
                        }
                        if luck >= 88 { (provider::UNCLEAR, serde_json::json!({})) } else { provider::started(session) }
                    }
                }
            }
            other => return Err(format!("nobody asks for {other}")),
        })
    }

    /// Nobody is lost: every contact of a run waits, is being called, or rests.
    async fn look(&mut self) -> Law {
        for (nth, (name, limits)) in CAMPAIGNS.iter().enumerate() {
            let proved = self.store.prove(self.campaigns[nth]).await.map_err(|cause| cause.to_string())?;
            let proof = Proof::of((*name).to_owned(), proved, limits.tries as u32);
            if let Some(law) = proof.laws.iter().find(|law| !law.holds) {
                return Err(format!("{}: {}", law.law, law.found));
            }
        }
        Ok(())
    }

    /// Runs over, sessions over, and everything known of them that ever will be.
    async fn is_over(&mut self) -> bool {
        let starts = self.queue.values().any(|event| matches!(event, Event::Starts { .. }));
        let mut over = !starts && self.sessions_are_over();
        for (campaign, run) in self.runs.clone() {
            let state = self.store.run(run).await.expect("a run").state;
            if state == RunState::Paused && !self.faults() && !self.queued_resume(campaign) {
                // A breaker's pause: an operator has looked.
                self.later(1_000, Event::Resumes { campaign });
            }
            over &= state.is_over() && self.store.sessions_left(run).await.expect("a count") == 0;
        }
        over
    }

    fn queued_resume(&self, campaign: usize) -> bool {
        self.queue.values().any(|event| matches!(event, Event::Resumes { campaign: c } if *c == campaign))
    }
}

fn kind(told: &Told) -> &'static str {
    match told {
        Told::Underway { opts_out: false } => "that it goes on",
        Told::Underway { opts_out: true } => "an opt-out",
        Told::Finished(_) => "its end",
        Told::NotDialled(_) => "that nobody was dialled",
    }
}
