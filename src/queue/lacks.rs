//! What apalis needs of a PostgreSQL and cannot get there by itself, with the commands that give it.

use super::QueueError;
use sqlx::PgPool;

#[derive(sqlx::FromRow)]
struct Told {
    database: String,
    role: String,
    /// This role may create schemas in this database, and extensions that the server trusts. apalis asks for its
    /// schema at every start, and PostgreSQL wants the right even where the schema stands.
    may_create: bool,
    superuser: bool,
    hstore: String,
    pgcrypto: String,
}

/// The one sentence that names everything; `None` where nothing is missing.
pub(super) async fn on(pool: &PgPool) -> Result<Option<String>, QueueError> {
    let told: Told = sqlx::query_as(
        "with wanted (name, state) as (
             select e.name, case
                 when exists (select 1 from pg_extension x where x.extname = e.name) then 'there'
                 when not exists (select 1 from pg_available_extensions a where a.name = e.name) then 'not installed'
                 when exists (select 1 from pg_available_extension_versions v where v.name = e.name and v.trusted)
                     then 'trusted'
                 else 'superuser'
             end
             from (values ('hstore'), ('pgcrypto')) as e (name)
         )
         select current_database()::text as database, current_user::text as role,
                has_database_privilege(current_database(), 'create') as may_create,
                (select r.rolsuper from pg_roles r where r.rolname = current_user) as superuser,
                (select state from wanted where name = 'hstore') as hstore,
                (select state from wanted where name = 'pgcrypto') as pgcrypto",
    )
    .fetch_one(pool)
    .await?;
    Ok(complaint(&told))
}

fn complaint(told: &Told) -> Option<String> {
    let states = [("hstore", told.hstore.as_str()), ("pgcrypto", told.pgcrypto.as_str())];
    let absent: Vec<&str> =
        states.iter().filter(|(_, state)| *state == "not installed").map(|(name, _)| *name).collect();
    // The right to create in the database is enough for an extension that the server trusts.
    let can = |state: &str| state == "there" || told.superuser || (state == "trusted" && told.may_create);
    let mut commands: Vec<String> =
        states.iter().filter(|(_, state)| !can(state)).map(|(name, _)| format!("create extension {name};")).collect();
    if !told.may_create {
        commands.push(format!("grant create on database \"{}\" to \"{}\";", told.database, told.role));
    }
    if !absent.is_empty() {
        return Some(format!(
            "PostgreSQL lacks the extensions that the queue needs ({}): install the server's contrib package \
             (on Debian: apt-get install postgresql-contrib), then, as a superuser in the database {}: {}",
            absent.join(", "),
            told.database,
            absent.iter().map(|name| format!("create extension {name};")).collect::<Vec<_>>().join(" ")
        ));
    }
    if commands.is_empty() {
        return None;
    }
    Some(format!(
        "the role {} may not create what the queue needs. As a superuser in the database {}: {}",
        told.role,
        told.database,
        commands.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(hstore: &str, pgcrypto: &str) -> Told {
        Told {
            database: "calls".into(),
            role: "halo".into(),
            may_create: true,
            superuser: false,
            hstore: hstore.into(),
            pgcrypto: pgcrypto.into(),
        }
    }

    #[test]
    fn what_can_be_made_is_made_without_a_word() {
        assert_eq!(complaint(&told("trusted", "trusted")), None);
        assert_eq!(complaint(&told("there", "there")), None);
    }

    #[test]
    fn what_is_not_installed_is_told_with_the_package_and_the_command() {
        let why = complaint(&told("not installed", "there")).expect("hstore is missing");
        assert!(
            why.contains("postgresql-contrib") && why.contains("in the database calls: create extension hstore;"),
            "{why}"
        );
        assert!(!why.contains("pgcrypto"), "{why}");
    }

    #[test]
    fn a_role_without_the_right_is_told_every_command_at_once() {
        let why = complaint(&Told { may_create: false, ..told("trusted", "superuser") }).expect("no right");
        for command in [
            "create extension hstore;",
            "create extension pgcrypto;",
            "grant create on database \"calls\" to \"halo\";",
        ] {
            assert!(why.contains(command), "{why}");
        }
    }
}
