//! Endpoints of outgoing webhooks over the API, a restore that waits, and whether the service says that it is ready.

use super::{answer, dead_sessions, get, post, url};
use crate::harness::KEY;
use halo::app::App;
use halo::domain::Timestamp;
use halo::store::By;
use halo::store::backup::{RestoreOrder, Restored};
use serde_json::{Value, json};

async fn send(app: &App, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().request(method, url(app, path)).bearer_auth(KEY);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_made_changed_tried_and_removed() {
    let mut place = dead_sessions().await;
    place.more.push(("HALO_WEBHOOKS_PRIVATE", "true".into()));
    let app = place.serve().await;
    // What receives is the service itself: it answers 404, which is no success.
    let address = url(&app, "/no/such/door");
    let (status, made) =
        send(&app, reqwest::Method::POST, "/api/v1/webhooks", json!({ "url": address, "kinds": ["run.started"] }))
            .await;
    assert_eq!(status, 201, "{made}");
    let secret = made["secret"].as_str().expect("it is shown once").to_owned();
    assert!(halo::notify::key_of(&secret).is_some(), "{secret}");
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());

    let (status, shown) = get(&app, &path).await;
    assert_eq!((status, &shown["secret"], &shown["kinds"]), (200, &Value::Null, &json!(["run.started"])));
    let (_, listed) = get(&app, "/api/v1/webhooks").await;
    assert!(listed.to_string().contains("run.started") && !listed.to_string().contains(&secret), "{listed}");

    let (status, _) = post(&app, &format!("{path}/test")).await;
    assert_eq!(status, 202);
    let delivery = crate::harness::until("a try that failed", || async {
        let (_, told) = get(&app, &format!("{path}/deliveries")).await;
        told["deliveries"][0]["tries"][0]["status"].as_i64().map(|status| (status, told["deliveries"][0].clone()))
    })
    .await;
    assert_eq!((delivery.0, &delivery.1["kind"], &delivery.1["state"]), (404, &json!("test"), &json!("waiting")));
    let again = format!("{path}/deliveries/{}/redeliver", delivery.1["id"].as_str().unwrap());
    assert_eq!(post(&app, &again).await.0, 202);
    crate::harness::until("a second try", || async {
        let (_, told) = get(&app, &format!("{path}/deliveries")).await;
        told["deliveries"][0]["tries"][1]["status"].as_i64()
    })
    .await;

    let (status, renewed) = post(&app, &format!("{path}/secret")).await;
    assert_eq!(status, 200);
    assert_ne!(renewed["secret"], json!(secret));
    let (status, changed) = send(&app, reqwest::Method::PATCH, &path, json!({ "enabled": false, "kinds": [] })).await;
    assert_eq!((status, &changed["enabled"], &changed["kinds"]), (200, &json!(false), &json!([])));
    assert_eq!(post(&app, &again).await.0, 409, "switched off");
    assert_eq!(send(&app, reqwest::Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(get(&app, &path).await.0, 404);
    crate::harness::stop_now(app).await;
}

/// The guard: `sound` at the door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_nobody_may_want_is_refused() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let own = url(&app, "/healthz");
    for (body, wanted, words) in [
        (json!({ "url": own }), 422, "not https"),
        (json!({ "url": "https://127.0.0.1/" }), 422, "public"),
        (json!({ "url": "https://[::ffff:10.0.0.1]/" }), 422, "public"),
        (json!({ "url": "https://169.254.169.254/latest/meta-data" }), 422, "public"),
        (json!({ "url": "https://example.com/", "kinds": ["run.stared"] }), 422, "run.started"),
        (json!({ "url": "https://example.com/", "secret": "hush" }), 400, "whsec_"),
        (json!({ "kinds": [] }), 400, "url"),
        (json!({ "url": "https://example.com/", "colour": 1 }), 400, "colour"),
    ] {
        let (status, told) = send(&app, reqwest::Method::POST, "/api/v1/webhooks", body.clone()).await;
        assert_eq!(status, wanted, "{body}: {told}");
        assert!(super::told(&told).contains(words), "{body}: {told}");
    }
    let (_, listed) = get(&app, "/api/v1/webhooks").await;
    assert_eq!(listed, json!([]));
    assert_eq!(get(&app, "/api/v1/alerts").await, (200, json!([])));
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_waits_until_it_is_confirmed() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    assert_eq!(get(&app, "/api/v1/restore").await, (200, json!({ "pending": false })));
    assert_eq!(post(&app, "/api/v1/restore/confirm").await.0, 409);
    let restored = Restored { since: Timestamp(1_795_600_800_000), restored_at: app.clock.now() };
    app.store.mark_restored(RestoreOrder { restored, by: By::default() }).await.unwrap();
    let (_, told) = get(&app, "/api/v1/restore").await;
    assert_eq!((&told["pending"], &told["since"]), (&json!(true), &json!(1_795_600_800_000_i64)));
    let (_, status) = get(&app, "/api/v1/status").await;
    let line = status["line"].as_str().unwrap();
    assert!(line.contains("opt-outs and erasures since 2026-11-25T10:00:00.000Z are missing"), "{line}");
    let (status, refused) = post(&app, "/api/v1/resume").await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(post(&app, "/api/v1/restore/confirm").await.0, 200);
    assert_eq!(get(&app, "/api/v1/pause").await.1["paused"], json!(false));
    crate::harness::stop_now(app).await;
}

/// The guards: each question of `unready`. A process that keeps nothing, or whose tables another version has changed, must
/// get no requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_is_said_by_whoever_can_keep_something() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    assert_eq!(get(&app, "/readyz").await.0, 200);
    let halo::store::Db::Sqlite { writer, .. } = app.store.db() else { panic!("a file") };
    let newer = "insert into _halo_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'later', true, x'00', 0)";
    sqlx::query(newer).execute(writer).await.unwrap();
    let (status, told) = get(&app, "/readyz").await;
    assert_eq!(status, 503, "{told}");
    assert!(told["detail"].as_str().unwrap().contains("newer version"), "{told}");
    sqlx::query("delete from _halo_migrations where version = 9999").execute(writer).await.unwrap();
    assert_eq!(get(&app, "/readyz").await.0, 200);
    // Nobody writes while somebody else holds the only connection that may.
    let held = writer.acquire().await.unwrap();
    let (status, told) = get(&app, "/readyz").await;
    assert_eq!(status, 503);
    assert!(told["detail"].as_str().unwrap().contains("no turn"), "{told}");
    assert_eq!(get(&app, "/healthz").await.0, 200, "it lives");
    drop(held);
    assert_eq!(get(&app, "/readyz").await.0, 200);
    crate::harness::stop_now(app).await;
}
