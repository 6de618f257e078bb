//! Streams of events last as long as the key that opened them: a request is asked for its key once, and a stream may go
//! on for hours.

use super::Web;
use crate::domain::KeyId;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// How often the key behind a stream is looked at (real time).
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Comes back when the key opens nothing any more, or nobody can say whether it does.
async fn over(web: Arc<Web>, key: KeyId) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match web.store.key(key).await {
            Ok(Some(row)) => match row.over(web.clock.now()) {
                None => {}
                Some(why) => return info!("A stream of events ends: key {key} is {why}"),
            },
            Ok(None) => return info!("A stream of events ends: key {key} is gone"),
            Err(cause) => return warn!("A stream of events ends: key {key} cannot be looked at: {cause}"),
        }
    }
}

/// The answer as it is, but for a stream of events: that ends with its key. `API_AUTH_KEY`, which is no row, lasts as
/// long as the process.
pub(super) fn with_its_key(web: &Arc<Web>, key: Option<KeyId>, response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    match key {
        Some(key) if kind.starts_with(b"text/event-stream") => {
            let web = web.clone();
            response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(over(web, key)))))
        }
        _ => response,
    }
}
