//! The only call to the system's time.
//!
//! Program time = anchor + (wall − anchor) × speed, so that a demo goes through ten-minute retries in
//! seconds. The anchor is kept in the database from the first start on, so program time goes on where
//! it was after a restart. On PostgreSQL wall time is the database's: `store` measures the offset and
//! hands it to [`Clock::set_offset`].

mod offset;

pub use offset::OffsetFilter;

use crate::domain::Timestamp;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The end of a sleep, which is waited for by a finer timer than the runtime's: that one counts whole milliseconds and
/// rounds up, when it is set and when it is waited for, and a start would leave so much later than its slot.
const FINE: Duration = Duration::from_millis(10);

/// Where program time and wall time met, and how fast the first runs.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Anchor {
    pub wall_us: i64,
    pub program_us: i64,
    pub speed: f64,
}

#[derive(Clone)]
pub struct Clock(Arc<Inner>);

/// Who lets a sleeper of a manual clock sleep until then, in microseconds.
pub type Sleeps = Arc<dyn Fn(i64) -> BoxFuture<'static, ()> + Send + Sync>;

enum Inner {
    Running { anchor: Anchor, offset_us: AtomicI64 },
    Manual { now_us: AtomicI64, moved: tokio::sync::watch::Sender<i64>, sleeps: Option<Sleeps> },
}

fn system_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

impl Anchor {
    /// Program time and wall time agree, at any speed from now on.
    pub fn here(speed: f64) -> Self {
        let now = system_us();
        Anchor { wall_us: now, program_us: now, speed }
    }

    /// Program time starts at `at`, now.
    pub fn starting(at: Timestamp, speed: f64) -> Self {
        Anchor { wall_us: system_us(), program_us: at.0.saturating_mul(1000), speed }
    }

    /// Program time starts at `at`, or at the wall's own time, when the wall shows `wall_us`.
    pub fn met(wall_us: i64, at: Option<Timestamp>, speed: f64) -> Self {
        Anchor { wall_us, program_us: at.map_or(wall_us, |at| at.0.saturating_mul(1000)), speed }
    }

    /// The same program time from now on at another speed: it never goes back.
    pub fn at_speed(self, speed: f64) -> Self {
        self.at_speed_from(system_us(), speed)
    }

    /// The same, where the wall's time is not this machine's.
    pub fn at_speed_from(self, wall_us: i64, speed: f64) -> Self {
        if speed == self.speed {
            return self;
        }
        Anchor { wall_us, program_us: self.program_at(wall_us), speed }
    }

    fn program_at(&self, wall_us: i64) -> i64 {
        let passed = wall_us - self.wall_us;
        if self.speed == 1.0 {
            return self.program_us + passed;
        }
        self.program_us + (passed as f64 * self.speed) as i64
    }
}

impl Clock {
    pub fn running(anchor: Anchor) -> Self {
        Clock(Arc::new(Inner::Running { anchor, offset_us: AtomicI64::new(0) }))
    }

    /// Time that moves only when told: for tests.
    pub fn manual(now: Timestamp) -> Self {
        Self::manual_by(now, None)
    }

    /// The same, whose sleepers a scheduler wakes: he hears until when each wants to sleep.
    pub fn scheduled(now: Timestamp, sleeps: Sleeps) -> Self {
        Self::manual_by(now, Some(sleeps))
    }

    fn manual_by(now: Timestamp, sleeps: Option<Sleeps>) -> Self {
        let now_us = now.0 * 1000;
        let moved = tokio::sync::watch::channel(now_us).0;
        Clock(Arc::new(Inner::Manual { now_us: AtomicI64::new(now_us), moved, sleeps }))
    }

    /// Moves a manual clock on; a running one does not listen.
    pub fn advance_ms(&self, ms: i64) {
        if let Inner::Manual { now_us, moved, .. } = &*self.0 {
            let now = now_us.fetch_add(ms * 1000, Ordering::SeqCst) + ms * 1000;
            moved.send_replace(now);
        }
    }

    /// This machine's own clock in microseconds, for comparing it with the database's.
    pub fn machine_us() -> i64 {
        system_us()
    }

    /// How far the database's clock is ahead of this machine's.
    pub fn set_offset(&self, us: i64) {
        if let Inner::Running { offset_us, .. } = &*self.0 {
            offset_us.store(us, Ordering::Relaxed);
        }
    }

    pub fn speed(&self) -> f64 {
        match &*self.0 {
            Inner::Running { anchor, .. } => anchor.speed,
            Inner::Manual { .. } => 1.0,
        }
    }

    /// Wall time, for other programs' calendars (a provider's history). On PostgreSQL the database's, because this
    /// machine's may be wrong.
    pub fn wall(&self) -> Timestamp {
        match &*self.0 {
            Inner::Running { offset_us, .. } => {
                Timestamp(system_us().saturating_add(offset_us.load(Ordering::Relaxed)) / 1000)
            }
            Inner::Manual { now_us, .. } => Timestamp(now_us.load(Ordering::SeqCst) / 1000),
        }
    }

    pub fn now_us(&self) -> i64 {
        match &*self.0 {
            Inner::Running { anchor, offset_us } => {
                anchor.program_at(system_us().saturating_add(offset_us.load(Ordering::Relaxed)))
            }
            Inner::Manual { now_us, .. } => now_us.load(Ordering::SeqCst),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp(self.now_us().div_euclid(1000))
    }

    /// `ms` of program time, but never less than `wall_ms` of real time: other programs do not live in
    /// our scaled time, so a wait for one of them must not shrink with it.
    pub fn at_least(&self, ms: i64, wall_ms: i64) -> i64 {
        ms.max((wall_ms as f64 * self.speed().max(1.0)).ceil() as i64)
    }

    /// Waits until program time has reached `at_us`.
    pub async fn sleep_until_us(&self, at_us: i64) {
        match &*self.0 {
            Inner::Running { anchor, .. } => loop {
                let left_us = at_us - self.now_us();
                if left_us <= 0 {
                    return;
                }
                // Long sleeps are cut, so that a moved system clock is noticed.
                let wall = Duration::from_micros((left_us as f64 / anchor.speed).ceil() as u64);
                if wall > FINE || anchor.speed != 1.0 {
                    let coarse = if anchor.speed == 1.0 { wall - FINE } else { wall };
                    tokio::time::sleep(coarse.min(Duration::from_secs(30))).await;
                } else {
                    futures_timer::Delay::new(wall).await;
                }
            },
            Inner::Manual { now_us, sleeps: Some(sleeps), .. } => {
                if now_us.load(Ordering::SeqCst) < at_us {
                    sleeps(at_us).await;
                }
            }
            Inner::Manual { moved, .. } => {
                let mut moved = moved.subscribe();
                // The sender lives as long as this clock.
                let _ = moved.wait_for(|now| *now >= at_us).await;
            }
        }
    }

    pub async fn sleep_until(&self, at: Timestamp) {
        self.sleep_until_us(at.0.saturating_mul(1000)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_speed_never_turns_time_back() {
        let anchor = Anchor { wall_us: system_us() - 1_000_000, program_us: 0, speed: 60.0 };
        let then = anchor.program_at(system_us());
        let slower = anchor.at_speed(1.0);
        assert!(slower.program_us >= then);
        assert!((59_000_000..70_000_000).contains(&slower.program_us), "{}", slower.program_us);
        assert_eq!(anchor.at_speed(60.0), anchor);
    }

    #[test]
    fn waits_for_others_do_not_shrink() {
        let fast = Clock::running(Anchor::here(60.0));
        assert_eq!(fast.at_least(75_000, 10_000), 600_000);
        assert_eq!(Clock::running(Anchor::here(1.0)).at_least(75_000, 10_000), 75_000);
    }

    #[tokio::test]
    async fn a_scheduler_hears_until_when_a_sleeper_wants_to_sleep() {
        let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let sleeps: Sleeps = Arc::new(move |until_us| -> BoxFuture<'static, ()> {
            let _ = tell.send(until_us);
            Box::pin(std::future::ready(()))
        });
        let clock = Clock::scheduled(Timestamp(7), sleeps);
        clock.sleep_until(Timestamp(500)).await;
        assert_eq!(heard.try_recv(), Ok(500_000));
        clock.sleep_until(Timestamp(7)).await;
        assert!(heard.try_recv().is_err(), "nobody sleeps until now");
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers() {
        let clock = Clock::manual(Timestamp(0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Timestamp(500)).await }
        });
        clock.advance_ms(500);
        sleeper.await.unwrap();
    }
}
