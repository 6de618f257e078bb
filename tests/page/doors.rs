//! Who gets in, and what a form needs.

use super::{Browser, place};
use crate::harness::KEY;

const PAGES: &[&str] = &[
    "/",
    "/new",
    "/call",
    "/people",
    "/people/x",
    "/campaigns/x",
    "/campaigns/x/start",
    "/campaigns/x/report",
    "/campaigns/x/report/slices",
    "/campaigns/x/calls",
    "/campaigns/x/files/contacts.csv",
    "/runs/x",
    "/runs/x/live",
    "/calls/x",
    "/calls/x/live",
    "/calls/x/recording",
    "/calls/x/log",
    "/schedules",
    "/suppressions",
    "/suppressions/files/csv",
    "/modes",
    "/setup",
    "/access",
    "/webhooks",
    "/line",
    "/template.csv",
];

/// The guard: the extractor `Visit`, which every page but the doors takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_there_is_only_the_door() {
    let place = place().await;
    let app = place.serve().await;
    let mut stranger = Browser::of(&app);
    for path in PAGES {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        assert!(answer.to().starts_with("/sign-in?to=%2F"), "{path}: {}", answer.to());
    }
    let posts = [
        "/call",
        "/all/pause",
        "/runs/x/stop",
        "/people/x/suppress",
        "/suppressions",
        "/setup/limits",
        "/access/keys",
        "/access/keys/x/revoke",
        "/setup/restore",
        "/webhooks",
        "/webhooks/x/remove",
        "/sign-out",
        "/campaigns/x/start",
        "/calls/x/hangup",
    ];
    for path in posts {
        let answer = stranger.post(path, &[("form_token", "00")]).await;
        assert!(answer.status == 303 && answer.to().starts_with("/sign-in"), "{path}: {}", answer.status);
    }
    assert_eq!(stranger.get("/sign-in").await.status, 200);
    assert_eq!(stranger.get("/healthz").await.text, "ok\n");
    app.stop().await;
}

/// The guard: the API's answer in `doors::enter`. A cookie's seal and its end are tried beside `Sessions`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_opens_until_its_bearer_leaves() {
    let place = place().await;
    let app = place.serve().await;
    let mut browser = Browser::of(&app);
    for wrong in ["halo_wrong", "", "line\nbreak"] {
        let answer = browser.post("/sign-in", &[("key", wrong)]).await;
        assert_eq!((answer.status, browser.cookies.len()), (401, 0), "{wrong}");
        assert!(
            answer.text.contains("aria-invalid=\"true\"") && !answer.text.contains("halo_wrong"),
            "{}",
            answer.text
        );
    }
    let answer = browser.post("/sign-in", &[("key", KEY), ("to", "//elsewhere.example")]).await;
    assert_eq!((answer.status, answer.to()), (303, "/"));
    let cookie = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"),
        "{cookie}"
    );
    assert!(!cookie.contains(KEY));
    assert_eq!(browser.get("/").await.status, 200);
    let behind = browser.client.post(format!("{}/sign-in", browser.base)).form(&[("key", KEY)]);
    let behind = behind.header("x-forwarded-proto", "https").send().await.expect("an answer");
    assert!(behind.headers()["set-cookie"].to_str().expect("text").ends_with("; Secure"));

    let mut forged = Browser::of(&app);
    forged.cookies = browser.cookies.clone();
    let last = forged.cookies[0].1.pop().expect("a cookie");
    forged.cookies[0].1.push(if last == '0' { '1' } else { '0' });
    assert_eq!(forged.get("/").await.status, 303, "a cookie that nobody sealed opens nothing");

    assert_eq!(browser.order("/sign-out", &[]).await.to(), "/sign-in");
    assert_eq!(browser.get("/").await.status, 303);
    app.stop().await;
}

/// The guard: `is_token` in `Posted`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_without_its_token_changes_nothing() {
    let place = place().await;
    let app = place.serve().await;
    let mut browser = Browser::signed_in(&app).await;
    let foreign = Browser::signed_in(&app).await.get("/").await.token();
    for token in ["", "0000", foreign.as_str()] {
        let answer = browser.post("/all/pause", &[("form_token", token), ("to", "/")]).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
        let list =
            browser.send_list("/new", &[("form_token", token), ("name", "x"), ("purpose", "test")], "phone\n").await;
        assert_eq!(list.status, 403, "{}", list.text);
    }
    assert!(browser.get("/").await.text.contains("action=\"/all/pause\""), "nothing is paused");
    assert_eq!(
        browser.order("/all/pause", &[("reason", "a fire drill"), ("to", "/schedules")]).await.to(),
        "/schedules"
    );
    let page = browser.get("/").await.text;
    assert!(page.contains("action=\"/all/resume\"") && page.contains("a fire drill"), "{page}");
    assert_eq!(browser.order("/all/resume", &[("to", "/")]).await.status, 303);
    app.stop().await;
}

/// The guard: `doors::otherwise`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_nobody_knows_has_a_page_and_an_answer() {
    let place = place().await;
    let app = place.serve().await;
    let mut browser = Browser::signed_in(&app).await;
    for path in ["/nothing", "/runs/run_none", "/calls/att_none", "/campaigns/none", "/people/con_none"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("<html lang=\"en\""), "{path}: {}", page.text);
        assert!(
            page.headers["content-security-policy"].to_str().expect("text").contains("script-src 'self'"),
            "{path}"
        );
    }
    let api = browser.get("/api/v1/nothing").await;
    assert!(api.status == 404 && api.text.contains("urn:halo:problem:not_found"), "{}", api.text);
    app.stop().await;
}

/// The guards: `Taste::of`, `Lang::accepted`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_language_is_the_browsers_until_somebody_chooses() {
    let place = place().await;
    let app = place.serve().await;
    let mut browser = Browser::signed_in(&app).await;
    assert!(browser.get("/").await.text.contains("<h1>Campaigns</h1>"));
    browser.language = "ru-RU,ru;q=0.9,en;q=0.8";
    assert!(browser.get("/").await.text.contains("<h1>Кампании</h1>"));
    assert_eq!(browser.get("/language/en?to=/schedules").await.to(), "/schedules");
    assert!(browser.get("/").await.text.contains("<h1>Campaigns</h1>"), "a choice wins over the browser");
    assert_eq!(browser.get("/language/en?to=https://elsewhere.example").await.to(), "/");
    app.stop().await;
}
