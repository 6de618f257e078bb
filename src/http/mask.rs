//! What a viewer is answered: everything passes here, and no number of a person leaves it whole.

use crate::domain::masked::{Masker, Written};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures::StreamExt;

/// How a body is written; nothing for what is no text, which the table of roles keeps from viewers.
fn written(kind: &str) -> Option<Written> {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind {
        "application/json" | "application/problem+json" | "application/x-ndjson" | "text/event-stream" => {
            Some(Written::Json)
        }
        "text/html" => Some(Written::Html),
        kind if kind.starts_with("text/") => Some(Written::Text),
        _ => None,
    }
}

/// As many bytes as before, so that no header has to change.
pub(super) fn hide(response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let Some(written) = written(kind.unwrap_or("text/plain")) else { return response };
    let (parts, body) = response.into_parts();
    let masker = Some(Masker::new(written));
    let pieces = futures::stream::unfold((body.into_data_stream(), masker), |(mut pieces, masker)| async move {
        let mut masker = masker?;
        match pieces.next().await {
            Some(Ok(piece)) => Some((Ok(masker.piece(&piece)), (pieces, Some(masker)))),
            Some(Err(cause)) => Some((Err(cause), (pieces, None))),
            None => Some((Ok(masker.end()), (pieces, None))),
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_comes_in_pieces_is_masked_whole() {
        let pieces = ["{\"number\":\"+7999", "0000001\"}"].map(|piece| Ok::<_, std::io::Error>(piece.to_owned()));
        let body = Body::from_stream(futures::stream::iter(pieces));
        let response = Response::builder().header(CONTENT_TYPE, "application/json").body(body).unwrap();
        let bytes = axum::body::to_bytes(hide(response).into_body(), 1000).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), "{\"number\":\"+*********01\"}");
    }
}
