//! What stands before the service: a proxy that does its work, or one of those that do not.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Manner {
    #[default]
    Passes,
    /// A tunnel's page, before it lets anybody through.
    Page,
    /// The same, but health checks pass.
    PageForGrants,
    Redirects,
    NothingBehind,
    Password,
}

#[derive(Clone)]
pub struct Front {
    pub address: SocketAddr,
    to: Arc<OnceLock<SocketAddr>>,
    manner: Arc<Mutex<Manner>>,
}

impl Front {
    pub async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let front = Front { address, to: Arc::default(), manner: Arc::default() };
        let router = Router::new().fallback(pass).with_state(front.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        front
    }

    pub fn leads_to(&self, service: SocketAddr) {
        self.to.set(service).expect("once");
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut made = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        made = made.header(*name, *value);
    }
    made.body(body.into()).unwrap()
}

/// Whatever stands before `/voximplant/` in the path is the front's own.
async fn pass(State(front): State<Front>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let at = path.find("/voximplant/").unwrap_or(0);
    let manner = *front.manner.lock().unwrap();
    match manner {
        Manner::Passes => {}
        Manner::PageForGrants if !path.ends_with("/grant") => {}
        Manner::Page | Manner::PageForGrants => {
            return answer(200, &[("content-type", "text/html; charset=utf-8")], "<html>Visit site?</html>");
        }
        Manner::Redirects => return answer(301, &[("location", "https://elsewhere.example/")], ""),
        Manner::NothingBehind => return answer(502, &[], "bad gateway"),
        Manner::Password => return answer(401, &[("www-authenticate", "Basic")], ""),
    }
    let service = front.to.get().expect("it leads somewhere");
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let url = format!("http://{service}{}", &path[at..]);
    let asked = reqwest::Client::new().request(parts.method, url).headers(parts.headers).body(body).send().await;
    let told = asked.expect("the service answers");
    let kind = told.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = told.status().as_u16();
    answer(status, &[("content-type", &kind)], told.bytes().await.expect("a body"))
}
