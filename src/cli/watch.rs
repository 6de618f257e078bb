//! `halo campaign watch`: the open run as it goes on, until it ends.

use super::there::{self, There, of_campaign};
use super::{Failure, open, settings};
use halo::app::peek_clock;
use halo::clock::Clock;
use halo::domain::RunId;
use halo::store::{GateRow, OutcomeRow, Progress, Run, Shown, Store, Transition};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::time::Duration;

/// Real time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Without a terminal: a line at every so many looks, and at every change of state.
const LOOKS_A_LINE: u32 = 10;

/// Where runs are looked at.
pub enum Place {
    There(There),
    Here(Store, Clock),
}

impl Place {
    pub async fn find() -> Result<Place, Failure> {
        let config = settings()?;
        if let Some(there) = There::of(&config)? {
            return Ok(Place::There(there));
        }
        let store = open(&config).await?;
        let clock = peek_clock(&store).await?;
        Ok(Place::Here(store, clock))
    }

    pub async fn look(&self, run: RunId) -> Result<Look, Failure> {
        match self {
            Place::There(there) => there.get(&format!("/api/v1/runs/{run}")).await,
            Place::Here(store, clock) => Look::here(store, store.run(run).await?, clock).await,
        }
    }

    /// The campaign's runs, the first one first.
    pub async fn runs(&self, campaign: &str) -> Result<Vec<Look>, Failure> {
        let (store, clock) = match self {
            Place::There(there) => return there.get(&of_campaign(campaign, "/runs")).await,
            Place::Here(store, clock) => (store, clock),
        };
        let mut looks = Vec::new();
        for run in store.runs(store.find_campaign(campaign).await?.campaign).await? {
            looks.push(Look::here(store, run, clock).await?);
        }
        Ok(looks)
    }
}

pub async fn watch(campaign: &str) -> Result<(), Failure> {
    let place = Place::find().await?;
    let run = place.runs(campaign).await?.into_iter().rfind(|run| !run.is_over());
    let Some(Look { id, .. }) = run else { return Err(Failure::refused("the campaign has no open run")) };
    let mut bars = Bars::new();
    loop {
        let look = place.look(id).await?;
        bars.show(&look);
        if look.is_over() {
            bars.clear();
            println!("{}", look.line());
            return match look.state {
                Shown::Completed => Ok(()),
                // The line above says why.
                _ => Err(Failure::refused("")),
            };
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A run as it stands now, as the API tells it.
#[derive(Serialize, Deserialize)]
pub struct Look {
    pub id: RunId,
    pub ordinal: i64,
    pub state: Shown,
    pub state_reason: Option<String>,
    pub progress: Progress,
    outcomes: Vec<OutcomeRow>,
    gates: Vec<GateRow>,
    pub history: Vec<Transition>,
    /// What else is told of it.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Look {
    async fn here(store: &Store, run: Run, clock: &Clock) -> Result<Look, Failure> {
        let mut told = json!(run);
        told["id"] = json!(run.run);
        told["progress"] = json!(store.progress(run.run).await?);
        told["outcomes"] = json!(store.outcomes(run.run).await?);
        told["gates"] = json!(store.gates(run.run, clock.now()).await?);
        told["history"] = json!(store.run_history(run.run).await?);
        there::read(told)
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, Shown::Completed | Shown::Stopped)
    }

    pub fn state(&self) -> String {
        let reason = self.state_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{}{reason}", self.state.as_str())
    }

    fn outcomes(&self) -> String {
        let told = self.outcomes.iter().map(|row| format!("{} {}", row.attempts, row.outcome));
        told.collect::<Vec<_>>().join(", ")
    }

    fn gates(&self) -> String {
        let told = self.gates.iter().map(|row| {
            let opens = halo::domain::Timestamp(row.opens_at);
            format!("{} {} (the first until {opens})", row.contacts, row.gate)
        });
        told.collect::<Vec<_>>().join(", ")
    }

    fn line(&self) -> String {
        let p = self.progress;
        let mut line = format!(
            "Run {}: {}; {}/{} contacts at rest, {} live, {} retries waiting",
            self.id,
            self.state(),
            p.rested,
            p.contacts,
            p.live + p.dialing,
            p.retries_waiting
        );
        for (what, told) in [("outcomes", self.outcomes()), ("waiting", self.gates())] {
            if !told.is_empty() {
                line += &format!("; {what}: {told}");
            }
        }
        line
    }
}

struct Bars {
    terminal: bool,
    all: MultiProgress,
    contacts: ProgressBar,
    live: ProgressBar,
    retries: ProgressBar,
    words: Vec<ProgressBar>,
    looks: u32,
    said: String,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let bar = |name: &'static str| {
            let style = ProgressStyle::with_template("{prefix:>16} {bar:40.cyan/dim} {pos:>6}/{len}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(1).with_style(style).with_prefix(name))
        };
        let (contacts, live, retries) = (bar("contacts done"), bar("calls live"), bar("retries waiting"));
        let word = |name: &'static str| {
            let style = ProgressStyle::with_template("{prefix:>16} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            all.add(ProgressBar::new_spinner().with_style(style).with_prefix(name))
        };
        let words = vec![word("state"), word("outcomes"), word("gates")];
        let terminal = std::io::stderr().is_terminal();
        Bars { terminal, all, contacts, live, retries, words, looks: 0, said: String::new() }
    }

    fn show(&mut self, look: &Look) {
        let p = look.progress;
        if !self.terminal {
            let state = look.state();
            if self.looks.is_multiple_of(LOOKS_A_LINE) || state != self.said {
                eprintln!("{}", look.line());
            }
            self.said = state;
            self.looks += 1;
            return;
        }
        for (bar, at) in
            [(&self.contacts, p.rested), (&self.live, p.live + p.dialing), (&self.retries, p.retries_waiting)]
        {
            // An appended list makes the run longer.
            bar.set_length(p.contacts.max(1) as u64);
            bar.set_position(at as u64);
        }
        for (word, told) in self.words.iter().zip([look.state(), look.outcomes(), look.gates()]) {
            word.set_message(told);
        }
    }

    fn clear(&self) {
        if self.terminal {
            let _ = self.all.clear();
        }
    }
}
