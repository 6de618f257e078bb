//! The stylesheet, the scripts and the sign of the house, compiled in.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const FILES: [(&str, &str, &str); 3] = [
    ("page.css", "text/css; charset=utf-8", include_str!("../../templates/page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("../../templates/page/page.js")),
    ("halo.svg", "image/svg+xml", include_str!("../../templates/page/halo.svg")),
];

/// Another text has another address, so an old one may be kept for ever.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    FILES.iter().for_each(|(_, _, text)| digest.update(text));
    digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
});

pub async fn file(Path((version, name)): Path<(String, String)>) -> Response<Body> {
    let found = FILES.iter().find(|(known, _, _)| *known == name).filter(|_| version == *VERSION);
    let Some((_, kind, text)) = found else {
        let mut missing = Response::new(Body::empty());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let mut response = Response::new(Body::from(*text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
