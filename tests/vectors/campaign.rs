//! The small campaign with every figure of its report, put through `build`.

use std::collections::BTreeMap;

use halo::domain::{Mode, Outcome, Timestamp};
use halo::report::figures::{
    AttemptRow, CallRow, CallTurns, ContactRow, EARLY_MS, Figures, LATE_MS, LatencyCounts, Method, Metric, RunRow,
    RunState, TurnRow, TurnSums,
};
use halo::report::model::{Arm, Comparison, Interval, Rate};
use halo::report::{Design, Report, build};
use serde_json::Value;

use super::case::Case;

const CLOSE: f64 = 1e-6;

struct Attempt<'a> {
    night: i64,
    mode: Mode,
    contact: i64,
    row: &'a Value,
}

impl Attempt<'_> {
    fn ms(&self, name: &str) -> Option<i64> {
        self.row[name].as_i64()
    }
    fn is(&self, name: &str, text: &str) -> bool {
        self.row[name] == text
    }
    fn is_human(&self) -> bool {
        self.ms("answer").is_some() && self.is("amd", "human")
    }
    fn has_goal(&self) -> bool {
        self.row["goal"] == 1
    }
    fn outcome(&self) -> Outcome {
        match self.row["outcome"].as_str().expect("an outcome") {
            "answered" if self.is("amd", "machine") => Outcome::Machine,
            "answered" => Outcome::Answered,
            "busy" => Outcome::Busy,
            "no_answer" => Outcome::NoAnswer,
            "rejected" => Outcome::Rejected,
            "invalid" => Outcome::InvalidNumber,
            "network" => Outcome::NetworkError,
            other => panic!("an unknown outcome: {other}"),
        }
    }
    /// From the end of the callee's speech to the reply; negative: the agent did not wait.
    fn turns(&self) -> Vec<Option<i64>> {
        let turns = self.row["turns"].as_array().expect("turns");
        turns.iter().map(|turn| Some(turn[1].as_i64()? - turn[0].as_i64().expect("an end of speech"))).collect()
    }
    fn since(&self, from: &str, to: &str) -> Option<i64> {
        Some(self.ms(to)? - self.ms(from)?)
    }
}

fn modes(case: &Value) -> Vec<(Mode, u32)> {
    let names = case["expected"]["modes"].as_object().expect("modes");
    names.keys().map(|name| (name.parse().expect("a mode's name"), 1)).collect()
}

fn figures(case: &Value) -> Figures {
    let mut by_contact: BTreeMap<i64, (i64, Mode)> = BTreeMap::new();
    for contact in case["contacts"].as_array().expect("contacts") {
        let mode = contact["mode"].as_str().and_then(|name| name.parse().ok()).expect("a mode's name");
        let id = contact["contact"].as_i64().expect("a contact");
        by_contact.insert(id, (contact["night"].as_i64().expect("a night"), mode));
    }
    let attempts: Vec<Attempt<'_>> = case["attempts"]
        .as_array()
        .expect("attempts")
        .iter()
        .map(|row| {
            let contact = row["contact"].as_i64().expect("a contact");
            let (night, mode) = by_contact[&contact].clone();
            Attempt { night, mode, contact, row }
        })
        .collect();

    let mut contacts: BTreeMap<(i64, Mode), ContactRow> = BTreeMap::new();
    for (id, (night, mode)) in &by_contact {
        let own = || attempts.iter().filter(|attempt| attempt.contact == *id);
        let row = contacts.entry((*night, mode.clone())).or_insert_with(|| ContactRow {
            night: *night,
            mode: mode.clone(),
            assigned: 0,
            dialled: 0,
            reached: 0,
            goals: 0,
            opt_outs: 0,
            clean: 0,
            clean_goals: 0,
        });
        row.assigned += 1;
        row.dialled += u64::from(own().next().is_some());
        row.reached += u64::from(own().any(Attempt::is_human));
        row.goals += u64::from(own().any(Attempt::has_goal));
    }
    let contacts: Vec<ContactRow> = contacts.into_values().collect();

    let mut calls: BTreeMap<(i64, Mode), CallRow> = BTreeMap::new();
    let mut latencies = Vec::new();
    let mut turns = Vec::new();
    let mut ended = Vec::new();
    for (id, attempt) in (0..).zip(&attempts) {
        let Attempt { night, mode, .. } = attempt;
        ended.push(AttemptRow { night: *night, mode: mode.clone(), outcome: attempt.outcome(), n: 1 });
        let row = calls.entry((*night, mode.clone())).or_insert_with(|| CallRow {
            night: *night,
            mode: mode.clone(),
            human: 0,
            machine: 0,
            unknown: 0,
            conversed: 0,
            early_hangups: 0,
            late_greetings: 0,
            faults: 0,
            talk_ms: 0,
            cost_micros: Some(0),
            costed: 0,
            ringing: 0,
            interruptions: 0,
            barge_ins: 0,
            fillers: 0,
        });
        let mut latency = |metric, value_ms| {
            latencies.push(LatencyCounts::one(*night, mode.clone(), metric, value_ms));
        };
        row.cost_micros = row.cost_micros.zip(attempt.row["cost_micros"].as_u64()).map(|(a, b)| a + b);
        if let Some(ring) = attempt.ms("ring") {
            row.ringing += 1;
            latency(Metric::PddMs, Some(ring));
        }
        let Some(answer) = attempt.ms("answer") else { continue };
        row.costed += u64::from(attempt.row["cost_micros"].is_u64());
        latency(Metric::AnswerMs, Some(answer));
        if let Some(ringing) = attempt.since("ring", "answer") {
            latency(Metric::RingMs, Some(ringing));
        }
        let talk = attempt.since("answer", "end").expect("an end");
        row.talk_ms += talk.unsigned_abs();
        row.faults += u64::from(attempt.is("ended_by", "platform"));
        row.machine += u64::from(attempt.is("amd", "machine"));
        row.unknown += u64::from(attempt.is("amd", "unknown"));
        if !attempt.is_human() {
            continue;
        }
        let audio = attempt.since("answer", "first_agent_audio");
        latency(Metric::FirstAudioMs, audio);
        latency(Metric::TalkMs, Some(talk));
        row.human += 1;
        row.late_greetings += u64::from(audio.is_none_or(|ms| ms > LATE_MS));
        row.early_hangups += u64::from(attempt.is("ended_by", "callee") && talk < EARLY_MS);
        let replies = attempt.turns();
        row.conversed += u64::from(replies.iter().any(|turn| turn.is_some_and(|ms| ms >= 0)));
        row.interruptions += replies.iter().filter(|turn| turn.is_some_and(|ms| ms < 0)).count() as u64;
        for turn_ms in replies.into_iter().filter(|turn| turn.is_none_or(|ms| ms >= 0)) {
            let (contact, method, mode) = (attempt.contact, Method::Vad, mode.clone());
            turns.push(TurnRow {
                night: *night,
                mode,
                contact,
                attempt: id,
                try_number: id,
                turn_ms,
                method,
                goal: false,
                faulty: false,
            });
        }
    }
    let mut nights: Vec<i64> = by_contact.values().map(|(night, _)| *night).collect();
    nights.sort_unstable();
    nights.dedup();
    let run = |night| RunRow {
        night,
        run_id: format!("run {night}"),
        state: RunState::Completed,
        started_at: Timestamp(night * 86_400_000),
    };
    let turns = CallTurns::gather(turns);
    Figures {
        asked: Vec::new(),
        answers: Vec::new(),
        changes: Vec::new(),
        bundles: Vec::new(),
        hours: Vec::new(),
        judged: Vec::new(),
        quarters: Vec::new(),
        money: None,
        campaign: "report case".to_owned(),
        simulated: false,
        data_as_of: Timestamp(0),
        design: Design { nights_planned: nights.len() as u32, ..Design::of(&modes(case), 1) },
        runs: nights.into_iter().map(run).collect(),
        night_contacts: contacts.clone(),
        contacts,
        attempts: ended,
        calls: calls.into_values().collect(),
        latencies,
        turns: TurnSums::of(&turns),
        repeats: CallTurns::repeats(&turns),
        apart: Vec::new(),
    }
}

/// Every figure of the case, compared; what differs or was not compared comes back.
pub fn faults(case: &Value) -> Vec<String> {
    let figures = figures(case);
    let report = build(figures.clone(), Timestamp(0));
    let mut faults: Vec<String> = figures.contradictions();
    let expected = &case["expected"];
    for arm in &report.arms {
        let row = serde_json::json!({ "id": arm.mode, "input": {}, "expected": expected["modes"][arm.mode.as_str()] });
        let mut case = Case::of("report_case", &row);
        compare_arm(&mut case, arm);
        faults.extend(case.into_faults());
    }
    for comparison in &report.comparisons {
        let mode = comparison.mode.as_str();
        let row = serde_json::json!({ "id": mode, "input": {}, "expected": expected["comparisons"][mode] });
        let mut case = Case::of("report_case", &row);
        compare_pair(&mut case, &figures, comparison);
        faults.extend(case.into_faults());
    }
    faults.extend(compare_health(expected, &report));
    if report.comparisons.len() != expected["comparisons"].as_object().map_or(0, |pairs| pairs.len()) {
        faults.push("not the comparisons that were expected".to_owned());
    }
    faults
}

fn compare_health(expected: &Value, report: &Report) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, check) in [("srm", "sample_ratio"), ("reach_balance", "reach_balance")] {
        let row = serde_json::json!({ "id": name, "input": {}, "expected": expected[name] });
        let mut case = Case::of("report_case", &row);
        let found = report.health.iter().find(|found| found.check == check).expect("the check is made");
        case.near("chi2", found.statistic, CLOSE);
        case.near("p", found.p, CLOSE);
        case.near("df", Some(report.arms.len() as f64 - 1.0), 0.0);
        faults.extend(case.into_faults());
    }
    faults
}

fn compare_rate(case: &mut Case<'_>, name: &str, rate: &Rate) {
    let Interval { estimate, lower, upper, n, .. } = rate.interval.clone();
    case.near_fields(
        name,
        &[("k", Some(rate.k as f64)), ("n", Some(n as f64)), ("rate", estimate), ("lower", lower), ("upper", upper)],
        CLOSE,
    );
}

fn compare_arm(case: &mut Case<'_>, arm: &Arm) {
    let counts = [
        ("contacts_assigned", arm.contacts.assigned),
        ("attempts", arm.attempts),
        ("ringing", arm.ringing),
        ("answered", arm.answered),
        ("human", arm.human),
        ("machine", arm.machine),
        ("unknown", arm.unknown),
        ("conversed", arm.conversed),
        ("goals", arm.contacts.goals),
        ("unanswered_turns", arm.turns.unanswered),
        ("turns_with_latency", arm.turns.answered),
        ("calls_with_latency", arm.turns.calls_with_latency),
        ("agent_interruptions", arm.turns.interruptions),
        ("cost_micros", arm.cost_micros.expect("the case has costs")),
    ];
    for (name, found) in counts {
        case.near(name, Some(found as f64), 0.0);
    }
    // The case has one word for all answered attempts and shorter ones for two failures.
    let of = |names: &[&str]| names.iter().filter_map(|name| arm.outcomes.get(*name)).sum::<u64>();
    let outcomes = [
        ("answered", &["answered", "machine"][..]),
        ("busy", &["busy"]),
        ("invalid", &["invalid_number"]),
        ("network", &["network_error"]),
        ("no_answer", &["no_answer"]),
        ("rejected", &["rejected"]),
    ]
    .map(|(name, ours)| (name, Some(of(ours) as f64)));
    case.near_fields("outcomes", &outcomes, 0.0);

    let rates = &arm.rates;
    compare_rate(case, "answer_seizure_ratio", &rates.answer_seizure_rate);
    compare_rate(case, "network_effectiveness_ratio", &rates.network_effectiveness_rate);
    compare_rate(case, "amd_rate", &rates.machine_rate);
    compare_rate(case, "reach_rate", &rates.reach_rate);
    compare_rate(case, "goal_rate_itt", &rates.success_assigned_rate);
    compare_rate(case, "goal_rate_human", &rates.success_rate);
    compare_rate(case, "early_hangup_rate", &rates.early_hangup_rate);
    compare_rate(case, "late_greeting_rate", &rates.late_greeting_rate);
    compare_rate(case, "tech_failure_rate", &rates.fault_rate);

    for (name, metric) in [
        ("pdd", "pdd_ms"),
        ("ring_time", "ring_ms"),
        ("first_agent_audio", "first_audio_ms"),
        ("turn_latency", "turn_ms"),
        ("call_median_latency", "call_turn_ms"),
    ] {
        let latency = arm.latency(metric).expect("a metric of every arm");
        let found = [&latency.p50, &latency.p90, &latency.p95].map(|quantile| quantile.estimate);
        case.near_list(name, &found, CLOSE);
    }
    let audio = arm.latency("first_audio_ms").expect("a metric of every arm");
    case.near("first_agent_audio_never", Some(audio.never as f64), 0.0);
    case.near("acd_ms", arm.acd_ms, CLOSE);
    case.near("cost_per_goal", arm.cost_per_goal_micros, CLOSE);
}

fn compare_pair(case: &mut Case<'_>, figures: &Figures, found: &Comparison) {
    case.near("success_diff", found.success.estimate, CLOSE);
    case.near("success_lower", found.success.lower, CLOSE);
    case.near("success_upper", found.success.upper, CLOSE);
    case.same("noninferior_5pp", found.noninferior);
    case.near("itt_success_diff", found.success_assigned.estimate, CLOSE);
    case.near("itt_success_lower", found.success_assigned.lower, CLOSE);
    case.near("itt_success_upper", found.success_assigned.upper, CLOSE);
    case.same("itt_noninferior_5pp", found.noninferior_assigned);
    case.near("median_diff", found.call_turn_ms.estimate, CLOSE);
    case.near("hl_shift", found.hodges_lehmann_ms.estimate, CLOSE);
    case.near("mann_whitney_u", found.mann_whitney_u, CLOSE);
    case.near("mann_whitney_p", found.mann_whitney_p, CLOSE);
    case.near("mh_rd", found.success_pooled.estimate, CLOSE);
    let z = halo::report::stats::z_two_sided(0.95);
    let error = found.success_pooled.limits().map(|(lower, upper)| (upper - lower) / (2.0 * z));
    case.near("mh_se", error, 1e-9);
    let strata: Vec<Vec<u64>> = figures
        .runs
        .iter()
        .map(|run| {
            let of = |mode: &Mode| {
                let row = figures.contacts.iter().find(|row| row.night == run.night && row.mode == *mode);
                row.map_or([0, 0], |row| [row.goals, row.reached - row.goals])
            };
            [of(&found.mode), of(&found.baseline)].concat()
        })
        .collect();
    case.same("night_strata", strata);
}
