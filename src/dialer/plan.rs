//! plan: lease what is due, give it slots.

use super::budget::{Means, Spending};
use super::{Dialer, DialerError, Result, Rules};
use crate::domain::allowed::allowed_at;
use crate::domain::alternates::{Line, instead_of, others};
use crate::domain::callers::{CallerUses, Pool, Shown, day_of};
use crate::domain::clearance::Gate;
use crate::domain::pace::{account_cps, jittered_us};
use crate::domain::settings::RetryOrder;
use crate::domain::settings::Settings;
use crate::domain::slot::{lines_free, next_slot_us, spacing_us};
use crate::domain::term::InTerm;
use crate::domain::{CampaignId, Outcome, RunId, Timestamp};
use crate::fail;
use crate::store::{Account, Leased, OpenRun, Placement, PlanOrder, Planned, Planner, RunState, StoreError};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::sync::Arc;
use tracing::{error, warn};

/// Contacts of one run leased in one plan, ten times a second.
const LEASED_MAX: i64 = 1000;
/// Slots are given this far ahead: the queue holds only the next second.
const HORIZON_MS: i64 = 1000;
const HORIZON_WALL_MS: i64 = 500;
/// No slot is nearer than this: a job needs a pick-up (every 50 ms) and the claim's commit before it, and a
/// start that misses its slot is planned again. With a scaled clock a start may be later than that anyway.
pub const LEAD_MS: i64 = 150;
/// A lease outlives its slot by this; then a crash between commit and push is repaired.
const LEASE_MS: i64 = 5_000;
const LEASE_WALL_MS: i64 = 5_000;

/// Runs of one call.
pub const SINGLE: &str = "single";
/// A single call that has not come to an end by then is not begun any more. Longer than a call of its settings
/// can last; one that is live goes on.
const SINGLE_MS_MAX: i64 = 600_000;
const SINGLE_WALL_MS: i64 = 60_000;

/// The planner of one moment: what it needs to know beside what is read under the locks.
pub struct Plan {
    pub now: Timestamp,
    /// The first moment that a slot may have.
    pub earliest: Timestamp,
    pub horizon_us: i64,
    pub lease_ms: i64,
    /// The platform rings real phones.
    pub real: bool,
    /// Campaigns that are absent do not dial.
    pub rules: HashMap<CampaignId, Arc<Rules>>,
    /// The money of runs that have a budget.
    pub means: HashMap<RunId, Means>,
}

impl Dialer {
    /// Leases due contacts of the account's runs, gives each planned attempt a slot and returns them.
    pub async fn plan(&self) -> Result<Vec<Planned>> {
        let (mut rules, mut means, mut open) = (HashMap::new(), HashMap::new(), false);
        for run in self.store.open_runs().await? {
            let single = run.kind == SINGLE;
            if single && self.clock.now().since(run.started_at) > self.single_ms_max() {
                self.withdraw(run.run).await?;
                continue;
            }
            let ours = single || !self.only_single_calls;
            open |= ours && run.account == self.account;
            if ours && run.account == self.account && run.state == RunState::Running {
                // One campaign that cannot be read does not stop the others.
                match self.rules_at(run.campaign, run.settings_version).await {
                    Ok(known) => {
                        means.extend(self.means(&run, &known).await?.map(|means| (run.run, means)));
                        rules.insert(run.campaign, known);
                    }
                    // A database that is away for a moment says nothing about the campaign.
                    Err(cause @ DialerError::Store(StoreError::Sql(_) | StoreError::Write(_))) => return Err(cause),
                    Err(cause) => self.pause_unreadable(run.run, &cause).await?,
                }
            }
        }
        // A run that is paused calls nobody, and may have come to its end all the same.
        if !open {
            return Ok(Vec::new());
        }
        self.obey_limits().await?;
        fail::point("plan.begun");
        let now = self.clock.now();
        let plan = Plan {
            now,
            earliest: now.plus_ms(if self.clock.speed() == 1.0 { LEAD_MS } else { 0 }),
            horizon_us: 1000 * self.clock.at_least(HORIZON_MS, HORIZON_WALL_MS),
            lease_ms: self.clock.at_least(LEASE_MS, LEASE_WALL_MS),
            real: self.platform.real,
            rules,
            means,
        };
        let order = PlanOrder {
            account: self.account,
            now,
            lease_until: now.plus_ms(plan.lease_ms),
            ids: self.store.ids.clone(),
            planner: Arc::new(plan),
        };
        Ok(self.store.plan(order).await?)
    }
}

impl Dialer {
    /// A single call is for now: whoever asked for it no longer waits.
    async fn withdraw(&self, run: RunId) -> Result<()> {
        let why = "the call could not be placed in time: a single call is for now".to_owned();
        warn!(run.id = %run, "Run {run} is withdrawn: {why}");
        self.store.set_run_state(run, RunState::Stopped, Some(why), self.clock.now()).await?;
        Ok(())
    }

    fn single_ms_max(&self) -> i64 {
        self.clock.at_least(SINGLE_MS_MAX, SINGLE_WALL_MS)
    }

    async fn pause_unreadable(&self, run: RunId, cause: &DialerError) -> Result<()> {
        error!(run.id = %run, "Run {run} is paused: {cause}");
        let why = Some(cause.to_string());
        self.store.set_run_state(run, RunState::Paused, why, self.clock.now()).await?;
        Ok(())
    }
}

/// Starts per second of the run's own lane at an instant.
fn run_cps(settings: &Settings, run: &OpenRun, at_us: i64) -> Option<f64> {
    Some(settings.pacing.run_cps(settings.dial.cps, run.since, Timestamp(at_us.div_euclid(1000))))
}

/// Starts per second of the account's lane at an instant, as far as this campaign may use it.
fn share_cps(settings: &Settings, account: &Account, at_us: i64) -> Option<f64> {
    let at = Timestamp(at_us.div_euclid(1000));
    settings.pacing.share_of_cps(account_cps(account.cps_max, account.brake.as_ref(), at))
}

impl Plan {
    /// The next slot of a lane. A pace that grows was lower at the last slot: the distance is that one's.
    fn next_us(&self, last_us: i64, cps: impl Fn(i64) -> Option<f64>) -> i64 {
        next_slot_us(last_us, self.earliest, cps(last_us))
    }

    fn horizon_end_us(&self) -> i64 {
        self.now.0 * 1000 + self.horizon_us
    }

    fn slots_left(&self, last_us: i64, cps: impl Fn(i64) -> Option<f64>) -> i64 {
        let (next, end) = (self.next_us(last_us, &cps), self.horizon_end_us());
        match cps(next) {
            _ if next >= end => 0,
            Some(limit) => 1 + (end - next) / spacing_us(limit),
            None => LEASED_MAX,
        }
    }

    /// Where the run's own distance begins: at its last slot, or later by jitter. How much is known before anybody is
    /// chosen for the slot, so that it can be given in its turn among those of other runs.
    fn lane_us(&self, settings: &Settings, run: &OpenRun) -> i64 {
        let cps = run_cps(settings, run, run.last_slot_us).unwrap_or(settings.dial.cps);
        jittered_us(run.last_slot_us, cps, settings.pacing.jitter, (run.run.0, run.last_slot_us))
    }

    fn run_us(&self, settings: &Settings, run: &OpenRun) -> i64 {
        next_slot_us(self.lane_us(settings, run), self.earliest, run_cps(settings, run, run.last_slot_us))
    }

    fn slot_us(&self, settings: &Settings, account: &Account, run: &OpenRun) -> i64 {
        let account_us = self.next_us(account.last_slot_us, |at| share_cps(settings, account, at));
        self.run_us(settings, run).max(account_us)
    }

    /// A number that has had its calls makes room for another of the contact, or waits with them for whichever opens
    /// first.
    fn closed(&self, rules: &Rules, contact: &Leased, zone: Tz, until: Timestamp, gate: Gate) -> Placement {
        if gate != Gate::Cap {
            return Placement::Park { until, gate };
        }
        let opens = |line: &Line| allowed_at(&rules.settings, &rules.policy, &line.history, zone, self.now);
        let others = || others(&contact.lines, contact.number);
        match others().find(|line| matches!(opens(line), Some((_, None)))) {
            Some(line) => Placement::Elsewhere(line.number),
            None => {
                let first = others().filter_map(opens).map(|(at, _)| at).min();
                Placement::Park { until: first.map_or(until, |first| first.min(until)), gate }
            }
        }
    }

    fn pool<'a>(&self, settings: &'a Settings) -> Pool<'a> {
        let limits = &settings.pacing.callers;
        let midnight = if limits.is_empty() { Timestamp::NEVER } else { day_of(settings.timezone, self.now).1 };
        Pool { ids: &settings.dial.caller_ids, limits, horizon_us: self.horizon_end_us(), midnight }
    }
}

impl Planner for Plan {
    fn want(&self, account: &Account, lines_held: i64, run: &OpenRun) -> usize {
        let Some(rules) = self.rules.get(&run.campaign) else { return 0 };
        // So many trip the breaker, which pauses the run within a second: nobody is started in vain until then.
        if rules.settings.breakers.ungranted.is_some_and(|most| run.ungranted >= i64::from(most)) {
            return 0;
        }
        let ours = rules.settings.pacing.share_of_lines(account.lines_max);
        let lines = lines_free(rules.settings.dial.lines, run.lines_held, ours, lines_held);
        let lines = self.means.get(&run.run).map_or(lines, |means| lines.min(means.calls_left(run.promised)));
        let slots = self
            .slots_left(self.lane_us(&rules.settings, run), |at| run_cps(&rules.settings, run, at))
            .min(self.slots_left(account.last_slot_us, |at| share_cps(&rules.settings, account, at)));
        lines.min(slots).clamp(0, LEASED_MAX) as usize
    }

    fn next_us(&self, account: &Account, run: &OpenRun, callers: &CallerUses, head: Option<&Leased>) -> i64 {
        let Some(rules) = self.rules.get(&run.campaign) else { return i64::MAX };
        let settings = &rules.settings;
        // The account's own pace: whoever leaves a share of it to others is not behind them for ever.
        let whole = |at: i64| account_cps(account.cps_max, account.brake.as_ref(), Timestamp(at.div_euclid(1000)));
        let next_us = self.run_us(settings, run).max(Plan::next_us(self, account.last_slot_us, whole));
        if settings.pacing.callers.is_empty() {
            return next_us;
        }
        let kept = head.and_then(|contact| contact.caller_id.as_ref());
        next_us.max(self.pool(settings).first_us(kept, callers))
    }

    fn counts_calls(&self, run: &OpenRun) -> bool {
        self.rules.get(&run.campaign).is_some_and(|rules| rules.settings.counts_calls())
    }

    fn order(&self, run: &OpenRun) -> RetryOrder {
        self.rules.get(&run.campaign).map_or(RetryOrder::Due, |rules| rules.settings.retry.order)
    }

    fn counted(&self, run: &OpenRun) -> Vec<(String, Timestamp)> {
        let Some(rules) = self.rules.get(&run.campaign) else { return Vec::new() };
        let limited = rules.settings.pacing.callers.iter().filter(|(_, limits)| limits.day_max.is_some());
        let mut limited = limited.map(|(id, _)| id.as_str().to_owned()).peekable();
        if limited.peek().is_none() {
            return Vec::new();
        }
        let today = day_of(rules.settings.timezone, self.now).0;
        limited.map(|id| (id, today)).collect()
    }

    fn carried(&self, account: &Account, run: &OpenRun, callers: &CallerUses, want: usize) -> usize {
        let Some(rules) = self.rules.get(&run.campaign) else { return 0 };
        let settings = &rules.settings;
        if settings.pacing.callers.is_empty() {
            return want;
        }
        let slot_us = self.slot_us(settings, account, run);
        self.pool(settings).room(callers, slot_us, want as i64).clamp(0, LEASED_MAX) as usize
    }

    fn place(&self, account: &mut Account, run: &mut OpenRun, callers: &mut CallerUses, contact: &Leased) -> Placement {
        let Some(rules) = self.rules.get(&run.campaign) else {
            return Placement::Park { until: self.now.plus_ms(HORIZON_MS), gate: Gate::Paused };
        };
        let settings = &rules.settings;
        if self.real && contact.to.is_example() {
            return Placement::Rest(Outcome::Suppressed);
        }
        if contact.suppressed {
            return match instead_of(&contact.lines, contact.number) {
                Some(other) => Placement::Elsewhere(other),
                None => Placement::Rest(Outcome::Suppressed),
            };
        }
        match contact.term.at(self.now) {
            InTerm::Yes => {}
            InTerm::NotYet(until) => return Placement::Park { until, gate: Gate::NotBefore },
            InTerm::Over => return Placement::Rest(Outcome::Expired),
        }
        if !settings.exempts(contact.to.is_example(), contact.allow_listed) {
            if settings.consent.required && !contact.consented {
                return Placement::Bar(Gate::NoConsent);
            }
            let zone = contact.timezone.unwrap_or(settings.timezone);
            match allowed_at(settings, &rules.policy, &contact.history, zone, self.now) {
                Some((_, None)) => {}
                Some((until, Some(gate))) => return self.closed(rules, contact, zone, until, gate),
                // The campaign's windows and the policy's never meet.
                None => return Placement::Rest(Outcome::Expired),
            }
        }
        let spends = match self.means.get(&run.run).map(|means| means.of(&contact.to, &contact.mode, settings, run)) {
            Some(Spending::Refused(placement)) => return placement,
            Some(Spending::Promised(micros)) => micros,
            None => 0,
        };
        let slot_us = self.slot_us(settings, account, run);
        let (caller_id, slot_us) = match self.pool(settings).show(contact.caller_id.as_ref(), callers, slot_us) {
            None => (None, slot_us),
            Some(Shown::By(id, at_us)) => (Some(id), at_us),
            Some(Shown::Opens(until)) => return Placement::Park { until, gate: Gate::CallerId },
        };
        run.last_slot_us = slot_us;
        run.promised += spends;
        account.last_slot_us = slot_us;
        let leased_until = Timestamp(slot_us / 1000).plus_ms(self.lease_ms);
        Placement::Slot { slot_us, caller_id, leased_until }
    }
}
