//! Is the comparison fit to be read? Asked before any figure is believed.

use super::figures::{Figures, Method};
use super::model::{Arm, Check, Lang, Light, Text};
use super::stats::chi_square::{self, ChiSquare, SAMPLE_RATIO_ALARM};
use super::stats::proportion::Share;
use super::words;

/// Reach and lost outcomes may differ by chance this seldom.
const DIFFERS_ALARM: f64 = 0.01;
/// More attempts without a known end than this share, and the ends that are known mean little.
const LOST_SHARE_MAX: f64 = 0.02;
/// Coverage of two arms may lie this far apart.
const COVERAGE_GAP_MAX: f64 = 0.10;
/// The line that American and British rules draw for late greetings.
const LATE_SHARE_MAX: f64 = 0.03;
/// A median reply faster than this is a fault of the ruler, not a feat.
const TURN_MS_MIN: f64 = 150.0;

fn check(name: &str, light: Light, found: Option<ChiSquare>, text: Text) -> Check {
    Check { check: name.to_owned(), light, statistic: found.map(|f| f.statistic), p: found.map(|f| f.p), text }
}

fn not_checked(name: &str) -> Check {
    check(name, Light::NotChecked, None, Text::new("not enough to check", "недостаточно данных для проверки"))
}

pub fn checks(figures: &Figures, arms: &[Arm]) -> Vec<Check> {
    let mut checks = vec![
        sums(figures),
        sample_ratio(arms),
        reach_balance(arms),
        lost_outcomes(arms),
        method(arms),
        coverage(arms),
        late_greetings(arms),
        plausibility(arms),
    ];
    checks.extend(settings(figures));
    checks
}

/// Said only where there is something to say: what came before a change and after it stands in one figure.
fn settings(figures: &Figures) -> Option<Check> {
    const SHOWN_MAX: usize = 3;
    let changes = &figures.changes;
    if changes.is_empty() {
        return None;
    }
    let list = |run: &str, version: &str| {
        let shown = changes.iter().take(SHOWN_MAX);
        let shown: Vec<String> =
            shown.map(|c| format!("{run} {}: {version} {} ({})", c.night, c.version, c.at)).collect();
        let more = if changes.len() > SHOWN_MAX { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    let text = Text::new(
        format!("settings changed while calls were made, and figures pool both: {}", list("run", "version")),
        format!("настройки менялись во время обзвона, показатели общие: {}", list("прогон", "версия")),
    );
    Some(check("settings", Light::Warning, None, text))
}

fn sums(figures: &Figures) -> Check {
    const SHOWN_MAX: usize = 3;
    let found = figures.contradictions();
    if found.is_empty() {
        let text = Text::new("all sums agree", "все суммы сходятся");
        return check("sums", Light::Good, None, text);
    }
    let shown = found[..found.len().min(SHOWN_MAX)].join("; ");
    let text = Text::new(
        format!("the figures contradict each other ({}): {shown}", found.len()),
        format!("показатели противоречат друг другу ({}): {shown}", found.len()),
    );
    // While a run goes on, rows may be read moments apart; after its end nothing excuses them.
    let light = if super::verdict::Progress::of(figures).open { Light::Warning } else { Light::Invalid };
    check("sums", light, None, text)
}

fn listed(arms: &[Arm], value: impl Fn(&Arm) -> u64) -> String {
    arms.iter().map(|arm| format!("{} {}", arm.mode, words::count(value(arm)))).collect::<Vec<_>>().join(", ")
}

fn with_p(list: &str, p: f64, lang: Lang) -> String {
    let sign = if p < 0.001 { "p" } else { "p =" };
    format!("{list} ({sign} {})", words::p_value(p, lang))
}

fn sample_ratio(arms: &[Arm]) -> Check {
    let observed: Vec<u64> = arms.iter().map(|arm| arm.contacts.dialled).collect();
    let weights: Vec<f64> = arms.iter().map(|arm| f64::from(arm.weight)).collect();
    let Some(found) = chi_square::goodness_of_fit(&observed, &weights) else { return not_checked("sample_ratio") };
    let list = listed(arms, |arm| arm.contacts.dialled);
    let (en, ru) = (with_p(&list, found.p, Lang::En), with_p(&list, found.p, Lang::Ru));
    if found.p < SAMPLE_RATIO_ALARM {
        let text = Text::new(
            format!("contacts dialled do not match the weights: {en}. Look for a loss after assignment"),
            format!("набранные контакты не соответствуют весам: {ru}. Ищите потерю после распределения"),
        );
        return check("sample_ratio", Light::Invalid, Some(found), text);
    }
    let text = Text::new(
        format!("contacts dialled match the weights: {en}"),
        format!("набранные контакты соответствуют весам: {ru}"),
    );
    check("sample_ratio", Light::Good, Some(found), text)
}

fn reach_balance(arms: &[Arm]) -> Check {
    let shares: Vec<Share> = arms.iter().map(|arm| Share::new(arm.contacts.reached, arm.contacts.assigned)).collect();
    let Some(found) = chi_square::homogeneity(&shares) else { return not_checked("reach_balance") };
    let list = listed(arms, |arm| arm.contacts.reached);
    let (en, ru) = (with_p(&list, found.p, Lang::En), with_p(&list, found.p, Lang::Ru));
    if found.p < DIFFERS_ALARM {
        let text = Text::new(
            format!(
                "arms reached different shares of their contacts: {en}. Only figures by assignment can be compared"
            ),
            format!("доли дозвона различаются: {ru}. Сравнивать можно только показатели по назначению"),
        );
        return check("reach_balance", Light::NotComparable, Some(found), text);
    }
    let text = Text::new(format!("reached alike: {en}"), format!("дозвон одинаков: {ru}"));
    check("reach_balance", Light::Good, Some(found), text)
}

fn lost_outcomes(arms: &[Arm]) -> Check {
    let lost: Vec<Share> =
        arms.iter().map(|arm| Share::new(arm.rates.lost_rate.k, arm.rates.lost_rate.interval.n)).collect();
    let (k, n) = lost.iter().fold((0, 0), |sum, share| (sum.0 + share.k, sum.1 + share.n));
    if n == 0 {
        return not_checked("lost_outcomes");
    }
    let differs = chi_square::homogeneity(&lost);
    let too_many = k as f64 / n as f64 > LOST_SHARE_MAX;
    let list = listed(arms, |arm| arm.rates.lost_rate.k);
    if too_many || differs.is_some_and(|d| d.p < DIFFERS_ALARM) {
        let text = Text::new(
            format!("too many attempts without a known end, or unevenly: {list}. Find out what became of them"),
            format!(
                "слишком много попыток без известного исхода, или неравномерно: {list}. Выясните, чем они кончились"
            ),
        );
        return check("lost_outcomes", Light::Invalid, differs, text);
    }
    let text = Text::new(
        format!("{k} of {} attempts without a known end", words::count(n)),
        format!("попыток без известного исхода: {k} из {}", words::count(n)),
    );
    check("lost_outcomes", Light::Good, differs, text)
}

fn method(arms: &[Arm]) -> Check {
    let used: Vec<(&Arm, Method)> = arms.iter().filter_map(|arm| Some((arm, arm.turns.method?))).collect();
    let Some((_, first)) = used.first().copied() else { return not_checked("method") };
    let list =
        used.iter().map(|(arm, method)| format!("{} {}", arm.mode, method.as_str())).collect::<Vec<_>>().join(", ");
    if used.iter().any(|(_, method)| *method != first) {
        let text = Text::new(
            format!("latencies were measured in different ways: {list}. Compare calls measured by one ruler"),
            format!("задержки измерены по-разному: {list}. Сравнивайте звонки, измеренные одинаково"),
        );
        return check("method", Light::NotComparable, None, text);
    }
    if first == Method::Event {
        let text = Text::new(
            "latencies come from raw vendor events: shown, not ranked",
            "задержки взяты из событий поставщика без поправки: показаны, но не сравниваются",
        );
        return check("method", Light::NotComparable, None, text);
    }
    let text = Text::new(
        format!("one ruler for all: {}", first.as_str()),
        format!("одна линейка для всех: {}", first.as_str()),
    );
    check("method", Light::Good, None, text)
}

fn coverage(arms: &[Arm]) -> Check {
    let shares: Vec<f64> = arms.iter().filter_map(|arm| arm.turns.coverage.interval.estimate).collect();
    let (Some(least), Some(most)) = (shares.iter().copied().reduce(f64::min), shares.iter().copied().reduce(f64::max))
    else {
        return not_checked("coverage");
    };
    let list = |lang| {
        arms.iter()
            .filter_map(|arm| {
                Some(format!("{} {}", arm.mode, words::percent(arm.turns.coverage.interval.estimate?, lang)))
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    if most - least > COVERAGE_GAP_MAX {
        let text = Text::new(
            format!(
                "coverage of turns differs by more than ten points: {}. Find the turns that are missing",
                list(Lang::En)
            ),
            format!(
                "покрытие реплик различается больше чем на десять пунктов: {}. Найдите недостающие реплики",
                list(Lang::Ru)
            ),
        );
        return check("coverage", Light::NotComparable, None, text);
    }
    let text = Text::new(
        format!("turns with a valid latency: {}", list(Lang::En)),
        format!("реплик с измеренной задержкой: {}", list(Lang::Ru)),
    );
    check("coverage", Light::Good, None, text)
}

fn late_greetings(arms: &[Arm]) -> Check {
    let shares: Vec<(&Arm, f64)> =
        arms.iter().filter_map(|arm| Some((arm, arm.rates.late_greeting_rate.interval.estimate?))).collect();
    if shares.is_empty() {
        return not_checked("late_greetings");
    }
    let list = |lang| {
        shares
            .iter()
            .map(|(arm, _)| format!("{} {}", arm.mode, words::rate(&arm.rates.late_greeting_rate, lang)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let late = shares.iter().any(|(_, share)| *share > LATE_SHARE_MAX);
    let light = if late { Light::Warning } else { Light::Good };
    let text = Text::new(
        format!("greetings later than 2 s (line at 3 %): {}", list(Lang::En)),
        format!("приветствие позже 2 с (порог 3 %): {}", list(Lang::Ru)),
    );
    check("late_greetings", light, None, text)
}

fn plausibility(arms: &[Arm]) -> Check {
    let medians: Vec<(&Arm, f64, bool)> = arms
        .iter()
        .filter_map(|arm| {
            let turns = arm.latency("turn_ms")?;
            let same = turns.n > 1 && turns.p50.estimate == turns.p95.estimate;
            Some((arm, turns.p50.estimate?, same))
        })
        .collect();
    if medians.is_empty() {
        return not_checked("plausibility");
    }
    let odd: Vec<String> = medians
        .iter()
        .filter(|(_, median, same)| *median < TURN_MS_MIN || *same)
        .map(|(arm, median, _)| format!("{} p50 {} ms", arm.mode, words::ms(*median)))
        .collect();
    if odd.is_empty() {
        return check(
            "plausibility",
            Light::Good,
            None,
            Text::new("latencies are plausible", "задержки правдоподобны"),
        );
    }
    let text = Text::new(
        format!("latencies too fast or all alike: {}", odd.join(", ")),
        format!("задержки слишком малы или одинаковы: {}", odd.join(", ")),
    );
    check("plausibility", Light::Warning, None, text)
}
