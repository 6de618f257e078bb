//! Several statements on one way to SQLite's thread and back. The two threads wake each other for every statement and for
//! every row of its answer, and that takes longer than most of them do.

use super::Conn;
use crate::store::shape::Shape;
use crate::store::text::{Question, Statement};
use crate::store::{Result, StoreError};
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Row};

/// All rows of an answer as JSON; none of a question that was not asked.
pub type Answer = Option<String>;

/// Runs them in this order. They are one text for `sqlx`, which prepares it once.
pub async fn run(conn: &mut Conn, statements: Vec<Statement>) -> Result<()> {
    let statements: Vec<Statement> = statements.into_iter().filter(|statement| !statement.is_idle()).collect();
    if statements.is_empty() {
        return Ok(());
    }
    let texts = (1..).zip(&statements).map(|(place, statement)| with_argument(statement, place));
    let query = sqlx::query(AssertSqlSafe(texts.collect::<Vec<_>>().join(";\n")));
    statements.into_iter().fold(query, |query, statement| query.bind(statement.rows)).execute(conn).await?;
    Ok(())
}

/// What each of them answers: one row for all, a column for each.
pub async fn ask<const N: usize>(conn: &mut Conn, questions: [Question; N]) -> Result<[Answer; N]> {
    let is_asked = questions.each_ref().map(|question| !question.statement.is_idle());
    let asked: Vec<Question> = questions.into_iter().filter(|question| !question.statement.is_idle()).collect();
    let mut answers = [const { None }; N];
    if asked.is_empty() {
        return Ok(answers);
    }
    let columns = (1..).zip(&asked).map(|(place, question)| column(question, place));
    let query = sqlx::query(AssertSqlSafe(format!("select {}", columns.collect::<Vec<_>>().join(",\n"))));
    let query = asked.into_iter().fold(query, |query, question| query.bind(question.statement.rows));
    let row = query.fetch_one(conn).await?;
    let answered = answers.iter_mut().zip(is_asked).filter(|(_, is_asked)| *is_asked);
    for (column, (answer, _)) in answered.enumerate() {
        *answer = Some(row.try_get(column)?);
    }
    Ok(answers)
}

/// Its rows.
pub fn typed<T: DeserializeOwned>(answer: Answer) -> Result<Vec<T>> {
    let Some(rows) = answer else { return Ok(Vec::new()) };
    // The cause would quote a value, which may be somebody's number.
    let unfit = |cause: serde_json::Error| format!("an answer does not fit its type, at its byte {}", cause.column());
    serde_json::from_str(&rows).map_err(|cause| StoreError::Sql(sqlx::Error::Decode(unfit(cause).into())))
}

fn with_argument(statement: &Statement, place: usize) -> String {
    debug_assert!(!statement.text.contains("$2"), "one argument each: {}", statement.text);
    statement.text.replace("$1", &format!("${place}"))
}

/// The rows of an answer as one JSON list of lists.
fn column(question: &Question, place: usize) -> String {
    let text = with_argument(&question.statement, place);
    match question.shape {
        Shape::Names(names) => {
            format!("(select json_group_array(json_array({})) from (\n{text}))", names.join(", "))
        }
        Shape::Width(width) => {
            let names = (0..width).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ");
            format!("(with q ({names}) as (\n{text}) select json_group_array(json_array({names})) from q)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use sqlx::Connection;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Word {
        length: i64,
        word: Option<String>,
    }

    const DOUBLED: &str =
        "-- doubled: what $1 holds; twice as much\nselect 2 * value from json_each($1) where value < 100";
    const WORDS: &str = "select value as word, length(value) as length from json_each($1) order by value desc\n";

    fn words(rows: &str) -> Question {
        Question { statement: Statement { text: WORDS, rows: rows.to_owned() }, shape: Shape::of::<Word>() }
    }

    /// Whoever asks nothing is answered nothing, and no answer is taken for another's.
    #[tokio::test]
    async fn each_question_has_its_own_answer() {
        let mut conn = Conn::connect("sqlite::memory:").await.unwrap();
        let doubled = |ids: &[i64]| Question::of_ids::<(i64,)>(DOUBLED, ids.iter().copied());
        for _ in 0..2 {
            let asked =
                [doubled(&[1, i64::MAX / 2]), words("[]"), doubled(&[100]), words(r#"["é\"", "b"]"#), doubled(&[5])];
            let [first, idle, nothing, said, last] = ask(&mut conn, asked).await.unwrap();
            assert_eq!(typed::<(i64,)>(first).unwrap(), [(2,)]);
            assert_eq!(typed::<Word>(idle).unwrap(), []);
            assert_eq!(typed::<(i64,)>(nothing).unwrap(), []);
            let word = |length, word: &str| Word { length, word: Some(word.to_owned()) };
            assert_eq!(typed::<Word>(said).unwrap(), [word(2, "é\""), word(1, "b")], "in their order");
            assert_eq!(typed::<(i64,)>(last).unwrap(), [(10,)]);
        }
        assert_eq!(ask(&mut conn, [words("[]")]).await.unwrap(), [None]);
    }

    #[tokio::test]
    async fn statements_are_run_in_their_order_and_a_fault_is_told() {
        let mut conn = Conn::connect("sqlite::memory:").await.unwrap();
        let of = |text: &'static str, rows: &[i64]| Statement::of_ids(text, rows.iter().copied());
        let put = "-- put: each; of $1\ninsert into t (n) select value from json_each($1)\n";
        let double = "update t set n = 2 * n where n in (select value from json_each($1))";
        sqlx::query("create table t (n integer primary key)").execute(&mut conn).await.unwrap();
        run(&mut conn, vec![of(put, &[1, 5]), of(double, &[]), of(double, &[1])]).await.unwrap();
        run(&mut conn, Vec::new()).await.unwrap();
        let told: Vec<i64> = sqlx::query_scalar("select n from t order by n").fetch_all(&mut conn).await.unwrap();
        assert_eq!(told, [2, 5]);
        assert!(run(&mut conn, vec![of(put, &[7]), of(put, &[5])]).await.is_err(), "5 is there already");
    }
}
