//! Where a history's addresses lead: recordings and session logs, behind a token where the application says so.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::simulator::api::params::Params;
use crate::simulator::api::{ApiError, auth, page};
use crate::simulator::clock::wall_ms;
use crate::simulator::platform::Platform;
use crate::simulator::session::record::SessionRecord;

const RATE: u32 = 8_000;
const CHANNELS: u32 = 2;
const BYTES_A_SECOND: u32 = RATE * CHANNELS;
const HEADER_BYTES: u32 = 44;
/// Longer calls are cut: an address must serve something, not an hour of it.
const SECONDS_MAX: u64 = 300;
/// The agent's channel hums, the callee's is still.
const HUM_HZ: u32 = 400;
const STILL: u8 = 128;

pub async fn record(State(platform): State<Arc<Platform>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let session = name.split('-').next().and_then(|id| id.parse().ok()).and_then(|id| platform.session(id));
    let Some(seconds) = session.as_ref().and_then(|session| session.recorded_s(&name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Err(error) = let_in(&platform, session.as_deref(), &headers) {
        return unauthorised(&error);
    }
    part(&wav(seconds.min(SECONDS_MAX) as u32), &headers, "audio/wav")
}

pub async fn log(State(platform): State<Arc<Platform>>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    match let_in(&platform, platform.session(id).as_deref(), &headers) {
        Ok(()) => page::log(State(platform), Path(id)).await,
        Err(error) => unauthorised(&error),
    }
}

fn let_in(platform: &Platform, session: Option<&SessionRecord>, headers: &HeaderMap) -> Result<(), ApiError> {
    let is_secure = session.is_some_and(|session| {
        let state = platform.state();
        let mut of = state.applications.iter().filter(|held| held.application_id == session.application_id);
        of.any(|held| held.secure_record_storage)
    });
    if !is_secure {
        return Ok(());
    }
    // Nothing stands in the address: whoever shows no token is not let in.
    auth::authorise(platform, headers, &Params::new(Vec::new()), wall_ms().div_euclid(1000))
}

fn unauthorised(error: &ApiError) -> Response {
    (StatusCode::UNAUTHORIZED, error.body().to_string()).into_response()
}

/// Stereo, eight bits, one hum: small, and every player takes it.
fn wav(seconds: u32) -> Vec<u8> {
    let data = seconds * BYTES_A_SECOND;
    let mut bytes = Vec::with_capacity((HEADER_BYTES + data) as usize);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(HEADER_BYTES - 8 + data).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16u32.to_le_bytes());
    bytes.extend_from_slice(&1u16.to_le_bytes());
    bytes.extend_from_slice(&(CHANNELS as u16).to_le_bytes());
    bytes.extend_from_slice(&RATE.to_le_bytes());
    bytes.extend_from_slice(&BYTES_A_SECOND.to_le_bytes());
    bytes.extend_from_slice(&(CHANNELS as u16).to_le_bytes());
    bytes.extend_from_slice(&8u16.to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data.to_le_bytes());
    let half = RATE / HUM_HZ / 2;
    for sample in 0..seconds * RATE {
        bytes.push(if (sample / half).is_multiple_of(2) { STILL + 8 } else { STILL - 8 });
        bytes.push(STILL);
    }
    bytes
}

/// One range of bytes, as storages serve it; anything else is answered whole.
fn part(bytes: &[u8], headers: &HeaderMap, kind: &'static str) -> Response {
    let size = bytes.len();
    let asked =
        headers.get(header::RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let whole = [(header::CONTENT_TYPE, kind), (header::ACCEPT_RANGES, "bytes")];
    let (from, to) = match asked {
        Some(("", last)) => (last.parse().ok().map(|last: usize| size.saturating_sub(last)), Some(size)),
        Some((from, "")) => (from.parse().ok(), Some(size)),
        Some((from, to)) => (from.parse().ok(), to.parse().ok().map(|to: usize| to.saturating_add(1).min(size))),
        None => (None, None),
    };
    match (from, to) {
        (Some(from), Some(to)) if from < to => {
            let range = format!("bytes {from}-{}/{size}", to - 1);
            (StatusCode::PARTIAL_CONTENT, whole, [(header::CONTENT_RANGE, range)], bytes[from..to].to_vec())
                .into_response()
        }
        (Some(_), Some(_)) => StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
        _ => (whole, bytes.to_vec()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_as_long_as_its_call() {
        let bytes = wav(3);
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        assert_eq!((&bytes[..4], &bytes[8..16], &bytes[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
        assert_eq!((number(4) as usize, number(40) as usize), (bytes.len() - 8, bytes.len() - 44));
        assert_eq!((number(24), number(28), number(40) / number(28)), (RATE, BYTES_A_SECOND, 3));
        assert_eq!(u16::from_le_bytes([bytes[22], bytes[23]]), 2, "each side has its channel");
        let (agent, callee): (Vec<u8>, Vec<u8>) = bytes[44..].chunks(2).map(|pair| (pair[0], pair[1])).unzip();
        assert!(agent.iter().any(|sample| *sample != STILL) && callee.iter().all(|sample| *sample == STILL));
    }
}
