//! Lists that come again, break off, join others, or are in another campaign already; and lists given back.

use super::{answer, get, place, post, send_form, told, upload, url};
use crate::harness::{KEY, completed, csv, number, settings};
use halo::app::App;
use halo::domain::RunId;
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::net::TcpStream;

fn run_id(answer: &Value) -> RunId {
    answer["id"].as_str().expect("an id").parse().expect("a run's")
}

async fn append(app: &App, path: &str, key: Option<&str>, body: impl Into<String>) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(url(app, path)).bearer_auth(KEY).header("content-type", "text/csv");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    answer(request.body(body.into())).await
}

/// The guards: `sent_as.sql`, `sent_before.sql`. Without the first a key is worth nothing, without the second a list that
/// is sent twice is a second list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_sending_is_taken_in_once() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv([&number(0, 1), &number(0, 2)]);
    let (status, first) = upload(&app, &settings("one", ""), &list).await;
    assert_eq!(status, 201, "{first}");
    let (status, again) = upload(&app, &settings("one", ""), &list).await;
    assert_eq!((status, &again["id"], &again["again"]), (200, &first["id"], &json!(true)), "{again}");
    assert_eq!(again["buckets"], first["buckets"]);
    assert_eq!(upload(&app, &settings("one", ""), csv([&number(0, 3)])).await.0, 409, "another list is no repetition");
    assert_eq!(upload(&app, &settings("one", "region = \"US\""), &list).await.0, 409, "nor are other settings");

    let path = "/api/v1/campaigns/one/contacts";
    let more = csv([&number(0, 3), &number(0, 1)]);
    let (status, joined) = append(&app, path, Some("crm-17"), &more).await;
    assert_eq!((status, &joined["buckets"]["accepted"]), (201, &json!(1)), "{joined}");
    let (status, again) = append(&app, path, Some("crm-17"), &more).await;
    assert_eq!((status, &again["id"], &again["list"]), (200, &joined["id"], &json!(2)), "{again}");
    assert_eq!(again["buckets"], joined["buckets"], "the first answer again");
    let (status, refused) = append(&app, path, Some("crm-17"), csv([&number(0, 9)])).await;
    assert_eq!(status, 422, "{refused}");
    assert!(told(&refused).contains("`crm-17` came with another list before"), "{refused}");
    let (status, known) = append(&app, path, None, &more).await;
    assert_eq!((status, &known["again"]), (200, &json!(true)), "by its content: {known}");
    let (status, once_more) = append(&app, &format!("{path}?again=true"), None, &more).await;
    assert_eq!((status, &once_more["buckets"]["duplicate"]), (201, &json!(2)), "{once_more}");

    // Rows of a program, twice.
    let rows = |key: &str| {
        let body = json!([{ "phone": number(0, 4), "name": "Анна" }]);
        let request = reqwest::Client::new().post(url(&app, path)).bearer_auth(KEY).header("idempotency-key", key);
        answer(request.json(&body))
    };
    assert_eq!((rows("a").await.0, rows("a").await.0, rows("b").await.0), (201, 200, 200));
    assert_eq!(append(&app, path, Some(""), &more).await.0, 400, "a key has letters");
    app.stop().await;
}

/// The guard: `Round::against`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_other_campaigns_are_left_out_or_told() {
    let place = place().await;
    let app = place.serve().await;
    assert_eq!(upload(&app, &settings("may", ""), csv([&number(0, 1), &number(0, 2)])).await.0, 201);
    let list = csv([&number(0, 2), &number(0, 5)]);
    let (_, plain) = upload(&app, &settings("nobody-asks", ""), &list).await;
    assert_eq!(plain["buckets"]["accepted"], 2);
    let rule = |name: &str, rule: &str| format!("{}[list]\nduplicate_days = 30\n{rule}", settings(name, ""));
    let (status, june) = upload(&app, &rule("june", ""), csv([&number(0, 1), &number(0, 7)])).await;
    assert_eq!((status, &june["buckets"]), (201, &json!({ "accepted": 1, "duplicate": 1, "refused": 0 })), "{june}");
    let (_, rejects) = get(&app, "/api/v1/campaigns/june/rejects.csv").await;
    let rejects = rejects.as_str().expect("a text");
    assert!(rejects.contains("the same number as line 2 of list 1 of campaign may, of today"), "{rejects}");
    let (status, july) =
        upload(&app, &rule("july", "duplicates = \"call\""), csv([&number(0, 1), &number(0, 8)])).await;
    assert_eq!((status, &july["buckets"]["accepted"], &july["notes"]), (201, &json!(2), &json!(1)), "{july}");
    let (_, notes) = get(&app, "/api/v1/campaigns/july/notes.csv").await;
    assert!(notes.as_str().expect("a text").contains("of campaign may, of today"), "{notes}");
    let (status, refused) = upload(&app, &rule("august", ""), csv([&number(0, 1)])).await;
    assert_eq!(status, 422, "{refused}");
    assert!(told(&refused).contains("list.duplicate_days"), "{refused}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_foretells_the_run_and_knows_the_campaign() {
    let place = place().await;
    let app = place.serve().await;
    let rules =
        "name = \"poll\"\npurpose = \"survey\"\nmodes = { dialog = 1, realtime = 1 }\n[dial]\ncps = 2\nlines = 4";
    let list = "phone,name,timezone\n+12125550101,Ann,America/New_York\n+12125550102,Bob,Asia/Tokyo\n\
                +12125550103,Joe,Asia/Tokyo\n";
    let script = include_str!("../../campaigns/demo/script.toml");
    let form: &[(&str, &[u8])] =
        &[("settings", rules.as_bytes()), ("script", script.as_bytes()), ("contacts", list.as_bytes())];
    let mut body = Vec::new();
    for (name, bytes) in form {
        body.extend(format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--seam--\r\n");
    let request = reqwest::Client::new().post(url(&app, "/api/v1/campaigns/check")).bearer_auth(KEY);
    let request = request.header("content-type", "multipart/form-data; boundary=seam").body(body);
    let (status, check) = answer(request).await;
    assert_eq!(status, 200, "{check}");
    let zones = check["zones"].as_array().expect("zones");
    let tokyo = zones.iter().find(|zone| zone["timezone"] == "Asia/Tokyo").expect("Tokyo");
    assert_eq!(tokyo["contacts"], 2);
    assert!(tokyo["opens_at"].is_i64() && tokyo["opens_local"].is_string(), "{tokyo}");
    let ends = &check["first_tries_end"];
    assert!(ends["soonest"].as_i64() <= ends["latest"].as_i64() && ends["soonest"].is_i64(), "{ends}");
    let cost = &check["cost"];
    let amount = |name: &str| cost[name].as_f64().expect("an amount");
    assert!(0.0 < amount("a_minute_each") && amount("a_minute_each") < amount("most"), "{cost}");
    assert!(amount("most") < amount("most_with_retries"), "{cost}");
    let prompts = check["prompts"].as_array().expect("prompts");
    assert_eq!(prompts.len(), 6, "three contacts in two modes");
    assert!(prompts[0]["first_phrase"].as_str().expect("a text").contains("Ann"), "{}", prompts[0]);
    assert_eq!(check["pace"]["cps"], 2.0);

    assert_eq!(upload(&app, &settings("one", ""), csv([&number(0, 1), &number(0, 2)])).await.0, 201);
    let (status, check) = append(&app, "/api/v1/campaigns/one/check", None, csv([&number(0, 2), &number(0, 3)])).await;
    assert_eq!((status, &check["buckets"]["duplicate"]), (200, &json!(1)), "{check}");
    assert_eq!(check["reasons"][0]["reason"], "the same number as line 3 of list 1");
    let same = csv([&number(0, 1), &number(0, 2)]);
    assert_eq!(append(&app, "/api/v1/campaigns/one/check", None, same).await.1["came_before"], 1);
    let (_, campaign) = get(&app, "/api/v1/campaigns/one").await;
    assert_eq!(campaign["imports"].as_array().map(Vec::len), Some(1), "a check stores nothing");
    app.stop().await;
}

/// The guard: `lists::body` returns the broken pipe, and nothing is read before the upload is whole. A broken form is
/// refused by `lists::field`, and again where its next field is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let place = place().await;
    let app = place.serve().await;
    assert_eq!(upload(&app, &settings("one", ""), csv([&number(0, 1)])).await.0, 201);
    let address = url(&app, "").trim_start_matches("http://").trim_end_matches('/').to_owned();
    let list = csv((2..60).map(|n| number(0, n)));
    let field =
        |name: &str, text: &str| format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}");
    let (form, other) = ("multipart/form-data; boundary=seam", settings("two", ""));
    let campaign = format!("{}\r\n{}", field("settings", &other), field("contacts", &list));
    for (kind, path, body) in [
        ("text/csv", "/api/v1/campaigns/one/contacts", list.clone()),
        (form, "/api/v1/campaigns/one/contacts", field("contacts", &list)),
        (form, "/api/v1/campaigns", campaign),
    ] {
        // As many bytes as were said, one short.
        let text = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len() + 1
        );
        let address = address.clone();
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).expect("the server");
            stream.write_all(text.as_bytes()).expect("a part");
            stream.shutdown(std::net::Shutdown::Write).expect("it breaks off");
            // The answer, or the end: the server has understood that no more comes.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        })
        .await
        .expect("a client");
    }
    assert_eq!(get(&app, "/api/v1/campaigns").await.1.as_array().map(Vec::len), Some(1));
    let (_, campaign) = get(&app, "/api/v1/campaigns/one").await;
    assert_eq!(campaign["imports"].as_array().map(Vec::len), Some(1), "{campaign}");
    assert_eq!(get(&app, "/api/v1/campaigns/one/contacts").await.1["items"].as_array().map(Vec::len), Some(1));
    // The same list, whole.
    let (status, joined) = append(&app, "/api/v1/campaigns/one/contacts", None, list).await;
    assert_eq!((status, &joined["buckets"]["accepted"]), (201, &json!(58)), "{joined}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_comes_back_as_it_came_with_what_became_of_everybody() {
    let place = place().await;
    let app = place.serve().await;
    let list = format!(
        "Долг;Телефон;Имя;phone2;Режим\n=1+2;{};Анна;{};\n\"12,5\";8 (999) 000-00-90;\"Олег; мл.\";;dialog\n",
        number(0, 1),
        number(0, 2)
    );
    let (status, made) = upload(&app, &settings("back", ""), list).await;
    assert_eq!((status, &made["buckets"]["accepted"]), (201, &json!(2)), "{made}");
    completed(&app, run_id(&post(&app, "/api/v1/campaigns/back/runs").await.1)).await;
    let (_, text) = get(&app, "/api/v1/campaigns/back/contacts.csv?delimiter=semicolon&mark=true").await;
    let lines: Vec<&str> = text.as_str().expect("a text").lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}Долг;Телефон;Имя;phone2;Режим;halo_outcome;halo_tries;halo_mode;halo_goal;"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(&format!("'=1+2;{};Анна;{};;answered;1;", number(0, 1), number(0, 2))),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("12,5;8 (999) 000-00-90;\"Олег; мл.\";;dialog;invalid_number;1;dialog;"),
        "{}",
        lines[2]
    );

    let (_, rows) = get(&app, "/api/v1/campaigns/back/contacts.ndjson").await;
    let first: Value = match &rows {
        Value::String(rows) => serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON"),
        row => row.clone(),
    };
    assert_eq!((&first["Долг"], &first["halo_number"]), (&json!("=1+2"), &json!(number(0, 1))), "nothing is guarded");
    for what in ["contacts", "attempts", "turns", "rejects", "notes"] {
        let path = format!("/api/v1/campaigns/back/{what}.xlsx");
        let book = reqwest::Client::new().get(url(&app, &path)).bearer_auth(KEY).send().await.expect("a workbook");
        assert_eq!(book.headers()["content-disposition"], format!("attachment; filename=\"{what}.xlsx\""));
        let bytes = book.bytes().await.expect("bytes").to_vec();
        let mut read: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
        let sheet = calamine::Reader::worksheet_range(&mut read, "Sheet1").expect("a sheet");
        let cell = |row: usize, column: usize| sheet.get((row, column)).map(ToString::to_string).unwrap_or_default();
        match what {
            "contacts" => {
                assert_eq!((cell(0, 1), cell(1, 0), cell(1, 1)), ("Телефон".into(), "=1+2".into(), number(0, 1)));
                assert_eq!((cell(2, 2), cell(2, 5)), ("Олег; мл.".into(), "invalid_number".into()));
            }
            "attempts" => assert_eq!((cell(0, 0), cell(1, 6)), ("attempt".into(), "1".into())),
            _ => assert!(!cell(0, 0).is_empty(), "{what}"),
        }
    }
    let (_, attempts) = get(&app, "/api/v1/campaigns/back/attempts.csv").await;
    let mut read = csv::Reader::from_reader(attempts.as_str().expect("a text").as_bytes());
    let header = read.headers().expect("a header").clone();
    let connected = header.iter().position(|name| name == "connected_ms").expect("a column");
    let rows: Vec<csv::StringRecord> = read.records().map(|row| row.expect("a row")).collect();
    assert!(rows.iter().any(|row| row[connected].parse::<i64>().is_ok()), "somebody was connected");
    let (_, turns) = get(&app, "/api/v1/campaigns/back/turns.ndjson").await;
    assert!(turns.to_string().contains("agent_text"), "{turns}");
    let (status, refused) = get(&app, "/api/v1/campaigns/back/contacts.csv?delimiter=klingon").await;
    assert_eq!(status, 422, "{refused}");

    // What came back can be sent again.
    let (status, again) = upload(&app, &settings("again", ""), text.as_str().expect("a text").as_bytes()).await;
    assert_eq!((status, &again["buckets"]["accepted"]), (201, &json!(2)), "{again}");
    // A form with a list alone is not a campaign.
    assert_eq!(send_form(&app, &[("contacts", b"phone\n1\n")]).await.0, 400);
    app.stop().await;
}
