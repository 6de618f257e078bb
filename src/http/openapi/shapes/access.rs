//! Keys, the audit, links, and what is kept for a while only.

use crate::domain::{AttemptId, AuditId, CampaignId, KeyId, NumberId, Role, ShareId};
use serde_json::Value;
use utoipa::ToSchema;

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyWanted {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    role: Role,
    /// RFC 3339; null for a key that never expires; a year from now when absent.
    expires_at: Option<String>,
}

/// The key itself, which is told this once.
#[derive(ToSchema)]
pub struct KeyMade {
    id: KeyId,
    /// What stands behind `Bearer`.
    key: String,
    name: String,
    role: Role,
    /// RFC 3339; null: never.
    expires_at: Option<String>,
}

#[derive(ToSchema)]
pub struct KeyTold {
    id: KeyId,
    name: String,
    role: Role,
    /// `good`, `revoked`, `expired`.
    state: String,
    /// RFC 3339.
    created_at: String,
    /// Who made it.
    created_by: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    /// To the minute.
    used_at: Option<String>,
}

#[derive(ToSchema)]
pub struct KeysTold {
    items: Vec<KeyTold>,
}

/// Whose key this is.
#[derive(ToSchema)]
pub struct Myself {
    /// Null for `API_AUTH_KEY`.
    key: Option<KeyId>,
    name: String,
    role: Role,
}

#[derive(ToSchema)]
pub struct AuditActor {
    /// Null for `API_AUTH_KEY`, and for the command line.
    key: Option<KeyId>,
    name: String,
    role: String,
}

#[derive(ToSchema)]
pub struct AuditSubject {
    /// `campaign`, `run`, `number`, `key` …
    r#type: String,
    id: Option<String>,
}

/// Who did what.
#[derive(ToSchema)]
pub struct AuditLine {
    id: AuditId,
    /// RFC 3339.
    at: String,
    /// `api` or `cli`.
    door: String,
    actor: AuditActor,
    #[schema(example = "key.add")]
    action: String,
    subject: Option<AuditSubject>,
    /// `X-Request-Id` of the request.
    request: String,
    /// What more is to be said of it.
    detail: Value,
}

#[derive(ToSchema)]
pub struct AuditPage {
    /// The newest first.
    items: Vec<AuditLine>,
    /// To be given as `after`; null at the end.
    next: Option<AuditId>,
}

/// An erased person: what went with them.
#[derive(ToSchema)]
pub struct ErasedTold {
    number: NumberId,
    erased: bool,
    /// Somebody did it before.
    #[schema(nullable = false)]
    already: Option<bool>,
    #[schema(nullable = false)]
    contacts: Option<i64>,
    #[schema(nullable = false)]
    attempts: Option<i64>,
    /// Which the provider is asked to delete.
    #[schema(nullable = false)]
    recordings: Option<i64>,
}

/// Days, or null for what is kept for good.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    #[schema(minimum = 1, maximum = 3650)]
    transcripts_days: Option<i64>,
    #[schema(minimum = 1, maximum = 3650)]
    recordings_days: Option<i64>,
    /// What sessions and the provider sent, word by word.
    #[schema(minimum = 1, maximum = 3650)]
    raw_days: Option<i64>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareWanted {
    /// 7 when absent.
    #[schema(minimum = 1, maximum = 30)]
    days: Option<i64>,
    /// `en` (when absent) or `ru`.
    lang: Option<String>,
}

/// A link that shows a report, and nothing else, to whoever has it.
#[derive(ToSchema)]
pub struct ShareTold {
    id: ShareId,
    campaign: CampaignId,
    lang: String,
    /// `good`, `revoked`, `expired`.
    state: String,
    /// While it is good.
    url: Option<String>,
    /// RFC 3339, in real time.
    created_at: String,
    created_by: String,
    /// RFC 3339, in real time.
    expires_at: String,
}

#[derive(ToSchema)]
pub struct SharesTold {
    items: Vec<ShareTold>,
}

/// Where a recording is heard without a key, for some minutes.
#[derive(ToSchema)]
pub struct RecordingLink {
    url: String,
    /// RFC 3339, in real time.
    expires_at: String,
}

/// The ten turns that were waited for longest.
#[derive(ToSchema)]
pub struct SlowestTurns {
    slowest_turns: Vec<SlowestTurn>,
    /// Where nobody was really called.
    notice: Option<crate::report::model::Text>,
}

#[derive(ToSchema)]
pub struct SlowestTurn {
    attempt_id: AttemptId,
    /// The address of its call.
    call: String,
    /// The run's number in its campaign.
    night: i64,
    mode: String,
    turn: i64,
    /// Null: nobody replied.
    turn_ms: Option<i64>,
    /// How it was measured.
    method: String,
    asr_ms: Option<i64>,
    reply_ms: Option<i64>,
    model_ms: Option<i64>,
    tts_ms: Option<i64>,
    /// A filler was said before the reply.
    filler: bool,
    /// The person spoke into it.
    interrupted: bool,
}
