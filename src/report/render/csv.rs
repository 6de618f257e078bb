//! The report as one tidy table: a row per figure, for programs and spreadsheets.

use super::RenderError;
use crate::report::judged::Judged;
use crate::report::model::{Arm, Beside, Contacts, Interval, NightArm, Rate, Report};

const HEADER: [&str; 11] =
    ["run", "night", "arm", "metric", "stat", "value", "lower", "upper", "n", "reason", "notice"];

/// A spreadsheet takes a cell that begins so for a formula. Numbers of ours are no formulas.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

struct Rows {
    writer: ::csv::Writer<Vec<u8>>,
    notice: String,
    run: String,
    night: String,
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl Rows {
    fn interval(&mut self, arm: &str, metric: &str, stat: &str, found: &Interval) -> Result<(), RenderError> {
        self.row(
            [arm, metric, stat],
            [number(found.estimate), number(found.lower), number(found.upper), found.n.to_string()],
            found.reason.as_deref().unwrap_or_default(),
        )
    }

    fn rate(&mut self, arm: &str, metric: &str, rate: &Rate) -> Result<(), RenderError> {
        self.interval(arm, metric, "rate", &rate.interval)?;
        self.count(arm, metric, "k", rate.k)
    }

    fn count(&mut self, arm: &str, metric: &str, stat: &str, n: u64) -> Result<(), RenderError> {
        self.row([arm, metric, stat], [n.to_string(), String::new(), String::new(), String::new()], "")
    }

    fn row(&mut self, names: [&str; 3], numbers: [String; 4], reason: &str) -> Result<(), RenderError> {
        let words = [self.run.as_str(), self.night.as_str()].map(guarded).into_iter().chain(names.map(guarded));
        // Numbers may begin with a minus: they are numbers, and stay readable as such.
        let rest = numbers.into_iter().chain([guarded(reason), guarded(&self.notice)]);
        self.writer.write_record(words.chain(rest))?;
        Ok(())
    }

    fn contacts(&mut self, arm: &str, contacts: &Contacts) -> Result<(), RenderError> {
        for (stat, n) in [
            ("assigned", contacts.assigned),
            ("dialled", contacts.dialled),
            ("reached", contacts.reached),
            ("goals", contacts.goals),
            ("opt_outs", contacts.opt_outs),
        ] {
            self.count(arm, "contacts", stat, n)?;
        }
        Ok(())
    }
}

/// RFC 4180, comma, UTF-8 without a mark. `run` and `night` are empty where all runs are pooled.
pub fn csv(report: &Report) -> Result<String, RenderError> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER)?;
    let notice = report.notice.as_ref().map(|text| text.en.clone()).unwrap_or_default();
    let mut rows = Rows { writer, notice, run: String::new(), night: String::new() };
    for arm in &report.arms {
        arm_rows(&mut rows, arm)?;
    }
    for comparison in &report.comparisons {
        let arm = comparison.mode.as_str();
        rows.interval(arm, "call_turn_ms", "median_difference", &comparison.call_turn_ms)?;
        rows.interval(arm, "call_turn_ms", "hodges_lehmann", &comparison.hodges_lehmann_ms)?;
        rows.interval(arm, "turn_ms", "p95_difference", &comparison.turn_p95_ms)?;
        rows.interval(arm, "success_rate", "difference", &comparison.success)?;
        rows.interval(arm, "success_assigned_rate", "difference", &comparison.success_assigned)?;
        rows.interval(arm, "success_rate", "difference_without_faults", &comparison.success_without_faults)?;
        rows.interval(arm, "call_turn_ms", "difference_without_faults", &comparison.call_turn_without_faults_ms)?;
        rows.interval(arm, "success_rate", "pooled_difference", &comparison.success_pooled)?;
        for guardrail in &comparison.guardrails {
            rows.interval(arm, &guardrail.metric, "difference", &guardrail.difference)?;
        }
        beside_rows(&mut rows, arm, &comparison.beside)?;
        let p = [number(comparison.p_claim_adjusted), String::new(), String::new(), String::new()];
        rows.row([arm, "claim", "p_adjusted"], p, "")?;
    }
    for pair in &report.pairs {
        let arm = format!("{} - {}", pair.mode, pair.baseline);
        rows.interval(&arm, "call_turn_ms", "median_difference", &pair.call_turn_ms)?;
        rows.interval(&arm, "call_turn_ms", "hodges_lehmann", &pair.hodges_lehmann_ms)?;
        rows.interval(&arm, "turn_ms", "p95_difference", &pair.turn_p95_ms)?;
        rows.interval(&arm, "success_rate", "difference", &pair.success)?;
        rows.interval(&arm, "success_assigned_rate", "difference", &pair.success_assigned)?;
        beside_rows(&mut rows, &arm, &pair.beside)?;
    }
    for pair in &report.paired {
        rows.interval(pair.mode.as_str(), "call_turn_ms", "paired_difference", &pair.call_turn_ms)?;
    }
    for row in &report.apart {
        let counts = [
            ("contacts", row.contacts),
            ("attempts", row.attempts),
            ("answered", row.answered),
            ("human", row.human),
            ("goals", row.goals),
        ];
        for (stat, n) in counts {
            rows.count(row.mode.as_str(), "apart", stat, n)?;
        }
    }
    for cell in &report.hours {
        let metric = format!("hour_{:02}", cell.hour);
        rows.count(cell.mode.as_str(), &metric, "dialled", cell.dialled)?;
        rows.interval(cell.mode.as_str(), &metric, "goal_rate", &cell.goal_rate.interval)?;
    }
    for check in &report.health {
        let light = serde_json::to_value(check.light)?;
        let told = [light.as_str().unwrap_or_default().to_owned(), String::new(), String::new(), String::new()];
        rows.row(["", &format!("health_{}", check.check), "light"], told, &check.text.en)?;
        if let Some(p) = check.p {
            let p = [number(Some(p)), String::new(), String::new(), String::new()];
            rows.row(["", &format!("health_{}", check.check), "p"], p, "")?;
        }
    }
    for version in &report.versions {
        rows.count("", "version", "from_night", version.from_night.unsigned_abs())?;
    }
    for verdict in &report.verdicts {
        let value = [verdict.state.as_str().to_owned(), String::new(), String::new(), String::new()];
        rows.row([verdict.mode.as_str(), "verdict", "state"], value, "")?;
    }
    for table in &report.answers {
        let metric = format!("answer_{}", table.name);
        for of in &table.modes {
            rows.count(of.mode.as_str(), &metric, "given", of.given)?;
            for (value, n) in &of.values {
                rows.count(of.mode.as_str(), &metric, value, *n)?;
            }
        }
    }
    for block in &report.judged {
        judged_rows(&mut rows, block)?;
    }
    for row in &report.before_answer {
        rows.count(row.mode.as_str(), "before_answer", row.outcome.as_str(), row.n)?;
    }
    for night in &report.nights {
        rows.run = night.run_id.clone();
        rows.night = night.night.to_string();
        for arm in &night.arms {
            night_rows(&mut rows, arm)?;
        }
    }
    between_nights(&mut rows, report)?;
    let bytes = rows.writer.into_inner().map_err(|failed| ::csv::Error::from(failed.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn beside_rows(rows: &mut Rows, arm: &str, beside: &[Beside]) -> Result<(), RenderError> {
    for found in beside {
        let stat = match found.stat.as_str() {
            "rate" => "difference".to_owned(),
            "ratio" => "ratio_to_baseline".to_owned(),
            stat => format!("{stat}_difference"),
        };
        rows.interval(arm, &found.metric, &stat, &found.difference)?;
    }
    Ok(())
}

/// A rubric's figures; the metric names it.
fn judged_rows(rows: &mut Rows, block: &Judged) -> Result<(), RenderError> {
    let name = |what: &str| format!("{what}_{}_{}", block.judge, block.rubric);
    for arm in &block.arms {
        let mode = arm.mode.as_str();
        rows.rate(mode, &name("judged_rate"), &arm.judged_rate)?;
        rows.rate(mode, &name("judged_goal_rate"), &arm.goal_rate)?;
        rows.rate(mode, &name("own_goal_rate"), &arm.own_goal_rate)?;
        for (metric, agreement) in [("dialogue_judge", &arm.dialogue), ("judge_hand", &arm.hand)] {
            let cells = &agreement.cells;
            rows.rate(mode, &name(metric), &agreement.raw_rate)?;
            rows.interval(mode, &name(metric), "kappa", &agreement.kappa)?;
            for (stat, n) in [
                ("both", cells.both),
                ("first_only", cells.first_only),
                ("second_only", cells.second_only),
                ("neither", cells.neither),
            ] {
                rows.count(mode, &name(metric), stat, n)?;
            }
        }
    }
    for bias in &block.biases {
        rows.interval(bias.mode.as_str(), &name(&bias.readers), "bias_difference", &bias.difference)?;
    }
    Ok(())
}

/// Differences night by night, their trend, and the newest point of each control chart.
fn between_nights(rows: &mut Rows, report: &Report) -> Result<(), RenderError> {
    for night in &report.night_differences {
        rows.run.clear();
        rows.night = night.night.to_string();
        rows.interval(night.mode.as_str(), "call_turn_ms", "difference", &night.call_turn_ms)?;
        rows.interval(night.mode.as_str(), "success_rate", "difference", &night.success)?;
    }
    rows.night.clear();
    for trend in &report.trends {
        rows.interval(trend.mode.as_str(), "call_turn_ms", "difference_per_night", &trend.call_turn_ms_per_night)?;
        rows.interval(trend.mode.as_str(), "success_rate", "difference_per_night", &trend.success_per_night)?;
    }
    for chart in &report.control {
        for point in &chart.points {
            rows.night = point.night.to_string();
            let word = if point.signal { "out of the band" } else { "" };
            let numbers = [Some(point.average), Some(point.lower), Some(point.upper)].map(number);
            let [average, lower, upper] = numbers;
            rows.row([chart.mode.as_str(), &chart.metric, "control"], [average, lower, upper, String::new()], word)?;
        }
    }
    Ok(())
}

fn arm_rows(rows: &mut Rows, arm: &Arm) -> Result<(), RenderError> {
    let mode = arm.mode.as_str();
    rows.contacts(mode, &arm.contacts)?;
    for (stat, n) in [
        ("dialled", arm.attempts),
        ("ringing", arm.ringing),
        ("answered", arm.answered),
        ("human", arm.human),
        ("machine", arm.machine),
        ("unknown", arm.unknown),
        ("conversed", arm.conversed),
    ] {
        rows.count(mode, "attempts", stat, n)?;
    }
    for (outcome, n) in &arm.outcomes {
        rows.count(mode, "outcomes", outcome, *n)?;
    }
    for effort in &arm.effort {
        rows.interval(mode, &effort.metric, "ratio", &effort.value)?;
    }
    let rates = &arm.rates;
    for (metric, rate) in [
        ("answer_seizure_rate", &rates.answer_seizure_rate),
        ("network_effectiveness_rate", &rates.network_effectiveness_rate),
        ("machine_rate", &rates.machine_rate),
        ("reach_rate", &rates.reach_rate),
        ("conversation_rate", &rates.conversation_rate),
        ("success_rate", &rates.success_rate),
        ("success_assigned_rate", &rates.success_assigned_rate),
        ("early_hangup_rate", &rates.early_hangup_rate),
        ("late_greeting_rate", &rates.late_greeting_rate),
        ("silent_rate", &rates.silent_rate),
        ("fault_rate", &rates.fault_rate),
        ("opt_out_rate", &rates.opt_out_rate),
        ("unanswered_turn_rate", &rates.unanswered_turn_rate),
        ("barge_in_rate", &rates.barge_in_rate),
        ("filler_rate", &rates.filler_rate),
        ("success_without_faults_rate", &rates.success_without_faults_rate),
        ("cost_known_rate", &rates.cost_known_rate),
        ("lost_rate", &rates.lost_rate),
        ("coverage_rate", &arm.turns.coverage),
    ] {
        rows.rate(mode, metric, rate)?;
    }
    for latency in &arm.latencies {
        let quantiles = [("p50", &latency.p50), ("p90", &latency.p90), ("p95", &latency.p95), ("p99", &latency.p99)];
        for (stat, quantile) in quantiles {
            rows.interval(mode, &latency.metric, stat, quantile)?;
        }
        rows.count(mode, &latency.metric, "never", latency.never)?;
    }
    Ok(())
}

fn night_rows(rows: &mut Rows, arm: &NightArm) -> Result<(), RenderError> {
    let mode = arm.mode.as_str();
    rows.contacts(mode, &arm.contacts)?;
    rows.count(mode, "attempts", "dialled", arm.attempts)?;
    rows.count(mode, "attempts", "answered", arm.answered)?;
    rows.count(mode, "attempts", "human", arm.human)?;
    rows.rate(mode, "success_rate", &arm.success_rate)?;
    rows.interval(mode, "call_turn_ms", "p50", &arm.call_turn_ms)
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("+79990000001"), "'+79990000001");
        assert_eq!(guarded("@x"), "'@x");
        assert_eq!(guarded("dialog"), "dialog");
    }
}
