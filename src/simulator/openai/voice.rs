//! The stand-in's speech: how long a text takes to say, and in which pieces it is sent.

use crate::simulator::audio::law::Law;
use crate::simulator::audio::modem::utter;
use crate::simulator::clock::MS;
use crate::simulator::session::world::World;

const PIECE_MS: u64 = 200;
/// Speech is made so many times as fast as it is heard.
const PACE: u64 = 3;

pub struct Piece {
    pub audio: Vec<u8>,
    /// The part of the text that is said in it, roughly.
    pub text: String,
    pub lasts_ms: u64,
    pub next_in_ms: u64,
}

pub struct Speech {
    law: Law,
    samples: Vec<i16>,
    at: usize,
    text: Vec<char>,
    told: usize,
    slow: bool,
}

impl Speech {
    /// With `slow` it is made a little slower than it is heard.
    pub fn new(text: &str, law: Law, slow: bool) -> Self {
        let lasts_ms = World::agent_speaking_time(text) / MS;
        let samples = utter(text, lasts_ms, law.rate());
        Speech { law, samples, at: 0, text: text.chars().collect(), told: 0, slow }
    }
}

impl Iterator for Speech {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let left = &self.samples[self.at..];
        let piece = &left[..left.len().min(self.law.samples_of_ms(PIECE_MS))];
        if piece.is_empty() {
            return None;
        }
        self.at += piece.len();
        let told = self.text.len() * self.at / self.samples.len();
        let text: String = self.text[self.told..told].iter().collect();
        self.told = told;
        let lasts_ms = piece.len() as u64 * 1000 / u64::from(self.law.rate());
        let next_in_ms = if self.slow { lasts_ms * 6 / 5 } else { lasts_ms / PACE };
        Some(Piece { audio: self.law.encode(piece), text, lasts_ms, next_in_ms })
    }
}
