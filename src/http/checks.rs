//! A list is looked at, and nothing is stored.

use super::import::ImportError;
use super::lists::{self, Given, Shape};
use super::{Problem, Web};
use crate::domain::settings::Settings;
use crate::domain::{Mode, Timestamp};
use crate::intake;
use crate::intake::check::{Check, check as told};
use axum::Json;
use axum::extract::{FromRequest, Multipart, Query, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Settings of a list that belongs to no campaign yet.
pub fn plain(region: &str, modes: &BTreeSet<Mode>) -> Result<Settings, ImportError> {
    let settings = serde_json::json!({ "name": "check", "purpose": "test", "region": region });
    intake::settings::from_json(&settings, modes)
        .map_err(|faults| ImportError::Settings(faults.to_string(), faults.list()))
}

/// What a list would come to under these settings.
pub async fn check(
    modes: &BTreeSet<Mode>,
    now: Timestamp,
    settings: &Settings,
    given: Given,
) -> Result<Check, ImportError> {
    let (list, _) = lists::read(given, settings, modes, now).await?;
    Ok(told(&list))
}

#[derive(Deserialize)]
pub(super) struct Region {
    /// How national numbers are read where no settings say.
    #[serde(default = "russia")]
    region: String,
}

fn russia() -> String {
    "RU".to_owned()
}

/// The words of the address that speak of the file.
fn shape(request: &Request) -> Result<Shape, Problem> {
    let pairs = request.uri().query().unwrap_or_default();
    let kept: Vec<&str> = pairs.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("region=")).collect();
    let uri = format!("/?{}", kept.join("&"));
    let uri = uri.parse().map_err(|_| Problem::bad("the address cannot be read"))?;
    let shape = Query::<Shape>::try_from_uri(&uri).map_err(|cause| Problem::bad(cause.body_text()))?;
    Ok(shape.0)
}

/// The list as the body, or a form of `contacts` and, if it likes, `settings`.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Query(Region { region }): Query<Region>,
    request: Request,
) -> Result<Json<Check>, Problem> {
    let wish = shape(&request)?.wish()?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let (mut settings, mut spool) = (None, None);
    if kind.starts_with("multipart/") {
        let mut form =
            Multipart::from_request(request, &()).await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
        while let Some(field) = form.next_field().await.map_err(|e| Problem::unread(e.status(), e.body_text()))? {
            match field.name().unwrap_or_default() {
                name @ "contacts" if spool.is_some() => return Err(Problem::twice(name)),
                name @ "settings" if settings.is_some() => return Err(Problem::twice(name)),
                "contacts" => spool = Some(lists::field(field).await?),
                "settings" => {
                    let text = field.text().await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
                    let read = intake::settings::parse(&text, &web.modes);
                    let read = read.map_err(|faults| ImportError::Settings(faults.to_string(), faults.list()))?;
                    settings = Some(read);
                }
                other => return Err(Problem::bad(format!("field `{other}` is not known: contacts, settings are"))),
            }
        }
    } else {
        spool = Some(lists::body(request.into_body()).await?);
    }
    let spool = spool.ok_or_else(|| Problem::bad("field `contacts` is missing"))?;
    let settings = settings.map_or_else(|| plain(&region, &web.modes), Ok)?;
    Ok(Json(check(&web.modes, web.clock.now(), &settings, spool.given(wish)?).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    /// `ru` or `en`.
    #[serde(default)]
    language: String,
}

/// A list to begin with.
pub(super) async fn template(Query(Language { language }): Query<Language>) -> impl IntoResponse {
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"contacts.csv\"")];
    (headers, intake::template::template(&language))
}
