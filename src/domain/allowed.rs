//! When a number may be called: the campaign's and the policy's windows, caps and gaps, all of them together.

use super::Outcome;
use super::Timestamp;
use super::calendar::Calendar;
use super::caps::{Rang, opens};
use super::clearance::{Gate, open_at};
use super::follow::Next;
use super::settings::Settings;
use chrono_tz::Tz;

/// Caps open at midnight and windows in the morning, so two rounds are enough; more are a calendar that hardly opens.
const ROUNDS_MAX: usize = 100;

/// The first instant from `from` at which all are open, and what is closed at `from`: of several gates the one that
/// opens last. `None`: it never comes.
pub fn allowed_at(
    settings: &Settings,
    policy: &[Calendar],
    history: &[Rang],
    zone: Tz,
    from: Timestamp,
) -> Option<(Timestamp, Option<Gate>)> {
    let window = open_at(settings, policy, zone, from)?;
    let (number, gate) = opens(&settings.caps, &settings.gap, history, zone, from);
    let gate = match gate {
        Some(gate) if number >= window => Some(gate),
        Some(_) | None if window > from => Some(Gate::Window),
        other => other,
    };
    let mut at = from;
    for _ in 0..ROUNDS_MAX {
        let open = open_at(settings, policy, zone, at)?;
        (at, _) = opens(&settings.caps, &settings.gap, history, zone, open);
        if at == open {
            return Some((at, gate));
        }
    }
    None
}

/// A retry's moment, moved inside windows, caps and gaps; a contact that can never be called again rests.
pub fn inside(next: Next, settings: &Settings, policy: &[Calendar], history: &[Rang], zone: Tz, end: Outcome) -> Next {
    let Next::Retry { due_at, gate } = next else { return next };
    match allowed_at(settings, policy, history, zone, due_at) {
        Some((at, None)) => Next::Retry { due_at: at, gate },
        Some((at, Some(closed))) => Next::Retry { due_at: at, gate: closed },
        None => Next::Rest(end),
    }
}

#[cfg(test)]
#[path = "allowed_tests.rs"]
mod tests;
