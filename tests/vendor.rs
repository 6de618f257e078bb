//! The vendor's own clients, unchanged, over TLS against `halo simulate`: whoever speaks to the platform
//! with them speaks to the simulator, and gets the answers he knows. Then our own client, by token.
//!
//! `.ci/clients` installs them below `target`. `HALO_TEST_CLIENTS=required` fails without them.

#[path = "vendor/own_client.rs"]
mod own_client;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Whatever is waited for has come by then, on a busy machine too.
const SOON: Duration = Duration::from_secs(90);
const ACCOUNT: u64 = 4_294_967_301;

/// The folder with the vendor's clients, if they are installed.
fn clients() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    let clients = target.join("clients");
    let there = clients.join("node_modules/@voximplant/apiclient-nodejs").is_dir()
        && clients.join("node_modules/openai").is_dir()
        && clients.join("node_modules/ws").is_dir()
        && clients.join("python").is_dir();
    let required = std::env::var("HALO_TEST_CLIENTS").is_ok_and(|value| value == "required");
    assert!(there || !required, "the vendor's clients are not in {}: run .ci/clients", clients.display());
    if !there {
        eprintln!("SKIPPED: the vendor's clients are not in {}: run .ci/clients", clients.display());
    }
    there.then_some(clients)
}

/// Key files of a service account: its own, one under its name with another key, one of a strange name.
/// No key is kept in the repository.
fn make_keys(folder: &Path) -> [PathBuf; 3] {
    let make = "const { generateKeyPairSync } = require('crypto');
        const pem = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
        process.stdout.write(JSON.stringify([pem(), pem()]));";
    let made = Command::new("node").args(["-e", make]).output().expect("node");
    let pems: Vec<String> = serde_json::from_slice(&made.stdout).expect("two keys");
    [("key", 0, "the-key"), ("bad_key", 1, "the-key"), ("strange_key", 0, "a-stranger")].map(|(name, pem, key_id)| {
        let path = folder.join(format!("{name}.json"));
        let file = json!({
            "account_email": "someone@example.com", "account_id": ACCOUNT, "key_id": key_id, "private_key": pems[pem],
        });
        std::fs::write(&path, file.to_string()).expect("written");
        path
    })
}

/// `halo simulate` as a child, with both doors open.
struct Simulator {
    child: Child,
    plain: String,
    /// Host and port of the door with TLS.
    secure: String,
    ca_file: PathBuf,
    keys: [PathBuf; 3],
    folder: tempfile::TempDir,
}

impl Simulator {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = make_keys(folder.path());
        let tls = folder.path().join("tls");
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command
            .current_dir(folder.path())
            .env_clear()
            .args(["simulate", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--speed", "60"])
            .args(["--mischief", "none", "--tls-folder"])
            .arg(&tls)
            .arg("--service-key")
            .arg(&keys[0])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = said.lines().map(|line| line.expect("text"));
        let mut after = |start: &str| {
            let line = lines.next().expect("a line");
            line.strip_prefix(start).unwrap_or_else(|| panic!("{start} is not the start of {line}")).to_owned()
        };
        let plain = after("VOXIMPLANT_API_URL=");
        let secure = after("# With TLS: https://127.0.0.1:");
        let ca_file = PathBuf::from(after("# to be trusted: "));
        assert_eq!(ca_file, tls.join("ca.pem"));
        let secure = format!("localhost:{}", secure.strip_suffix("/platform_api").expect("the API's path"));
        Self { child, plain, secure, ca_file, keys, folder }
    }

    /// Runs somebody's client, who trusts us by the variable he knows.
    fn ask(&self, mut command: Command, trusts_by: &str) -> Value {
        command
            .current_dir(self.folder.path())
            .arg(&self.secure)
            .args(&self.keys)
            .env(trusts_by, &self.ca_file)
            .env("NO_PROXY", "localhost");
        let output = finished(command);
        let heard = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{heard}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {heard}"))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have died of itself, which the test has told by then.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The output of a program that is given a while.
fn finished(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let began = Instant::now();
    while child.try_wait().expect("a child").is_none() && began.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Whoever is still there is ended: what it said so far tells why.
    let _ended = child.kill();
    child.wait_with_output().expect("its output")
}

#[test]
fn the_node_client_runs_unchanged() {
    let Some(clients) = clients() else { return };
    let simulator = Simulator::open();
    let mut node = Command::new("node");
    node.env("NODE_PATH", clients.join("node_modules")).arg(Path::new(ROOT).join("tests/vendor/client.js"));
    let told = simulator.ask(node, "NODE_EXTRA_CA_CERTS");

    assert_eq!(told["account"]["accountId"], ACCOUNT);
    assert_eq!(told["account"]["accountEmail"], "someone@example.com");
    assert_eq!(told["application"]["applicationName"], format!("node.acc{ACCOUNT}.voximplant.com"));
    assert_eq!((&told["none"]["count"], &told["none"]["totalCount"]), (&json!(0), &json!(0)));
    assert_eq!(told["same"], true, "a script comes back as it was sent: {}", told["scenario"]);
    let rule = &told["rules"]["result"][0];
    assert_eq!((&rule["ruleName"], &rule["rulePattern"]), (&json!("node_rule"), &json!("7.*")));
    // What stands inside a row keeps the platform's own names: the client renames one level.
    let bound: Vec<_> = rule["scenarios"].as_array().expect("bound").iter().map(|it| &it["scenario_name"]).collect();
    assert_eq!(bound, ["node_other", "node_call"], "the order that was asked for");
    assert_eq!(told["item"]["result"]["value"], "один");
    assert_eq!(told["keys"]["count"], 1);

    let started = &told["started"];
    assert_eq!(started["result"], 1);
    assert!(started["callSessionHistoryId"].as_u64().is_some_and(|id| id > u64::from(u32::MAX)), "{started}");
    let access = |name: &str| started[name].as_str().expect("an address").to_owned();
    assert!(access("mediaSessionAccessUrl").starts_with("http://127.0.0.1:"));
    let port = simulator.secure.trim_start_matches("localhost:");
    assert!(access("mediaSessionAccessSecureUrl").starts_with(&format!("https://127.0.0.1:{port}/request/")));
    assert_eq!(told["counted"], json!([1, 1]));
    let session = &told["session"];
    assert_eq!((&session["ruleName"], &session["finishReason"]), (&json!("node_rule"), &json!("Normal termination")));
    assert_eq!(session["customData"], "+79990000001");
    let call = &session["calls"][0];
    assert_eq!((&call["remote_number"], &call["successful"]), (&json!("79990000001"), &json!(true)), "{session}");

    // This client resolves with the error: whoever uses it must look.
    for (name, code) in [("badRule", 147), ("unknownHistory", 150), ("badKey", 100), ("strangeKey", 433)] {
        assert_eq!(told[name]["error"]["code"], code, "{name}: {}", told[name]);
    }
}

#[test]
fn the_python_client_runs_unchanged() {
    let Some(clients) = clients() else { return };
    let simulator = Simulator::open();
    let mut python = Command::new(clients.join("python/bin/python"));
    python.arg(Path::new(ROOT).join("tests/vendor/client.py"));
    let told = simulator.ask(python, "REQUESTS_CA_BUNDLE");

    assert_eq!(told["account"]["account_id"], ACCOUNT);
    assert_eq!(told["application"]["application_name"], format!("python.acc{ACCOUNT}.voximplant.com"));
    assert_eq!(told["item"]["result"]["value"], "один");
    let rule = &told["rules"]["result"][0];
    assert_eq!(rule["scenarios"][0]["scenario_name"], "python_call");
    assert_eq!((&told["started"]["result"], &told["by_name"]["result"]), (&json!(1), &json!(1)));
    let session = &told["session"];
    assert_eq!(session["calls"][0]["end_reason"], json!({ "code": 486, "details": "Busy here" }), "{session}");
    // This client raises, with the platform's code.
    for (name, code) in [("unbound", 375), ("bad_rule", 147), ("no_rule", 156), ("bad_key", 100), ("strange_key", 433)]
    {
        assert_eq!(told[name][0], code, "{name}: {}", told[name]);
    }
}

#[test]
fn openai_s_node_client_runs_unchanged() {
    let Some(clients) = clients() else { return };
    let simulator = Simulator::open();
    let base = simulator.plain.strip_suffix("/platform_api").expect("the API's path").to_owned();
    let mut node = Command::new("node");
    node.env("NODE_PATH", clients.join("node_modules")).arg(Path::new(ROOT).join("tests/vendor/openai.js")).arg(base);
    let output = finished(node);
    let heard = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{heard}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {heard}"));

    const WHEN: &str = "Когда вам удобно? Я подстроюсь.";
    assert_eq!(told["models"], json!(["stand-in"]));
    let whole = &told["whole"];
    assert_eq!((&whole["object"], &whole["choice"]["message"]["content"]), (&json!("chat.completion"), &json!(WHEN)));
    assert_eq!(whole["choice"]["message"]["tool_calls"][0]["function"]["name"], "note");
    assert_eq!(told["streamed"], WHEN);
    assert!(told["pieces"].as_u64().is_some_and(|pieces| pieces > 5), "{told}");
    assert_eq!(told["usage"], whole["usage"], "both count the same tokens");
    let last = &told["final"];
    assert_eq!(last["message"]["content"], "Спасибо, до свидания!");
    assert_eq!(
        (&last["finish_reason"], &last["message"]["tool_calls"][0]["function"]["name"]),
        (&json!("tool_calls"), &json!("end_call"))
    );
    assert_eq!(told["afterTools"], WHEN);
    for (name, kind, status) in [
        ("key", "AuthenticationError", 401),
        ("busy", "RateLimitError", 429),
        ("broken", "InternalServerError", 500),
        ("overloaded", "InternalServerError", 503),
        ("bad", "BadRequestError", 400),
    ] {
        assert_eq!(
            (&told[name]["kind"], &told[name]["status"]),
            (&json!(kind), &json!(status)),
            "{name}: {}",
            told[name]
        );
    }
    assert!(told["closed"].is_object(), "a connection that ends is no end of an answer");
}

#[test]
fn openai_s_node_client_talks_in_audio_unchanged() {
    let Some(clients) = clients() else { return };
    let simulator = Simulator::open();
    // It speaks by TLS alone.
    let base = format!("https://{}", simulator.secure);
    let mut node = Command::new("node");
    node.env("NODE_PATH", clients.join("node_modules")).env("NODE_EXTRA_CA_CERTS", &simulator.ca_file);
    node.arg(Path::new(ROOT).join("tests/vendor/realtime.js")).arg(base);
    let output = finished(node);
    let heard = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{heard}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {heard}"));

    assert_eq!(told["format"], json!({ "type": "audio/pcm", "rate": 24_000 }));
    for (name, words) in
        [("greeting", "Добрый день!"), ("second", "Когда вам удобно?"), ("last", "Спасибо, до свидания!")]
    {
        let turn = &told[name];
        assert_eq!((&turn["status"], &turn["transcript"]), (&json!("completed"), &json!(words)), "{turn}");
        assert!(turn["audio_ms"].as_f64().is_some_and(|ms| ms > 500.0), "{turn}");
        assert!(turn["usage"]["total_tokens"].as_u64() > Some(100), "{turn}");
    }
    assert_eq!(told["understood"], "Добрый день!", "what it said, said back to it");
    let order = ["speech_started", "speech_stopped", "committed"].map(|name| format!("input_audio_buffer.{name}"));
    let heard = "conversation.item.input_audio_transcription.completed";
    assert_eq!(told["order"], json!([order[0], order[1], order[2], heard]));
    let call = &told["last"]["call"];
    assert_eq!((&call["name"], &call["arguments"]["goal"]), (&json!("end_call"), &json!(true)));
    assert_eq!(told["kept"], true);
    let cut = &told["interrupted"];
    assert_eq!((&cut["status"], &cut["why"]), (&json!("cancelled"), &json!("turn_detected")));
    assert_eq!(told["errors"][0]["code"], "invalid_value");
    for (name, code) in [("closed", 1000), ("broken", 1006), ("ended", 1011)] {
        assert_eq!(told[name], code, "{name}");
    }
    assert_eq!(told["refused"], json!(["Unexpected server response: 401"]));
    assert_eq!(told["busy"], json!(["Unexpected server response: 429"]));
    assert_eq!(told["browser"], "gpt-realtime");
}

/// `halo` itself deploys through the door with TLS, twice: the second time there is nothing to do.
#[test]
fn our_own_deployment_goes_through_tls() {
    if clients().is_none() {
        return;
    }
    let simulator = Simulator::open();
    let deploy = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command
            .current_dir(simulator.folder.path())
            .env_clear()
            .env("SSL_CERT_FILE", &simulator.ca_file)
            .env("USE_VOXIMPLANT", "true")
            .env("VOXIMPLANT_API_URL", format!("https://{}/platform_api", simulator.secure))
            .env("VOXIMPLANT_ACCOUNT_ID", ACCOUNT.to_string())
            .env("VOXIMPLANT_API_KEY", "any key will do: the first is the account's")
            .env("API_AUTH_KEY", "somebody-long-enough")
            .env("BACKEND_URL", "http://127.0.0.1:9")
            .args(["voximplant", "deploy"]);
        let output = finished(command);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        told
    };
    let (first, second) = (deploy(), deploy());
    assert!(first.contains("voice_dialog_rule"), "{first}");
    assert_ne!(first, second, "the second deployment has less to tell");
}

#[tokio::test]
async fn our_own_client_comes_by_token_and_renews_it() {
    if clients().is_none() {
        return;
    }
    let simulator = Simulator::open();
    own_client::comes_by_token_and_renews_it(&simulator.plain, &simulator.keys).await;
}
