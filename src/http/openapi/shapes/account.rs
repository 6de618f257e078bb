//! The installation: is it dialling, how fast, who serves it.

use crate::domain::Timestamp;
use serde_json::Value;
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

/// How the provider is set up.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployOrder {
    /// Nothing is changed; told is what would be.
    #[schema(nullable = false)]
    dry_run: Option<bool>,
    /// Numbers of the account whose callers reach the greeting.
    #[schema(nullable = false)]
    bind_numbers: Option<Vec<String>>,
}

#[derive(ToSchema)]
pub struct Deployed {
    dry_run: bool,
    /// Empty where everything stood as it should.
    changes: Vec<String>,
    #[schema(value_type = Object)]
    application: Value,
    /// Mode, rule, its id, and the scenario's fingerprint.
    #[schema(value_type = Vec<Object>)]
    rules: Vec<Value>,
    /// Modes that cannot talk, each with the secret that it misses.
    #[schema(value_type = Vec<Object>)]
    missing_secrets: Vec<Value>,
    /// The whole for a person, a line each.
    told: Vec<String>,
    /// Lines for `.env`.
    #[schema(value_type = Object)]
    env: Value,
}

#[derive(ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    status: String,
    #[schema(example = "voximplant_webhook")]
    service: String,
}
