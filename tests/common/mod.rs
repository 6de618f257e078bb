//! What test programs share: a database of either engine, and calls made by hand.
//!
//! A body written once runs on both engines:
//!
//! ```ignore
//! both_engines! { nobody_is_leased_twice }
//! async fn nobody_is_leased_twice(bench: Bench) { … }
//! ```

#![allow(dead_code)] // every test program uses a part of this

pub mod calls;
pub mod postgres;

use halo::store::{Db, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything takes on a busy machine; a test that reaches it has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A fresh, migrated database and the store upon it.
pub struct Bench {
    pub engine: Engine,
    pub url: String,
    pub store: Store,
    _folder: Option<TempDir>,
}

impl Bench {
    pub async fn sqlite() -> Bench {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let url = format!("sqlite:{}", folder.path().join("halo.db").display());
        let store = Store::open(&url).await.expect("a fresh database opens");
        Bench { engine: Engine::Sqlite, url, store, _folder: Some(folder) }
    }

    /// `None` where PostgreSQL is not installed.
    pub async fn postgres() -> Option<Bench> {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let port = postgres::cluster()?.port;
        let server = format!("postgres://halo@127.0.0.1:{port}");
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the private cluster");
        let create = AssertSqlSafe(format!("create database {name}"));
        sqlx::query(create).execute(&mut admin).await.expect("a database for this test");
        let _ = admin.close().await;
        let url = format!("{server}/{name}");
        let store = Store::open(&url).await.expect("a fresh database opens");
        Some(Bench { engine: Engine::Postgres, url, store, _folder: None })
    }

    /// The same database as another process sees it: a writer and ids of its own.
    pub async fn another(&self) -> Store {
        Store::open(&self.url).await.expect("a second time")
    }

    /// One number out of the tables.
    pub async fn number(&self, question: &str) -> i64 {
        let text = AssertSqlSafe(question.to_owned());
        match self.store.db() {
            Db::Sqlite { reader, .. } => sqlx::query_scalar(text).fetch_one(reader).await,
            Db::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await,
        }
        .expect("a question with one answer")
    }

    /// The same, where the queue's tables are.
    pub async fn queue_number(&self, question: &str) -> i64 {
        let text = AssertSqlSafe(question.to_owned());
        match self.store.db() {
            Db::Sqlite { queue, .. } => sqlx::query_scalar(text).fetch_one(queue).await,
            Db::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await,
        }
        .expect("a question with one answer")
    }

    /// A statement upon the queue's tables. Returns the rows it touched.
    pub async fn execute_in_queue(&self, statement: &str) -> sqlx::Result<u64> {
        let text = AssertSqlSafe(statement.to_owned());
        Ok(match self.store.db() {
            Db::Sqlite { queue, .. } => sqlx::query(text).execute(queue).await?.rows_affected(),
            Db::Postgres(pool) => sqlx::query(text).execute(pool).await?.rows_affected(),
        })
    }

    /// How the database would go about a statement.
    pub async fn explained(&self, statement: &str) -> String {
        let explain = match self.engine {
            Engine::Sqlite => "explain query plan",
            Engine::Postgres => "explain",
        };
        let text = AssertSqlSafe(format!("{explain} {statement}"));
        let lines: Vec<String> = match self.store.db() {
            Db::Sqlite { writer, .. } => {
                let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(text).fetch_all(writer).await.expect("a plan");
                rows.into_iter().map(|row| row.3).collect()
            }
            Db::Postgres(pool) => sqlx::query_scalar(text).fetch_all(pool).await.expect("a plan"),
        };
        lines.join("\n")
    }

    /// A statement that no act of the store makes: to bring a fault about. Returns the rows it touched.
    pub async fn execute(&self, statement: &str) -> sqlx::Result<u64> {
        let text = AssertSqlSafe(statement.to_owned());
        Ok(match self.store.db() {
            Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await?.rows_affected(),
            Db::Postgres(pool) => sqlx::query(text).execute(pool).await?.rows_affected(),
        })
    }
}

/// Asks again until it is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, asking).await.is_ok(), "never came: {what}");
}

/// Stamps each named body for both engines.
#[macro_export]
macro_rules! both_engines {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::common::Bench::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(bench) = $crate::common::Bench::postgres().await {
                    super::$name(bench).await;
                }
            })*
        }
    };
}
