//! What stands in SQLite's log goes into the database beside whoever writes, and not in his commits: everybody who waits
//! for a commit would wait for that too.

use super::StoreError;
use super::broken::Broken;
use sqlx::SqlitePool;
use std::time::Duration;
use tokio::sync::watch;

/// Pages of the log at which a commit does it after all. The log begins anew only when all of it is in the database, and
/// whoever writes without a pause leaves no such moment.
pub const LOGGED_MAX: &str = "16000";
/// Between two of them: a page that is written often goes into the database once.
const PAUSE: Duration = Duration::from_millis(100);

/// Until the writer has gone. `passive`: nobody is waited for, and nobody waits.
pub async fn keep(reader: SqlitePool, broken: Broken, mut committed: watch::Receiver<()>) {
    while committed.changed().await.is_ok() {
        tokio::time::sleep(PAUSE).await;
        if let Err(cause) = sqlx::query("pragma wal_checkpoint(passive)").execute(&reader).await {
            // A file that cannot be written is broken for everybody; anything else is tried again.
            let _ = broken.noted(StoreError::Sql(cause));
        }
    }
}
