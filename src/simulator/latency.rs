//! How long each simulated part takes: log-normal, by routing rule, drawn by hash; and how many callees a rule's talk tires.
//!
//! A model is built for the turn it should produce, whichever kind of scenario uses it. So two
//! rules' models can be swapped, and the figures of their modes are swapped with them.

use std::collections::BTreeMap;

use crate::simulator::clock::{MS, Micros};
use crate::simulator::draw::Dice;

/// A log-normal delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delay {
    pub median_ms: f64,
    /// Standard deviation of the logarithm: 0.25 puts the 95th percentile at 1.5 times the median.
    pub spread: f64,
}

impl Delay {
    pub const fn new(median_ms: f64, spread: f64) -> Self {
        Self { median_ms, spread }
    }

    /// Cut at a quarter and at five times the median, so that a tail cannot outlast every patience.
    pub fn draw(&self, dice: &Dice, purpose: &str, nth: u64) -> Micros {
        let factor = (self.spread * dice.normal(purpose, nth)).exp().clamp(0.25, 5.0);
        (self.median_ms * factor * MS as f64) as Micros
    }
}

/// The parts of one rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyModel {
    /// End of speech to the recogniser's result.
    pub asr_ms: Delay,
    /// `say` or a player's creation to its first audio.
    pub tts_ms: Delay,
    /// The realtime model's answer to a committed turn, or to a plain request, until first audio.
    pub model_audio_ms: Delay,
    /// The realtime model's answer to a committed turn until a function call is complete.
    pub model_tool_ms: Delay,
    /// A request that follows a function's output until first audio.
    pub tool_audio_ms: Delay,
    /// Commit to the transcript of what the callee said.
    pub transcript_ms: Delay,
    /// Opening the connection to the realtime model.
    pub model_connect_ms: Delay,
    /// Share of callees who have had enough after an answer or three, whoever talks to them so.
    pub uninterested: f64,
}

/// One in nine is not interested and leaves early.
pub const UNINTERESTED: f64 = 0.11;

/// What server-side voice detection waits for by default; a turn of the realtime model contains it.
const SILENCE_MS: f64 = 500.0;

impl LatencyModel {
    /// A model whose turns take about this long by the turn ruler, in every kind of scenario.
    pub const fn for_turn(turn_ms: f64) -> Self {
        let thinking = if turn_ms > SILENCE_MS + 100.0 { turn_ms - SILENCE_MS } else { 100.0 };
        Self {
            asr_ms: Delay::new(turn_ms * 0.6, 0.22),
            tts_ms: Delay::new(turn_ms * 0.38, 0.22),
            model_audio_ms: Delay::new(thinking * 0.98, 0.3),
            model_tool_ms: Delay::new(thinking * 0.5, 0.28),
            tool_audio_ms: Delay::new(thinking * 0.46, 0.28),
            transcript_ms: Delay::new(thinking * 0.4, 0.3),
            model_connect_ms: Delay::new(350.0, 0.25),
            uninterested: UNINTERESTED,
        }
    }
}

/// All rules' models, and what does not depend on a rule.
#[derive(Clone, Debug)]
pub struct LatencyModels {
    by_rule: BTreeMap<String, LatencyModel>,
    other: LatencyModel,
    /// `StartScenarios` until its answer.
    pub start_answer_ms: Delay,
    /// `callPSTN` until the far end rings.
    pub dial_ms: Delay,
    /// Ringing until the callee picks up.
    pub ring_ms: Delay,
}

impl Default for LatencyModels {
    fn default() -> Self {
        let by_rule = [
            ("voice_dialog_rule", LatencyModel::for_turn(1500.0)),
            ("voice_realtime_rule", LatencyModel::for_turn(1200.0)),
            ("voice_realtime_pure_rule", LatencyModel::for_turn(850.0)),
            ("voice_stream_rule", LatencyModel::for_turn(900.0)),
        ];
        Self {
            by_rule: by_rule.into_iter().map(|(rule, model)| (rule.to_owned(), model)).collect(),
            other: LatencyModel::for_turn(1300.0),
            start_answer_ms: Delay::new(300.0, 0.3),
            dial_ms: Delay::new(2500.0, 0.35),
            ring_ms: Delay::new(6000.0, 0.45),
        }
    }
}

impl LatencyModels {
    pub fn of_rule(&self, rule: &str) -> LatencyModel {
        self.by_rule.get(rule).copied().unwrap_or(self.other)
    }

    pub fn set(&mut self, rule: &str, model: LatencyModel) {
        self.by_rule.insert(rule.to_owned(), model);
    }

    /// Each rule gets the other's model.
    pub fn swap(&mut self, rule_a: &str, rule_b: &str) {
        let (a, b) = (self.of_rule(rule_a), self.of_rule(rule_b));
        self.set(rule_a, b);
        self.set(rule_b, a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_draws_are_below_the_median_and_none_beyond_the_cut() {
        let delay = Delay::new(800.0, 0.3);
        let draws: Vec<Micros> =
            (0..1000).map(|n| delay.draw(&Dice::of_call(3, &format!("7999{n:07}"), 1), "asr", 0)).collect();
        let below = draws.iter().filter(|draw| **draw < 800 * MS).count();
        assert!((430..570).contains(&below), "{below} of 1000 below the median");
        assert!(draws.iter().all(|draw| (200 * MS..=4000 * MS).contains(draw)));
    }

    #[test]
    fn swapping_gives_each_rule_the_others_model() {
        let mut models = LatencyModels::default();
        let (dialog, pure) = (models.of_rule("voice_dialog_rule"), models.of_rule("voice_realtime_pure_rule"));
        models.swap("voice_dialog_rule", "voice_realtime_pure_rule");
        assert_eq!(models.of_rule("voice_dialog_rule"), pure);
        assert_eq!(models.of_rule("voice_realtime_pure_rule"), dialog);
    }
}
