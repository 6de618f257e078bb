//! Requests that change nothing, to see who answers.

use crate::voximplant::Wall;
use serde_json::Value;
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Whoever answers with more is not ours.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// HTTP dates are cut to seconds: on average half of one is lost.
const DATE_CUT_MS: i64 = 500;

/// Why nothing came back, without the address, which the line has already.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("no connection")]
    Connection,
    #[error("no answer within {} s", ANSWER_WITHIN.as_secs())]
    Late,
    #[error("the answer broke off")]
    Broken,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    /// A page for people.
    pub html: bool,
    /// `null` where the body is none.
    pub json: Value,
    /// How far the answerer's clock is ahead of ours.
    pub ahead_ms: Option<i64>,
}

pub(super) struct Looker<'a> {
    http: reqwest::Client,
    wall: &'a Wall,
}

impl<'a> Looker<'a> {
    pub(super) fn new(wall: &'a Wall) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("halo-doctor/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Looker { http, wall })
    }

    pub(super) async fn get(&self, url: &str) -> Result<Answer, Unanswered> {
        self.ask(self.http.get(url)).await
    }

    pub(super) async fn post(&self, url: &str, body: &Value) -> Result<Answer, Unanswered> {
        self.ask(self.http.post(url).json(body)).await
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, Unanswered> {
        let sent = (self.wall)();
        let mut response = request.send().await.map_err(|cause| match cause.is_timeout() {
            true => Unanswered::Late,
            false => Unanswered::Connection,
        })?;
        let came = (self.wall)();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header("date").and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
        let between_ms = sent.0 + came.since(sent) / 2;
        let ahead_ms = date.map(|date| date.timestamp_millis() + DATE_CUT_MS - between_ms);
        let html = header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Unanswered::Broken)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                break;
            }
        }
        Ok(Answer { status, html, json: serde_json::from_slice(&body).unwrap_or_default(), ahead_ms })
    }
}
