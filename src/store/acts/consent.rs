//! Proof of consent, contact by contact, and the gate that a contact without it keeps.

use super::super::Conn;
use crate::domain::clearance::Gate;
use crate::store::Result;
use serde_json::json;
use std::collections::BTreeSet;

/// Which of these contacts have their consent on record.
pub async fn given(conn: &mut Conn, contacts: &[i64]) -> Result<BTreeSet<i64>> {
    let rows: Vec<i64> =
        sqlx::query_scalar(sql!("consents_of")).bind(json!(contacts).to_string()).fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

/// Run contacts that came to rest for want of something say of what.
pub async fn keep_gates(conn: &mut Conn, rests: &[(i64, Gate)]) -> Result<()> {
    let rows: Vec<_> = rests.iter().map(|(run_contact, gate)| json!([run_contact, gate.as_str()])).collect();
    sqlx::query(sql!("keep_gates")).bind(json!(rows).to_string()).execute(conn).await?;
    Ok(())
}
