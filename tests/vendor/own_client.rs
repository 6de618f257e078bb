//! Our client with a service account against a simulator that checks its tokens.

use halo::domain::Timestamp;
use halo::voximplant::{Client, Connection, Credentials, Modes, ServiceKey, Sources, Wall};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("before the year 292 million")
}

fn client(url: &str, key_file: &Path, wall: Wall) -> Client {
    let modes = Sources::built_in().read("modes.toml").expect("built in");
    let key = ServiceKey::from_json(&std::fs::read_to_string(key_file).expect("written")).expect("a key");
    let connection = Connection {
        url: url.to_owned(),
        account: "unused".into(),
        credentials: Credentials::Service(key),
        application: None,
        application_name: "halo-demo".into(),
        backend_url: "http://127.0.0.1:9".into(),
        modes: Modes::read(&modes, &|_| None).expect("built in"),
    };
    Client::new(connection, wall).expect("a client")
}

/// The code of a refused question; 0 when it is answered.
async fn code(client: &Client) -> i64 {
    match client.account().await {
        Ok(_) => 0,
        Err(error) => error.code().unwrap_or(-1),
    }
}

pub async fn comes_by_token_and_renews_it(url: &str, keys: &[PathBuf; 3]) {
    let right: Wall = Arc::new(|| Timestamp(now_ms()));
    let [own, bad, strange] = keys;
    assert_eq!(code(&client(url, own, Arc::clone(&right))).await, 0);
    assert_eq!(code(&client(url, bad, Arc::clone(&right))).await, 100);
    assert_eq!(code(&client(url, strange, right)).await, 433);

    // A clock that stood ten minutes behind when the first token was minted: that one has expired.
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let mended: Wall = Arc::new(move || {
        let behind = if counted.fetch_add(1, Ordering::Relaxed) == 0 { 600_000 } else { 0 };
        Timestamp(now_ms() - behind)
    });
    assert_eq!(code(&client(url, own, mended)).await, 0, "renewed once, and let in");
    assert_eq!(asked.load(Ordering::Relaxed), 2, "one token was minted anew");
    // A clock that stays behind is not argued with.
    let behind: Wall = Arc::new(|| Timestamp(now_ms() - 600_000));
    assert_eq!(code(&client(url, own, behind)).await, 456);
}
