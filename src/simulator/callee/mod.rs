//! The people at the other end: the last two digits of a number choose who answers, the rest and the
//! seed choose the wording and the patience. A callee knows how often it was called before, and
//! nothing about load, order, or which kind of scenario is talking.

pub mod door;
pub mod talk;
pub mod words;

use crate::simulator::clock::{MS, Micros, SECOND};
use crate::simulator::draw::Dice;

/// How somebody who answers behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temper {
    Talks,
    /// Hangs up during the agent's first phrase.
    Curt,
    Machine,
    Silent,
    /// Asks never to be called again.
    OptsOut,
    /// Asks the same, and hangs up with the last word.
    OptsOutAndGoes,
    /// Talks over the agent all the time.
    TalksOver,
    /// Talks, but the agent's first audio never reaches anybody.
    Unheard,
    /// Talks, and the line drops in the middle.
    Drops,
    /// Hangs up as soon as it has answered.
    Gone,
}

/// What becomes of one dialled call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answers(Temper),
    /// Rings until somebody gives up.
    RingsOut,
    /// Fails without ringing.
    Refused {
        code: u16,
        reason: &'static str,
    },
    /// Rings for a while, then fails.
    RingsThen {
        code: u16,
        reason: &'static str,
    },
    /// An announcement before any answer, then a failure.
    Announced {
        code: u16,
        reason: &'static str,
    },
}

/// What of a provider's breaks in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The realtime model does not take the key.
    ModelRefuses,
    /// It accepts the connection and answers 429 in it.
    ModelThrottles,
    /// It is down: 503 before there is a connection.
    ModelDown,
    /// It answers the session's settings with an error.
    ModelErrs,
    /// The connection to it breaks in the middle of the call.
    ModelBreaks,
    /// It goes away in the middle of the call.
    ModelCloses,
    /// Its responses fail after the first.
    ModelFails,
    /// It calls a tool that nobody declared, without arguments.
    ModelStrays,
    /// The recogniser fails at the first words.
    Recogniser,
    /// Nobody says that a phrase has been played.
    Player,
    /// A call's end is told twice, as two different ends.
    EndsTwice,
    /// Machine detection never says what it found.
    Detector,
}

/// What answers at a number, and how the call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    pub fate: Fate,
    pub broken: Option<Broken>,
    /// What machine detection finds, where that is not up to the callee's nature: class and subtype.
    pub verdict: Option<(&'static str, &'static str)>,
}

impl Behaviour {
    const fn of(fate: Fate) -> Self {
        Self { fate, broken: None, verdict: None }
    }

    const fn breaks(broken: Broken) -> Self {
        Self { fate: Fate::Answers(Temper::Talks), broken: Some(broken), verdict: None }
    }

    const fn found(temper: Temper, class: &'static str, subtype: &'static str) -> Self {
        Self { fate: Fate::Answers(temper), broken: None, verdict: Some((class, subtype)) }
    }

    pub fn of_number(digits: &str, times: u32) -> Self {
        Self::of(fate(digits, times))
    }
}

const fn refused(code: u16, reason: &'static str) -> Behaviour {
    Behaviour::of(Fate::Refused { code, reason })
}

/// Behaviours by name, for numbers whose last digits say something else.
pub const NAMED: [(&str, Behaviour); 34] = [
    ("talks", Behaviour::of(Fate::Answers(Temper::Talks))),
    ("gone_at_once", Behaviour::of(Fate::Answers(Temper::Gone))),
    ("machine", Behaviour::found(Temper::Machine, "VOICEMAIL", "NONE")),
    ("machine_mimic", Behaviour::found(Temper::Machine, "VOICEMAIL", "MIMIC")),
    ("undecided", Behaviour::found(Temper::Talks, "TIMEOUT", "NONE")),
    ("human", Behaviour::found(Temper::Talks, "HUMAN", "NONE")),
    ("opts_out_and_goes", Behaviour::of(Fate::Answers(Temper::OptsOutAndGoes))),
    ("silent", Behaviour::of(Fate::Answers(Temper::Silent))),
    ("rings_out", Behaviour::of(Fate::RingsOut)),
    ("busy", Behaviour::of(Fate::RingsThen { code: BUSY.0, reason: BUSY.1 })),
    ("request_timeout", Behaviour::of(Fate::RingsThen { code: 408, reason: "Request Timeout" })),
    ("terminated", Behaviour::of(Fate::RingsThen { code: 487, reason: "Request Terminated" })),
    ("switched_off", refused(480, "Temporarily Unavailable")),
    ("rejects", Behaviour::of(Fate::RingsThen { code: 603, reason: "Decline" })),
    ("no_such_number", refused(404, "Not Found")),
    ("prohibited", refused(403, "Forbidden")),
    ("no_funds", refused(402, "Insufficient funds")),
    ("incomplete_address", refused(484, "Address Incomplete")),
    ("not_acceptable", refused(488, "Not Acceptable Here")),
    ("server_error", refused(500, "Server Internal Error")),
    ("bad_gateway", refused(502, "Bad Gateway")),
    ("gateway_timeout", refused(504, "Server Time-out")),
    ("model_refuses", Behaviour::breaks(Broken::ModelRefuses)),
    ("model_throttles", Behaviour::breaks(Broken::ModelThrottles)),
    ("model_down", Behaviour::breaks(Broken::ModelDown)),
    ("model_errs", Behaviour::breaks(Broken::ModelErrs)),
    ("model_breaks", Behaviour::breaks(Broken::ModelBreaks)),
    ("model_closes", Behaviour::breaks(Broken::ModelCloses)),
    ("model_fails", Behaviour::breaks(Broken::ModelFails)),
    ("model_strays", Behaviour::breaks(Broken::ModelStrays)),
    ("never_detected", Behaviour::breaks(Broken::Detector)),
    ("end_untold", Behaviour { broken: Some(Broken::Player), ..Behaviour::of(Fate::Answers(Temper::Silent)) }),
    (
        "machine_ends_twice",
        Behaviour { broken: Some(Broken::EndsTwice), ..Behaviour::found(Temper::Machine, "VOICEMAIL", "NONE") },
    ),
    ("recogniser_fails", Behaviour::breaks(Broken::Recogniser)),
];

const BUSY: (u16, &str) = (486, "Busy here");

/// The table of numbers; `times` counts this call too.
pub fn fate(number: &str, times: u32) -> Fate {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let last_two: u32 = digits.get(digits.len().saturating_sub(2)..).and_then(|tail| tail.parse().ok()).unwrap_or(0);
    match last_two {
        60..=64 => Fate::Answers(Temper::Curt),
        65 | 66 | 68 | 69 => Fate::Answers(Temper::Machine),
        70..=74 if times == 1 => Fate::RingsThen { code: BUSY.0, reason: BUSY.1 },
        75..=77 => Fate::RingsThen { code: BUSY.0, reason: BUSY.1 },
        78..=82 => Fate::RingsOut,
        83 | 84 if times < 3 => Fate::RingsOut,
        85..=87 => Fate::Refused { code: 480, reason: "Temporarily Unavailable" },
        88 | 89 => Fate::RingsThen { code: 603, reason: "Decline" },
        90 | 91 => Fate::Refused { code: 404, reason: "Not Found" },
        92 => Fate::Refused { code: 403, reason: "Forbidden" },
        93 => Fate::Answers(Temper::Silent),
        94 => Fate::Answers(Temper::OptsOut),
        95 => Fate::Answers(Temper::TalksOver),
        96 => Fate::RingsThen { code: 503, reason: "Service Unavailable" },
        97 => Fate::Announced { code: BUSY.0, reason: BUSY.1 },
        98 => Fate::Answers(Temper::Unheard),
        99 => Fate::Answers(Temper::Drops),
        _ => Fate::Answers(Temper::Talks),
    }
}

/// The figures that are one callee's own.
#[derive(Clone, Copy, Debug)]
pub struct Nature {
    /// Silence after its own words that it stands before it says something or leaves.
    pub patience: Micros,
    /// How long it stays on the line at most.
    pub stamina: Micros,
    /// After so many answers it has had enough.
    pub answers_max: u32,
    /// Per character of speech.
    pub pace: Micros,
    /// The line drops this long after the answer.
    pub drops_after: Option<Micros>,
}

impl Nature {
    /// `uninterested`: the share that leaves early.
    pub fn of(temper: Temper, dice: &Dice, uninterested: f64) -> Self {
        let patience_ms = (5500.0 * (0.35 * dice.normal("patience", 0)).exp()).clamp(3000.0, 14_000.0);
        let answers_max = match temper {
            Temper::TalksOver => 5 + (dice.bits("answers", 0) % 4) as u32,
            _ if dice.chance(uninterested, "uninterested", 0) => 1 + (dice.bits("answers", 0) % 3) as u32,
            _ => 16,
        };
        Self {
            patience: patience_ms as Micros * MS,
            stamina: dice.between_ms(110_000.0, 240_000.0, "stamina", 0),
            answers_max,
            pace: dice.between_ms(52.0, 74.0, "pace", 0),
            drops_after: (temper == Temper::Drops).then(|| dice.between_ms(9_000.0, 19_000.0, "drop", 0)),
        }
    }

    pub fn speaking_time(&self, text: &str) -> Micros {
        speaking_time(text, self.pace)
    }
}

/// How long a text takes to say.
pub fn speaking_time(text: &str, per_character: Micros) -> Micros {
    (text.chars().count() as Micros * per_character).clamp(450 * MS, 120 * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_digits_choose() {
        let of = |last: u32, times| fate(&format!("+79990000{last:03}"), times);
        for last in (0..60).chain([67]) {
            assert_eq!(of(last, 1), Fate::Answers(Temper::Talks));
        }
        assert_eq!(of(62, 1), Fate::Answers(Temper::Curt));
        assert_eq!(of(66, 1), Fate::Answers(Temper::Machine));
        assert!(matches!(of(70, 1), Fate::RingsThen { code: 486, .. }));
        assert_eq!(of(70, 2), Fate::Answers(Temper::Talks));
        assert!(matches!(of(77, 9), Fate::RingsThen { code: 486, .. }));
        assert_eq!(of(80, 5), Fate::RingsOut);
        assert_eq!(of(84, 2), Fate::RingsOut);
        assert_eq!(of(84, 3), Fate::Answers(Temper::Talks));
        assert!(matches!(of(86, 1), Fate::Refused { code: 480, .. }));
        assert!(matches!(of(89, 1), Fate::RingsThen { code: 603, .. }));
        assert!(matches!(of(90, 1), Fate::Refused { code: 404, .. }));
        assert!(matches!(of(92, 1), Fate::Refused { code: 403, .. }));
        assert!(matches!(of(96, 1), Fate::RingsThen { code: 503, .. }));
        assert!(matches!(of(97, 1), Fate::Announced { code: 486, .. }));
        let named = [Temper::Silent, Temper::OptsOut, Temper::TalksOver];
        assert_eq!([of(93, 1), of(94, 1), of(95, 1)], named.map(Fate::Answers));
        assert_eq!([of(98, 1), of(99, 1)], [Temper::Unheard, Temper::Drops].map(Fate::Answers));
    }
}
