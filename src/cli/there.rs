//! A server elsewhere, asked by its API: the one that HALO_URL names.

use super::Failure;
use super::lists::{self, Shape};
use futures::{Stream, stream};
use halo::config::Config;
use halo::http::address::encoded;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Between two pieces of what takes long: a report that is counted, a list that is stored or sent.
const PIECE_WITHIN: Duration = Duration::from_secs(600);

/// Of a list on its way.
const PIECE_BYTES: u64 = 256 << 10;

pub struct There {
    http: reqwest::Client,
    url: String,
    key: SecretString,
}

/// A part of an address, between two slashes.
pub fn of_campaign(campaign: &str, rest: &str) -> String {
    format!("/api/v1/campaigns/{}{rest}", encoded(campaign))
}

impl There {
    /// The server at HALO_URL, where one is named.
    pub fn of(config: &Config) -> Result<Option<There>, Failure> {
        let Some(url) = &config.server_url else { return Ok(None) };
        let Some(key) = config.api_auth_key.clone() else {
            return Err(Failure::usage("API_AUTH_KEY: missing; the server at HALO_URL asks for it"));
        };
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).read_timeout(PIECE_WITHIN).build();
        Ok(Some(There { http: http.map_err(Failure::usage)?, url: url.clone(), key }))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        self.http.request(method, url).bearer_auth(self.key.expose_secret())
    }

    /// The answer, or why there is none; whoever cannot be reached is a failure.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Result<Value, String>), Failure> {
        let mut request = self.request(method, path).timeout(ANSWER_WITHIN);
        if let Some(body) = body {
            request = request.json(body);
        }
        said(request.send().await.map_err(unreachable)?).await
    }

    /// What a change came to, or a failure that says what the server has against it.
    pub async fn tell(&self, method: Method, path: &str, body: Value) -> Result<Value, Failure> {
        answer(self.request(method, path).timeout(ANSWER_WITHIN).json(&body)).await
    }

    /// What stands there, however long it takes to be counted.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        answer(self.request(Method::GET, path)).await
    }

    /// The same with words behind a question mark.
    pub async fn find<T: DeserializeOwned>(&self, path: &str, words: &[(&str, String)]) -> Result<T, Failure> {
        answer(self.request(Method::GET, path).query(words)).await
    }

    /// What is done there, however long it takes.
    pub async fn wait<T: DeserializeOwned>(&self, path: &str, order: &Value) -> Result<T, Failure> {
        answer(self.request(Method::POST, path).json(order)).await
    }

    /// What becomes of these bytes.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, bytes: Vec<u8>) -> Result<T, Failure> {
        answer(self.request(Method::POST, path).body(bytes)).await
    }

    /// A form with a list, which is sent as it is read.
    pub async fn send(&self, path: &str, shape: &Shape, form: Form) -> Result<Value, Failure> {
        answer(self.request(Method::POST, path).query(&shape.words()).multipart(form)).await
    }

    /// A file, to be taken piece by piece.
    pub async fn file(&self, path: &str, words: &[(&str, String)]) -> Result<Response, Failure> {
        let answer = self.request(Method::GET, path).query(words).send().await.map_err(unreachable)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, said) = said(answer).await?;
        Err(refused(status, said.err().unwrap_or_default()))
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let (status, said) = said(request.send().await.map_err(unreachable)?).await?;
    read(said.map_err(|why| refused(status, why))?)
}

/// The next piece of a file; a file that breaks off is a failure.
pub async fn piece(file: &mut Response) -> Result<Option<Vec<u8>>, Failure> {
    Ok(file.chunk().await.map_err(unreachable)?.map(|piece| piece.to_vec()))
}

/// The field `contacts` of a form: a file, or standard input for `-`.
pub fn list(path: &Path, shape: &Shape) -> Result<Part, Failure> {
    let (name, given) = lists::open(path, shape)?;
    Ok(Part::stream(Body::wrap_stream(pieces(given.bytes))).file_name(name))
}

/// Read by threads that may wait.
fn pieces(from: Box<dyn Read + Send>) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    stream::try_unfold(from, |mut from| async {
        let read = move || {
            let mut piece = Vec::new();
            let read = from.by_ref().take(PIECE_BYTES).read_to_end(&mut piece);
            read.map(|_| (from, piece))
        };
        let (from, piece) = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then_some((piece, from)))
    })
}

/// What an answer says in the form that is expected of a server of this version.
pub fn read<T: DeserializeOwned>(said: Value) -> Result<T, Failure> {
    serde_json::from_value(said).map_err(|cause| {
        Failure::refused(format!("the server at HALO_URL answers otherwise than this version expects: {cause}"))
    })
}

fn unreachable(cause: reqwest::Error) -> Failure {
    // Without the address, which may hold a number; with the cause beneath, which says what to mend.
    let beneath = std::iter::successors(std::error::Error::source(&cause), |cause| cause.source()).last();
    let beneath = beneath.map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::refused(format!("no answer from the server at HALO_URL: {}{beneath}", cause.without_url()))
}

fn refused(status: StatusCode, why: String) -> Failure {
    match status {
        StatusCode::UNAUTHORIZED => Failure::usage(format!("API_AUTH_KEY: {why}")),
        _ => Failure::refused(why),
    }
}

async fn said(answer: Response) -> Result<(StatusCode, Result<Value, String>), Failure> {
    let status = answer.status();
    let text = answer.text().await.map_err(unreachable)?;
    let empty = text.is_empty() && status.is_success();
    let said: Option<Value> = if empty { Some(Value::Null) } else { serde_json::from_str(&text).ok() };
    Ok((
        status,
        match said {
            Some(said) if status.is_success() => Ok(said),
            Some(said) => Err(problem(&said)),
            None => Err(format!("the server at HALO_URL answered {status}, and not as a halo")),
        },
    ))
}

/// The detail and every fault.
fn problem(said: &Value) -> String {
    let faults = said["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
    let faults = faults.iter().filter_map(Value::as_str).map(|fault| format!("\n  - {fault}"));
    format!("{}{}", said["detail"].as_str().unwrap_or("no reason given"), faults.collect::<String>())
}
