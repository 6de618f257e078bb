//! A campaign made of another: its settings, its script, its contacts, and none of its runs.

use super::change::patched;
use super::import::{Here, ImportError, content_hash, new_schedule};
use super::{Problem, Web, access, life};
use crate::domain::assign::{arms, dial_order_of, split_text, stratum};
use crate::domain::{BatchId, CampaignId, Mode, PhoneNumber, Timestamp};
use crate::store::{Campaign, ContactRow, Listed, NewCampaign, NewContact, StoreError};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const PAGE: i64 = 1000;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Copy {
    pub name: String,
    /// Everybody keeps the arm of the original, and so its salt is kept; otherwise arms are drawn anew.
    pub keep_arms: bool,
    /// What is different in the copy's settings, as a merge patch.
    pub settings: Value,
}

#[derive(Debug)]
pub struct Copied {
    pub campaign: CampaignId,
    pub name: String,
    pub contacts: usize,
    /// The settings' schedule holds for the copy too.
    pub next_at: Option<Timestamp>,
}

impl Copied {
    /// As the API answers.
    pub fn told(&self) -> Value {
        let next_at = self.next_at.map(|at| at.to_string());
        json!({ "id": self.campaign, "name": self.name, "contacts": self.contacts, "next_at": next_at })
    }
}

pub async fn copy(here: &Here<'_>, original: &str, order: Copy) -> Result<Copied, ImportError> {
    let row = here.store.find_campaign(original).await?;
    let mut patch = if order.settings.is_null() { json!({}) } else { order.settings };
    let Value::Object(keys) = &mut patch else {
        let why = "settings: write a table".to_owned();
        return Err(ImportError::Settings(why.clone(), vec![why]));
    };
    keys.insert("name".into(), json!(order.name));
    let (settings, before, after) = patched(here, &row, &patch)?;
    let refused = |why: &str| ImportError::Settings(why.to_owned(), vec![why.to_owned()]);
    if before["purpose"] != after["purpose"] {
        return Err(refused("purpose: people were taken in for it; import the list for another purpose"));
    }
    if order.keep_arms && before["modes"] != after["modes"] {
        return Err(refused("modes: other modes are other arms; leave keep_arms out"));
    }

    let rows = contacts(here, &row).await?;
    let mut further = here.store.further_numbers(row.campaign).await?;
    let salt = if order.keep_arms { row.salt.clone() } else { format!("{:032x}", rand::random::<u128>()) };
    let mut fresh = rows
        .into_iter()
        .map(|(row, number)| {
            let alternates = further.remove(&row.contact_id).unwrap_or_default();
            Ok(NewContact { alternates, ..contact(row, number, &salt)? })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    // Arms that were kept were given to other lists.
    let split = (!order.keep_arms).then(|| split_text(&settings.modes));
    if !order.keep_arms {
        let numbers: Vec<PhoneNumber> = fresh.iter().filter(|c| !c.own_mode).map(|c| c.number.clone()).collect();
        let given = arms(&salt, &stratum(1), &settings.modes, &numbers);
        for (contact, mode) in fresh.iter_mut().filter(|c| !c.own_mode).zip(given) {
            contact.mode = mode;
        }
    }
    // Several lists become one.
    for (line, contact) in (2..).zip(&mut fresh) {
        contact.line = line;
    }
    let schedule = settings.schedule.as_ref().map(|schedule| new_schedule(here, schedule)).transpose()?;
    let ids = &here.store.ids;
    let copied = Copied {
        campaign: CampaignId(ids.one(here.now.0)),
        name: settings.name.clone(),
        contacts: fresh.len(),
        next_at: schedule.as_ref().and_then(|schedule| schedule.next_at),
    };
    let source = format!("clone of {}", row.name);
    let columns = here.store.list_columns(row.campaign).await?.into_iter().flatten().next();
    let new = NewCampaign {
        campaign: Campaign {
            campaign: copied.campaign,
            name: settings.name.clone(),
            settings: after.to_string(),
            script: row.script,
            salt,
            created_at: here.now,
        },
        batch: BatchId(ids.one(here.now.0)),
        content_hash: content_hash(source.as_bytes()),
        source,
        key: None,
        list: Listed { columns, split, ..Listed::of(fresh, Vec::new(), Vec::new()) },
        schedule,
        ids: ids.clone(),
    };
    here.store.create_campaign(new).await?;
    Ok(copied)
}

/// Everybody, in the order of the lists.
async fn contacts(here: &Here<'_>, campaign: &Campaign) -> Result<Vec<(ContactRow, PhoneNumber)>, ImportError> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = here.store.contacts(campaign.campaign, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.contact_id;
        for row in page {
            let number: PhoneNumber = row.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
            // Who was erased is in no campaign that begins after it.
            if !number.is_erased() {
                all.push((row, number));
            }
        }
    }
}

fn contact(row: ContactRow, number: PhoneNumber, salt: &str) -> Result<NewContact, StoreError> {
    let mode: Mode = row.mode.parse().map_err(|e| StoreError::row("contacts", "mode", e))?;
    let timezone = row.timezone.as_deref().map(str::parse).transpose();
    Ok(NewContact {
        line: row.line,
        mode,
        own_mode: row.own_mode == 1,
        dial_order: dial_order_of(salt, &number, row.wishes().priority),
        wishes: row.wishes(),
        raw_phone: number.as_str().to_owned(),
        number,
        name: row.name,
        timezone: timezone.map_err(|e| StoreError::row("contacts", "timezone", e))?,
        external_id: row.external_id,
        variables: row.variables,
        alternates: Vec::new(),
        consent_kind: row.consent_kind,
        consent_at: row.consent_at.map(Timestamp),
        consent_source: row.consent_source,
    })
}

pub(super) async fn campaign(
    State(web): State<Arc<Web>>,
    Path(original): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let order: Copy = life::said(&body)?;
    if order.name.trim().is_empty() {
        return Err(Problem::bad("name: say how the clone is called"));
    }
    let done = copy(&web.here(), &original, order).await?;
    access::note_more(json!({ "clone": done.campaign, "name": done.name }));
    Ok((StatusCode::CREATED, Json(done.told())))
}
