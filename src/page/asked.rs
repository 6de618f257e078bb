//! Who asks for a page, in which language, by which clock; and forms, which are taken with their token only.

use super::client::Api;
use super::doors;
use super::routes::House;
use super::shell::Shell;
use super::trouble::{Trouble, sign_in};
use super::words::Lang;
use crate::domain::{Role, Timestamp};
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

pub const KEY_COOKIE: &str = "halo_key";
pub const LANGUAGE_COOKIE: &str = "halo_language";
pub const THEME_COOKIE: &str = "halo_theme";
pub const ZONE_COOKIE: &str = "halo_zone";
/// The field of every form.
pub const TOKEN_FIELD: &str = "form_token";
const FORM_BYTES_MAX: usize = 512 * 1024;

pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// How somebody reads: the same for those who are not signed in.
pub struct Taste {
    pub lang: Lang,
    pub theme: &'static str,
    pub zone: Tz,
    pub here: String,
}

impl Taste {
    pub fn of(parts: &Parts) -> Self {
        let headers = &parts.headers;
        let browser = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(|text| Lang::parse(&text));
        let zone = cookie(headers, ZONE_COOKIE).map(|text| text.replace("%2F", "/"));
        Taste {
            lang: chosen.unwrap_or_else(|| Lang::accepted(browser)),
            theme: match cookie(headers, THEME_COOKIE).as_deref() {
                Some("dark") => "dark",
                Some("light") => "light",
                _ => "auto",
            },
            zone: zone.and_then(|text| text.parse().ok()).unwrap_or(Tz::UTC),
            here: parts.uri.path_and_query().map_or("/", |here| here.as_str()).to_owned(),
        }
    }

    pub fn shell(&self, now: Timestamp) -> Shell {
        Shell::bare(self.lang, self.theme, self.zone, now, &self.here)
    }
}

/// Somebody who is signed in.
pub struct Visit {
    pub api: Api,
    /// What the page shows goes by it; what is done, the API decides.
    pub role: Role,
    pub lang: Lang,
    pub theme: &'static str,
    pub zone: Tz,
    pub now: Timestamp,
    pub form: String,
    pub here: String,
    pub headers: HeaderMap,
    cookie: String,
    house: Arc<House>,
}

impl Visit {
    #[expect(clippy::result_large_err, reason = "the page that says why goes to the browser at once")]
    fn of(parts: &Parts, house: &Arc<House>) -> Result<Self, Response> {
        let taste = Taste::of(parts);
        let now = house.clock.now();
        let cookie = cookie(&parts.headers, KEY_COOKIE).unwrap_or_default();
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied();
        let api = house.sessions.opened(&cookie, now);
        let api = api.and_then(|(key, role)| Some((Api::new(house.api.clone(), &key, from)?, role)));
        // A form that was sent comes back as the page that it stood on.
        let back = if parts.method.is_safe() { taste.here.clone() } else { "/".to_owned() };
        let Some((api, role)) = api else { return Err(sign_in(&back)) };
        Ok(Visit {
            api,
            role,
            lang: taste.lang,
            theme: taste.theme,
            zone: taste.zone,
            now,
            form: house.sessions.form_token(&cookie),
            here: taste.here,
            headers: parts.headers.clone(),
            cookie,
            house: house.clone(),
        })
    }

    pub fn t(&self, en: &'static str, ru: &'static str) -> &'static str {
        self.lang.pick(en, ru)
    }

    pub fn stopping(&self) -> tokio_util::sync::CancellationToken {
        self.house.stopping.clone()
    }

    /// Room to be drawn anew; the answer that there is none, otherwise.
    #[expect(clippy::result_large_err, reason = "the page that says why goes to the browser at once")]
    pub fn watch(&self) -> Result<OwnedSemaphorePermit, Response> {
        self.house.watchers.clone().try_acquire_owned().map_err(|_| {
            let said = self.t("Too many pages are watched at once.", "Слишком много страниц открыто сразу.");
            self.troubled(&Trouble::new(StatusCode::SERVICE_UNAVAILABLE, said))
        })
    }

    pub fn is_token(&self, token: &str) -> bool {
        self.house.sessions.is_form_token(&self.cookie, token)
    }

    /// The page of what went wrong; whoever's key is no longer good signs in again.
    pub fn troubled(&self, trouble: &Trouble) -> Response {
        if trouble.status == StatusCode::UNAUTHORIZED {
            return sign_in("/");
        }
        let mut shell = Shell::bare(self.lang, self.theme, self.zone, self.now, &self.here);
        shell.form.clone_from(&self.form);
        shell.role = self.role;
        doors::trouble(shell, trouble)
    }

    pub fn forged(&self) -> Response {
        let said = self.t(
            "This form is no longer valid. Go back, load the page again and send it once more.",
            "Эта форма устарела. Вернитесь, обновите страницу и отправьте ещё раз.",
        );
        self.troubled(&Trouble::new(StatusCode::FORBIDDEN, said))
    }
}

impl FromRequestParts<Arc<House>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Response> {
        Visit::of(parts, house)
    }
}

/// A form's fields.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    pub fn read(text: &[u8]) -> Self {
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            fields.entry(decoded(&pair[..at])).or_insert_with(|| decoded(value));
        }
        Fields(fields)
    }

    pub fn put(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// Without blanks around; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map(|value| value.trim()).unwrap_or_default()
    }

    pub fn said(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|text| !text.is_empty())
    }

    /// Those that say something and whose names begin so: the rest of the name, the value.
    pub fn said_behind(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let each = self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.trim())));
        each.filter(|(_, value)| !value.is_empty())
    }
}

fn decoded(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    while at < text.len() {
        match text[at] {
            b'+' => out.push(b' '),
            b'%' => match (digit(text.get(at + 1)), digit(text.get(at + 2))) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    at += 2;
                }
                _ => out.push(b'%'),
            },
            other => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A form of somebody who is signed in, sent from a page of ours.
pub struct Posted {
    pub visit: Visit,
    pub fields: Fields,
}

impl FromRequest<Arc<House>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, house: &Arc<House>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let visit = Visit::of(&parts, house)?;
        let bytes = to_bytes(body, FORM_BYTES_MAX)
            .await
            .map_err(|cause| visit.troubled(&Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, cause.to_string())))?;
        let fields = Fields::read(&bytes);
        if !visit.is_token(fields.get(TOKEN_FIELD)) {
            return Err(visit.forged());
        }
        Ok(Posted { visit, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_a_browser_sends_them() {
        let fields = Fields::read("a=1+%D0%B9%26&b=&a=%zz&c".as_bytes());
        assert_eq!((fields.get("a"), fields.said("b"), fields.get("none")), ("1 й&", None, ""));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = HeaderMap::from_iter([(COOKIE, "x_halo_key=1; halo_key=2; halo_key2=3".parse().unwrap())]);
        assert_eq!(cookie(&headers, "halo_key").as_deref(), Some("2"));
        assert_eq!(cookie(&headers, "halo"), None);
    }
}
