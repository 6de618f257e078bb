//! Every quantile with its limits: a line for each latency and mode.

use super::rows::pick;
use crate::report::model::{Interval, Lang, Latency, Report};
use crate::report::words;

/// A latency of a mode.
pub struct Line {
    pub metric: String,
    pub mode: String,
    /// How many, and of those how many never came.
    pub n: String,
    /// p50, p90, p95, p99: the value, and its limits or why there are none.
    pub cells: Vec<super::rows::Cell>,
}

/// Of metrics that somebody measured, in the order of the report.
pub fn lines(report: &Report, lang: Lang) -> Vec<Line> {
    let Some(first) = report.arms.first() else { return Vec::new() };
    let metrics = first.latencies.iter().map(|latency| latency.metric.as_str());
    let all = metrics.flat_map(|metric| {
        report.arms.iter().filter_map(move |arm| Some((arm, arm.latency(metric).filter(|found| found.n > 0)?)))
    });
    all.map(|(arm, latency)| Line {
        metric: latency.metric.clone(),
        mode: arm.mode.to_string(),
        n: match latency.never {
            0 => words::count(latency.n),
            never => {
                format!("{} ({} {})", words::count(latency.n), pick(lang, "never", "никогда"), words::count(never))
            }
        },
        cells: [&latency.p50, &latency.p90, &latency.p95, &latency.p99].map(|q| cell(q, latency, lang)).to_vec(),
    })
    .collect()
}

fn cell(quantile: &Interval, latency: &Latency, lang: Lang) -> super::rows::Cell {
    let note = match quantile.limits() {
        Some((lower, upper)) => format!("{}–{}", words::ms(lower), words::ms(upper)),
        None => crate::report::verdict::reason_words(quantile.reason.as_deref(), lang),
    };
    super::rows::Cell { main: words::quantile(quantile, latency.largest_ms), note }
}
