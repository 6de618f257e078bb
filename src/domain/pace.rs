//! How fast starts may leave: what a campaign wants, what the account allows, what the provider bears.
//!
//! Three things lower a pace and none raises it: a run begins slowly (ramp-up), leaves a share of its account to
//! others (reserve), and the whole account slows down when the provider complains (the [`Brake`]). Slots only
//! ever move later ([`jittered_us`]), so the proof of [`super::slot`] holds for all of them.

use super::slot::spacing_us;
use super::{PhoneNumber, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The slowest pace that a brake leaves: one start in 10 s.
pub const CPS_MIN: f64 = 0.1;
/// A run with a ramp-up begins with this share of its pace.
const RAMP_FROM: f64 = 0.1;
/// A brake rises by this share of the limit at a time.
const RISE: f64 = 0.05;
/// Between two rises, without a complaint in between.
pub const RISE_EVERY_MS: i64 = 3_000;
/// What is refused within this time after a step was on its way before it, or met the provider's own memory
/// of the second before: one burst of refusals is one step.
pub const BURST_MS: i64 = 1_000;

/// How a campaign's starts are spread, beside its starts per second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pacing {
    /// Limits of caller ids that have any.
    pub callers: BTreeMap<PhoneNumber, CallerLimits>,
    /// How long the pace grows, from a tenth of it, after a run starts or resumes; 0: not at all.
    pub ramp_up_ms: i64,
    /// Up to this share of the spacing is added to it, 0 to 1.
    pub jitter: f64,
    /// Share of the account's pace and lines that stays free for others, 0 to 0.95.
    pub reserve: f64,
}

/// What one caller id may carry.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerLimits {
    /// Its share in the rotation.
    pub weight: u32,
    /// Starts per second.
    pub cps: Option<f64>,
    /// Calls in a day of the campaign's zone, over all campaigns of the account.
    pub day_max: Option<u32>,
    /// Between two uses, milliseconds.
    pub cool_down_ms: i64,
}

impl Default for CallerLimits {
    fn default() -> Self {
        CallerLimits { weight: 1, cps: None, day_max: None, cool_down_ms: 0 }
    }
}

impl Pacing {
    /// Starts per second of a run that wants `cps`, at `at`; it started or resumed at `since`.
    pub fn run_cps(&self, cps: f64, since: Timestamp, at: Timestamp) -> f64 {
        let passed = at.since(since).max(0);
        if passed >= self.ramp_up_ms {
            return cps;
        }
        cps * (RAMP_FROM + (1.0 - RAMP_FROM) * passed as f64 / self.ramp_up_ms as f64)
    }

    /// What this campaign may use of the account's pace.
    pub fn share_of_cps(&self, account: Option<f64>) -> Option<f64> {
        account.map(|cps| cps * (1.0 - self.reserve))
    }

    /// What this campaign may use of the account's lines: one at least, or it would never call.
    pub fn share_of_lines(&self, account: Option<i64>) -> Option<i64> {
        account.map(|lines| ((lines as f64 * (1.0 - self.reserve)).floor() as i64).max(1))
    }
}

/// The slot, moved later by at most `jitter` of the spacing. `key` names the attempt: the same attempt is moved
/// by the same share, whoever asks.
pub fn jittered_us(slot_us: i64, cps: f64, jitter: f64, key: (i64, i64)) -> i64 {
    if jitter <= 0.0 {
        return slot_us;
    }
    let digest = Sha256::new().chain_update(key.0.to_be_bytes()).chain_update(key.1.to_be_bytes()).finalize();
    let draw = u32::from_be_bytes(digest[..4].try_into().expect("SHA-256 has 32 bytes"));
    let share = f64::from(draw) / (f64::from(u32::MAX) + 1.0);
    slot_us + (spacing_us(cps) as f64 * jitter.min(1.0) * share) as i64
}

/// The account slows down because the provider complained, and feels its way back.
///
/// Down by half of what really left, at once; up by a twentieth of the limit every few seconds. What it allows
/// is a function of these values and the time: nobody has to write it while it rises.
#[derive(Clone, Debug, PartialEq)]
pub struct Brake {
    /// Starts per second right after the last step.
    pub cps: f64,
    /// Starts per second at which it is over where the account has no limit of its own.
    pub top: f64,
    /// Program time between two rises.
    pub every_ms: i64,
    /// The last step. In the future while the provider wants to hear nothing at all.
    pub stepped_at: Timestamp,
    /// The first step of this slow-down.
    pub since: Timestamp,
    /// The provider's words.
    pub reason: String,
}

/// A complaint: a start that the provider did not take because there were too many.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// When the start that was refused had left.
    pub sent_at: Timestamp,
    /// Starts per second that really left, over the last second.
    pub left_cps: f64,
    /// The provider asked not to be called before.
    pub until: Option<Timestamp>,
    pub reason: String,
}

impl Brake {
    /// Starts per second that the provider is thought to bear; `None` once the brake is off. `limit` is the
    /// account's own.
    pub fn cps_at(&self, at: Timestamp, limit: Option<f64>) -> Option<f64> {
        let top = limit.unwrap_or(self.top);
        let rises = (at.since(self.stepped_at) / self.every_ms.max(1)).max(0);
        let cps = self.cps + rises as f64 * top * RISE;
        (cps < top).then_some(cps)
    }

    /// The brake after a complaint; `None` when the last step has answered it already.
    pub fn step(
        was: Option<&Brake>,
        limit: Option<f64>,
        complaint: &Complaint,
        now: Timestamp,
        every_ms: i64,
        burst_ms: i64,
    ) -> Option<Brake> {
        if was.is_some_and(|brake| complaint.sent_at.since(brake.stepped_at) <= burst_ms) {
            return None;
        }
        let held = was.and_then(|brake| Some((brake, brake.cps_at(now, limit)?)));
        let allowed = held.map(|(_, cps)| cps).or(limit).unwrap_or(f64::INFINITY);
        let left = complaint.left_cps.min(allowed);
        let floor = limit.map_or(CPS_MIN, |limit| limit.min(CPS_MIN));
        let cps = (left / 2.0).max(floor);
        let top = held.map_or(left.max(cps * 2.0), |(brake, _)| brake.top);
        Some(Brake {
            cps,
            top,
            every_ms,
            stepped_at: complaint.until.map_or(now, |until| until.max(now)),
            since: held.map_or(now, |(brake, _)| brake.since),
            reason: complaint.reason.clone(),
        })
    }
}

/// What an account allows at an instant: its limit, or less while its brake is on.
pub fn account_cps(limit: Option<f64>, brake: Option<&Brake>, at: Timestamp) -> Option<f64> {
    let braked = brake.and_then(|brake| brake.cps_at(at, limit));
    match (limit, braked) {
        (Some(limit), Some(braked)) => Some(limit.min(braked)),
        (limit, braked) => limit.or(braked),
    }
}

/// A pace as it stands, and why it is not its limit: what people are shown.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct PaceNow {
    /// Starts per second at most; nothing: no limit.
    pub limit: Option<f64>,
    /// Starts per second now.
    pub now: Option<f64>,
    /// Why less than the limit.
    pub reason: Option<String>,
    pub since: Option<Timestamp>,
}

/// The account's pace at an instant.
pub fn account_pace(limit: Option<f64>, brake: Option<&Brake>, at: Timestamp) -> PaceNow {
    let on = brake.filter(|brake| brake.cps_at(at, limit).is_some());
    PaceNow {
        limit,
        now: account_cps(limit, brake, at),
        reason: on.map(|brake| {
            let silence = if brake.stepped_at > at {
                format!("; nothing leaves before {}", brake.stepped_at)
            } else {
                String::new()
            };
            format!("the provider takes less: {}{silence}", brake.reason)
        }),
        since: on.map(|brake| brake.since),
    }
}

impl Pacing {
    /// A run's pace at an instant: its own `cps`, its ramp, and its share of the account.
    pub fn run_pace(&self, cps: f64, run_since: Timestamp, account: &PaceNow, at: Timestamp) -> PaceNow {
        let least = |own: f64, account: Option<f64>| self.share_of_cps(account).map_or(own, |share| share.min(own));
        let (limit, ramped) = (least(cps, account.limit), self.run_cps(cps, run_since, at));
        let now = least(ramped, account.now);
        let (reason, since) = if now >= limit {
            (None, None)
        } else if now < ramped {
            (account.reason.clone(), account.since)
        } else {
            let until = run_since.plus_ms(self.ramp_up_ms);
            (Some(format!("it starts slowly (ramp_up): full pace from {until} on")), Some(run_since))
        };
        PaceNow { limit: Some(limit), now: Some(now), reason, since }
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
