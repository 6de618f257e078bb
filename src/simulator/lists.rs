//! Call lists: the platform's own way to work through many rows. A row is a task, a task's turn is a
//! session of the list's rule, and the scenario says what came of it.
//!
//! A state machine: time comes in as an argument, and who must be started now goes out.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Weekday};
use serde_json::{Map, Value, json};

use crate::simulator::clock::{parse_utc, utc_text};

/// Tasks of one list.
pub const TASKS_MAX: usize = 100_000;
const SECOND_MS: f64 = 1000.0;
const PRIORITY_DEFAULT: u64 = 50;
/// Below this many of the account's currency no list runs; it goes on by itself when there is more.
pub const BALANCE_MIN: f64 = 1.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    New,
    InProgress,
    Processed,
    Error,
    Canceled,
}

impl Status {
    /// As `status_id` writes it.
    pub fn id(self) -> u8 {
        self as u8
    }

    pub fn name(self) -> &'static str {
        ["New", "In progress", "Processed", "Error", "Canceled"][usize::from(self.id())]
    }

    fn is_open(self) -> bool {
        matches!(self, Self::New | Self::InProgress)
    }
}

#[derive(Clone, Debug)]
pub struct Task {
    pub task_id: u64,
    pub uuid: String,
    pub batch: String,
    /// The row as the scenario gets it.
    pub data: Map<String, Value>,
    pub status: Status,
    pub attempts_left: u32,
    pub priority: u64,
    pub due_ms: i64,
    /// Seconds of the day, UTC, between which it may be started; may wrap midnight.
    pub window: Option<(u32, u32)>,
    /// Days with their windows; without any, every day will do.
    schedule: Vec<(Weekday, u32, u32)>,
    pub first_started_ms: Option<i64>,
    pub last_attempt_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    pub result: Option<String>,
    session: Option<u64>,
    reported: Option<Report>,
}

/// What a scenario says of its task.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    Done(String),
    Failed(String),
    /// Failed, and the next attempt is to be another one.
    Next(Value),
}

pub struct List {
    pub list_id: u64,
    pub name: String,
    pub rule_id: u64,
    pub priority: u64,
    pub max_simultaneous: usize,
    pub num_attempts: u32,
    pub interval_s: f64,
    pub repeated_first: bool,
    pub submitted_ms: i64,
    pub completed_ms: Option<i64>,
    pub is_stopped: bool,
    pub tasks: Vec<Task>,
}

impl List {
    pub fn status(&self) -> &'static str {
        match (self.is_stopped, self.completed_ms) {
            (_, Some(_)) => "Completed",
            (true, None) => "Canceled",
            (false, None) => "In progress",
        }
    }

    /// A list is complete when nothing of it can happen any more.
    fn settle(&mut self, now_ms: i64) {
        let is_over = self.tasks.iter().all(|task| !task.status.is_open());
        self.completed_ms = is_over.then(|| self.completed_ms.unwrap_or(now_ms));
    }

    fn running(&self) -> usize {
        self.tasks.iter().filter(|task| task.status == Status::InProgress).count()
    }
}

/// Who must be started: its list and its task.
#[derive(Debug, PartialEq)]
pub struct Turn {
    pub list_id: u64,
    pub task_id: u64,
    pub rule_id: u64,
    pub custom_data: String,
}

#[derive(Default)]
pub struct Lists {
    pub all: BTreeMap<u64, List>,
    /// The list and the task of a running session.
    sessions: BTreeMap<u64, (u64, u64)>,
}

impl Lists {
    /// Tasks whose turn it is. They are in progress from now on; whoever takes them starts them.
    pub fn due(&mut self, now_ms: i64) -> Vec<Turn> {
        let mut lists: Vec<&mut List> = self.all.values_mut().filter(|list| !list.is_stopped).collect();
        lists.sort_by_key(|list| list.priority);
        let mut turns = Vec::new();
        for list in lists {
            let free = list.max_simultaneous.saturating_sub(list.running());
            let (list_id, rule_id, repeated_first, attempts) =
                (list.list_id, list.rule_id, list.repeated_first, list.num_attempts);
            let mut waiting: Vec<&mut Task> = list
                .tasks
                .iter_mut()
                .filter(|task| task.status == Status::New && task.due_ms <= now_ms && task.is_open(now_ms))
                .collect();
            waiting.sort_by_key(|task| {
                let is_repeated = task.attempts_left < attempts;
                (task.priority, is_repeated != repeated_first, task.due_ms, task.task_id)
            });
            for task in waiting.into_iter().take(free) {
                task.status = Status::InProgress;
                task.first_started_ms.get_or_insert(now_ms);
                task.last_attempt_ms = Some(now_ms);
                let mut data = task.data.clone();
                data.insert("list_id".to_owned(), json!(list_id.to_string()));
                data.insert("task_id".to_owned(), json!(task.task_id.to_string()));
                let custom_data = Value::Object(data).to_string();
                turns.push(Turn { list_id, task_id: task.task_id, rule_id, custom_data });
            }
        }
        turns
    }

    /// The session that a turn became; none: the rule is gone, and the task has failed.
    pub fn began(&mut self, turn: &Turn, session_id: Option<u64>, now_ms: i64) {
        let Some(list) = self.all.get_mut(&turn.list_id) else { return };
        let Some(task) = list.tasks.iter_mut().find(|task| task.task_id == turn.task_id) else { return };
        match session_id {
            Some(id) => {
                task.session = Some(id);
                self.sessions.insert(id, (turn.list_id, turn.task_id));
            }
            None => {
                task.status = Status::Error;
                task.result = Some("The rule cannot be started.".to_owned());
                task.finished_ms = Some(now_ms);
                list.settle(now_ms);
            }
        }
    }

    fn task(&mut self, session_id: u64) -> Option<&mut Task> {
        let (list_id, task_id) = self.sessions.get(&session_id)?;
        self.all.get_mut(list_id)?.tasks.iter_mut().find(|task| task.task_id == *task_id)
    }

    /// The last word of a session stands; false when no list started it.
    pub fn report(&mut self, session_id: u64, report: Report) -> bool {
        self.task(session_id).map(|task| task.reported = Some(report)).is_some()
    }

    /// What was reached so far; decides nothing.
    pub fn progress(&mut self, session_id: u64, told: String) -> bool {
        self.task(session_id).map(|task| task.result = Some(told)).is_some()
    }

    /// A session is over. Without a report the task counts as done: nobody is called again unasked.
    pub fn over(&mut self, session_id: u64, now_ms: i64, speed: f64) {
        let Some((list_id, task_id)) = self.sessions.remove(&session_id) else { return };
        let Some(list) = self.all.get_mut(&list_id) else { return };
        let interval_ms = list.interval_s;
        let Some(task) = list.tasks.iter_mut().find(|task| task.task_id == task_id) else { return };
        task.session = None;
        let report = task.reported.take();
        if task.status == Status::InProgress {
            let again_at = now_ms + (interval_ms * SECOND_MS / speed) as i64;
            task.conclude(report, now_ms, again_at);
        }
        list.settle(now_ms);
    }

    /// Cancels the tasks that `which` names. A running session is let run, and not followed by another.
    pub fn cancel(&mut self, list_id: u64, now_ms: i64, which: impl Fn(&Task) -> bool) -> usize {
        let Some(list) = self.all.get_mut(&list_id) else { return 0 };
        let mut count = 0;
        for task in list.tasks.iter_mut().filter(|task| task.status.is_open() && which(task)) {
            task.status = Status::Canceled;
            task.finished_ms = Some(now_ms);
            count += 1;
        }
        list.settle(now_ms);
        count
    }

    /// Canceled and failed tasks get their attempts back.
    pub fn recover(&mut self, list_id: u64, now_ms: i64) -> usize {
        let Some(list) = self.all.get_mut(&list_id) else { return 0 };
        list.is_stopped = false;
        let mut count = 0;
        for task in &mut list.tasks {
            if matches!(task.status, Status::Canceled | Status::Error) && task.session.is_none() {
                task.status = Status::New;
                task.attempts_left = list.num_attempts;
                task.due_ms = now_ms;
                task.finished_ms = None;
                count += 1;
            }
        }
        list.settle(now_ms);
        count
    }
}

impl Task {
    pub fn new(task_id: u64, batch: &str, data: Map<String, Value>, attempts: u32, due_ms: i64) -> Self {
        Self {
            task_id,
            uuid: format!("task-{task_id}"),
            batch: batch.to_owned(),
            data,
            status: Status::New,
            attempts_left: attempts,
            priority: PRIORITY_DEFAULT,
            due_ms,
            window: None,
            schedule: Vec::new(),
            first_started_ms: None,
            last_attempt_ms: None,
            finished_ms: None,
            result: None,
            session: None,
            reported: None,
        }
    }

    /// Whether it may be started at this moment; windows are UTC.
    fn is_open(&self, now_ms: i64) -> bool {
        let second = now_ms.div_euclid(1000).rem_euclid(86_400) as u32;
        let today = DateTime::from_timestamp_millis(now_ms).unwrap_or_default().weekday();
        let by_day = |(day, from, to): &(Weekday, u32, u32)| *day == today && is_between(second, *from, *to);
        self.window.is_none_or(|(from, to)| is_between(second, from, to))
            && (self.schedule.is_empty() || self.schedule.iter().any(by_day))
    }

    fn conclude(&mut self, report: Option<Report>, now_ms: i64, again_at: i64) {
        let left = self.attempts_left.saturating_sub(1);
        let (status, left, due_ms) = match report {
            None => (Status::Processed, left, now_ms),
            Some(Report::Done(told)) => {
                self.result = Some(told);
                (Status::Processed, left, now_ms)
            }
            Some(Report::Failed(told)) => {
                self.result = Some(told);
                (if left > 0 { Status::New } else { Status::Error }, left, again_at)
            }
            Some(Report::Next(asked)) => {
                let left = asked["attempts_left"].as_u64().map_or(left, |left| left.min(5) as u32);
                if let Some(told) = asked.get("error") {
                    self.result = Some(said(told));
                }
                self.change(&asked);
                let at = due_of(&asked).unwrap_or(again_at);
                (if left > 0 { Status::New } else { Status::Error }, left, at)
            }
        };
        (self.status, self.attempts_left, self.due_ms) = (status, left, due_ms);
        if !status.is_open() {
            self.finished_ms = Some(now_ms);
        }
    }

    /// What `requestNextAttempt` and `EditCallListTask` may change of a row.
    pub fn change(&mut self, asked: &Value) {
        let data = match &asked["custom_data"] {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => other.as_object().cloned(),
        };
        if let Some(data) = data {
            self.data = data;
        }
        let time = |name: &str| asked[name].as_str().and_then(second_of_day);
        if let (Some(from), Some(to)) = (time("start_execution_time"), time("end_execution_time")) {
            self.window = Some((from, to));
        }
    }

    /// A special column of the row. The fault's text names it.
    pub fn column(&mut self, name: &str, text: &str) -> Result<bool, String> {
        let fault = || format!("{name}: {text}");
        match name {
            "__start_execution_time" => {
                self.window = Some((second_of_day(text).ok_or_else(fault)?, self.window.map_or(0, |(_, to)| to)));
            }
            "__end_execution_time" => {
                self.window = Some((self.window.map_or(0, |(from, _)| from), second_of_day(text).ok_or_else(fault)?));
            }
            "__start_at" => {
                self.due_ms = self.due_ms.max(text.parse::<i64>().map_err(|_| fault())?.saturating_mul(1000))
            }
            "__task_uuid" => {
                let lawful = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':';
                if text.len() > 40 || !text.chars().all(lawful) {
                    return Err(fault());
                }
                text.clone_into(&mut self.uuid);
            }
            "call_schedule" => self.schedule = read_schedule(text).ok_or_else(fault)?,
            "task_priority" => self.priority = text.parse().map_err(|_| fault())?,
            // A bad value falls back to the normal order, as documented.
            "next_attempt_time" => self.due_ms = parse_utc(text).unwrap_or(self.due_ms).max(self.due_ms),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// As `GetCallListDetails` writes it; what has no value is left out.
    pub fn details(&self, list_id: u64) -> Value {
        let mut row = json!({
            "list_id": list_id, "custom_data": Value::Object(self.data.clone()).to_string(),
            "attempts_left": self.attempts_left, "status_id": self.status.id(), "status": self.status.name(),
            "task_id": self.task_id, "task_uuid": self.uuid,
        });
        let times = [
            ("start_execution_time", self.first_started_ms),
            ("finish_execution_time", self.finished_ms),
            ("last_attempt", self.last_attempt_ms),
        ];
        for (name, at_ms) in times {
            if let Some(at_ms) = at_ms {
                row[name] = json!(utc_text(at_ms));
            }
        }
        if let Some(result) = &self.result {
            row["result_data"] = json!(result);
        }
        row
    }
}

/// Text as it is, everything else as JSON.
pub fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn due_of(asked: &Value) -> Option<i64> {
    let by_second = asked["start_at"].as_i64().map(|second| second.saturating_mul(1000));
    by_second.or_else(|| parse_utc(asked["next_attempt_time"].as_str()?))
}

/// `HH:mm:ss`.
fn second_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    (hour < 24 && minute < 60 && second < 60 && parts.next().is_none()).then_some(hour * 3600 + minute * 60 + second)
}

fn is_between(second: u32, from: u32, to: u32) -> bool {
    if from <= to { (from..to).contains(&second) } else { second >= from || second < to }
}

fn read_schedule(text: &str) -> Option<Vec<(Weekday, u32, u32)>> {
    let days: Vec<Value> = serde_json::from_str(text).ok()?;
    let read = |day: &Value| {
        let time = |name: &str| day[name].as_str().and_then(second_of_day);
        Some((day["day_of_week"].as_str()?.parse().ok()?, time("start")?, time("end")?))
    };
    days.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 2026-11-21, noon UTC.
    const NOON: i64 = 1_795_262_400_000;
    const HOUR: i64 = 3_600_000;

    fn lists(columns: &[&[(&str, &str)]]) -> Lists {
        let mut lists = Lists::default();
        let tasks = columns.iter().zip(1..).map(|(columns, id)| {
            let mut task = Task::new(id, "batch", Map::new(), 2, NOON);
            for (name, value) in *columns {
                assert_eq!(task.column(name, value), Ok(true), "{name}");
            }
            task
        });
        let list = List {
            list_id: 7,
            name: "night".into(),
            rule_id: 3,
            priority: 0,
            max_simultaneous: 10,
            num_attempts: 2,
            interval_s: 60.0,
            repeated_first: false,
            submitted_ms: NOON,
            completed_ms: None,
            is_stopped: false,
            tasks: tasks.collect(),
        };
        lists.all.insert(7, list);
        lists
    }

    fn due(lists: &mut Lists, now_ms: i64) -> Vec<u64> {
        lists.due(now_ms).iter().map(|turn| turn.task_id).collect()
    }

    #[test]
    fn a_task_waits_for_its_window_its_day_and_its_time() {
        let at_noon = [("__start_execution_time", "11:00:00"), ("__end_execution_time", "13:00:00")];
        let by_night = [("__start_execution_time", "22:00:00"), ("__end_execution_time", "06:00:00")];
        let sundays = [("call_schedule", r#"[{"day_of_week":"Sun","start":"00:00:00","end":"23:59:59"}]"#)];
        let later = (NOON / 1000 + 3600).to_string();
        let later = [("__start_at", later.as_str())];
        let mut lists = lists(&[&at_noon, &by_night, &sundays, &later]);
        assert!(due(&mut lists, NOON - 1).is_empty(), "not before it was submitted");
        assert_eq!(due(&mut lists, NOON), [1]);
        assert_eq!(due(&mut lists, NOON + HOUR), [4]);
        assert_eq!(due(&mut lists, NOON + 11 * HOUR), [2]);
        assert_eq!(due(&mut lists, NOON + 23 * HOUR), [3]);
    }

    #[test]
    fn priority_comes_first_and_then_the_first_attempts() {
        let mut lists = lists(&[&[], &[("task_priority", "9")], &[]]);
        let list = lists.all.get_mut(&7).expect("there");
        list.tasks[0].attempts_left = 1;
        list.max_simultaneous = 2;
        assert_eq!(due(&mut lists, NOON), [2, 3], "the repeated one waits, and two places are there");
        let list = lists.all.get_mut(&7).expect("there");
        list.repeated_first = true;
        list.tasks.iter_mut().for_each(|task| task.status = Status::New);
        assert_eq!(due(&mut lists, NOON), [2, 1]);
    }

    #[test]
    fn a_failure_is_tried_again_after_the_interval_while_attempts_are_left() {
        let mut lists = lists(&[&[]]);
        for (now_ms, session, after) in [(NOON, 1, Status::New), (NOON + 60_000, 2, Status::Error)] {
            assert!(due(&mut lists, now_ms - 1).is_empty(), "the interval is kept");
            let turn = lists.due(now_ms).pop().expect("its turn");
            lists.began(&turn, Some(session), now_ms);
            assert!(lists.report(session, Report::Failed("busy".into())));
            lists.over(session, now_ms, 1.0);
            assert_eq!(lists.all[&7].tasks[0].status, after);
        }
        assert_eq!(lists.all[&7].status(), "Completed");
        assert!(!lists.report(2, Report::Done("late".into())), "a session that is over says nothing any more");
        assert_eq!(lists.recover(7, NOON), 1);
        assert_eq!((lists.all[&7].status(), due(&mut lists, NOON)), ("In progress", vec![1]));
    }

    #[test]
    fn who_was_cancelled_while_it_ran_is_not_called_again() {
        let mut lists = lists(&[&[]]);
        let turn = lists.due(NOON).pop().expect("its turn");
        lists.began(&turn, Some(1), NOON);
        assert_eq!(lists.cancel(7, NOON, |_| true), 1);
        lists.report(1, Report::Failed("busy".into()));
        lists.over(1, NOON, 1.0);
        assert_eq!(lists.all[&7].tasks[0].status, Status::Canceled);
        assert!(due(&mut lists, NOON + HOUR).is_empty());
    }
}
