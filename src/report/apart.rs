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

#[cfg(test)]
mod tests {
    use super::super::figures::{AttemptRow, ContactRow, Design};
    use super::*;
    use crate::domain::Outcome;

    fn mode(name: &str) -> Mode {
        name.parse().expect("a mode's name")
    }

    fn figures(modes: &[(Mode, u32)]) -> Figures {
        let mut figures = super::super::judged::tests::figures(9, Vec::new());
        figures.design = Design::of(&compared(modes), 1);
        let contacts = |name: &str, assigned| ContactRow {
            night: 1,
            mode: mode(name),
            assigned,
            dialled: assigned,
            reached: 3,
            goals: 2,
            opt_outs: 0,
            clean: 3,
            clean_goals: 2,
        };
        figures.contacts = vec![contacts("dialog", 8), contacts("greeting", 5)];
        figures.night_contacts = figures.contacts.clone();
        let ended = |outcome, n| AttemptRow { night: 1, mode: mode("greeting"), outcome, n };
        figures.attempts = vec![ended(Outcome::Answered, 3), ended(Outcome::Busy, 2), ended(Outcome::Cancelled, 4)];
        figures
    }

    /// The guards: both filters, and that what was withdrawn is no attempt.
    #[test]
    fn a_greeting_with_a_weight_is_shown_and_compared_with_nothing() {
        let modes = [(mode("dialog"), 2), (mode("greeting"), 1), (mode("realtime"), 1)];
        let mut found = figures(&modes);
        assert_eq!(found.design.arms.len(), 2);
        set_apart(&mut found);
        let [row] = found.apart.as_slice() else { panic!("one row: {:?}", found.apart) };
        assert_eq!((row.contacts, row.attempts, row.answered, row.goals), (5, 5, 3, 2));
        assert!(found.contacts.iter().all(|row| row.mode == mode("dialog")) && found.attempts.is_empty());
        let report = super::super::build(found, crate::domain::Timestamp(0));
        assert!(report.arms.iter().all(|arm| arm.mode != mode("greeting")));

        let only = [(mode("greeting"), 1)];
        let mut alone = figures(&only);
        set_apart(&mut alone);
        assert_eq!(alone.contacts.len(), 2, "where nothing else is played it is what the campaign is about");
    }
}
