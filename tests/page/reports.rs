//! What is done with a report on its page: it is cut, and shown to somebody without a key; and how long things are kept.

use super::access::{key_of, signed_in};
use super::{Browser, place};
use crate::harness::{self, number, settings};
use halo::domain::AttemptId;

/// The guards: `Shell::operates` in report.html; the API's own roles for what is sent all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_shared_by_a_link() {
    let place = place().await;
    let app = place.serve().await;
    let (campaign, _) = harness::whole_run(&app, &settings("shown", ""), &harness::csv([number(0, 1)])).await;
    let report = format!("/campaigns/{campaign}/report");
    let mut operator = signed_in(&app, &key_of(&app, "operator").await).await;
    let made = operator.order(&format!("{report}/share"), &[("days", "3"), ("lang", "ru")]).await;
    assert_eq!((made.status, made.to()), (303, format!("{report}#shares").as_str()), "{}", made.text);
    let page = operator.get(&report).await;
    let link = page.text.split("href=\"/shared/").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    let link = format!("/shared/{}", link.replace("&#38;", "&"));
    let mut stranger = Browser::of(&app);
    let shown = stranger.get(&link).await;
    assert!(shown.status == 200 && shown.text.contains("<html lang=\"ru\""), "{}", shown.text);
    for wrong in ["0", "31", "soon"] {
        let refused = operator.order(&format!("{report}/share"), &[("days", wrong), ("lang", "en")]).await;
        assert!([400, 422].contains(&refused.status), "{wrong}: {}", refused.status);
        let (field, fault) = (format!("value=\"{wrong}\" aria-invalid"), "id=\"share-faults\"");
        assert!(refused.text.contains(&field) && refused.text.contains(fault), "{}", refused.text);
    }
    let mut viewer = signed_in(&app, &key_of(&app, "viewer").await).await;
    let seen = viewer.get(&report).await;
    assert!(seen.status == 200 && !seen.text.contains("/report/share"), "{}", seen.text);
    assert_eq!(viewer.order(&format!("{report}/share"), &[("days", "3"), ("lang", "en")]).await.status, 403);
    let id = link.trim_start_matches("/shared/").split('?').next().expect("an id").to_owned();
    let revoke = format!("{report}/shares/{id}/revoke");
    assert_eq!(viewer.order(&revoke, &[]).await.status, 403);
    assert_eq!(operator.order(&revoke, &[]).await.status, 303);
    assert!(operator.get(&report).await.text.contains("taken back"));
    assert_eq!(stranger.get(&link).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_cut_and_leads_to_its_calls() {
    let place = place().await;
    let app = place.serve().await;
    let mut list = "phone,city\n".to_owned();
    for n in 0..8 {
        list += &format!("{},{}\n", number(0, n), ["Perm", "Omsk"][n as usize % 2]);
    }
    let (campaign, _) = harness::whole_run(&app, &settings("cut", "mode = \"dialog\""), &list).await;
    let mut viewer = signed_in(&app, &key_of(&app, "viewer").await).await;
    let path = format!("/campaigns/{campaign}/report/slices");
    let whole = viewer.get(&path).await;
    assert!(whole.text.contains("value=\"column:city\""), "the list's own columns are offered: {}", whole.text);
    let calls = |text: &str| text.matches("href=\"/calls/att_").count();
    assert_eq!(calls(&whole.text), 10, "the slowest ten turns of the whole campaign");
    let cut = viewer.get(&format!("{path}?by=column%3Acity")).await;
    for city in ["Perm", "Omsk"] {
        assert!(cut.text.contains(&format!("<th scope=\"row\">{city}</th>")), "{city}: {}", cut.text);
    }
    let cell = format!("{path}?by=column%3Acity&#38;label=Perm&#38;mode=dialog#slowest");
    assert!(cut.text.contains(&cell), "each cell leads to its turns: {}", cut.text);
    let of_perm = viewer.get(&format!("{path}?by=column%3Acity&label=Perm&mode=dialog")).await;
    assert!(of_perm.text.contains("Perm · dialog") && calls(&of_perm.text) > 0, "{}", of_perm.text);
    for row in harness::attempts(&app, campaign).await {
        let there = of_perm.text.contains(&AttemptId(row.attempt_id).to_string());
        let even = row.e164.ends_with(['0', '2', '4', '6']);
        assert!(!there || even, "a call of another city: {}", row.e164);
    }
    assert!(viewer.get(&format!("{path}?by=list")).await.text.contains("1. contacts.csv"), "a list has its name");
    assert_eq!(viewer.get(&format!("{path}?by=shoe_size")).await.status, 400);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_things_are_kept_is_set_on_the_page() {
    let place = place().await;
    let app = place.serve().await;
    let mut admin = Browser::signed_in(&app).await;
    let days = |transcripts: &'static str, raw: &'static str| {
        [("transcripts_days", transcripts), ("recordings_days", ""), ("raw_days", raw)]
    };
    let kept = admin.order("/access/retention", &days("90", "")).await;
    assert_eq!((kept.status, kept.to()), (303, "/access#kept"), "{}", kept.text);
    let page = admin.get("/access").await;
    let field = |name: &str, value: &str| {
        format!("name=\"{name}\" inputmode=\"numeric\" maxlength=\"6\" autocomplete=\"off\" value=\"{value}\"")
    };
    assert!(page.text.contains(&field("transcripts_days", "90")) && page.text.contains(&field("raw_days", "")));
    assert!(page.text.contains("retention.set"), "it stands in the audit");
    let refused = admin.order("/access/retention", &days("30", "soon")).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("id=\"kept-faults\"") && refused.text.contains(&field("raw_days", "soon")));
    assert!(admin.get("/access").await.text.contains(&field("transcripts_days", "90")), "nothing was changed");
    let mut operator = signed_in(&app, &key_of(&app, "operator").await).await;
    assert_eq!(operator.order("/access/retention", &days("1", "1")).await.status, 403);
    assert_eq!(admin.order("/access/retention", &days("", "")).await.status, 303);
    assert!(admin.get("/access").await.text.contains(&field("transcripts_days", "")), "kept for good again");
    app.stop().await;
}
