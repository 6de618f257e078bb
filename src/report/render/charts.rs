//! The charts of the page: distribution of replies, differences with intervals, funnel. Each is
//! readable in black and white, by a dash, a shape or a name beside the colour.

use super::rows::{self, pick};
use super::svg::{Anchor, STYLES, Scale, Svg, round_step};
use crate::report::model::{Arm, Comparison, Interval, Lang, Report};
use crate::report::words;

const WIDTH: f64 = 900.0;

/// Beyond this ratio of the slowest to the median, the axis is logarithmic.
const LOG_RATIO: f64 = 6.0;

/// The share of calls whose median reply came within a time. `None` without calls.
pub fn ecdf(report: &Report, lang: Lang) -> Option<String> {
    let drawn: Vec<(usize, &Arm)> =
        report.arms.iter().enumerate().filter(|(_, arm)| !arm.call_turn_ecdf.is_empty()).collect();
    let slowest = drawn.iter().filter_map(|(_, arm)| arm.call_turn_ecdf.last()).map(|p| p.ms).fold(0.0, f64::max);
    let fastest = drawn.iter().filter_map(|(_, arm)| arm.call_turn_ecdf.first()).map(|p| p.ms).fold(f64::MAX, f64::min);
    if drawn.is_empty() || slowest <= 0.0 {
        return None;
    }
    let median = drawn.iter().filter_map(|(_, arm)| median_of(arm)).fold(f64::MAX, f64::min);
    let logarithmic = slowest / median.max(1.0) > LOG_RATIO;
    let step = round_step(slowest / 7.0);
    let (left, right, top) = (56.0, WIDTH - 20.0, 26.0 + 22.0 * drawn.len() as f64);
    let bottom = top + 270.0;
    let x = Scale {
        from: if logarithmic { (fastest * 0.9).max(1.0) } else { 0.0 },
        to: if logarithmic { slowest * 1.1 } else { (slowest / step).ceil() * step },
        start: left,
        end: right,
        logarithmic,
    };
    let y = Scale { from: 0.0, to: 1.0, start: bottom, end: top, logarithmic: false };

    let mut svg = Svg::new("ecdf", WIDTH, bottom + 48.0);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let class = if share == 0.5 || share == 0.0 { "axis" } else { "grid" };
        svg.line(class, (left, y.place(share)), (right, y.place(share)));
        svg.text("tick", (left - 8.0, y.place(share) + 4.0), Anchor::End, &format!("{:.0} %", share * 100.0));
    }
    for tick in x.ticks(7) {
        svg.line("grid", (x.place(tick), top), (x.place(tick), bottom));
        svg.text("tick", (x.place(tick), bottom + 18.0), Anchor::Middle, &words::ms(tick));
    }
    let axis = pick(
        lang,
        "call_turn_ms: median wait for a reply in a call, ms",
        "call_turn_ms: медиана ожидания ответа в звонке, мс",
    );
    svg.text("tick", ((left + right) / 2.0, bottom + 40.0), Anchor::Middle, axis);

    for (line, (place, arm)) in drawn.iter().enumerate() {
        let class = format!("curve a{}", place % STYLES);
        let mut points = Vec::new();
        let mut before = 0.0;
        for point in &arm.call_turn_ecdf {
            points.push((x.place(point.ms), y.place(before)));
            points.push((x.place(point.ms), y.place(point.share)));
            before = point.share;
        }
        // Calls that never got a reply leave the curve where it is, for ever.
        if before < 1.0 {
            points.push((right, y.place(before)));
        }
        svg.path(&class, &points);

        let at = 14.0 + 22.0 * line as f64;
        svg.line(&class, (left, at), (left + 44.0, at));
        svg.mark(*place, (left + 22.0, at), false);
        svg.text("label", (left + 56.0, at + 5.0), Anchor::Start, &legend(arm, lang));
    }
    for (place, arm) in &drawn {
        if let Some(median) = median_of(arm).filter(|_| reaches_half(arm)) {
            svg.mark(*place, (x.place(median), y.place(0.5)), false);
        }
    }
    let title = pick(lang, "How long callees wait for a reply", "Сколько абонент ждёт ответа");
    let described: Vec<String> = drawn.iter().map(|(_, arm)| legend(arm, lang)).collect();
    Some(svg.finish(title, &described.join("; ")))
}

fn median_of(arm: &Arm) -> Option<f64> {
    arm.latency("call_turn_ms")?.p50.estimate
}

/// Does the drawn curve, calls without a reply included, come up to one half?
fn reaches_half(arm: &Arm) -> bool {
    arm.call_turn_ecdf.last().is_some_and(|point| point.share >= 0.5)
}

fn legend(arm: &Arm, lang: Lang) -> String {
    let n = arm.turns.calls_with_latency;
    let median = median_of(arm).map_or_else(|| "–".to_owned(), words::ms);
    match lang {
        Lang::En => format!("{} — median {median} ms, {} calls", rows::mode_title(arm, lang), words::count(n)),
        Lang::Ru => format!("{} — медиана {median} мс, звонков {}", rows::mode_title(arm, lang), words::count(n)),
    }
}

/// A line of the forest.
struct Whisker<'a> {
    place: usize,
    label: String,
    interval: &'a Interval,
    secondary: bool,
}

/// Differences from the baseline with their intervals: latency above, success below.
pub fn forest(report: &Report, lang: Lang) -> Option<String> {
    if report.comparisons.is_empty() {
        return None;
    }
    let place = |comparison: &Comparison| report.arms.iter().position(|arm| arm.mode == comparison.mode).unwrap_or(0);
    let whiskers = |parts: fn(&Comparison, Lang) -> [(&'static str, &Interval); 2]| -> Vec<Whisker<'_>> {
        let of_one = |comparison| {
            let [primary, secondary] = parts(comparison, lang);
            [(primary, false), (secondary, true)].map(|((what, interval), secondary)| Whisker {
                place: place(comparison),
                label: format!("{} · {what}", comparison.mode),
                interval,
                secondary,
            })
        };
        report.comparisons.iter().flat_map(of_one).collect()
    };
    let latency = whiskers(|c, lang| {
        [
            (pick(lang, "median per call", "медиана на звонок"), &c.call_turn_ms),
            (pick(lang, "p95 of turns", "p95 реплик"), &c.turn_p95_ms),
        ]
    });
    let success = whiskers(|c, lang| {
        [
            (pick(lang, "people reached", "дозвонившиеся"), &c.success),
            (pick(lang, "by assignment", "по назначению"), &c.success_assigned),
        ]
    });
    let margin = report.design.margin_pp / 100.0;
    let row = 30.0;
    let panel = |list: &[Whisker<'_>]| 34.0 + row * list.len() as f64 + 44.0;
    let height = panel(&latency) + panel(&success) + 8.0;
    let mut svg = Svg::new("forest", WIDTH, height);
    let ms_text = |interval: &Interval| {
        let limits = words::ms_limits(interval, lang);
        let unit = pick(lang, "ms", "мс");
        match (interval.estimate, limits) {
            (Some(d), Some(limits)) => format!("{} {unit} ({limits})", words::ms_signed(d)),
            _ => crate::report::verdict::reason_words(interval.reason.as_deref(), lang),
        }
    };
    let pp_text = |interval: &Interval| {
        let unit = pick(lang, "pp", "п. п.");
        match (interval.estimate, words::points_limits(interval, lang)) {
            (Some(d), Some(limits)) => format!("{} {unit} ({limits})", words::points(d, lang)),
            _ => crate::report::verdict::reason_words(interval.reason.as_deref(), lang),
        }
    };
    draw_panel(
        &mut svg,
        0.0,
        &latency,
        Panel {
            title: pick(lang, "Wait for a reply: difference, ms", "Ожидание ответа: разница, мс"),
            sides: [pick(lang, "← faster", "← быстрее"), pick(lang, "slower →", "медленнее →")],
            margin: None,
            text: &ms_text,
            tick: &words::ms_signed,
        },
    );
    draw_panel(
        &mut svg,
        panel(&latency) + 8.0,
        &success,
        Panel {
            title: pick(lang, "Success: difference, percentage points", "Успех: разница, процентные пункты"),
            sides: [pick(lang, "← worse", "← хуже"), pick(lang, "better →", "лучше →")],
            margin: Some((-margin, pick(lang, "margin", "допуск"))),
            text: &pp_text,
            tick: &|share| words::points(share, lang),
        },
    );
    let title = match lang {
        Lang::En => format!("Differences from {} with 95 % intervals", report.design.baseline),
        Lang::Ru => format!("Разница с {} и интервалы 95 %", report.design.baseline),
    };
    let described: Vec<String> = latency
        .iter()
        .map(|w| format!("{}: {}", w.label, ms_text(w.interval)))
        .chain(success.iter().map(|w| format!("{}: {}", w.label, pp_text(w.interval))))
        .collect();
    Some(svg.finish(&title, &described.join("; ")))
}

struct Panel<'a> {
    title: &'static str,
    sides: [&'static str; 2],
    /// A second line beside zero, and its name.
    margin: Option<(f64, &'static str)>,
    text: &'a dyn Fn(&Interval) -> String,
    tick: &'a dyn Fn(f64) -> String,
}

fn draw_panel(svg: &mut Svg, top: f64, whiskers: &[Whisker<'_>], panel: Panel<'_>) {
    const ROW: f64 = 30.0;
    const LEFT: f64 = 236.0;
    const RIGHT: f64 = 640.0;
    let values = whiskers.iter().flat_map(|w| [w.interval.estimate, w.interval.lower, w.interval.upper]).flatten();
    let values: Vec<f64> = values.chain(panel.margin.map(|m| m.0)).chain([0.0]).collect();
    let (low, high) = values.iter().fold((0.0_f64, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
    let pad = ((high - low) * 0.06).max(f64::MIN_POSITIVE);
    let (low, high) = if high > low { (low - pad, high + pad) } else { (-1.0, 1.0) };
    let x = Scale { from: low, to: high, start: LEFT, end: RIGHT, logarithmic: false };
    let (first, last) = (top + 34.0, top + 34.0 + ROW * whiskers.len() as f64);

    svg.text("label strong", (0.0, top + 16.0), Anchor::Start, panel.title);
    for tick in x.ticks(5) {
        svg.line("grid", (x.place(tick), first), (x.place(tick), last));
        svg.text("tick", (x.place(tick), last + 18.0), Anchor::Middle, &(panel.tick)(tick));
    }
    svg.line("axis", (x.place(0.0), first - 6.0), (x.place(0.0), last));
    svg.text("tick", (x.place(0.0) - 8.0, last + 36.0), Anchor::End, panel.sides[0]);
    svg.text("tick", (x.place(0.0) + 8.0, last + 36.0), Anchor::Start, panel.sides[1]);
    if let Some((at, name)) = panel.margin {
        svg.line("margin", (x.place(at), first - 6.0), (x.place(at), last));
        svg.text("tick", (x.place(at), first - 10.0), Anchor::Middle, name);
    }
    for (index, whisker) in whiskers.iter().enumerate() {
        let y = first + ROW * (index as f64 + 0.5);
        let class = if whisker.secondary { "label muted" } else { "label" };
        svg.text(class, (0.0, y + 5.0), Anchor::Start, &whisker.label);
        if let Some((lower, upper)) = whisker.interval.limits() {
            let stroke = format!("whisker a{}", whisker.place % STYLES);
            svg.line(&stroke, (x.place(lower), y), (x.place(upper), y));
            for end in [lower, upper] {
                svg.line(&stroke, (x.place(end), y - 5.0), (x.place(end), y + 5.0));
            }
            if let Some(estimate) = whisker.interval.estimate {
                svg.mark(whisker.place, (x.place(estimate), y), whisker.secondary);
            }
        }
        svg.text(class, (RIGHT + 16.0, y + 5.0), Anchor::Start, &(panel.text)(whisker.interval));
    }
}

/// How many contacts are left at each step, per mode.
pub fn funnel_steps(arm: &Arm, lang: Lang) -> Vec<(&'static str, u64)> {
    vec![
        (pick(lang, "assigned", "назначено"), arm.contacts.assigned),
        (pick(lang, "dialled", "набрано"), arm.contacts.dialled),
        (pick(lang, "reached", "дозвонились"), arm.contacts.reached),
        (pick(lang, "talked", "поговорили"), arm.conversed.min(arm.contacts.reached)),
        (pick(lang, "goal", "цель"), arm.contacts.goals),
    ]
}

pub fn funnel(report: &Report, lang: Lang) -> Option<String> {
    let per_arm: Vec<Vec<(&'static str, u64)>> = report.arms.iter().map(|arm| funnel_steps(arm, lang)).collect();
    let widest = report.arms.iter().map(|arm| arm.contacts.assigned).max().filter(|n| *n > 0)?;
    let (bar, left, right) = (17.0, 130.0, 560.0);
    let group = bar * report.arms.len() as f64 + 14.0;
    let mut svg = Svg::new("funnel", WIDTH, group * per_arm[0].len() as f64 + 4.0);
    let x = Scale { from: 0.0, to: widest as f64, start: left, end: right, logarithmic: false };
    let mut described = Vec::new();
    for (step, (name, _)) in per_arm[0].iter().enumerate() {
        let top = group * step as f64 + 4.0;
        svg.text("label strong", (0.0, top + bar * report.arms.len() as f64 / 2.0 + 5.0), Anchor::Start, name);
        for (place, arm) in report.arms.iter().enumerate() {
            let k = per_arm[place][step].1;
            let y = top + bar * place as f64;
            svg.rect(&format!("bar a{}", place % STYLES), (left, y), (x.place(k as f64) - left, bar - 4.0));
            let text = step_words(arm, k, lang);
            svg.text("label small", (x.place(k as f64) + 8.0, y + bar - 6.0), Anchor::Start, &text);
            described.push(format!("{name}: {text}"));
        }
    }
    Some(svg.finish(pick(lang, "From contact to goal", "От контакта до цели"), &described.join("; ")))
}

/// "realtime 32 (50.0 %)"; a share of fewer than ten is left to the count.
fn step_words(arm: &Arm, k: u64, lang: Lang) -> String {
    let n = arm.contacts.assigned;
    if n >= words::PERCENT_MIN {
        format!("{} {} ({})", arm.mode, words::count(k), words::percent(k as f64 / n as f64, lang))
    } else {
        format!("{} {}", arm.mode, words::count(k))
    }
}
