//! Who tells of a call: attempts that were granted here are known by their event token, without asking the tables.
//!
//! An attempt's campaign never changes and a token that it had opens for ever, so what is known here stays true. What
//! is not known is asked for, and nobody is refused by what stands here.

use super::access::{bearer, same_secret};
use super::recent::Recent;
use super::voice::{TokenOf, authorised, variables};
use super::{Problem, Web};
use crate::dialogue::{Manner, Variables};
use crate::domain::{AttemptId, CampaignId};
use axum::http::HeaderMap;
use chrono_tz::Tz;
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Callers(Recent<Known>);

/// What holds for a call as long as it lasts.
#[derive(Clone)]
pub(super) struct Known {
    pub campaign: CampaignId,
    pub event_token: String,
    pub variables: Arc<Variables>,
    pub manner: Manner,
    /// The contact's own, or the campaign's.
    pub zone: Tz,
}

impl Callers {
    pub fn know(&self, attempt: AttemptId, call: Known) {
        self.0.put(attempt, call);
    }

    /// A call by its event token; of one that was granted elsewhere nothing is known.
    pub fn known(&self, attempt: AttemptId, presented: &str) -> Option<Known> {
        self.0.get(attempt, |call| same_secret(presented, &call.event_token).then(|| call.clone()))
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
        && let Some(known) = web.callers.known(id, presented)
    {
        return Ok(Caller { attempt: id, campaign: known.campaign, token: TokenOf::Event });
    }
    let (attempt, token) = authorised(web, attempt, headers).await?;
    let whose = web.store.whose(attempt).await?;
    let (campaign, _) = whose.ok_or_else(|| Problem::missing("this attempt does not exist"))?;
    Ok(Caller { attempt, campaign, token })
}

/// Whoever speaks with the callee of this attempt, and what holds for the call. Unknown attempt 404, wrong token 401.
pub(super) async fn in_call(web: &Web, attempt: &str, headers: &HeaderMap) -> Result<(AttemptId, Known), Problem> {
    if let (Ok(id), Some(presented)) = (attempt.parse::<AttemptId>(), bearer(headers))
        && let Some(known) = web.callers.known(id, presented)
    {
        return Ok((id, known));
    }
    let (attempt, token) = authorised(web, attempt, headers).await?;
    let (TokenOf::Event, Some(presented)) = (token, bearer(headers)) else { return Err(Problem::unauthorized()) };
    let held = web.store.attempt(attempt).await?.ok_or_else(|| Problem::missing("this attempt does not exist"))?;
    let rules = web.dialer.rules_at(held.campaign, held.facts.settings_version).await?;
    let known = Known {
        campaign: held.campaign,
        event_token: presented.to_owned(),
        variables: Arc::new(variables(&held)),
        manner: Manner::of(&held.mode, web.voice.dialog_url.is_some()),
        zone: held.timezone.unwrap_or(rules.settings.timezone),
    };
    web.callers.know(attempt, known.clone());
    Ok((attempt, known))
}
