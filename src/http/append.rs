//! A further list for a campaign that is there: all accepted rows or none.
//!
//! The API and the command line come through here. The list is a batch of its own, so its arms move nobody's; it
//! joins the campaign's open run, or waits for the next one, and the answer says which.

use super::import::{Buckets, Here, ImportError, assigned, check_rows, note, read_list, rejects};
use super::lists::{self, Given, Shape, Spool};
use super::{Problem, Web};
use crate::dialer::hindrance_with;
use crate::dialogue::Script;
use crate::domain::{BatchId, PhoneNumber, RunId};
use crate::intake::columns::Role;
use crate::intake::{self, Bucket, Complaint, List};
use crate::store::{AppendOrder, Appended, KnownNumber, NewCampaign, StoreError};
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
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
}

impl Joined {
    /// Where they are called, in a sentence.
    pub fn sentence(&self) -> String {
        match self.run {
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
    let settings = serde_json::from_str(&row.settings)
        .map_err(|e| e.to_string())
        .and_then(|value| intake::settings::from_json(&value, here.modes).map_err(|faults| faults.to_string()));
    let settings = settings.map_err(|cause| ImportError::Settings(cause.clone(), vec![cause]))?;
    let script = Script::parse(&row.script).map_err(|faults| ImportError::Script(faults.to_string(), faults.list()))?;
    let (whole, hash) = read_list(given, &settings, here).await?;
    check_rows(here, &settings, &whole, &script)?;
    let numbers: Vec<PhoneNumber> = whole.accepted.iter().map(|row| row.number.clone()).collect();

    for _ in 0..ROUNDS_MAX {
        let ordinal = here.store.next_list(row.campaign).await?;
        let known = here.store.known_numbers(row.campaign, &numbers).await?;
        let list = without(whole.clone(), &known);
        let joining: Vec<PhoneNumber> = list.accepted.iter().map(|row| row.number.clone()).collect();
        let against = hindrance_with(here.store, row.campaign, &settings, here.real_platform, &joining).await?;
        if let Some(why) = against {
            return Err(ImportError::Rows(vec![why]));
        }
        let batch = BatchId(here.store.ids.one(here.now.0));
        let new = NewCampaign {
            campaign: row.clone(),
            batch,
            source: source.to_owned(),
            content_hash: hash.clone(),
            rows_total: list.rows as i64,
            contacts: assigned(&settings, &row.salt, ordinal, &list),
            rejects: rejects(&list),
            notes: list.notes().map(note).collect(),
            schedule: None,
            ids: here.store.ids.clone(),
        };
        let run = match here.store.append(AppendOrder { ordinal, new, now: here.now }).await? {
            Appended::Outdated => continue,
            Appended::Joined(run) => Some(run),
            Appended::Waits => None,
        };
        let buckets = Buckets { accepted: list.accepted.len(), duplicate: list.duplicates(), refused: list.refused() };
        return Ok(Joined { id: batch, list: ordinal, rows: list.rows, buckets, run });
    }
    Err(StoreError::Conflict("other lists of this campaign came in between again and again: try again".into()).into())
}

/// The list without those whom the campaign has already; each of them is a duplicate with its reason.
fn without(mut list: List, known: &[KnownNumber]) -> List {
    let known: HashMap<&str, &KnownNumber> = known.iter().map(|known| (known.e164.as_str(), known)).collect();
    let field = list.columns.iter().find(|column| column.role == Role::Phone).map(|column| column.header.clone());
    let field = field.unwrap_or_else(|| "phone".to_owned());
    let (there, fresh) = std::mem::take(&mut list.accepted)
        .into_iter()
        .partition::<Vec<_>, _>(|row| known.contains_key(row.number.as_str()));
    list.accepted = fresh;
    list.complaints.extend(there.iter().map(|row| {
        let first = known[row.number.as_str()];
        Complaint {
            line: row.line,
            bucket: Bucket::Duplicate,
            field: field.clone(),
            reason: format!("the same number as line {} of list {}", first.line, first.ordinal),
            raw: intake::phone::shown(&row.raw),
        }
    }));
    list.complaints.sort_by_key(|complaint| complaint.line);
    list
}

/// A list, JSON rows, or a form with the field `contacts`.
pub(super) async fn contacts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(shape): Query<Shape>,
    mut request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    web.store.find_campaign(&campaign).await?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let wish = shape.wish()?;
    let (source, given) = if kind.starts_with("multipart/form-data") {
        let (source, spool) = form(request).await?;
        (source, spool.given(wish)?)
    } else if kind.starts_with("application/json") {
        // Rows are held whole, lists are not.
        DefaultBodyLimit::max(super::UPLOAD_BYTES_MAX).apply(&mut request);
        let bytes = axum::body::Bytes::from_request(request, &()).await;
        let bytes = bytes.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|cause| Problem::bad(format!("the body: {cause}")))?;
        let list = intake::json_rows::to_csv(&value).map_err(|why| Problem::refused(why, Vec::new()))?;
        ("rows".to_owned(), Given { wish: intake::json_rows::dialect(), ..Given::from(list) })
    } else {
        ("contacts.csv".to_owned(), lists::body(request.into_body()).await?.given(wish)?)
    };
    let joined = append_from(&web.here(), &campaign, &source, given).await?;
    let body = json!({
        "id": joined.id, "list": joined.list, "rows": joined.rows, "buckets": joined.buckets, "run": joined.run,
        "told": joined.sentence(),
    });
    Ok((StatusCode::CREATED, Json(body)))
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
