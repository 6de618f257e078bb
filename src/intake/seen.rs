//! Which numbers a list had so far, and where: twenty bytes for each, where a hash map takes up to fifty while it grows.

/// Of a table's places at most so many are taken before it doubles.
const FULL: (usize, usize) = (3, 4);
const PLACES_MIN: usize = 1 << 10;

/// Digits of a number → the line that had it first.
#[derive(Debug, Default)]
pub struct Seen {
    digits: Vec<u64>,
    lines: Vec<u32>,
    /// Where in the two a number stands, counted from 1; 0 is a free place. A power of two of them, or none.
    places: Vec<u32>,
}

impl Seen {
    /// The line that had the number before; if none, this one has it from now on. Lines beyond 2^32 - 1 are told as that.
    pub fn see(&mut self, digits: u64, line: u64) -> Option<u64> {
        if self.digits.len() * FULL.1 >= self.places.len() * FULL.0 {
            self.grow();
        }
        let place = self.place(digits);
        if let Some(earlier) = self.places[place].checked_sub(1) {
            return Some(self.lines[earlier as usize].into());
        }
        self.digits.push(digits);
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        self.places[place] = self.digits.len() as u32;
        None
    }

    /// Where the number stands, or would.
    fn place(&self, digits: u64) -> usize {
        // Knuth's multiplicative hashing: the upper bits depend on all digits.
        let hash = digits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let last = self.places.len() - 1;
        let mut place = hash as usize & last;
        while let Some(held) = self.places[place].checked_sub(1)
            && self.digits[held as usize] != digits
        {
            place = (place + 1) & last;
        }
        place
    }

    fn grow(&mut self) {
        // The old one goes first: it is not needed for the new one.
        let places = (self.places.len() * 2).max(PLACES_MIN);
        self.places = Vec::new();
        self.places = vec![0; places];
        for held in 0..self.digits.len() {
            let place = self.place(self.digits[held]);
            self.places[place] = held as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_knows_what_a_map_knows(numbers in prop::collection::vec(prop_oneof![0u64..500, any::<u64>()], 0..4000)) {
            let (mut seen, mut map) = (Seen::default(), HashMap::new());
            for (line, digits) in (1..).zip(numbers) {
                let earlier = map.get(&digits).copied();
                map.entry(digits).or_insert(line);
                prop_assert_eq!(seen.see(digits, line), earlier);
            }
        }
    }
}
