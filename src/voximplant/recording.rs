//! A call's audio and a session's log, fetched from where the platform's history says they are.
//!
//! An address is never handed on: whoever asks gets the bytes through us. Only what the authenticated history
//! named is fetched, never what a session claimed. Our token goes to the named host alone, only when it asks for
//! one, and only over TLS; inner addresses are out of reach unless the platform itself is on this machine.

use super::{ApiError, Client};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RANGE,
};
use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(6);
/// Until the answer begins, and between two pieces of it.
const PIECE_WITHIN: Duration = Duration::from_secs(20);
/// An hour of stereo speech stays below this in every format that the platform offers.
pub const BYTES_MAX: u64 = 1024 * 1024 * 1024;
const REDIRECTS_MAX: usize = 3;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the provider does not have it (any more)")]
    Gone,
    #[error("the asked range lies outside of it")]
    Range,
    #[error("the provider keeps it behind a token: set VOXIMPLANT_KEY_FILE to a service account's key")]
    NeedsServiceAccount,
    #[error("the provider refuses our service account: it needs a role that may read call history and logs")]
    Refused,
    #[error("the provider answered HTTP {0}")]
    Status(u16),
    #[error("the provider names an address that is not fetched: {0}")]
    Address(&'static str),
    #[error("it is larger than {} MiB", BYTES_MAX / 1024 / 1024)]
    TooLarge,
    #[error("no answer from the provider's storage")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("our token")]
    Token(#[source] ApiError),
}

/// An answer that has begun. Its pieces are read one by one: it is never held whole.
pub struct Fetched {
    /// A part, as it was asked for.
    pub partial: bool,
    pub content_type: Option<String>,
    pub length: Option<u64>,
    pub content_range: Option<String>,
    pub accepts_ranges: bool,
    response: Response,
    taken: u64,
}

impl Fetched {
    /// The next piece, `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, FetchError> {
        let piece = tokio::time::timeout(PIECE_WITHIN, self.response.chunk()).await;
        let piece = piece.map_err(|late| FetchError::NoAnswer(late.into()))?.map_err(unanswered)?;
        self.taken += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.taken > BYTES_MAX {
            return Err(FetchError::TooLarge);
        }
        Ok(piece.map(|piece| piece.to_vec()))
    }
}

/// An error without the address, which may let in whoever reads it.
fn unanswered(cause: reqwest::Error) -> FetchError {
    FetchError::NoAnswer(cause.without_url().into())
}

impl Client {
    /// Begins to fetch what history named. `range` is one range of bytes, as HTTP writes it.
    pub async fn fetch(&self, url: &str, range: Option<&str>) -> Result<Fetched, FetchError> {
        let api = Url::parse(&self.connection().url).map_err(|_| FetchError::Address("the API's own is none"))?;
        let reach = if is_this_machine(&api) { Reach::ThisMachine } else { Reach::World };
        fetch(reach, url, range, || self.api().token(false)).await
    }
}

/// `token` is asked for our bearer token when the named host wants one; `None` where we have no service account.
async fn fetch(
    reach: Reach,
    url: &str,
    range: Option<&str>,
    token: impl Fn() -> Result<Option<SecretString>, ApiError>,
) -> Result<Fetched, FetchError> {
    let http = reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .read_timeout(PIECE_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would look names up by itself, where nobody sees what they stand for.
        .no_proxy()
        .dns_resolver(Arc::new(Guarded(reach)))
        .user_agent(concat!("halo/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(unanswered)?;
    let named = Url::parse(url).map_err(|_| FetchError::Address("it is no address"))?;
    let (mut at, mut bearer) = (named.clone(), None::<SecretString>);
    let mut redirects = 0;
    loop {
        reach.allows(&at)?;
        // The token is for the named host: a redirect's target has its own way of letting us in.
        let is_named = at.origin() == named.origin();
        let shown = bearer.as_ref().filter(|_| is_named);
        let mut request = http.get(at.clone());
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        if let Some(bearer) = shown {
            request = request.header(AUTHORIZATION, format!("Bearer {}", bearer.expose_secret()));
        }
        let response = tokio::time::timeout(PIECE_WITHIN, request.send()).await;
        let response = response.map_err(|late| FetchError::NoAnswer(late.into()))?.map_err(unanswered)?;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => return begun(response),
            StatusCode::RANGE_NOT_SATISFIABLE => return Err(FetchError::Range),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::Gone),
            StatusCode::UNAUTHORIZED if is_named && shown.is_none() => {
                let ours = token().map_err(FetchError::Token)?;
                bearer = Some(ours.ok_or(FetchError::NeedsServiceAccount)?);
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(FetchError::Refused),
            status if status.is_redirection() => {
                redirects += 1;
                if redirects > REDIRECTS_MAX {
                    return Err(FetchError::Address("too many redirects"));
                }
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                at = to.and_then(|to| at.join(to).ok()).ok_or(FetchError::Address("a redirect leads nowhere"))?;
            }
            status => return Err(FetchError::Status(status.as_u16())),
        }
    }
}

fn begun(response: Response) -> Result<Fetched, FetchError> {
    let text = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length: u64| length > BYTES_MAX) {
        return Err(FetchError::TooLarge);
    }
    Ok(Fetched {
        partial: response.status() == StatusCode::PARTIAL_CONTENT,
        content_type: text(CONTENT_TYPE),
        length,
        content_range: text(CONTENT_RANGE),
        accepts_ranges: text(ACCEPT_RANGES).is_some_and(|unit| unit == "bytes"),
        response,
        taken: 0,
    })
}

/// Where addresses may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The platform is a simulator beside us, and so is its storage.
    ThisMachine,
    World,
}

impl Reach {
    /// The address itself; what a name stands for is looked at when it is looked up.
    fn allows(self, url: &Url) -> Result<(), FetchError> {
        let wrong = |why| Err(FetchError::Address(why));
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("it holds a name or a password");
        }
        let ip = ip_of(url);
        match (self, url.scheme()) {
            (Reach::ThisMachine, "http" | "https") if is_this_machine(url) => Ok(()),
            (Reach::ThisMachine, _) => wrong("a simulator's storage is on this machine"),
            (Reach::World, "https") if ip.is_none_or(is_public) && url.host_str().is_some() => Ok(()),
            (Reach::World, "https") => wrong("it is an inner address"),
            (Reach::World, _) => wrong("it is not https"),
        }
    }

    fn allows_ip(self, ip: IpAddr) -> bool {
        match self {
            Reach::ThisMachine => ip.is_loopback(),
            Reach::World => is_public(ip),
        }
    }
}

fn ip_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_this_machine(url: &Url) -> bool {
    ip_of(url).map_or(url.host_str() == Some("localhost"), |ip| ip.is_loopback())
}

/// Addresses that anybody on the internet could reach: everything else is somebody's inside.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (18..20).contains(&b);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || shared
        || protocol
        || benchmark
        || a == 0
        || a >= 224)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    // Global unicast without the blocks in which a v4 address is hidden (Teredo, 6to4) and documentation.
    (first & 0xe000) == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
}

/// Looks a name up and keeps the addresses that may be reached, so that a name cannot lead inside.
struct Guarded(Reach);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|at| reach.allows_ip(at.ip())).collect();
            if allowed.is_empty() {
                return Err(FetchError::Address("its name stands for an inner address").into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[path = "recording_tests.rs"]
mod tests;
