//! The document as it is sent, and the page that shows it. Both are open: neither knows anybody's data.

use super::document;
use crate::http::{Problem, problem};
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::middleware::from_fn;
use axum::routing::get;
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

const ADDRESS: &str = "/api/openapi.json";

/// As strict as the page bears: Swagger UI writes styles into its elements and draws its signs from `data:`. Scripts are
/// its own files alone, and it may ask nobody but this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static TEXT: LazyLock<(String, String)> = LazyLock::new(|| {
    let text = document().to_string();
    let digest = Sha256::digest(text.as_bytes());
    let tag: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    (text, format!("\"{tag}\""))
});

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new([ADDRESS]).try_it_out_enabled(true).persist_authorization(false).filter(true);
    Arc::new(config.doc_expansion("none"))
});

pub(in crate::http) fn routes() -> Router {
    Router::new()
        .route(ADDRESS, get(document_text))
        .route("/docs", get(moved))
        .route("/docs/", get(index))
        .route("/docs/{file}", get(file))
        .layer(from_fn(problem::in_words))
}

fn answer(status: StatusCode, headers: &[(HeaderName, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let usual =
        [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "no-referrer"), (CONTENT_SECURITY_POLICY, POLICY)];
    for (name, value) in usual.iter().chain(headers) {
        // Made of our own words and a media type: always fit for a header.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn document_text(headers: HeaderMap) -> Response<Body> {
    let (text, tag) = &*TEXT;
    let about = [(ETAG, tag.as_str()), (CACHE_CONTROL, "no-cache"), (CONTENT_TYPE, "application/json")];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return answer(StatusCode::NOT_MODIFIED, &about[..2], Body::empty());
    }
    answer(StatusCode::OK, &about, text.as_str())
}

/// The page names its files beside itself.
async fn moved() -> Response<Body> {
    answer(StatusCode::PERMANENT_REDIRECT, &[(LOCATION, "/docs/")], Body::empty())
}

async fn index() -> Result<Response<Body>, Problem> {
    part("index.html")
}

async fn file(Path(name): Path<String>) -> Result<Response<Body>, Problem> {
    part(&name)
}

fn part(name: &str) -> Result<Response<Body>, Problem> {
    let found = utoipa_swagger_ui::serve(name, CONFIG.clone()).map_err(Problem::ours)?;
    let found = found.ok_or_else(|| Problem::missing("there is nothing at this address"))?;
    let about = [(CONTENT_TYPE, found.content_type.as_str()), (CACHE_CONTROL, "no-cache")];
    Ok(answer(StatusCode::OK, &about, found.bytes.into_owned()))
}
