//! The k-th smallest of all pairwise differences or averages, without making them.
//!
//! Counting the pairs at or under a threshold takes one walk over two sorted lists; bisecting the
//! threshold over the bits of a float finds the exact value in at most 64 walks.

/// Floats in their numeric order as integers.
fn to_ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

fn from_ordered(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

/// The smallest float at which `count` reaches `k`.
fn reach(lowest: f64, highest: f64, k: u64, count: impl Fn(f64) -> u64) -> f64 {
    let (mut low, mut high) = (to_ordered(lowest), to_ordered(highest));
    while low < high {
        let middle = low + (high - low) / 2;
        if count(from_ordered(middle)) >= k {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // Minus zero sorts under zero; readers know only one of them.
    from_ordered(low) + 0.0
}

/// The `k`-th smallest (from 1) of all `x - y`; both ascending, finite and not empty.
pub fn difference(x: &[f64], y: &[f64], k: u64) -> f64 {
    let lowest = x[0] - y[y.len() - 1];
    let highest = x[x.len() - 1] - y[0];
    reach(lowest, highest, k, |limit| {
        let mut first = 0;
        x.iter()
            .map(|value| {
                // As x grows, the y that keep x - y at or under the limit start later.
                while first < y.len() && value - y[first] > limit {
                    first += 1;
                }
                (y.len() - first) as u64
            })
            .sum()
    })
}

/// The `k`-th smallest (from 1) of all Walsh averages `(d_i + d_j) / 2`, `i ≤ j`; `d` ascending.
pub fn walsh(d: &[f64], k: u64) -> f64 {
    reach(d[0], d[d.len() - 1], k, |limit| {
        let mut last = d.len();
        let mut pairs = 0;
        for (index, value) in d.iter().enumerate() {
            while last > 0 && (value + d[last - 1]) / 2.0 > limit {
                last -= 1;
            }
            if last > index {
                pairs += (last - index) as u64;
            }
        }
        pairs
    })
}

/// The median of `total` ranked values reached through `at`.
pub fn median(total: u64, at: impl Fn(u64) -> f64) -> f64 {
    let upper = at(total / 2 + 1);
    if total % 2 == 1 { upper } else { (at(total / 2) + upper) / 2.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn differences_are_those_of_the_sorted_list(
            mut x in prop::collection::vec(-500.0_f64..500.0, 1..15),
            mut y in prop::collection::vec(-500.0_f64..500.0, 1..15),
        ) {
            x.sort_by(f64::total_cmp);
            y.sort_by(f64::total_cmp);
            let mut all: Vec<f64> = x.iter().flat_map(|a| y.iter().map(move |b| a - b)).collect();
            all.sort_by(f64::total_cmp);
            for (index, value) in all.iter().enumerate() {
                prop_assert_eq!(difference(&x, &y, index as u64 + 1), *value);
            }
        }

        #[test]
        fn averages_are_those_of_the_sorted_list(mut d in prop::collection::vec(-500.0_f64..500.0, 1..15)) {
            d.sort_by(f64::total_cmp);
            let mut all = Vec::new();
            for i in 0..d.len() {
                all.extend((i..d.len()).map(|j| (d[i] + d[j]) / 2.0));
            }
            all.sort_by(f64::total_cmp);
            for (index, value) in all.iter().enumerate() {
                prop_assert_eq!(walsh(&d, index as u64 + 1), *value);
            }
        }
    }
}
