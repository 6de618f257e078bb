//! Several questions asked of one run.

/// The order of p values from small to large.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

/// Holm's step-down adjustment, family-wise: `max` so far of `(m - i) p(i)`.
/// S. Holm, Scandinavian Journal of Statistics 6 (1979). The default over arms.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in ascending(p).into_iter().enumerate() {
        largest = largest.max(((p.len() - rank) as f64 * p[index]).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// Bonferroni: `m p`.
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    p.iter().map(|value| (value * p.len() as f64).min(1.0)).collect()
}

/// Benjamini–Hochberg, false discovery rate: for exploratory slices only.
/// Benjamini and Hochberg, JRSS B 57 (1995).
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, index) in ascending(p).into_iter().enumerate().rev() {
        smallest = smallest.min(p[index] * p.len() as f64 / (rank + 1) as f64);
        adjusted[index] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn adjusting_never_helps_and_keeps_the_order(p in prop::collection::vec(0.0_f64..=1.0, 1..12)) {
            let found = holm(&p);
            for i in 0..p.len() {
                prop_assert!(found[i] >= p[i] && found[i] <= bonferroni(&p)[i] + 1e-12);
                prop_assert!(benjamini_hochberg(&p)[i] <= found[i] + 1e-12);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || found[i] <= found[j]);
                }
            }
        }
    }
}
