//! Counts an export of attempts again, in memory and by other means than the views, and holds the two together.
//!
//! What is not in such an export is not held against anything: contacts whose turn never came, and the money of
//! attempts that no history told of yet.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::Outcome;

use super::arms::is_counted;
use super::figures::{EARLY_MS, Figures, LATE_MS, Metric, Night};
use super::nights;

/// A row of the export, as far as figures need it. Other columns may come and go.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    night: Night,
    contact: String,
    mode: String,
    own_mode: bool,
    state: String,
    dialed_at: String,
    outcome: String,
    hung_up_by: String,
    goal: Option<bool>,
    fault: String,
    answer_ms: Option<i64>,
    ring_ms: Option<i64>,
    first_audio_ms: Option<i64>,
    talk_ms: Option<i64>,
    cost_micros: Option<i64>,
    turns: u64,
    turn_ms: String,
    call_source: String,
    opted_out: bool,
    seed: String,
    watermark: String,
    view_version: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("this is no export of attempts: {0}")]
    Csv(#[from] ::csv::Error),
    #[error("row {row}: {what}")]
    Row { row: usize, what: String },
}

/// What the figures of the tables are counted by, to be held against the export's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    pub seed: String,
    pub watermark: Option<String>,
    pub view_version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// Every figure is the same.
    Same,
    /// Attempts ended or were corrected since: an export of now is needed.
    MovedOn,
    Differs,
}

/// An export held against the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Verification {
    pub campaign: String,
    pub verified: Verified,
    pub rows: u64,
    pub figures: u64,
    /// "night 2, realtime, human: 41 in the export, 40 in the report".
    pub differences: Vec<String>,
    pub notes: Vec<String>,
}

impl Verification {
    pub fn exit_code(&self) -> u8 {
        match self.verified {
            Verified::Same => 0,
            Verified::Differs => 1,
            Verified::MovedOn => 3,
        }
    }

    pub fn text(&self) -> String {
        let word = match self.verified {
            Verified::Same => "✔ every figure is the same",
            Verified::MovedOn => "… the data has moved on",
            Verified::Differs => "✘ figures differ",
        };
        let mut out =
            format!("{word}: {} figures of {}, counted again from {} rows\n", self.figures, self.campaign, self.rows);
        for line in self.differences.iter().chain(&self.notes) {
            out.push_str(&format!("  – {line}\n"));
        }
        out
    }
}

/// Figures by their names: the same from both sides, or a sentence.
type Told = BTreeMap<String, i64>;

/// Differences told at most; the first ones say what is wrong.
const TOLD_MAX: usize = 50;

pub fn verify(export: &[u8], figures: &Figures, marks: &Marks) -> Result<Verification, VerifyError> {
    let mut rows = read(export)?;
    let all = rows.len();
    rows.retain(|row| figures.runs.iter().any(|run| run.night == row.night));
    let from = nights::versions(figures).last().map_or(0, |version| version.from_night);
    // What has a weight and is no arm stands apart: counted by attempts, its contacts are told by what was assigned.
    let is_arm = |mode: &str| figures.design.arms.iter().any(|(arm, _)| arm.as_str() == mode);
    let weighted: BTreeSet<String> =
        rows.iter().filter(|row| !row.own_mode && !is_arm(&row.mode)).map(|row| row.mode.clone()).collect();
    let (mut theirs, mut ours) = (from_rows(&rows, &weighted, from)?, from_figures(figures));
    for mode in &weighted {
        for what in ["contacts", "goals"] {
            let name = format!("apart, {mode}, {what}");
            theirs.remove(&name);
            ours.remove(&name);
        }
    }
    let mut differences = Vec::new();
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for name in &names {
        let (a, b) = (theirs.get(*name).copied().unwrap_or(0), ours.get(*name).copied().unwrap_or(0));
        if a != b {
            differences.push(format!("{name}: {a} in the export, {b} in the report"));
        }
    }
    let mut notes = Vec::new();
    let mut moved = false;
    if let Some(first) = rows.first() {
        let watermark = Some(first.watermark.clone()).filter(|text| !text.is_empty());
        if first.seed != marks.seed {
            differences.push(format!("seed: {} in the export, {} here: another campaign", first.seed, marks.seed));
        }
        if first.view_version != marks.view_version {
            notes.push(format!("counted by views of version {}, now {}", first.view_version, marks.view_version));
            moved = true;
        }
        if watermark != marks.watermark {
            let at = |mark: Option<&String>| mark.map_or("no end at all", String::as_str).to_owned();
            let (then, now) = (at(watermark.as_ref()), at(marks.watermark.as_ref()));
            notes.push(format!("the export goes up to {then}, the data to {now}: export it again"));
            moved = true;
        }
    }
    let left_out = differences.len().saturating_sub(TOLD_MAX);
    differences.truncate(TOLD_MAX);
    if left_out > 0 {
        notes.push(format!("{left_out} more differences"));
    }
    if rows.len() < all {
        notes.push(format!("{} rows are of runs at another platform, which are never pooled", all - rows.len()));
    }
    for mode in &weighted {
        notes.push(format!("{mode} stands apart: its contacts and goals are not counted again"));
    }
    notes.push("not in an export of attempts, so not counted again: contacts that were never tried".to_owned());
    let verified = match (differences.is_empty(), moved) {
        (true, false) => Verified::Same,
        (_, true) => Verified::MovedOn,
        (false, false) => Verified::Differs,
    };
    Ok(Verification {
        campaign: figures.campaign.clone(),
        verified,
        rows: rows.len() as u64,
        figures: names.len() as u64,
        differences,
        notes,
    })
}

/// Some that no other list has.
const COLUMNS: [&str; 4] = ["attempt", "night", "seed", "watermark"];

fn read(export: &[u8]) -> Result<Vec<Row>, VerifyError> {
    let text = export.strip_prefix("\u{feff}".as_bytes()).unwrap_or(export);
    // The first column is `attempt`: what follows it parts the cells.
    let delimiter = text.strip_prefix(b"attempt").and_then(|rest| rest.first()).copied();
    let delimiter = delimiter.filter(|byte| !b"\r\n".contains(byte)).unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    // A list without rows is an export of nothing, and must still be one.
    let columns = reader.headers()?;
    if let Some(missing) = COLUMNS.into_iter().find(|name| !columns.iter().any(|column| column == *name)) {
        return Err(VerifyError::Row {
            row: 1,
            what: format!("this is no export of attempts: there is no column `{missing}`"),
        });
    }
    reader.deserialize().map(|row| row.map_err(VerifyError::from)).collect()
}

fn add(told: &mut Told, name: String, n: i64) {
    if n != 0 {
        *told.entry(name).or_default() += n;
    }
}

/// One contact in one night.
#[derive(Default, Clone, Copy)]
struct Met {
    dialled: bool,
    reached: bool,
    goal: bool,
    opt_out: bool,
    clean: bool,
    clean_goal: bool,
}

/// Pooled is what was called from the night `from` on.
fn from_rows(rows: &[Row], weighted: &BTreeSet<String>, from: Night) -> Result<Told, VerifyError> {
    let mut told = Told::new();
    let mut met: BTreeMap<(&str, Night), (&str, Met)> = BTreeMap::new();
    let mut apart: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.state == "ended") {
        let fault = |what: String| VerifyError::Row { row: place + 2, what };
        let outcome: Outcome = row.outcome.parse().map_err(|e| fault(format!("outcome: {e}")))?;
        let (human, answered) = (outcome == Outcome::Answered, outcome.is_answered());
        let goal = human && row.goal == Some(true);
        // An attempt without money rang nobody.
        let dialled = is_counted(outcome);
        if row.own_mode || weighted.contains(&row.mode) {
            apart.entry(&row.mode).or_default().insert(&row.contact);
            for (what, so) in [("attempts", dialled), ("answered", answered), ("human", human), ("goals", goal)] {
                add(&mut told, format!("apart, {}, {what}", row.mode), i64::from(so));
            }
            continue;
        }
        let name = |what: &str| format!("night {}, {}, {what}", row.night, row.mode);
        let withdrawn = [Outcome::Cancelled, Outcome::Expired, Outcome::Suppressed].contains(&outcome);
        if withdrawn && row.dialed_at.is_empty() {
            continue; // nobody was dialled
        }
        add(&mut told, name(&format!("outcome {outcome}")), 1);
        let (_, is) = met.entry((&row.contact, row.night)).or_insert((&row.mode, Met::default()));
        is.dialled |= dialled;
        is.reached |= human;
        is.goal |= goal;
        is.opt_out |= row.opted_out;
        is.clean |= human && row.fault.is_empty();
        is.clean_goal |= goal && row.fault.is_empty();
        calls(&mut told, row, human, answered, &name).map_err(fault)?;
    }
    for (mode, contacts) in apart {
        add(&mut told, format!("apart, {mode}, contacts"), contacts.len() as i64);
    }
    let mut first: BTreeMap<&str, Night> = BTreeMap::new();
    for ((contact, night), (_, is)) in &met {
        if is.reached && *night >= from {
            first.entry(contact).or_insert(*night);
        }
    }
    for ((contact, night), (mode, is)) in &met {
        contacts(&mut told, &format!("night {night}, {mode}"), *is);
        // Each once: in its first night with a human call.
        if first.get(contact) == Some(night) {
            add(&mut told, format!("pooled, {mode}, reached"), 1);
            add(&mut told, format!("pooled, {mode}, goals"), i64::from(is.goal));
        }
    }
    Ok(told)
}

fn contacts(told: &mut Told, place: &str, is: Met) {
    let counts = [
        ("dialled", is.dialled),
        ("reached", is.reached),
        ("goals", is.goal),
        ("opt-outs", is.opt_out),
        ("reached without a fault", is.clean),
        ("with goal without a fault", is.clean_goal),
    ];
    for (what, so) in counts {
        add(told, format!("{place}, contacts {what}"), i64::from(so));
    }
}

fn calls(told: &mut Told, row: &Row, human: bool, answered: bool, name: &dyn Fn(&str) -> String) -> Result<(), String> {
    let (mut replies, mut never, mut interruptions) = (Vec::new(), 0_i64, 0_i64);
    let mut told_turns = false;
    if row.turns > 0 {
        // A cell that begins with a minus is guarded against spreadsheets.
        let cell = row.turn_ms.strip_prefix('\'').unwrap_or(&row.turn_ms);
        for ms in cell.split(';') {
            let ms: Option<i64> = match ms {
                "" => None,
                digits => Some(digits.parse().map_err(|_| format!("turn_ms: `{digits}` is no number"))?),
            };
            match ms {
                Some(ms) if ms < 0 => {
                    interruptions += 1;
                    continue;
                }
                Some(ms) => replies.push(ms),
                None => never += 1,
            }
            told_turns = true;
        }
    }
    let event = row.call_source == "event";
    for (what, n) in [
        ("human", i64::from(human)),
        ("machine", i64::from(answered && !human)),
        ("conversed", i64::from(human && !replies.is_empty())),
        (
            "early hang-ups",
            i64::from(human && row.hung_up_by == "callee" && row.talk_ms.is_some_and(|ms| ms < EARLY_MS)),
        ),
        ("late greetings", i64::from(human && event && row.first_audio_ms.is_none_or(|ms| ms > LATE_MS))),
        ("faults", i64::from(answered && !row.fault.is_empty())),
        ("talk_ms", if answered { row.talk_ms.unwrap_or(0) } else { 0 }),
        ("cost_micros", row.cost_micros.unwrap_or(0)),
        ("ringing", i64::from(row.ring_ms.is_some())),
        ("interruptions", if human { interruptions } else { 0 }),
    ] {
        add(told, name(what), n);
    }
    let mut see = |metric: Metric, ms: Option<i64>| {
        let ms = ms.map_or("never".to_owned(), |ms| ms.to_string());
        add(told, name(&format!("{} {ms}", metric.as_str())), 1);
    };
    if answered {
        row.answer_ms.iter().for_each(|ms| see(Metric::AnswerMs, Some(*ms)));
        row.ring_ms.iter().for_each(|ms| see(Metric::RingMs, Some(*ms)));
    }
    if human {
        if event {
            see(Metric::FirstAudioMs, row.first_audio_ms);
        }
        row.talk_ms.iter().for_each(|ms| see(Metric::TalkMs, Some(*ms)));
        if told_turns {
            turns(told, &mut replies, never, name);
        }
    }
    Ok(())
}

/// A call's turns by hand: each with the odd number of its place among them and with how many there are, and the
/// middle of the call, with and without the waits that had no end.
fn turns(told: &mut Told, replies: &mut [i64], never: i64, name: &dyn Fn(&str) -> String) {
    replies.sort_unstable();
    for (place, ms) in (0_i64..).zip(&*replies) {
        add(told, name(&format!("turn_ms {ms}")), 1);
        add(told, name(&format!("turn_ms {ms}, ranks")), 2 * place + 1);
        add(told, name(&format!("turn_ms {ms}, sizes")), replies.len() as i64);
    }
    add(told, name("unanswered turns"), never);
    let middle = |n: usize| {
        let (low, high) = (replies.get(n.checked_sub(1)? / 2)?, replies.get(n / 2)?);
        Some(low + high)
    };
    if let Some(half) = middle(replies.len()) {
        add(told, name(&format!("call_turn_ms of {half} halves")), 1);
    }
    let all = replies.len() + usize::try_from(never).unwrap_or(0);
    let half = middle(all).map_or("never".to_owned(), |half| half.to_string());
    add(told, name(&format!("call_turn_all_ms of {half} halves")), 1);
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn from_figures(figures: &Figures) -> Told {
    let mut told = Told::new();
    for row in &figures.attempts {
        add(&mut told, format!("night {}, {}, outcome {}", row.night, row.mode, row.outcome), whole(row.n));
    }
    for row in &figures.night_contacts {
        let counts = [
            ("dialled", row.dialled),
            ("reached", row.reached),
            ("goals", row.goals),
            ("opt-outs", row.opt_outs),
            ("reached without a fault", row.clean),
            ("with goal without a fault", row.clean_goals),
        ];
        for (what, n) in counts {
            add(&mut told, format!("night {}, {}, contacts {what}", row.night, row.mode), whole(n));
        }
    }
    for row in &figures.contacts {
        add(&mut told, format!("pooled, {}, reached", row.mode), whole(row.reached));
        add(&mut told, format!("pooled, {}, goals", row.mode), whole(row.goals));
    }
    for row in &figures.calls {
        for (what, n) in [
            ("human", row.human),
            ("machine", row.machine),
            ("conversed", row.conversed),
            ("early hang-ups", row.early_hangups),
            ("late greetings", row.late_greetings),
            ("faults", row.faults),
            ("talk_ms", row.talk_ms),
            ("cost_micros", row.cost_micros.unwrap_or(0)),
            ("ringing", row.ringing),
            ("interruptions", row.interruptions),
        ] {
            add(&mut told, format!("night {}, {}, {what}", row.night, row.mode), whole(n));
        }
    }
    // An export of attempts does not tell the stages of turns, nor their fillers.
    let told_of = |metric| !Metric::STAGES.contains(metric) && !Metric::FILLERS.contains(metric);
    for row in figures.latencies.iter().filter(|row| told_of(&row.metric)) {
        let mut of = |ms: &dyn std::fmt::Display, n| {
            let name = format!("night {}, {}, {} {ms}", row.night, row.mode, row.metric.as_str());
            add(&mut told, name, whole(n));
        };
        of(&"never", row.never);
        row.counts.iter().for_each(|(ms, n)| of(ms, *n));
    }
    for sums in &figures.turns {
        let name = |what: &str| format!("night {}, {}, {what}", sums.night, sums.mode);
        for turn in &sums.turns {
            for (what, n) in [("", turn.n), (", ranks", turn.ranks), (", sizes", turn.sizes)] {
                add(&mut told, name(&format!("turn_ms {}{what}", turn.ms)), whole(n));
            }
        }
        add(&mut told, name("unanswered turns"), whole(sums.unanswered));
        for (half, n) in &sums.calls {
            add(&mut told, name(&format!("call_turn_ms of {half} halves")), whole(*n));
        }
        for (half, n) in &sums.calls_of_all {
            let half = half.map_or("never".to_owned(), |half| half.to_string());
            add(&mut told, name(&format!("call_turn_all_ms of {half} halves")), whole(*n));
        }
    }
    for row in &figures.apart {
        for (what, n) in [
            ("contacts", row.contacts),
            ("attempts", row.attempts),
            ("answered", row.answered),
            ("human", row.human),
            ("goals", row.goals),
        ] {
            add(&mut told, format!("apart, {}, {what}", row.mode), whole(n));
        }
    }
    told
}
