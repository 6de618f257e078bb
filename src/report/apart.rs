//! Who is shown and is in no comparison: `greeting` plays one text and holds no dialogue, so that nothing of it compares.

use crate::domain::Mode;

use super::figures::{ApartRow, Figures};

const GREETING: &str = "greeting";

/// The modes that are compared: all but `greeting`, unless it is the only one.
pub fn compared(modes: &[(Mode, u32)]) -> Vec<(Mode, u32)> {
    let rest: Vec<(Mode, u32)> = modes.iter().filter(|(mode, _)| mode.as_str() != GREETING).cloned().collect();
    if rest.is_empty() { modes.to_vec() } else { rest }
}

/// What is counted of `greeting`'s contacts leaves every figure and stands apart, where it is no arm.
pub fn set_apart(figures: &mut Figures) {
    if figures.design.arms.iter().any(|(mode, _)| mode.as_str() == GREETING) {
        return;
    }
    let own = |mode: &Mode| mode.as_str() == GREETING;
    if let Some(mode) = figures.contacts.iter().map(|row| &row.mode).find(|mode| own(mode)).cloned() {
        let place = figures.apart.iter().position(|row| row.mode == mode).unwrap_or_else(|| {
            let row = ApartRow { mode: mode.clone(), contacts: 0, attempts: 0, answered: 0, human: 0, goals: 0 };
            figures.apart.push(row);
            figures.apart.len() - 1
        });
        let row = &mut figures.apart[place];
        for contacts in figures.contacts.iter().filter(|contacts| own(&contacts.mode)) {
            row.contacts += contacts.assigned;
            row.goals += contacts.goals;
        }
        for attempts in figures.attempts.iter().filter(|attempts| own(&attempts.mode)) {
            row.attempts += if super::arms::is_counted(attempts.outcome) { attempts.n } else { 0 };
            row.answered += if attempts.outcome.is_answered() { attempts.n } else { 0 };
        }
        row.human += figures.calls.iter().filter(|calls| own(&calls.mode)).map(|calls| calls.human).sum::<u64>();
    }
    figures.contacts.retain(|row| !own(&row.mode));
    figures.night_contacts.retain(|row| !own(&row.mode));
    figures.attempts.retain(|row| !own(&row.mode));
    figures.calls.retain(|row| !own(&row.mode));
    figures.latencies.retain(|row| !own(&row.mode));
    figures.turns.retain(|row| !own(&row.mode));
    figures.repeats.retain(|row| !own(&row.mode));
    figures.hours.retain(|row| !own(&row.mode));
    figures.quarters.retain(|row| !own(&row.mode));
    figures.bundles.retain(|row| !own(&row.mode));
    figures.judged.retain(|row| !own(&row.mode));
    figures.answers.retain(|row| !own(&row.mode));
}
