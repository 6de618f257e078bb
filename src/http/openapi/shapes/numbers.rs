//! Numbers and people over all campaigns.

use super::Tried;
use crate::domain::{CampaignId, ContactId, Mode, Outcome, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(ToSchema)]
pub struct Suppression {
    #[schema(example = "+79990000094")]
    number: String,
    /// RFC 3339.
    since: String,
    reason: Option<String>,
    by: Option<String>,
}

#[derive(ToSchema)]
pub struct Suppressions {
    /// The newest first.
    items: Vec<Suppression>,
    /// To be given as `after`; null at the end.
    next: Option<String>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressOrder {
    /// In international form.
    #[schema(example = "+79991234567")]
    number: String,
    #[schema(max_length = 500)]
    reason: Option<String>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftOrder {
    /// Needed where the person asked never to be called again.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

#[derive(ToSchema)]
pub struct RefusedRow {
    line: i64,
    field: String,
    reason: String,
}

/// Every row is accounted for.
#[derive(ToSchema)]
pub struct Suppressed {
    rows: i64,
    added: i64,
    already: i64,
    duplicate: i64,
    refused: i64,
    refusals: Vec<RefusedRow>,
}

#[derive(ToSchema)]
pub struct SuppressedSince {
    /// RFC 3339.
    since: String,
    reason: Option<String>,
    by: Option<String>,
}

/// Calls made so far in each period around now.
#[derive(ToSchema)]
pub struct Made {
    day: i64,
    #[serde(rename = "24h")]
    rolling: i64,
    week: i64,
    month: i64,
}

/// How a number stands under a campaign's rules.
#[derive(ToSchema)]
pub struct Under {
    campaign: String,
    policy: String,
    /// A test's own phone: policy, windows and caps do not hold for it.
    exempt: bool,
    #[schema(value_type = Option<Object>)]
    caps: Option<Value>,
    #[schema(value_type = Option<Object>)]
    gap: Option<Value>,
    consent_required: bool,
    gate: Option<String>,
    reason: Option<String>,
    /// RFC 3339; null: never.
    opens_at: Option<String>,
}

#[derive(ToSchema)]
pub struct Number {
    #[schema(example = "+79991234567")]
    number: String,
    /// It stands in a list, or was suppressed.
    known: bool,
    suppressed: Option<SuppressedSince>,
    allow_listed: bool,
    /// A call is under way at the latest until then (RFC 3339).
    live_until: Option<String>,
    timezone: String,
    tries: Made,
    /// Of them, those in which somebody talked.
    talks: Made,
    /// RFC 3339.
    last_call: Option<String>,
    /// Where a campaign was named.
    #[schema(nullable = false)]
    under: Option<Under>,
}

/// Somebody in a campaign's list.
#[derive(ToSchema)]
pub struct Found {
    contact: ContactId,
    campaign: CampaignId,
    campaign_name: String,
    #[schema(example = "+79990000001")]
    number: String,
    name: Option<String>,
    external_id: Option<String>,
    mode: Mode,
    suppressed: bool,
    disposition: Option<Outcome>,
    due_at: Option<Timestamp>,
    gate: Option<String>,
}

#[derive(ToSchema)]
pub struct People {
    items: Vec<Found>,
    /// There is a `next`.
    more: bool,
    /// To be given as `after`; null at the end.
    next: Option<ContactId>,
}

#[derive(ToSchema)]
pub struct ConsentTold {
    kind: String,
    /// RFC 3339.
    at: Option<String>,
    source: Option<String>,
}

/// The same person in one campaign.
#[derive(ToSchema)]
pub struct PersonIn {
    #[serde(flatten)]
    found: Found,
    line: i64,
    timezone: Option<String>,
    /// What its list says besides.
    variables: BTreeMap<String, Value>,
    consent: Option<ConsentTold>,
}

#[derive(ToSchema)]
pub struct Person {
    id: ContactId,
    number: String,
    name: Option<String>,
    /// The number stands for somebody who was erased.
    erased: bool,
    contacts: Vec<PersonIn>,
    /// The newest first.
    attempts: Vec<Tried>,
}
