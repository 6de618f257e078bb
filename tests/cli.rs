//! The program itself: what it prints, what it refuses, and its exit codes.

mod harness;

#[path = "cli/call.rs"]
mod call;
#[path = "cli/doors.rs"]
mod doors;
#[path = "cli/elsewhere.rs"]
mod elsewhere;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/life.rs"]
mod life;
#[path = "cli/lists.rs"]
mod lists;

use harness::{csv, ledger, number, settings};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Whatever is waited for has come by then, on a busy machine too.
const SOON: Duration = Duration::from_secs(90);

/// The program in a folder of its own, with no settings but those given.
fn halo(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
    command.current_dir(folder).env_clear().envs(environment.iter().copied()).args(arguments);
    command
}

fn run(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    halo(folder, environment, arguments).output().expect("the program starts")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

/// A campaign's folder inside `folder`.
fn campaign(folder: &Path, name: &str, settings: &str, contacts: &[u8]) -> String {
    let dir = folder.join(name);
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join("campaign.toml"), settings).expect("settings");
    std::fs::write(dir.join("contacts.csv"), contacts).expect("contacts");
    dir.display().to_string()
}

#[test]
fn the_help_lists_the_verbs_and_wrong_usage_is_2() {
    let folder = folder();
    let help = run(folder.path(), &[], &["--help"]);
    assert_eq!(code(&help), Some(0));
    for verb in ["demo", "serve", "simulate", "call", "campaign", "report", "export", "prove", "drill", "voximplant"] {
        assert!(out(&help).contains(&format!("\n  {verb} ")), "{verb} is not in:\n{}", out(&help));
    }
    assert_eq!(code(&run(folder.path(), &[], &["dance"])), Some(2));
    assert_eq!(code(&run(folder.path(), &[], &["demo", "--speed", "0"])), Some(2));
    assert_eq!(code(&run(folder.path(), &[], &["simulate", "--listen", "0.0.0.0:0"])), Some(2), "loopback only");
    assert_eq!(code(&run(folder.path(), &[], &["simulate", "--mischief", "hiccup=1"])), Some(2));
}

/// Without reading every setting before the first is used, the operator mends them one start at a time.
#[test]
fn faults_in_the_settings_are_listed_at_once_and_nothing_is_started() {
    let folder = folder();
    let wrong = [
        ("USE_VOXIMPLANT", "true"),
        ("HALO_LISTEN", "nowhere"),
        ("HALO_CPS_MAX", "fast"),
        ("HALO_LINES_MAX", "0"),
        ("VOXIMPLANT_API_KEY", "the-secret-itself"),
        ("VOXIMPLANT_RULE_ID", "rule"),
    ];
    for verb in [&["serve"][..], &["demo", "--exit"], &["campaign", "list"]] {
        let refused = run(folder.path(), &wrong, verb);
        assert_eq!(code(&refused), Some(2), "{verb:?}");
        let said = err(&refused);
        for name in [
            "VOXIMPLANT_ACCOUNT_ID",
            "BACKEND_URL",
            "HALO_LISTEN",
            "HALO_CPS_MAX",
            "HALO_LINES_MAX",
            "VOXIMPLANT_RULE_ID",
        ] {
            assert!(said.contains(name), "{verb:?}: {name} is not in:\n{said}");
        }
        assert!(said.contains(".env.example") && !said.contains("the-secret-itself"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing was made");
    // A file is as good as the environment, comments behind values included.
    std::fs::write(folder.path().join(".env"), "HALO_LISTEN=nowhere   # where we listen\n").expect("a file");
    let refused = run(folder.path(), &[], &["serve"]);
    assert_eq!(code(&refused), Some(2));
    assert!(err(&refused).contains("HALO_LISTEN: `nowhere`"), "{}", err(&refused));
}

#[test]
fn an_import_is_refused_with_line_numbers_and_stores_nothing() {
    let folder = folder();
    let plain = settings("refused", "");
    let cases: [(&str, String, &[u8], &[&str]); 6] = [
        ("column", plain.clone(), b"name\nAnna\n", &["phone"]),
        ("bytes", plain.clone(), b"phone\n\xff\xfe\n", &["no number", "line 2"]),
        ("empty", plain.clone(), b"", &["empty"]),
        ("refused", plain.clone(), b"phone\n12\nabc\n", &["line 2", "line 3"]),
        ("mode", settings("refused", "mode = \"opera\""), b"phone\n+79990000001\n", &["opera", "realtime_pure"]),
        ("key", settings("refused", "colour = 1"), b"phone\n+79990000001\n", &["colour"]),
    ];
    for (name, settings, contacts, words) in cases {
        let dir = campaign(folder.path(), name, &settings, contacts);
        let refused = run(folder.path(), &[], &["campaign", "import", &dir]);
        assert_eq!(code(&refused), Some(1), "{name}: {}", err(&refused));
        for word in words.iter().chain(&["Nothing was stored."]) {
            assert!(err(&refused).contains(word), "{name} does not say `{word}`:\n{}", err(&refused));
        }
    }
    let missing = run(folder.path(), &[], &["campaign", "import", "nowhere"]);
    assert_eq!((code(&missing), err(&missing).contains("campaign.toml")), (Some(1), true));
    let list = run(folder.path(), &[], &["campaign", "list", "--json"]);
    assert_eq!((code(&list), out(&list).trim()), (Some(0), "[]"));

    let dir = campaign(folder.path(), "good", &settings("good", ""), csv([number(0, 1)]).as_bytes());
    let done = run(folder.path(), &[], &["campaign", "import", &dir, "--json"]);
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    let done: serde_json::Value = serde_json::from_str(&out(&done)).expect("JSON");
    assert_eq!(done["buckets"], serde_json::json!({ "accepted": 1, "duplicate": 0, "refused": 0 }));
    let again = run(folder.path(), &[], &["campaign", "import", &dir]);
    assert_eq!(code(&again), Some(0), "the very same import is there: {}", err(&again));
    assert!(out(&again).contains("It was there already"), "{}", out(&again));
    let other = campaign(folder.path(), "good", &settings("good", ""), csv([number(0, 2)]).as_bytes());
    assert_eq!(code(&run(folder.path(), &[], &["campaign", "import", &other])), Some(1), "the name is taken");
}

/// Without the look at what the database holds, the demo's wipe takes somebody's campaigns along.
#[test]
fn a_demo_keeps_out_of_a_database_that_is_somebody_s() {
    let folder = folder();
    let dir = campaign(folder.path(), "mine", &settings("mine", ""), csv([number(0, 1)]).as_bytes());
    assert_eq!(code(&run(folder.path(), &[], &["campaign", "import", &dir])), Some(0));
    let demo = run(folder.path(), &[], &["demo", "--exit"]);
    assert_eq!(code(&demo), Some(2));
    assert!(err(&demo).contains("`mine`"), "{}", err(&demo));
    assert!(out(&run(folder.path(), &[], &["campaign", "list"])).starts_with("mine "));
}

#[tokio::test]
async fn prove_says_by_its_exit_code_whether_the_laws_hold() {
    let folder = folder();
    let nothing = run(folder.path(), &[], &["prove", "mine"]);
    assert_eq!((code(&nothing), err(&nothing).contains("no database")), (Some(1), true));
    let dir = campaign(folder.path(), "mine", &settings("mine", ""), csv([number(0, 1), number(0, 2)]).as_bytes());
    assert_eq!(code(&run(folder.path(), &[], &["campaign", "import", &dir])), Some(0));
    let unknown = run(folder.path(), &[], &["prove", "yours"]);
    assert_eq!((code(&unknown), err(&unknown).contains("`yours` does not exist")), (Some(1), true));
    let holds = run(folder.path(), &[], &["prove", "mine"]);
    assert_eq!((code(&holds), out(&holds).contains("All laws hold.")), (Some(0), true), "{}", out(&holds));

    // Somebody takes a contact out by hand.
    let database = format!("sqlite:{}", folder.path().join("halo.db").display());
    let pool = sqlx::SqlitePool::connect(&database).await.expect("the database opens");
    sqlx::query("delete from contacts where line = 3").execute(&pool).await.expect("a row less");
    pool.close().await;
    let broken = run(folder.path(), &[], &["prove", "mine"]);
    assert_eq!((code(&broken), out(&broken).contains("BROKEN")), (Some(1), true), "{}", out(&broken));
    let broken = run(folder.path(), &[], &["prove", "mine", "--json"]);
    let proof: serde_json::Value = serde_json::from_str(&out(&broken)).expect("JSON");
    assert_eq!((code(&broken), &proof["laws"][0]["holds"]), (Some(1), &serde_json::json!(false)));
}

#[test]
fn a_bundle_is_whole_and_needs_no_folder_beside_it() {
    let folder = folder();
    let whole = run(folder.path(), &[], &["voximplant", "bundle", "realtime_pure"]);
    assert_eq!(code(&whole), Some(0), "{}", err(&whole));
    let text = out(&whole);
    assert!(text.contains("VoxEngine") && text.contains("//#region") && !text.contains("/// <reference"));
    for name in ["voice_realtime_pure", "scenario_voice_realtime_pure.js"] {
        assert_eq!(out(&run(folder.path(), &[], &["voximplant", "bundle", name])), text, "{name}");
    }
    let unknown = run(folder.path(), &[], &["voximplant", "bundle", "opera"]);
    assert_ne!(code(&unknown), Some(0));
    assert!(err(&unknown).contains("opera"), "{}", err(&unknown));
}

/// Exit code 0 with warnings, 1 when something failed; a `.env` that cannot be read is what it is for, and
/// what stands in it is not shown.
#[test]
fn the_doctor_reads_an_env_that_nobody_else_can() {
    let folder = folder();
    let doctor = |env: &str, more: &[&str]| {
        std::fs::write(folder.path().join(".env"), env).expect("a file");
        run(folder.path(), &[], &[&["voximplant", "doctor"][..], more].concat())
    };
    let well = doctor("HALO_CPS_MAX=1 # slow\n", &[]);
    assert_eq!(code(&well), Some(0), "{}", err(&well));
    assert!(
        out(&well).contains("ok       env ") && out(&well).ends_with("0 failed, 0 warnings, 3 ok\n"),
        "{}",
        out(&well)
    );
    let warned = doctor("HALO_CSP_MAX=1\n", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&out(&warned)).expect("JSON");
    assert_eq!((code(&warned), &told["ok"]), (Some(0), &serde_json::json!(true)), "{told}");
    assert!(told["findings"][0]["told"].as_str().expect("text").contains("did you mean HALO_CPS_MAX?"), "{told}");

    let broken = "HALO_LISTEN=nowhere\nAPI_AUTH_KEY=the-secret-itself# mine\n";
    let failed = doctor(broken, &[]);
    assert_eq!(code(&failed), Some(1));
    for line in [
        "failed   env          .env line 2: API_AUTH_KEY: a comment begins",
        "failed   settings     HALO_LISTEN: `nowhere`",
    ] {
        assert!(out(&failed).contains(line), "`{line}` is not in:\n{}", out(&failed));
    }
    let others = run(folder.path(), &[], &["campaign", "list"]);
    assert_eq!((code(&others), err(&others).contains("halo voximplant doctor")), (Some(2), true), "{}", err(&others));
    for shown in [out(&failed), err(&failed), err(&others)] {
        assert!(!shown.contains("the-secret-itself"), "{shown}");
    }
    assert!(!folder.path().join("halo.db").exists(), "looking makes no database");
}

/// A process that does not outlive its test.
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> Self {
        Process(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts"))
    }

    /// As `kill -9` does: nothing is written any more.
    fn kill(&mut self) {
        self.0.kill().expect("it ran");
        self.0.wait().expect("it ended");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address")
}

/// The runner dies without a word and comes back: without the claim being durable before the start, without
/// the grant's compare-and-set, or without freeing the leases, somebody is called twice or forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_runner_goes_on_where_it_was_and_calls_nobody_twice() {
    // reqwest is built without a provider of its own.
    rustls::crypto::ring::default_provider().install_default().expect("the first of this process");
    let folder = folder();
    let (provider, listen) = (free_port(), free_port());
    let address = provider.to_string();
    let simulate = ["simulate", "--listen", &address, "--speed", "60", "--seed", "5"];
    let _simulator = Process::start(halo(folder.path(), &[], &simulate));
    until("the simulator listens", async || reqwest::get(format!("http://{provider}/simulator/pace")).await.ok()).await;
    let (listen, api) = (listen.to_string(), format!("http://{provider}"));
    let environment = [
        ("HALO_LISTEN", listen.as_str()),
        ("VOXIMPLANT_API_URL", &api),
        ("HALO_CLOCK_SPEED", "60"),
        ("API_AUTH_KEY", harness::KEY),
    ];
    let serve = async || {
        let process = Process::start(halo(folder.path(), &environment, &["serve"]));
        until("the service answers", async || reqwest::get(format!("http://{listen}/readyz")).await.ok()).await;
        process
    };
    let endings = (0..22).chain([65, 70, 71, 75, 78, 83, 85, 88, 90, 94, 96, 99]);
    let modes = settings("killed", harness::SPLIT).replace("cps = 20", "cps = 0.1");
    let dir = campaign(folder.path(), "killed", &modes, csv(endings.map(|ending| number(0, ending))).as_bytes());
    let mut process = serve().await;
    assert_eq!(code(&run(folder.path(), &environment, &["campaign", "import", &dir])), Some(0));
    let second = run(folder.path(), &environment, &["serve"]);
    assert_eq!(code(&second), Some(2), "one SQLite file has one dialling process: {}", err(&second));
    assert_eq!(code(&run(folder.path(), &environment, &["campaign", "start", "killed"])), Some(0));

    for calls in [3, 9, 17, 26] {
        until("the run is in its middle", async || (ledger::calls_at(provider).await.len() >= calls).then_some(()))
            .await;
        process.kill();
        process = serve().await;
    }
    until("the run is completed", async || {
        let show = out(&run(folder.path(), &environment, &["campaign", "show", "killed"]));
        show.contains(": completed").then_some(())
    })
    .await;
    // The provider's history of everything that was granted is copied.
    let proof = until("the history is copied", async || {
        let proof = run(folder.path(), &environment, &["prove", "killed"]);
        assert_eq!(code(&proof), Some(0), "{}", out(&proof));
        out(&proof).contains(" 0 granted sessions are not copied yet").then(|| out(&proof))
    })
    .await;
    assert!(proof.contains("34 contacts: 34 at rest, 0 waiting, 0 being called"), "{proof}");
    let calls = ledger::calls_at(provider).await;
    ledger::each_attempt_once(&calls);

    // A polite end takes less than ten seconds.
    let began = Instant::now();
    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    assert!(process.0.wait().expect("it ends").success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// A drill works on a copy: what it counts is right, and the database it was given is as it was.
#[test]
fn a_drill_kills_a_runner_on_a_copy() {
    let folder = folder();
    let endings = [1, 2, 3, 65, 70, 75, 78, 94];
    let split = settings("small", harness::SPLIT);
    let dir = campaign(folder.path(), "small", &split, csv(endings.map(|ending| number(0, ending))).as_bytes());
    assert_eq!(code(&run(folder.path(), &[], &["campaign", "import", &dir])), Some(0));
    let drill = ["drill", "--kills", "2", "--speed", "300", "--json", "small"];
    let drilled = run(folder.path(), &[], &drill);
    assert_eq!(code(&drilled), Some(0), "{}{}", out(&drilled), err(&drilled));
    let found: serde_json::Value = serde_json::from_str(&out(&drilled)).expect("JSON");
    let counted = ["kills", "contacts", "doubled_calls", "lost_contacts"].map(|what| found[what].as_i64());
    assert_eq!(counted, [Some(2), Some(8), Some(0), Some(0)], "{found}");
    assert!(found["calls"].as_i64() >= Some(8), "{found}");
    let show = out(&run(folder.path(), &[], &["campaign", "show", "small"]));
    assert!(!show.contains("run 1"), "the drill ran on the database itself: {show}");
    assert_eq!(code(&run(folder.path(), &[], &["drill", "nobody"])), Some(2), "no such campaign");
}
