//! Proof of consent, contact by contact, and the gate that a contact without it keeps.

use super::super::Conn;
use super::super::pipeline::{self, Answer, typed};
use crate::domain::clearance::Gate;
use crate::store::Result;
use crate::store::text::Question;
use serde_json::json;
use std::collections::BTreeSet;

/// Which of these contacts have their consent on record.
pub async fn given(conn: &mut Conn, contacts: &[i64]) -> Result<BTreeSet<i64>> {
    let [answer] = pipeline::ask(conn, [asks(contacts.iter().copied())]).await?;
    told(answer)
}

/// The question of [`given`].
pub fn asks(contacts: impl IntoIterator<Item = i64>) -> Question {
    Question::of_ids::<(i64,)>(sql!("consents_of"), contacts)
}

/// Its answer.
pub fn told(answer: Answer) -> Result<BTreeSet<i64>> {
    Ok(typed(answer)?.into_iter().map(|(contact,)| contact).collect())
}

/// Run contacts that came to rest for want of something say of what.
pub async fn keep_gates(conn: &mut Conn, rests: &[(i64, Gate)]) -> Result<()> {
    let rows: Vec<_> = rests.iter().map(|(run_contact, gate)| json!([run_contact, gate.as_str()])).collect();
    sqlx::query(sql!("keep_gates")).bind(json!(rows).to_string()).execute(conn).await?;
    Ok(())
}
