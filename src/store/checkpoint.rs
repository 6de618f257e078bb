//! What stands in SQLite's log goes into the database beside whoever writes, and not in his commits: everybody who waits
//! for a commit would wait for that too.

use super::StoreError;
use super::broken::Broken;
use sqlx::SqlitePool;
use std::time::Duration;
use tokio::sync::watch;
use tracing::warn;

/// Pages of the log at which a commit does it after all. The log begins anew only when all of it is in the database, and
/// whoever writes without a pause leaves no such moment.
pub const LOGGED_MAX: &str = "16000";
/// Between two of them: a page that is written often goes into the database once.
const PAUSE: Duration = Duration::from_millis(100);

/// Until the writer has gone. `passive`: nobody is waited for, and nobody waits.
pub async fn keep(reader: SqlitePool, broken: Broken, mut committed: watch::Receiver<()>) {
    let mut is_told = false;
    while committed.changed().await.is_ok() {
        tokio::time::sleep(PAUSE).await;
        let done = sqlx::query("pragma wal_checkpoint(passive)").execute(&reader).await;
        if matches!(done, Err(sqlx::Error::PoolClosed)) {
            // The writer goes, and his connection does this when it is closed.
            return;
        }
        // A file that cannot be written is broken for everybody; anything else is tried again, and told once until it is done.
        let failed = done.err().map(|cause| broken.noted(StoreError::Sql(cause)));
        if let Some(cause) = failed.as_ref().filter(|_| !is_told) {
            warn!("The log of the database does not go into it, and is tried again: {cause}");
        }
        is_told = failed.is_some();
    }
}
