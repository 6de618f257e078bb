//! The second lock on the door: no node starts sessions faster than the account allows.
//!
//! Slots in the database keep the pace over all nodes. This guards one process against its own faults,
//! with an explicit burst, and a [`Permit`] can be had from nowhere else.

use crate::domain::slot::LATE_MS_MAX;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// Leave to send one start, now. Only [`Pacer::permit`] makes one.
#[derive(Debug)]
pub struct Permit(());

pub struct Pacer(RwLock<Limit>);

struct Limit {
    cps: Option<f64>,
    limiter: Option<Arc<DefaultDirectRateLimiter>>,
}

impl Pacer {
    /// `cps` starts per second; `None` means no limit. The burst is what may fall together when each of
    /// them leaves as late as a slot allows: without it a start on time would wait for one that was late.
    pub fn new(cps: Option<f64>) -> Self {
        Pacer(RwLock::new(Limit { cps, limiter: limiter(cps) }))
    }

    /// Another limit from now on; the same one changes nothing. True when it is another.
    pub fn set(&self, cps: Option<f64>) -> bool {
        let mut limit = self.0.write().expect("no panic while holding it");
        let differs = limit.cps != cps;
        if differs {
            *limit = Limit { cps, limiter: limiter(cps) };
        }
        differs
    }

    fn limiter(&self) -> Option<Arc<DefaultDirectRateLimiter>> {
        self.0.read().expect("no panic while holding it").limiter.clone()
    }

    /// Waits for a place.
    pub async fn permit(&self) -> Permit {
        if let Some(limiter) = self.limiter() {
            limiter.until_ready().await;
        }
        Permit(())
    }

    /// A place if there is one at once.
    pub fn try_permit(&self) -> Option<Permit> {
        match self.limiter() {
            Some(limiter) => limiter.check().is_ok().then_some(Permit(())),
            None => Some(Permit(())),
        }
    }
}

fn limiter(cps: Option<f64>) -> Option<Arc<DefaultDirectRateLimiter>> {
    let cps = cps.filter(|cps| cps.is_finite() && *cps > 0.0)?;
    let together = (cps * LATE_MS_MAX as f64 / 1000.0).ceil() as u32;
    let burst = NonZeroU32::MIN.saturating_add(together);
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / cps)).map(|quota| quota.allow_burst(burst));
    quota.map(RateLimiter::direct).map(Arc::new)
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

        // A limit that was said again does not give its burst again; another one begins with its own.
        slow.set(Some(1.0));
        assert!(slow.try_permit().is_none());
        slow.set(None);
        assert!((0..100).all(|_| slow.try_permit().is_some()));
        slow.set(Some(500.0));
        assert_eq!((0..10).filter(|_| slow.try_permit().is_some()).count(), 7);
    }
}
