//! A run of those contacts that came to rest in an earlier run in a certain way.

use super::super::Conn;
use super::campaigns;
use crate::domain::{Outcome, RunId};
use crate::store::{RerunOrder, Result, StoreError};
use serde_json::json;

/// Returns how many contacts were taken; a run of nobody is refused.
pub async fn start(conn: &mut Conn, order: &RerunOrder) -> Result<u64> {
    let (run, of) = (&order.run, order.of);
    let earlier = campaigns::run(conn, of).await?.filter(|earlier| earlier.campaign == run.campaign);
    if earlier.is_none() {
        return Err(StoreError::Missing(format!("run {of} of this campaign")));
    }
    let before_first = campaigns::begin(conn, run).await?;
    let names: Vec<&str> = order.outcomes.iter().map(|outcome| outcome.as_str()).collect();
    let taken = sqlx::query(sql!("take_only"))
        .bind(run.run.0)
        .bind(run.campaign.0)
        .bind(before_first)
        .bind(run.now.0)
        .bind(of.0)
        .bind(json!(names).to_string())
        .execute(&mut *conn)
        .await?
        .rows_affected();
    // It took whom it was asked to take: no later list joins it.
    sqlx::query(sql!("close_run")).bind(run.run.0).execute(&mut *conn).await?;
    if taken == 0 {
        return Err(nobody(of, &order.outcomes));
    }
    campaigns::count_taken(conn, run.run, before_first, taken).await?;
    Ok(taken)
}

fn nobody(of: RunId, outcomes: &[Outcome]) -> StoreError {
    let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
    StoreError::Conflict(format!("no contact of run {of} came to rest as {}", names.join(" or ")))
}
