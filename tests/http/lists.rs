//! Lists in the shapes in which people upload them, and lists that are only looked at.

use super::{answer, get, place, send_form, told, upload, url};
use crate::harness::{KEY, csv, number, settings};
use halo::app::App;
use serde_json::{Value, json};

async fn send(app: &App, path: &str, body: Vec<u8>) -> (u16, Value) {
    let request = reqwest::Client::new().post(url(app, path)).bearer_auth(KEY);
    answer(request.header("content-type", "text/csv").body(body)).await
}

async fn campaigns(app: &App) -> usize {
    get(app, "/api/v1/campaigns").await.1.as_array().expect("a list").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_any_shape_is_uploaded_as_it_is() {
    let place = place().await;
    let app = place.serve().await;
    let ugly =
        |name: &str| std::fs::read(format!("{}/tests/ugly/{name}", env!("CARGO_MANIFEST_DIR"))).expect("an ugly file");
    for (name, buckets) in [
        ("excel-russian.csv", json!({ "accepted": 2, "duplicate": 1, "refused": 1 })),
        ("packed.csv.gz", json!({ "accepted": 2, "duplicate": 0, "refused": 0 })),
        ("workbook.xlsx", json!({ "accepted": 3, "duplicate": 1, "refused": 2 })),
        ("utf16le-mark.txt", json!({ "accepted": 2, "duplicate": 0, "refused": 0 })),
        ("crm.csv", json!({ "accepted": 2, "duplicate": 0, "refused": 4 })),
    ] {
        let (status, made) = upload(&app, &settings(name, ""), ugly(name)).await;
        assert_eq!((status, &made["buckets"]), (201, &buckets), "{name}: {made}");
    }
    // Fields in any order, and a list that is larger than what is kept in memory.
    let many: Vec<String> = (0..10_000).map(|n| number(n / 100, n % 100)).collect();
    let name = "x".repeat(150);
    let list = many.iter().fold("phone,name\n".to_owned(), |list, phone| format!("{list}{phone},{name}\n"));
    assert!(list.len() > 1 << 20);
    let rules = settings("large", "");
    let form: &[(&str, &[u8])] = &[("contacts", list.as_bytes()), ("settings", rules.as_bytes())];
    let (status, made) = send_form(&app, form).await;
    assert_eq!((status, &made["buckets"]["accepted"]), (201, &json!(10_000)), "{made}");

    // Appended with a word of what it is: the same bytes say something else.
    let list = "Телефон;Имя\n+12125550101;Анна\n".as_bytes().to_vec();
    let path = "/api/v1/campaigns/large/contacts?delimiter=semicolon&encoding=utf-8&header=true";
    let (status, joined) = send(&app, path, list.clone()).await;
    assert_eq!((status, &joined["buckets"]["accepted"]), (201, &json!(1)), "{joined}");
    let (status, refused) = send(&app, "/api/v1/campaigns/large/contacts?encoding=klingon", list).await;
    assert_eq!(status, 422);
    assert!(told(&refused).starts_with("encoding: write the name of a text encoding"), "{refused}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_tells_all_and_stores_nothing() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv([&number(0, 1), &number(0, 2), &number(0, 2), "12", "13", &number(0, 3)]);
    let (status, told) = send(&app, "/api/v1/campaigns/check?region=RU", list.clone().into_bytes()).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["buckets"], json!({ "accepted": 3, "duplicate": 1, "refused": 2 }));
    assert_eq!((&told["dialect"]["encoding"], &told["dialect"]["delimiter"]), (&json!("utf-8"), &json!(",")));
    assert_eq!(told["columns"][0]["role"], "phone");
    let refused = told["reasons"].as_array().expect("reasons").iter().find(|r| r["bucket"] == "refused");
    let refused = refused.expect("a reason");
    assert_eq!((&refused["rows"], &refused["first"][1]["line"]), (&json!(2), &json!(6)), "{told}");

    let form: &[(&str, &[u8])] =
        &[("contacts", list.as_bytes()), ("settings", b"name = \"x\"\npurpose = \"test\"\n[list]\nrows_max = 3")];
    let mut body = Vec::new();
    for (name, bytes) in form {
        body.extend(format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--seam--\r\n");
    let request = reqwest::Client::new().post(url(&app, "/api/v1/campaigns/check")).bearer_auth(KEY);
    let request = request.header("content-type", "multipart/form-data; boundary=seam").body(body);
    let (status, told) = answer(request).await;
    assert_eq!(status, 422, "{told}");
    assert!(told["detail"].as_str().expect("a text").contains("raise list.rows_max"), "{told}");

    let client = reqwest::Client::new();
    assert_eq!(answer(client.post(url(&app, "/api/v1/campaigns/check")).body("phone\n1")).await.0, 401);
    let template =
        client.get(url(&app, "/api/v1/template.csv?language=ru")).bearer_auth(KEY).send().await.expect("a file");
    assert_eq!(template.headers()["content-disposition"], "attachment; filename=\"contacts.csv\"");
    let template = template.bytes().await.expect("bytes").to_vec();
    assert!(template.starts_with("\u{feff}Телефон;".as_bytes()));
    let (status, told) = send(&app, "/api/v1/campaigns/check", template).await;
    assert_eq!((status, &told["buckets"]["accepted"]), (200, &json!(1)), "{told}");
    assert_eq!(campaigns(&app).await, 0);
    app.stop().await;
}
