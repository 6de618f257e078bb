//! `prove`: the tables held against the laws of dialling.

use crate::domain::Timestamp;
use crate::store::figures::{Proved, ProvedArms, ProvedRun};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::Write;

/// One law, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    pub law: Cow<'static, str>,
    pub holds: bool,
    pub found: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub campaign: String,
    pub laws: Vec<Law>,
    #[serde(flatten)]
    pub proved: Proved,
}

/// Unclear attempts printed one by one.
const UNCLEAR_SHOWN_MAX: usize = 20;

impl Proof {
    /// `attempts_max` is the campaign's cap on tries.
    pub fn of(campaign: String, proved: Proved, attempts_max: u32) -> Self {
        let (rows, calls) = (&proved.rows, &proved.calls);
        let law = |law: &'static str, holds, found: String| Law { law: law.into(), holds, found };
        let summed = rows.accepted + rows.duplicates + rows.refused;
        let kept = rows.accepted == rows.contacts
            && rows.duplicates == rows.rejects_duplicate
            && rows.refused == rows.rejects_refused;
        let unaccounted: i64 = proved.runs.iter().map(unaccounted).sum();
        let forgotten: i64 =
            proved.runs.iter().filter(|run| run.state == "completed").map(|run| run.contacts - run.rested).sum();
        let tries_max = proved.runs.iter().map(|run| run.tries_max).max().unwrap_or(0);
        let laws = vec![
            law(
                "every row of the file is in one bucket",
                rows.rows_total == summed && kept,
                format!(
                    "{} rows = {} accepted + {} duplicate + {} refused",
                    rows.rows_total, rows.accepted, rows.duplicates, rows.refused
                ),
            ),
            law(
                "every contact of a run waits, is being called, or rests",
                unaccounted == 0,
                format!("{unaccounted} unaccounted for"),
            ),
            law("a completed run has forgotten nobody", forgotten == 0, format!("{forgotten} forgotten")),
            law(
                "no attempt has more than one call",
                calls.attempts_called_twice == 0,
                format!("{} with more than one", calls.attempts_called_twice),
            ),
            law(
                "no call was made without a grant",
                calls.calls_without_grant == 0,
                format!("{} without", calls.calls_without_grant),
            ),
            law(
                "no contact is over its cap of tries",
                tries_max <= i64::from(attempts_max),
                format!("at most {tries_max} of {attempts_max}"),
            ),
            law(
                "what was answered was called",
                calls.answered_without_call == 0,
                format!("{} answered without a call in the history", calls.answered_without_call),
            ),
            law(
                "budgets are what their calls add up to",
                proved.money.wrong == 0,
                format!("{} of {} are not", proved.money.wrong, proved.money.budgets),
            ),
            law(
                "every contact has the arm that its number gives it",
                proved.arms.wrong == 0,
                match proved.arms {
                    ProvedArms { contacts, wrong, lists_unknown: 0 } => format!("{wrong} of {contacts} have not"),
                    ProvedArms { contacts, wrong, lists_unknown } => format!(
                        "{wrong} of {contacts} have not; of {lists_unknown} lists nobody can tell (arms kept by a copy, an \
                         older list, or an erased person in it)"
                    ),
                },
            ),
        ];
        Proof { campaign, laws, proved }
    }

    pub fn holds(&self) -> bool {
        self.laws.iter().all(|law| law.holds)
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        let calls = &self.proved.calls;
        // Writing to a String cannot fail.
        let _ = writeln!(out, "Campaign {}\n", self.campaign);
        for law in &self.laws {
            let mark = if law.holds { "ok    " } else { "BROKEN" };
            let _ = writeln!(out, "  {mark}  {}: {}", law.law, law.found);
        }
        let _ = writeln!(
            out,
            "\nAttempts: {} planned, {} dialing, {} live, {} ended; {} starts were answered for, {} granted.",
            calls.planned, calls.dialing, calls.live, calls.ended, calls.starts, calls.granted
        );
        let _ = writeln!(
            out,
            "The provider's history knows {} sessions with {} calls; {} granted sessions are not copied yet.",
            calls.sessions_in_history, calls.calls_in_history, calls.granted_without_history
        );
        if calls.ended_without_history > 0 {
            let _ = writeln!(
                out,
                "Not proven yet: {} calls have ended whose sessions the history has not told of; ask again.",
                calls.ended_without_history
            );
        }
        for run in &self.proved.runs {
            let _ = writeln!(
                out,
                "Run {} ({}): {}, {} contacts: {} at rest, {} waiting, {} being called.",
                run.ordinal, run.run_id, run.state, run.contacts, run.rested, run.waiting, run.busy
            );
        }
        let unclear = &self.proved.unclear;
        if unclear.is_empty() {
            let _ = writeln!(out, "Nothing is unclear.");
        } else {
            let _ = writeln!(out, "Unclear: {} attempts.", unclear.len());
        }
        for u in unclear.iter().take(UNCLEAR_SHOWN_MAX) {
            let at = u.dialed_at.or(u.claimed_at).map(|at| Timestamp(at).to_string()).unwrap_or_default();
            let history = match u.calls {
                Some(n) => format!("history knows {n} calls"),
                None => "history knows nothing".into(),
            };
            let _ = writeln!(
                out,
                "  {}  {}  since {at}, {} events, {history}",
                u.attempt_id,
                u.outcome.as_deref().unwrap_or(&u.state),
                u.events
            );
        }
        if unclear.len() > UNCLEAR_SHOWN_MAX {
            let _ = writeln!(out, "  … and {} more", unclear.len() - UNCLEAR_SHOWN_MAX);
        }
        let _ = writeln!(out, "\n{}", if self.holds() { "All laws hold." } else { "A law is broken." });
        out
    }
}

/// Contacts of a run that neither wait nor rest nor have a call under way.
fn unaccounted(run: &ProvedRun) -> i64 {
    run.contacts - run.rested - run.waiting - run.busy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::figures::{ProvedCalls, ProvedRows};

    fn sound() -> Proved {
        Proved {
            rows: ProvedRows {
                rows_total: 10,
                accepted: 7,
                duplicates: 1,
                refused: 2,
                contacts: 7,
                rejects_duplicate: 1,
                rejects_refused: 2,
            },
            calls: ProvedCalls {
                attempts: 9,
                planned: 0,
                dialing: 0,
                live: 0,
                ended: 9,
                granted: 9,
                starts: 9,
                granted_without_history: 0,
                ended_without_history: 0,
                sessions_in_history: 9,
                calls_in_history: 9,
                attempts_called_twice: 0,
                calls_without_grant: 0,
                answered_without_call: 0,
            },
            runs: vec![ProvedRun {
                run_id: 1.into(),
                ordinal: 1,
                state: "completed".into(),
                contacts: 7,
                rested: 7,
                waiting: 0,
                busy: 0,
                tries_max: 3,
            }],
            unclear: Vec::new(),
            money: Default::default(),
            arms: Default::default(),
        }
    }

    fn broken(change: impl Fn(&mut Proved)) -> Vec<String> {
        let mut proved = sound();
        change(&mut proved);
        let proof = Proof::of("demo".into(), proved, 4);
        assert_eq!(proof.holds(), proof.laws.iter().all(|law| law.holds));
        proof.laws.iter().filter(|law| !law.holds).map(|law| law.law.to_string()).collect()
    }

    #[test]
    fn each_law_is_broken_by_its_own_crime() {
        assert!(broken(|_| ()).is_empty());
        assert_eq!(broken(|p| p.rows.rows_total = 11), ["every row of the file is in one bucket"]);
        assert_eq!(broken(|p| p.rows.contacts = 6), ["every row of the file is in one bucket"]);
        assert_eq!(broken(|p| p.calls.attempts_called_twice = 1), ["no attempt has more than one call"]);
        assert_eq!(broken(|p| p.calls.calls_without_grant = 1), ["no call was made without a grant"]);
        assert_eq!(broken(|p| p.calls.answered_without_call = 1), ["what was answered was called"]);
        assert_eq!(broken(|p| p.runs[0].tries_max = 5), ["no contact is over its cap of tries"]);
        assert_eq!(broken(|p| p.money.wrong = 1), ["budgets are what their calls add up to"]);
        assert_eq!(broken(|p| p.arms.wrong = 1), ["every contact has the arm that its number gives it"]);
        let gone = |p: &mut Proved| {
            p.runs[0].state = "running".into();
            p.runs[0].rested = 6;
        };
        assert_eq!(broken(gone), ["every contact of a run waits, is being called, or rests"]);
        let waits = |p: &mut Proved| {
            p.runs[0].rested = 6;
            p.runs[0].waiting = 1;
        };
        assert_eq!(broken(waits), ["a completed run has forgotten nobody"]);
    }
}
