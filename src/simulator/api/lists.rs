//! Call lists by the API: made from CSV, looked at, stopped, taken up again.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::simulator::api::ApiError;
use crate::simulator::api::manage::{Answer, page};
use crate::simulator::api::params::Params;
use crate::simulator::clock::{utc_text, wall_ms};
use crate::simulator::lists::{List, TASKS_MAX, Task};
use crate::simulator::platform::{Platform, State};

const ATTEMPTS_MAX: u64 = 5;
const NAME_MAX: usize = 255;
const CANCELLED_AT_ONCE_MAX: usize = 1_000;

/// None when the method is none of these.
pub fn run(platform: &Platform, name: &str, params: &Params) -> Option<Answer> {
    let mut state = platform.state();
    let (state, now_ms) = (&mut *state, wall_ms());
    let ids = || platform.next_id();
    Some(match name {
        "CreateCallList" => create(state, params, now_ms, &ids),
        "AppendToCallList" => append(state, params, now_ms, &ids),
        "GetCallLists" => get(state, params),
        "GetCallListDetails" => details(state, params),
        "EditCallList" => edit(state, params),
        "EditCallListTask" => edit_task(state, params),
        "EditCallListTasksPriority" => edit_priorities(state, params),
        "StopCallListProcessing" => find(state, params).map(|list| {
            list.is_stopped = true;
            json!({ "result": true, "msg": "The call list processing is stopped." })
        }),
        "RecoverCallList" => find(state, params).map(|list| list.list_id).map(|id| {
            let count = state.lists.recover(id, now_ms);
            json!({ "result": true, "count_recovery": count })
        }),
        "CancelCallListTask" => cancel_tasks(state, params, now_ms),
        "CancelCallListBatch" => cancel_batches(state, params, now_ms),
        "DeleteCallList" => delete(state, params),
        _ => return None,
    })
}

fn find<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut List, ApiError> {
    let missing = || ApiError::new(134, "The 'list_id' parameter is required.");
    let id = params.number("list_id", 255)?.ok_or_else(missing)?;
    state.lists.all.get_mut(&id).ok_or_else(|| ApiError::invalid(255, "list_id"))
}

fn within(params: &Params, name: &str, code: u32, range: std::ops::RangeInclusive<u64>) -> Result<u64, ApiError> {
    params.required(name)?;
    let number = params.number(name, code)?.unwrap_or_default();
    if range.contains(&number) { Ok(number) } else { Err(ApiError::invalid(code, name)) }
}

/// A separator is one character of one byte.
fn letter(params: &Params, name: &str) -> Result<Option<u8>, ApiError> {
    let read = |text: &str| <[u8; 1]>::try_from(text.as_bytes()).map(|[byte]| byte);
    params.text(name).map(|text| read(text).map_err(|_| ApiError::invalid(496, name))).transpose()
}

/// Rows of a CSV: the first names the columns, every later one is a task.
fn tasks(params: &Params, list: &List, batch: &str, now_ms: i64, ids: &dyn Fn() -> u64) -> Result<Vec<Task>, ApiError> {
    let bad = |why: String| ApiError::new(250, format!("The CSV file is invalid: {why}"));
    let text = params.required("file_content")?;
    let encoding = params.text("encoding").unwrap_or("UTF-8");
    if !encoding.eq_ignore_ascii_case("utf-8") && !encoding.eq_ignore_ascii_case("utf8") {
        return Err(bad(format!("encoding {encoding} is not simulated")));
    }
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(letter(params, "delimiter")?.unwrap_or(b';')).escape(letter(params, "escape")?);
    reader.quote(letter(params, "quote")?.unwrap_or(b'"'));
    let mut reader = reader.from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let columns = reader.headers().map_err(|fault| bad(fault.to_string()))?.clone();
    let mut made: Vec<Task> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|fault| bad(fault.to_string()))?;
        if list.tasks.len() + made.len() >= TASKS_MAX {
            return Err(ApiError::new(512, "The number of tasks is exceeded."));
        }
        let mut task = Task::new(ids(), batch, Map::new(), list.num_attempts, now_ms);
        for (column, value) in columns.iter().zip(&row).filter(|(_, value)| !value.is_empty()) {
            if !task.column(column, value).map_err(bad)? {
                task.data.insert(column.to_owned(), json!(value));
            }
        }
        if list.tasks.iter().chain(&made).any(|held| held.uuid == task.uuid) {
            return Err(bad(format!("__task_uuid: {} stands twice", task.uuid)));
        }
        made.push(task);
    }
    if made.is_empty() { Err(bad("there is no task in it".to_owned())) } else { Ok(made) }
}

fn create(state: &mut State, params: &Params, now_ms: i64, ids: &dyn Fn() -> u64) -> Answer {
    params.required("rule_id")?;
    let rule_id = params.number("rule_id", 147)?.unwrap_or_default();
    let rule = state.rules.iter().find(|rule| rule.rule_id == rule_id);
    if rule.ok_or_else(|| ApiError::invalid(147, "rule_id"))?.scenarios.is_empty() {
        return Err(ApiError::new(375, "The rule has no scenario bound to it."));
    }
    let name = params.required("name")?;
    if name.chars().count() > NAME_MAX || name.contains(['/', '\\']) {
        return Err(ApiError::invalid(253, "name"));
    }
    if params.text("call_list_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("automatic")) {
        return Err(ApiError::new(427, "Only lists of the type automatic are simulated."));
    }
    let mut list = List {
        list_id: ids(),
        name: name.to_owned(),
        rule_id,
        priority: within(params, "priority", 247, 0..=1 << 31)?,
        max_simultaneous: within(params, "max_simultaneous", 248, 1..=u64::from(u32::MAX))? as usize,
        num_attempts: within(params, "num_attempts", 249, 1..=ATTEMPTS_MAX)? as u32,
        interval_s: params.number("interval_seconds", 496)?.unwrap_or(0) as f64,
        repeated_first: params.text("task_priority_strategy") == Some("repeated_attempts"),
        submitted_ms: now_ms,
        completed_ms: None,
        is_stopped: params.flag("is_cancelled"),
        tasks: Vec::new(),
    };
    let starts_ms =
        params.number("start_at", 496)?.map_or(now_ms, |s| i64::try_from(s).unwrap_or(i64::MAX / 1000) * 1000);
    let batch = format!("batch-{}", ids());
    list.tasks = tasks(params, &list, &batch, now_ms.max(starts_ms), ids)?;
    let told = json!({ "result": true, "count": list.tasks.len(), "list_id": list.list_id, "batch_id": batch });
    state.lists.all.insert(list.list_id, list);
    Ok(told)
}

fn append(state: &mut State, params: &Params, now_ms: i64, ids: &dyn Fn() -> u64) -> Answer {
    let list = find(state, params)?;
    let batch = ids();
    let more = tasks(params, list, &batch.to_string(), now_ms, ids)?;
    let told = json!({ "result": true, "count": more.len(), "list_id": list.list_id, "batch_id": batch });
    list.tasks.extend(more);
    list.completed_ms = None;
    Ok(told)
}

fn get(state: &State, params: &Params) -> Answer {
    let ids = params.ids("list_id")?;
    let rule = params.number("rule_id", 147)?;
    let (from, to) = (params.date("from_date")?, params.date("to_date")?);
    let rows = state
        .lists
        .all
        .values()
        .filter(|list| ids.as_ref().is_none_or(|ids| ids.contains(&list.list_id)))
        .filter(|list| rule.is_none_or(|id| list.rule_id == id))
        .filter(|list| params.text("name").is_none_or(|name| list.name.contains(name)))
        .filter(|list| params.text("status").is_none_or(|status| list.status().eq_ignore_ascii_case(status)))
        .filter(|list| !params.flag("is_active") || list.completed_ms.is_none() && !list.is_stopped)
        .filter(|list| from.is_none_or(|at| list.submitted_ms >= at) && to.is_none_or(|at| list.submitted_ms <= at))
        .map(|list| {
            let strategy = if list.repeated_first { "repeated_attempts" } else { "first_attempts" };
            let mut row = json!({
                "list_id": list.list_id, "list_name": list.name, "priority": list.priority, "rule_id": list.rule_id,
                "max_simultaneous": list.max_simultaneous, "num_attempts": list.num_attempts,
                "dt_submit": utc_text(list.submitted_ms), "interval_seconds": list.interval_s,
                "status": list.status(), "task_priority_strategy": strategy,
            });
            if let Some(at_ms) = list.completed_ms {
                row["dt_complete"] = json!(utc_text(at_ms));
            }
            row
        })
        .collect();
    page(rows, params)
}

fn details(state: &mut State, params: &Params) -> Answer {
    let list = find(state, params)?;
    let batch = params.text("batch_id");
    let rows: Vec<Value> = list
        .tasks
        .iter()
        .filter(|task| batch.is_none_or(|batch| task.batch == batch))
        .map(|task| task.details(list.list_id))
        .collect();
    match params.text("output").unwrap_or("csv") {
        "json" => page(rows, params),
        "csv" => Ok(json!({ CSV: csv_of(&rows, params)? })),
        _ => Err(ApiError::new(105, "The required output format type is not supported.")),
    }
}

/// Marks an answer that is a file.
const CSV: &str = "file_content";

/// As the platform spells the columns.
const COLUMNS: [(&str, &str); 10] = [
    ("list_id", "list_id"),
    ("custom_data", "custom_data"),
    ("start_execution_time", "start_execution_time"),
    ("finish_execution_time", "finish_execution_time"),
    ("result_data", "result_data"),
    ("last_attempt", "last_attempt"),
    ("attempts_left", "attmepts_left"),
    ("status_id", "status_id"),
    ("status", "status"),
    ("task_uuid", "task_uuid"),
];

fn csv_of(rows: &[Value], params: &Params) -> Result<String, ApiError> {
    let delimiter = letter(params, "delimiter")?.unwrap_or(b';');
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let fault = |_| ApiError::new(2, "The report cannot be written.");
    writer.write_record(COLUMNS.map(|(_, spelt)| spelt)).map_err(fault)?;
    for row in rows {
        let cells = COLUMNS.map(|(name, _)| row.get(name).map(crate::simulator::lists::said).unwrap_or_default());
        writer.write_record(cells).map_err(fault)?;
    }
    let bytes = writer.into_inner().map_err(|_| ApiError::new(2, "The report cannot be written."))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The answer as a file, when it is one.
pub fn as_file(told: &Value) -> Option<Response> {
    let text = told.get(CSV)?.as_str()?.to_owned();
    Some(([(header::CONTENT_TYPE, "application/octet-stream")], text).into_response())
}

fn edit(state: &mut State, params: &Params) -> Answer {
    // A list that does not exist is a fault of the call service here, as documented.
    let list = find(state, params).map_err(|error| match error.code {
        255 => ApiError::new(251, "The call service has an error."),
        _ => error,
    })?;
    if params.text("max_simultaneous").is_some() {
        list.max_simultaneous = within(params, "max_simultaneous", 248, 1..=u64::from(u32::MAX))? as usize;
    }
    if params.text("num_attempts").is_some() {
        list.num_attempts = within(params, "num_attempts", 249, 1..=ATTEMPTS_MAX)? as u32;
    }
    if params.text("priority").is_some() {
        list.priority = within(params, "priority", 247, 0..=1 << 31)?;
    }
    if let Some(interval_s) = params.number("interval_seconds", 496)? {
        list.interval_s = interval_s as f64;
    }
    if let Some(name) = params.text("name") {
        name.clone_into(&mut list.name);
    }
    Ok(json!({ "result": true }))
}

fn edit_task(state: &mut State, params: &Params) -> Answer {
    let list = find(state, params)?;
    let (id, uuid) = (params.number("task_id", 496)?, params.text("task_uuid"));
    let named = |task: &&mut Task| id == Some(task.task_id) || uuid == Some(&task.uuid);
    let task = list.tasks.iter_mut().find(named).ok_or_else(|| ApiError::invalid(496, "task_id"))?;
    if let Some(left) = params.number("attempts_left", 249)? {
        task.attempts_left = left.min(ATTEMPTS_MAX) as u32;
    }
    if let Some(at_s) = params.number("start_at", 496)? {
        task.due_ms = i64::try_from(at_s).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
    }
    task.change(&json!({
        "custom_data": params.text("custom_data"), "start_execution_time": params.text("min_execution_time"),
        "end_execution_time": params.text("max_execution_time"),
    }));
    Ok(json!({ "result": true }))
}

/// `tasks`: a JSON array of `task_id` or `task_uuid` with `task_priority`.
fn edit_priorities(state: &mut State, params: &Params) -> Answer {
    let invalid = || ApiError::invalid(496, "tasks");
    let asked: Vec<Value> = serde_json::from_str(params.required("tasks")?).map_err(|_| invalid())?;
    let list = find(state, params)?;
    for change in &asked {
        let priority = change["task_priority"].as_u64().ok_or_else(invalid)?;
        let named = |task: &&mut Task| change["task_id"] == task.task_id || change["task_uuid"] == task.uuid;
        list.tasks.iter_mut().filter(named).for_each(|task| task.priority = priority);
    }
    Ok(json!({ "result": true }))
}

fn cancel_tasks(state: &mut State, params: &Params, now_ms: i64) -> Answer {
    let ids = params.ids("tasks_ids")?.unwrap_or_default();
    let uuids: Vec<&str> = params.text("tasks_uuids").map(|text| text.split(';').collect()).unwrap_or_default();
    if ids.len() + uuids.len() > CANCELLED_AT_ONCE_MAX {
        return Err(ApiError::new(512, "The number of tasks is exceeded."));
    }
    let list_id = find(state, params)?.list_id;
    let count = state.lists.cancel(list_id, now_ms, |task| ids.contains(&task.task_id) || uuids.contains(&&*task.uuid));
    Ok(json!({ "result": true, "count": count }))
}

fn cancel_batches(state: &mut State, params: &Params, now_ms: i64) -> Answer {
    let batches: Vec<&str> = params.required("batch_ids")?.split(';').collect();
    let list_id = find(state, params)?.list_id;
    let count = state.lists.cancel(list_id, now_ms, |task| batches.contains(&&*task.batch));
    Ok(json!({ "result": true, "count": count }))
}

fn delete(state: &mut State, params: &Params) -> Answer {
    let list = find(state, params)?;
    if list.status() == "In progress" {
        return Err(ApiError::new(514, "The call list is in progress."));
    }
    let id = list.list_id;
    state.lists.all.remove(&id);
    Ok(json!({ "result": true }))
}
