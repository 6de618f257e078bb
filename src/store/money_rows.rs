//! Rows of money: budgets, what attempts hold of them, and breakers that tripped.

use super::Held;
use crate::domain::budget::Counter;
use crate::domain::{AttemptId, CampaignId, RunId, Timestamp};
use std::collections::BTreeMap;

/// What an attempt holds of its budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// When the day began on which it was granted, in the campaign's zone.
    pub day_at: Timestamp,
    pub granted_at: Timestamp,
    /// The prices that it was granted by, as JSON.
    pub tariff: String,
    /// Micros; 0 once it is settled.
    pub reserved: i64,
    /// What was spent: the provider's part, which history corrects, and that of models.
    pub provider: i64,
    pub models: i64,
    /// Of `models`: replies, by their own tokens.
    pub replied: i64,
}

/// The budgets of one decision, held against every other grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldMoney {
    pub run: Option<Counter>,
    /// The campaign's days of late, by the instant at which each began.
    pub days: BTreeMap<Timestamp, Counter>,
    pub reservation: Option<Reservation>,
    /// What the attempt's replies cost so far.
    pub replied: i64,
}

/// One attempt's reservation, as it was and as it becomes.
#[derive(Clone, Debug)]
pub struct MoneyMove {
    pub attempt: AttemptId,
    pub run: RunId,
    pub campaign: CampaignId,
    pub was: Option<Reservation>,
    pub is: Reservation,
}

impl MoneyMove {
    pub fn of(held: &Held, is: &Reservation) -> Self {
        MoneyMove {
            attempt: held.attempt,
            run: held.run,
            campaign: held.campaign,
            was: held.money.reservation.clone(),
            is: is.clone(),
        }
    }
}

/// What is locked for several decisions at once.
#[derive(Clone, Debug, Default)]
pub struct BudgetsHeld {
    /// By run or campaign, and day.
    pub counters: BTreeMap<(i64, Timestamp), Counter>,
    pub reservations: BTreeMap<i64, Reservation>,
    /// What replies cost, by attempt.
    pub replied: BTreeMap<i64, i64>,
}

impl BudgetsHeld {
    /// What one decision must know.
    pub fn of(&self, attempt: AttemptId, run: RunId, campaign: CampaignId) -> HeldMoney {
        let days = self.counters.range((campaign.0, Timestamp(1))..=(campaign.0, Timestamp(i64::MAX)));
        HeldMoney {
            run: self.counters.get(&(run.0, Timestamp(0))).copied(),
            days: days.map(|((_, day), counter)| (*day, *counter)).collect(),
            reservation: self.reservations.get(&attempt.0).cloned(),
            replied: self.replied.get(&attempt.0).copied().unwrap_or(0),
        }
    }

    /// The next decision sees what this one reserved or gave back.
    pub fn note(&mut self, moved: &MoneyMove) {
        for (reservation, sign) in moved.was.iter().map(|was| (was, -1)).chain([(&moved.is, 1)]) {
            for key in [(moved.run.0, Timestamp(0)), (moved.campaign.0, reservation.day_at)] {
                if let Some(counter) = self.counters.get_mut(&key) {
                    counter.spent += sign * (reservation.provider + reservation.models);
                    counter.reserved += sign * reservation.reserved;
                }
            }
        }
        self.reservations.insert(moved.attempt.0, moved.is.clone());
    }
}

/// A run's money at a glance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunMoney {
    pub run: Counter,
    pub day: Counter,
    /// Calls that hold something.
    pub calls: i64,
}

/// A breaker that paused a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    pub name: String,
    /// Empty: the run as a whole.
    pub arm: String,
    pub tripped_at: Timestamp,
    pub value: f64,
    pub threshold: f64,
}

pub struct TripOrder {
    pub run: RunId,
    pub reason: String,
    pub now: Timestamp,
    /// When the run came into the state that was looked at: somebody may have resumed it since.
    pub since: Timestamp,
    pub trips: Vec<Trip>,
}

/// An ended attempt, as breakers read it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EndedRow {
    pub outcome: String,
    pub source: Option<String>,
    pub fault: Option<String>,
    pub first_audio_ms: Option<i64>,
    pub talk_ms: Option<i64>,
}
