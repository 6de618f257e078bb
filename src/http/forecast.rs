//! What a run of a campaign would come to, before it is started: how many people, when, how long, what it may cost.

use super::outlook::outlook;
use super::{Problem, Web, checks};
use crate::dialogue::Script;
use crate::domain::{CampaignId, Mode, PhoneNumber};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const PAGE: i64 = 1000;
/// Beyond so many contacts a price is not worth its reading.
const PRICED_MAX: usize = 200_000;

pub(super) async fn show(State(web): State<Arc<Web>>, Path(campaign): Path<String>) -> Result<Json<Value>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let script = Script::parse(&rules.script).map_err(|faults| Problem::ours(format!("stored script: {faults}")))?;
    let (mut listed, mut suppressed): (BTreeMap<Option<&'static str>, usize>, i64) = (BTreeMap::new(), 0);
    for row in web.store.zones_of(campaign.campaign).await? {
        let zone = row.timezone.as_deref().and_then(|name| name.parse::<chrono_tz::Tz>().ok());
        let callable = usize::try_from(row.contacts - row.suppressed).unwrap_or_default();
        *listed.entry(zone.map(|zone| zone.name())).or_default() += callable;
        suppressed += row.suppressed;
    }
    let contacts: usize = listed.values().sum();
    let mut place = checks::beside(&web).await?;
    let callable = match contacts <= PRICED_MAX {
        true => callable(&web, campaign.campaign).await?,
        false => {
            place.prices = None;
            Vec::new()
        }
    };
    let outlook = outlook(&place, &rules.settings, &script, &listed, callable.into_iter(), &[]);
    let mut told = json!(outlook);
    told["contacts"] = contacts.into();
    told["suppressed"] = suppressed.into();
    told["now"] = json!(place.now);
    Ok(Json(told))
}

/// Everybody who is not suppressed, with the mode that its list names.
async fn callable(web: &Web, campaign: CampaignId) -> Result<Vec<(PhoneNumber, Option<Mode>)>, Problem> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = web.store.contacts(campaign, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.contact_id;
        for row in page.into_iter().filter(|row| row.suppressed_at.is_none()) {
            if let (Ok(number), Ok(mode)) = (row.e164.parse(), row.mode.parse::<Mode>()) {
                all.push((number, Some(mode).filter(|_| row.own_mode == 1)));
            }
        }
    }
}
