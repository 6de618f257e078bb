//! The provider takes less than it is sent: the account slows down, and everybody is called all the same.

use crate::harness::{self, Place, World, csv, ledger, number, settings};
use halo::domain::pace::account_pace;
use halo::simulator::{Mischief, MischiefKind as Kind};

/// The guard: `slow_down` in `try_dial`; without it the account has no brake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn complaints_slow_the_account_down_and_say_why() {
    for (kind, words) in [(Kind::Start340, "340"), (Kind::Start429, "429"), (Kind::Start314, "314")] {
        let mischief = Mischief::none().with(kind, 0.3);
        let place = Place::new(World { mischief, ..World::default() }).await;
        let app = place.serve().await;
        let list = csv((0..10).map(|nth| number(nth, 90)));
        let (campaign, _) = harness::whole_run(&app, &settings("slow", "mode = \"greeting\""), &list).await;
        harness::laws_hold(&app, campaign).await;
        assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 10);
        assert!(ledger::starts(&place.simulator).await.len() > 10, "the seed refuses some");

        let account = app.store.account(app.dialer.account).await.expect("the store answers").expect("an account");
        let brake = account.brake.as_ref().expect("the account slowed down");
        assert!(brake.reason.contains(words), "{}", brake.reason);
        let told = account_pace(account.cps_max, Some(brake), brake.stepped_at);
        assert!(told.reason.is_some_and(|reason| reason.contains(words)) && told.since == Some(brake.since));
        // And it feels its way back by itself.
        let later = brake.stepped_at.plus_ms(brake.every_ms * 21);
        assert_eq!(account_pace(account.cps_max, Some(brake), later).now, account.cps_max);
        app.stop().await;
    }
}
