//! A database that was put back as it was: nobody is called before somebody has looked.

use super::super::Conn;
use super::{audit, life, setup};
use crate::domain::{RunId, Timestamp};
use crate::store::backup::{RESTORED, RestoreOrder, Restored};
use crate::store::{AccountPauseOrder, By, Result, StoreError};

/// Every run and every account rests; what is missing since then stands in the installation.
pub async fn mark(conn: &mut Conn, order: &RestoreOrder) -> Result<usize> {
    let restored = &order.restored;
    let by = |reason: &str| By { reason: Some(reason.to_owned()), ..order.by.clone() };
    let (now, reason) = (restored.restored_at, restored.of_run());
    let runs: Vec<i64> =
        sqlx::query_scalar(sql!("pause_every_run")).bind(&reason).bind(now.0).fetch_all(&mut *conn).await?;
    let runs: Vec<RunId> = runs.into_iter().map(RunId).collect();
    life::record(conn, &runs, "paused", &by(&reason), now).await?;
    let reason = restored.sentence();
    let accounts: Vec<i64> =
        sqlx::query_scalar(sql!("pause_every_account")).bind(&reason).bind(now.0).fetch_all(&mut *conn).await?;
    for account in accounts {
        let order = AccountPauseOrder { account, pause: true, by: by(&reason), now };
        life::pause_account(conn, &order).await?;
    }
    let text = serde_json::to_string(restored).expect("two instants have a JSON");
    setup::put(conn, &(RESTORED, text)).await?;
    Ok(runs.len())
}

pub async fn pending(conn: &mut Conn) -> Result<Option<Restored>> {
    let text = setup::get(conn, RESTORED).await?;
    let read = |text: String| serde_json::from_str(&text).map_err(|e| StoreError::row("installation", "value", e));
    text.map(read).transpose()
}

/// Somebody has brought back what was missing. Accounts that only the restore held go on; runs wait for their own
/// resume. `None`: there is nothing to confirm.
pub async fn confirm(conn: &mut Conn, (by, now): &(By, Timestamp)) -> Result<Option<Restored>> {
    let Some(restored) = pending(conn).await? else { return Ok(None) };
    sqlx::query(sql!("drop_installation")).bind(RESTORED).execute(&mut *conn).await?;
    let held: Vec<i64> =
        sqlx::query_scalar(sql!("accounts_paused_for")).bind(restored.sentence()).fetch_all(&mut *conn).await?;
    // One line for the whole, whether no account goes on by it or several.
    audit::put_of(conn, by).await?;
    for account in held {
        let reason = by.reason.clone().or(Some("the restore is confirmed".to_owned()));
        let by = By { reason, audit: None, ..by.clone() };
        life::pause_account(conn, &AccountPauseOrder { account, pause: false, by, now: *now }).await?;
    }
    Ok(Some(restored))
}
