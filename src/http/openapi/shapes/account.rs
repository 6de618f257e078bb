//! The installation: is it dialling, how fast, who serves it.

use crate::domain::Timestamp;
use utoipa::ToSchema;

/// A pace as it stands, and why it is not its limit.
#[derive(ToSchema)]
pub struct Pace {
    /// Starts per second at most; null: no limit.
    limit: Option<f64>,
    /// Starts per second now.
    now: Option<f64>,
    /// Why less than the limit.
    reason: Option<String>,
    since: Option<Timestamp>,
}

/// Null: no limit.
#[derive(ToSchema)]
pub struct Limits {
    cps: Option<f64>,
    lines: Option<i64>,
}

#[derive(ToSchema)]
pub struct Lines {
    limit: Option<i64>,
    held: i64,
}

#[derive(ToSchema)]
pub struct PausedSince {
    since: Timestamp,
    reason: Option<String>,
}

#[derive(ToSchema)]
pub struct Account {
    platform: String,
    limits: Limits,
    pace: Pace,
    lines: Lines,
    paused: Option<PausedSince>,
}

/// A key that is absent leaves its limit alone, null takes it away.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitOrder {
    /// Starts per second.
    #[schema(minimum = 0.01, maximum = 10_000)]
    cps: Option<f64>,
    /// Open calls.
    #[schema(minimum = 1, maximum = 1_000_000)]
    lines: Option<i64>,
}

/// Is the whole installation dialling?
#[derive(ToSchema)]
pub struct Status {
    dialling: bool,
    /// Why not.
    gate: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Open runs.
    runs: i64,
    calls_live: i64,
    /// Over the last seconds.
    starts_per_s: f64,
    /// Since a restore that waits to be confirmed: what is missing.
    restored: Option<String>,
    /// All of it in a line.
    line: String,
}

/// How the whole account stands.
#[derive(ToSchema)]
pub struct Pauses {
    paused: bool,
    since: Option<Timestamp>,
    reason: Option<String>,
    /// Runs that are not over.
    runs: i64,
    /// Calls under way.
    live: i64,
    history: Vec<super::Transition>,
}

/// A process that serves this database.
#[derive(ToSchema)]
pub struct Node {
    node: String,
    roles: Vec<String>,
    host: String,
    started_at: Timestamp,
    beat_at: Timestamp,
    alive: bool,
    /// What it alone does among those with its roles.
    leads: Vec<String>,
    /// The one that answers.
    here: bool,
}

#[derive(ToSchema)]
pub struct Finding {
    check: String,
    /// `ok`, `warning`, `failed`.
    level: String,
    told: String,
}

/// Whether everything is in place for a call.
#[derive(ToSchema)]
pub struct Setup {
    ok: bool,
    findings: Vec<Finding>,
}

#[derive(ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    status: String,
    #[schema(example = "voximplant_webhook")]
    service: String,
}
