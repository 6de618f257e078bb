//! A campaign rehearsed: the very list, script and settings, and nothing of it kept.

use crate::harness::{Place, World, number, settings, take_in};
use halo::domain::Timestamp;
use halo::rehearse::{Order, Rehearsed, SIMULATED, run};
use std::path::Path;

fn at(text: &str) -> Timestamp {
    text.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant").into()
}

/// A number that does not exist: the next one of its contact is rung at once.
const DEAD: u32 = 90;

fn order(what: &Path, contacts_max: usize) -> Order {
    // A Saturday night in Moscow.
    let at = Some(at("2026-11-21T20:00:00Z"));
    Order { what: what.display().to_string(), seed: 3, speed: 120.0, contacts_max, at }
}

fn folder(place: &Place, numbers: &[String]) -> std::path::PathBuf {
    let dir = place.folder.path().join("night");
    std::fs::create_dir_all(&dir).expect("a folder");
    let settings = "name = \"night\"\npurpose = \"survey\"\nmodes = { dialog = 1, realtime_pure = 1 }\n\
        [dial]\ncps = 20\nlines = 60\ncall_s = 120\n[windows]\ndays = [\"mon-fri 10:00-18:00\"]\n\
        [retry]\nattempts_max = 2\nbusy = [\"next-day\"]\n[schedule]\ncron = \"0 2 * * *\"\n";
    std::fs::write(dir.join("campaign.toml"), settings).expect("written");
    let list = numbers.iter().fold("phone\n".to_owned(), |list, number| list + number + "\n");
    std::fs::write(dir.join("contacts.csv"), list).expect("written");
    dir
}

fn what_happened(done: &Rehearsed) -> String {
    format!("{:?} {:?}", done.outcomes, done.dispositions)
}

/// The guards: time is skipped only while nobody is called, the schedule does not fire, windows hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_rehearsed_inside_its_windows_and_leaves_nothing() {
    let place = Place::new(World::default()).await;
    let endings = [0, 1, 2, 3, 65, 75, 88, 90];
    let numbers: Vec<String> = endings.iter().map(|ending| number(0, *ending)).collect();
    let (dir, config) = (folder(&place, &numbers), place.config());
    let done = run(&config, &order(&dir, 500)).await.expect("a rehearsal");
    assert_eq!((done.state, done.note, done.contacts, done.contacts_listed), ("completed", SIMULATED, 8, 8), "{done}");
    // From Saturday night to Monday morning, and once more the day after for the busy one.
    let (first, last) = (at("2026-11-23T07:00:00Z"), at("2026-11-24T15:00:00Z"));
    assert!(done.began_at < at("2026-11-21T21:00:00Z") && first < done.ended_at && done.ended_at < last, "{done}");
    assert_eq!(done.dispositions["busy"], 1, "{done}");
    assert_eq!(
        (done.outcomes["busy"], done.outcomes["rejected"], done.outcomes["invalid_number"]),
        (2, 1, 1),
        "{done}"
    );
    assert!(done.cost.provider > 0.0 && done.cost.models > 0.0 && done.cost.whole_list > 0.0, "{done}");
    let modes: Vec<&str> = done.transcripts.iter().map(|shown| shown.mode.as_str()).collect();
    assert!(!modes.is_empty() && done.transcripts.iter().all(|shown| !shown.turns.is_empty()), "{done}");
    let text = done.to_string();
    assert!(text.contains(SIMULATED) && !text.contains("+7999000"), "{text}");
    assert!(!place.folder.path().join("halo.db").exists(), "the user's database was not even made");

    // A longer list is a sample, and the same seed draws the same.
    let (one, two) = (run(&config, &order(&dir, 3)).await.unwrap(), run(&config, &order(&dir, 3)).await.unwrap());
    assert_eq!((one.contacts, one.contacts_listed), (3, 8));
    assert_eq!(what_happened(&one), what_happened(&two));
    assert!(one.to_string().contains("3 of 8 contacts, drawn by the seed"), "{one}");
}

/// The guard: the rehearsal's own database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_of_the_database_is_only_read() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = format!("phone\n{}\n{}\n", number(0, 0), number(0, 94));
    let campaign = take_in(&app, &settings("kept", ""), &list).await.campaign;
    let opted_out = number(0, 94).parse().expect("an example number");
    app.store.suppress(opted_out, "asked", app.clock.now()).await.expect("suppressed");
    app.stop().await;

    let done = run(&place.config(), &order(Path::new("kept"), 500)).await.expect("a rehearsal");
    assert_eq!((done.contacts, done.calls), (2, 1), "{done}");
    assert_eq!((done.dispositions["answered"], done.dispositions["suppressed"]), (1, 1), "{done}");
    let store = halo::app::open_store(&place.config()).await.expect("the database");
    assert_eq!(store.campaigns(10).await.expect("campaigns").len(), 1);
    assert!(store.runs(campaign).await.expect("runs").is_empty(), "nothing of it is counted");
    let calls = crate::ledger::by_number(&place.simulator).await;
    assert!(calls.is_empty(), "no simulator but its own was asked: {calls:?}");
}

/// The guards: both lists of the user's database are handed over, for every number of a contact.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_knows_test_phones_and_whoever_opted_out() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    // No example numbers: only the allow-list lets a test ring them on a Saturday night.
    let [listed, opted_out] = [1, 3].map(|n| format!("+7902{n:07}"));
    app.store.allow_list(listed.parse().expect("a number"), true, app.clock.now()).await.expect("listed");
    app.store.suppress(opted_out.parse().expect("a number"), "asked", app.clock.now()).await.expect("suppressed");
    let dead = number(0, DEAD);
    let settings = settings("panel", "");
    take_in(&app, &settings, &format!("phone,phone2\n{listed},\n{dead},{opted_out}\n")).await;
    app.stop().await;
    let dir = place.folder.path().join("panel");
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join("campaign.toml"), &settings).expect("written");
    std::fs::write(dir.join("contacts.csv"), format!("phone,phone2\n{listed},\n{dead},{opted_out}\n"))
        .expect("written");
    // Of the database, and of a folder as it would be imported into that database.
    for what in [Path::new("panel"), dir.as_path()] {
        let done = run(&place.config(), &order(what, 500)).await.expect("a rehearsal");
        assert!(done.ended_at < at("2026-11-22T00:00:00Z"), "nobody waits for a window: {done}");
        assert_eq!((done.contacts, done.calls), (2, 2), "whoever opted out is not rung instead: {done}");
    }
}
