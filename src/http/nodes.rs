//! Who serves this database.

use super::{Problem, Web};
use crate::domain::Timestamp;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

/// Silent for so long a node is shown as dead (real time).
const DEAD_AFTER_MS: i64 = 5_000;

#[derive(Serialize)]
pub(super) struct NodeView {
    node: String,
    roles: Vec<String>,
    host: String,
    started_at: Timestamp,
    beat_at: Timestamp,
    alive: bool,
    /// What it alone does among those with its roles: `sweeper` reconciles, `scheduler` fires schedules.
    leads: Vec<String>,
    /// The one that answers.
    here: bool,
}

pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Vec<NodeView>>, Problem> {
    let now = web.clock.now();
    let leaders = web.store.leaders(now).await?;
    let silent_ms = web.clock.at_least(DEAD_AFTER_MS, DEAD_AFTER_MS);
    let view = |row: crate::store::nodes::NodeRow| NodeView {
        roles: row.roles.split(',').map(str::to_owned).collect(),
        leads: leaders.iter().filter(|(_, owner)| *owner == row.node).map(|(name, _)| name.clone()).collect(),
        alive: now.since(row.beat_at) <= silent_ms,
        here: row.node == web.dialer.node,
        node: row.node,
        host: row.host,
        started_at: row.started_at,
        beat_at: row.beat_at,
    };
    Ok(Json(web.store.nodes().await?.into_iter().map(view).collect()))
}
