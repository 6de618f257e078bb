//! Uploads while they are taken in: named by whoever sends them, followed by whoever asks.

use super::lists::Sending;
use super::progress::{Progress, Stand};
use super::{Problem, Web, repeats};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, stream};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a follower is told.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Uploads that are under way, by their keys.
#[derive(Clone, Default)]
pub struct Uploads(Arc<Mutex<HashMap<String, Arc<Progress>>>>);

/// One of them; it is forgotten when its request is over.
pub(super) struct Underway {
    pub sending: Sending,
    uploads: Uploads,
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.sending.progress.finish();
        if let Some(key) = &self.sending.key {
            self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
    }
}

impl Uploads {
    /// As the request's headers name it.
    pub(super) fn sending(&self, headers: &HeaderMap, again: bool) -> Result<Underway, Problem> {
        let key = repeats::key_of(headers)?;
        let sending = Sending { key: key.clone(), again, ..Sending::default() };
        if let Some(key) = key {
            let mut there = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if there.contains_key(&key) {
                return Err(repeats::underway(&key));
            }
            there.insert(key, sending.progress.clone());
        }
        Ok(Underway { sending, uploads: self.clone() })
    }

    fn progress(&self, key: &str) -> Option<Arc<Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// `GET /uploads/{key}/events`: how far the upload with this `Idempotency-Key` is, until it is over.
pub(super) async fn events(
    State(web): State<Arc<Web>>,
    Path(key): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let progress = web.uploads.progress(&key);
    let progress = progress.ok_or_else(|| Problem::missing(format!("no upload `{key}` is under way")))?;
    let stopping = web.stopping.clone();
    let told = stream::unfold((progress, None::<Stand>, false), move |(progress, last, over)| {
        let stopping = stopping.clone();
        async move {
            if over {
                return None;
            }
            loop {
                let stand = progress.stand().behind(last);
                let over = stand.phase == "done" || stopping.is_cancelled();
                if over || last != Some(stand) {
                    let event = Event::default().event("progress").json_data(stand).unwrap_or_default();
                    return Some((Ok(event), (progress, Some(stand), over)));
                }
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = tokio::time::sleep(TOLD_EVERY) => {}
                }
            }
        }
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_upload_of_a_key_at_a_time() {
        let uploads = Uploads::default();
        let named = |key: &'static str| {
            HeaderMap::from_iter([("idempotency-key".parse().unwrap(), HeaderValue::from_static(key))])
        };
        let first = uploads.sending(&named("a"), false).ok().unwrap();
        first.sending.progress.add(|p| &p.rows, 7);
        assert_eq!(uploads.progress("a").unwrap().stand().rows, 7);
        assert!(uploads.sending(&named("a"), false).is_err(), "it is under way");
        assert!(uploads.sending(&named("b"), false).is_ok());
        let followed = uploads.progress("a").unwrap();
        drop(first);
        assert_eq!(followed.stand().phase, "done", "whoever follows is let go");
        assert!(uploads.progress("a").is_none() && uploads.sending(&named("a"), false).is_ok());
        assert!(uploads.sending(&named(" "), false).is_err());
        assert!(uploads.sending(&HeaderMap::new(), true).ok().unwrap().sending.again);
    }
}
