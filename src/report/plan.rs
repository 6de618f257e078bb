//! Before the first call: what can be decided with this list, and after how many calls and nights.
//!
//! Success decides the length, not latency, so it is told first. All sizes are human calls of each arm.

use serde::{Deserialize, Serialize};

use crate::domain::Mode;
use crate::domain::experiment::Regime;
use crate::domain::settings::Take;

use super::figures::Design;
use super::model::{Lang, Text};
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
    pub cost_per_call: Option<CallCost>,
}

/// Of one human call, tries that reached nobody included.
#[derive(Debug, Clone, PartialEq)]
pub struct CallCost {
    /// In units of the currency.
    pub amount: f64,
    pub currency: String,
    /// By earlier runs; else by the price table.
    pub told: bool,
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
    /// Human calls of the smallest arm, by this list over the planned nights.
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
    /// Of all arms together, in `currency`.
    pub cost_needed: Option<f64>,
    /// By earlier runs; else by the price table.
    #[serde(default)]
    pub cost_known: bool,
    #[serde(default)]
    pub currency: Option<String>,
    /// The plan in sentences, and what to mind, in both languages.
    #[serde(default)]
    pub told: Vec<Text>,
    #[serde(default)]
    pub cautions: Vec<Text>,
    /// The same in English.
    pub warnings: Vec<String>,
    pub sentences: Vec<String>,
}

impl Known {
    /// Human calls of each arm after so many nights, in the order of `contacts`; each contact counts once.
    fn calls_after(&self, nights: u32) -> Vec<f64> {
        let all: u64 = self.contacts.iter().map(|(_, n)| n).sum();
        let reach = self.reach.0;
        let of = |n: u64| {
            let n = n as f64;
            match self.take {
                None => n * reach,
                // Whoever was not reached is taken again, or everybody is: the first human call counts.
                Some(Take::All | Take::Unreached) => n * (1.0 - (1.0 - reach).powi(nights as i32)),
                // A night takes of each arm its part.
                Some(Take::Next(taken)) => {
                    (f64::from(taken) * f64::from(nights) * n / (all.max(1) as f64)).min(n) * reach
                }
            }
        };
        self.contacts.iter().map(|(_, n)| of(*n)).collect()
    }

    /// Two arms of so many calls each decide what the baseline and the smallest other arm decide: arms of other sizes are
    /// worth their harmonic mean.
    fn worth_after(&self, nights: u32, baseline: &Mode) -> f64 {
        let calls = self.calls_after(nights);
        let arms = self.contacts.iter().map(|(mode, _)| mode).zip(calls);
        let (base, others): (Vec<_>, Vec<_>) = arms.partition(|(mode, _)| *mode == baseline);
        let smallest = others.into_iter().map(|(_, calls)| calls).fold(f64::INFINITY, f64::min);
        match base.first() {
            Some((_, base)) if smallest.is_finite() && *base > 0.0 && smallest > 0.0 => {
                2.0 / (1.0 / base + 1.0 / smallest)
            }
            Some((_, base)) if !smallest.is_finite() => *base,
            _ => 0.0,
        }
    }

    fn nights_for(&self, calls: u64, baseline: &Mode) -> Option<u32> {
        (1..=NIGHTS_MAX).find(|nights| self.worth_after(*nights, baseline) >= calls as f64)
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
    let at_end = known.worth_after(nights_planned, &design.baseline);
    let z = z_of(1.0 - alpha) + z_of(POWER);
    let usable = at_end / price;
    let decidable = (usable >= 1.0).then(|| z * (2.0 * success * (1.0 - success) / usable).sqrt() * 100.0);
    let ratio = (usable >= 1.0).then(|| (-z * LOG_DEVIATION * (2.0 / usable).sqrt()).exp());
    let nights_needed = needed.and_then(|n| known.nights_for(n, &design.baseline));
    // Of arms of other sizes more calls are made than twice those of the smallest.
    let calls = |needed: u64| match nights_needed {
        Some(nights) => known.calls_after(nights).into_iter().sum::<f64>().max(needed as f64),
        None => needed as f64 * design.arms.len() as f64,
    };
    let mut plan = Plan {
        regime: design.regime.as_str().to_owned(),
        margin_pp: design.margin * 100.0,
        alpha_one_sided: design.alpha,
        power: POWER,
        reach,
        success,
        reach_known: known.reach.1,
        success_known: known.success.1,
        calls_at_end: known.calls_after(nights_planned).into_iter().min_by(f64::total_cmp).unwrap_or(0.0) as u64,
        nights_planned,
        calls_needed: needed,
        nights_needed,
        margin_decidable_pp: decidable,
        latency_calls_needed: latency,
        latency_nights_needed: latency.and_then(|n| known.nights_for(n, &design.baseline)),
        latency_ratio_decidable: ratio,
        cost_needed: needed.zip(known.cost_per_call.as_ref()).map(|(n, cost)| calls(n) * cost.amount),
        cost_known: known.cost_per_call.as_ref().is_some_and(|cost| cost.told),
        currency: known.cost_per_call.as_ref().map(|cost| cost.currency.clone()),
        told: Vec::new(),
        cautions: cautions(design, known),
        warnings: Vec::new(),
        sentences: Vec::new(),
    };
    plan.told = told(&plan);
    plan.sentences = plan.told.iter().map(|text| text.en.clone()).collect();
    plan.warnings = plan.cautions.iter().map(|text| text.en.clone()).collect();
    plan
}

fn cautions(design: &Design, known: &Known) -> Vec<Text> {
    let mut found = Vec::new();
    if design.arms.len() < 2 {
        found.push(Text::new("one mode only: nothing is compared", "режим один: сравнивать не с чем"));
    }
    if design.margin >= known.success.0 / 2.0 {
        let told = |lang| (words::points_plain(design.margin, lang), words::percent(known.success.0, lang));
        let ((margin, success), (margin_ru, success_ru)) = (told(Lang::En), told(Lang::Ru));
        found.push(Text::new(
            format!(
                "a margin of {margin} pp is half of the success itself ({success}) or more: an arm could lose most of it \
                 and pass"
            ),
            format!(
                "допуск {margin_ru} п. п. — половина самого успеха ({success_ru}) или больше: режим мог бы потерять почти весь успех \
                 и пройти"
            ),
        ));
    }
    let assumed = [("reach", "дозвон", known.reach.1), ("success", "успех", known.success.1)];
    for (en, ru, _) in assumed.into_iter().filter(|(_, _, told)| !told) {
        found.push(Text::new(
            format!("{en} is assumed: no earlier run tells it"),
            format!("{ru} предположен: прежние прогоны о нём не говорят"),
        ));
    }
    if known.cost_per_call.as_ref().is_some_and(|cost| !cost.told) {
        found.push(Text::new(
            "the cost is that of the price table for a talk of one minute: no earlier run tells it",
            "стоимость взята из таблицы цен для разговора в минуту: прежние прогоны о ней не говорят",
        ));
    }
    found
}

/// The expensive thing first: success decides the length.
fn told(plan: &Plan) -> Vec<Text> {
    let nights = |nights: Option<u32>| match nights {
        Some(1) => Text::new("in one night", "за одну ночь"),
        Some(n) => Text::new(format!("after {n} nights"), format!("после стольких ночей: {n}")),
        None => Text::new("never with this list", "с этим списком никогда"),
    };
    let mut told = Vec::new();
    if let Some(needed) = plan.calls_needed {
        let cost = plan.cost_needed.zip(plan.currency.as_ref()).map_or(Text::default(), |(cost, currency)| {
            Text::new(format!(", about {cost:.0} {currency}"), format!(", около {cost:.0} {currency}"))
        });
        let (margin, when) = (words::points_plain(plan.margin_pp / 100.0, Lang::En), nights(plan.nights_needed));
        let margin_ru = words::points_plain(plan.margin_pp / 100.0, Lang::Ru);
        let count = words::count(needed);
        told.push(Text::new(
            format!("Success within {margin} pp takes {count} human calls of each arm: {}{}.", when.en, cost.en),
            format!(
                "Чтобы решить об успехе с допуском {margin_ru} п. п., нужно разговоров в каждом режиме: {count}; {}{}.",
                when.ru, cost.ru
            ),
        ));
    }
    if let Some(margin) = plan.margin_decidable_pp {
        let (nights, count) = (plan.nights_planned, words::count(plan.calls_at_end));
        told.push(Text::new(
            format!(
                "The planned {nights} night(s) give about {count} human calls of the smallest arm: enough for a margin of \
                 {margin:.1} pp."
            ),
            format!(
                "Запланированные ночи ({nights}) дадут около {count} разговоров в наименьшем режиме: этого хватит для допуска \
                 {} п. п.",
                format!("{margin:.1}").replace('.', ",")
            ),
        ));
    }
    if let Some(needed) = plan.latency_calls_needed {
        let (count, when) = (words::count(needed), nights(plan.latency_nights_needed));
        told.push(Text::new(
            format!("A mode that is 20 % faster is found with {count} human calls of each arm: {}.", when.en),
            format!("Режим быстрее на 20 % виден при стольких разговорах в каждом: {count}; {}.", when.ru),
        ));
    }
    told
}

impl Plan {
    pub fn text(&self, lang: Lang) -> String {
        let mut out = String::new();
        self.told.iter().for_each(|line| out.push_str(&format!("{}\n", line.get(lang))));
        self.cautions.iter().for_each(|line| out.push_str(&format!("⚠ {}\n", line.get(lang))));
        let (reach, success) = (words::percent(self.reach, lang), words::percent(self.success, lang));
        let (regime, error, power) = (&self.regime, self.alpha_one_sided, self.power);
        out.push_str(&match lang {
            Lang::En => format!(
                "(regime {regime}, one-sided error {error}, power {power}, reach {reach}, success {success})\n"
            ),
            Lang::Ru => format!(
                "(порядок просмотра {regime}, односторонняя ошибка {error}, мощность {power}, дозвон {reach}, успех {success})\n"
            ),
        });
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

    /// Two to one is worth less than one to one of the same list, and costs more calls.
    #[test]
    fn arms_of_other_sizes_are_worth_their_harmonic_mean() {
        let design = Design::of(&modes(&["dialog", "realtime"]), 1);
        let of = |dialog, realtime| {
            let contacts = [("dialog", dialog), ("realtime", realtime)];
            let contacts = contacts.map(|(name, n)| (name.parse().expect("a mode's name"), n)).to_vec();
            let cost = CallCost { amount: 0.5, currency: "USD".into(), told: false };
            plan(&design, &Known { contacts, cost_per_call: Some(cost), ..known(0, Some(Take::Next(300))) })
        };
        let (even, uneven) = (of(9_000, 9_000), of(12_000, 6_000));
        assert!(even.margin_decidable_pp < uneven.margin_decidable_pp, "{even:?} {uneven:?}");
        assert!(even.nights_needed < uneven.nights_needed && even.cost_needed < uneven.cost_needed);
        assert_eq!(even.calls_needed, uneven.calls_needed, "what is needed is a property of the question");
        assert!(even.sentences[0].ends_with(" USD."), "{:?}", even.sentences);
        assert!(even.cautions.iter().any(|text| text.ru.contains("таблицы цен")), "{:?}", even.cautions);
        assert!(even.text(Lang::Ru).contains("разговоров"), "{}", even.text(Lang::Ru));
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
