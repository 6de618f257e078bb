//! Several statements, one after the other: PostgreSQL takes one that has arguments at a time.

use super::Conn;
use crate::store::Result;
use crate::store::text::{Question, Statement};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

/// Rows of an answer; none of a question that was not asked.
pub type Answer = Vec<PgRow>;

/// Runs them in this order.
pub async fn run(conn: &mut Conn, statements: Vec<Statement>) -> Result<()> {
    for Statement { text, rows } in statements.into_iter().filter(|statement| !statement.is_idle()) {
        sqlx::query(text).bind(rows).execute(&mut *conn).await?;
    }
    Ok(())
}

/// What each of them answers.
pub async fn ask<const N: usize>(conn: &mut Conn, questions: [Question; N]) -> Result<[Answer; N]> {
    let mut answers = [const { Vec::new() }; N];
    for (answer, Question { statement, .. }) in answers.iter_mut().zip(questions) {
        if !statement.is_idle() {
            *answer = sqlx::query(statement.text).bind(statement.rows).fetch_all(&mut *conn).await?;
        }
    }
    Ok(answers)
}

/// Its rows.
pub fn typed<T: for<'r> FromRow<'r, PgRow>>(answer: Answer) -> Result<Vec<T>> {
    Ok(answer.iter().map(T::from_row).collect::<sqlx::Result<_>>()?)
}
