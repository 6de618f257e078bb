//! A campaign made of dice with a fixed seed: three arms with known differences.

use halo::domain::{Mode, Outcome, Timestamp};
use halo::report::Design;
use halo::report::figures::{
    ApartRow, AttemptRow, CallRow, CallTurns, ContactRow, Figures, LatencyCounts, Method, Metric, Money, MoneyRate,
    QuarterRow, RunRow, RunState, TurnRow, TurnSums,
};
use halo::report::stats::bootstrap::Dice;

#[derive(Clone)]
pub struct Arm {
    pub mode: &'static str,
    pub contacts: u64,
    pub reached: u64,
    pub goals: u64,
    /// Middle of the turn latencies.
    pub turn_ms: i64,
    /// Every so many turns one stays without a reply; 0 is never.
    pub unanswered_every: u64,
    pub early_hangups: u64,
    pub method: Method,
    pub lost: u64,
}

impl Arm {
    pub fn empty(mode: &'static str) -> Self {
        Arm {
            mode,
            contacts: 0,
            reached: 0,
            goals: 0,
            turn_ms: 1_000,
            unanswered_every: 0,
            early_hangups: 0,
            method: Method::Vad,
            lost: 0,
        }
    }

    pub fn of(mode: &'static str, reached: u64, goals: u64, turn_ms: i64) -> Self {
        Arm { contacts: reached * 3 / 2, reached, goals, turn_ms, ..Arm::empty(mode) }
    }
}

#[derive(Clone)]
pub struct Campaign {
    pub name: String,
    pub simulated: bool,
    pub state: RunState,
    pub arms: Vec<Arm>,
}

impl Campaign {
    pub fn demo() -> Self {
        let arm = |mode, goals, turn_ms, early_hangups| Arm {
            contacts: 149,
            early_hangups,
            unanswered_every: 40,
            ..Arm::of(mode, 96, goals, turn_ms)
        };
        Campaign {
            name: "demo".to_owned(),
            simulated: true,
            state: RunState::Completed,
            arms: vec![arm("dialog", 61, 1_420, 4), arm("realtime", 64, 980, 5), arm("realtime_pure", 49, 760, 14)],
        }
    }

    /// The same as if it had been real.
    pub fn real(arms: Vec<Arm>) -> Self {
        Campaign { name: "spring".to_owned(), simulated: false, arms, ..Campaign::demo() }
    }

    pub fn figures(&self) -> Figures {
        let modes: Vec<(Mode, u32)> =
            self.arms.iter().map(|arm| (arm.mode.parse().expect("a mode's name"), 1)).collect();
        let mut figures = Figures {
            asked: Vec::new(),
            answers: Vec::new(),
            changes: Vec::new(),
            bundles: Vec::new(),
            hours: Vec::new(),
            judged: Vec::new(),
            quarters: Vec::new(),
            money: Some(Money {
                currency: "USD".to_owned(),
                prices_date: "2026-03-01".to_owned(),
                unverified: 3,
                rates: vec![MoneyRate { from: "EUR".to_owned(), rate: 1.08, date: "2026-02-28".to_owned() }],
            }),
            campaign: self.name.clone(),
            simulated: self.simulated,
            data_as_of: Timestamp(1_772_599_000_000),
            design: Design::of(&modes, 42),
            runs: vec![RunRow {
                night: 1,
                run_id: "run_1".to_owned(),
                state: self.state,
                started_at: Timestamp(1_772_590_000_000),
            }],
            contacts: Vec::new(),
            night_contacts: Vec::new(),
            attempts: Vec::new(),
            calls: Vec::new(),
            latencies: Vec::new(),
            turns: Vec::new(),
            repeats: Vec::new(),
            apart: vec![ApartRow {
                mode: "greeting".parse().expect("a mode's name"),
                contacts: 3,
                attempts: 3,
                answered: 2,
                human: 2,
                goals: 0,
            }],
        };
        let mut dice = Dice::seeded(11);
        let mut contact = 0;
        for (arm, (mode, _)) in self.arms.iter().zip(&modes) {
            add_arm(&mut figures, &mut dice, arm, mode, &mut contact);
        }
        figures.night_contacts = figures.contacts.clone();
        figures
    }
}

/// Around `middle`, with a longer tail to the right.
fn around(dice: &mut Dice, middle: i64) -> i64 {
    let mut drawn = || dice.below(1_000) as i64;
    let spread = drawn() + drawn() - 1_000;
    let tail = drawn();
    let tail = if tail > 900 { middle * (tail - 900) / 60 } else { 0 };
    (middle + middle * spread / 2_600 + tail).max(180)
}

fn add_arm(figures: &mut Figures, dice: &mut Dice, arm: &Arm, mode: &Mode, contact: &mut i64) {
    figures.contacts.push(ContactRow {
        night: 1,
        mode: mode.clone(),
        assigned: arm.contacts,
        dialled: arm.contacts,
        reached: arm.reached,
        goals: arm.goals,
        opt_outs: arm.reached / 50,
        clean: arm.reached,
        clean_goals: arm.goals,
    });
    let machine = arm.contacts.saturating_sub(arm.reached) / 5;
    for (outcome, n) in [
        (Outcome::Answered, arm.reached),
        (Outcome::Machine, machine),
        (Outcome::Busy, arm.contacts / 6),
        (Outcome::NoAnswer, arm.contacts / 5),
        (Outcome::NetworkError, arm.contacts / 40),
        (Outcome::Lost, arm.lost),
    ] {
        if n > 0 {
            figures.attempts.push(AttemptRow { night: 1, mode: mode.clone(), outcome, n });
        }
    }
    let mut silent = 0;
    let mut turn_number: u64 = 0;
    let mut rows = Vec::new();
    let mut talk = 0;
    let mut quarters: Vec<QuarterRow> = (0..QUARTERS).map(|place| quarter(mode, arm, machine, place)).collect();
    for call in 0..arm.reached {
        *contact += 1;
        let mut latency = |metric, value_ms| {
            figures.latencies.push(LatencyCounts::one(1, mode.clone(), metric, value_ms));
        };
        latency(Metric::AnswerMs, Some(around(dice, 7_000)));
        let talked = around(dice, 28_000);
        talk += talked.unsigned_abs();
        let quarter = &mut quarters[(call % QUARTERS) as usize];
        quarter.talk_ms += talked.unsigned_abs();
        quarter.cost_micros += 60_000 + 3 * talked.unsigned_abs();
        latency(Metric::TalkMs, Some(talked));
        let audio = (call != 50).then(|| around(dice, 420));
        silent += u64::from(audio.is_none());
        latency(Metric::FirstAudioMs, audio);
        // Calls differ from each other more than turns of one call do.
        let own = around(dice, arm.turn_ms);
        for _ in 0..3 + dice.below(4) {
            turn_number += 1;
            let unanswered = arm.unanswered_every > 0 && turn_number.is_multiple_of(arm.unanswered_every);
            let turn_ms = (!unanswered).then(|| (own * 2 + around(dice, arm.turn_ms)) / 3);
            rows.push(TurnRow {
                night: 1,
                mode: mode.clone(),
                contact: *contact,
                attempt: *contact,
                try_number: 1,
                turn_ms,
                method: arm.method,
                goal: false,
                faulty: false,
            });
        }
    }
    figures.turns.extend(TurnSums::of(&CallTurns::gather(rows)));
    figures.calls.push(CallRow {
        night: 1,
        mode: mode.clone(),
        human: arm.reached,
        machine,
        unknown: 0,
        conversed: arm.reached.saturating_sub(silent),
        early_hangups: arm.early_hangups,
        late_greetings: silent,
        faults: silent,
        talk_ms: talk,
        cost_micros: Some(quarters.iter().map(|quarter| quarter.cost_micros).sum()),
        costed: arm.reached + machine,
        ringing: arm.contacts,
        interruptions: 2,
        barge_ins: arm.reached / 8,
        fillers: 0,
    });
    figures.quarters.extend(quarters);
}

/// Of an hour; over them everything is dealt out as evenly as it goes.
const QUARTERS: u64 = 12;

fn quarter(mode: &Mode, arm: &Arm, machine: u64, place: u64) -> QuarterRow {
    let dealt = |n: u64| n / QUARTERS + u64::from(place < n % QUARTERS);
    QuarterRow {
        night: 1,
        mode: mode.clone(),
        at: Timestamp(1_772_590_000_000 + place as i64 * 900_000),
        attempts: dealt(arm.contacts),
        answered: dealt(arm.reached) + dealt(machine),
        goals: dealt(arm.goals),
        talk_ms: 0,
        cost_micros: 0,
    }
}
