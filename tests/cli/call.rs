//! `halo call`: by a service of its own, beside one that dials, and at a server elsewhere.

use crate::harness::{self, ledger, number};
use crate::{Process, code, err, folder, free_port, halo, out, run, until};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const FAST: (&str, &str) = ("HALO_CLOCK_SPEED", "60");

/// The happenings of a call that was followed with `--json`.
fn story(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn names(story: &[Value]) -> Vec<&str> {
    story.iter().filter_map(|happened| happened["what"].as_str()).collect()
}

#[test]
fn a_call_is_made_without_a_server_and_its_exit_code_says_how_it_went() {
    let folder = folder();
    let environment = [FAST, ("API_AUTH_KEY", harness::KEY), ("HALO_LISTEN", "127.0.0.1:0")];
    let call = |arguments: &[&str]| run(folder.path(), &environment, &[&["call"], arguments].concat());

    let done = call(&[&number(0, 1), "--mode", "realtime", "--prompt", "Добрый день! Это Ромашка."]);
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    let said = out(&done);
    for word in [
        "Calling +…01 in mode realtime",
        "nobody is rung",
        "Note: the prompt has no PHASE lines",
        "ringing",
        "connected",
        "turn 1",
        "«Это Ромашка.»",
        "ended: answered",
    ] {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
    assert!(!said.contains("9990000001") && !err(&done).contains("9990000001"), "{said}");

    std::fs::write(folder.path().join("prompt.txt"), "PHASE 1 hello: «Алло, это Ромашка.»").expect("a file");
    let done = call(&[&number(0, 70), "--scenario", "dialog", "--prompt", "@prompt.txt", "--json"]);
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    let told = story(&done);
    assert_eq!(names(&told), ["placed", "planned", "starting", "granted", "ringing", "ended"]);
    assert_eq!((&told[5]["outcome"], &told[5]["code"]), (&"busy".into(), &486.into()));

    // A callee's answer is an outcome; a fault on the way is a failure.
    let failed = call(&[&number(0, 96), "--json"]);
    assert_eq!(code(&failed), Some(1));
    assert!(err(&failed).contains("the call failed: network_error, 503"), "{}", err(&failed));
    let closed = call(&[&number(0, 94)]);
    assert_eq!(code(&closed), Some(0), "{}", err(&closed));
    let suppressed = call(&[&number(0, 94)]);
    assert_eq!(code(&suppressed), Some(1));
    assert!(err(&suppressed).contains("suppression list") && err(&suppressed).contains("nobody was called"));

    for (wrong, word) in [
        (&["12"][..], "phone"),
        (&["+79990000001", "--mode", "opera"], "realtime_pure"),
        (&["+79990000001", "--purpose", "fun"], "purpose"),
        (&["+79990000001", "--prompt", "@nowhere"], "nowhere"),
        (&["+79990000001", "--colour", "red"], "colour"),
        (&[], "PHONE"),
    ] {
        let refused = call(wrong);
        assert_eq!((code(&refused), out(&refused).as_str()), (Some(2), ""), "{wrong:?}");
        assert!(err(&refused).contains(word), "{wrong:?}: {}", err(&refused));
    }
    assert!(out(&run(folder.path(), &environment, &["campaign", "list"])).contains("No campaigns yet"));
}

fn environment<'a>(listen: &'a str, api: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("HALO_LISTEN", listen), ("VOXIMPLANT_API_URL", api), FAST, ("API_AUTH_KEY", harness::KEY)]
}

/// Reads lines until one holds the word.
fn line_with(lines: &mut impl Iterator<Item = std::io::Result<String>>, word: &str) -> String {
    lines.map(|line| line.expect("text")).find(|line| line.contains(word)).unwrap_or_else(|| panic!("no `{word}`"))
}

fn interrupt(pid: u32) {
    assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill runs").success());
}

/// Starts a call, presses Ctrl-C once when it is where `word` says, and returns the end.
fn hung_up(folder: &Path, environment: &[(&str, &str)], phone: &str, word: &str) -> (Option<i32>, String) {
    let mut command = halo(folder, environment, &["call", phone, "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    line_with(&mut lines, word);
    interrupt(child.id());
    let end = line_with(&mut lines, "\"ended\"");
    (child.wait().expect("it ends").code(), end)
}

/// Without the look at the lock a second dialling process is refused; without HALO_URL's way nobody elsewhere is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_handed_to_whoever_dials_and_hung_up_by_ctrl_c() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let (home, elsewhere) = (folder(), folder());
    let (provider, listen) = (free_port().to_string(), free_port().to_string());
    let simulate = ["simulate", "--listen", &provider, "--speed", "6", "--mischief", "none"];
    let _simulator = Process::start(halo(home.path(), &[], &simulate));
    until("the simulator listens", async || reqwest::get(format!("http://{provider}/simulator/pace")).await.ok()).await;
    let api = format!("http://{provider}");
    let environment = environment(&listen, &api);
    let _server = Process::start(halo(home.path(), &environment, &["serve"]));
    until("the service answers", async || reqwest::get(format!("http://{listen}/readyz")).await.ok()).await;

    let beside = run(home.path(), &environment, &["call", &number(0, 75), "--json"]);
    assert_eq!(code(&beside), Some(0), "{}", err(&beside));
    let told = story(&beside);
    assert_eq!(told[0]["by"], "the process that dials from this database");
    assert_eq!(told.last().expect("an end")["outcome"], "busy");

    let url = format!("http://{listen}");
    let there = [("HALO_URL", url.as_str()), ("API_AUTH_KEY", harness::KEY)];
    let remote = run(elsewhere.path(), &there, &["call", &number(0, 76), "--mode", "realtime", "--json"]);
    assert_eq!(code(&remote), Some(0), "{}", err(&remote));
    let told = story(&remote);
    assert_eq!((told[0]["by"].as_str(), told[0]["mode"].as_str()), (Some(url.as_str()), Some("realtime")));
    assert_eq!(names(&told).last(), Some(&"ended"));
    assert_eq!(std::fs::read_dir(elsewhere.path()).expect("a folder").count(), 0, "nothing was made there");
    let refused = run(elsewhere.path(), &there, &["call", "12", "--mode", "opera"]);
    assert_eq!(code(&refused), Some(2));
    assert!(err(&refused).contains("phone") && err(&refused).contains("opera"), "{}", err(&refused));
    let stranger = [("HALO_URL", url.as_str()), ("API_AUTH_KEY", "wrong")];
    assert_eq!(code(&run(elsewhere.path(), &stranger, &["call", &number(0, 1)])), Some(2));
    let nobody = [("HALO_URL", "http://127.0.0.1:9"), ("API_AUTH_KEY", harness::KEY)];
    assert_eq!(code(&run(elsewhere.path(), &nobody, &["call", &number(0, 1)])), Some(1));

    let home_path = home.path().to_owned();
    let elsewhere_path = elsewhere.path().to_owned();
    let own: Vec<(String, String)> = environment.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
    let url = url.clone();
    tokio::task::spawn_blocking(move || {
        let own: Vec<(&str, &str)> = own.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let (code, end) = hung_up(&home_path, &own, &number(0, 2), "\"connected\"");
        assert!(code == Some(0) && end.contains("\"answered\"") && end.contains("\"agent\""), "{code:?} {end}");
        let there = [("HALO_URL", url.as_str()), ("API_AUTH_KEY", harness::KEY)];
        let (code, end) = hung_up(&elsewhere_path, &there, &number(0, 78), "\"ringing\"");
        assert!(code == Some(0) && end.contains("\"cancelled\""), "{code:?} {end}");
    })
    .await
    .expect("both calls were hung up");
    let calls = ledger::calls_at(provider.parse().expect("an address")).await;
    assert_eq!(ledger::each_attempt_once(&calls), 4);
}
