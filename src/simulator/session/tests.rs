//! The engine: its globals, its limits, its clock, and how faults are told.

use std::time::Duration;

use serde_json::json;

use crate::simulator::tests::{Backend, Bench, quiet};

/// Runs a script as a session of its own; `u` is a server that declares what it is told to.
async fn run(script: &str) -> (serde_json::Value, String) {
    run_at(1000.0, script).await
}

async fn run_at(speed: f64, script: &str) -> (serde_json::Value, String) {
    let (_backend, url) = Backend::open().await;
    let mut bench = Bench::open(quiet(speed)).await;
    let script = format!(
        "const U = '{url}';\nVoxEngine.addEventListener(AppEvents.Started, async (started) => {{\n{script}\n}});"
    );
    bench.rule("one", &script).await;
    let told = bench.run("one", "").await;
    bench.running.stop().await;
    told
}

/// What the scenario wrote, and its faults; not the platform's own lines.
fn said(log: &str) -> Vec<&str> {
    let lines = log.lines().filter_map(|line| line.trim_start().split_once(' ').map(|(_, text)| text));
    lines.filter(|line| !line.starts_with("< ")).collect()
}

#[tokio::test]
async fn what_the_platform_lacks_does_not_exist() {
    let script = r#"
const names = ['fetch', 'URL', 'console', 'atob', 'btoa', 'TextEncoder', 'structuredClone', 'Intl', 'queueMicrotask', 'performance',
  'process', 'window', 'Language', 'Buffer', 'WebSocket', 'XMLHttpRequest', 'TextDecoder', 'URLSearchParams', 'setImmediate', 'global', 'self',
  'document', 'localStorage', 'crypto', 'AbortController', 'Blob', 'Headers', 'Response', 'module', 'exports', '__dirname', 'WebAssembly', 'Pipecat',
  'AMD', 'ASR', 'OpenAI', 'Silero', 'Iterator', 'Float16Array', 'navigator'];
Logger.write(names.filter((name) => typeof globalThis[name] !== 'undefined').join());
Logger.write([Object.groupBy, Promise.withResolvers, new Set().union, [].values().map, 'x'.isWellFormed, CallEvents.AnsweringMachinDetection,
  Modules.WebSocket, AppEvents.Nothing].filter((it) => it !== undefined).length);
for (const wrong of [() => require('nothing'), () => VoxEngine.addEventListener(undefined, () => {}), () => Net.httpRequest('u', {}, () => {}),
  () => VoxEngine.createASR({}), () => setTimeout('1', 1), () => VoxEngine.callPSTN(79990000000, 'x'), () => VoiceList.Nobody.ru_RU_Anna]) {
  try { wrong(); Logger.write('did not fail'); } catch (error) { Logger.write(error.name); }
}
require(Modules.ASR); require(Modules.AMD); require(Modules.Silero); require(Modules.OpenAI);
Logger.write([ASRProfileList.Yandex.ru_RU, VoiceList.Yandex.Neural.ru_RU_alena, VoiceList.TBank.ru_RU_Anna, AMD.Model.RU, ASREvents.Result].join());
VoxEngine.terminate();"#;
    let (_, log) = run(script).await;
    let names = ["Error", "TypeError", "TypeError", "ReferenceError", "TypeError", "TypeError", "TypeError"];
    let mut expected = vec!["", "0"];
    expected.extend(names);
    expected.push("Yandex.ru_RU,Yandex.Neural.ru_RU_alena,TBank.ru_RU_Anna,ru,ASR.Result");
    assert_eq!(said(&log), expected, "{log}");
}

#[tokio::test]
async fn helpers_give_known_values() {
    let script = r#"
Logger.write([Crypto.md5('abc'), Crypto.sha1('abc').slice(0, 8), Crypto.hmac_sha256('key', 'text').length].join());
Logger.write([base64_encode('привет'), bytes2str(base64_decode('0L/RgNC40LLQtdGC')), bytes2hex(str2bytes('az')), hex2bytes('617a').join('.')].join());
Logger.write(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuidgen()));
Logger.write([new Date(2024, 0, 2, 3).getHours(), new Date(2024, 0, 2, 3).toISOString(), new Date('2024-05-06T07:08:09Z').getTime(),
  new Date() instanceof Date, typeof Date(), new (class D extends Date {})(5).getTime(), new Date().getTimezoneOffset()].join());
const before = Date.now();
await new Promise((done) => setTimeout(done, 1234.5));
Logger.write(Date.now() - before);
Logger.write(levenshtein_distance('kitten', 'sitting'));
VoxEngine.terminate();"#;
    let (_, log) = run(script).await;
    let expected = [
        "900150983cd24fb0d6963f7d28e17f72,a9993e36,64",
        "0L/RgNC40LLQtdGC,привет,617a,97.122",
        "true",
        "3,2024-01-02T03:00:00.000Z,1714979289000,true,string,5,0",
        "1234",
        "3",
    ];
    assert_eq!(said(&log), expected, "{log}");
}

#[tokio::test]
async fn faults_are_told_with_their_lines_and_the_session_goes_on() {
    let script = r#"
const caught = Promise.reject(new Error('caught later'));
setTimeout(() => { missing(); }, 10);
setTimeout(() => { Promise.reject(new RangeError('nobody catches this')); }, 20);
setTimeout(() => { for (;;) {} }, 30);
setTimeout(() => { Logger.write('still here'); VoxEngine.terminate(); }, 40);
caught.catch(() => Logger.write('caught'));"#;
    let (session, log) = run(script).await;
    assert_eq!(session["finish_reason"], "Normal termination");
    let lines = said(&log);
    assert_eq!(lines[0], "caught");
    assert!(
        lines[1].starts_with("ERROR ReferenceError: missing is not defined") && lines[1].contains("one_s:5"),
        "{log}"
    );
    assert!(lines[2].starts_with("ERROR unhandled rejection: RangeError: nobody catches this"), "{log}");
    assert!(lines[3].contains("interrupted"), "{log}");
    assert_eq!(lines[4], "still here");
}

#[tokio::test]
async fn a_callback_without_end_and_a_script_that_is_none_end_the_session() {
    let (session, _) = run("for (;;) await 1;").await;
    assert_eq!(session["finish_reason"], "JS session error");
    let (session, log) = run("} not javascript {").await;
    assert_eq!(session["finish_reason"], "JS session error");
    assert!(log.contains("SyntaxError"), "{log}");
    let (session, log) =
        run("try { const all = []; for (;;) all.push('x'.repeat(100000)); } catch (error) { Logger.write('caught'); }")
            .await;
    assert!(log.contains("caught"), "{log}");
    // Nobody was called: the platform ends the session after a minute of its time.
    assert_eq!((&session["finish_reason"], &session["duration"]), (&json!("Timeout"), &json!(60)));
}

#[tokio::test]
async fn timers_and_requests_have_their_limits() {
    let script = r#"
let made = 0;
try { for (;;) { setTimeout(() => {}, 5000); made += 1; } } catch (error) { Logger.write(`${made} timers`); }
let sent = 0;
try { for (;;) { Net.httpRequest(U, () => {}, { method: 'POST', postData: '{}' }); sent += 1; } } catch (error) { Logger.write(`${sent} ${error.message}`); }
VoxEngine.terminate();"#;
    let (_, log) = run(script).await;
    assert_eq!(said(&log), ["100 timers", "35 Exceeded the HTTP connection count limit!"], "{log}");
}

#[tokio::test]
async fn the_clock_stands_still_while_a_request_is_out() {
    let script = r#"
const began = Date.now();
const note = (what) => Logger.write(`${what} ${Date.now() - began}`);
const post = async (what, cost, sleep) => {
  await Net.httpRequestAsync(U, { method: 'POST', postData: JSON.stringify({ cost, sleep }) });
  note(what);
};
setTimeout(() => note('timer'), 30);
setTimeout(() => note('late timer'), 200);
// Three go out at once, the fourth when the first of them is over in virtual time.
await Promise.all([post('a', 100, 10), post('b', 20, 300), post('c', 50, 0), post('d', 40, 0)]);
const lost = await Net.httpRequestAsync('http://127.0.0.1:1/', {});
const wrong = await Net.httpRequestAsync('nonsense', {});
const slow = await Net.httpRequestAsync(U, { method: 'POST', postData: '{"cost":5000}', timeout: 2 });
Logger.write([lost.code, wrong.code, slow.code, slow.error].join());
VoxEngine.terminate();"#;
    let (_, log) = run(script).await;
    let expected = ["b 20", "timer 30", "c 50", "d 61", "a 100", "late timer 200", "-4,-2,-7,Timeout"];
    assert_eq!(said(&log), expected, "{log}");
}

#[tokio::test]
async fn commands_from_outside_are_answered_by_the_scenario() {
    let mut bench = Bench::open(quiet(1.0)).await;
    let script = r#"
VoxEngine.addEventListener(AppEvents.HttpRequest, (event) => {
  const { command } = JSON.parse(event.content);
  if (command === 'end') VoxEngine.terminate();
  return { ok: true, command, headers: event.headers, method: event.method };
});"#;
    bench.rule("one", script).await;
    let started = bench.begin("one", "").await;
    let url = started["media_session_access_url"].as_str().expect("an address").to_owned();
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let ask = |body: &'static str| client.post(&url).header("X-Who", "me").body(body).send();
    let answer = ask(r#"{"command":"stay"}"#).await.expect("an answer").text().await.expect("text");
    assert_eq!(answer, r#"{"ok":true,"command":"stay","headers":[{"key":"x-who","value":"me"}],"method":"POST"}"#);
    ask(r#"{"command":"end"}"#).await.expect("an answer");
    let id = started["call_session_history_id"].as_u64().expect("an id");
    bench.history(id).await;
    assert_eq!(ask("{}").await.expect("an answer").status(), 404);
    bench.running.stop().await;
}

#[tokio::test]
async fn the_last_request_of_a_session_that_is_taken_down_leaves() {
    let (backend, url) = Backend::open().await;
    let mut bench = Bench::open(quiet(1000.0)).await;
    let script = format!(
        "VoxEngine.addEventListener(AppEvents.Started, () => VoxEngine.terminate());\n\
         VoxEngine.addEventListener(AppEvents.Terminating, () => {{ for (const n of [1, 2]) \
         Net.httpRequest('{url}', () => Logger.write('heard ' + n), {{ method: 'POST', postData: String(n) }}); }});\n\
         VoxEngine.addEventListener(AppEvents.Terminated, () => Logger.write('terminated'));"
    );
    bench.rule("one", &script).await;
    let (_, log) = bench.run("one", "").await;
    assert_eq!(said(&log), ["heard 1", "terminated"], "{log}");
    assert_eq!(backend.heard(), [json!(1)]);
    bench.running.stop().await;
}

#[tokio::test]
async fn calls_fail_as_on_the_platform() {
    let script = r#"
const began = Date.now();
const dial = (number, act) => new Promise((done) => {
  const call = VoxEngine.callPSTN(number, '+74951234567');
  call.addEventListener(CallEvents.Failed, (e) => done(`${number.slice(-2)} ${e.code}`));
  call.addEventListener(CallEvents.Disconnected, (e) => done(`${number.slice(-2)} ended ${e.internalCode}`));
  if (act) act(call);
});
Logger.write(await dial('+79990000075'));
Logger.write(await dial('+79990000080'));
const waited = Date.now() - began;
Logger.write(waited > 60000 && waited < 90000);
Logger.write(await dial('+79990000001', (call) => setTimeout(() => call.hangup(), 100)));
Logger.write(await dial('+79990000002', (call) => call.addEventListener(CallEvents.Connected, () => call.hangup())));
Logger.write((await Promise.all(Array.from({ length: 12 }, () => dial('+79990000080')))).join());
VoxEngine.terminate();"#;
    let (session, log) = run(script).await;
    let twelve = format!("{}{}", "80 408,".repeat(10), "80 403,80 403");
    assert_eq!(said(&log), ["75 486", "80 408", "true", "01 487", "02 ended 200", &twelve], "{log}");
    assert_eq!(session["calls"].as_array().map(Vec::len), Some(16));
}

#[tokio::test]
async fn detectors_tell_positions_and_machines() {
    let script = r#"
require(Modules.Silero); require(Modules.AMD); require(Modules.ASR);
const detect = (number, how) => new Promise((done) => {
  const amd = AMD.create({ model: AMD.Model.RU, timeout: 6000 });
  amd.addEventListener(AMD.Events.DetectionComplete, (e) => { done(`${number.slice(-2)} ${e.resultClass} ${e.callId === call.id()}`); call.hangup(); });
  const call = VoxEngine.callPSTN(number, '+74951234567', { amd });
  if (how) how(call);
});
for (const last of ['01', '65', '93']) Logger.write(await detect(`+799900000${last}`));
Logger.write(await detect('+79990000003', (call) => call.addEventListener(CallEvents.Connected, () => setTimeout(() => call.hangup(), 500))));
const call = VoxEngine.callPSTN('+79990000004', '+74951234567');
const vad = await Silero.createVAD({ threshold: 0.5, minSilenceDurationMs: 300 });
const asr = VoxEngine.createASR({ profile: ASRProfileList.Yandex.ru_RU, interimResults: true });
let anchor = 0;
const heard = [];
vad.addEventListener(Silero.VADEvents.Result, (e) => {
  const late = Date.now() - anchor - (e.speechStartAt === undefined ? e.speechEndAt : e.speechStartAt);
  heard.push(e.speechStartAt === undefined ? `end ${late}` : `start ${late}`);
});
asr.addEventListener(ASREvents.CaptureStarted, () => heard.push('capture'));
asr.addEventListener(ASREvents.SpeechCaptured, () => heard.push('captured'));
asr.addEventListener(ASREvents.InterimResult, () => heard.push('interim'));
asr.addEventListener(ASREvents.Result, (e) => { heard.push(/^Алло/.test(e.text)); call.hangup(); });
call.addEventListener(CallEvents.Connected, () => { anchor = Date.now(); call.sendMediaTo(vad); call.sendMediaTo(asr); });
call.addEventListener(CallEvents.Disconnected, () => { Logger.write(heard.join()); VoxEngine.terminate(); });"#;
    let (_, log) = run(script).await;
    let lines = said(&log);
    assert_eq!(&lines[..4], ["01 HUMAN true", "65 VOICEMAIL true", "93 TIMEOUT true", "03 CALL_ENDED true"], "{log}");
    assert_eq!(
        lines[4].replace("start 97", "start 96").replace("end 301", "end 300"),
        "start 96,capture,interim,end 300,captured,true",
        "{log}"
    );
}

#[tokio::test]
async fn somebody_rings_in_and_presses_a_key() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    let script = r#"
VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call, callerid }) => {
  Logger.write(`${callerid} ${call.incoming()} ${VoxEngine.customData() === ''}`);
  call.addEventListener(CallEvents.Connected, () => { call.handleTones(true); call.say('Здравствуйте!'); });
  call.addEventListener(CallEvents.ToneReceived, (event) => { Logger.write(`pressed ${event.tone}`); call.hangup(); });
  call.addEventListener(CallEvents.Disconnected, (event) => { Logger.write(event.direction); VoxEngine.terminate(); });
  call.answer();
});"#;
    bench.rule("one", script).await;
    let body = "from=%2B79990000007&rule_name=one&tones=1";
    let url = format!("http://{}/simulator/inbound", bench.running.address());
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let told = client.post(url).body(body).send().await.expect("an answer").text().await.expect("text");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let id = told["call_session_history_id"].as_u64().expect("a session");
    let (session, log) = bench.history(id).await;
    assert_eq!(said(&log), ["79990000007 true true", "pressed 1", "incoming"], "{log}");
    assert_eq!(session["calls"][0]["incoming"], true);
    assert_eq!(bench.get("/simulator/calls").await, "", "nobody was called");
    bench.running.stop().await;
}

#[tokio::test]
async fn a_session_that_is_never_over_can_be_stopped() {
    let mut bench = Bench::open(quiet(1.0)).await;
    bench.rule("one", "setInterval(() => {}, 100);").await;
    bench.begin("one", "").await;
    let stopped = tokio::time::timeout(Duration::from_secs(5), bench.running.stop()).await;
    assert!(stopped.is_ok());
}

/// Echoes text, says what headers and protocols it was asked with, and closes when told to.
async fn echo() -> String {
    use axum::extract::ws::{Message, WebSocketUpgrade};
    let serve = |headers: axum::http::HeaderMap, upgrade: WebSocketUpgrade| async move {
        let who = headers.get("x-who").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        upgrade.on_upgrade(move |mut stream| async move {
            let _sent = stream.send(Message::text(format!("hello {who}"))).await;
            while let Some(Ok(message)) = stream.recv().await {
                match message {
                    Message::Text(text) if text.as_str() == "go" => {
                        let frame = axum::extract::ws::CloseFrame { code: 4001, reason: "done".into() };
                        let _sent = stream.send(Message::Close(Some(frame))).await;
                    }
                    Message::Text(text) => {
                        let _sent = stream.send(Message::Text(text)).await;
                    }
                    _ => {}
                }
            }
        })
    };
    let router = axum::Router::new().route("/", axum::routing::any(serve));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/", socket.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(socket, router).await });
    url
}

#[tokio::test]
async fn a_socket_really_connects() {
    let url = echo().await;
    let script = r#"
const ws = VoxEngine.createWebSocket('URL', { headers: [{ name: 'X-Who', value: 'me' }] });
Logger.write([ws.readyState, typeof WebSocket].join());
try { ws.send('early'); } catch (error) { Logger.write(error.message); }
const told = [];
ws.addEventListener(WebSocketEvents.OPEN, (e) => { told.push(`open ${e.websocket === ws} ${ws.readyState}`); ws.send('{"customEvent":"x"}'); });
ws.addEventListener(WebSocketEvents.MESSAGE, (e) => {
  told.push(e.text);
  if (told.length === 3) ws.send(JSON.stringify({ event: 'start', start: { mediaFormat: { encoding: 'ULAW' }, tag: 't' } }));
});
ws.addEventListener(WebSocketEvents.MEDIA_STARTED, (e) => { told.push(`media ${e.encoding} ${e.tag}`); ws.send('go'); });
ws.addEventListener(WebSocketEvents.ERROR, () => told.push('error'));
ws.addEventListener(WebSocketEvents.CLOSE, (e) => {
  Logger.write([...told, `close ${e.code} ${e.reason} ${e.wasClean} ${ws.readyState}`].join('|'));
  const nobody = VoxEngine.createWebSocket('ws://127.0.0.1:1/');
  const bad = [];
  nobody.addEventListener(WebSocketEvents.ERROR, () => bad.push('error'));
  nobody.addEventListener(WebSocketEvents.CLOSE, (e) => { Logger.write(`${bad.join()} ${e.code} ${e.wasClean}`); VoxEngine.terminate(); });
});"#;
    let (_, log) = run_at(1.0, &script.replace("URL", &url)).await;
    let expected = [
        "connecting,undefined",
        "send: the WebSocket is connecting",
        "open true open|hello me|{\"customEvent\":\"x\"}|media ULAW t|close 4001 done true closed",
        "error 1006 false",
    ];
    assert_eq!(said(&log), expected, "{log}");
}

#[tokio::test]
async fn somebody_connects_to_a_session_that_allows_it() {
    use futures::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let mut bench = Bench::open(quiet(1.0)).await;
    let script = r#"
VoxEngine.allowWebSocketConnections();
VoxEngine.addEventListener(AppEvents.NewWebSocketFailed, () => Logger.write('refused'));
VoxEngine.addEventListener(AppEvents.WebSocket, ({ websocket }) => {
  websocket.addEventListener(WebSocketEvents.OPEN, () => websocket.send(`you are in: ${websocket.readyState}`));
  websocket.addEventListener(WebSocketEvents.MESSAGE, (e) => (e.text === 'end' ? VoxEngine.terminate() : websocket.send(`heard ${e.text}`)));
});"#;
    bench.rule("one", script).await;
    bench.rule("closed", "setTimeout(() => {}, 50000);").await;
    let address = |started: &serde_json::Value| {
        let url = started["media_session_access_url"].as_str().expect("an address");
        url.replacen("http", "ws", 1)
    };
    let closed = bench.begin("closed", "").await;
    assert!(tokio_tungstenite::connect_async(address(&closed)).await.is_err(), "nobody asked for it");
    let started = bench.begin("one", "").await;
    let mut guests = Vec::new();
    for _ in 0..3 {
        guests.push(tokio_tungstenite::connect_async(address(&started)).await.expect("a way in").0);
    }
    assert!(tokio_tungstenite::connect_async(address(&started)).await.is_err(), "calls and three more, not four");
    let mut guest = guests.remove(0);
    assert_eq!(guest.next().await.expect("a message").expect("text"), Message::text("you are in: open"));
    guest.send(Message::text("this")).await.expect("sent");
    assert_eq!(guest.next().await.expect("a message").expect("text"), Message::text("heard this"));
    guest.send(Message::text("end")).await.expect("sent");
    let (_, log) = bench.history(started["call_session_history_id"].as_u64().expect("an id")).await;
    assert_eq!(said(&log), ["refused"], "{log}");
    bench.running.stop().await;
}

#[tokio::test]
async fn more_limits_of_the_platform() {
    let script = r#"
let players = 0;
try { for (;;) { VoxEngine.createTTSPlayer('x'); players += 1; } } catch (error) { Logger.write(`${players} players: ${error.message}`); }
for (const wrong of [() => VoxEngine.createTTSPlayer('x'.repeat(1501)), () => VoxEngine.createWebSocket('https://x'), () => getLocalTime('Nowhere/At_all')]) {
  try { wrong(); Logger.write('did not fail'); } catch (error) { Logger.write(error.name); }
}
const began = Date.now();
const ticks = await new Promise((done) => { let n = 0; const t = setInterval(() => { n += 1; if (n === 3) { clearInterval(t); done(Date.now() - began); } }, 1); });
Logger.write(ticks);
Logger.write(getLocalTime('Europe/Moscow', new Date('2026-01-02T03:04:05Z')).getHours());
VoxEngine.customData('ы'.repeat(101));
require(Modules.Pipecat);
const turns = await Pipecat.createTurnDetector({ threshold: 0.5 });
turns.addEventListener(Pipecat.TurnEvents.Result, (e) => Logger.write(`${e.endOfTurn} ${e.probability > 0.5}`));
turns.predict();
const recorder = VoxEngine.createRecorder();
recorder.addEventListener(RecorderEvents.Started, (e) => Logger.write(typeof e.url));
let failed = 0;
for (let n = 0; n < 51; n += 1) {
  const last = await new Promise((done) => {
    const call = VoxEngine.callPSTN('+79990000090', '+74951234567');
    call.customData('x'.repeat(n === 0 ? 201 : 1));
    call.addEventListener(CallEvents.Failed, (e) => done(`${e.code} ${e.reason}`));
  });
  if (last === '404 Not Found') failed += 1; else Logger.write(`${failed} times 404, then ${last}`);
}
VoxEngine.terminate();"#;
    let (session, log) = run(script).await;
    let expected = [
        "10 players: Players count limit exceeded",
        "Error",
        "Error",
        "RangeError",
        "300",
        "6",
        "custom data has 202 bytes; 200 are documented",
        "custom data has 201 bytes; 200 are documented",
        "true true",
        "string",
        "50 times 404, then 403 Call limit reached",
    ];
    let mut lines = said(&log);
    // Two detectors answer while the first call is being made.
    lines[6..10].sort_unstable();
    let mut sorted = expected;
    sorted[6..10].sort_unstable();
    assert_eq!(lines, sorted, "{log}");
    assert_eq!(session["calls"].as_array().map(Vec::len), Some(51));
}

#[tokio::test]
async fn a_number_behaves_as_it_is_told() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    let script = r#"
require(Modules.AMD);
const dial = (number) => new Promise((done) => {
  let found = 'none';
  const amd = AMD.create({ model: AMD.Model.RU, timeout: 5000 });
  amd.addEventListener(AMD.Events.DetectionComplete, (e) => { found = `${e.resultClass} ${e.resultSubtype}`; setTimeout(() => call.hangup(), 500); });
  const call = VoxEngine.callPSTN(number, '+74951234567', { amd });
  call.addEventListener(CallEvents.Failed, (e) => done(`${e.code} ${e.reason}`));
  call.addEventListener(CallEvents.Disconnected, () => done(found));
  call.addEventListener(CallEvents.ToneReceived, () => done('nobody asked for tones'));
});
VoxEngine.addEventListener(AppEvents.Started, async () => {
  for (const last of [1, 2, 3, 4, 5]) Logger.write(await dial(`+7999000000${last}`));
  VoxEngine.terminate();
});"#;
    bench.rule("one", script).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let url = format!("http://{}/simulator/callees", bench.running.address());
    let set = |number: &str, behaviour: serde_json::Value| {
        client.post(&url).body(json!({ "number": number, "behaviour": behaviour }).to_string()).send()
    };
    for (last, name) in [(1, "no_funds"), (2, "machine_mimic"), (3, "undecided"), (4, "gone_at_once"), (5, "busy")] {
        assert_eq!(set(&format!("+7999000000{last}"), json!(name)).await.expect("an answer").status(), 204);
    }
    assert_eq!(set("+79990000005", json!(null)).await.expect("an answer").status(), 204, "taken away again");
    let refused = set("+79990000005", json!("sings")).await.expect("an answer");
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.expect("text").contains("no_funds, "), "it says what there is");
    let (session, log) = bench.run("one", "").await;
    let expected = ["402 Insufficient funds", "VOICEMAIL MIMIC", "TIMEOUT NONE", "CALL_ENDED NONE", "HUMAN NONE"];
    assert_eq!(said(&log), expected, "{log}");
    assert_eq!(session["finish_reason"], "Insufficient funds");
    bench.running.stop().await;
}

#[tokio::test]
async fn keys_are_heard_by_whoever_asks_for_them() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    let script = r#"
VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
  call.addEventListener(CallEvents.ToneReceived, (event) => Logger.write(`pressed ${event.tone}`));
  call.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
  call.addEventListener(CallEvents.Connected, () => setTimeout(() => call.hangup(), 20000));
  call.answer();
});"#;
    bench.rule("one", script).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let url = format!("http://{}/simulator/inbound", bench.running.address());
    let told = client.post(url).body("from=79990000007&rule_name=one&tones=12").send().await.expect("an answer");
    let told: serde_json::Value = serde_json::from_str(&told.text().await.expect("text")).expect("JSON");
    let (_, log) = bench.history(told["call_session_history_id"].as_u64().expect("a session")).await;
    assert!(said(&log).is_empty(), "{log}");
    bench.running.stop().await;
}
