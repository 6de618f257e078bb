//! A model behind an address that speaks OpenAI's chat completions: it is asked, and answers in pieces.
//!
//! Nothing here knows what is talked about, and nothing is tried again: every failure has its name, and whoever asks
//! decides. The key is sent to this one address and stands in no message.

mod events;

use events::{Events, Pieces};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// OpenAI's own address.
pub const OPENAI_URL: &str = "https://api.openai.com/v1";
/// A spoken reply is a few sentences.
const REPLY_TOKENS_MAX: u32 = 300;
/// Of one answer, whatever it is.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Of a refusal's own words.
const SAID_CHARS_MAX: usize = 200;
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Connections that wait for the next turn.
const IDLE_MAX: usize = 256;

/// Where a model is.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Everything before `/chat/completions`.
    pub base_url: String,
    pub key: Option<SecretString>,
    pub model: String,
    /// Else what the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    pub proxy: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Question {
    /// As the interface has them.
    pub messages: Vec<Value>,
    pub tools: Value,
    /// After a round of tools the model is to speak.
    pub may_call: bool,
}

/// How long an answer is waited for, in real time.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it begins.
    pub first: Duration,
    /// Until it ends.
    pub whole: Duration,
}

/// Tokens as the server counts them; `cached` of `prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt: i64,
    pub cached: i64,
    pub completion: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    pub id: String,
    pub name: String,
    /// JSON, as the model wrote it.
    pub arguments: String,
}

/// An answer, or as much of one as came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub tools: Vec<Called>,
    pub usage: Usage,
    /// Real milliseconds until its first piece and its end.
    pub first_ms: Option<i64>,
    pub took_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("the model's key was refused (HTTP {0})")]
    Key(u16),
    #[error("too many requests for the model (HTTP 429)")]
    Busy,
    #[error("the model's server refused the request (HTTP {status}): {said}")]
    Refused { status: u16, said: String },
    #[error("the model's server failed (HTTP {0})")]
    Server(u16),
    #[error("the model's server failed in the middle of an answer: {0}")]
    Failed(String),
    #[error("the model cannot be reached: {0}")]
    Unreachable(String),
    #[error("the model's answer broke off")]
    Broken,
    #[error("the model did not begin to answer within {0} ms")]
    Silent(u128),
    #[error("the model did not end its answer within {0} ms")]
    Slow(u128),
    #[error("what the model's server sent is no chat completion")]
    Garbled,
}

impl Trouble {
    /// The same request would meet the same answer.
    pub fn is_final(&self) -> bool {
        matches!(self, Trouble::Key(_) | Trouble::Refused { .. })
    }

    /// The model may have been at work: what it read and wrote is billed, told or not.
    pub fn may_cost(&self) -> bool {
        use Trouble::*;
        match self {
            Key(_) | Busy | Refused { .. } | Server(_) | Unreachable(_) => false,
            Failed(_) | Broken | Silent(_) | Slow(_) | Garbled => true,
        }
    }
}

/// What went wrong, and what had come by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub trouble: Trouble,
    pub said: Said,
}

#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    #[error("the model's address or proxy cannot be used")]
    Client(#[from] reqwest::Error),
    #[error("the model's key holds characters that no header can")]
    Key,
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    authorization: Option<HeaderValue>,
    model: String,
}

impl Client {
    pub fn new(reach: Reach) -> Result<Self, ReachError> {
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .pool_max_idle_per_host(IDLE_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("halo/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &reach.proxy {
            http = http.proxy(reqwest::Proxy::all(proxy)?);
        }
        let authorization = reach.key.map(|key| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))?;
            value.set_sensitive(true);
            Ok::<_, reqwest::header::InvalidHeaderValue>(value)
        });
        Ok(Client {
            http: http.build()?,
            url: format!("{}/chat/completions", versioned(&reach.base_url)),
            authorization: authorization.transpose().map_err(|_| ReachError::Key)?,
            model: reach.model,
        })
    }

    pub fn model(&self) -> &str {
        &self.model
    }

    /// Asks once. `hear` gets each piece of text as it comes, and says whether more is wanted; when it is not, what
    /// came so far is the answer.
    pub async fn ask(
        &self,
        question: &Question,
        patience: Patience,
        mut hear: impl FnMut(&str) -> bool + Send,
    ) -> Result<Said, Failure> {
        let began = Instant::now();
        let mut pieces = Pieces::default();
        let mut first_ms = None;
        let ended = self.listen(question, patience, began, &mut pieces, &mut first_ms, &mut hear).await;
        let took_ms = began.elapsed().as_millis() as i64;
        let said = Said { first_ms, took_ms, ..pieces.said() };
        match ended {
            Ok(()) => Ok(said),
            Err(trouble) => Err(Failure { trouble, said }),
        }
    }

    async fn listen(
        &self,
        question: &Question,
        patience: Patience,
        began: Instant,
        pieces: &mut Pieces,
        first_ms: &mut Option<i64>,
        hear: &mut (impl FnMut(&str) -> bool + Send),
    ) -> Result<(), Trouble> {
        let first_by = tokio::time::Instant::from_std(began + patience.first);
        let whole_by = tokio::time::Instant::from_std(began + patience.whole);
        let silent = || Trouble::Silent(patience.first.as_millis());
        let sent = tokio::time::timeout_at(first_by, self.request(question).send()).await.map_err(|_| silent())?;
        let mut response = sent.map_err(|cause| Trouble::Unreachable(named(&cause)))?;
        let status = response.status().as_u16();
        if status != 200 {
            let said = tokio::time::timeout_at(first_by, words(&mut response)).await.unwrap_or_default();
            return Err(refused(status, said));
        }
        let streamed = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/ev"));
        let (mut events, mut whole, mut bytes) = (Events::default(), Vec::new(), 0);
        loop {
            let until = if first_ms.is_some() { whole_by } else { first_by };
            let came = tokio::time::timeout_at(until, response.chunk()).await.map_err(|_| match first_ms {
                Some(_) => Trouble::Slow(patience.whole.as_millis()),
                None => silent(),
            })?;
            let Some(chunk) = came.map_err(|_| Trouble::Broken)? else { break };
            bytes += chunk.len();
            if bytes > ANSWER_BYTES_MAX {
                return Err(Trouble::Garbled);
            }
            if !streamed {
                whole.extend_from_slice(&chunk);
                continue;
            }
            for event in events.of(&chunk) {
                let text = pieces.take(&event)?;
                if first_ms.is_none() && pieces.has_begun() {
                    *first_ms = Some(began.elapsed().as_millis() as i64);
                }
                if text.is_some_and(|text| !hear(&text)) {
                    return Ok(());
                }
                if pieces.is_over() {
                    return Ok(());
                }
            }
        }
        if !streamed {
            // A server that does not stream says all at once.
            let text = pieces.take_whole(&whole)?;
            *first_ms = Some(began.elapsed().as_millis() as i64);
            hear(&text);
            return Ok(());
        }
        if pieces.has_finished() { Ok(()) } else { Err(Trouble::Broken) }
    }

    fn request(&self, question: &Question) -> reqwest::RequestBuilder {
        let mut body = json!({
            "model": self.model,
            "messages": question.messages,
            "stream": true,
            "stream_options": { "include_usage": true },
            "max_completion_tokens": REPLY_TOKENS_MAX,
        });
        if question.tools.as_array().is_some_and(|tools| !tools.is_empty()) {
            body["tools"] = question.tools.clone();
            body["tool_choice"] = json!(if question.may_call { "auto" } else { "none" });
        }
        let mut request = self
            .http
            .post(&self.url)
            .header(ACCEPT, "text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request
    }
}

/// OpenAI's own addresses begin with a version, and so do those of its likes; a bare host is given one.
fn versioned(base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    match reqwest::Url::parse(base) {
        Ok(parsed) if parsed.path() == "/" => format!("{base}/v1"),
        _ => base.to_owned(),
    }
}

/// Why nothing was sent or came back, without the address, which may hold a secret.
fn named(cause: &reqwest::Error) -> String {
    let what = if cause.is_timeout() {
        "no connection in time"
    } else if cause.is_connect() {
        "no connection"
    } else {
        "the connection was lost"
    };
    what.to_owned()
}

async fn words(response: &mut reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            break;
        }
    }
    let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    told["error"]["message"].as_str().unwrap_or_default().chars().take(SAID_CHARS_MAX).collect()
}

fn refused(status: u16, said: String) -> Trouble {
    match status {
        // Their words quote a part of the key.
        401 | 403 => Trouble::Key(status),
        429 => Trouble::Busy,
        408 | 500.. => Trouble::Server(status),
        _ => Trouble::Refused { status, said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_is_given_the_version() {
        for (given, used) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
            ("http://127.0.0.1:9100", "http://127.0.0.1:9100/v1"),
            ("https://models.example.com/openai", "https://models.example.com/openai"),
        ] {
            assert_eq!(versioned(given), used);
        }
    }

    #[test]
    fn what_would_be_refused_again_is_final() {
        for (status, is_final) in
            [(400, true), (401, true), (403, true), (404, true), (408, false), (429, false), (500, false), (503, false)]
        {
            assert_eq!(refused(status, String::new()).is_final(), is_final, "{status}");
        }
    }
}
