//! Hears when somebody speaks, and what: energy for the one, tones for the other. Its time is the audio's own.

use crate::simulator::audio::law::Law;
use crate::simulator::audio::modem::{Decoder, Understood};

const BLOCK_MS: u64 = 10;
/// Mean magnitude of a block in which somebody speaks.
const LOUD: u64 = 400;
/// So many blocks of speech are no click.
const BLOCKS_MIN: u32 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noticed {
    Began {
        at_ms: u64,
    },
    /// Silence has lasted for as long as was asked for.
    Ended {
        at_ms: u64,
        understood: Understood,
    },
}

pub struct Ear {
    law: Law,
    decoder: Decoder,
    block: Vec<i16>,
    heard_ms: u64,
    loud_blocks: u32,
    began_at: Option<u64>,
    told: bool,
    loud_until: u64,
    /// How long a silence ends speech, in milliseconds.
    pub silence_ms: u64,
}

impl Ear {
    pub fn new(law: Law, silence_ms: u64) -> Self {
        Ear {
            law,
            decoder: Decoder::new(law.rate()),
            block: Vec::new(),
            heard_ms: 0,
            loud_blocks: 0,
            began_at: None,
            told: false,
            loud_until: 0,
            silence_ms,
        }
    }

    /// How much it has heard altogether.
    pub fn heard_ms(&self) -> u64 {
        self.heard_ms
    }

    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Noticed> {
        self.block.extend(self.law.decode(bytes));
        let size = self.law.samples_of_ms(BLOCK_MS);
        let mut noticed = Vec::new();
        while self.block.len() >= size {
            let block: Vec<i16> = self.block.drain(..size).collect();
            self.block_over(&block, &mut noticed);
        }
        noticed
    }

    fn block_over(&mut self, block: &[i16], noticed: &mut Vec<Noticed>) {
        self.decoder.hear(block);
        let begins = self.heard_ms;
        self.heard_ms += BLOCK_MS;
        let sum: u64 = block.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
        if sum / block.len() as u64 > LOUD {
            self.loud_blocks += 1;
            self.loud_until = self.heard_ms;
            let at_ms = *self.began_at.get_or_insert(begins);
            if self.loud_blocks >= BLOCKS_MIN && !std::mem::replace(&mut self.told, true) {
                noticed.push(Noticed::Began { at_ms });
            }
            return;
        }
        if self.began_at.is_some() && self.heard_ms - self.loud_until >= self.silence_ms {
            let understood = self.decoder.finish();
            if std::mem::take(&mut self.told) {
                noticed.push(Noticed::Ended { at_ms: self.loud_until, understood });
            }
            self.began_at = None;
            self.loud_blocks = 0;
        }
    }

    /// Ends what is being heard, without waiting for silence.
    pub fn cut(&mut self) -> Understood {
        self.began_at = None;
        self.told = false;
        self.loud_blocks = 0;
        self.decoder.finish()
    }
}
