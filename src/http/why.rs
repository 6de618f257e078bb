//! Why a contact is not being called right now, and when it will be.
//!
//! The API and the command line come through here: rows become facts, `domain::why` answers.

use super::{Problem, Web};
use crate::dialer::ReadRules;
use crate::domain::alternates::instead_of;
use crate::domain::clearance::{Facts, Gate};
use crate::domain::follow::counts;
use crate::domain::why::{Hold, Pause, Waiting, Why, why};
use crate::domain::{CampaignId, ContactId, NumberId, Outcome, PhoneNumber, RunId, Timestamp};
use crate::intake::phone;
use crate::store::{Named, RunState, Store, StoreError, WhyMore, WhyRow, term};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// How a number without a country is read.
const REGION: &str = "RU";

/// The answer, and whom it speaks of.
#[derive(Debug)]
pub struct Told {
    pub contact: ContactId,
    pub campaign: CampaignId,
    pub campaign_name: String,
    pub run: Option<(RunId, i64)>,
    pub timezone: chrono_tz::Tz,
    /// From 1, while nothing but pace and lines holds it.
    pub place: Option<i64>,
    pub why: Why,
}

impl Told {
    pub fn to_json(&self) -> Value {
        let why = &self.why;
        json!({
            "contact": self.contact, "campaign": self.campaign, "run": self.run.map(|(run, _)| run),
            "gate": why.hold.as_str(), "why": why.sentence, "since": why.since, "opens_at": why.opens_at,
            "about": why.about, "place": self.place, "timezone": self.timezone.name(),
            "outcome": match why.hold {
                Hold::AtRest(outcome) | Hold::Stops(outcome) => Some(outcome),
                _ => None,
            },
            "line": self.line(),
        })
    }

    /// One line for a person.
    pub fn line(&self) -> String {
        let Told { contact, campaign_name, why, .. } = self;
        let run = self.run.map(|(_, ordinal)| format!(", run {ordinal}")).unwrap_or_default();
        let since = why.since.map(|at| format!(", since {at}")).unwrap_or_default();
        let about = if why.about { "about " } else { "" };
        let opens = match (why.opens_at, why.hold) {
            (Some(at), _) => format!("; until {about}{at}"),
            (None, Hold::AtRest(_) | Hold::Calling) => String::new(),
            (None, _) => "; no moment can be named".to_owned(),
        };
        format!("{contact} ({campaign_name}{run}): {}: {}{since}{opens}", why.hold.as_str(), why.sentence)
    }
}

/// `None`: there is no such contact.
pub async fn told(
    store: &Store,
    read_rules: &ReadRules,
    real_platform: bool,
    contact: ContactId,
    now: Timestamp,
) -> Result<Option<Told>, Problem> {
    let Some(row) = store.why_row(contact).await? else { return Ok(None) };
    let id = CampaignId(row.campaign_id);
    let campaign = store.campaign(id).await?.ok_or_else(|| StoreError::Missing(format!("campaign {id}")))?;
    let (settings, policy) = (read_rules)(&campaign.settings).map_err(|cause| Problem::settings(id, cause))?;
    let more = store.why_more(&row, settings.retry.order, now).await?;
    let to: PhoneNumber = row.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
    let zone = row.timezone.as_deref().map(|zone| zone.parse().map_err(|e| StoreError::row("contacts", "timezone", e)));
    let timezone = zone.transpose()?.unwrap_or(settings.timezone);
    let answer = match row.run_id {
        None => Why::no_run(),
        Some(_) => {
            let history = store.history(&to, now).await?;
            let consented = store.consented(contact).await?;
            let facts = Facts { history: &history, consented, ..facts(&row, &more, &to, timezone, real_platform)? };
            why(&settings, &policy, &waiting(&row, &more, facts)?, now)
        }
    };
    Ok(Some(Told {
        contact,
        campaign: id,
        campaign_name: campaign.name,
        run: row.run_id.map(RunId).zip(row.run_ordinal),
        timezone,
        place: matches!(answer.hold, Hold::Queue | Hold::Lines).then_some(more.ahead + 1),
        why: answer,
    }))
}

/// What the grant would read under its locks.
fn facts<'a>(
    row: &WhyRow,
    more: &WhyMore,
    to: &'a PhoneNumber,
    zone: chrono_tz::Tz,
    real_platform: bool,
) -> Result<Facts<'a>, Problem> {
    // Another number of the contact is rung instead of a suppressed one.
    let other = row.number_id.and_then(|number| instead_of(&more.lines, NumberId(number)));
    Ok(Facts {
        to,
        caller_id: None,
        zone,
        disposed: row.disposition.is_some(),
        suppressed: row.suppressed_at.is_some() && other.is_none(),
        paused: false,
        over: state(row)?.is_some_and(RunState::is_over),
        tries: 1 + more.ended.iter().filter(|outcome| counts(**outcome)).count() as u32,
        number_held_until: row.number_held_until.map(Timestamp),
        allow_listed: row.allow_listed_at.is_some(),
        history: &[],
        consented: true,
        term: term(row.not_before_at, row.not_after_at),
        real_platform,
    })
}

fn state(row: &WhyRow) -> Result<Option<RunState>, Problem> {
    let state = row.run_state.as_deref().map(|text| text.parse().map_err(|e| StoreError::row("runs", "state", e)));
    Ok(state.transpose()?)
}

fn waiting<'a>(row: &WhyRow, more: &WhyMore, facts: Facts<'a>) -> Result<Waiting<'a>, Problem> {
    let at = |ms: Option<i64>| ms.map(Timestamp);
    let of_run = |state: RunState| state == RunState::Paused;
    let pause = match (at(row.paused_at), state(row)?.filter(|state| of_run(*state)).and(at(row.changed_at))) {
        (Some(since), _) => Some(Pause { whole_account: true, since, reason: row.pause_reason.clone() }),
        (None, Some(since)) => Some(Pause { whole_account: false, since, reason: row.state_reason.clone() }),
        (None, None) => None,
    };
    let calling = matches!(row.attempt_state.as_deref(), Some("dialing" | "live"));
    let disposition = row.disposition.as_deref().map(|text| text.parse::<Outcome>());
    let disposition = disposition.transpose().map_err(|e| StoreError::row("run_contacts", "disposition", e))?;
    let gate = row.gate.as_deref().map(|text| text.parse::<Gate>()).transpose();
    let since = match (&disposition, calling) {
        (Some(_), _) => row.rested_at,
        (None, true) => row.dialed_at.or(row.claimed_at),
        (None, false) => row.ended_at.or(row.started_at),
    };
    Ok(Waiting {
        facts,
        pause,
        disposition,
        since: at(since).unwrap_or_default(),
        calling,
        due_at: at(row.due_at),
        gate: gate.map_err(|e| StoreError::row("run_contacts", "gate", e))?,
        alive_until: more.alive_until,
        suppressed_reason: row.suppressed_reason.clone(),
        slot_at: row.slot_us.map(|us| Timestamp(us / 1000)),
        ahead: more.ahead,
        lines_held: more.lines_held,
        account_lines_held: more.account_lines_held,
        account_cps: row.cps_max,
        account_lines: row.lines_max,
    })
}

/// Whom somebody means: a contact's id, a phone number, or the name that it goes by elsewhere, where only one
/// contact (of an open run, if there are several) can be meant.
pub async fn meant(store: &Store, word: &str, within: Option<CampaignId>) -> Result<ContactId, Problem> {
    let nobody = || Problem::missing("there is no such contact (an id, a phone number or an external id)");
    if let Ok(id) = word.parse::<ContactId>() {
        let theirs = store.campaign_of_contact(id).await?.ok_or_else(nobody)?;
        return if within.is_none_or(|campaign| campaign == theirs) { Ok(id) } else { Err(nobody()) };
    }
    let home = phone::region(REGION).map_err(Problem::ours)?;
    let number = word.parse().ok().or_else(|| phone::read(word, home).ok().map(|phone| phone.number));
    let mut found = match number {
        Some(number) => store.contacts_by_phone(&number).await?,
        None => Vec::new(),
    };
    if found.is_empty() {
        found = store.contacts_by_external_id(word).await?;
    }
    found.retain(|named| within.is_none_or(|campaign| campaign.0 == named.campaign_id));
    let open = |named: &&Named| matches!(named.run_state.as_deref(), Some("running" | "paused"));
    let of_open_runs: Vec<&Named> = found.iter().filter(open).collect();
    match (&found[..], &of_open_runs[..]) {
        ([], _) => Err(nobody()),
        ([one], _) => Ok(ContactId(one.contact_id)),
        (_, [one]) => Ok(ContactId(one.contact_id)),
        (several, _) => {
            let each = |n: &Named| format!("{} ({})", ContactId(n.contact_id), n.campaign);
            let list: Vec<String> = several.iter().map(each).collect();
            Err(Problem::conflict(format!("several contacts can be meant: {}", list.join(", "))))
        }
    }
}

async fn answer(web: &Web, word: &str, within: Option<CampaignId>) -> Result<Json<Value>, Problem> {
    let contact = meant(&web.store, word, within).await?;
    let told = told(&web.store, &web.dialer.read_rules, web.dialer.platform.real, contact, web.clock.now()).await?;
    told.map(|told| Json(told.to_json())).ok_or_else(|| Problem::missing(format!("contact {contact} does not exist")))
}

pub(super) async fn of_contact(
    State(web): State<Arc<Web>>,
    Path(contact): Path<String>,
) -> Result<Json<Value>, Problem> {
    answer(&web, &contact, None).await
}

pub(super) async fn within_campaign(
    State(web): State<Arc<Web>>,
    Path((campaign, contact)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?.campaign;
    answer(&web, &contact, Some(campaign)).await
}
