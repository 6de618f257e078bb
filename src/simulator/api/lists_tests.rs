//! Call lists as whoever makes one meets them: rows become sessions, and what those say decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::simulator::Settings;
use crate::simulator::tests::{Bench, quiet};

/// Says of its task what the row asks for.
const SCRIPT: &str = "require(Modules.CallList);
VoxEngine.addEventListener(AppEvents.Started, async () => {
  const row = JSON.parse(VoxEngine.customData());
  const left = Number(row.fails || 0);
  Logger.write(`row ${row.name} of list ${row.list_id}, task ${row.task_id}`);
  if (row.say === 'done') await CallList.reportResultAsync({ told: row.name });
  if (row.say === 'fail') CallList.reportError('no luck', () => VoxEngine.terminate());
  else if (row.say === 'again') {
    const next = { ...row, say: 'done' };
    const told = await CallList.requestNextAttemptAsync({ custom_data: JSON.stringify(next), attempts_left: 1 });
    Logger.write(`asked ${told.code}`);
    VoxEngine.terminate();
  } else setTimeout(() => VoxEngine.terminate(), Number(row.lasts || 0) * 1000);
});";

async fn bench() -> Bench {
    let mut bench = Bench::open(quiet(100.0)).await;
    bench.rule("list", SCRIPT).await;
    bench
}

async fn create(bench: &Bench, csv: &str, more: &[(&str, &str)]) -> Value {
    let rule = bench.rules["list"].to_string();
    let mut asked = BTreeMap::from([
        ("rule_id", rule.as_str()),
        ("priority", "0"),
        ("max_simultaneous", "2"),
        ("num_attempts", "3"),
        ("name", "night"),
        ("file_content", csv),
    ]);
    asked.extend(more.iter().copied());
    bench.ask("CreateCallList", &asked.into_iter().collect::<Vec<_>>()).await
}

async fn details(bench: &Bench, list: &str) -> Vec<Value> {
    let told = bench.ask("GetCallListDetails", &[("list_id", list), ("output", "json"), ("count", "100")]).await;
    told["result"].as_array().expect("rows").clone()
}

/// Waits until the list has come to rest.
async fn completed(bench: &Bench, list: &str) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let told = bench.ask("GetCallLists", &[("list_id", list)]).await;
        if told["result"][0]["status"] == "Completed" {
            assert!(told["result"][0]["dt_complete"].is_string());
            return details(bench, list).await;
        }
        assert!(Instant::now() < deadline, "{told} {:?}", details(bench, list).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn sessions(bench: &Bench) -> Vec<Value> {
    let told = bench.ask("GetCallHistory", &[("rule_name", "list"), ("count", "1000")]).await;
    told["result"].as_array().expect("rows").clone()
}

#[tokio::test]
async fn what_a_scenario_reports_decides() {
    let bench = bench().await;
    let csv = "name;say;__task_uuid\none;done;first\ntwo;fail;\nthree;again;\nfour;;\n";
    let made = create(&bench, csv, &[]).await;
    assert_eq!((&made["result"], &made["count"]), (&json!(true), &json!(4)), "{made}");
    let list = made["list_id"].to_string();
    let rows = completed(&bench, &list).await;
    let told: Vec<_> = rows.iter().map(|row| (row["status_id"].clone(), row["attempts_left"].clone())).collect();
    let expected = [(2, 2), (3, 0), (2, 0), (2, 2)].map(|(status, left)| (json!(status), json!(left)));
    assert_eq!(told, expected, "done; failed three times; done at the second try; silence counts as done: {rows:?}");
    assert_eq!((&rows[0]["task_uuid"], &rows[0]["result_data"]), (&json!("first"), &json!("{\"told\":\"one\"}")));
    assert_eq!(rows[1]["result_data"], "no luck");
    assert_eq!(rows[3].get("result_data"), None, "what has no value is left out");
    assert_eq!(sessions(&bench).await.len(), 1 + 3 + 2 + 1);
    let csv = bench.ask_text("GetCallListDetails", &[("list_id", &list)]).await;
    assert!(csv.starts_with("list_id;custom_data;") && csv.contains("attmepts_left"), "{csv}");
    assert_eq!(csv.lines().count(), 5);
    bench.running.stop().await;
}

#[tokio::test]
async fn no_more_than_so_many_run_at_once_and_a_stopped_list_starts_nobody() {
    let bench = bench().await;
    let rows: String = (0..6).map(|n| format!("r{n};40\n")).collect();
    let list = create(&bench, &format!("name;lasts\n{rows}"), &[]).await["list_id"].to_string();
    let deadline = Instant::now() + Duration::from_secs(30);
    let running = async || {
        let rows = details(&bench, &list).await;
        rows.iter().filter(|row| row["status_id"] == 1).count()
    };
    while running().await < 2 {
        assert!(Instant::now() < deadline, "nothing starts");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.ask("StopCallListProcessing", &[("list_id", &list)]).await["result"], true);
    let started = details(&bench, &list).await.iter().filter(|row| row["status_id"] != 0).count();
    while running().await > 0 {
        assert!(running().await <= 2);
        assert!(Instant::now() < deadline, "they do not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rows = details(&bench, &list).await;
    assert_eq!(rows.iter().filter(|row| row["status_id"] != 0).count(), started, "no other was begun: {rows:?}");
    let waiting = rows.iter().find(|row| row["status_id"] == 0).expect("one waits")["task_id"].to_string();
    let cancelled = bench.ask("CancelCallListTask", &[("list_id", &list), ("tasks_ids", &waiting)]).await;
    assert_eq!(cancelled["result"], true);
    assert_eq!(bench.ask("RecoverCallList", &[("list_id", &list)]).await["count_recovery"], 1);
    assert!(completed(&bench, &list).await.iter().all(|row| row["status_id"] == 2));
    assert_eq!(sessions(&bench).await.len(), 6);
    assert_eq!(bench.ask("DeleteCallList", &[("list_id", &list)]).await["result"], true);
    assert_eq!(bench.ask("GetCallLists", &[]).await["total_count"], 0);
    bench.running.stop().await;
}

#[tokio::test]
async fn a_list_is_refused_by_its_code() {
    let bench = bench().await;
    let code = async |csv: &str, more: &[(&str, &str)]| create(&bench, csv, more).await["error"]["code"].clone();
    let good = "name\none\n";
    for (csv, more, expected) in [
        (good, ("rule_id", "1"), 147),
        (good, ("num_attempts", "6"), 249),
        (good, ("max_simultaneous", "0"), 248),
        (good, ("priority", "high"), 247),
        (good, ("name", "a/b"), 253),
        (good, ("call_list_type", "predictive"), 427),
        (good, ("delimiter", ";;"), 496),
        ("name\n", ("name", "empty"), 250),
        ("", ("name", "none"), 134),
        ("name;__task_uuid\na;x\nb;x\n", ("name", "twice"), 250),
        ("name;task_priority\na;high\n", ("name", "words"), 250),
        ("name;__start_execution_time\na;25:00:00\n", ("name", "late"), 250),
        ("a;b\n1;2;3\n", ("name", "ragged"), 250),
    ] {
        assert_eq!(code(csv, &[more]).await, expected, "{more:?} {csv:?}");
    }
    for method in ["GetCallListDetails", "StopCallListProcessing", "RecoverCallList", "AppendToCallList"] {
        assert_eq!(bench.ask(method, &[("list_id", "12")]).await["error"]["code"], 255, "{method}");
    }
    assert_eq!(bench.ask("EditCallList", &[("list_id", "12")]).await["error"]["code"], 251);
    bench.running.stop().await;
}

/// The one with money tells when the one without would have been worked through, too.
#[tokio::test]
async fn without_money_a_list_waits() {
    let mut poor = Bench::open(Settings { balance: 0.5, ..quiet(100.0) }).await;
    poor.rule("list", SCRIPT).await;
    let rich = bench().await;
    let csv = "name;say\none;done\ntwo;fail\n";
    let waits = create(&poor, csv, &[]).await["list_id"].to_string();
    let runs = create(&rich, csv, &[]).await["list_id"].to_string();
    completed(&rich, &runs).await;
    assert!(details(&poor, &waits).await.iter().all(|row| row["status"] == "New"));
    poor.running.stop().await;
    rich.running.stop().await;
}
