//! Rows that were not accepted come back whole, are mended, and are sent again; a list that was taken away comes back.

use super::{get, place, told, upload, url};
use crate::harness::{KEY, csv, number, settings};
use halo::app::App;
use serde_json::{Value, json};

async fn append(app: &App, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let request = reqwest::Client::new().post(url(app, path)).bearer_auth(KEY).header("content-type", "text/csv");
    super::answer(request.body(body)).await
}

async fn text(app: &App, path: &str) -> String {
    get(app, path).await.1.as_str().expect("a text").to_owned()
}

/// Of a header or a row: without what stands behind the columns of the list.
fn own<'a>(line: &'a str, header: &str) -> Vec<&'a str> {
    let own = header.split(',').take_while(|name| !name.starts_with("halo_")).count();
    line.split(',').take(own).collect()
}

/// The guards: `faulty` looks at `Layout::surplus`, `row::whole` in `rows.rs` (a refused row, a duplicate of the file), `Taking::whole` and `Round::lose` (a
/// duplicate of a stored row), `columns::is_ours` (what we wrote beside a row is no variable and no phone),
/// `taken::is_from_here` (the campaign's own files are others), `guard` and `values::plain` (a formula comes back).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejects_are_mended_and_sent_again() {
    let place = place().await;
    let app = place.serve().await;
    let rules = format!("{}[list]\nencoding = \"windows-1251\"\ndelimiter = \"semicolon\"\n", settings("mended", ""));
    let list = format!(
        "Долг;Связь;Имя;Заметка\n100;{};Анна;x\n200;12;Борис;=1+2\n300;{};Вера;y\n400;{};Глеб;z;лишнее\n500;;Дина;v\n",
        number(0, 1),
        number(0, 1),
        number(0, 2)
    );
    let list = encoding_rs::WINDOWS_1251.encode(&list).0.into_owned();
    let (status, made) = upload(&app, &rules, list).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["buckets"], json!({ "accepted": 1, "duplicate": 1, "refused": 3 }), "{made}");

    let rejects = text(&app, "/api/v1/campaigns/mended/rejects.csv").await;
    let lines: Vec<&str> = rejects.lines().collect();
    let header = lines[0];
    // The phone column was found by looking: a list of faulty numbers would not tell it again.
    assert_eq!(header, "Долг,phone,Имя,Заметка,halo_surplus,halo_list,halo_line,halo_bucket,halo_field,halo_reason");
    assert!(lines[1].starts_with("200,12,Борис,'=1+2,,1,3,refused,phone,"), "{rejects}");
    let twice = format!("300,{},Вера,y,,1,4,duplicate,phone,the same number as line 2", number(0, 1));
    assert_eq!(lines[2], twice);
    let ragged = format!("400,{},Глеб,z,лишнее,1,5,refused,row,", number(0, 2));
    assert!(lines[3].starts_with(&ragged), "{rejects}");
    assert!(lines[4].starts_with("500,,Дина,v,,1,6,refused,phone,the cell is empty"), "{rejects}");

    // As it is, it is refused again, row by row; nothing is stored.
    let path = "/api/v1/campaigns/mended/contacts";
    let (status, same) = append(&app, path, rejects.clone()).await;
    assert_eq!(status, 201, "{same}");
    assert_eq!(same["buckets"], json!({ "accepted": 0, "duplicate": 1, "refused": 3 }), "{same}");

    let mended = rejects.replacen(",12,", &format!(",{},", number(0, 3)), 1).replacen("лишнее", "", 1);
    let (status, check) = append(&app, "/api/v1/campaigns/mended/check", mended.clone()).await;
    assert_eq!((status, &check["buckets"]["accepted"]), (200, &json!(2)), "{check}");
    let roles = check["columns"].as_array().expect("columns").iter().filter(|column| column["role"] == "ours");
    assert_eq!(roles.count(), 6, "{check}");
    let (status, joined) = append(&app, path, mended).await;
    assert_eq!(
        (status, &joined["buckets"]),
        (201, &json!({ "accepted": 2, "duplicate": 1, "refused": 1 })),
        "the mended ones are accepted, the one that is there is a duplicate, the empty one is refused: {joined}"
    );
    // What was accepted is what stood in the first file.
    let contacts = text(&app, "/api/v1/campaigns/mended/contacts.csv").await;
    let rows: Vec<Vec<&str>> =
        contacts.lines().map(|line| own(line, contacts.lines().next().expect("a header"))).collect();
    assert_eq!(rows[0], ["Долг", "Связь", "Имя", "Заметка"], "{contacts}");
    assert!(rows.contains(&vec!["200", number(0, 3).as_str(), "Борис", "'=1+2"]), "{contacts}");
    let variables = text(&app, "/api/v1/campaigns/mended/contacts.ndjson").await;
    assert!(variables.contains("\"Заметка\":\"=1+2\"") && !variables.contains("halo_reason"), "{variables}");

    // A duplicate of a stored row is whole too.
    let rejects = text(&app, "/api/v1/campaigns/mended/rejects.csv").await;
    let late = format!("300,{},Вера,y,,3,3,duplicate,phone,the same number as line 2 of list 1", number(0, 1));
    assert!(rejects.lines().any(|line| line.starts_with(&late)), "{rejects}");
    let last = text(&app, "/api/v1/campaigns/mended/rejects.csv?list=3").await;
    assert_eq!(last.lines().count(), 1 + 2, "{last}");
    let second = text(&app, "/api/v1/campaigns/mended/rejects.csv?list=2").await;
    let surplus = "z,лишнее,2,4,refused,row,\"the row had cells too many";
    assert!(second.lines().count() == 5 && second.contains(surplus), "nothing is lost: {second}");
    assert_eq!(get(&app, "/api/v1/campaigns/mended/rejects.csv?list=9").await.0, 404);
    app.stop().await;
}

/// The guard: `columns::is_ours`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_was_taken_away_comes_back() {
    let place = place().await;
    let app = place.serve().await;
    let list = format!(
        "phone,name,phone,Заметка,Заметка\n{},Анна,,=1+2,b\n{},Олег,{},-,d\n",
        number(0, 1),
        number(0, 2),
        number(0, 3)
    );
    let (status, made) = upload(&app, &settings("first", ""), &list).await;
    assert_eq!(status, 201, "{made}");
    let taken = text(&app, "/api/v1/campaigns/first/contacts.csv?delimiter=semicolon&mark=true").await;
    let (status, made) = upload(&app, &settings("second", ""), &taken).await;
    assert_eq!((status, &made["buckets"]["accepted"]), (201, &json!(2)), "{made}");
    let again = text(&app, "/api/v1/campaigns/second/contacts.csv?delimiter=semicolon&mark=true").await;
    let cut = |text: &str| -> Vec<Vec<String>> {
        let rows = text.lines().map(|line| line.split(';').take(5).map(str::to_owned).collect());
        rows.collect()
    };
    assert_eq!(cut(&again), cut(&taken), "what the list said is what it says");
    assert_eq!(again.lines().next(), taken.lines().next(), "no column of ours became one of the list");
    // Into its own campaign it brings nobody.
    let (status, joined) = append(&app, "/api/v1/campaigns/first/contacts", taken).await;
    assert_eq!(
        (status, &joined["buckets"]),
        (201, &json!({ "accepted": 0, "duplicate": 2, "refused": 0 })),
        "{joined}"
    );
    // Two columns of one name are two keys.
    let rows = text(&app, "/api/v1/campaigns/first/contacts.ndjson").await;
    assert!(rows.contains("\"Заметка\":\"=1+2\"") && rows.contains("\"Заметка_2\":\"b\""), "{rows}");

    // A list of which nothing is left but faults says so, line by line.
    let (status, refused) = append(&app, "/api/v1/campaigns/first/contacts", csv(["12"])).await;
    assert_eq!(status, 422);
    assert!(told(&refused).contains("line 2: phone: "), "{refused}");
    app.stop().await;
}
