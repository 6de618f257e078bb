//! Breakers: looked at once a second by whoever sweeps; a run that trips one is paused and says why.

use super::plan::SINGLE;
use super::{Dialer, DialerError, Result, Rules};
use crate::domain::breaker::{Ended, LOOKED_AT_MAX, Reading, SPEND_MS, Window, readings, sentence};
use crate::domain::{Mode, Outcome, Timestamp};
use crate::store::{EndedRow, Run, RunState, StoreError, Trip, TripOrder};
use serde::Serialize;
use tracing::{error, warn};

/// One breaker of a run, as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakerView {
    pub name: String,
    /// Absent: the run as a whole.
    pub arm: Option<String>,
    pub value: f64,
    pub threshold: f64,
    /// When it last paused the run.
    pub tripped_at: Option<Timestamp>,
}

impl Dialer {
    /// Pauses what must not go on; returns how many runs that were.
    pub(super) async fn watch(&self) -> Result<usize> {
        let mut paused = 0;
        for run in self.store.open_runs().await? {
            if run.account != self.account || run.state != RunState::Running || run.kind == SINGLE {
                continue;
            }
            let rules = match self.rules(run.campaign).await {
                Ok(rules) => rules,
                // The planner pauses it, and says why.
                Err(DialerError::Rules { .. }) => continue,
                Err(cause) => return Err(cause),
            };
            match self.pause_spent(&run, &rules).await {
                Ok(true) => paused += 1,
                Ok(false) => paused += usize::from(self.trip(&run, &rules).await?),
                Err(cause @ DialerError::Prices) => error!(run.id = %run.run, "Run {}: {cause}", run.run),
                Err(cause) => return Err(cause),
            }
        }
        Ok(paused)
    }

    async fn trip(&self, run: &Run, rules: &Rules) -> Result<bool> {
        let tripped: Vec<Reading> = self
            .read_breakers(run, rules, run.changed_at)
            .await?
            .into_iter()
            .filter(|reading| reading.tripped)
            .collect();
        let currency = self.currency();
        let sentences: Vec<String> = tripped.iter().map(|reading| sentence(reading, &currency)).collect();
        if sentences.is_empty() {
            return Ok(false);
        }
        let (now, reason) = (self.clock.now(), sentences.join("; "));
        let trip = |reading: &Reading| Trip {
            name: reading.name.as_str().to_owned(),
            arm: reading.arm.as_ref().map(ToString::to_string).unwrap_or_default(),
            tripped_at: now,
            value: reading.value,
            threshold: reading.threshold,
        };
        let trips = tripped.iter().map(trip).collect();
        let order = TripOrder { run: run.run, reason: reason.clone(), now, since: run.changed_at, trips };
        let done = self.store.trip(order).await?;
        if done {
            warn!(run.id = %run.run, "Run {} is paused: {reason}", run.run);
        }
        Ok(done)
    }

    /// Only what came after the run's start or its last resume counts: since then.
    async fn read_breakers(&self, run: &Run, rules: &Rules, since: Timestamp) -> Result<Vec<Reading>> {
        let breakers = &rules.settings.breakers;
        let mut window = Window::default();
        if breakers.failures.is_some() || breakers.silent.is_some() {
            for (arm, _) in &rules.settings.modes {
                window.arms.push((arm.clone(), self.ended_of(run, arm, since).await?));
            }
        }
        window.ungranted = self.store.ungranted(run.run).await?;
        if breakers.spend_hour.is_some() {
            let from = self.clock.now().plus_ms(-SPEND_MS).max(since);
            window.spent_hour = self.store.spent_since(run.run, from).await?;
        }
        Ok(readings(breakers, &window))
    }

    async fn ended_of(&self, run: &Run, arm: &Mode, since: Timestamp) -> Result<Vec<Ended>> {
        let rows = self.store.last_ended(run.run, arm, since, LOOKED_AT_MAX).await?;
        rows.iter().map(ended).collect()
    }

    /// Since when the run dials, or dialled before it was paused.
    async fn dials_since(&self, run: &Run) -> Result<Timestamp> {
        if run.state == RunState::Running {
            return Ok(run.changed_at);
        }
        let history = self.store.run_history(run.run).await?;
        let resumed = history.iter().rev().find(|change| change.state == RunState::Running.as_str());
        Ok(resumed.map_or(run.started_at, |change| change.at))
    }

    /// Where the run's breakers stand: now, while it dials or is paused, those that paused it as they tripped; once it is
    /// over, as they tripped alone.
    pub async fn breakers(&self, run: &Run) -> Result<Vec<BreakerView>> {
        let trips = self.store.trips(run.run).await?;
        let view = |trip: &Trip| BreakerView {
            name: trip.name.clone(),
            arm: Some(trip.arm.clone()).filter(|arm| !arm.is_empty()),
            value: trip.value,
            threshold: trip.threshold,
            tripped_at: Some(trip.tripped_at),
        };
        if run.state.is_over() {
            return Ok(trips.iter().map(view).collect());
        }
        let rules = match self.rules(run.campaign).await {
            Err(DialerError::Rules { .. }) => return Ok(trips.iter().map(view).collect()),
            rules => rules?,
        };
        let paused = run.state == RunState::Paused;
        let now = |reading: Reading| {
            let (name, arm) = (reading.name.as_str(), reading.arm.as_ref().map(ToString::to_string));
            let before = |trip: &&Trip| trip.name == name && trip.arm == arm.as_deref().unwrap_or_default();
            let trip = trips.iter().find(before);
            // What ended since then does not change why it is paused.
            match trip.filter(|trip| paused && trip.tripped_at == run.changed_at) {
                Some(trip) => view(trip),
                None => {
                    let (value, threshold) = (reading.value, reading.threshold);
                    BreakerView {
                        name: name.to_owned(),
                        arm,
                        value,
                        threshold,
                        tripped_at: trip.map(|trip| trip.tripped_at),
                    }
                }
            }
        };
        let since = self.dials_since(run).await?;
        let mut told: Vec<BreakerView> = self.read_breakers(run, &rules, since).await?.into_iter().map(now).collect();
        // A breaker that has paused the run and was switched off since is told all the same.
        let missing = trips.iter().filter(|trip| paused && trip.tripped_at == run.changed_at).map(view);
        for trip in missing {
            if !told.iter().any(|known| known.name == trip.name && known.arm == trip.arm) {
                told.push(trip);
            }
        }
        Ok(told)
    }
}

fn ended(row: &EndedRow) -> Result<Ended> {
    let outcome: Outcome = row.outcome.parse().map_err(|cause: crate::domain::outcome::NotAnOutcome| {
        DialerError::Store(StoreError::Row { table: "attempts", column: "outcome", cause: cause.to_string() })
    })?;
    Ok(Ended {
        outcome,
        broke: row.fault.is_some(),
        told: row.source.as_deref() == Some("event"),
        first_audio_ms: row.first_audio_ms,
        talk_ms: row.talk_ms,
    })
}
