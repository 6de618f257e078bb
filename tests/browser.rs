//! The admin page in headless Chromium, driven as a person would: a list is dropped, checked and started, its run is
//! watched, paused and resumed, a call is opened, the report is read, in both languages; axe looks at every page.
//!
//! A run is watched while it lives, and nothing moves: a quarter of a minute, `HALO_LIVE_S=60` for the whole.
//!
//! And the report as one page, opened from a disk with the network off, in both languages, light, dark and narrow: charts
//! are there, axe finds nothing serious, and pictures of it are kept below `CARGO_TARGET_TMPDIR/report-pictures`.
//!
//! `.ci/browser` installs the driver below `target`; the browser is Debian's `chromium`. `HALO_TEST_CLIENTS=required`
//! fails without them. `HALO_SCREENSHOTS=folder` keeps pictures.

#[path = "report/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod harness;

use fixture::Campaign;
use halo::app::App;
use halo::domain::Timestamp;
use halo::report::render::{Format, render};
use halo::report::{Lang, build};
use harness::{KEY, Place, World, csv, number, settings};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn driver() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    let driver = target.join("browser");
    let chromium = Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = driver.join("node_modules/playwright-core").is_dir() && chromium.is_ok_and(|status| status.success());
    let required = std::env::var("HALO_TEST_CLIENTS").is_ok_and(|value| value == "required");
    assert!(there || !required, "no browser or no driver in {}: run .ci/browser, install chromium", driver.display());
    if !there {
        eprintln!("SKIPPED: no browser or no driver in {}: run .ci/browser, install chromium", driver.display());
    }
    there.then_some(driver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_works_with_the_page() {
    let Some(driver) = driver() else { return };
    let place = Place::new(World { speed: 12.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = place.folder.path().join("people.csv");
    let mut text = "phone,name,city\n".to_owned();
    for nth in 0..120_u32 {
        text += &format!("{},Person {nth},Town\n", number(nth / 100, nth % 100));
    }
    text += &format!("{},Twice,Town\n12,Wrong,Town\n", number(0, 1));
    std::fs::write(&list, text).expect("written");
    // The drive adds an address of a program that nobody will answer at; nothing is looked for outside.
    let said = driven(&driver, &place, &app, "tests/page/browser.mjs", &[("LIST", &list.display().to_string())]).await;
    assert!(said.contains("all pages were seen"), "{said}");
    app.stop().await;
}

/// What a drive of the page says; it has found no fault.
async fn driven(driver: &Path, place: &Place, app: &App, script: &str, more: &[(&str, &str)]) -> String {
    let mut command = Command::new("node");
    command.arg(Path::new(ROOT).join(script)).env("DRIVER", driver).env("KEY", KEY).envs(more.iter().copied());
    command.env("BASE", format!("http://{}", app.address)).env("PROFILE", place.folder.path());
    // Waiting for a program must not stand in the way of the service that it looks at.
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("it is waited for").expect("node");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    said
}

/// The guards: `height` of what fills while a run goes on in `page.css`, rows that are drawn before they are needed
/// (`run_live.html`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_jumps_while_a_run_is_watched() {
    let Some(driver) = driver() else { return };
    // A contact every sixth of a second: longer than the longest look.
    let place = Place::new(World { speed: 6.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..600_u32).map(|nth| number(nth / 100, nth % 100)));
    let text =
        settings("watched", "modes = { dialog = 1, realtime = 1, realtime_pure = 1 }").replace("cps = 20", "cps = 1");
    let campaign = harness::take_in(&app, &text, &list).await.campaign;
    let run = harness::start(&app, campaign).await;
    let live_s = std::env::var("HALO_LIVE_S").unwrap_or_else(|_| "15".into());
    let more = [("RUN", format!("/runs/{run}")), ("LIVE_S", live_s)];
    let more = more.each_ref().map(|(name, value)| (*name, value.as_str()));
    let said = driven(&driver, &place, &app, "tests/page/live.mjs", &more).await;
    assert!(said.contains("nothing moved"), "{said}");
    app.stop().await;
}

/// The guards: `<title>`, `<desc>` and the twin tables of `render/charts.rs`, the colours of `templates/report.html`.
#[tokio::test]
async fn a_report_is_read_from_a_disk_without_a_network() {
    let Some(driver) = driver() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let profile = tempfile::tempdir().expect("a folder");
    let report = build(Campaign::demo().figures(), Timestamp(1_772_600_000_000));
    let mut pages = Vec::new();
    for (name, lang) in [("from_disk_en.html", Lang::En), ("from_disk_ru.html", Lang::Ru)] {
        let path = folder.join(name);
        std::fs::write(&path, render(&report, Format::Html, lang).expect("a page")).expect("written");
        pages.push(path.display().to_string());
    }
    let mut command = Command::new("node");
    command.arg(Path::new(ROOT).join("tests/report/browser.mjs")).env("DRIVER", &driver);
    command
        .env("PAGES", pages.join(","))
        .env("PROFILE", profile.path())
        .env("PICTURES", folder.join("report-pictures"));
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("it is waited for").expect("node");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("every report was seen"), "{said}");
}
