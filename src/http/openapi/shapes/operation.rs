//! Webhooks of others, alerts, and a restore that waits.

use crate::domain::{DeliveryId, EndpointId, NoticeId, Timestamp};
use utoipa::ToSchema;

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookWanted {
    /// `https://…`, at a public address.
    #[schema(max_length = 2000)]
    url: String,
    /// Those alone; all when empty or absent.
    kinds: Option<Vec<String>>,
    #[schema(max_length = 200)]
    note: Option<String>,
    /// `whsec_` and 24 to 64 bytes in base64; a fresh one when absent.
    secret: Option<String>,
    enabled: Option<bool>,
}

/// What is not named stays as it is.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    #[schema(max_length = 2000)]
    url: Option<String>,
    kinds: Option<Vec<String>>,
    #[schema(max_length = 200)]
    note: Option<String>,
    enabled: Option<bool>,
}

#[derive(ToSchema)]
pub struct WebhookTold {
    id: EndpointId,
    url: String,
    note: Option<String>,
    created_at: Timestamp,
    /// Empty: all.
    kinds: Vec<String>,
    enabled: bool,
    disabled_at: Option<Timestamp>,
    disabled_reason: Option<String>,
}

/// With the secret, which is told this once.
#[derive(ToSchema)]
pub struct WebhookMade {
    #[serde(flatten)]
    webhook: WebhookTold,
    /// Messages are signed with it.
    secret: String,
}

#[derive(ToSchema)]
pub struct DeliveryTry {
    at: Timestamp,
    /// The HTTP status that came, if one came.
    status: Option<i64>,
    /// What went wrong.
    told: Option<String>,
    took_ms: i64,
}

#[derive(ToSchema)]
pub struct DeliveryTold {
    id: DeliveryId,
    /// The same at every webhook.
    message: NoticeId,
    kind: String,
    happened_at: Timestamp,
    state: String,
    next_try_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    tries: Vec<DeliveryTry>,
}

#[derive(ToSchema)]
pub struct Deliveries {
    /// The newest first.
    deliveries: Vec<DeliveryTold>,
    /// To be given as `before`; null at the end.
    next: Option<DeliveryId>,
}

/// It is sent at the next look.
#[derive(ToSchema)]
pub struct Waiting {
    /// Of what is delivered again.
    #[schema(nullable = false)]
    id: Option<DeliveryId>,
    state: String,
}

#[derive(ToSchema)]
pub struct AlertTold {
    /// `breaker`, `balance`, `idle`, `night`, `control`.
    kind: String,
    /// What it is about.
    subject: String,
    told: String,
    raised_at: Timestamp,
    resolved_at: Option<Timestamp>,
}

/// Whether a restore waits to be confirmed.
#[derive(ToSchema)]
pub struct RestoreTold {
    pending: bool,
    /// When the backup was taken: nothing since then is known.
    #[schema(nullable = false)]
    since: Option<Timestamp>,
    #[schema(nullable = false)]
    restored_at: Option<Timestamp>,
    /// The same for people.
    #[schema(nullable = false)]
    sentence: Option<String>,
}
