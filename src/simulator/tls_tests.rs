//! The door with TLS: whom it lets in, and that nobody keeps it from the others.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::simulator::tests::quiet;
use crate::simulator::{Running, Settings, SimulatorError, Tls, start};

fn with_tls(folder: &std::path::Path) -> Settings {
    let tls = Tls { listen: "127.0.0.1:0".parse().expect("an address"), folder: folder.to_owned() };
    Settings { tls: Some(tls), ..quiet(1000.0) }
}

async fn open() -> (Running, tempfile::TempDir, u16) {
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(with_tls(folder.path())).await.expect("loopback is free");
    let (url, _) = running.secure().expect("the door is open");
    let port = url.trim_end_matches("/platform_api").rsplit(':').next().and_then(|port| port.parse().ok());
    (running, folder, port.expect("a port"))
}

fn trusting(running: &Running) -> reqwest::Client {
    let (_, ca_file) = running.secure().expect("the door is open");
    let pem = std::fs::read(ca_file).expect("written before the door opened");
    let authority = reqwest::Certificate::from_pem(&pem).expect("PEM");
    reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().expect("a client")
}

async fn ask(client: &reqwest::Client, port: u16) -> Result<Value, reqwest::Error> {
    let url = format!("https://localhost:{port}/platform_api/GetAccountInfo?account_id=7&api_key=key");
    client.get(url).send().await?.json().await
}

#[tokio::test]
async fn the_same_platform_stands_behind_both_doors() {
    let (running, folder, port) = open().await;
    let told = ask(&trusting(&running), port).await.expect("an answer");
    assert_eq!(told["result"]["account_name"], "acc7");
    let by_ip = trusting(&running).get(format!("https://127.0.0.1:{port}/")).send().await.expect("an answer");
    assert_eq!(by_ip.status(), 200);
    // The key that was first shown behind one door holds behind the other.
    let plain = format!("{}/GetAccountInfo?account_id=7&api_key=other", running.url());
    let plain: Value = reqwest::get(plain).await.expect("an answer").json().await.expect("JSON");
    assert_eq!(plain["error"]["code"], 100);
    let stranger = reqwest::Client::builder().no_proxy().build().expect("a client");
    assert!(ask(&stranger, port).await.is_err(), "whoever was not told to trust it does not");
    let files: Vec<_> = std::fs::read_dir(folder.path()).expect("there").flatten().map(|it| it.file_name()).collect();
    assert_eq!(files, ["ca.pem"], "no key is written, and nothing is left over");
    running.stop().await;
}

#[tokio::test]
async fn fools_keep_nobody_waiting() {
    let (running, _folder, port) = open().await;
    let mut fools = Vec::new();
    for words in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], b"\x16\x03\x01\xff\xff", b"", &[0; 70_000]] {
        for _ in 0..20 {
            let mut fool = TcpStream::connect(("127.0.0.1", port)).await.expect("open");
            // A door that was shut in the fool's face is as good.
            let _refused = fool.write_all(words).await;
            fools.push(fool);
        }
    }
    let client = trusting(&running);
    let told = tokio::time::timeout(Duration::from_secs(4), ask(&client, port)).await;
    assert_eq!(told.expect("at once").expect("an answer")["result"]["account_id"], 7);
    // Plain HTTP is told off, not left alone.
    let mut heard = [0; 64];
    let first = tokio::time::timeout(Duration::from_secs(10), fools[0].read(&mut heard)).await.expect("an answer");
    assert!(matches!(first, Ok(0) | Err(_)) || heard[0] == 0x15, "a TLS alert or the end: {heard:?}");
    // Whoever says nothing is shown the door.
    let silent = tokio::time::timeout(Duration::from_secs(20), fools[45].read(&mut heard)).await.expect("an end");
    assert!(matches!(silent, Ok(0) | Err(_)));
    running.stop().await;
}

#[tokio::test]
async fn a_door_that_cannot_open_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wide = with_tls(folder.path());
    wide.tls.as_mut().expect("set").listen = "0.0.0.0:0".parse().expect("an address");
    assert!(matches!(start(wide).await, Err(SimulatorError::NotLoopback(_))));
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    assert!(matches!(start(with_tls(&file)).await, Err(SimulatorError::Tls(_))));
}
