//! The account slows down when the provider complains; limits that somebody edits are obeyed by every node.

use super::dial::CLAIM_AHEAD_WALL_MS;
use super::{Dialer, Result};
use crate::domain::Timestamp;
use crate::domain::pace::{BURST_MS, Brake, Complaint, RISE_EVERY_MS};
use crate::store::BrakeOrder;
use std::sync::Arc;
use tracing::{info, warn};

/// Over which what really left is counted.
const LEFT_MS: i64 = 1_000;

impl Dialer {
    /// A start that left at `sent_at` was refused because there were too many.
    pub(super) async fn slow_down(&self, sent_at: Timestamp, until: Option<Timestamp>, reason: String) -> Result<()> {
        let now = self.clock.now();
        // The provider lives in real time: its second is one of the wall.
        let real = |ms: i64| self.clock.at_least(ms, ms);
        let (window_ms, every_ms, burst_ms) = (real(LEFT_MS), real(RISE_EVERY_MS), real(BURST_MS));
        {
            let mut refusals = self.refusals.lock().expect("no panic while holding it");
            if sent_at.since(refusals.slowed_at) <= burst_ms {
                return Ok(());
            }
            refusals.slowed_at = now;
        }
        let since = now.plus_ms(-window_ms - real(CLAIM_AHEAD_WALL_MS));
        let order = BrakeOrder {
            account: self.account,
            now,
            since,
            decision: Arc::new(move |account, left| {
                let left_cps = left as f64 * 1000.0 / window_ms as f64;
                let complaint = Complaint { sent_at, left_cps, until, reason: reason.clone() };
                Brake::step(account.brake.as_ref(), account.cps_max, &complaint, now, every_ms, burst_ms)
            }),
        };
        if let Some(brake) = self.store.brake(order).await? {
            let mut refusals = self.refusals.lock().expect("no panic while holding it");
            refusals.slowed_at = refusals.slowed_at.max(brake.stepped_at);
            warn!(cps = brake.cps, "The account slows down to {:.2} starts per second: {}", brake.cps, brake.reason);
        }
        Ok(())
    }

    /// Has the account slowed down since then?
    pub(super) fn slowed_since(&self, claimed_at: Timestamp) -> bool {
        self.refusals.lock().expect("no panic while holding it").slowed_at >= claimed_at
    }

    /// The account's limits may have been edited, here or at another node.
    pub async fn obey_limits(&self) -> Result<()> {
        let Some(account) = self.store.account(self.account).await? else { return Ok(()) };
        // Limits are in program time, the pacer lives in real time.
        if self.pacer.set(account.cps_max.map(|cps| cps * self.clock.speed())) {
            let told = account.cps_max.map_or("without a limit".to_owned(), |cps| format!("at most {cps} per second"));
            info!("Starts leave {told} from now on");
        }
        Ok(())
    }
}
