//! The API, asked from inside the process with the key of whoever looks.

use super::trouble::Trouble;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use tower::ServiceExt;

/// An answer that is read whole.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Clone)]
pub struct Api {
    router: Router,
    bearer: HeaderValue,
    /// Where the browser is: wrong keys are counted by it.
    from: Option<ConnectInfo<SocketAddr>>,
}

/// A piece of an address, in which nothing of a text is a separator.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl Api {
    pub fn new(router: Router, key: &str, from: Option<ConnectInfo<SocketAddr>>) -> Option<Self> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
        bearer.set_sensitive(true);
        Some(Api { router, bearer, from })
    }

    /// `path` begins at the API's own root or, for the few doors beside it, at the server's.
    fn address(path: &str) -> String {
        if path.starts_with("/demo/") { path.to_owned() } else { format!("/api/v1{path}") }
    }

    /// The answer as it is, to be passed on piece by piece.
    pub async fn send(&self, method: Method, path: &str, headers: HeaderMap, body: Body) -> Response<Body> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        request.headers_mut().insert(AUTHORIZATION, self.bearer.clone());
        let Ok(uri) = Api::address(path).parse() else {
            let mut refused = Response::new(Body::empty());
            *refused.status_mut() = StatusCode::NOT_FOUND;
            return refused;
        };
        *request.uri_mut() = uri;
        if let Some(from) = self.from {
            request.extensions_mut().insert(from);
        }
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Trouble> {
        let mut headers = HeaderMap::new();
        let body = match body {
            Some(value) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Body::from(value.to_string())
            }
            None => Body::empty(),
        };
        read(self.send(method, path, headers, body).await).await
    }

    pub async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value, Trouble> {
        self.ask(Method::DELETE, path, None).await
    }

    /// A form, as its own `headers` describe it.
    pub async fn form(&self, path: &str, kind: HeaderValue, body: Body) -> Result<Value, Trouble> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        read(self.send(Method::POST, path, headers, body).await).await
    }

    /// A file or a recording, passed on with what describes it.
    pub async fn pass_on(&self, path: &str, asked: &HeaderMap) -> Result<Response<Body>, Trouble> {
        let mut headers = HeaderMap::new();
        for name in ["range", "if-none-match"] {
            if let Some(value) = asked.get(name) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        let response = self.send(Method::GET, path, headers, Body::empty()).await;
        if response.status().is_client_error() || response.status().is_server_error() {
            return Err(read(response)
                .await
                .err()
                .unwrap_or_else(|| Trouble::new(StatusCode::BAD_GATEWAY, "the answer cannot be read")));
        }
        Ok(response)
    }
}

async fn read(response: Response<Body>) -> Result<Value, Trouble> {
    let status = response.status();
    let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
    let body = body.map_err(|e| Trouble::new(StatusCode::BAD_GATEWAY, e.to_string()))?;
    if !status.is_success() {
        return Err(Trouble::told(status, &body));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|e| Trouble::new(StatusCode::BAD_GATEWAY, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_piece_of_an_address() {
        assert_eq!(encoded("a/b?c#d %é"), "a%2Fb%3Fc%23d%20%25%C3%A9");
    }
}
