//! A list is stored whole, or the service says why not and nothing of it is there.

use crate::client;
use crate::harness::{self, Place, World, csv, number, settings};
use halo::app::App;
use halo::store::Db;
use serde_json::Value;

/// More than the pages that are free in a file with nothing in it.
const CONTACTS: u32 = 4000;

async fn upload(app: &App) -> (u16, Value) {
    let list = csv((0..CONTACTS).map(|n| number(n / 100, n % 100)));
    let form = reqwest::multipart::Form::new()
        .text("settings", settings("full", "mode = \"dialog\""))
        .part("contacts", reqwest::multipart::Part::bytes(list.into_bytes()).file_name("contacts.csv"));
    let request = reqwest::Client::new().post(format!("http://{}/api/v1/campaigns", app.address));
    let answer = request.bearer_auth(harness::KEY).multipart(form).send().await.expect("the service answers");
    (answer.status().as_u16(), answer.json().await.expect("a body"))
}

/// Guard: what a bulk insert fails with is told as a fault of the connection (`bulk/sqlite.rs: lent`), without which the
/// service would call it an error of ours and go on writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_for_which_no_room_is_left_leaves_nothing() {
    client();
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let Db::Sqlite { writer, .. } = app.store.db() else { panic!("a file") };
    sqlx::query("pragma max_page_count = 1").execute(writer).await.expect("no page more than there is");
    let (status, answer) = upload(&app).await;
    assert_eq!((status, answer["code"].as_str()), (503, Some("storage")), "{answer}");
    let why = app.store.broken().await;
    assert!(why.contains("no room is left") && why.contains("halo.db"), "{why}");
    app.stop().await;

    let app = place.serve().await;
    for table in ["campaigns", "imports", "numbers", "contacts"] {
        let Db::Sqlite { reader, .. } = app.store.db() else { panic!("a file") };
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let rows: i64 = sqlx::query_scalar(text).fetch_one(reader).await.expect("a count");
        assert_eq!(rows, 0, "{table}");
    }
    let (status, answer) = upload(&app).await;
    assert_eq!((status, &answer["buckets"]["accepted"]), (201, &CONTACTS.into()), "{answer}");
    app.stop().await;
}
