//! Our side of a conversation, asked for turn by turn.

use super::access::{bearer, same_secret};
use super::body::Object;
use super::talk::{Answer, Asked};
use super::{Problem, Web, talk};
use crate::dialogue::Variables;
use crate::domain::{AttemptId, Token};
use crate::store::Held;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;

/// What a request is declared to cost while the clock is scaled.
const NOMINAL_MS: &str = "app;dur=1";

/// Says what a request cost us, so that a session's own clock can count it.
///
/// With a scaled clock real durations mean nothing to a session whose pauses are compressed, and under
/// load they would differ from run to run: the nominal cost is declared instead.
pub(super) async fn server_timing(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let mut response = next.run(request).await;
    let value = if web.clock.speed() == 1.0 {
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        HeaderValue::from_str(&format!("app;dur={ms:.1}")).unwrap_or(HeaderValue::from_static(NOMINAL_MS))
    } else {
        HeaderValue::from_static(NOMINAL_MS)
    };
    response.headers_mut().insert(HeaderName::from_static("server-timing"), value);
    response
}

/// A JSON body of a session, whatever content type it claims.
pub(super) fn body_of<T: serde::de::DeserializeOwned>(
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<T, Problem> {
    let bytes = body.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    serde_json::from_slice(&bytes).map_err(|e| Problem::bad(format!("body: {e}")))
}

/// Unknown attempt 404, wrong token 401. Any token that the attempt ever had opens, so that late news
/// of an earlier session is heard, and judged by its session.
pub(super) async fn authorised(web: &Web, attempt: &str, headers: &HeaderMap) -> Result<(AttemptId, TokenOf), Problem> {
    let missing = || Problem::missing("this attempt does not exist");
    let attempt: AttemptId = attempt.parse().map_err(|_| missing())?;
    let tokens = web.store.tokens(attempt).await?.ok_or_else(missing)?;
    let presented = bearer(headers).ok_or_else(Problem::unauthorized)?;
    for token in &tokens {
        if same_secret(presented, &Token::event_token(token, &web.installation_key)) {
            return Ok((attempt, TokenOf::Event));
        }
    }
    if let Ok(grant) = presented.parse::<Token>()
        && tokens.contains(&grant.hash())
    {
        return Ok((attempt, TokenOf::Grant(grant.hash())));
    }
    Err(Problem::unauthorized())
}

/// Which of an attempt's secrets was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenOf {
    Event,
    Grant(crate::domain::TokenHash),
}

/// A contact's variables, as the script may name them.
pub(super) fn variables(held: &Held) -> Variables {
    serde_json::from_str(&held.variables).unwrap_or_default()
}

/// The whole reply to a turn. Where a model does not have it in time, a filler: whoever asks for the turn again, with
/// `again`, gets the reply.
pub(super) async fn dialog(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let Object(asked): Object<Asked> = body_of(body)?;
    match talk::answer(&web, &asked, &headers).await? {
        Answer::Given(reply) => Ok(Json(reply)),
        Answer::Coming { mut going, filler, .. } => {
            match tokio::time::timeout(web.turn, talk::ended(&mut going)).await {
                Ok(reply) => Ok(Json(reply?)),
                Err(_) => Ok(Json(talk::pending(if asked.again { "" } else { &filler }))),
            }
        }
    }
}
