//! Is this PostgreSQL one that our statements and migrations can work with? Asked before anything is written to it.

use super::{Result, StoreError};
use sqlx::PgPool;

/// The oldest server that every test runs on, as `server_version_num` tells it.
const SERVER_MIN: i32 = 150_000;

#[derive(sqlx::FromRow)]
struct Told {
    number: i32,
    version: String,
    role: String,
    schema: Option<String>,
    may_create: Option<bool>,
    /// An installation of ours already stands here.
    migrated: bool,
}

pub(super) async fn examine(pool: &PgPool) -> Result<()> {
    let told: Told = sqlx::query_as(
        "select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
                current_user::text as role, current_schema()::text as schema,
                has_schema_privilege(current_schema(), 'create') as may_create,
                to_regclass('_halo_migrations') is not null as migrated",
    )
    .fetch_one(pool)
    .await?;
    match complaint(&told) {
        Some(why) => Err(StoreError::Unfit(why)),
        None => Ok(()),
    }
}

fn complaint(told: &Told) -> Option<String> {
    if told.number < SERVER_MIN {
        return Some(format!(
            "PostgreSQL {} is too old: this program needs {} or newer. Move the database to a newer server \
             (pg_dump, pg_restore)",
            told.version,
            SERVER_MIN / 10_000
        ));
    }
    if !told.migrated && told.may_create != Some(true) {
        let schema = told.schema.as_deref().unwrap_or("public");
        return Some(format!(
            "the role {role} may not create tables in the schema {schema}. As the database's owner or a superuser: \
             grant create on schema {schema} to {role};",
            role = told.role
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        Told {
            number: 150_004,
            version: "15.4".into(),
            role: "halo".into(),
            schema: Some("public".into()),
            may_create: Some(true),
            migrated: false,
        }
    }

    #[test]
    fn an_old_server_is_told_with_the_version_that_would_do() {
        assert_eq!(complaint(&told()), None);
        let old = Told { number: 140_011, version: "14.11".into(), ..told() };
        let why = complaint(&old).expect("too old");
        assert!(why.contains("14.11") && why.contains("needs 15 or newer"), "{why}");
    }

    #[test]
    fn a_role_without_rights_is_told_the_command() {
        let without = Told { may_create: Some(false), ..told() };
        assert!(complaint(&without).expect("no right").contains("grant create on schema public to halo;"));
        assert_eq!(complaint(&Told { migrated: true, ..without }), None);
    }
}
