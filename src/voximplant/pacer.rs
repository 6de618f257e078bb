//! The second lock on the door: no node starts sessions faster than the account allows.
//!
//! Slots in the database keep the pace over all nodes. This guards one process against its own faults,
//! with an explicit burst, and against requests that arrive later than they left ([`Window`]). A [`Permit`] can be had
//! from nowhere else.

use super::window::{Room, Window};
use crate::domain::slot::LATE_MS_MAX;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How often a busy window looks whether this machine stands still, and what a wake-up may be late by.
const PULSE: Duration = Duration::from_millis(5);
const PULSE_LATE: Duration = Duration::from_millis(3);

/// Called as a request is written to its connection.
pub(super) type Leaves = Box<dyn Fn() + Send + Sync>;

/// Leave to send one start, now. Only [`Pacer::permit`] makes one. It is held until the answer is here.
#[derive(Debug)]
pub struct Permit(Option<(Arc<Rolling>, u64)>);

impl Permit {
    /// To be called when the request leaves: from then on its place is taken.
    pub(super) fn leaves(&self) -> Leaves {
        match &self.0 {
            Some((rolling, id)) => {
                let (rolling, id) = (rolling.clone(), *id);
                Box::new(move || {
                    rolling.window().leaves(id, Instant::now());
                    rolling.moved.notify_waiters();
                })
            }
            None => Box::new(|| {}),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some((rolling, id)) = &self.0 {
            rolling.window().ends(*id, Instant::now());
            rolling.moved.notify_waiters();
        }
    }
}

/// Wakes within a tenth of a millisecond, where a processor is free. The runtime's own timers are one or two late: each
/// start that waits for its place by them would leave later after its slot than the one before it, until one misses it.
async fn sharply(at: Instant) {
    futures_timer::Delay::new(at.saturating_duration_since(Instant::now())).await;
}

/// The rolling second at the provider, and who waits for a place in it.
#[derive(Debug)]
struct Rolling {
    window: Mutex<Window>,
    /// One left, or its answer is here.
    moved: Notify,
    /// Somebody looks whether time passes as it should.
    felt: AtomicBool,
}

impl Rolling {
    /// While anything is in the window: who wakes late tells how long nothing ran.
    fn feel(self: &Arc<Self>) {
        if self.felt.swap(true, Ordering::AcqRel) {
            return;
        }
        let rolling = self.clone();
        tokio::spawn(async move {
            let mut busy = true;
            while busy {
                let due = Instant::now() + PULSE;
                sharply(due).await;
                let now = Instant::now();
                let mut window = rolling.window();
                if now > due + PULSE_LATE {
                    window.stood_still(due, now);
                }
                busy = !window.is_empty(now);
            }
            rolling.felt.store(false, Ordering::Release);
        });
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().expect("no panic while holding it")
    }

    async fn place(self: &Arc<Self>) -> Permit {
        self.feel();
        loop {
            // Asked for before looking: what moves in between is not missed.
            let moved = self.moved.notified();
            let room = self.window().take(Instant::now());
            match room {
                Room::Place(id) => return Permit(Some((self.clone(), id))),
                Room::At(at) => sharply(at).await,
                Room::Unknown => moved.await,
            }
        }
    }
}

pub struct Pacer(RwLock<Limit>);

struct Limit {
    /// Nothing is guarded, whatever is set.
    open: bool,
    cps: Option<f64>,
    guards: Option<Guards>,
}

#[derive(Clone)]
struct Guards {
    limiter: Arc<DefaultDirectRateLimiter>,
    rolling: Arc<Rolling>,
}

impl Pacer {
    /// `cps` starts per second; `None` means no limit. The burst is what may fall together when each of
    /// them leaves as late as a slot allows: without it a start on time would wait for one that was late.
    pub fn new(cps: Option<f64>) -> Self {
        Pacer(RwLock::new(Limit { open: false, cps, guards: guards(cps) }))
    }

    /// No second lock: where time is virtual there is no real second to guard, and the slots alone keep the pace.
    pub fn open() -> Self {
        Pacer(RwLock::new(Limit { open: true, cps: None, guards: None }))
    }

    /// Another limit from now on; the same one changes nothing. True when it is another.
    pub fn set(&self, cps: Option<f64>) -> bool {
        let mut limit = self.0.write().expect("no panic while holding it");
        let differs = limit.cps != cps && !limit.open;
        if differs {
            *limit = Limit { open: false, cps, guards: guards(cps) };
        }
        differs
    }

    fn guards(&self) -> Option<Guards> {
        self.0.read().expect("no panic while holding it").guards.clone()
    }

    /// Waits for a place.
    pub async fn permit(&self) -> Permit {
        let Some(guards) = self.guards() else { return Permit(None) };
        guards.limiter.until_ready().await;
        guards.rolling.place().await
    }

    /// A place if there is one at once.
    pub fn try_permit(&self) -> Option<Permit> {
        let Some(guards) = self.guards() else { return Some(Permit(None)) };
        guards.limiter.check().ok()?;
        match guards.rolling.window().take(Instant::now()) {
            Room::Place(id) => Some(Permit(Some((guards.rolling.clone(), id)))),
            Room::At(_) | Room::Unknown => None,
        }
    }
}

fn guards(cps: Option<f64>) -> Option<Guards> {
    let cps = cps.filter(|cps| cps.is_finite() && *cps > 0.0)?;
    let together = (cps * LATE_MS_MAX as f64 / 1000.0).ceil() as u32;
    let burst = NonZeroU32::MIN.saturating_add(together);
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / cps)).map(|quota| quota.allow_burst(burst));
    let rolling = Rolling { window: Mutex::new(Window::new(cps)), moved: Notify::new(), felt: AtomicBool::new(false) };
    Some(Guards { limiter: Arc::new(RateLimiter::direct(quota?)), rolling: Arc::new(rolling) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_what_slots_can_bring_together() {
        for (cps, burst) in [(1.0, 2), (3.0, 2), (500.0, 5)] {
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
        assert_eq!((0..10).filter(|_| slow.try_permit().is_some()).count(), 5);

        let open = Pacer::open();
        assert!(!open.set(Some(1.0)));
        assert!((0..100).all(|_| open.try_permit().is_some()));
    }
}
