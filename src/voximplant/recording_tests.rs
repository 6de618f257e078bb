//! What may be fetched, and what our token is shown to.

use super::*;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response as Answer};
use std::sync::Mutex;

fn allows(reach: Reach, url: &str) -> bool {
    reach.allows(&Url::parse(url).unwrap()).is_ok()
}

/// Without any one of these looks, a history (or whoever writes into one) makes us read our own insides.
#[test]
fn inner_addresses_are_out_of_reach() {
    for url in [
        "http://storage.example.com/a.mp3",
        "https://127.0.0.1/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://10.0.0.1/a",
        "https://172.16.0.1/a",
        "https://192.168.1.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/a",
        "https://0.0.0.0/a",
        "https://224.0.0.1/a",
        "https://255.255.255.255/a",
        "https://[::1]/a",
        "https://[::]/a",
        "https://[fe80::1]/a",
        "https://[fd00::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://[2002:a00:1::]/a",
        "https://name:word@storage.example.com/a",
        "ftp://storage.example.com/a",
        "file:///etc/passwd",
    ] {
        assert!(!allows(Reach::World, url), "{url}");
    }
    for url in ["https://storage.example.com/a.mp3", "https://8.8.8.8/a", "https://[2a00:1450::1]/a"] {
        assert!(allows(Reach::World, url), "{url}");
    }
    assert!(
        allows(Reach::ThisMachine, "http://127.0.0.1:9100/a") && allows(Reach::ThisMachine, "http://localhost:1/a")
    );
    for url in
        ["https://storage.example.com/a.mp3", "http://10.0.0.1/a", "http://169.254.169.254/a", "file:///etc/passwd"]
    {
        assert!(!allows(Reach::ThisMachine, url), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_stands_for_an_inner_address_is_not_called() {
    let http = reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(Guarded(Reach::World))).build().unwrap();
    let refused = http.get("http://localhost:9/").send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("its name stands for an inner address"), "{refused:?}");
}

/// A path that was asked for, and the bearer that was shown.
type Asked = (String, Option<String>);

/// A storage that remembers who presented what.
#[derive(Clone, Default)]
struct Storage(Arc<Mutex<Vec<Asked>>>);

impl Storage {
    async fn open() -> (Self, SocketAddr) {
        let storage = Storage::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(serve).with_state(storage.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (storage, address)
    }

    fn asked(&self) -> Vec<(String, bool)> {
        self.0.lock().unwrap().drain(..).map(|(path, bearer)| (path, bearer.is_some())).collect()
    }
}

async fn serve(State(storage): State<Storage>, uri: Uri, headers: HeaderMap) -> Answer {
    let bearer = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let is_ours =
        bearer.as_ref().is_some_and(|bearer| bearer.starts_with("Bearer ") && bearer.matches('.').count() == 2);
    storage.0.lock().unwrap().push((uri.path().to_owned(), bearer));
    let to = uri.query().unwrap_or_default().to_owned();
    match uri.path() {
        "/secure" if !is_ours => StatusCode::UNAUTHORIZED.into_response(),
        "/locked" => StatusCode::UNAUTHORIZED.into_response(),
        "/moved" if is_ours => (StatusCode::FOUND, [("location", to)]).into_response(),
        "/moved" => StatusCode::UNAUTHORIZED.into_response(),
        "/round" => (StatusCode::FOUND, [("location", "/round")]).into_response(),
        "/broken" => StatusCode::BAD_GATEWAY.into_response(),
        "/gone" => StatusCode::NOT_FOUND.into_response(),
        "/large" => (
            [("content-length", (BYTES_MAX + 1).to_string())],
            axum::body::Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>()),
        )
            .into_response(),
        _ => ([("content-type", "audio/mpeg")], "the audio").into_response(),
    }
}

async fn all(mut fetched: Fetched) -> String {
    let mut text = String::new();
    while let Some(piece) = fetched.piece().await.unwrap() {
        text.push_str(&String::from_utf8(piece).unwrap());
    }
    text
}

#[tokio::test]
async fn the_token_is_shown_to_whoever_asks_for_it_and_to_nobody_else() {
    let (storage, at) = Storage::open().await;
    let (other, elsewhere) = Storage::open().await;
    let ours = || Ok(Some(SecretString::from("a.b.c")));
    let fetch = async |path: &str| super::fetch(Reach::ThisMachine, &format!("http://{at}{path}"), None, ours).await;

    let open = fetch("/open").await.unwrap();
    assert_eq!((open.content_type.as_deref(), open.length, open.partial), (Some("audio/mpeg"), Some(9), false));
    assert_eq!(all(open).await, "the audio");
    assert_eq!(storage.asked(), [("/open".to_owned(), false)], "no token where none is asked for");

    assert_eq!(all(fetch("/secure").await.unwrap()).await, "the audio");
    assert_eq!(storage.asked(), [("/secure".to_owned(), false), ("/secure".to_owned(), true)]);

    // Another port is another host: the platform's storage often redirects to somebody else's.
    assert_eq!(all(fetch(&format!("/moved?http://{elsewhere}/open")).await.unwrap()).await, "the audio");
    assert_eq!(other.asked(), [("/open".to_owned(), false)], "the token stays at home");
    storage.asked();

    let inner = fetch("/moved?http://169.254.169.254/latest").await;
    assert!(matches!(inner, Err(FetchError::Address(_))));
    assert!(matches!(fetch("/round").await, Err(FetchError::Address("too many redirects"))));
    assert!(matches!(fetch("/locked").await, Err(FetchError::Refused)));
    assert!(matches!(fetch("/gone").await, Err(FetchError::Gone)));
    assert!(matches!(fetch("/broken").await, Err(FetchError::Status(502))));
    assert!(matches!(fetch("/large").await, Err(FetchError::TooLarge)));
    let nobody = super::fetch(Reach::ThisMachine, "http://127.0.0.1:9/a?secret", None, ours).await.err().unwrap();
    assert!(matches!(nobody, FetchError::NoAnswer(_)) && !format!("{nobody:?}").contains("secret"), "{nobody:?}");

    // An account's key is no bearer, and it goes into no address.
    storage.asked();
    let refused = super::fetch(Reach::ThisMachine, &format!("http://{at}/secure"), None, || Ok(None)).await;
    assert!(matches!(refused, Err(FetchError::NeedsServiceAccount)));
    assert_eq!(storage.asked(), [("/secure".to_owned(), false)]);
}
