//! Several runs of one account: each keeps its own pace, and none keeps the others from theirs.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, contact, new_campaign};
use crate::pace::{order, read};
use halo::domain::settings::{Settings, Take};
use halo::domain::slot::spacing_us;
use halo::domain::{CampaignId, RunId};

both_engines! {
    two_runs_fill_their_account_together
    a_slow_run_keeps_nobody_waiting
}

async fn another_run(bench: &Bench, account: i64, contacts: usize) -> (CampaignId, RunId) {
    let new = new_campaign(&bench.store, "another", (0..contacts).map(contact).collect(), Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    (campaign, bench.store.start_run(campaign, account, Take::All, NOON).await.expect("a run").0)
}

/// Ten plans a second, for so long; the slots of the first run and of the other, in microseconds since NOON.
async fn slots(bench: &Bench, calls: &Calls<'_>, campaigns: &[(CampaignId, &Settings)], ms: i64) -> [Vec<i64>; 2] {
    for now in (0..ms).step_by(100).map(|ms| NOON.plus_ms(ms)) {
        calls.store.plan(order(calls, now, campaigns)).await.expect("a plan");
    }
    let of = async |is: &str| {
        let rows = format!("from attempts where run_id {is} {} order by slot_us", calls.run.0);
        let count = bench.number(&format!("select count(*) {}", rows.replace(" order by slot_us", ""))).await;
        let mut slots = Vec::new();
        for nth in 0..count {
            slots.push(bench.number(&format!("select slot_us {rows} limit 1 offset {nth}")).await - NOON.0 * 1000);
        }
        slots
    };
    [of("=").await, of("<>").await]
}

/// The law of the account's lane, whoever's the slots are.
fn keeps(slots: &[Vec<i64>; 2], cps: f64) {
    let mut all = slots.concat();
    all.sort_unstable();
    assert!(all.windows(2).all(|two| two[1] - two[0] >= spacing_us(cps)), "too close: {all:?}");
}

/// The guard: `lanes::fill` asks whose slot comes first. Run by run, the first would take every other slot of the
/// second ahead, and leave the others to nobody.
async fn two_runs_fill_their_account_together(bench: Bench) {
    let calls = bench.run_of(60).await;
    calls.store.set_limits(calls.account, Some(40.0), None).await.unwrap();
    let (campaign, _) = another_run(&bench, calls.account, 60).await;
    let settings = read("cps = 20\nlines = 1000");
    let slots = slots(&bench, &calls, &[(calls.campaign, &settings), (campaign, &settings)], 1_000).await;
    keeps(&slots, 40.0);
    // A second, and the second ahead: 39 each of 20 in 1.015 s, but for the last plan's tenth.
    let [one, other] = slots.map(|slots| slots.len());
    assert!(one >= 36 && other >= 36, "{one} and {other}");
}

/// The guard: a run's jitter is known before its turn comes (`Plan::lane_us`). Added to the slot of the account, it
/// would push that up to two seconds ahead.
async fn a_slow_run_keeps_nobody_waiting(bench: Bench) {
    let calls = bench.run_of(120).await;
    calls.store.set_limits(calls.account, Some(20.0), None).await.unwrap();
    let (campaign, _) = another_run(&bench, calls.account, 10).await;
    let (fast, slow) = (read("cps = 100\nlines = 1000"), read("cps = 0.5\nlines = 1000\njitter = 1.0"));
    let slots = slots(&bench, &calls, &[(calls.campaign, &fast), (campaign, &slow)], 5_000).await;
    keeps(&slots, 20.0);
    let longest = slots[0].windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default();
    assert!(longest < 3 * spacing_us(20.0), "the fast run waited {longest} us");
    assert!(slots[1].len() >= 2, "and the slow one is not forgotten: {:?}", slots[1]);
}
