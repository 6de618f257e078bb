//! Nights over time: a line for each mode, and what the control bands say, as a chart with its table.

use super::rows::pick;
use super::svg::{Anchor, STYLES, Scale, Svg, round_step};
use crate::report::model::{Lang, NightArm, Report};
use crate::report::words;

const WIDTH: f64 = 860.0;

/// What is drawn of a night.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    Latency,
    Success,
}

impl Drawn {
    pub const ALL: [Drawn; 2] = [Drawn::Latency, Drawn::Success];

    pub fn metric(self) -> &'static str {
        match self {
            Drawn::Latency => "call_turn_ms",
            Drawn::Success => "success_rate",
        }
    }

    pub fn title(self, lang: Lang) -> &'static str {
        match self {
            Drawn::Latency => pick(lang, "Waiting for a reply, night by night", "Ожидание ответа по ночам"),
            Drawn::Success => pick(lang, "Success, night by night", "Успех по ночам"),
        }
    }

    fn value(self, arm: &NightArm) -> Option<f64> {
        match self {
            Drawn::Latency => arm.call_turn_ms.estimate,
            Drawn::Success => arm.success_rate.interval.estimate,
        }
    }

    fn words(self, value: f64, lang: Lang) -> String {
        match self {
            Drawn::Latency => words::ms(value),
            Drawn::Success => words::percent(value, lang),
        }
    }
}

/// Nothing for a single night, and where nobody talked.
pub fn chart(report: &Report, drawn: Drawn, lang: Lang) -> Option<String> {
    let (first, last) = (report.nights.first()?.night, report.nights.last()?.night);
    if first == last {
        return None;
    }
    let values = report.nights.iter().flat_map(|night| night.arms.iter().filter_map(|arm| drawn.value(arm)));
    let most = values.fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let modes: Vec<&str> = report.arms.iter().map(|arm| arm.mode.as_str()).collect();
    let (left, right, top) = (64.0, WIDTH - 20.0, 26.0 + 22.0 * modes.len() as f64);
    let bottom = top + 220.0;
    let step = round_step(most / 5.0);
    let x = Scale { from: first as f64, to: last as f64, start: left, end: right, logarithmic: false };
    let y = Scale { from: 0.0, to: (most / step).ceil() * step, start: bottom, end: top, logarithmic: false };
    let id = match drawn {
        Drawn::Latency => "nights-latency",
        Drawn::Success => "nights-success",
    };
    let mut svg = Svg::new(id, WIDTH, bottom + 48.0);
    for tick in y.ticks(5) {
        svg.line(if tick == 0.0 { "axis" } else { "grid" }, (left, y.place(tick)), (right, y.place(tick)));
        svg.text("tick", (left - 8.0, y.place(tick) + 4.0), Anchor::End, &drawn.words(tick, lang));
    }
    for version in report.versions.iter().skip(1) {
        // Something else was played from here on.
        let at = x.place(version.from_night as f64 - 0.5);
        svg.line("axis", (at, top), (at, bottom));
    }
    let every = report.nights.len().div_ceil(14).max(1);
    for night in report.nights.iter().step_by(every) {
        svg.text("tick", (x.place(night.night as f64), bottom + 18.0), Anchor::Middle, &night.night.to_string());
    }
    svg.text("tick", ((left + right) / 2.0, bottom + 40.0), Anchor::Middle, pick(lang, "run", "прогон"));
    for (place, mode) in modes.iter().enumerate() {
        let class = format!("curve a{}", place % STYLES);
        let points: Vec<(f64, f64)> = report
            .nights
            .iter()
            .filter_map(|night| {
                let arm = night.arms.iter().find(|arm| arm.mode.as_str() == *mode)?;
                Some((x.place(night.night as f64), y.place(drawn.value(arm)?)))
            })
            .collect();
        svg.path(&class, &points);
        points.iter().for_each(|point| svg.mark(place, *point, false));
        let at = 14.0 + 22.0 * place as f64;
        svg.line(&class, (left, at), (left + 44.0, at));
        svg.mark(place, (left + 22.0, at), false);
        svg.text("label", (left + 56.0, at + 5.0), Anchor::Start, mode);
    }
    Some(svg.finish(drawn.title(lang), &described(report, drawn, lang)))
}

/// Where the newest night stands in its control band, mode by mode; how many nights there are, without bands.
pub fn described(report: &Report, drawn: Drawn, lang: Lang) -> String {
    let charts = report.control.iter().filter(|chart| chart.metric == drawn.metric());
    let said: Vec<String> = charts
        .filter_map(|chart| {
            let last = chart.points.last()?;
            let band = words::between(drawn.words(last.lower, lang), drawn.words(last.upper, lang), lang);
            let word = if chart.alarm {
                pick(lang, "leaves the control band", "вышел за контрольные границы")
            } else {
                pick(lang, "within the control band", "в контрольных границах")
            };
            Some(format!("{} {}: {word} {band}", chart.mode, drawn.words(last.average, lang)))
        })
        .collect();
    if said.is_empty() {
        return match lang {
            Lang::En => format!("{} runs; a control band needs more", report.nights.len()),
            Lang::Ru => format!("прогонов: {}; для контрольных границ нужно больше", report.nights.len()),
        };
    }
    said.join("; ")
}

/// Each night's difference from the baseline as a table: head and rows.
pub fn twin(report: &Report, drawn: Drawn, lang: Lang) -> (Vec<String>, Vec<Vec<String>>) {
    let head = [
        pick(lang, "run", "прогон"),
        pick(lang, "mode", "режим"),
        pick(lang, "difference", "разница"),
        pick(lang, "95 % interval", "интервал 95 %"),
    ];
    let rows = report.night_differences.iter().map(|row| {
        let interval = match drawn {
            Drawn::Latency => &row.call_turn_ms,
            Drawn::Success => &row.success,
        };
        let value = interval.estimate.map(|value| match drawn {
            Drawn::Latency => words::ms_signed(value),
            Drawn::Success => words::points(value, lang),
        });
        let limits = match drawn {
            Drawn::Latency => words::ms_limits(interval, lang),
            Drawn::Success => words::points_limits(interval, lang),
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        vec![row.night.to_string(), row.mode.to_string(), or_dash(value), or_dash(limits)]
    });
    (head.map(str::to_owned).to_vec(), rows.collect())
}
