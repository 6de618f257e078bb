//! Further numbers, a part of a run again, why and status, over the API.

use super::{answer, get, place, post, told, upload, url};
use crate::harness::{KEY, completed, number, settings};
use halo::domain::RunId;
use serde_json::{Value, json};

async fn start(app: &halo::app::App, campaign: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(url(app, &format!("/api/v1/campaigns/{campaign}/runs")));
    answer(request.bearer_auth(KEY).json(&body)).await
}

fn run_id(answer: &Value) -> RunId {
    answer["id"].as_str().expect("an id").parse().expect("a run's")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_with_several_numbers_from_upload_to_why() {
    let place = place().await;
    let app = place.serve().await;
    // The first number of the first row does not exist, the third is nonsense; the second row is called as it is.
    let list = format!(
        "phone,phone2,phone3,external_id\n{},{},12,C-1\n{},{},,C-2\n",
        number(0, 90),
        number(0, 1),
        number(0, 75),
        number(0, 75)
    );
    let (status, made) = upload(&app, &settings("several", ""), list).await;
    assert_eq!((status, &made["buckets"]["accepted"], &made["notes"]), (201, &json!(2), &json!(2)), "{made}");
    let id = made["id"].as_str().expect("an id").to_owned();
    let (_, notes) = get(&app, &format!("/api/v1/campaigns/{id}/notes.csv")).await;
    let notes = notes.as_str().expect("a text");
    assert!(
        notes.contains("2,phone3,") && notes.contains("3,phone2,the same number as another one of this row"),
        "{notes}"
    );

    let (_, why) = get(&app, "/api/v1/contacts/C-1/why").await;
    assert_eq!(why["gate"], "no_run");
    let run = run_id(&post(&app, &format!("/api/v1/campaigns/{id}/runs")).await.1);
    completed(&app, run).await;
    let (_, attempts) = get(&app, &format!("/api/v1/campaigns/{id}/attempts")).await;
    let of = |n: &str| -> Vec<String> {
        let items = attempts["items"].as_array().expect("attempts").iter();
        items.filter(|a| a["number"] == json!(n)).map(|a| a["outcome"].as_str().unwrap_or("?").to_owned()).collect()
    };
    assert_eq!(
        (of(&number(0, 90)), of(&number(0, 1))),
        (vec!["invalid_number".to_owned()], vec!["answered".to_owned()])
    );
    let (_, csv) = get(&app, &format!("/api/v1/campaigns/{id}/attempts.csv")).await;
    assert!(csv.as_str().expect("a text").contains(&number(0, 1)), "the number that was rung");

    let (_, why) = get(&app, &format!("/api/v1/campaigns/{id}/contacts/C-1/why")).await;
    assert_eq!((&why["gate"], &why["outcome"]), (&json!("at_rest"), &json!("answered")));
    let (_, status) = get(&app, "/api/v1/status").await;
    assert_eq!((&status["dialling"], &status["gate"]), (&json!(false), &json!("no_run")), "{status}");
    assert_eq!(get(&app, "/api/v1/contacts/C-9/why").await.0, 404);

    for (body, code, said) in [
        (json!({ "only": { "outcomes": ["buzy"] } }), 400, "only.outcomes: `buzy` is not an outcome; known: answered"),
        (json!({ "only": { "outcomes": [] } }), 400, "name at least one outcome"),
        (
            json!({ "only": { "outcomes": ["busy"], "run": "first" } }),
            400,
            "only.run: `first` is neither last nor a run's id",
        ),
        (json!({ "only": { "outcomes": ["rejected"] } }), 409, "no contact of run"),
        (json!({ "onyl": {} }), 400, "unknown field `onyl`"),
    ] {
        let (status, body) = start(&app, &id, body).await;
        assert_eq!(status, code, "{body}");
        assert!(told(&body).contains(said), "{body}");
    }
    let (status, again) = start(&app, &id, json!({ "only": { "outcomes": ["busy"], "run": run } })).await;
    assert_eq!((status, &again["contacts"]), (201, &json!(1)), "{again}");
    let again = run_id(&again);
    let (_, paused) = post(&app, &format!("/api/v1/runs/{again}/pause")).await;
    assert_eq!(paused["state"], "paused");
    let (_, status) = get(&app, "/api/v1/status").await;
    assert_eq!(status["gate"], "paused", "{status}");
    let why = get(&app, "/api/v1/contacts/C-2/why").await.1;
    // A call that was under way goes on under a pause.
    assert!(why["gate"] == "paused" || why["gate"] == "calling", "{why}");
    app.stop().await;
}
