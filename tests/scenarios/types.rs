//! Every rule's set of files against our declarations of the platform, without the browser's and without
//! Node's. A checker that reports nothing proves nothing, so the known mistakes must be reported too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODES: [(&str, &str); 5] = [
    ("dialog", "scenario_voice_dialog.js"),
    ("realtime", "scenario_voice_realtime.js"),
    ("realtime_pure", "scenario_voice_realtime_pure.js"),
    ("realtime_stream", "scenario_voice_stream.js"),
    ("greeting", "scenario_greeting.js"),
];

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("voximplant")
}

/// The checker, where `.ci/clients` has put it. Without it these tests say so and pass, unless they are
/// required.
fn checker() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let checker = target.join("clients/node_modules/typescript/bin/tsc");
    if checker.is_file() {
        return Some(checker);
    }
    let missing = format!("there is no {}: run .ci/clients", checker.display());
    assert!(std::env::var("HALO_TEST_CLIENTS").as_deref() != Ok("required"), "{missing}");
    eprintln!("LEFT OUT: the scenarios are not type-checked; {missing}");
    None
}

/// What the checker says of one rule's files; nothing when it is content.
fn check(checker: &Path, folder: &Path, file: &str) -> String {
    let told = Command::new("node")
        .arg(checker)
        .args(["--allowJs", "--checkJs", "--noEmit", "--strict", "--pretty", "false"])
        .args(["--lib", "ES2022", "--target", "ES2022", "--moduleDetection", "legacy", "--typeRoots", "/nonexistent"])
        .arg(scenarios().join("voxengine.d.ts"))
        .arg(file)
        .current_dir(folder)
        .output()
        .expect("node starts");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert_eq!(told.status.success(), text.is_empty(), "{text}{}", String::from_utf8_lossy(&told.stderr));
    text
}

#[test]
fn every_rule_s_files_pass_the_type_check() {
    let Some(checker) = checker() else { return };
    for (mode, file) in MODES {
        assert_eq!(check(&checker, &scenarios(), file), "", "the sources of {mode}");
    }
}

/// What a person pastes into the control panel is checked as it is.
#[test]
fn every_bundle_passes_the_type_check() {
    let Some(checker) = checker() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (mode, _) in MODES {
        let printed = Command::new(env!("CARGO_BIN_EXE_halo"))
            .args(["voximplant", "bundle", mode])
            .current_dir(folder.path())
            .env_clear()
            .output()
            .expect("the program starts");
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let text = String::from_utf8(printed.stdout).expect("UTF-8");
        assert!(!text.contains("<reference"), "{mode}: everything is in its place");
        std::fs::write(folder.path().join("bundle.js"), text).expect("a file");
        assert_eq!(check(&checker, folder.path(), "bundle.js"), "", "the bundle of {mode}");
    }
}

/// Mistakes of the starting material and of other scenarios, each beside its right form.
const MISTAKES: &[(&str, &str)] = &[
    (
        "VoxEngine.addEventListener(AppEvents.Started, (e) => JSON.parse(e.customData));",
        "VoxEngine.addEventListener(AppEvents.Started, (e) => [e.sessionId, JSON.parse(VoxEngine.customData())]);",
    ),
    (
        "Net.httpRequest('https://example.com', { method: 'POST' }, (response) => Logger.write(String(response.code)));",
        "Net.httpRequest('https://example.com', (response) => Logger.write(String(response.code)), { method: 'POST' });",
    ),
    (
        "Net.httpRequestAsync('https://example.com', { method: 'POST', body: '{}' });",
        "Net.httpRequestAsync('https://example.com', { method: 'POST', postData: '{}' });",
    ),
    (
        "call.addEventListener(CallEvents.AnsweringMachinDetection, () => {});",
        "detector.addEventListener(AMD.Events.DetectionComplete, () => {});",
    ),
    (
        "detector.addEventListener(AMD.Events.DetectionComplete, (e) => e.isHuman);",
        "detector.addEventListener(AMD.Events.DetectionComplete, (e) => e.resultClass === AMD.ResultClass.HUMAN);",
    ),
    (
        "call.say('Алло', Language.RU_RUSSIAN_FEMALE);",
        "call.say('Алло', { voice: VoiceList.TBank && VoiceList.TBank.ru_RU_Anna });",
    ),
    (
        "call.addEventListener(CallEvents.Disconnected, (ev) => ev.code);",
        "call.addEventListener(CallEvents.Disconnected, (ev) => ev.internalCode);",
    ),
    (
        "call.addEventListener(CallEvents.Failed, (ev) => ev.internalCode);",
        "call.addEventListener(CallEvents.Failed, (ev) => ev.code);",
    ),
    ("if (ws.readyState === 1) ws.send('x');", "if (ws.readyState === 'open') ws.send('x');"),
    ("new WebSocket('wss://example.com');", "VoxEngine.createWebSocket('wss://example.com');"),
    ("require(Modules.WebSocket);", "require(Modules.OpenAI);"),
    (
        "client.addEventListener(OpenAI.RealtimeAPIEvents.ResponseDone, (ev) => ev.payload);",
        "client.addEventListener(OpenAI.RealtimeAPIEvents.ResponseDone, (ev) => ev.data.payload);",
    ),
    (
        "client.addEventListener(OpenAI.RealtimeAPIEvents.ResponseAudioTranscriptDone, () => {});",
        "client.addEventListener(OpenAI.RealtimeAPIEvents.ResponseOutputAudioTranscriptDone, () => {});",
    ),
    ("client.responseCreate();", "client.responseCreate({});"),
    ("VoxEngine.callPSTN('+79990000000');", "VoxEngine.callPSTN('+79990000000', '+74951234567');"),
    ("call.detectAnsweringMachine();", "call.handleTones(true);"),
    ("fetch('https://example.com');", "uuidgen();"),
    ("console.log('x');", "Logger.write('x');"),
    ("process.exit();", "VoxEngine.terminate();"),
    ("window.setTimeout(() => {}, 1);", "setTimeout(() => {}, 1);"),
    ("Buffer.from('x');", "str2bytes('x');"),
    ("new URL('https://example.com');", "hex2bytes('78');"),
    ("new TextEncoder();", "bytes2str([120]);"),
    ("atob('eA==');", "base64_decode('eA==');"),
    ("structuredClone({});", "Crypto.sha256('x');"),
    ("Object.groupBy([1], () => 'x');", "Object.entries({});"),
    ("Promise.withResolvers();", "Promise.resolve();"),
];

const AROUND: &str = "const call = VoxEngine.callPSTN('+79990000000', '+74951234567');\n\
    const ws = VoxEngine.createWebSocket('wss://example.com');\n\
    const detector = AMD.create({ model: AMD.Model.RU });\n\
    const client = /** @type {OpenAI.RealtimeAPIClient} */ (/** @type {unknown} */ (null));\n";

#[test]
fn every_known_mistake_is_reported_and_its_right_form_is_not() {
    let Some(checker) = checker() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, lines: Vec<&str>| {
        std::fs::write(folder.path().join(name), format!("{AROUND}{}\n", lines.join("\n"))).expect("a file");
    };
    write("right.js", MISTAKES.iter().map(|(_, right)| *right).collect());
    assert_eq!(check(&checker, folder.path(), "right.js"), "");

    write("wrong.js", MISTAKES.iter().map(|(wrong, _)| *wrong).collect());
    let told = check(&checker, folder.path(), "wrong.js");
    let line = |report: &str| report.strip_prefix("wrong.js(")?.split(',').next()?.parse::<usize>().ok();
    let reported: BTreeSet<usize> = told.lines().filter_map(line).collect();
    let before = AROUND.lines().count();
    let expected: BTreeSet<usize> = (0..MISTAKES.len()).map(|nth| before + nth + 1).collect();
    let missed: Vec<&str> = expected.difference(&reported).map(|line| MISTAKES[line - before - 1].0).collect();
    assert!(missed.is_empty(), "not reported: {missed:#?}");
    assert_eq!(reported, expected, "{told}");
}
