//! Which arm a contact belongs to: permuted blocks, keyed by number.
//!
//! Plain hashing is unbiased but lumpy (with 90 contacts and 3 arms, some arm is 7 or more away from
//! 30 in a third of draws). Blocks keep arms level inside a stratum, and because everything is keyed
//! by salt, batch and number, any node and any order of the file give the same arms.

use super::{Mode, PhoneNumber};
use sha2::{Digest, Sha256};

fn draw(salt: &str, what: &str, key: &str) -> u64 {
    let digest = Sha256::new()
        .chain_update(salt)
        .chain_update(":")
        .chain_update(what)
        .chain_update(":")
        .chain_update(key)
        .finalize();
    u64::from_be_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes"))
}

/// The arm of every number of one batch, in the order given.
///
/// `modes` are the campaign's modes with their weights. The numbers are ordered by their hash, cut
/// into blocks of twice the sum of the weights, and each block holds every mode in proportion, in an
/// order of its own. Numbers must be distinct.
pub fn arms(salt: &str, stratum: &str, modes: &[(Mode, u32)], numbers: &[PhoneNumber]) -> Vec<Mode> {
    let digits: Vec<u64> = numbers.iter().map(PhoneNumber::digits).collect();
    arm_places(salt, stratum, modes, &digits).into_iter().map(|place| modes[usize::from(place)].0.clone()).collect()
}

/// The same by the numbers' digits, for long lists: the place in `modes` of each number's arm.
pub fn arm_places(salt: &str, stratum: &str, modes: &[(Mode, u32)], digits: &[u64]) -> Vec<u16> {
    let mut given = vec![0_u16; digits.len()];
    if modes.len() < 2 {
        return given;
    }
    let block: Vec<u16> =
        (0..).zip(modes).flat_map(|(place, (_, weight))| std::iter::repeat_n(place, 2 * *weight as usize)).collect();
    let salt = format!("{salt}:{stratum}");
    let mut order: Vec<(u64, u32)> =
        (0..).zip(digits).map(|(place, digits)| (draw(&salt, "order", &e164(*digits)), place)).collect();
    let text = |place: u32| e164(digits[place as usize]);
    order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| text(a.1).cmp(&text(b.1))));
    for (index, chunk) in order.chunks(block.len()).enumerate() {
        // Modes of one draw stand in the order of their names.
        let mut arms: Vec<(u64, &Mode, u16)> = block
            .iter()
            .enumerate()
            .map(|(place, mode)| {
                let drawn = draw(&salt, "block", &format!("{index}:{place}"));
                (drawn, &modes[usize::from(*mode)].0, *mode)
            })
            .collect();
        arms.sort_unstable();
        for ((_, contact), (_, _, mode)) in chunk.iter().zip(arms) {
            given[*contact as usize] = mode;
        }
    }
    given
}

fn e164(digits: u64) -> String {
    format!("+{digits}")
}

/// Modes and weights as they are kept beside a list, in their order.
pub fn split_text(modes: &[(Mode, u32)]) -> String {
    let pairs: Vec<(&str, u32)> = modes.iter().map(|(mode, weight)| (mode.as_str(), *weight)).collect();
    serde_json::to_string(&pairs).expect("names and numbers")
}

/// What [`split_text`] wrote.
pub fn read_split(text: &str) -> Option<Vec<(Mode, u32)>> {
    let pairs: Vec<(String, u32)> = serde_json::from_str(text).ok()?;
    pairs.into_iter().map(|(mode, weight)| Some((mode.parse().ok()?, weight))).collect()
}

/// The stratum of a batch. Its ordinal, not its id: a re-import into a fresh database with the same
/// salt gives the same arms.
pub fn stratum(ordinal: i64) -> String {
    format!("batch{ordinal}")
}

/// The order in which contacts of a batch are dialled: blind to the arm, the same on every node.
pub fn dial_order(salt: &str, number: &PhoneNumber) -> i64 {
    (draw(salt, "dial", number.as_str()) >> 1) as i64
}

/// The same among contacts of one priority; higher ones are dialled before all lower ones, and before those that
/// have none (0).
pub fn dial_order_of(salt: &str, number: &PhoneNumber, priority: u8) -> i64 {
    const BAND: i64 = 1 << 59;
    let order = dial_order(salt, number);
    match priority {
        0 => order,
        // 0 to 2^63 in steps of 16 fits into a band below zero.
        priority => (order >> 4) - BAND * i64::from(priority.min(15)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn numbers(n: usize) -> Vec<PhoneNumber> {
        (0..n).map(|i| format!("+7999000{i:04}").parse().unwrap()).collect()
    }

    fn modes() -> Vec<(Mode, u32)> {
        ["dialog", "realtime", "realtime_pure"].iter().map(|m| (m.parse().unwrap(), 1)).collect()
    }

    #[test]
    fn priority_goes_before_chance() {
        let orders = |priority: u8| numbers(50).iter().map(|n| dial_order_of("salt", n, priority)).collect::<Vec<_>>();
        for priority in 1..=9 {
            assert!(orders(priority).iter().max() < orders(priority - 1).iter().min(), "{priority}");
        }
        assert_eq!(orders(0), numbers(50).iter().map(|n| dial_order("salt", n)).collect::<Vec<_>>());
        let ranks = |orders: Vec<i64>| {
            let mut places: Vec<usize> = (0..orders.len()).collect();
            places.sort_by_key(|place| orders[*place]);
            places
        };
        assert_eq!(ranks(orders(9)), ranks(orders(0)), "among equals the order is the same");
    }

    #[test]
    fn arms_are_level() {
        let given = arms("salt", "batch1", &modes(), &numbers(600));
        let mut count = BTreeMap::new();
        given.iter().for_each(|m| *count.entry(m.clone()).or_insert(0) += 1);
        assert!(count.values().all(|&n| n == 200), "{count:?}");
    }

    proptest! {
        #[test]
        fn the_order_of_the_file_does_not_matter(seed in any::<u64>(), n in 1usize..80) {
            let straight = numbers(n);
            let mut mixed = straight.clone();
            mixed.sort_by_key(|number| draw(&seed.to_string(), "mix", number.as_str()));
            let by = |list: &[PhoneNumber]| -> BTreeMap<PhoneNumber, Mode> {
                list.iter().cloned().zip(arms("salt", "batch1", &modes(), list)).collect()
            };
            prop_assert_eq!(by(&straight), by(&mixed));
        }

        #[test]
        fn no_arm_is_further_away_than_a_block_allows(salt in "[a-z]{1,8}", n in 1usize..200) {
            let given = arms(&salt, "batch1", &modes(), &numbers(n));
            for (mode, _) in modes() {
                let count = given.iter().filter(|m| **m == mode).count() as f64;
                prop_assert!((count - n as f64 / 3.0).abs() <= 2.0);
            }
        }
    }
}
