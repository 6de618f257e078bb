//! What the admin page asks: who is called now, how calls came, who waits until when, and everything about a person.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, contact, new_campaign, phone};
use halo::domain::settings::Take;
use halo::domain::{CampaignId, ContactId, Outcome, SessionId};
use halo::store::NewContact;
use halo::store::people::Looked;

both_engines! {
    a_run_is_told_as_it_stands
    a_person_is_found_and_told_whole
    campaigns_are_told_with_their_newest_run
}

const MINUTE_MS: i64 = 60_000;

async fn a_run_is_told_as_it_stands(bench: Bench) {
    let calls = bench.run_of(5).await;
    let live = calls.all_live(100, NOON).await;
    assert_eq!(live.len(), 5);
    let told = bench.store.live_calls(calls.run, 3).await.unwrap();
    assert_eq!(told.len(), 3, "no more than asked for");
    assert!(told.iter().all(|call| call.state == "live" && call.dialed_at.is_some() && call.turns == 0));
    let past = bench.store.calls_by_span(calls.run, NOON.plus_ms(-MINUTE_MS), MINUTE_MS).await.unwrap();
    assert_eq!(past.iter().map(|span| span.calls).sum::<i64>(), 5);
    assert!(past.iter().all(|span| span.answered == 0));

    let (busy, session) = live[0];
    let at = NOON.plus_ms(1000);
    assert!(calls.retry_in(busy, session, Outcome::Busy, at, 150_000).await);
    let (answered, session) = live[1];
    assert!(calls.finish(answered, session, Outcome::Answered, at).await);
    assert_eq!(bench.store.live_calls(calls.run, 50).await.unwrap().len(), 3);
    let waits = bench.store.waits_by_span(calls.run, at, MINUTE_MS).await.unwrap();
    let told: Vec<_> = waits.iter().map(|wait| (wait.span, wait.gate.as_str(), wait.contacts)).collect();
    assert_eq!(told, [(2, "retry_delay", 1)], "150 s lie in the third minute");
    let by_mode = bench.store.outcomes_by_mode(calls.run).await.unwrap();
    assert_eq!(by_mode.iter().map(|row| row.attempts).sum::<i64>(), 2);
    let newest = bench.store.newest_calls(calls.run, None, None, 10).await.unwrap();
    assert_eq!(newest.len(), 2);
    let only = bench.store.newest_calls(calls.run, Some("busy"), None, 10).await.unwrap();
    assert_eq!(only.iter().map(|row| row.attempt_id).collect::<Vec<_>>(), [busy.0]);
    // Both ended at one instant: the page behind the first of them holds the other, and the one behind that nobody.
    let ids: Vec<_> = newest.iter().map(|row| halo::domain::AttemptId(row.attempt_id)).collect();
    let behind = async |attempt| bench.store.newest_calls(calls.run, None, Some(attempt), 10).await.unwrap();
    assert_eq!(behind(ids[0]).await.iter().map(|row| row.attempt_id).collect::<Vec<_>>(), [ids[1].0]);
    assert!(behind(ids[1]).await.is_empty());
    let past = bench.store.calls_by_span(calls.run, NOON.plus_ms(-MINUTE_MS), MINUTE_MS).await.unwrap();
    assert_eq!(past.iter().map(|span| span.answered).sum::<i64>(), 1);
}

async fn a_person_is_found_and_told_whole(bench: Bench) {
    let named =
        NewContact { name: Some("Анна Берёзкина".into()), external_id: Some("a-17".into()), ..contact(1) };
    let other = NewContact { name: Some("100% Oleg".into()), ..contact(2) };
    let first = new_campaign(&bench.store, "first", vec![named.clone(), other], Vec::new());
    let second = new_campaign(&bench.store, "second", vec![named], Vec::new());
    let campaign = first.campaign.campaign;
    bench.store.create_campaign(first).await.unwrap();
    bench.store.create_campaign(second).await.unwrap();
    let looked = |text: &str, digits: Option<&str>| Looked {
        digits: digits.map(str::to_owned),
        begins: None,
        lower: format!("%{}%", text.to_lowercase()),
        typed: format!("%{text}%"),
        capital: format!("%{text}%"),
        word: text.to_owned(),
    };
    let (newest, all) = (ContactId(i64::MAX), 1000);
    let told = |rows: Vec<halo::store::people::Found>| {
        rows.into_iter().map(|row| (row.campaign, row.name.unwrap_or_default())).collect::<Vec<_>>()
    };
    let names = async |looked: Looked| told(bench.store.people_alike(&looked, newest, all, 10).await.unwrap());
    let exactly = async |looked: Looked| told(bench.store.people_exactly(&looked, newest, 10).await.unwrap());
    let anna = |campaign: &str| (campaign.to_owned(), "Анна Берёзкина".to_owned());
    assert_eq!(names(looked("Берёз", None)).await, [anna("second"), anna("first")], "the newest first");
    assert_eq!(exactly(looked("a-17", None)).await.len(), 2, "by its name elsewhere");
    assert_eq!(exactly(looked("a-1", None)).await.len(), 0, "which is a whole word");
    let begins = |from: &str, until: &str| Looked {
        begins: Some((from.to_owned(), until.to_owned())),
        ..looked("nobody", None)
    };
    let number = phone(2).as_str().to_owned();
    assert_eq!(exactly(begins(&number, &number)).await, [("first".to_owned(), "100% Oleg".to_owned())]);
    assert_eq!(
        exactly(begins("+79990000", &format!("+79990000{}", "9".repeat(7)))).await.len(),
        3,
        "all that begin so"
    );
    // Only so many contacts are looked at; the last of them is where to go on.
    let ids: Vec<i64> = bench
        .store
        .people_alike(&looked("", None), newest, all, 10)
        .await
        .unwrap()
        .iter()
        .map(|p| p.contact_id)
        .collect();
    let near = bench.store.people_alike(&looked("", None), newest, 2, 10).await.unwrap();
    assert_eq!(near.iter().map(|p| p.contact_id).collect::<Vec<_>>(), ids[..2]);
    assert_eq!(bench.store.people_behind(newest, 2).await.unwrap(), Some(ContactId(ids[1])));
    assert_eq!(bench.store.people_behind(newest, 4).await.unwrap(), None, "there are but three");
    let rest = bench.store.people_alike(&looked("", None), ContactId(ids[1]), 2, 10).await.unwrap();
    assert_eq!(rest.iter().map(|p| p.contact_id).collect::<Vec<_>>(), ids[2..]);
    assert_eq!(names(looked("oleg", None)).await.len(), 1, "whatever the case of Latin letters");
    assert_eq!(names(looked("x", Some(&format!("%{}%", &phone(2).as_str()[1..])))).await.len(), 1, "by its number");
    let literal = Looked { typed: "%0~% O%".into(), capital: "%0~% O%".into(), ..looked("nobody", None) };
    assert_eq!(names(literal).await.len(), 1, "what is escaped is no wildcard");

    let found = bench.store.people_alike(&looked("Берёз", None), newest, all, 10).await.unwrap();
    let contact = ContactId(found[0].contact_id);
    let account = bench.account().await;
    let (run, _) = bench.store.start_run(campaign, account, Take::All, NOON).await.unwrap();
    let calls = crate::common::calls::Calls { store: bench.store.clone(), bench: &bench, campaign, account, run };
    let live = calls.all_live(100, NOON).await;
    for (attempt, session) in &live {
        assert!(calls.finish(*attempt, SessionId(session.0), Outcome::Answered, NOON.plus_ms(5000)).await);
    }
    let person = bench.store.people_of(contact, 10).await.unwrap();
    assert_eq!(person.len(), 2, "in both campaigns");
    assert!(person.iter().all(|p| p.found.external_id.as_deref() == Some("a-17")));
    let tries = bench.store.tries_of(contact, 10).await.unwrap();
    assert_eq!(tries.len(), 1, "a try belongs to the number, whichever campaign made it");
    assert_eq!((tries[0].campaign.as_str(), tries[0].outcome.as_deref()), ("first", Some("answered")));
    let zones = bench.store.zones_of(campaign).await.unwrap();
    assert_eq!(zones.iter().map(|zone| (zone.contacts, zone.suppressed)).collect::<Vec<_>>(), [(2, 0)]);
    bench.store.suppress(phone(1), "asked", NOON).await.unwrap();
    assert_eq!(bench.store.zones_of(campaign).await.unwrap()[0].suppressed, 1);
}

async fn campaigns_are_told_with_their_newest_run(bench: Bench) {
    let calls = bench.run_of(3).await;
    let live = calls.all_live(100, NOON).await;
    assert!(calls.finish(live[0].0, live[0].1, Outcome::Answered, NOON.plus_ms(1000)).await);
    let never = new_campaign(&bench.store, "never", vec![contact(7)], Vec::new());
    bench.store.create_campaign(never).await.unwrap();
    let told = bench.store.overview(NOON.plus_ms(-MINUTE_MS), CampaignId(i64::MAX), 10).await.unwrap();
    let figures: Vec<_> =
        told.iter().map(|c| (c.name.as_str(), c.contacts, c.runs, c.called, c.taken, c.rested)).collect();
    assert_eq!(figures, [("never", 1, 0, 0, 0, 0), ("demo", 3, 1, 3, 3, 1)]);
    assert_eq!((told[1].answered, told[1].live, told[1].state.as_deref()), (1, 2, Some("running")));
    let later = bench.store.overview(NOON.plus_ms(MINUTE_MS), CampaignId(told[0].campaign_id), 10).await.unwrap();
    assert_eq!((later.len(), later[0].called), (1, 0), "a page behind another, and calls since an instant");
}
