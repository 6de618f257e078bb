//! A call's audio and its session's log, passed on: their addresses are shown to nobody.

use super::{Problem, Web};
use crate::domain::{AttemptId, SessionId};
use crate::store::{Held, KnownHistory};
use crate::voximplant::recording::{FetchError, Fetched};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use futures::stream;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// A listener who takes longer than this for one download has gone.
const PASSED_ON_WITHIN: Duration = Duration::from_secs(15 * 60);
const RANGE_BYTES_MAX: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Which of several recordings, from 1.
    n: Option<usize>,
}

/// 404: there is none; 409: not there yet. What is there is reached by a link that is good for a few minutes.
pub(super) async fn recording(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<axum::response::Response, Problem> {
    let n = which.n.unwrap_or(1);
    let (attempt, _) = found(&web, &id, n).await?;
    Ok(super::signed::to_recording(&web, attempt, n, &headers))
}

/// 502: the provider fails.
pub(super) async fn played(web: &Web, id: &str, n: usize, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
    let (attempt, url) = found(web, id, n).await?;
    let fetched = web.dialer.client.fetch(&url, range(headers)?).await;
    let fetched = fetched.map_err(|cause| troubled("recording", attempt, cause))?;
    info!(attempt.id = %attempt, "Recording of attempt {attempt} passed on");
    let (kind, ending) = audio(fetched.content_type.as_deref());
    passed_on(attempt, fetched, kind, &format!("{attempt}.{ending}"))
}

/// Which attempt, and where the n-th recording of it lies.
async fn found(web: &Web, id: &str, n: usize) -> Result<(AttemptId, String), Problem> {
    let (attempt, held, known) = known(web, id).await?;
    let record = known.as_ref().and_then(|known| known.records.get(n.checked_sub(1)?));
    if let Some(record) = record {
        return Ok((attempt, record.url.clone()));
    }
    let recorded = web.store.was_recorded(attempt).await?;
    let asked = web.dialer.rules(held.campaign).await?.settings.dial.record;
    Err(match (held.session, known) {
        (Some(session), None) if recorded || asked => not_yet(session),
        (_, Some(known)) if known.records.len() > 1 => {
            Problem::missing(format!("this call has {} recordings", known.records.len()))
        }
        _ => Problem::missing("this call was not recorded"),
    })
}

/// The log that the session wrote at the provider, which keeps it for a month.
pub(super) async fn log(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let (attempt, held, known) = known(&web, &id).await?;
    let url = match (held.session, known) {
        (_, Some(KnownHistory { log_url: Some(url), .. })) => url,
        (_, Some(_)) => return Err(Problem::missing("the provider names no log of this session")),
        (Some(session), None) => return Err(not_yet(session)),
        (None, None) => return Err(Problem::missing("this attempt has no session")),
    };
    let fetched = web.dialer.client.fetch(&url, range(&headers)?).await;
    let fetched = fetched.map_err(|cause| troubled("log", attempt, cause))?;
    passed_on(attempt, fetched, "text/plain; charset=utf-8", &format!("{attempt}.log"))
}

async fn known(web: &Web, id: &str) -> Result<(AttemptId, Held, Option<KnownHistory>), Problem> {
    let missing = || Problem::missing(format!("attempt `{id}` does not exist"));
    let attempt: AttemptId = id.parse().map_err(|_| missing())?;
    let held = web.store.attempt(attempt).await?.ok_or_else(missing)?;
    let known = web.store.known_history(attempt).await?;
    Ok((attempt, held, known))
}

fn not_yet(session: SessionId) -> Problem {
    Problem::conflict(format!("the provider's history of session {session} is not there yet: ask again in a minute"))
}

/// One range of bytes is passed on as it came; anything else is not worth a second request.
fn range(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(range) = headers.get(RANGE) else { return Ok(None) };
    let sound = |text: &&str| {
        text.len() <= RANGE_BYTES_MAX
            && text.strip_prefix("bytes=").is_some_and(|r| r.chars().all(|c| c.is_ascii_digit() || c == '-'))
    };
    let text = range.to_str().ok().filter(sound);
    text.map(Some).ok_or_else(|| Problem::bad("range: write one range, as in bytes=0-1023"))
}

/// What the storage says it is, as far as it is audio; nobody's browser is made to run anything else.
fn audio(told: Option<&str>) -> (&'static str, &'static str) {
    match told.map(|told| told.split(';').next().unwrap_or_default().trim()) {
        Some("audio/mpeg" | "audio/mp3") => ("audio/mpeg", "mp3"),
        Some("audio/wav" | "audio/x-wav" | "audio/wave") => ("audio/wav", "wav"),
        Some("audio/flac" | "audio/x-flac") => ("audio/flac", "flac"),
        Some("audio/ogg") => ("audio/ogg", "ogg"),
        _ => ("application/octet-stream", "bin"),
    }
}

fn troubled(what: &str, attempt: AttemptId, cause: FetchError) -> Problem {
    warn!(attempt.id = %attempt, "The {what} of attempt {attempt}: {cause}");
    match cause {
        FetchError::Gone => Problem::missing(format!("the {what}: {cause}")),
        FetchError::Range => Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", format!("the {what}: {cause}")),
        cause => Problem::provider(format!("the {what}: {cause}")),
    }
}

fn passed_on(attempt: AttemptId, fetched: Fetched, kind: &'static str, name: &str) -> Result<Response<Body>, Problem> {
    let mut headers: Vec<(HeaderName, String)> = vec![
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    headers.extend(fetched.length.map(|length| (CONTENT_LENGTH, length.to_string())));
    headers.extend(fetched.content_range.clone().map(|range| (CONTENT_RANGE, range)));
    headers.extend(fetched.accepts_ranges.then(|| (ACCEPT_RANGES, "bytes".to_owned())));
    let status = if fetched.partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let deadline = Box::pin(tokio::time::sleep(PASSED_ON_WITHIN));
    let pieces = stream::try_unfold((fetched, deadline), move |(mut fetched, mut deadline)| async move {
        let piece = tokio::select! {
            piece = fetched.piece() => piece.map_err(std::io::Error::other),
            () = &mut deadline => Err(std::io::Error::from(std::io::ErrorKind::TimedOut)),
        };
        // The answer has begun: all that can be told now is that it breaks off.
        let piece = piece.inspect_err(|cause| warn!(attempt.id = %attempt, "Passing on of attempt {attempt}: {cause}"));
        piece.map(|piece| piece.map(|piece| (piece, (fetched, deadline))))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    *response.status_mut() = status;
    for (header, value) in headers {
        let value = HeaderValue::from_str(&value).map_err(|_| Problem::ours("a header of the provider's storage"))?;
        response.headers_mut().insert(header, value);
    }
    Ok(response)
}
