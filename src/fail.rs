//! Points at which a test kills this process: `HALO_FAIL_POINT=name`, or `name:3` for the third time.
//!
//! A seam for tests alone, refused at the real platform. The process aborts where it stands, as if it had been
//! killed: no destructor runs, nothing is flushed. Without the variable a point costs one relaxed load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub const VARIABLE: &str = "HALO_FAIL_POINT";

/// Every point, in the order of a call. `X.uncommitted` and `X.committed` are the two sides of the commit that
/// carries `X`: everything is written and nothing durable; everything is durable and nobody has been told.
pub const POINTS: &[&str] = &[
    "import.begun",
    "import.halfway",
    "import.uncommitted",
    "import.committed",
    "import.done",
    "run.uncommitted",
    "run.committed",
    "leader.uncommitted",
    "leader.committed",
    "fire.begun",
    "fire.uncommitted",
    "fire.committed",
    "fire.done",
    "plan.begun",
    "plan.uncommitted",
    "plan.committed",
    "queue.begun",
    "queue.uncommitted",
    "queue.pushed",
    "dial.woken",
    "claim.uncommitted",
    "claim.committed",
    "dial.claimed",
    "dial.sending",
    "dial.answered",
    "answer.uncommitted",
    "answer.committed",
    "dial.done",
    "dial.refused",
    "deferral.uncommitted",
    "deferral.committed",
    "grant.asked",
    "grant.uncommitted",
    "grant.committed",
    "grant.decided",
    "grant.answered",
    "event.asked",
    "event.uncommitted",
    "event.committed",
    "event.settled",
    "event.answered",
    "end.uncommitted",
    "end.committed",
    "retry.uncommitted",
    "retry.committed",
    "patience.uncommitted",
    "patience.committed",
    "history.asking",
    "history.answered",
    "history.uncommitted",
    "history.committed",
    "completion.uncommitted",
    "completion.committed",
];

/// Something that is said to leave after a point has left by then, on one machine.
const LEFT_AFTER: Duration = Duration::from_millis(60);

static ARMED: AtomicBool = AtomicBool::new(false);
static AIM: OnceLock<(String, AtomicU64)> = OnceLock::new();
/// What the aim speaks of has been written, and waits for its commit.
static WRITTEN: AtomicBool = AtomicBool::new(false);

#[derive(Debug, thiserror::Error, PartialEq)]
pub enum FailError {
    #[error("HALO_FAIL_POINT kills this process, and is for tests: not at the real platform")]
    Real,
    #[error("HALO_FAIL_POINT: no point is called `{0}`")]
    Unknown(String),
}

/// Reads the environment, once, before anything works.
pub fn arm(real: bool) -> Result<(), FailError> {
    let Some(text) = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) else { return Ok(()) };
    let (name, hits) = aim(&text, real)?;
    let _ = AIM.set((name, AtomicU64::new(hits)));
    ARMED.store(true, Ordering::Relaxed);
    Ok(())
}

fn aim(text: &str, real: bool) -> Result<(String, u64), FailError> {
    let unknown = || FailError::Unknown(text.to_owned());
    let (name, hits) = text.split_once(':').unwrap_or((text, "1"));
    let hits = hits.parse().ok().filter(|hits| *hits > 0).ok_or_else(unknown)?;
    if !POINTS.contains(&name) {
        return Err(unknown());
    }
    if real { Err(FailError::Real) } else { Ok((name.to_owned(), hits)) }
}

/// Here the process may be killed.
#[inline]
pub fn point(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) && hit(name, "") {
        die(name);
    }
}

/// Inside a transaction: the rows of `act` are written.
#[inline]
pub fn wrote(act: &'static str) {
    if !ARMED.load(Ordering::Relaxed) {
        return;
    }
    if hit(act, ".uncommitted") {
        die(act);
    }
    if hit(act, ".committed") {
        WRITTEN.store(true, Ordering::Relaxed);
    }
}

/// A transaction is durable; nobody knows yet.
#[inline]
pub fn committed() {
    if ARMED.load(Ordering::Relaxed) && WRITTEN.load(Ordering::Relaxed) {
        die("a commit");
    }
}

/// The answer that is about to be given is still given.
#[inline]
pub fn after(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) && hit(name, "") {
        std::thread::spawn(move || {
            std::thread::sleep(LEFT_AFTER);
            die(name);
        });
    }
}

/// Is this the point, and this the time?
fn hit(name: &str, ending: &str) -> bool {
    let Some((aim, left)) = AIM.get() else { return false };
    let same = aim.strip_prefix(name).is_some_and(|rest| rest == ending);
    same && left.fetch_sub(1, Ordering::Relaxed) == 1
}

fn die(at: &str) -> ! {
    eprintln!("killed at {at} by {VARIABLE}");
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_a_point_and_which_time() {
        assert_eq!(aim("dial.woken", false), Ok(("dial.woken".into(), 1)));
        assert_eq!(aim("dial.woken:3", false), Ok(("dial.woken".into(), 3)));
        for wrong in ["dial", "dial.woken:0", "dial.woken:x", "dial.woken:"] {
            assert_eq!(aim(wrong, false), Err(FailError::Unknown(wrong.into())));
        }
        assert_eq!(aim("dial.woken", true), Err(FailError::Real), "people are called there");
    }
}
