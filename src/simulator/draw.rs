//! Dice that are looked up, not rolled: every draw is a hash of who is called, how often, and what
//! for. No stream is shared, so neither load nor order can change what a seed means.

use crate::simulator::clock::Micros;

/// What a draw is keyed by, apart from its purpose.
#[derive(Clone, Debug)]
pub struct Dice {
    base: u64,
}

impl Dice {
    /// The dice of one call: the seed, the number, and how often it was called before.
    pub fn of_call(seed: u64, number: &str, times: u32) -> Self {
        Self { base: mix(hash(mix(seed), number.as_bytes()) ^ u64::from(times)) }
    }

    /// Dice for what has no number yet, such as a request to start a session.
    pub fn of_start(seed: u64, ordinal: u64) -> Self {
        Self { base: mix(mix(seed ^ 0x5bf0_3635) ^ ordinal) }
    }

    /// Uniform in `0..1`.
    pub fn unit(&self, purpose: &str, nth: u64) -> f64 {
        let bits = self.bits(purpose, nth) >> 11;
        bits as f64 / (1u64 << 53) as f64
    }

    pub fn bits(&self, purpose: &str, nth: u64) -> u64 {
        mix(hash(self.base, purpose.as_bytes()) ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn chance(&self, rate: f64, purpose: &str, nth: u64) -> bool {
        rate > 0.0 && self.unit(purpose, nth) < rate
    }

    /// Uniform between two bounds in milliseconds.
    pub fn between_ms(&self, low: f64, high: f64, purpose: &str, nth: u64) -> Micros {
        ((low + (high - low) * self.unit(purpose, nth)) * 1000.0) as Micros
    }

    pub fn pick<'a, T: ?Sized>(&self, from: &[&'a T], purpose: &str, nth: u64) -> &'a T {
        from[(self.bits(purpose, nth) % from.len() as u64) as usize]
    }

    /// A standard normal draw (Box and Muller).
    pub fn normal(&self, purpose: &str, nth: u64) -> f64 {
        let radius = (1.0 - self.unit(purpose, nth.wrapping_mul(2))).max(f64::MIN_POSITIVE);
        let angle = self.unit(purpose, nth.wrapping_mul(2).wrapping_add(1));
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

/// FNV-1a; written here because the standard library may change its hasher between releases.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(start ^ 0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The finaliser of splitmix64.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_draws_the_same_and_another_does_not() {
        let dice = Dice::of_call(7, "79990000001", 1);
        assert_eq!(dice.bits("ring", 0), Dice::of_call(7, "79990000001", 1).bits("ring", 0));
        assert_ne!(dice.bits("ring", 0), Dice::of_call(7, "79990000001", 2).bits("ring", 0));
        assert_ne!(dice.bits("ring", 0), Dice::of_call(8, "79990000001", 1).bits("ring", 0));
        assert_ne!(dice.bits("ring", 0), dice.bits("ring", 1));
        assert_ne!(dice.bits("ring", 0), dice.bits("talk", 0));
    }

    #[test]
    fn draws_are_spread_evenly() {
        let mean = (0..2000).map(|n| Dice::of_call(1, &format!("7999{n:07}"), 1).unit("x", 0)).sum::<f64>() / 2000.0;
        assert!((mean - 0.5).abs() < 0.03, "mean {mean}");
        let dice = Dice::of_call(1, "79990000000", 1);
        let normal = (0..2000).map(|n| dice.normal("x", n)).sum::<f64>() / 2000.0;
        assert!(normal.abs() < 0.1, "mean {normal}");
    }
}
