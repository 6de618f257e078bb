//! The page at `/docs`, in headless Chromium: it shows the document, asks nobody but the service, and breaks none of its
//! own rules for scripts. `.ci/browser` installs the driver; `HALO_SCREENSHOTS=folder` keeps a picture.

use crate::harness::{Place, World};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn driver() -> Option<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(crate::ROOT).join("target"), PathBuf::from);
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
async fn the_page_shows_the_document_and_asks_nobody_else() {
    let Some(driver) = driver() else { return };
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let mut command = Command::new("node");
    command.arg(Path::new(crate::ROOT).join("tests/openapi/docs.mjs")).env("DRIVER", &driver);
    command.env("BASE", format!("http://{}", app.address)).env("PROFILE", place.folder.path());
    if let Some(folder) = std::env::var_os("HALO_SCREENSHOTS") {
        command.env("PICTURE", Path::new(&folder).join("docs.png"));
    }
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("it is waited for").expect("node");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("the document was seen"), "{said}");
    app.stop().await;
}
