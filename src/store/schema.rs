//! Migrations, each for the engine that it runs on.

use super::for_engine;
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use std::borrow::Cow;

/// `other` is how lines end that the engine is not meant to see. What is remembered of a migration is its whole file, so
/// both engines remember the same.
pub fn migrations(other: &str) -> Migrator {
    let mut migrator = sqlx::migrate!("./migrations");
    let own = |migration: &Migration| {
        let text = for_engine(migration.sql.as_str(), other);
        Migration { sql: AssertSqlSafe(text).into_sql_str(), ..migration.clone() }
    };
    migrator.migrations = Cow::Owned(migrator.migrations.iter().map(own).collect());
    migrator
}
