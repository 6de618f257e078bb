//! The second lock on the door: no node starts sessions faster than the account allows.
//!
//! Slots in the database keep the pace over all nodes. This guards one process against its own faults,
//! with an explicit burst, and a [`Permit`] can be had from nowhere else.

use crate::domain::slot::LATE_MS_MAX;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

/// Leave to send one start, now. Only [`Pacer::permit`] makes one.
#[derive(Debug)]
pub struct Permit(());

pub struct Pacer(Option<DefaultDirectRateLimiter>);

impl Pacer {
    /// `cps` starts per second; `None` means no limit. The burst is what may fall together when each of
    /// them leaves as late as a slot allows: without it a start on time would wait for one that was late.
    pub fn new(cps: Option<f64>) -> Self {
        let Some(cps) = cps.filter(|cps| cps.is_finite() && *cps > 0.0) else { return Pacer(None) };
        let together = (cps * LATE_MS_MAX as f64 / 1000.0).ceil() as u32;
        let burst = NonZeroU32::MIN.saturating_add(together);
        let quota = Quota::with_period(Duration::from_secs_f64(1.0 / cps)).map(|quota| quota.allow_burst(burst));
        Pacer(quota.map(RateLimiter::direct))
    }

    /// Waits for a place.
    pub async fn permit(&self) -> Permit {
        if let Some(limiter) = &self.0 {
            limiter.until_ready().await;
        }
        Permit(())
    }

    /// A place if there is one at once.
    pub fn try_permit(&self) -> Option<Permit> {
        match &self.0 {
            Some(limiter) => limiter.check().is_ok().then_some(Permit(())),
            None => Some(Permit(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_what_slots_can_bring_together() {
        for (cps, burst) in [(1.0, 2), (3.0, 2), (500.0, 7)] {
            let pacer = Pacer::new(Some(cps));
            let given = (0..burst).filter(|_| pacer.try_permit().is_some()).count();
            assert_eq!(given, burst, "at {cps} per second");
        }
        let slow = Pacer::new(Some(1.0));
        assert_eq!((0..10).filter(|_| slow.try_permit().is_some()).count(), 2);
        assert!(Pacer::new(Some(0.2)).try_permit().is_some());
        assert!((0..100).all(|_| Pacer::new(None).try_permit().is_some()));
    }
}
