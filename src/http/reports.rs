//! The comparison, in the form asked for.

use super::{Problem, Web};
use crate::report::render::{Format, html_with_links, render};
use crate::report::{Lang, Report, stored};
use crate::store::Campaign;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    lang: Option<String>,
    /// Of the page: cells lead to the calls behind them, by the pages of this service. A page that is kept in a file has none.
    #[serde(default)]
    links: bool,
}

impl Asked {
    fn lang(&self) -> Result<Lang, Problem> {
        match &self.lang {
            None => Ok(Lang::En),
            Some(text) => Lang::parse(text).ok_or_else(|| Problem::bad(format!("lang: `{text}` is neither en nor ru"))),
        }
    }
}

async fn report(web: &Web, campaign: &Campaign) -> Result<Report, Problem> {
    let rules = web.dialer.rules(campaign.campaign).await?;
    stored::report(&web.store, campaign, &rules.settings, web.clock.now()).await.map_err(Problem::ours)
}

async fn answer(
    web: &Web,
    campaign: &str,
    asked: &Asked,
    format: Format,
) -> Result<impl IntoResponse + use<>, Problem> {
    let lang = asked.lang()?;
    let campaign = web.store.find_campaign(campaign).await?;
    let report = report(web, &campaign).await?;
    let text = match format {
        Format::Html if asked.links => {
            html_with_links(&report, lang, &format!("/campaigns/{}/calls", campaign.campaign))
        }
        _ => render(&report, format, lang),
    };
    let text = text.map_err(Problem::ours)?;
    Ok(([(CONTENT_TYPE, format.content_type().to_owned()), (ETAG, format!("\"{}\"", report.data_version))], text))
}

/// The page of a report in its own language, for whoever has a link.
pub(super) async fn shown(web: &Web, campaign: &str, language: &str) -> Result<Response, Problem> {
    let asked = Asked { lang: Some(language.to_owned()), links: false };
    Ok(answer(web, campaign, &asked, Format::Html).await?.into_response())
}

pub(super) async fn json(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, &campaign, &asked, Format::Json).await
}

pub(super) async fn csv(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, &campaign, &asked, Format::Csv).await
}

pub(super) async fn html(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, &campaign, &asked, Format::Html).await
}
