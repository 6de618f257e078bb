//! One world: nodes, a provider, operators, and a queue of what happens next. Time moves only here.

use super::dice::Dice;
use super::laws::{Account, Law, Limits, Record};
use super::nodes::{Common, Done, Flight, Node, Stop, waits};
use super::operators::{FAULTS_MS, Knobs};
use super::sessions::{Session, Told};
use halo::clock::Clock;
use halo::domain::{AttemptId, CampaignId, RunId, Timestamp};
use halo::report::Proof;
use halo::store::Store;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tokio::sync::mpsc;

const STEPS_MAX: usize = 6_000;
/// Laws that ask all tables are held after so many steps, and at the end.
const LOOK_EVERY: usize = 400;
pub const CAMPAIGNS: [(&str, Limits); 2] =
    [("first", Limits { lines: 1, tries: 3, cps: 5.0 }), ("second", Limits { lines: 2, tries: 2, cps: 1.0 })];

#[derive(Clone, Debug)]
pub enum Event {
    /// Whose tick comes first, plans; so for the sweeps. Time is virtual: it ticks soon after what may have made
    /// somebody due, and otherwise seldom.
    Plan {
        soon: bool,
    },
    Reconcile,
    /// A job of the queue, before its slot or a little after.
    Job {
        node: usize,
        life: u32,
        attempt: AttemptId,
    },
    /// A verb that stood still.
    GoesOn {
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
    Freezes {
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
        number: String,
    },
    Looks,
}

pub struct World {
    pub dice: Dice,
    pub knobs: Knobs,
    pub store: Store,
    pub common: Arc<Common>,
    pub sessions: Vec<Session>,
    pub record: Record,
    pub clock: Clock,
    began: i64,
    queue: BTreeMap<(i64, u64), Event>,
    queued: u64,
    pub nodes: Vec<Node>,
    pub flights: BTreeMap<u64, Flight>,
    pub flown: u64,
    /// By it every verb tells why it stands still.
    pub bell: mpsc::UnboundedSender<Stop>,
    pub heard: mpsc::UnboundedReceiver<Stop>,
    pub account: i64,
    pub campaigns: Vec<CampaignId>,
    pub runs: BTreeMap<usize, RunId>,
    trace: DefaultHasher,
    plans_soon: bool,
    /// Prints what happens.
    aloud: bool,
}

/// What is left of a world.
pub struct Lived {
    pub trace: u64,
    pub calls: usize,
    pub steps: usize,
}

impl World {
    pub async fn make(seed: u64, store: Store, common: Arc<Common>, now: i64, aloud: bool) -> World {
        let mut dice = Dice::new(seed);
        let (bell, heard) = mpsc::unbounded_channel();
        let allows = Account { cps: dice.pick(&[1.0, 2.0, 3.0]), lines: dice.pick(&[1, 2, 2]) };
        let account = store.ensure_account("simulated", Some(allows.cps), Some(allows.lines as i64), Timestamp(now));
        let account = account.await.expect("an account");
        let mut campaigns = Vec::new();
        for (name, _) in CAMPAIGNS {
            campaigns.push(store.find_campaign(name).await.expect("the template holds it").campaign);
        }
        let nodes = dice.within(1, 4);
        let knobs =
            Knobs { losses: dice.pick(&[2, 10, 20]), freezes: dice.pick(&[0, 3, 10]), meddles: dice.pick(&[0, 6, 15]) };
        let sleeps = bell.clone();
        let sleeps = Arc::new(move |until_us| waits(&sleeps, |wake| Stop::Sleeps(until_us, wake)));
        let mut world = World {
            dice,
            knobs,
            store,
            common,
            sessions: Vec::new(),
            record: Record::new(allows),
            clock: Clock::scheduled(Timestamp(now), sleeps),
            began: now,
            queue: BTreeMap::new(),
            queued: 0,
            nodes: (0..nodes).map(|_| Node { dialer: None, life: 0, frozen_until: 0 }).collect(),
            flights: BTreeMap::new(),
            flown: 0,
            bell,
            heard,
            account,
            campaigns,
            runs: BTreeMap::new(),
            trace: DefaultHasher::new(),
            plans_soon: false,
            aloud,
        };
        world.fates();
        world
    }

    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    pub fn later(&mut self, after_ms: i64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now() + after_ms.max(0), self.queued), event);
    }

    /// Somebody may be due now.
    pub fn plan_soon(&mut self) {
        if !self.plans_soon {
            self.plans_soon = true;
            let after = self.dice.within(50, 1_500);
            self.later(after, Event::Plan { soon: true });
        }
    }

    pub fn trace(&mut self, what: &str) {
        let at = self.now() - self.began;
        (at, what).hash(&mut self.trace);
        if self.aloud {
            println!("{at:>9} ms  {what}");
        }
    }

    pub fn faults(&self) -> bool {
        self.now() - self.began < FAULTS_MS
    }

    /// What would come late about an attempt may come soon: old news beside new.
    pub fn hasten(&mut self, attempt: AttemptId) {
        const LATE_MS: i64 = 2_000;
        let now = self.now();
        let late = self.queue.range((now + LATE_MS, 0)..).filter(|(_, event)| self.is_about(event, attempt));
        let late: Vec<(i64, u64)> = late.map(|(at, _)| *at).collect();
        for at in late {
            if self.dice.chance(50)
                && let Some(event) = self.queue.remove(&at)
            {
                let after = self.dice.within(1, LATE_MS);
                if let Event::GoesOn { flight } = &event
                    && let Some(flight) = self.flights.get(flight)
                {
                    let frozen = &mut self.nodes[flight.node].frozen_until;
                    *frozen = (*frozen).min(now + after);
                }
                self.later(after, event);
            }
        }
    }

    /// Is it a verb, or a message, about this attempt? (A session's own timers are neither.)
    fn is_about(&self, event: &Event, attempt: AttemptId) -> bool {
        match event {
            Event::GoesOn { flight } => self.flights.get(flight).is_some_and(|flight| flight.of == Some(attempt)),
            Event::Job { attempt: of, .. } => *of == attempt,
            Event::Ask { session } => self.of_session(*session) == (attempt, false),
            Event::Asked { session, .. } | Event::Answered { session, .. } | Event::Told { session, .. } => {
                self.of_session(*session).0 == attempt
            }
            _ => false,
        }
    }

    pub async fn live(mut self) -> Result<Lived, String> {
        let lived = self.lives_on().await;
        for flight in std::mem::take(&mut self.flights).into_values() {
            flight.ends();
        }
        lived
    }

    async fn lives_on(&mut self) -> Result<Lived, String> {
        for step in 0..STEPS_MAX {
            let Some(((at, _), event)) = self.queue.pop_first() else { return Err("nothing happens any more".into()) };
            self.clock.advance_ms(at - self.now());
            let (told, ticks) = (format!("{event:?}"), matches!(event, Event::Plan { soon: false }));
            self.happens(event).await.map_err(|law| self.broken(&law, &told))?;
            if step % LOOK_EVERY == LOOK_EVERY - 1 {
                self.look().await.map_err(|law| self.broken(&law, &told))?;
            }
            if ticks && self.is_over().await {
                self.look().await.map_err(|law| self.broken(&law, "the end"))?;
                return Ok(Lived { trace: self.trace.finish(), calls: self.record.calls(), steps: step });
            }
        }
        Err(self.broken("everything comes to its end", "the last step"))
    }

    fn broken(&self, law: &str, at: &str) -> String {
        format!("broken after {} ms, at {at}: {law}", self.now() - self.began)
    }

    async fn happens(&mut self, event: Event) -> Law {
        match event {
            Event::Plan { soon } => {
                if soon {
                    self.plans_soon = false;
                } else {
                    let after = self.dice.within(8_000, 20_000);
                    self.later(after, Event::Plan { soon });
                }
                if let Some((node, dialer)) = self.any_node() {
                    let verb = async move { Done::Planned(dialer.plan().await.expect("plan")) };
                    self.fly(node, None, verb).await?;
                }
            }
            Event::Reconcile => {
                let after = self.dice.within(4_000, 36_000);
                self.later(after, Event::Reconcile);
                if let Some((node, dialer)) = self.any_node() {
                    let verb = async move {
                        dialer.reconcile().await.expect("reconcile");
                        Done::Reconciled
                    };
                    self.fly(node, None, verb).await?;
                }
            }
            Event::Job { node, life, attempt } => self.job(node, life, attempt).await?,
            Event::GoesOn { flight } => self.goes_on(flight).await?,
            Event::Ask { session } => self.ask(session),
            Event::Asked { session, nth } => self.asked(session, nth).await?,
            Event::Answered { session, nth, ago } => self.answered(session, nth, ago)?,
            Event::HangsUp { session } => self.hangs_up(session),
            Event::Told { session, seq, told } => self.told(session, seq, told).await?,
            Event::Dies { node } => self.dies(node),
            Event::Freezes { node } => self.freezes(node),
            Event::Lives { node } => self.lives(node),
            Event::Looks => self.looks().await,
            operator => self.operates(operator).await,
        }
        Ok(())
    }

    /// A call that goes on keeps its attempt, its line and its number.
    pub async fn looks_at_calls(&mut self) -> Law {
        if self.record.calls_under_way(self.now()).next().is_none() {
            return Ok(());
        }
        let live = self.store.silent_calls(self.account, Timestamp::NEVER).await.expect("the store answers");
        self.record.are_live(self.now(), &live)
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
        let waits = |event: &Event| matches!(event, Event::Starts { .. } | Event::Told { .. });
        if !self.flights.is_empty() || !self.sessions_are_over() || self.queue.values().any(waits) {
            return false;
        }
        for run in self.runs.values() {
            if !self.store.run(*run).await.expect("a run").state.is_over()
                || self.store.sessions_left(*run).await.expect("a count") > 0
            {
                return false;
            }
        }
        true
    }
}
