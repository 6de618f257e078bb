//! What may be said of an arm, and in which words.
//!
//! The first state that matches wins; a state is never softened by its sentence, and no sentence
//! says more than its intervals.

use super::figures::{Design, Figures, RunState};
use super::model::{Check, Comparison, Guardrail, Lang, Light, State, Text, Verdict};
use super::words;

/// Where the runs stand against the plan.
pub struct Progress {
    pub completed: u32,
    pub planned: u32,
    pub open: bool,
}

impl Progress {
    pub fn of(figures: &Figures) -> Self {
        let states = figures.runs.iter().map(|run| run.state);
        Progress {
            completed: states.clone().filter(|state| *state == RunState::Completed).count() as u32,
            planned: figures.design.nights_planned.max(1),
            open: states.clone().any(|state| matches!(state, RunState::Running | RunState::Paused)),
        }
    }

    pub fn ended(&self) -> bool {
        !self.open && self.completed >= self.planned
    }
}

pub fn verdicts(figures: &Figures, progress: &Progress, health: &[Check], comparisons: &[Comparison]) -> Vec<Verdict> {
    let arms = comparisons.len();
    comparisons.iter().map(|comparison| one(figures, progress, health, comparison, arms)).collect()
}

/// One arm's verdict by the design's error, at the planned end or at a planned look.
pub(super) fn one(
    figures: &Figures,
    progress: &Progress,
    health: &[Check],
    comparison: &Comparison,
    arms: usize,
) -> Verdict {
    let state = state_of(&figures.design, progress, health, comparison);
    let words = |lang| sentence(state, &figures.design, progress, health, comparison, arms, lang);
    dressed(figures, comparison, state, Text::new(words(Lang::En), words(Lang::Ru)))
}

/// A sentence with the harms beside it, and with the notice of a simulator's run on each.
pub(super) fn dressed(figures: &Figures, comparison: &Comparison, state: State, mut sentence: Text) -> Verdict {
    let mut guardrails: Vec<Text> = comparison.guardrails.iter().filter(|g| g.alarm).map(guardrail).collect();
    if figures.simulated {
        let notice = words::notice();
        for text in guardrails.iter_mut().chain([&mut sentence]) {
            text.en = format!("{} [{}]", text.en, notice.en);
            text.ru = format!("{} [{}]", text.ru, notice.ru);
        }
    }
    Verdict { mode: comparison.mode.clone(), baseline: comparison.baseline.clone(), state, sentence, guardrails }
}

/// Which check forbids a verdict.
pub(super) fn failed(comparison: &Comparison, health: &[Check], state: State) -> Text {
    let light = if state == State::Invalid { Light::Invalid } else { Light::NotComparable };
    let text = |lang| worst(health, light).map_or(String::new(), |check| check.text.get(lang).to_owned());
    Text::new(
        format!("{}: no verdict: {}.", comparison.mode, text(Lang::En)),
        format!("{}: вывода нет: {}.", comparison.mode, text(Lang::Ru)),
    )
}

fn worst(health: &[Check], light: Light) -> Option<&Check> {
    health.iter().find(|check| check.light == light)
}

/// Faster in both primary and with unanswered turns counted: the latency half of the claim.
fn is_faster(comparison: &Comparison) -> bool {
    comparison.call_turn_ms.below_zero() && comparison.call_turn_all_sign == Some(-1)
}

fn state_of(design: &Design, progress: &Progress, health: &[Check], comparison: &Comparison) -> State {
    let after_holm = comparison.p_claim_adjusted.is_some_and(|p| p < design.alpha);
    if worst(health, Light::Invalid).is_some() {
        State::Invalid
    } else if worst(health, Light::NotComparable).is_some() {
        State::NotComparable
    } else if !progress.ended() {
        State::Interim
    } else if comparison.refuted == Some(true) {
        State::SuccessWorse
    } else if comparison.call_turn_ms.limits().is_none() {
        State::NotYet
    } else if comparison.call_turn_ms.above_zero() {
        State::NotFaster
    } else if !is_faster(comparison) {
        State::NoDifferenceFound
    } else if comparison.noninferior == Some(true) && after_holm {
        State::Confirmed
    } else {
        State::NotYet
    }
}

fn sentence(
    state: State,
    design: &Design,
    progress: &Progress,
    health: &[Check],
    comparison: &Comparison,
    arms: usize,
    lang: Lang,
) -> String {
    let mode = &comparison.mode;
    let en = lang == Lang::En;
    let margin = words::points_plain(design.margin, lang);
    let latency = latency_words(comparison, lang);
    let success = success_words(comparison, lang);
    let failed = |light| worst(health, light).map_or(String::new(), |check| check.text.get(lang).to_owned());
    match state {
        State::Invalid if en => format!("{mode}: no verdict, the comparison is invalid: {}.", failed(Light::Invalid)),
        State::Invalid => format!("{mode}: вывода нет, сравнение недействительно: {}.", failed(Light::Invalid)),
        State::NotComparable if en => {
            format!("{mode}: no verdict, the modes are not comparable: {}.", failed(Light::NotComparable))
        }
        State::NotComparable => {
            format!("{mode}: вывода нет, режимы несравнимы: {}.", failed(Light::NotComparable))
        }
        State::Interim => interim(mode.as_str(), progress, lang),
        State::SuccessWorse if en => {
            format!("{mode} is {latency}, but success is worse by more than {margin} pp: refuted ({success}).")
        }
        State::SuccessWorse => {
            format!("{mode} {latency}, но успех хуже больше чем на {margin} п. п.: опровергнуто ({success}).")
        }
        State::NotFaster if en => format!("{mode} is {latency}; success: {success}{}.", better(comparison, lang)),
        State::NotFaster => format!("{mode} {latency}; успех: {success}{}.", better(comparison, lang)),
        State::NoDifferenceFound => no_difference(comparison, lang),
        State::Confirmed if en => format!(
            "{mode} is {latency}, success not worse by more than {margin} pp: confirmed ({success}){}.",
            better(comparison, lang)
        ),
        State::Confirmed => format!(
            "{mode} {latency}, успех не хуже, чем на {margin} п. п.: подтверждено ({success}){}.",
            better(comparison, lang)
        ),
        State::NotYet => not_yet(comparison, &margin, arms, lang),
    }
}

fn interim(mode: &str, progress: &Progress, lang: Lang) -> String {
    let Progress { completed, planned, open } = progress;
    match (lang, open) {
        (Lang::En, true) => {
            format!("{mode}: {completed} of {planned} planned runs completed: no verdict before the planned end.")
        }
        (Lang::Ru, true) => {
            format!("{mode}: завершено прогонов {completed} из {planned}: до запланированного конца вывода нет.")
        }
        (Lang::En, false) => format!(
            "{mode}: ended with {completed} of {planned} planned runs completed: no verdict without the planned end."
        ),
        (Lang::Ru, false) => format!(
            "{mode}: остановлено, завершено прогонов {completed} из {planned}: без запланированного конца вывода нет."
        ),
    }
}

/// "410 ms faster than dialog at the median (95 % CI 350 to 470 ms; 940 against 1 350 ms)".
fn latency_words(comparison: &Comparison, lang: Lang) -> String {
    let base = &comparison.baseline;
    let interval = &comparison.call_turn_ms;
    let (Some(d), Some((lower, upper))) = (interval.estimate, interval.limits()) else {
        let reason = reason_words(interval.reason.as_deref(), lang);
        return match lang {
            Lang::En => format!("not settled in latency against {base} ({reason})"),
            Lang::Ru => format!("по задержке против {base} не решено ({reason})"),
        };
    };
    let medians = match (comparison.mode_median_ms, comparison.baseline_median_ms) {
        (Some(a), Some(b)) => match lang {
            Lang::En => format!("; {} against {} ms", words::ms(a), words::ms(b)),
            Lang::Ru => format!("; {} против {} мс", words::ms(a), words::ms(b)),
        },
        _ => String::new(),
    };
    let turned = |a: f64, b: f64| words::between(words::ms(a), words::ms(b), lang);
    let same = words::between(words::ms_signed(lower), words::ms_signed(upper), lang);
    match lang {
        Lang::En if upper < 0.0 => format!(
            "{} ms faster than {base} at the median (95 % CI {} ms{medians})",
            words::ms(-d),
            turned(-upper, -lower)
        ),
        Lang::Ru if upper < 0.0 => format!(
            "быстрее {base} на {} мс по медиане (95 % ДИ {} мс{medians})",
            words::ms(-d),
            turned(-upper, -lower)
        ),
        Lang::En if lower > 0.0 => {
            format!(
                "slower than {base} by {} ms at the median (95 % CI {} ms{medians})",
                words::ms(d),
                turned(lower, upper)
            )
        }
        Lang::Ru if lower > 0.0 => {
            format!("медленнее {base} на {} мс по медиане (95 % ДИ {} мс{medians})", words::ms(d), turned(lower, upper))
        }
        Lang::En => format!(
            "without a difference in latency found against {base} (median {} ms, 95 % CI {same} ms{medians})",
            words::ms_signed(d)
        ),
        Lang::Ru => {
            format!(
                "без найденной разницы в задержке с {base} (медиана {} мс, 95 % ДИ {same} мс{medians})",
                words::ms_signed(d)
            )
        }
    }
}

/// "difference −0.6 pp, 95 % CI −3.9 to +2.7; 1 640 and 1 655 calls", or k of n for a handful.
fn success_words(comparison: &Comparison, lang: Lang) -> String {
    let interval = &comparison.success;
    let (Some(d), Some(limits)) = (interval.estimate, words::points_limits(interval, lang)) else {
        return reason_words(interval.reason.as_deref(), lang);
    };
    let points = words::points(d, lang);
    match lang {
        _ if interval.n < words::PERCENT_MIN => match lang {
            Lang::En => format!("fewer than {} people reached in an arm", words::PERCENT_MIN),
            Lang::Ru => format!("дозвонились меньше чем до {} человек на режим", words::PERCENT_MIN),
        },
        Lang::En => format!("difference {points} pp, 95 % CI {limits}"),
        Lang::Ru => format!("разница {points} п. п., 95 % ДИ {limits}"),
    }
}

/// A reason as stored is English; the few there are have Russian words here.
pub fn reason_words(reason: Option<&str>, lang: Lang) -> String {
    let reason = reason.unwrap_or("no interval");
    if lang == Lang::En {
        return reason.to_owned();
    }
    match reason {
        super::intervals::NOTHING => "нечего считать".to_owned(),
        super::intervals::NEVER => "ответа не было".to_owned(),
        "nothing varies" => "разброса нет".to_owned(),
        other => {
            let few = [("too few calls ", "мало звонков"), ("too few quarters of an hour ", "мало четвертей часа")];
            let told = few.iter().find_map(|(en, ru)| Some(format!("{ru} {}", other.strip_prefix(en)?)));
            told.unwrap_or_else(|| "интервала нет".to_owned())
        }
    }
}

fn better(comparison: &Comparison, lang: Lang) -> String {
    if comparison.superior != Some(true) {
        return String::new();
    }
    let Some(d) = comparison.success.estimate else { return String::new() };
    match lang {
        Lang::En => format!("; success better by {} pp", words::points_plain(d, lang)),
        Lang::Ru => format!("; успех лучше на {} п. п.", words::points_plain(d, lang)),
    }
}

fn no_difference(comparison: &Comparison, lang: Lang) -> String {
    let (mode, base) = (&comparison.mode, &comparison.baseline);
    let interval = &comparison.call_turn_ms;
    if interval.below_zero() {
        return match lang {
            Lang::En => format!(
                "{mode}: faster than {base} over answered turns only; with unanswered turns counted as endless waits the sign is not the same{}.",
                better(comparison, lang)
            ),
            Lang::Ru => format!(
                "{mode}: быстрее {base} только по отвеченным репликам; если считать реплики без ответа бесконечными, знак другой{}.",
                better(comparison, lang)
            ),
        };
    }
    let reach = interval.limits().map_or(0.0, |(lower, upper)| lower.abs().max(upper.abs()));
    let limits = words::ms_limits(interval, lang).unwrap_or_default();
    match lang {
        Lang::En => format!(
            "{mode}: no difference in latency from {base} found (95 % CI {limits} ms); differences over {} ms either way are excluded{}.",
            words::ms(reach),
            better(comparison, lang)
        ),
        Lang::Ru => format!(
            "{mode}: разницы в задержке с {base} не найдено (95 % ДИ {limits} мс); разница больше {} мс в любую сторону исключена{}.",
            words::ms(reach),
            better(comparison, lang)
        ),
    }
}

fn not_yet(comparison: &Comparison, margin: &str, arms: usize, lang: Lang) -> String {
    let mode = &comparison.mode;
    let latency = latency_words(comparison, lang);
    let success = success_words(comparison, lang);
    if comparison.call_turn_ms.limits().is_none() {
        return match lang {
            Lang::En => format!("{mode} is {latency}; success: {success}."),
            Lang::Ru => format!("{mode} {latency}; успех: {success}."),
        };
    }
    if comparison.noninferior == Some(true) {
        return match lang {
            Lang::En => format!(
                "{mode} is {latency}, success not worse by more than {margin} pp ({success}): holds alone, not after correction for {arms} arms."
            ),
            Lang::Ru => format!(
                "{mode} {latency}, успех не хуже, чем на {margin} п. п. ({success}): верно само по себе, но не с поправкой на число режимов ({arms})."
            ),
        };
    }
    let more = match (comparison.calls_missing.filter(|n| *n > 0), comparison.nights_missing) {
        (Some(calls), Some(nights)) => match (lang, about(calls)) {
            (Lang::En, calls) => format!(
                " About {} more human calls per arm (≈ {} runs like these) are needed.",
                words::count(calls),
                words::count(nights)
            ),
            (Lang::Ru, calls) => format!(
                " Нужно ещё около {} разговоров на режим (≈ {} таких прогонов).",
                words::count(calls),
                words::count(nights)
            ),
        },
        _ => String::new(),
    };
    match lang {
        Lang::En => {
            format!("{mode} is {latency}; whether success is within {margin} pp is not settled ({success}).{more}")
        }
        Lang::Ru => format!("{mode} {latency}; не хуже ли успех, чем на {margin} п. п., не решено ({success}).{more}"),
    }
}

/// Two digits, rounded up: a plan is no measurement.
fn about(n: u64) -> u64 {
    let unit = 10_u64.pow(n.max(1).ilog10().saturating_sub(1));
    n.div_ceil(unit) * unit
}

/// "⚠ early hang-ups +4.1 pp (95 % CI +1.0 to +7.2)".
fn guardrail(found: &Guardrail) -> Text {
    let (en, ru) = metric_words(&found.metric);
    let with = |name: &str, lang: Lang, unit: &str, ci: &str| {
        let d = found.difference.estimate.map(|d| words::points(d, lang)).unwrap_or_default();
        let limits = words::points_limits(&found.difference, lang).unwrap_or_default();
        format!("⚠ {name} {d} {unit} ({ci} {limits})")
    };
    Text::new(with(en, Lang::En, "pp", "95 % CI"), with(ru, Lang::Ru, "п. п.", "95 % ДИ"))
}

/// What a guardrail is called.
pub fn metric_words(metric: &str) -> (&'static str, &'static str) {
    match metric {
        "early_hangup_rate" => ("early hang-ups", "ранние отбои"),
        "late_greeting_rate" => ("late greetings", "поздние приветствия"),
        "opt_out_rate" => ("opt-outs", "просьбы не звонить"),
        _ => ("faults after the answer", "сбои после ответа"),
    }
}
