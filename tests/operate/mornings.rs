//! The report of the morning: at its hour, once a day over restarts and nodes, finished or not.

use super::receiver::{Post, Receiver};
use super::teller::{Teller, endpoint};
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::NOON;
use halo::domain::Outcome;
use halo::domain::notice::Kind;
use halo::notify::{Mail, Ways};

both_engines! {
    a_report_arrives_at_its_hour_once_a_day
    who_asked_for_one_channel_gets_one
}

/// The campaign's settings, as they are stored; its own zone is three hours ahead of UTC.
async fn asks(bench: &Bench, report: &str) {
    let text = format!(
        r#"{{"name":"demo","purpose":"test","modes":{{"dialog":1,"realtime":1,"realtime_pure":1}},"timezone":"Europe/Moscow","report":{report}}}"#
    );
    assert_eq!(bench.execute(&format!("update campaigns set settings = '{text}'")).await.unwrap(), 1);
}

fn reports(receiver: &Receiver) -> Vec<serde_json::Value> {
    receiver.came().iter().map(|came| came.json()).filter(|told| told["type"] == "report.ready").collect()
}

/// The guards: the row of the day, and the hour. Two nodes look at the same moment.
async fn a_report_arrives_at_its_hour_once_a_day(bench: Bench) {
    let receiver = Receiver::start().await;
    endpoint(&bench, &receiver.url("/"), &[Kind::Report]).await;
    let ways = Ways { private: true, ..Ways::default() };
    let one = Teller::on(&bench, ways.clone()).await;
    let two = Teller::of(&bench, bench.another().await, ways).await;
    let calls = bench.run_of(3).await;
    asks(&bench, r#"{"at":"14:00"}"#).await;
    let live = calls.all_live(1, NOON).await;
    calls.finish(live[0].0, live[0].1, Outcome::Answered, NOON.plus_ms(500)).await;

    // NOON is 10:00 UTC and 13:00 there.
    one.clock.set(NOON.plus_s(3_599));
    one.watch().await;
    one.look().await;
    assert!(reports(&receiver).is_empty(), "before its hour");
    for teller in [&one, &two] {
        teller.clock.set(NOON.plus_s(3_600));
    }
    tokio::join!(one.watch(), two.watch());
    for s in [3_601, 3_700, 20_000] {
        one.clock.set(NOON.plus_s(s));
        one.watch().await;
        one.look().await;
    }
    assert_eq!(reports(&receiver).len(), 1, "once");
    let first = &reports(&receiver)[0]["data"];
    assert_eq!((&first["completed"], &first["contacts"], &first["at_rest"]), (&false.into(), &3.into(), &1.into()));
    let text = first["markdown"].as_str().unwrap();
    assert!(text.starts_with("Run 1 is not finished (running): 1 of 3 contacts are at rest, 33 %."), "{text}");
    assert!(text.contains("## demo") && text.contains("simulated"), "{text}");

    for (attempt, session) in &live[1..] {
        calls.finish(*attempt, *session, Outcome::Answered, NOON.plus_s(20_001)).await;
    }
    calls.plan(NOON.plus_s(20_002)).await;
    let day = 24 * 3_600;
    two.clock.set(NOON.plus_s(day + 3_600));
    two.watch().await;
    two.look().await;
    let told = reports(&receiver);
    assert_eq!(told.len(), 2, "the next day");
    assert_eq!((&told[1]["data"]["completed"], &told[1]["data"]["at_rest"]), (&true.into(), &3.into()));
    two.clock.set(NOON.plus_s(2 * day + 3_600));
    two.watch().await;
    two.look().await;
    assert_eq!(reports(&receiver).len(), 2, "nothing happened since");
}

async fn who_asked_for_one_channel_gets_one(bench: Bench) {
    let (receiver, post) = (Receiver::start().await, Post::start().await);
    endpoint(&bench, &receiver.url("/"), &[]).await;
    let to = ["team@example.com".to_owned()];
    let mail = Mail::new(&format!("smtp://{}", post.address), "halo@example.com", &to).unwrap();
    let teller = Teller::on(&bench, Ways { private: true, mail: Some(mail), telegram: None }).await;
    let calls = bench.run_of(3).await;
    asks(&bench, r#"{"at":"14:00","channels":["email"],"lang":"ru"}"#).await;
    calls.all_live(1, NOON).await;
    teller.clock.set(NOON.plus_s(3_600));
    teller.watch().await;
    teller.look().await;
    assert!(reports(&receiver).is_empty());
    assert_eq!(post.mails().len(), 1);
    assert!(post.mails()[0].contains("Subject: "), "{}", post.mails()[0]);
}
