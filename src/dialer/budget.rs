//! Budgets: reserved by a grant, settled by an end, and the run that pauses when its money is gone.
//!
//! What is decided here wraps the decisions of grant and settle: a campaign that counts no money never comes by.

use super::plan::SINGLE;
use super::{Dialer, DialerError, Grant, News, Report, Result, Rules};
use crate::domain::budget::{Budget, Counters, End, Room, day_of, settled};
use crate::domain::clearance::{Clearance, Gate};
use crate::domain::money::{Models, Prices, Tariff};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::{CampaignId, Mode, Outcome, PhoneNumber, RunId, Timestamp};
use crate::store::{Change, Held, OpenRun, Placement, Reservation, Run, RunMoney, RunState, TripOrder};
use std::sync::Arc;
use tracing::warn;

/// A contact whose call finds no money, while calls under way may give some back, is looked at again after this.
const RECHECK_MS: i64 = 60_000;

/// What money is counted by.
#[derive(Clone, Debug)]
pub struct Pricing {
    pub prices: Prices,
    pub models: Models,
}

impl Pricing {
    /// The most that a call to this number in this mode can cost: what its grant reserves.
    fn most(&self, to: &PhoneNumber, mode: &Mode, settings: &Settings) -> i64 {
        self.prices.tariff(to, mode, &settings.dial, &self.models).most()
    }
}

/// The money of a run as a planner sees it, before anything of it is locked. The grant decides.
pub struct Means {
    pub pricing: Arc<Pricing>,
    pub budget: Budget,
    /// Calls on their way to their grant are counted as reserved.
    pub counters: Counters,
    /// The most that the cheapest call can cost.
    pub least: i64,
    pub next_day: Timestamp,
}

/// What one more call does to them.
pub enum Spending {
    /// It can cost so much.
    Promised(i64),
    Refused(Placement),
}

impl Means {
    /// Calls that there is money for at best, beside what this plan has promised already.
    pub fn calls_left(&self, promised: i64) -> i64 {
        self.budget.calls_left(self.counters.with(promised), self.least)
    }

    /// What the grant would say of the money of this call; a claim that it refuses costs a session.
    pub fn of(&self, to: &PhoneNumber, mode: &Mode, settings: &Settings, run: &OpenRun) -> Spending {
        let most = self.pricing.most(to, mode, settings);
        if self.budget.is_below(most) {
            return Spending::Refused(Placement::Bar(Gate::Budget));
        }
        match self.budget.room(self.counters.with(run.promised), most) {
            // The run is at its end: the grant says so, and pauses it.
            Room::Enough | Room::RunShort { reserved: false } => Spending::Promised(most),
            Room::DayShort { reserved: false } => {
                Spending::Refused(Placement::Park { until: self.next_day, gate: Gate::Budget })
            }
            Room::RunShort { reserved: true } | Room::DayShort { reserved: true } => {
                Spending::Refused(Placement::Short)
            }
        }
    }
}

/// What a grant must know of money.
#[derive(Clone, Debug)]
pub struct Purse {
    pub budget: Budget,
    pub day_at: Timestamp,
    pub next_day: Timestamp,
    pub tariff: Tariff,
    pub currency: String,
}

/// Does the campaign count its money at all?
fn counts(settings: &Settings) -> bool {
    settings.budget.is_set() || settings.breakers.spend_hour.is_some()
}

impl Dialer {
    pub(super) fn pricing(&self) -> Result<&Arc<Pricing>> {
        self.pricing.as_ref().ok_or(DialerError::Prices)
    }

    pub fn prices(&self) -> Option<&Prices> {
        self.pricing.as_ref().map(|pricing| &pricing.prices)
    }

    /// Of the prices; empty where there are none.
    pub fn currency(&self) -> String {
        self.pricing.as_ref().map(|pricing| pricing.prices.currency.clone()).unwrap_or_default()
    }

    /// The models that money is counted by.
    pub fn models(&self) -> Models {
        self.pricing.as_ref().map(|pricing| pricing.models.clone()).unwrap_or_default()
    }

    /// The purse of one attempt, its counters made if they were not there yet.
    pub(super) async fn purse(&self, held: &Held, rules: &Rules, now: Timestamp) -> Result<Option<Purse>> {
        if !counts(&rules.settings) || held.run_kind == SINGLE {
            return Ok(None);
        }
        let pricing = self.pricing()?;
        let (day_at, next_day) = day_of(rules.settings.timezone, now);
        self.opened(held.run, held.campaign, day_at).await?;
        let tariff = pricing.prices.tariff(&held.to, &held.mode, &rules.settings.dial, &pricing.models);
        let currency = pricing.prices.currency.clone();
        Ok(Some(Purse { budget: rules.settings.budget, day_at, next_day, tariff, currency }))
    }

    async fn opened(&self, run: RunId, campaign: CampaignId, day_at: Timestamp) -> Result<()> {
        let known = || self.opened.lock().expect("no panic while holding it");
        if known().get(&run) != Some(&day_at) {
            self.store.open_budgets(run, campaign, day_at).await?;
            let mut opened = known();
            // Runs are few; those that are over are forgotten with the rest.
            if opened.len() >= OPENED_MAX {
                opened.clear();
            }
            opened.insert(run, day_at);
        }
        Ok(())
    }

    /// What the run has spent and reserved; `None` where nothing is counted.
    pub async fn money(&self, run: RunId, campaign: CampaignId, settings: &Settings) -> Result<Option<RunMoney>> {
        if !counts(settings) {
            return Ok(None);
        }
        let (day_at, _) = day_of(settings.timezone, self.clock.now());
        Ok(Some(self.store.run_money(run, campaign, day_at).await?))
    }

    /// What a planner must know of the run's money; `None` where nothing limits it.
    pub(super) async fn means(&self, run: &Run, rules: &Rules) -> Result<Option<Means>> {
        let settings = &rules.settings;
        if !settings.budget.is_set() || run.kind == SINGLE {
            return Ok(None);
        }
        let (pricing, now) = (self.pricing()?.clone(), self.clock.now());
        let (day_at, next_day) = day_of(settings.timezone, now);
        // Before the counters: a call that is granted in between is counted twice, and not left out.
        let open = self.store.open_calls(run.run, now).await?;
        let money = self.store.run_money(run.run, run.campaign, day_at).await?;
        let open = open.iter().map(|(to, mode)| pricing.most(to, mode, settings)).sum();
        let counters = counters(&money).with(open);
        Ok(Some(Means { pricing, budget: settings.budget, counters, least: self.least(settings)?, next_day }))
    }

    /// The most that the cheapest call of the campaign can cost: with less than that, nobody can be called.
    fn least(&self, settings: &Settings) -> Result<i64> {
        let pricing = self.pricing()?;
        let most = |mode| pricing.prices.cheapest(mode, &settings.dial, &pricing.models).most();
        Ok(settings.modes.iter().map(|(mode, _)| most(mode)).min().unwrap_or(0))
    }

    /// A run whose own money is gone, with no call under way that could give any back, pauses and says so.
    pub(super) async fn pause_spent(&self, run: &Run, rules: &Rules) -> Result<bool> {
        let settings = &rules.settings;
        if !settings.budget.is_set() || run.state != RunState::Running || run.kind == SINGLE {
            return Ok(false);
        }
        // No day will ever hold a call.
        if settings.budget.day.is_some_and(|day| self.least(settings).is_ok_and(|least| least > day)) {
            let reason =
                "the budget of a day is less than the cheapest call can cost: raise it, or shorten calls".to_owned();
            warn!(run.id = %run.run, "Run {} is paused: {reason}", run.run);
            let now = self.clock.now();
            let trip = TripOrder { run: run.run, reason, now, since: run.changed_at, trips: Vec::new() };
            return Ok(self.store.trip(trip).await?);
        }
        let Some(money) = self.money(run.run, run.campaign, settings).await? else { return Ok(false) };
        let (counters, least) = (counters(&money), self.least(settings)?);
        if settings.budget.room(counters, least) != (Room::RunShort { reserved: false }) {
            return Ok(false);
        }
        let currency = &self.pricing()?.prices.currency;
        let Some(reason) = settings.budget.spent_sentence(counters, least, currency) else { return Ok(false) };
        warn!(run.id = %run.run, "Run {} is paused: {reason}", run.run);
        let now = self.clock.now();
        Ok(self.store.trip(TripOrder { run: run.run, reason, now, since: run.changed_at, trips: Vec::new() }).await?)
    }
}

/// Runs whose counters are known to be there.
const OPENED_MAX: usize = 10_000;

fn counters(money: &RunMoney) -> Counters {
    Counters { run: money.run, day: money.day }
}

/// The gate of money, after all others: what they let through waits when its most cannot be reserved.
pub fn afford(held: &Held, purse: Option<&Purse>, cleared: Clearance, now: Timestamp) -> Clearance {
    let (Some(purse), Clearance::Go(_)) = (purse, &cleared) else { return cleared };
    // A repeated request for a grant that holds its money already.
    if matches!(held.state, State::Live { .. }) {
        return cleared;
    }
    // A call that is dearer than the whole budget will not be cheaper tomorrow.
    if purse.budget.is_below(purse.tariff.most()) {
        return Clearance::Bar(Gate::Budget);
    }
    let recheck = now.plus_ms(RECHECK_MS);
    match purse.budget.room(counted(held, purse), purse.tariff.most()) {
        Room::Enough => cleared,
        Room::DayShort { reserved: false } => Clearance::Wait { until: purse.next_day, gate: Gate::Budget },
        Room::RunShort { .. } | Room::DayShort { .. } => Clearance::Wait { until: recheck, gate: Gate::Budget },
    }
}

/// Counters that are not there were not made: nothing is granted on them.
fn counted(held: &Held, purse: &Purse) -> Counters {
    use crate::domain::budget::Counter;
    const FULL: Counter = Counter { spent: i64::MAX, reserved: 0 };
    Counters { run: held.money.run.unwrap_or(FULL), day: held.money.days.get(&purse.day_at).copied().unwrap_or(FULL) }
}

/// The grant's decision with its money: reserved where it is given; where it was refused for want of money, and no
/// call is left that could give any back, the run pauses.
pub fn reserve(held: &Held, purse: Option<&Purse>, decided: (Change, Grant), now: Timestamp) -> (Change, Grant) {
    let (Some(purse), (mut change, grant)) = (purse, decided.clone()) else { return decided };
    let is_live = change.attempt.as_ref().is_some_and(|to| matches!(to.state, State::Live { .. }));
    if is_live && matches!(grant, Grant::Go(_)) {
        let before = held.money.reservation.as_ref();
        change.money = Some(Reservation {
            day_at: purse.day_at,
            granted_at: now,
            tariff: serde_json::to_string(&purse.tariff).expect("numbers serialise"),
            reserved: purse.tariff.most(),
            provider: before.map_or(0, |before| before.provider),
            models: before.map_or(0, |before| before.models),
            replied: before.map_or(0, |before| before.replied),
        });
    }
    if let Some(crate::store::ContactChange::Waits { gate: Gate::Budget, .. }) = change.contact {
        let (counters, most) = (counted(held, purse), purse.tariff.most());
        if purse.budget.room(counters, most) == (Room::RunShort { reserved: false }) {
            change.run_paused = purse.budget.spent_sentence(counters, most, &purse.currency);
        }
    }
    (change, grant)
}

/// A report's change with its money: what was reserved is given back, and what was spent is counted.
pub fn settle(held: &Held, report: &Report, mut change: Change) -> Change {
    let (Some(before), Some(to)) = (&held.money.reservation, &change.attempt) else { return change };
    let Ok(tariff) = serde_json::from_str::<Tariff>(&before.tariff) else { return change };
    let end = match to.state {
        State::Lost { .. } => End::Lost,
        State::Ended { outcome, .. } if to.dialed_at.is_some() => {
            let by_history = matches!(report.news, News::Finished { evidence: "history", .. });
            let call = report.call.as_ref();
            let seconds = |ms: Option<i64>| ms.map(|ms| ms.max(0) / 1000 + i64::from(ms.max(0) % 1000 > 0));
            End::Told {
                picked_up: picked_up(outcome),
                ring_s: seconds(call.and_then(|call| call.ring_ms)),
                talk_s: seconds(call.and_then(|call| call.talk_ms)),
                cost: call.and_then(|call| call.cost_micros).filter(|_| !by_history),
            }
        }
        State::Planned { .. } | State::Ended { .. } => End::NotDialled,
        State::Dialing { .. } | State::Live { .. } => return change,
    };
    let (provider, models, replied) = match end {
        // An earlier grant of the attempt may have cost something.
        End::NotDialled => (before.provider, before.models, before.replied),
        end => {
            // By the seconds: where a model's tokens were told, the store puts their cost in its place.
            let (provider, models) = settled(&tariff, end);
            (provider, models + held.money.replied, held.money.replied)
        }
    };
    change.money = Some(Reservation { reserved: 0, provider, models, replied, ..before.clone() });
    change
}

/// May somebody have talked on the line? What broke on our side may have broken in the middle of a talk.
fn picked_up(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Answered | Outcome::Machine)
}
