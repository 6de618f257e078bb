//! Programs and people are told: at least once, under one id, signed, for hours if need be, and never a neighbour.

use super::receiver::{Post, Receiver};
use super::teller::{Teller, endpoint};
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, phone};
use halo::domain::notice::Kind;
use halo::domain::{EndpointId, Outcome};
use halo::notify::{Mail, Telegram, Ways, key_of, sign};
use secrecy::SecretString;

both_engines! {
    what_happens_is_told_once_and_signed
    a_failed_try_is_made_again_under_the_same_id
    who_is_gone_is_not_asked_again
    a_neighbour_is_never_knocked_at
    tries_are_given_up_and_can_be_made_by_hand
    people_are_told_by_mail_and_by_a_bot
}

/// A call, a run and an opt-out reach whoever listens for them, and nobody else.
async fn what_happens_is_told_once_and_signed(bench: Bench) {
    let receiver = Receiver::start().await;
    let teller = Teller::on(&bench, Ways { private: true, ..Ways::default() }).await;
    let all = endpoint(&bench, &receiver.url("/all"), &[]).await;
    endpoint(&bench, &receiver.url("/runs"), &[Kind::RunStarted]).await;
    teller.look().await;
    assert!(receiver.came().is_empty());

    let calls = bench.run_of(1).await;
    let live = calls.all_live(1, NOON).await;
    calls.finish(live[0].0, live[0].1, Outcome::Answered, NOON.plus_ms(500)).await;
    bench.store.opt_out(phone(0), "asked in a call", NOON.plus_ms(600)).await.unwrap();
    teller.clock.set(NOON.plus_ms(1_000));
    teller.look().await;

    let mut kinds: Vec<(String, String)> = receiver
        .came()
        .iter()
        .map(|came| (came.path.clone(), came.json()["type"].as_str().unwrap().to_owned()))
        .collect();
    kinds.sort();
    let told = |path: &str, kind: &str| (path.to_owned(), kind.to_owned());
    assert_eq!(
        kinds,
        [
            told("/all", "call.ended"),
            told("/all", "number.opted_out"),
            told("/all", "run.started"),
            told("/runs", "run.started")
        ]
    );
    for came in receiver.came().iter().filter(|came| came.path == "/all") {
        let (id, at) = (came.header("webhook-id"), came.header("webhook-timestamp"));
        let signed = sign(&key_of(&all.secret).unwrap(), &id, at.parse().unwrap(), &came.body);
        assert_eq!(came.header("webhook-signature"), signed);
        assert!(id.starts_with("msg_"), "{id}");
    }
    let call = receiver.came().into_iter().find(|came| came.json()["type"] == "call.ended").unwrap().json();
    assert_eq!(call["data"]["outcome"], "answered");
    assert_eq!(call["data"]["attempt"], live[0].0.to_string());

    // The guard: `unique` on the source, and the look that asks for it. The next looks go back over the same rows.
    for ms in [1_500, 2_000, 20_000] {
        teller.clock.set(NOON.plus_ms(ms));
        teller.look().await;
    }
    assert_eq!(receiver.came().len(), 4, "told twice");
}

/// The guard: the delivery's row, which stays until somebody took it.
async fn a_failed_try_is_made_again_under_the_same_id(bench: Bench) {
    let receiver = Receiver::start().await;
    let teller = Teller::on(&bench, Ways { private: true, ..Ways::default() }).await;
    let hook = endpoint(&bench, &receiver.url("/"), &[Kind::OptOut]).await;
    teller.look().await;
    // A redirect is no success, and is not followed.
    receiver.answers(&[(503, "not now"), (302, &receiver.url("/elsewhere"))]);
    bench.store.opt_out(phone(0), "asked in a call", NOON).await.unwrap();
    teller.look().await;
    assert_eq!(receiver.came().len(), 1);
    for (ms, tries) in [(4_000, 1), (5_100, 2), (200_000, 2), (306_000, 3), (3_600_000, 3)] {
        teller.clock.set(NOON.plus_ms(ms));
        teller.look().await;
        assert_eq!(receiver.came().len(), tries, "{ms}");
    }
    let came = receiver.came();
    assert!(came.iter().all(|one| one.path == "/" && one.header("webhook-id") == came[0].header("webhook-id")));
    assert!(came.iter().all(|one| one.body == came[0].body));
    let (rows, tries) = bench.store.endpoint_deliveries(hook.endpoint, None, 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].state.as_str(), rows[0].tries), (1, "delivered", 3));
    let told: Vec<_> = tries.iter().map(|one| (one.status, one.told.as_deref().unwrap_or_default())).collect();
    assert_eq!(told[0], (Some(503), "HTTP 503 Service Unavailable: not now"));
    assert_eq!((told[1].0, told[2]), (Some(302), (Some(200), "")));
}

async fn who_is_gone_is_not_asked_again(bench: Bench) {
    let receiver = Receiver::start().await;
    let teller = Teller::on(&bench, Ways { private: true, ..Ways::default() }).await;
    let hook = endpoint(&bench, &receiver.url("/"), &[Kind::OptOut]).await;
    teller.look().await;
    receiver.answers(&[(410, "")]);
    for n in 0..2 {
        bench.store.opt_out(phone(n), "asked in a call", NOON.plus_ms(n as i64)).await.unwrap();
        teller.clock.set(NOON.plus_ms(10 + n as i64));
        teller.look().await;
    }
    assert_eq!(receiver.came().len(), 1);
    let kept = bench.store.endpoints().await.unwrap().into_iter().find(|one| one.endpoint == hook.endpoint).unwrap();
    assert!(kept.disabled_reason.is_some_and(|why| why.contains("410")));
}

/// The guard: `sound`. A row that was written while it was allowed is held back, too. The resolver behind it is tried in
/// `address.rs`: which names lead to this machine, each machine says for itself.
async fn a_neighbour_is_never_knocked_at(bench: Bench) {
    let receiver = Receiver::start().await;
    let teller = Teller::on(&bench, Ways::default()).await;
    let port = receiver.address.port();
    let mut hooks: Vec<EndpointId> = Vec::new();
    for url in [receiver.url("/"), format!("https://127.0.0.1:{port}/"), format!("https://localhost:{port}/")] {
        hooks.push(endpoint(&bench, &url, &[Kind::OptOut]).await.endpoint);
    }
    teller.look().await;
    bench.store.opt_out(phone(0), "asked in a call", NOON).await.unwrap();
    teller.look().await;
    assert!(receiver.came().is_empty());
    for hook in hooks {
        let (_, tries) = bench.store.endpoint_deliveries(hook, None, 10).await.unwrap();
        let told = tries[0].told.clone().unwrap();
        assert!(told.contains("public address") || told.contains("not https"), "{told}");
    }
}

async fn tries_are_given_up_and_can_be_made_by_hand(bench: Bench) {
    let receiver = Receiver::start().await;
    let teller = Teller::on(&bench, Ways { private: true, ..Ways::default() }).await;
    let hook = endpoint(&bench, &receiver.url("/"), &[Kind::OptOut]).await;
    teller.look().await;
    receiver.answers(&[(500, "no"); 10]);
    bench.store.opt_out(phone(0), "asked in a call", NOON).await.unwrap();
    for hours in 0..100 {
        teller.clock.set(NOON.plus_s(hours * 3600 + 10));
        teller.look().await;
    }
    assert_eq!(receiver.came().len(), 10);
    let (rows, _) = bench.store.endpoint_deliveries(hook.endpoint, None, 10).await.unwrap();
    assert_eq!(rows[0].state, "failed");

    let delivery = halo::domain::DeliveryId(rows[0].delivery_id);
    let now = teller.clock.now();
    let other = EndpointId(hook.endpoint.0 + 1);
    assert!(!bench.store.deliver_again(delivery, other, now).await.unwrap(), "of another endpoint");
    assert!(bench.store.deliver_again(delivery, hook.endpoint, now).await.unwrap());
    teller.look().await;
    let came = receiver.came();
    assert_eq!(came.len(), 11);
    assert_eq!(came[10].header("webhook-id"), came[0].header("webhook-id"));
    assert!(bench.store.forget_endpoint(hook.endpoint).await.unwrap());
    assert_eq!(bench.number("select count(*) from delivery_tries").await, 0);
}

/// An alert by both ways; the bot's refusal is told without its token, and is made good later.
async fn people_are_told_by_mail_and_by_a_bot(bench: Bench) {
    let (post, bot) = (Post::start().await, Receiver::start().await);
    let to = ["on-call@example.com".to_owned()];
    let ways = Ways {
        mail: Some(Mail::new(&format!("smtp://{}", post.address), "halo@example.com", &to).unwrap()),
        telegram: Some(Telegram::new(&bot.url(""), SecretString::from("123:secret"), &["-100".to_owned()]).unwrap()),
        private: false,
    };
    let teller = Teller::on(&bench, ways).await;
    bot.answers(&[(400, r#"{"ok":false,"description":"chat not found"}"#)]);
    teller.balance(3.0).await;
    teller.watch().await;
    teller.look().await;
    assert_eq!(post.mails().len(), 1);
    let mail = &post.mails()[0];
    assert!(mail.contains("To: on-call@example.com") && mail.contains("Subject: halo: the balance is low"), "{mail}");
    assert!(mail.contains("Message-ID: <msg_"), "{mail}");
    assert_eq!(bench.number("select count(*) from delivery_tries where told like '%chat not found%'").await, 1);
    assert_eq!(bench.number("select count(*) from delivery_tries where told like '%secret%'").await, 0);

    teller.clock.set(NOON.plus_ms(6_000));
    teller.look().await;
    let came = bot.came();
    assert_eq!((came.len(), post.mails().len()), (2, 1));
    assert_eq!(came[1].path, "/bot123:secret/sendMessage");
    assert_eq!(came[1].json()["chat_id"], "-100");
    let text = came[1].json()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("the balance at the provider is 3.00 USD, below 10.00"), "{text}");
}
