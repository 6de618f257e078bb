//! Before the first call: what can be decided with this list, and after how many calls and nights.
//!
//! Success decides the length, not latency, so it is told first. All sizes are human calls of each arm.

use serde::{Deserialize, Serialize};

use crate::domain::Mode;
use crate::domain::experiment::Regime;
use crate::domain::settings::Take;

use super::figures::Design;
use super::stats::{planner, z_of};
use super::words;

/// The chance to find what is there.
pub const POWER: f64 = 0.8;
/// Where no earlier run says how many are reached, and how many of them reach the goal.
pub const ASSUMED: f64 = 0.4;
/// Deviation of the log of `call_turn_ms` between calls, as production agents show it.
const LOG_DEVIATION: f64 = 0.5;
/// A difference that people notice: 20 % faster.
const FASTER: f64 = 0.8;
/// What looking costs: calls for the same precision, against one look at the end.
const PRICE_OF_LOOKS: [(Regime, f64); 3] = [(Regime::Fixed, 1.0), (Regime::Group, 1.05), (Regime::AlwaysValid, 2.4)];
const NIGHTS_MAX: u32 = 366;

/// What is known, or assumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Contacts of each arm.
    pub contacts: Vec<(Mode, u64)>,
    /// Whom a night takes; `None`: one run of everybody.
    pub take: Option<Take>,
    /// Share of a night's contacts with a human call, and whether earlier runs told it.
    pub reach: (f64, bool),
    pub success: (f64, bool),
    /// Of one human call, tries that reached nobody included; in units of the currency.
    pub cost_per_call: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Plan {
    pub regime: String,
    pub margin_pp: f64,
    pub alpha_one_sided: f64,
    pub power: f64,
    pub reach: f64,
    pub success: f64,
    /// Told by earlier runs, not assumed.
    pub reach_known: bool,
    pub success_known: bool,
    /// Human calls that the smallest arm can have of this list, over the planned nights.
    pub calls_at_end: u64,
    pub nights_planned: u32,
    pub calls_needed: Option<u64>,
    /// Planned nights do not limit this one; nothing when the list can never give so many.
    pub nights_needed: Option<u32>,
    /// The smallest margin that the list can decide.
    pub margin_decidable_pp: Option<f64>,
    pub latency_calls_needed: Option<u64>,
    pub latency_nights_needed: Option<u32>,
    /// The smallest change of latency that the list can show: 0.93 is 7 % faster.
    pub latency_ratio_decidable: Option<f64>,
    pub cost_needed: Option<f64>,
    pub warnings: Vec<String>,
    pub sentences: Vec<String>,
}

impl Known {
    /// Human calls of the smallest arm after so many nights; each contact counts once.
    fn calls_after(&self, nights: u32) -> f64 {
        let smallest = self.contacts.iter().map(|(_, n)| *n).min().unwrap_or(0) as f64;
        let (reach, arms) = (self.reach.0, self.contacts.len().max(1) as f64);
        match self.take {
            None => smallest * reach,
            // Whoever was not reached is taken again, or everybody is: the first human call counts.
            Some(Take::All | Take::Unreached) => smallest * (1.0 - (1.0 - reach).powi(nights as i32)),
            Some(Take::Next(n)) => (f64::from(n) * f64::from(nights) / arms).min(smallest) * reach,
        }
    }

    fn nights_for(&self, calls: u64) -> Option<u32> {
        (1..=NIGHTS_MAX).find(|nights| self.calls_after(*nights) >= calls as f64)
    }
}

pub fn plan(design: &Design, known: &Known) -> Plan {
    let arms = design.arms.len().saturating_sub(1).max(1) as f64;
    let price = PRICE_OF_LOOKS.iter().find(|(regime, _)| *regime == design.regime).map_or(1.0, |found| found.1);
    let (reach, success) = (known.reach.0, known.success.0);
    let up = |n: f64| n.ceil() as u64;
    let alpha = design.alpha / arms;
    let needed = planner::noninferiority(success, success, design.margin, alpha, POWER).map(|n| up(n * price));
    // A claim is one-sided: the two-sided formula at twice its error.
    let latency = planner::latency_ratio(FASTER, LOG_DEVIATION, 2.0 * alpha, POWER).map(|n| up(n * price));
    let nights_planned = design.nights_planned.max(1);
    let at_end = known.calls_after(nights_planned);
    let z = z_of(1.0 - alpha) + z_of(POWER);
    let usable = at_end / price;
    let decidable = (usable >= 1.0).then(|| z * (2.0 * success * (1.0 - success) / usable).sqrt() * 100.0);
    let ratio = (usable >= 1.0).then(|| (-z * LOG_DEVIATION * (2.0 / usable).sqrt()).exp());
    let nights_needed = needed.and_then(|n| known.nights_for(n));
    let all_arms = design.arms.len() as f64;
    let mut plan = Plan {
        regime: design.regime.as_str().to_owned(),
        margin_pp: design.margin * 100.0,
        alpha_one_sided: design.alpha,
        power: POWER,
        reach,
        success,
        reach_known: known.reach.1,
        success_known: known.success.1,
        calls_at_end: at_end.floor() as u64,
        nights_planned,
        calls_needed: needed,
        nights_needed,
        margin_decidable_pp: decidable,
        latency_calls_needed: latency,
        latency_nights_needed: latency.and_then(|n| known.nights_for(n)),
        latency_ratio_decidable: ratio,
        cost_needed: needed.zip(known.cost_per_call).map(|(n, cost)| n as f64 * all_arms * cost),
        warnings: warnings(design, known),
        sentences: Vec::new(),
    };
    plan.sentences = sentences(&plan);
    plan
}

fn warnings(design: &Design, known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    if design.arms.len() < 2 {
        found.push("one mode only: nothing is compared".to_owned());
    }
    if design.margin >= known.success.0 / 2.0 {
        found.push(format!(
            "a margin of {} pp is half of the success itself ({}) or more: an arm could lose most of it and pass",
            words::points_plain(design.margin, super::Lang::En),
            words::percent(known.success.0, super::Lang::En)
        ));
    }
    for (what, (_, told)) in [("reach", known.reach), ("success", known.success)] {
        if !told {
            found.push(format!("{what} is assumed: no earlier run tells it"));
        }
    }
    found
}

fn sentences(plan: &Plan) -> Vec<String> {
    let nights = |nights: Option<u32>| match nights {
        Some(1) => "in one night".to_owned(),
        Some(n) => format!("after {n} nights"),
        None => "never with this list".to_owned(),
    };
    let mut told = Vec::new();
    if let Some(needed) = plan.calls_needed {
        let cost =
            plan.cost_needed.map_or(String::new(), |cost| format!(", about {cost:.0} in the currency of prices"));
        told.push(format!(
            "Success within {} pp takes {} human calls of each arm: {}{cost}.",
            words::points_plain(plan.margin_pp / 100.0, super::Lang::En),
            words::count(needed),
            nights(plan.nights_needed)
        ));
    }
    if let Some(margin) = plan.margin_decidable_pp {
        told.push(format!(
            "The planned {} night(s) give about {} human calls of the smallest arm: enough for a margin of {margin:.1} pp.",
            plan.nights_planned,
            words::count(plan.calls_at_end)
        ));
    }
    if let Some(needed) = plan.latency_calls_needed {
        told.push(format!(
            "A mode that is 20 % faster is found with {} human calls of each arm: {}.",
            words::count(needed),
            nights(plan.latency_nights_needed)
        ));
    }
    told
}

impl Plan {
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.sentences.iter().for_each(|line| out.push_str(&format!("{line}\n")));
        self.warnings.iter().for_each(|line| out.push_str(&format!("⚠ {line}\n")));
        out.push_str(&format!(
            "(regime {}, one-sided error {}, power {}, reach {}, success {})\n",
            self.regime,
            self.alpha_one_sided,
            self.power,
            words::percent(self.reach, super::Lang::En),
            words::percent(self.success, super::Lang::En)
        ));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Take;

    fn modes(names: &[&str]) -> Vec<(Mode, u32)> {
        names.iter().map(|name| (name.parse().expect("a mode's name"), 1)).collect()
    }

    fn known(contacts: u64, take: Option<Take>) -> Known {
        let contacts = ["dialog", "realtime"].map(|name| (name.parse().expect("a mode's name"), contacts)).to_vec();
        Known { contacts, take, reach: (0.4, true), success: (0.4, true), cost_per_call: None }
    }

    /// The sizes that the tables of the trade give: 1 507 for 5 pp at 40 %, 79 for 20 % faster.
    #[test]
    fn success_decides_the_length_and_latency_does_not() {
        let design = Design { nights_planned: 28, ..Design::of(&modes(&["dialog", "realtime"]), 1) };
        // 100 contacts of each arm a night, 40 of them reached: 38 nights for 5 pp, two for latency.
        let found = plan(&design, &known(1_000_000, Some(Take::Next(200))));
        assert_eq!((found.calls_needed, found.nights_needed), (Some(1_507), Some(38)));
        assert_eq!((found.latency_calls_needed, found.latency_nights_needed), (Some(79), Some(2)));
        assert!(
            found.sentences[0].contains("Success within 5 pp takes 1\u{a0}507 human calls"),
            "{:?}",
            found.sentences
        );
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    }

    #[test]
    fn a_list_that_is_too_short_says_what_it_can_decide() {
        let design = Design::of(&modes(&["dialog", "realtime"]), 1);
        let found = plan(&design, &known(250, Some(Take::Unreached)));
        assert_eq!(found.nights_needed, None);
        assert_eq!(found.calls_at_end, 100);
        let margin = found.margin_decidable_pp.expect("a hundred calls decide something");
        assert!((19.0..20.0).contains(&margin), "{margin}");
        // 100 calls decide what they decide: asked for that margin, 100 are needed.
        let wide = Design { margin: margin / 100.0, ..design };
        assert!(plan(&wide, &known(250, None)).calls_needed.is_some_and(|n| n.abs_diff(100) <= 1));
    }

    #[test]
    fn arms_looks_and_wide_margins_have_their_price() {
        let two = Design::of(&modes(&["dialog", "realtime"]), 1);
        let three = Design::of(&modes(&["dialog", "realtime", "realtime_pure"]), 1);
        let needed = |design: &Design| plan(design, &known(9_000, None)).calls_needed.expect("a size");
        let ratio = needed(&three) as f64 / needed(&two) as f64;
        assert!((1.20..1.22).contains(&ratio), "Holm over two arms costs a fifth: {ratio}");
        let always = Design { regime: Regime::AlwaysValid, ..two.clone() };
        assert!(needed(&always) > 2 * needed(&two));
        let wide = Design { margin: 0.25, ..two };
        assert!(plan(&wide, &known(9_000, None)).warnings[0].contains("half of the success"));
        let guessed = Known { reach: (ASSUMED, false), ..known(9_000, None) };
        assert!(plan(&wide, &guessed).warnings.iter().any(|w| w.contains("reach is assumed")));
    }
}
