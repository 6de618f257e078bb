//! How a callee talks: hears when the agent begins and ends, waits, answers, leaves.
//!
//! A pure machine. It is told what happened and when, and says what it does now and when it wants to
//! be woken; only the last wake counts, so whatever happens in between cancels its intention.

use crate::simulator::callee::words::{self, Tongue};
use crate::simulator::callee::{Nature, Temper};
use crate::simulator::clock::{MS, Micros, SECOND};
use crate::simulator::draw::Dice;

/// Sooner than any machine detection.
const GONE_AFTER: Micros = 400 * MS;

/// What the callee notices.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    Answered,
    AgentStarts {
        text: &'a str,
        lasts: Micros,
    },
    /// The words of a phrase whose sound began before they were known.
    AgentSaid {
        text: &'a str,
    },
    AgentEnds,
    SpokeOut,
    Woke(u32),
}

/// What the callee does.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    Speak(String),
    HangUp,
    WakeAt(Micros, u32),
}

#[derive(Clone, Debug, PartialEq)]
enum Intent {
    Nothing,
    Say(String),
    /// Has been waiting for the agent for as long as it can stand.
    Impatient,
    Leave,
}

pub struct Talker {
    temper: Temper,
    nature: Nature,
    tongue: Tongue,
    dice: Dice,
    intent: Intent,
    wakes: u32,
    answered_at: Micros,
    speaking: bool,
    agent_speaking: bool,
    agent_phrases: u64,
    agent_said: String,
    answers: u32,
    nudged: bool,
    leaving: bool,
}

impl Talker {
    pub fn new(temper: Temper, nature: Nature, tongue: Tongue, dice: Dice) -> Self {
        Self {
            temper,
            nature,
            tongue,
            dice,
            intent: Intent::Nothing,
            wakes: 0,
            answered_at: 0,
            speaking: false,
            agent_speaking: false,
            agent_phrases: 0,
            agent_said: String::new(),
            answers: 0,
            nudged: false,
            leaving: false,
        }
    }

    pub fn hear(&mut self, heard: Heard<'_>, now: Micros) -> Vec<Deed> {
        match heard {
            Heard::Answered => self.answered(now),
            Heard::AgentStarts { text, lasts } => self.agent_starts(text, lasts, now),
            Heard::AgentSaid { text } => {
                text.clone_into(&mut self.agent_said);
                Vec::new()
            }
            Heard::AgentEnds => self.agent_ends(now),
            Heard::SpokeOut => self.spoke_out(now),
            Heard::Woke(wake) if wake == self.wakes => self.woke(now),
            Heard::Woke(_) => Vec::new(),
        }
    }

    fn intend(&mut self, intent: Intent, at: Micros) -> Vec<Deed> {
        self.wakes += 1;
        self.intent = intent;
        vec![Deed::WakeAt(at, self.wakes)]
    }

    fn forget(&mut self) -> Vec<Deed> {
        self.wakes += 1;
        self.intent = Intent::Nothing;
        Vec::new()
    }

    fn answered(&mut self, now: Micros) -> Vec<Deed> {
        self.answered_at = now;
        match self.temper {
            Temper::Silent => {
                let stays = self.dice.between_ms(25_000.0, 45_000.0, "silence", 0);
                self.intend(Intent::Leave, now + stays)
            }
            Temper::Gone => self.intend(Intent::Leave, now + GONE_AFTER),
            Temper::Machine => {
                let text = words::MACHINE.pick(self.tongue, &self.dice, "machine", 0);
                self.intend(Intent::Say(text), now + 300 * MS)
            }
            _ => {
                let text = words::HELLO.pick(self.tongue, &self.dice, "hello", 0);
                let after = self.dice.between_ms(300.0, 900.0, "hello after", 0);
                self.intend(Intent::Say(text), now + after)
            }
        }
    }

    fn agent_starts(&mut self, text: &str, lasts: Micros, now: Micros) -> Vec<Deed> {
        self.agent_speaking = true;
        self.agent_phrases += 1;
        text.clone_into(&mut self.agent_said);
        self.nudged = false;
        let nth = self.agent_phrases;
        match self.temper {
            Temper::Silent | Temper::Machine | Temper::Gone => Vec::new(),
            Temper::Curt => {
                let part = 0.3 + 0.4 * self.dice.unit("curt", 0);
                self.intend(Intent::Leave, now + (lasts as f64 * part) as Micros)
            }
            // Whoever is about to go does not stay for another phrase.
            _ if self.leaving => Vec::new(),
            Temper::TalksOver if !self.speaking => {
                let text = words::INTERRUPTIONS.pick(self.tongue, &self.dice, "interruption", nth);
                let after = self.dice.between_ms(500.0, 1300.0, "interrupts after", nth);
                self.intend(Intent::Say(text), now + after.min(lasts / 2))
            }
            Temper::Talks if nth > 1 && !self.speaking && self.dice.chance(0.03, "barge in", nth) => {
                let text = words::INTERRUPTIONS.pick(self.tongue, &self.dice, "interruption", nth);
                self.intend(Intent::Say(text), now + lasts * 6 / 10)
            }
            _ => self.forget(),
        }
    }

    fn agent_ends(&mut self, now: Micros) -> Vec<Deed> {
        self.agent_speaking = false;
        if self.speaking || matches!(self.temper, Temper::Silent | Temper::Machine | Temper::Curt | Temper::Gone) {
            return Vec::new();
        }
        if self.leaving {
            return self.intend(Intent::Leave, now + 700 * MS);
        }
        let nth = self.agent_phrases;
        let reaction = self.dice.between_ms(250.0, 1100.0, "reaction", nth);
        let text = self.answer(now);
        self.intend(Intent::Say(text), now + reaction)
    }

    fn answer(&mut self, now: Micros) -> String {
        self.answers += 1;
        let nth = u64::from(self.answers);
        if words::is_farewell(&self.agent_said) {
            self.leaving = true;
            return words::FAREWELLS.pick(self.tongue, &self.dice, "farewell", 0);
        }
        if matches!(self.temper, Temper::OptsOut | Temper::OptsOutAndGoes) {
            self.leaving = true;
            return words::NEVER_AGAIN.pick(self.tongue, &self.dice, "never again", 0);
        }
        if self.answers > self.nature.answers_max || now > self.answered_at + self.nature.stamina {
            self.leaving = true;
            return words::ENOUGH.pick(self.tongue, &self.dice, "enough", 0);
        }
        words::ANSWERS.pick(self.tongue, &self.dice, "answer", nth)
    }

    fn spoke_out(&mut self, now: Micros) -> Vec<Deed> {
        self.speaking = false;
        match self.temper {
            Temper::Machine => {
                let records = self.dice.between_ms(20_000.0, 45_000.0, "records", 0);
                self.intend(Intent::Leave, now + records)
            }
            // Someone who asked not to be called hears the answer out; anybody else who said
            // goodbye is gone after a moment.
            _ if self.leaving && self.temper == Temper::OptsOut => self.intend(Intent::Leave, now + 6 * SECOND),
            _ if self.leaving && self.temper == Temper::OptsOutAndGoes => vec![Deed::HangUp],
            _ if self.leaving => {
                let lingers = self.dice.between_ms(1800.0, 3600.0, "lingers", 0);
                self.intend(Intent::Leave, now + lingers)
            }
            _ if self.agent_speaking => self.forget(),
            _ => self.intend(Intent::Impatient, now + self.nature.patience),
        }
    }

    fn woke(&mut self, now: Micros) -> Vec<Deed> {
        match std::mem::replace(&mut self.intent, Intent::Nothing) {
            Intent::Nothing => Vec::new(),
            Intent::Leave => vec![Deed::HangUp],
            Intent::Say(text) => self.speak(text),
            Intent::Impatient if self.nudged || self.agent_phrases == 0 && self.answers > 0 => {
                vec![Deed::HangUp]
            }
            Intent::Impatient => {
                self.nudged = true;
                let nth = self.agent_phrases;
                if self.agent_phrases > 0 && self.dice.chance(0.5, "leaves without a word", nth) {
                    return self.intend(Intent::Leave, now);
                }
                let text = words::NUDGES.pick(self.tongue, &self.dice, "nudge", nth);
                self.speak(text)
            }
        }
    }

    fn speak(&mut self, text: String) -> Vec<Deed> {
        self.speaking = true;
        vec![Deed::Speak(text)]
    }

    pub fn speaking_time(&self, text: &str) -> Micros {
        self.nature.speaking_time(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talker(temper: Temper) -> Talker {
        let dice = Dice::of_call(1, "79990000001", 1);
        let mut nature = Nature::of(temper, &dice, crate::simulator::latency::UNINTERESTED);
        nature.answers_max = 16;
        Talker::new(temper, nature, Tongue::Russian, dice)
    }

    fn wake(deeds: &[Deed]) -> (Micros, u32) {
        match deeds {
            [Deed::WakeAt(at, wake)] => (*at, *wake),
            other => panic!("a wake was expected, not {other:?}"),
        }
    }

    #[test]
    fn the_first_word_is_hello_and_a_question_is_answered() {
        let mut callee = talker(Temper::Talks);
        let (at, first) = wake(&callee.hear(Heard::Answered, 0));
        assert!(matches!(&callee.hear(Heard::Woke(first), at)[..], [Deed::Speak(text)] if text.starts_with("Алло")));
        let patience = callee.hear(Heard::SpokeOut, at + SECOND);
        let (_, impatient) = wake(&patience);
        assert!(callee.hear(Heard::AgentStarts { text: "Добрый день!", lasts: SECOND }, at + 2 * SECOND).is_empty());
        assert!(callee.hear(Heard::Woke(impatient), at + 9 * SECOND).is_empty(), "the agent spoke in time");
        let (at, answer) = wake(&callee.hear(Heard::AgentEnds, at + 3 * SECOND));
        assert!(matches!(&callee.hear(Heard::Woke(answer), at)[..], [Deed::Speak(_)]));
    }

    #[test]
    fn too_long_a_silence_ends_the_call() {
        let mut callee = talker(Temper::Unheard);
        let (at, first) = wake(&callee.hear(Heard::Answered, 0));
        callee.hear(Heard::Woke(first), at);
        let (at, impatient) = wake(&callee.hear(Heard::SpokeOut, at + SECOND));
        assert!(matches!(&callee.hear(Heard::Woke(impatient), at)[..], [Deed::Speak(_)]), "asks once");
        let (at, impatient) = wake(&callee.hear(Heard::SpokeOut, at + SECOND));
        assert_eq!(callee.hear(Heard::Woke(impatient), at), [Deed::HangUp]);
    }

    #[test]
    fn the_one_who_opts_out_says_so_and_leaves() {
        let mut callee = talker(Temper::OptsOut);
        callee.hear(Heard::Answered, 0);
        callee.hear(Heard::AgentStarts { text: "Добрый день!", lasts: SECOND }, SECOND);
        let (at, answer) = wake(&callee.hear(Heard::AgentEnds, 2 * SECOND));
        assert!(
            matches!(&callee.hear(Heard::Woke(answer), at)[..], [Deed::Speak(text)] if text.to_lowercase().contains("не звоните"))
        );
        let (at, leave) = wake(&callee.hear(Heard::SpokeOut, at + SECOND));
        assert_eq!(callee.hear(Heard::Woke(leave), at), [Deed::HangUp]);
    }
}
