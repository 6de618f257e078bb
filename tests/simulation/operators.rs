//! What befalls a world from outside: people who pause, stop and suppress, nodes that die and freeze.

use super::world::{CAMPAIGNS, Event, World};
use halo::domain::RunId;
use halo::domain::settings::Take;
use halo::store::{By, RunState};

/// From then on nobody meddles and no node dies any more, and everything must come to its end.
pub const FAULTS_MS: i64 = 120_000;

/// How unkind a world is, in percent.
#[derive(Clone, Copy)]
pub struct Knobs {
    /// Messages of sessions, and answers to them, that are lost.
    pub losses: u64,
    /// Nodes that freeze while one of their starts waits for its slot.
    pub freezes: u64,
    /// Starts and grants in whose wake somebody pauses, stops or suppresses.
    pub meddles: u64,
}

impl World {
    /// All of it before the faults end.
    pub fn fates(&mut self) {
        for node in 0..self.nodes.len() {
            self.later(0, Event::Lives { node });
            for _ in 0..self.dice.within(0, 3) {
                let at = self.dice.within(2_000, FAULTS_MS);
                self.later(at, Event::Dies { node });
            }
            if self.dice.chance(30) {
                let at = self.dice.within(2_000, FAULTS_MS);
                self.later(at, Event::Freezes { node });
            }
        }
        self.later(1, Event::Starts { campaign: 0 });
        self.later(2, Event::Plan { soon: false });
        self.later(3, Event::Reconcile);
        self.later(20_000, Event::Looks);
        if self.dice.chance(80) {
            let at = self.dice.within(2, 40_000);
            self.later(at, Event::Starts { campaign: 1 });
        }
        for campaign in 0..CAMPAIGNS.len() {
            if self.dice.chance(30) {
                let at = self.dice.within(500, FAULTS_MS / 2);
                self.pauses(campaign, at);
            }
            if self.dice.chance(5) {
                let at = self.dice.within(5_000, FAULTS_MS / 3);
                self.later(at, Event::Stops { campaign });
            }
        }
    }

    fn pauses(&mut self, campaign: usize, after_ms: i64) {
        self.later(after_ms, Event::Pauses { campaign });
        let until = after_ms + self.dice.within(500, 40_000);
        self.later(until, Event::Resumes { campaign });
    }

    /// Somebody does something in the wake of a start or a grant: just then a gate has to hold. True when so.
    pub fn meddle(&mut self, run: RunId, number: &str, within_ms: i64) -> bool {
        if !self.faults() || !self.dice.chance(self.knobs.meddles) {
            return false;
        }
        let campaign = self.runs.iter().find(|(_, of)| **of == run).map(|(campaign, _)| *campaign);
        let campaign = campaign.expect("a run that was started");
        let after = self.dice.within(1, within_ms);
        match self.dice.within(0, 100) {
            0..35 => self.pauses(campaign, after),
            35..55 => {
                self.later(after, Event::PausesAll);
                let until = after + self.dice.within(500, 20_000);
                self.later(until, Event::ResumesAll);
            }
            55..70 => self.later(after, Event::Stops { campaign }),
            _ => self.later(after, Event::Suppresses { number: number.to_owned() }),
        }
        true
    }

    pub async fn operates(&mut self, what: Event) {
        self.plan_soon();
        let now = self.clock.now();
        self.trace(&format!("operator: {what:?}"));
        match &what {
            Event::Starts { campaign } => {
                let (run, _) =
                    self.store.start_run(self.campaigns[*campaign], self.account, Take::All, now).await.expect("a run");
                self.runs.insert(*campaign, run);
                self.record.begins(run, CAMPAIGNS[*campaign].1);
            }
            Event::Pauses { campaign } => self.becomes(*campaign, RunState::Paused).await,
            Event::Resumes { campaign } => self.becomes(*campaign, RunState::Running).await,
            Event::Stops { campaign } => self.becomes(*campaign, RunState::Stopped).await,
            Event::PausesAll | Event::ResumesAll => {
                let pauses = matches!(what, Event::PausesAll);
                self.store.pause_all(self.account, pauses, By::halo("an operator"), now).await.expect("the account");
                self.record.account_paused = pauses;
            }
            Event::Suppresses { number } => {
                self.store.suppress(number.parse().expect("E.164"), "asked by letter", now).await.expect("a number");
                self.record.suppressed.insert(number.clone());
            }
            _ => {}
        }
    }

    async fn becomes(&mut self, campaign: usize, to: RunState) {
        let Some(run) = self.runs.get(&campaign).copied() else { return };
        let why = Some("an operator".into());
        let done = self.store.set_run_state(run, to, why, self.clock.now()).await.expect("a state");
        match to {
            RunState::Paused if done => drop(self.record.paused.insert(run)),
            RunState::Stopped if done => drop(self.record.stopped.insert(run)),
            _ => drop(self.record.paused.remove(&run)),
        }
    }

    /// A breaker's pause: an operator has looked, and resumes.
    pub async fn looks(&mut self) {
        self.later(40_000, Event::Looks);
        for (campaign, run) in self.runs.clone() {
            let paused = self.store.run(run).await.expect("a run").state == RunState::Paused;
            if paused && !self.record.paused.contains(&run) {
                self.operates(Event::Resumes { campaign }).await;
            }
        }
    }
}
