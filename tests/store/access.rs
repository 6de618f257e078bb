//! Keys, and an audit that nobody can change.

use crate::both_engines;
use crate::common::Bench;
use halo::domain::{AuditId, KeyId, Role, Timestamp};
use halo::store::{AuditFilter, AuditOrder, KeyOrder, Who};
use serde_json::json;

both_engines! {
    a_key_opens_until_it_is_revoked_or_over
    the_audit_is_only_added_to
    the_audit_is_read_in_pages_and_by_filters
    a_change_of_a_run_and_its_line_are_one_act
}

const NOW: Timestamp = Timestamp(1_750_000_000_000);

fn line(bench: &Bench, action: &'static str) -> AuditOrder {
    AuditOrder::new(&bench.store, Who::at_the_terminal("anna"), action, NOW)
}

fn order(bench: &Bench, name: &str, hash: &str) -> KeyOrder {
    let key = KeyId(bench.store.ids.one(NOW.0));
    KeyOrder {
        key,
        name: name.to_owned(),
        role: Role::Operator,
        hash: hash.to_owned(),
        expires_at: Some(NOW.plus_ms(1000)),
        now: NOW,
        audit: line(bench, "key.add").about("key", key),
    }
}

async fn a_key_opens_until_it_is_revoked_or_over(bench: Bench) {
    let made = order(&bench, "crm", "aa");
    let key = made.key;
    bench.store.add_key(made).await.expect("kept");
    assert!(bench.store.key_of("bb").await.unwrap().is_none());
    let row = bench.store.key_of("aa").await.unwrap().expect("by its hash");
    assert_eq!((row.key_id, row.role.as_str(), row.over(NOW), row.used_at), (key.0, "operator", None, None));
    assert_eq!(row.over(NOW.plus_ms(1000)), Some("expired"));
    bench.store.key_used(key, NOW).await.unwrap();
    bench.store.key_used(key, NOW.plus_ms(-5)).await.unwrap();
    assert_eq!(bench.store.key_of("aa").await.unwrap().unwrap().used_at, Some(NOW.0), "it goes forward only");
    let again = order(&bench, "the same key", "aa");
    assert!(bench.store.add_key(again).await.is_err(), "two keys are never the same");

    assert!(bench.store.revoke_key(key, NOW.plus_ms(5), line(&bench, "key.revoke")).await.unwrap());
    assert!(bench.store.revoke_key(key, NOW.plus_ms(9), line(&bench, "key.revoke")).await.unwrap());
    assert!(!bench.store.revoke_key(KeyId(7), NOW, line(&bench, "key.revoke")).await.unwrap());
    let row = &bench.store.keys().await.unwrap()[0];
    assert_eq!((row.revoked_at, row.over(NOW)), (Some(NOW.0 + 5), Some("revoked")));
    // What was refused left no line.
    assert_eq!(bench.number("select count(*) from audit where action = 'key.add'").await, 1);
    assert_eq!(bench.number("select count(*) from audit where action = 'key.revoke'").await, 2);
}

/// The guards: the triggers of migration 0019.
async fn the_audit_is_only_added_to(bench: Bench) {
    bench.store.audit(line(&bench, "run.stop")).await.unwrap();
    for statement in ["update audit set actor = 'nobody'", "delete from audit", "update audit set at = 0 where 1 = 1"] {
        let refused = bench.execute(statement).await.expect_err(statement).to_string();
        assert!(refused.contains("only added to"), "{refused}");
    }
    assert_eq!(bench.number("select count(*) from audit where actor = 'terminal: anna'").await, 1);
}

async fn the_audit_is_read_in_pages_and_by_filters(bench: Bench) {
    for (nth, action) in ["run.stop", "run.pause", "run.stop"].into_iter().enumerate() {
        let mut order = line(&bench, action).about("run", format!("run_{nth}"));
        order = order.saying(json!({ "reason": "asked by +79990000001" }));
        bench.store.audit(order).await.unwrap();
    }
    let all = bench.store.audited(&AuditFilter::default(), None, 2).await.unwrap();
    assert_eq!(all.iter().map(|row| row.subject.as_deref()).collect::<Vec<_>>(), [Some("run_2"), Some("run_1")]);
    assert_eq!(all[0].detail, "{\"reason\":\"asked by +*********01\"}", "people are named by ids alone");
    let rest = bench.store.audited(&AuditFilter::default(), Some(AuditId(all[1].audit_id)), 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    let said = |text: &str| Some(text.to_owned());
    for (filter, found) in [
        (AuditFilter { action: said("run.stop"), ..AuditFilter::default() }, 2),
        (AuditFilter { subject: said("run_1"), ..AuditFilter::default() }, 1),
        (AuditFilter { actor: said("terminal: anna"), ..AuditFilter::default() }, 3),
        (AuditFilter { actor: said("somebody"), ..AuditFilter::default() }, 0),
        (AuditFilter { since: Some(NOW.plus_ms(1)), ..AuditFilter::default() }, 0),
        (AuditFilter { until: Some(NOW), ..AuditFilter::default() }, 0),
    ] {
        assert_eq!(bench.store.audited(&filter, None, 10).await.unwrap().len(), found, "{filter:?}");
    }
}

/// The guard: `audit::put_of` in `life::record` and its neighbours.
async fn a_change_of_a_run_and_its_line_are_one_act(bench: Bench) {
    use halo::store::{Actor, By, RunState};
    let run = bench.run_of(1).await.run;
    let asked = line(&bench, "run.pause").about("run", run);
    let by = By { actor: Actor::Api, audit: Some(Box::new(asked.clone())), ..By::default() };
    assert!(bench.store.change_run(run, RunState::Paused, by, None, NOW).await.unwrap());
    assert!(asked.is_written());
    let there = format!("select count(*) from audit where action = 'run.pause' and subject = '{run}'");
    assert_eq!(bench.number(&there).await, 1);
}
