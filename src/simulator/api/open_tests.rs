//! What the platform's documents leave open, what it bears, and what it does for whoever is unkind.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::simulator::tests::{Bench, quiet};
use crate::simulator::{LongCustomData, NoMoney, Settings};

fn code(answer: &Value) -> u64 {
    answer["error"]["code"].as_u64().unwrap_or(0)
}

/// Two bytes a letter: the two hundredth byte is the middle of one when a digit comes first.
fn long_data() -> String {
    format!("1{}", "ж".repeat(120))
}

#[tokio::test]
async fn custom_data_over_the_documented_length_is_passed_cut_or_refused() {
    let (long, all) = (long_data(), long_data().len());
    let kept = format!("1{}", "ж".repeat(99));
    for (rule, what) in [
        (LongCustomData::Warn, Some((long.clone(), all))),
        (LongCustomData::Truncate, Some((kept.clone(), 199))),
        (LongCustomData::Reject, None),
    ] {
        let mut bench = Bench::open(Settings { long_custom_data: rule, ..quiet(1000.0) }).await;
        bench.rule("one", "Logger.write(`has ${VoxEngine.customData().length}`); VoxEngine.terminate();").await;
        let Some((text, bytes)) = what else {
            assert_eq!(code(&bench.begin("one", &long).await), 499);
            assert_eq!(code(&bench.begin("one", &"x".repeat(200)).await), 0, "200 bytes are no long data");
            continue;
        };
        let (session, log) = bench.run("one", &long).await;
        assert_eq!(session["custom_data"], text.as_str());
        assert!(log.contains(&format!("had {all} bytes, {bytes} are passed on")), "{log}");
        assert!(log.contains(&format!("has {}", text.chars().count())), "{log}");
        bench.running.stop().await;
    }
}

#[tokio::test]
async fn a_rule_may_be_named_or_must_be_numbered() {
    for (strict_rule_id, expected) in [(false, 0), (true, 134)] {
        let mut bench = Bench::open(Settings { strict_rule_id, ..quiet(1000.0) }).await;
        bench.rule("one", "VoxEngine.terminate();").await;
        let (application, id) = (bench.application.to_string(), bench.rules["one"].to_string());
        let named = [("rule_name", "one"), ("application_id", application.as_str())];
        assert_eq!(code(&bench.ask("StartScenarios", &named).await), expected);
        assert_eq!(code(&bench.ask("StartScenarios", &[("rule_name", "one")]).await), 134, "of which application?");
        let by_id = ("rule_id", id.as_str());
        for (more, expected) in [
            (("script_name", "whatever"), 0),
            (("server_location", "local"), 0),
            (("server_location", "mars"), 496),
            (("reference_ip", "203.0.113.7"), 0),
            (("reference_ip", "nowhere"), 257),
        ] {
            assert_eq!(code(&bench.ask("StartScenarios", &[by_id, more]).await), expected, "{more:?}");
        }
        bench.running.stop().await;
    }
}

#[tokio::test]
async fn without_money_a_start_or_a_call_is_refused() {
    let script = "VoxEngine.addEventListener(AppEvents.Started, () => {
        const call = VoxEngine.callPSTN('+79990000001', '+74951234567');
        call.addEventListener(CallEvents.Failed, (e) => { Logger.write(`failed ${e.code}`); VoxEngine.terminate(); });
    });";
    let broke = |no_money| Settings { balance: 0.0, no_money, ..quiet(1000.0) };
    let mut bench = Bench::open(broke(NoMoney::RefuseStart)).await;
    bench.rule("one", script).await;
    assert_eq!(code(&bench.begin("one", "").await), 127);
    assert_eq!(bench.ask("GetAccountInfo", &[]).await["result"]["balance"], 0.0);
    bench.running.stop().await;
    let mut bench = Bench::open(broke(NoMoney::FailCall)).await;
    bench.rule("one", script).await;
    let (session, log) = bench.run("one", "").await;
    assert!(log.contains("failed 402"), "{log}");
    assert_eq!(session["finish_reason"], "Insufficient funds");
    assert_eq!(session["calls"][0]["end_reason"]["code"], 402);
    bench.running.stop().await;
}

#[tokio::test]
async fn other_methods_meet_trouble_by_its_name() {
    for (mischief, status, expected) in
        [("api_429=1", 429, 0), ("api_5xx=1", 503, 0), ("api_340=1", 200, 340), ("api_slow=1", 200, 0)]
    {
        let settings = Settings { mischief: mischief.parse().expect("known"), ..quiet(1000.0) };
        let running = crate::simulator::start(settings).await.expect("loopback is free");
        let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
        let url = format!("{}/GetAccountInfo?account_id=7&api_key=key", running.url());
        let told = client.get(url).send().await.expect("an answer");
        assert_eq!(told.status(), status, "{mischief}");
        let body: Value = told.json().await.unwrap_or_default();
        assert_eq!(code(&body), expected, "{mischief}");
        running.stop().await;
    }
}

#[tokio::test]
async fn more_than_two_hundred_at_once_are_too_many() {
    let mut settings = quiet(1.0);
    settings.latency.start_answer_ms = crate::simulator::Delay::new(3000.0, 0.0);
    let mut bench = Bench::open(settings).await;
    bench.rule("one", "VoxEngine.terminate();").await;
    let rule = bench.rules["one"].to_string();
    let url = format!("{}/StartScenarios?account_id=7&api_key=key&rule_id={rule}", bench.running.url());
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let all = futures::future::join_all((0..230).map(|_| client.get(&url).send())).await;
    let statuses: Vec<u16> = all.into_iter().map(|told| told.expect("an answer").status().as_u16()).collect();
    let of = |status| statuses.iter().filter(|told| **told == status).count();
    assert_eq!((of(200) + of(429), of(200)), (230, 200), "{statuses:?}");
    assert_eq!(code(&bench.ask("GetAccountInfo", &[]).await), 0, "and then it serves again");
    bench.running.stop().await;
}

#[tokio::test]
async fn plain_questions_need_no_key() {
    let bench = Bench::open(quiet(1000.0)).await;
    for path in ["/getServerLocations", "/getServerLocations/"] {
        assert_eq!(bench.get(path).await, json!({ "result": ["local"] }).to_string());
    }
    let told: Value = serde_json::from_str(&bench.get("/getMediaResources?with_sbcs").await).expect("JSON");
    assert_eq!(told["result"]["sbcs"][0]["ip"], "127.0.0.1");
    let told: Value = serde_json::from_str(&bench.get("/getMediaResources").await).expect("JSON");
    assert_eq!(told["result"].get("sbcs"), None);
    bench.running.stop().await;
}

/// One request as bytes; all that comes back until the other side has said it.
async fn raw(bench: &Bench, head: &str, body: &[u8]) -> String {
    let mut wire = tokio::net::TcpStream::connect(bench.running.address()).await.expect("open");
    let text = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n");
    wire.write_all(text.as_bytes()).await.expect("taken");
    // Whoever is refused early may find the line cut while still talking.
    let _refused_early = wire.write_all(body).await;
    let mut told = Vec::new();
    let _cut = tokio::time::timeout(std::time::Duration::from_secs(20), wire.read_to_end(&mut told)).await;
    String::from_utf8_lossy(&told).into_owned()
}

fn sized(kind: &str, body: &[u8]) -> Vec<u8> {
    let mut all = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    all.extend_from_slice(body);
    all
}

#[tokio::test]
async fn the_unkind_are_answered() {
    let bench = Bench::open(quiet(1000.0)).await;
    let by_form = b"cmd=GetAccountInfo&account_id=7&api_key=key";
    let form = "application/x-www-form-urlencoded";
    let edge = "multipart/form-data; boundary=e";
    let part = "--e\r\nContent-Disposition: form-data; name=\"cmd\"\r\n\r\nGetAccountInfo\r\n";
    let (post, large) = ("POST /platform_api HTTP/1.1", vec![b'a'; 3 * 1024 * 1024]);
    let mut padded = by_form.to_vec();
    padded.extend_from_slice(b"&more=");
    padded.extend(vec![b'a'; 1024 * 1024]);
    let mut invalid = by_form.to_vec();
    invalid.extend_from_slice(b"&n=%ff%zz%&\xff\xfe=\xc3");
    let part_with = |value: &[u8]| {
        [part.as_bytes(), b"--e\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n", value, b"\r\n--e--\r\n"]
            .concat()
    };
    for (what, body, told) in [
        ("a form", sized(form, by_form), "\"account_name\":\"acc7\""),
        ("a form in capitals", sized("Application/X-WWW-Form-Urlencoded; charset=UTF-8", by_form), "acc7"),
        ("a megabyte", sized(form, &padded), "acc7"),
        ("bytes that are no text", sized(form, &invalid), "acc7"),
        ("no kind", sized("", by_form), "acc7"),
        ("JSON", sized("application/json", b"{\"cmd\":\"GetAccountInfo\"}"), "\"code\":102"),
        ("nothing", sized(form, b""), "\"code\":102"),
        ("three megabytes", sized(form, &large), "\"code\":101"),
        ("a multipart without an edge", sized("multipart/form-data", part.as_bytes()), "\"code\":101"),
        ("a multipart that breaks off", sized(edge, part.as_bytes()), "\"code\":101"),
        ("a multipart in capitals", sized("Multipart/Form-Data; boundary=e", &part_with(b"1")), "\"code\":100"),
        ("a multipart of no text", sized(edge, &part_with(b"\xff\xfe")), "\"code\":100"),
        ("a huge multipart", sized(edge, &part_with(&large)), "\"code\":101"),
        (
            "chunks",
            b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n\
            8\r\ncmd=GetA\r\n23\r\nccountInfo&account_id=7&api_key=key\r\n0\r\n\r\n"
                .to_vec(),
            "acc7",
        ),
        (
            "broken chunks",
            b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
            "HTTP/1.1",
        ),
    ] {
        let heard = raw(&bench, post, &body).await;
        assert!(heard.contains(told), "{what}: {heard}");
    }
    let query = "GET /platform_api/GetAccountInfo/?account_id=7&api_key=key&x=%ff&&=&a=b=c HTTP/1.1";
    assert!(raw(&bench, query, b"\r\n").await.contains("acc7"));
    for foolish in ["GET /request/x/y HTTP/1.1", "GET /simulator/sessions/none/log HTTP/1.1", "BREW / HTTP/1.1"] {
        let heard = raw(&bench, foolish, b"\r\n").await;
        assert!(heard.starts_with("HTTP/1.1 4"), "{foolish}: {heard}");
    }
    assert_eq!(code(&bench.ask("GetAccountInfo", &[]).await), 0, "and it is still there");
    bench.running.stop().await;
}
