//! What a page shows by the role of whoever looks, and what it refuses whatever it showed.

use super::{Browser, place};
use crate::harness::{self, number, settings};
use halo::app::App;
use halo::domain::ContactId;

pub async fn key_of(app: &App, role: &str) -> String {
    let mut admin = Browser::signed_in(app).await;
    let fields = [("name", role), ("role", role), ("days", "30")];
    let made = admin.order("/access/keys", &fields).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let at = made.text.find("halo_").expect("the key, once");
    let key: String = made.text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    assert!(!admin.get("/access").await.text.contains(&key), "only once");
    key
}

pub async fn signed_in(app: &App, key: &str) -> Browser {
    let mut browser = Browser::of(app);
    let answer = browser.post("/sign-in", &[("key", key), ("to", "/"), ("zone", "Europe/Moscow")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    browser
}

/// The guards: `Shell::operates` and `Shell::rules` in the templates; the API's own roles for what is sent all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_offers_what_its_key_may_do() {
    let place = place().await;
    let app = place.serve().await;
    let (campaign, run) = harness::whole_run(&app, &settings("roles", ""), &harness::csv([number(0, 1)])).await;
    let contact = ContactId(harness::attempts(&app, campaign).await[0].contact_id);
    let mut viewer = signed_in(&app, &key_of(&app, "viewer").await).await;
    let mut operator = signed_in(&app, &key_of(&app, "operator").await).await;
    let whole = &number(0, 1)[1..];
    let pages = [
        "/".to_owned(),
        format!("/campaigns/{campaign}"),
        format!("/runs/{run}"),
        format!("/people/{contact}"),
        "/people?q=999".to_owned(),
        "/suppressions".to_owned(),
        "/setup".to_owned(),
        "/schedules".to_owned(),
        "/modes".to_owned(),
    ];
    for path in &pages {
        let seen = viewer.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.text);
        assert!(!seen.text.contains(whole), "{path} shows a viewer a number");
        for offered in
            ["action=\"/all/", "href=\"/new\"", "/suppress\"", "action=\"/setup/limits\"", "href=\"/access\""]
        {
            assert!(!seen.text.contains(offered), "{path} offers a viewer {offered}");
        }
        let seen = operator.get(path).await;
        assert!(!seen.text.contains("href=\"/access\"") && !seen.text.contains("/erase\""), "{path}");
        assert!(seen.text.contains("action=\"/all/pause\""), "{path}");
    }
    assert_eq!(operator.get("/access").await.status, 403);
    assert_eq!(viewer.order("/all/pause", &[("to", "/")]).await.status, 403);
    assert_eq!(viewer.order(&format!("/people/{contact}/suppress"), &[]).await.status, 403);
    assert_eq!(operator.order(&format!("/people/{contact}/erase"), &[]).await.status, 403);
    assert!(operator.get(&format!("/people/{contact}")).await.text.contains(whole), "an operator sees whom he calls");

    let mut admin = Browser::signed_in(&app).await;
    assert_eq!(admin.order(&format!("/people/{contact}/erase"), &[]).await.status, 303);
    let gone = admin.get(&format!("/people/{contact}")).await;
    assert!(gone.status == 200 && gone.text.contains("erased") && !gone.text.contains(whole), "{}", gone.text);
    app.stop().await;
}

/// The guard: `access::revoke`, and that a page asks with the key itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_s_key_is_revoked_is_out() {
    let place = place().await;
    let app = place.serve().await;
    let mut operator = signed_in(&app, &key_of(&app, "operator").await).await;
    assert_eq!(operator.get("/").await.status, 200);
    let key = halo::domain::KeyId(app.store.keys().await.expect("keys")[0].key_id);
    let mut admin = Browser::signed_in(&app).await;
    assert_eq!(admin.order(&format!("/access/keys/{key}/revoke"), &[]).await.to(), "/access");
    let out = operator.get("/").await;
    assert!(out.status == 303 && out.to().starts_with("/sign-in"), "{}", out.status);
    let page = admin.get("/access?action=key.revoke").await;
    assert!(page.text.contains("key.revoke") && page.text.contains("API_AUTH_KEY"), "{}", page.text);
    app.stop().await;
}
