//! What a report says of two arms.

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::model::Interval;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Comparison {
    pub mode: Mode,
    pub baseline: Mode,
    /// Primary: difference of medians of `call_turn_ms`, mode minus baseline.
    pub call_turn_ms: Interval,
    pub mode_median_ms: Option<f64>,
    pub baseline_median_ms: Option<f64>,
    /// Sign of the difference with unanswered turns as +∞: −1 faster, 1 slower, 0 the same.
    pub call_turn_all_sign: Option<i8>,
    pub p_faster: Option<f64>,
    pub hodges_lehmann_ms: Interval,
    pub mann_whitney_u: Option<f64>,
    pub mann_whitney_p: Option<f64>,
    /// Chance that a call of the mode is faster than one of the baseline, ties as halves.
    pub chance_faster: Option<f64>,
    /// Secondary: 95th percentile over turns, calls as clusters.
    pub turn_p95_ms: Interval,
    /// Primary: difference of success among contacts reached, as a share.
    pub success: Interval,
    pub success_assigned: Interval,
    /// A sensitivity: as `success`, by calls that no fault ended.
    pub success_without_faults: Interval,
    /// The same of `call_turn_ms`: calls cut short by a fault may have waited otherwise.
    pub call_turn_without_faults_ms: Interval,
    pub success_pooled: Interval,
    pub nights_q_p: Option<f64>,
    pub nights_i2: Option<f64>,
    pub noninferior: Option<bool>,
    pub noninferior_assigned: Option<bool>,
    pub superior: Option<bool>,
    pub inferior: Option<bool>,
    pub refuted: Option<bool>,
    pub p_noninferiority: Option<f64>,
    pub p_claim: Option<f64>,
    /// After Holm over the arms.
    pub p_claim_adjusted: Option<f64>,
    pub guardrails: Vec<Guardrail>,
    /// Everything else, compared and shown: nothing is claimed by it, and nothing corrected for its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    /// Human calls that each arm still needs, where success is not settled.
    pub calls_missing: Option<u64>,
    pub nights_missing: Option<u64>,
}

/// A figure of two arms that no verdict speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Beside {
    pub metric: String,
    /// `rate`, a quantile, or `ratio`: of a ratio the interval says how many times the other's it is, else the difference.
    pub stat: String,
    pub difference: Interval,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Guardrail {
    pub metric: String,
    pub difference: Interval,
    /// The whole interval says more than the baseline.
    pub alarm: bool,
}
