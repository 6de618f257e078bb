//! The suppression list and the allow-list.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, phone, token};
use halo::domain::Outcome;
use halo::store::Lifted;

both_engines! {
    a_suppression_ends_what_is_planned
    a_list_is_added_whole_and_told_by_number
    the_callee_s_own_word_weighs_more
    a_page_follows_a_page
    a_test_phone_comes_and_goes
}

/// The guard: `rest_suppressed` in the act that suppresses. Without it a planned attempt costs a session first.
async fn a_suppression_ends_what_is_planned(bench: Bench) {
    let calls = bench.run_of(3).await;
    let planned = calls.plan(NOON).await;
    assert!(calls.claim(planned[1], token(1), NOON).await);
    for n in [0, 1] {
        assert!(bench.store.suppress(phone(n), "asked by letter", NOON).await.unwrap());
    }
    let held = async |nth: usize| bench.store.attempt(planned[nth].attempt).await.unwrap().unwrap();
    assert_eq!((held(0).await.state.name(), held(0).await.disposition), ("ended", Some(Outcome::Suppressed)));
    // A session may be starting: its grant is what refuses it. The third was not asked for.
    assert_eq!((held(1).await.state.name(), held(1).await.suppressed), ("dialing", true));
    assert_eq!((held(2).await.state.name(), held(2).await.suppressed), ("planned", false));
    assert!(!calls.claim(planned[0], token(2), NOON).await, "its nudge starts nothing");
    assert!(calls.claim(planned[2], token(3), NOON).await);
}

async fn a_list_is_added_whole_and_told_by_number(bench: Bench) {
    assert!(bench.store.suppress(phone(7), "before", NOON).await.unwrap());
    let list: Vec<_> = (0..2500).map(|n| (phone(n), format!("list, line {n}\0"))).collect();
    let added = bench.store.suppress_all(list.clone(), NOON).await.unwrap();
    assert_eq!(added.len(), 2499, "one was on the list");
    assert!(bench.store.suppress_all(list, NOON).await.unwrap().is_empty(), "a second time adds nobody");
    let standing = bench.store.standing(&phone(7)).await.unwrap().unwrap();
    assert_eq!(standing.suppressed_reason.as_deref(), Some("before"));
    let standing = bench.store.standing(&phone(8)).await.unwrap().unwrap();
    assert_eq!(
        (standing.suppressed_reason.as_deref(), standing.suppressed_by.as_deref()),
        (Some("list, line 8"), Some("operator"))
    );
}

/// The guards: `suppress_e164` lets a callee's word replace an operator's, `lift` asks for a reason.
async fn the_callee_s_own_word_weighs_more(bench: Bench) {
    let later = NOON.plus_ms(1000);
    assert!(bench.store.suppress(phone(1), "a list", NOON).await.unwrap());
    assert!(!bench.store.opt_out(phone(1), "asked when ringing back", later).await.unwrap());
    assert!(!bench.store.suppress(phone(1), "a list again", later).await.unwrap());
    let standing = bench.store.standing(&phone(1)).await.unwrap().unwrap();
    assert_eq!(standing.suppressed_by.as_deref(), Some("callee"));
    assert_eq!(standing.suppressed_reason.as_deref(), Some("asked when ringing back"));
    assert_eq!(standing.suppressed_at, Some(NOON.0), "since when it holds does not change");

    let lift = async |n, reason: Option<&str>| {
        bench.store.lift_suppression(phone(n), reason.map(str::to_owned), later).await.unwrap()
    };
    assert_eq!(lift(1, None).await, Lifted::NeedsReason);
    assert!(bench.store.standing(&phone(1)).await.unwrap().unwrap().suppressed_at.is_some());
    assert_eq!(lift(1, Some("asked us to call again, letter of 2 May")).await, Lifted::Done);
    assert_eq!(lift(1, Some("twice")).await, Lifted::NotSuppressed);
    assert_eq!(lift(2, None).await, Lifted::NotSuppressed, "a number that nobody heard of");
    assert!(bench.store.suppress(phone(2), "a list", NOON).await.unwrap());
    assert_eq!(lift(2, None).await, Lifted::Done, "an operator's own entry");
    let kept =
        "select count(*) from lifted_suppressions where lifted_reason like '%2 May%' and suppressed_by = 'callee'";
    assert_eq!(bench.number(kept).await, 1);

    // In a call: the settle's own statement.
    let calls = bench.run_of(4).await;
    assert!(bench.store.suppress(phone(3), "a list", NOON).await.unwrap());
    let attempt = calls.plan(NOON).await.into_iter().map(|p| p.attempt);
    for attempt in attempt {
        calls
            .decide(attempt, later, |_| {
                let suppress = Some("asked in a call".to_owned());
                (halo::store::Change { suppress, ..Default::default() }, ())
            })
            .await;
    }
    assert_eq!(bench.number("select count(*) from numbers where suppressed_by = 'callee'").await, 4);
}

async fn a_page_follows_a_page(bench: Bench) {
    for n in 0..25 {
        let reason = if n % 5 == 0 { "by Letter" } else { "100% sure" };
        // Several in one instant.
        bench.store.suppress(phone(n), reason, NOON.plus_ms(n as i64 / 3)).await.unwrap();
    }
    let (mut behind, mut seen) = (None, Vec::new());
    loop {
        let page = bench.store.suppressed_page(behind, None, 4).await.unwrap();
        let Some(last) = page.last() else { break };
        behind = Some((last.suppressed_at, last.number_id));
        seen.extend(page.into_iter().map(|row| (row.suppressed_at, row.number_id, row.e164)));
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "the newest first, each once");
    for (like, found) in [("%by letter%", 5), ("%100~%%", 20), ("%9990000012%", 1), ("%nobody%", 0), ("%~_%", 0)] {
        assert_eq!(bench.store.suppressed_page(None, Some(like), 100).await.unwrap().len(), found, "{like}");
    }
}

async fn a_test_phone_comes_and_goes(bench: Bench) {
    let listed = async || bench.store.standing(&phone(1)).await.unwrap().is_some_and(|standing| standing.allow_listed);
    assert!(!listed().await);
    for (wanted, at) in [(true, NOON), (true, NOON.plus_ms(5)), (false, NOON), (false, NOON), (true, NOON)] {
        bench.store.allow_list(phone(1), wanted, at).await.unwrap();
        assert_eq!(listed().await, wanted);
    }
    assert_eq!(bench.number("select count(*) from numbers").await, 1);
}
