//! plan: lease what is due, give it slots.

use super::{Dialer, DialerError, Result, Rules};
use crate::domain::clearance::{Gate, open_at};
use crate::domain::slot::{next_slot_us, spacing_us};
use crate::domain::{CampaignId, Outcome, PhoneNumber, RunId, Timestamp};
use crate::store::{Account, Leased, OpenRun, Placement, PlanOrder, Planned, Planner, RunState};
use std::collections::{BTreeMap, HashMap};
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
pub(super) const SINGLE: &str = "single";
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
}

impl Dialer {
    /// Leases due contacts of the account's runs, gives each planned attempt a slot and returns them.
    pub async fn plan(&self) -> Result<Vec<Planned>> {
        let mut rules = HashMap::new();
        for run in self.store.open_runs().await? {
            let single = run.kind == SINGLE;
            if single && self.clock.now().since(run.started_at) > self.single_ms_max() {
                self.withdraw(run.run).await?;
                continue;
            }
            let ours = single || !self.only_single_calls;
            if ours && run.account == self.account && run.state == RunState::Running {
                // One campaign that cannot be read does not stop the others.
                match self.rules(run.campaign).await {
                    Ok(known) => drop(rules.insert(run.campaign, known)),
                    Err(cause) => self.pause_unreadable(run.run, &cause).await?,
                }
            }
        }
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let plan = Plan {
            now,
            earliest: now.plus_ms(if self.clock.speed() == 1.0 { LEAD_MS } else { 0 }),
            horizon_us: 1000 * self.clock.at_least(HORIZON_MS, HORIZON_WALL_MS),
            lease_ms: self.clock.at_least(LEASE_MS, LEASE_WALL_MS),
            real: self.platform.real,
            rules,
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

impl Plan {
    fn slots_left(&self, last_us: i64, cps: Option<f64>) -> i64 {
        let Some(limit) = cps else { return LEASED_MAX };
        let end = self.now.0 * 1000 + self.horizon_us;
        let next = next_slot_us(last_us, self.earliest, Some(limit));
        if next >= end { 0 } else { 1 + (end - next) / spacing_us(limit) }
    }
}

impl Planner for Plan {
    fn want(&self, account: &Account, lines_held: i64, run: &OpenRun) -> usize {
        let Some(rules) = self.rules.get(&run.campaign) else { return 0 };
        let dial = &rules.settings.dial;
        let lines =
            (i64::from(dial.lines) - run.lines_held).min(account.lines_max.map_or(i64::MAX, |max| max - lines_held));
        let slots = self
            .slots_left(run.last_slot_us, Some(dial.cps))
            .min(self.slots_left(account.last_slot_us, account.cps_max));
        lines.min(slots).clamp(0, LEASED_MAX) as usize
    }

    fn place(
        &self,
        account: &mut Account,
        run: &mut OpenRun,
        caller_slots: &mut BTreeMap<String, i64>,
        contact: &Leased,
    ) -> Placement {
        let Some(rules) = self.rules.get(&run.campaign) else {
            return Placement::Park { until: self.now.plus_ms(HORIZON_MS), gate: Gate::Paused };
        };
        let settings = &rules.settings;
        if contact.suppressed || (self.real && contact.to.is_example()) {
            return Placement::Rest(Outcome::Suppressed);
        }
        if !settings.exempts(contact.to.is_example(), contact.allow_listed) {
            let zone = contact.timezone.unwrap_or(settings.timezone);
            match open_at(settings, &rules.policy, zone, self.now) {
                Some(at) if at <= self.now => {}
                Some(until) => return Placement::Park { until, gate: Gate::Window },
                // The campaign's windows and the policy's never meet.
                None => return Placement::Rest(Outcome::Expired),
            }
        }
        let slot_us = next_slot_us(run.last_slot_us, self.earliest, Some(settings.dial.cps)).max(next_slot_us(
            account.last_slot_us,
            self.earliest,
            account.cps_max,
        ));
        run.last_slot_us = slot_us;
        account.last_slot_us = slot_us;
        let caller_id = contact.caller_id.clone().or_else(|| least_used(&settings.dial.caller_ids, caller_slots));
        if let Some(id) = &caller_id {
            caller_slots.insert(id.as_str().to_owned(), slot_us);
        }
        let leased_until = Timestamp(slot_us / 1000).plus_ms(self.lease_ms);
        Placement::Slot { slot_us, caller_id, leased_until }
    }
}

/// The caller id that was used longest ago: rotation over all arms, whatever the mode.
fn least_used(pool: &[PhoneNumber], slots: &BTreeMap<String, i64>) -> Option<PhoneNumber> {
    pool.iter().min_by_key(|id| slots.get(id.as_str()).copied().unwrap_or(i64::MIN)).cloned()
}
