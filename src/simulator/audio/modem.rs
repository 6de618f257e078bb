//! A text as tones: a thousand bits a second, one whole wave of 1 000 Hz for a one and two waves of 2 000 Hz for
//! a zero, each byte between a zero and a one. Both tones lie well inside a telephone's band.
//!
//! An utterance is a while of ones, its length, its text, and ones again until it is over: so it sounds for as
//! long as somebody would speak.

use std::collections::VecDeque;
use std::f64::consts::TAU;

const LOUD: f64 = 9_000.0;
const ONE_HZ: f64 = 1_000.0;
const ZERO_HZ: f64 = 2_000.0;
/// Ones before the first byte, in bits and thus in milliseconds.
const LEAD_BITS: usize = 30;
const BEGIN: u8 = 0x02;
const END: u8 = 0x03;
/// The length, in units of ten milliseconds: four hexadecimal digits.
const LENGTH_DIGITS: usize = 4;
const TEXT_BYTES_MAX: usize = 8_000;
/// Quieter than this is nothing: G.711's noise is less.
const QUIET: f64 = 300.0;

/// An utterance of so many milliseconds; a text that takes longer than that is cut.
pub fn utter(text: &str, lasts_ms: u64, rate: u32) -> Vec<i16> {
    let bytes = format!("{:04x}{text}", (lasts_ms / 10).min(0xffff));
    let framed = [BEGIN].into_iter().chain(bytes.bytes()).chain([END]);
    let mut bits = vec![true; LEAD_BITS];
    for byte in framed {
        bits.push(false);
        bits.extend((0..8).map(|place| byte >> place & 1 == 1));
        bits.push(true);
    }
    bits.resize(lasts_ms as usize, true);
    let per_bit = rate as usize / 1000;
    bits.iter()
        .flat_map(|bit| {
            let hz = if *bit { ONE_HZ } else { ZERO_HZ };
            (0..per_bit).map(move |n| (LOUD * (TAU * hz * n as f64 / f64::from(rate)).sin()) as i16)
        })
        .collect()
}

/// What has been understood of an utterance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understood {
    pub text: String,
    /// How long it was to be, in milliseconds.
    pub lasts_ms: Option<u64>,
    /// Its last byte was heard.
    pub whole: bool,
}

/// Hears tones and has the text again.
pub struct Decoder {
    rate: u32,
    per_bit: usize,
    /// Each sample of the last bit's time, by both tones, sine and cosine.
    window: VecDeque<[f64; 4]>,
    sums: [f64; 4],
    energy: VecDeque<f64>,
    loud: f64,
    nth: u64,
    /// Samples until the next bit is looked at, and the bits so far.
    byte: Option<(usize, Vec<bool>)>,
    was_one: bool,
    bytes: Vec<u8>,
    open: bool,
    whole: bool,
}

impl Decoder {
    pub fn new(rate: u32) -> Self {
        Decoder {
            rate,
            per_bit: rate as usize / 1000,
            window: VecDeque::new(),
            sums: [0.0; 4],
            energy: VecDeque::new(),
            loud: 0.0,
            nth: 0,
            byte: None,
            was_one: false,
            bytes: Vec::new(),
            open: false,
            whole: false,
        }
    }

    pub fn hear(&mut self, samples: &[i16]) {
        for sample in samples {
            self.one(f64::from(*sample));
        }
    }

    fn one(&mut self, sample: f64) {
        let at = self.nth as f64 / f64::from(self.rate);
        self.nth += 1;
        let (one, zero) = ((TAU * ONE_HZ * at).sin_cos(), (TAU * ZERO_HZ * at).sin_cos());
        let parts = [sample * one.0, sample * one.1, sample * zero.0, sample * zero.1];
        self.window.push_back(parts);
        self.energy.push_back(sample.abs());
        self.loud += sample.abs();
        self.sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        if self.window.len() > self.per_bit {
            let gone = self.window.pop_front().unwrap_or_default();
            self.sums.iter_mut().zip(gone).for_each(|(sum, part)| *sum -= part);
            self.loud -= self.energy.pop_front().unwrap_or_default();
        }
        let is_one = self.sums[0].powi(2) + self.sums[1].powi(2) > self.sums[2].powi(2) + self.sums[3].powi(2);
        let sounds = self.loud / self.per_bit as f64 > QUIET;
        match &mut self.byte {
            // A zero after a one begins a byte; its middle is half a bit after the half that made it a zero.
            None if sounds && self.was_one && !is_one => {
                self.byte = Some((self.per_bit / 2, Vec::with_capacity(10)));
            }
            None => {}
            Some((left, bits)) if *left <= 1 => {
                bits.push(is_one);
                *left = self.per_bit;
                if bits.len() == 10 {
                    let bits = std::mem::take(bits);
                    self.byte = None;
                    self.take(&bits);
                }
            }
            Some((left, _)) => *left -= 1,
        }
        self.was_one = is_one && sounds;
    }

    fn take(&mut self, bits: &[bool]) {
        // What does not begin with a zero and end with a one is no byte.
        if bits[0] || !bits[9] {
            return;
        }
        let byte = (0..8).fold(0u8, |byte, place| byte | u8::from(bits[1 + place]) << place);
        match byte {
            BEGIN if !self.open => {
                self.open = true;
                self.whole = false;
                self.bytes.clear();
            }
            END if self.open => {
                self.open = false;
                self.whole = true;
            }
            byte if self.open && self.bytes.len() < TEXT_BYTES_MAX => self.bytes.push(byte),
            _ => {}
        }
    }

    /// What has been understood so far.
    pub fn understood(&self) -> Understood {
        let (digits, text) = self.bytes.split_at(self.bytes.len().min(LENGTH_DIGITS));
        let tens = std::str::from_utf8(digits).ok().filter(|it| it.len() == LENGTH_DIGITS);
        let lasts_ms = tens.and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(|tens| tens * 10);
        Understood { text: String::from_utf8_lossy(text).into_owned(), lasts_ms, whole: self.whole }
    }

    /// The utterance is over; the next one begins.
    pub fn finish(&mut self) -> Understood {
        let understood = self.understood();
        self.bytes.clear();
        self.open = false;
        self.whole = false;
        self.byte = None;
        understood
    }
}
