//! A list is looked at, and nothing is stored.

use super::import::{Here, ImportError, PLAIN_SCRIPT, taking};
use super::lists::{self, Given, Shape};
use super::outlook::{Outlook, Place, outlook};
use super::round::Round;
use super::taken::take;
use super::{Problem, Web};
use crate::dialogue::Script;
use crate::domain::settings::Settings;
use crate::domain::{CampaignId, Mode, Timestamp};
use crate::intake;
use crate::intake::check::Check;
use crate::store::{Campaign, Store};
use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use super::outlook::Place as Beside;

/// All that is told of a list.
#[derive(Debug, Serialize)]
pub struct Checked {
    #[serde(flatten)]
    pub check: Check,
    /// Why an import of it would be refused as a whole.
    pub faults: Vec<String>,
    /// The list of the campaign that has this very content, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_before: Option<i64>,
    #[serde(flatten)]
    pub outlook: Outlook,
    /// The same for a person, a line each.
    pub told: Vec<String>,
}

/// What a list is held against.
pub struct Rules {
    pub settings: Settings,
    pub script: Script,
    /// The campaign that it would be appended to.
    pub campaign: Option<CampaignId>,
}

impl Rules {
    /// Of a list that belongs to no campaign yet.
    pub fn of(settings: Settings, script: Option<&str>) -> Result<Self, ImportError> {
        let script = Script::parse(script.unwrap_or(PLAIN_SCRIPT))
            .map_err(|faults| ImportError::Script(faults.to_string(), faults.list()))?;
        Ok(Rules { settings, script, campaign: None })
    }

    /// Of a list that is to join a campaign.
    pub fn of_campaign(row: &Campaign, modes: &BTreeSet<Mode>) -> Result<Self, ImportError> {
        let settings = super::append::settings_of(row, modes)?;
        Ok(Rules { campaign: Some(row.campaign), ..Rules::of(settings, Some(&row.script))? })
    }
}

/// Settings of a list that belongs to no campaign yet.
pub fn plain(region: &str, modes: &BTreeSet<Mode>) -> Result<Settings, ImportError> {
    let settings = serde_json::json!({ "name": "check", "purpose": "test", "region": region });
    intake::settings::from_json(&settings, modes)
        .map_err(|faults| ImportError::Settings(faults.to_string(), faults.list()))
}

/// What a list would come to under these rules. Without a store it is held against nothing that is there already.
pub async fn check(
    modes: &BTreeSet<Mode>,
    real_platform: bool,
    store: Option<&Store>,
    beside: Beside,
    rules: Rules,
    given: Given,
) -> Result<Checked, ImportError> {
    let Rules { settings, script, campaign } = rules;
    let now: Timestamp = beside.now;
    let taking = Arc::new(taking(modes, &settings, script, "", real_platform, now, &given.sending));
    let taken = take(given, taking.clone()).await?;
    let (mut round, mut came_before) = (Round::fresh(&taken), None);
    if let Some(store) = store {
        round = Round::against(&taken, store, campaign, &settings, now).await?;
        if let Some(campaign) = campaign {
            came_before = store.sent_before(campaign, &taken.hash).await?.map(|sent| sent.ordinal);
        }
    }
    let place: &Place = &beside;
    let callable = round.callable(&taking.modes);
    let outlook = outlook(place, &settings, &taking.script, &round.tally.zones, callable, &taken.first);
    let check = round.tally.told(&taken.found);
    let mut checked = Checked { check, faults: taken.faults, came_before, outlook, told: Vec::new() };
    checked.told = checked.lines(&settings, now);
    Ok(checked)
}

impl Checked {
    fn lines(&self, settings: &Settings, now: Timestamp) -> Vec<String> {
        let mut lines = self.check.lines();
        if let Some(list) = self.came_before {
            lines.push(format!("This very list came before, as list {list}: an append would store nothing"));
        }
        if self.check.buckets.accepted > 0 {
            lines.extend(self.outlook.lines(settings, now));
        }
        lines.extend(self.faults.iter().map(|fault| format!("Refused as a whole: {fault}")));
        lines
    }

    /// Can anybody of it be called?
    pub fn is_useful(&self) -> bool {
        self.check.buckets.accepted > 0 && self.faults.is_empty()
    }
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

pub(super) async fn beside(web: &Web) -> Result<Beside, Problem> {
    let account = web.store.account(web.dialer.account).await?;
    Ok(Place {
        now: web.clock.now(),
        cps_max: account.as_ref().and_then(|account| account.cps_max),
        lines_max: account.as_ref().and_then(|account| account.lines_max),
        prices: web.dialer.prices().cloned(),
        models: web.dialer.models(),
        has_dialog: web.voice.dialog_url.is_some(),
    })
}

async fn answer(web: &Web, rules: Rules, given: Given) -> Result<Json<Checked>, Problem> {
    let here: Here<'_> = web.here();
    let told = check(here.modes, here.real_platform, Some(here.store), beside(web).await?, rules, given).await?;
    Ok(Json(told))
}

/// The list as the body, or a form of `contacts` and, if it likes, `settings` and `script`.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Query(Region { region }): Query<Region>,
    request: Request,
) -> Result<Json<Checked>, Problem> {
    let wish = shape(&request)?.wish()?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let (mut settings, mut script, mut spool) = (None, None, None);
    if kind.starts_with("multipart/") {
        let unread = |e: axum::extract::multipart::MultipartError| Problem::unread(e.status(), e.body_text());
        let mut form =
            Multipart::from_request(request, &()).await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
        while let Some(field) = form.next_field().await.map_err(unread)? {
            match field.name().unwrap_or_default() {
                name @ "contacts" if spool.is_some() => return Err(Problem::twice(name)),
                name @ "settings" if settings.is_some() => return Err(Problem::twice(name)),
                name @ "script" if script.is_some() => return Err(Problem::twice(name)),
                "contacts" => spool = Some(lists::field(field).await?),
                "script" => script = Some(field.text().await.map_err(unread)?),
                "settings" => {
                    let read = intake::settings::parse(&field.text().await.map_err(unread)?, &web.modes);
                    let read = read.map_err(|faults| ImportError::Settings(faults.to_string(), faults.list()))?;
                    settings = Some(read);
                }
                other => {
                    let said = format!("field `{other}` is not known: contacts, settings, script are");
                    return Err(Problem::bad(said));
                }
            }
        }
    } else {
        spool = Some(lists::body(request.into_body()).await?);
    }
    let spool = spool.ok_or_else(|| Problem::bad("field `contacts` is missing"))?;
    let settings = settings.map_or_else(|| plain(&region, &web.modes), Ok)?;
    answer(&web, Rules::of(settings, script.as_deref())?, spool.given(wish)?).await
}

/// The same of a list that is to join a campaign: its rules hold, and its numbers are known.
pub(super) async fn append(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(shape): Query<Shape>,
    request: Request,
) -> Result<Json<Checked>, Problem> {
    let row = web.store.find_campaign(&campaign).await?;
    let rules = Rules::of_campaign(&row, &web.modes)?;
    let (_, given) = super::append::given(request, shape.wish()?).await?;
    answer(&web, rules, given).await
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
