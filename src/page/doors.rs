//! In and out: the sign-in, the switches of language and light, and the pages of what went wrong.

use super::asked::{Fields, KEY_COOKIE, LANGUAGE_COOKIE, Posted, THEME_COOKIE, Taste, ZONE_COOKIE};
use super::client::Api;
use super::look::Look;
use super::routes::House;
use super::session::HOURS;
use super::shell::Shell;
use super::trouble::Trouble;
use crate::domain::Role;
use askama::Template;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;

const SIGN_IN_BYTES_MAX: usize = 4096;
const KEY_CHARS_MAX: usize = 200;
const YEAR_S: i64 = 365 * 24 * 3600;

pub fn page<T: Template>(status: StatusCode, template: &T) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(cause) => {
            tracing::error!("A page cannot be made: {cause}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub fn shown<T: Template>(template: &T) -> Response {
    page(StatusCode::OK, template)
}

/// An address of ours and of nobody else.
pub fn own(back: &str) -> &str {
    let inside = back.starts_with('/') && !back.starts_with("//") && !back.contains(['\\', '\r', '\n']);
    if inside { back } else { "/" }
}

pub fn to(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let address = HeaderValue::from_str(own(address)).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, address);
    response
}

/// Behind a proxy that speaks TLS the cookie is for TLS alone; a lie here harms the liar only.
fn secure(headers: &HeaderMap) -> &'static str {
    let https = headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    if https { "; Secure" } else { "" }
}

fn set(response: &mut Response, headers: &HeaderMap, name: &str, value: &str, max_age_s: i64) {
    let secure = secure(headers);
    let text = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

#[derive(Template)]
#[template(path = "page/sign_in.html")]
struct SignIn {
    s: Shell,
    back: String,
    fault: &'static str,
}

#[derive(Deserialize)]
pub struct Back {
    #[serde(default)]
    pub to: String,
}

pub async fn sign_in(State(house): State<Arc<House>>, Query(back): Query<Back>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut s = Taste::of(&parts).shell(house.clock.now());
    s.title = s.t("Sign in", "Вход").to_owned();
    shown(&SignIn { s, back: own(&back.to).to_owned(), fault: "" })
}

/// Wrong keys wait longer and longer, by the API's own count of where they come from.
pub async fn enter(State(house): State<Arc<House>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut s = Taste::of(&parts).shell(house.clock.now());
    s.title = s.t("Sign in", "Вход").to_owned();
    let bytes = to_bytes(body, SIGN_IN_BYTES_MAX).await.unwrap_or_default();
    let fields = Fields::read(&bytes);
    let (key, back) = (fields.get("key"), own(fields.get("to")).to_owned());
    s.here.clone_from(&back);
    let api = Some(key).filter(|key| !key.is_empty() && key.chars().count() <= KEY_CHARS_MAX);
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied();
    let api = api.and_then(|key| Api::new(house.api.clone(), key, from));
    let good = match api {
        Some(api) => api.get("/me").await,
        None => Err(Trouble::new(StatusCode::UNAUTHORIZED, "no key")),
    };
    match good {
        Ok(me) => {
            let mut response = to(&back);
            let role = me.text("role").parse().unwrap_or(Role::Viewer);
            let cookie = house.sessions.sealed(key, role, house.clock.now());
            set(&mut response, &parts.headers, KEY_COOKIE, &cookie, HOURS * 3600);
            if let Ok(zone) = fields.get("zone").parse::<chrono_tz::Tz>() {
                set(&mut response, &parts.headers, ZONE_COOKIE, zone.name(), YEAR_S);
            }
            response
        }
        Err(trouble) if trouble.status == StatusCode::UNAUTHORIZED => {
            let fault = s.t("This key opens nothing here.", "Этот ключ не подходит.");
            page(StatusCode::UNAUTHORIZED, &SignIn { s, back, fault })
        }
        Err(trouble) if trouble.status == StatusCode::TOO_MANY_REQUESTS => {
            let fault = s.t(
                "Too many wrong keys came from here: try again in a few minutes.",
                "Отсюда пришло слишком много неверных ключей: попробуйте через несколько минут.",
            );
            page(StatusCode::TOO_MANY_REQUESTS, &SignIn { s, back, fault })
        }
        Err(trouble) => self::trouble(s, &trouble),
    }
}

pub async fn leave(posted: Posted) -> Response {
    let mut response = to("/sign-in");
    set(&mut response, &posted.visit.headers, KEY_COOKIE, "", 0);
    response
}

/// `/language/ru?to=/…`: remembered for a year.
pub async fn language(Path(lang): Path<String>, Query(back): Query<Back>, headers: HeaderMap) -> Response {
    let mut response = to(&back.to);
    if let Some(lang) = super::words::Lang::parse(&lang) {
        set(&mut response, &headers, LANGUAGE_COOKIE, lang.as_str(), YEAR_S);
    }
    response
}

pub async fn theme(Path(theme): Path<String>, Query(back): Query<Back>, headers: HeaderMap) -> Response {
    let mut response = to(&back.to);
    if ["auto", "light", "dark"].contains(&theme.as_str()) {
        set(&mut response, &headers, THEME_COOKIE, &theme, YEAR_S);
    }
    response
}

#[derive(Template)]
#[template(path = "page/trouble.html")]
struct TroublePage {
    s: Shell,
    status: u16,
    head: &'static str,
    lines: Vec<String>,
}

pub fn trouble(mut s: Shell, trouble: &Trouble) -> Response {
    let head = match trouble.status.as_u16() {
        404 => s.t("There is nothing here", "Здесь ничего нет"),
        403 => s.t("Not allowed", "Нельзя"),
        409 => s.t("That cannot be done now", "Сейчас это невозможно"),
        400..=499 => s.t("That was refused", "Отказано"),
        _ => s.t("The server failed", "Ошибка сервера"),
    };
    s.title = head.to_owned();
    page(trouble.status, &TroublePage { s, status: trouble.status.as_u16(), head, lines: trouble.lines() })
}

/// What no route knows: a page for whoever reads pages, the API's own words for everybody else.
pub async fn otherwise(State(house): State<Arc<House>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let reads = parts.headers.get("accept").is_some_and(|kind| kind.to_str().is_ok_and(|k| k.contains("text/html")));
    let machine = ["/api/", "/voximplant/", "/voice/", "/demo/"].iter().any(|at| parts.uri.path().starts_with(at));
    let taste = Taste::of(&parts);
    let answer = house.pass(Request::from_parts(parts, body)).await;
    if answer.status() != StatusCode::NOT_FOUND || !reads || machine {
        return answer;
    }
    let s = taste.shell(house.clock.now());
    let said = s.t("No page has this address.", "Страницы с таким адресом нет.");
    let s = s.clone();
    trouble(s, &Trouble::new(StatusCode::NOT_FOUND, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guard: `own`, without which a link of ours may lead anywhere.
    #[test]
    fn nobody_is_sent_elsewhere() {
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb: c", "evil"] {
            assert_eq!(own(elsewhere), "/", "{elsewhere}");
        }
        assert_eq!(own("/campaigns/x?y=1"), "/campaigns/x?y=1");
    }
}
