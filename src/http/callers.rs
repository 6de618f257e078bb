//! Who tells of a call: attempts that were granted here are known by their event token, without asking the tables.
//!
//! An attempt's campaign never changes and a token that it had opens for ever, so what is known here stays true. What
//! is not known is asked for, and nobody is refused by what stands here.

use super::access::{bearer, same_secret};
use super::voice::{TokenOf, authorised};
use super::{Problem, Web};
use crate::domain::{AttemptId, CampaignId};
use axum::http::HeaderMap;
use std::collections::HashMap;
use std::sync::Mutex;

/// Calls of one generation; the last two are kept. More than may be open at once.
const GENERATION_MAX: usize = 20_000;

#[derive(Default)]
pub(super) struct Callers(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<AttemptId, Known>,
    old: HashMap<AttemptId, Known>,
}

struct Known {
    campaign: CampaignId,
    event_token: String,
}

impl Callers {
    pub fn know(&self, attempt: AttemptId, campaign: CampaignId, event_token: &str) {
        let mut known = self.0.lock().expect("no panic while holding it");
        if known.young.len() >= GENERATION_MAX {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(attempt, Known { campaign, event_token: event_token.to_owned() });
    }

    fn campaign(&self, attempt: AttemptId, presented: &str) -> Option<CampaignId> {
        let known = self.0.lock().expect("no panic while holding it");
        let found = known.young.get(&attempt).or_else(|| known.old.get(&attempt))?;
        same_secret(presented, &found.event_token).then_some(found.campaign)
    }
}

pub(super) struct Caller {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub token: TokenOf,
}

/// Unknown attempt 404, wrong token 401.
pub(super) async fn caller(web: &Web, attempt: &str, headers: &HeaderMap) -> Result<Caller, Problem> {
    if let (Ok(id), Some(presented)) = (attempt.parse::<AttemptId>(), bearer(headers))
        && let Some(campaign) = web.callers.campaign(id, presented)
    {
        return Ok(Caller { attempt: id, campaign, token: TokenOf::Event });
    }
    let (attempt, token) = authorised(web, attempt, headers).await?;
    let whose = web.store.whose(attempt).await?;
    let (campaign, _) = whose.ok_or_else(|| Problem::missing("this attempt does not exist"))?;
    Ok(Caller { attempt, campaign, token })
}
