//! A further list for a campaign that is there: all accepted rows or none.
//!
//! The API and the command line come through here. The list is a batch of its own, so its arms move nobody's; it
//! joins the campaign's open run, or waits for the next one, and the answer says which.

use super::import::{Buckets, Here, ImportError, buckets, columns, same_content, taking};
use super::lists::{self, Given, Sending, Shape, Spool};
use super::round::Round;
use super::taken::{Taking, take};
use super::{Problem, Web, repeats};
use crate::dialer::hindrance_with;
use crate::dialogue::Script;
use crate::domain::list::Dialect;
use crate::domain::settings::Settings;
use crate::domain::{BatchId, CampaignId, Mode, PhoneNumber, RunId};
use crate::intake;
use crate::store::{AppendOrder, Appended, Campaign, NewCampaign, Sent, StoreError};
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Other lists that may come in between before somebody is told to try again.
const ROUNDS_MAX: usize = 10;

#[derive(Debug, Serialize)]
pub struct Joined {
    pub id: BatchId,
    /// The campaign's lists are counted from 1.
    pub list: i64,
    pub rows: usize,
    pub buckets: Buckets,
    /// The run in which they are called; the next one, where none is named.
    pub run: Option<RunId>,
    /// This very list came before: nothing was stored now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl Joined {
    /// As the API answers.
    pub fn told(&self) -> Value {
        let mut told = json!(self);
        told["told"] = self.sentence().into();
        told
    }

    /// Where they are called, in a sentence.
    fn sentence(&self) -> String {
        match self.run {
            _ if self.again => format!("this list came before, as list {}: nothing was stored", self.list),
            _ if self.buckets.accepted == 0 => "nobody new is in this list".to_owned(),
            Some(run) => format!("they are called in run {run}"),
            None => "they wait for the next run".to_owned(),
        }
    }
}

pub async fn append(here: &Here<'_>, campaign: &str, source: &str, bytes: Vec<u8>) -> Result<Joined, ImportError> {
    append_from(here, campaign, source, bytes.into()).await
}

/// The same with a list that is read as it comes.
pub async fn append_from(here: &Here<'_>, campaign: &str, source: &str, given: Given) -> Result<Joined, ImportError> {
    let row = here.store.find_campaign(campaign).await?;
    let settings = settings_of(&row, here.modes)?;
    let script = Script::parse(&row.script).map_err(|faults| ImportError::Script(faults.to_string(), faults.list()))?;
    let sending = given.sending.clone();
    let taking = taking(here.modes, &settings, script, &row.salt, here.real_platform, here.now, &sending);
    let taken = take(given, Arc::new(Taking { whole: true, ..taking })).await?.useful()?;
    if let Some(sent) = sent_again(here, &sending, row.campaign, &taken.hash).await? {
        return Ok(again(sent));
    }
    for _ in 0..ROUNDS_MAX {
        let ordinal = here.store.next_list(row.campaign).await?;
        let round = Round::against(&taken, here.store, Some(row.campaign), &settings, here.now).await?;
        let joining: Vec<PhoneNumber> = if here.real_platform { round.joining().collect() } else { Vec::new() };
        let against = hindrance_with(here.store, row.campaign, &settings, here.real_platform, &joining).await?;
        if let Some(why) = against {
            return Err(ImportError::Rows(vec![why]));
        }
        let (batch, buckets) = (BatchId(here.store.ids.one(here.now.0)), round.tally.buckets);
        let new = NewCampaign {
            campaign: row.clone(),
            batch,
            source: source.to_owned(),
            content_hash: taken.hash.clone(),
            key: sending.key.clone(),
            list: round.listed(&settings, &row.salt, ordinal, columns(&taken), sending.progress.clone()),
            schedule: None,
            ids: here.store.ids.clone(),
        };
        let run = match here.store.append(AppendOrder { ordinal, new, now: here.now }).await {
            Ok(Appended::Outdated) => continue,
            Ok(Appended::Joined(run)) => Some(run),
            Ok(Appended::Waits) => None,
            // The same sending may have come in between.
            Err(cause) => {
                return match sent_again(here, &sending, row.campaign, &taken.hash).await? {
                    Some(sent) => Ok(again(sent)),
                    None => Err(cause.into()),
                };
            }
        };
        sending.progress.finish();
        return Ok(Joined { id: batch, list: ordinal, rows: taken.found.rows, buckets, run, again: false });
    }
    Err(StoreError::Conflict("other lists of this campaign came in between again and again: try again".into()).into())
}

/// A campaign's own.
pub(super) fn settings_of(row: &Campaign, modes: &BTreeSet<Mode>) -> Result<Settings, ImportError> {
    let settings = serde_json::from_str(&row.settings)
        .map_err(|e| e.to_string())
        .and_then(|value| intake::settings::from_json(&value, modes).map_err(|faults| faults.to_string()));
    settings.map_err(|cause| ImportError::Settings(cause.clone(), vec![cause]))
}

/// The same sending as before: by its key, or else by its content.
async fn sent_again(
    here: &Here<'_>,
    sending: &Sending,
    campaign: CampaignId,
    hash: &str,
) -> Result<Option<Sent>, ImportError> {
    if let Some(key) = &sending.key
        && let Some(sent) = here.store.sent_as(key).await?
    {
        return same_content(key, sent, hash).map(Some);
    }
    let sent = here.store.sent_before(campaign, hash).await?;
    Ok(sent.filter(|_| !sending.again))
}

fn again(sent: Sent) -> Joined {
    let buckets = buckets(&sent);
    Joined { id: BatchId(sent.batch_id), list: sent.ordinal, rows: buckets.rows(), buckets, run: None, again: true }
}

/// A list, JSON rows, or a form with the field `contacts`. With an `Idempotency-Key` the same sending is answered again.
pub(super) async fn contacts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(shape): Query<Shape>,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    web.store.find_campaign(&campaign).await?;
    let again = shape.again();
    let sending = web.uploads.sending(request.headers(), again)?;
    let (source, given) = given(request, shape.wish()?).await?;
    let given = Given { sending: sending.sending.clone(), ..given };
    let joined = append_from(&web.here(), &campaign, &source, given).await?;
    let status = if joined.again { StatusCode::OK } else { StatusCode::CREATED };
    super::access::note_more(json!({ "buckets": joined.buckets }));
    Ok((status, repeats::marked(joined.again), Json(joined.told())))
}

/// The list of a request, whatever its shape, and the name of its file.
pub(super) async fn given(mut request: Request, wish: Dialect) -> Result<(String, Given), Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    if kind.starts_with("multipart/form-data") {
        let (source, spool) = form(request).await?;
        Ok((source, spool.given(wish)?))
    } else if kind.starts_with("application/json") {
        // Rows are held whole, lists are not.
        DefaultBodyLimit::max(super::UPLOAD_BYTES_MAX).apply(&mut request);
        let bytes = axum::body::Bytes::from_request(request, &()).await;
        let bytes = bytes.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|cause| Problem::bad(format!("the body: {cause}")))?;
        let list = intake::json_rows::to_csv(&value).map_err(|why| Problem::refused(why, Vec::new()))?;
        Ok(("rows".to_owned(), Given { wish: intake::json_rows::dialect(), ..Given::from(list) }))
    } else {
        Ok(("contacts.csv".to_owned(), lists::body(request.into_body()).await?.given(wish)?))
    }
}

async fn form(request: Request) -> Result<(String, Spool), Problem> {
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    let field = form.next_field().await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    let field = field.ok_or_else(|| Problem::bad("field `contacts` is missing"))?;
    if field.name() != Some("contacts") {
        let name = field.name().unwrap_or_default();
        return Err(Problem::bad(format!("field `{name}` is not known: contacts is")));
    }
    let source = field.file_name().unwrap_or("contacts.csv").chars().take(200).collect();
    let spool = lists::field(field).await?;
    let further = form.next_field().await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    if let Some(name) = further.map(|field| field.name().unwrap_or_default().to_owned()) {
        return Err(Problem::bad(format!(
            "field `{name}`: a form has the field `contacts` alone; send one list at a time"
        )));
    }
    Ok((source, spool))
}
