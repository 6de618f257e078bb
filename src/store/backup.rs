//! Copies of the whole database, and what follows when one is put back.
//!
//! A SQLite file copies itself (`vacuum into`, one snapshot, while others write). PostgreSQL is copied by its own
//! programs, which `app` runs. Whatever happened after a copy is missing when it is put back: people who asked never to be
//! called again may be called again. So nobody is called before somebody confirms.

use super::{By, Result, Store, StoreError, migrate};
use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// Where it stands that a restore waits to be confirmed.
pub const RESTORED: &str = "restored";
/// When the copy was taken stands in the copy itself.
pub const TAKEN: &str = "backup_taken_at";
const BUSY_MAX: Duration = Duration::from_secs(30);

/// A restore that nobody has confirmed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was taken: nothing since then is known.
    pub since: Timestamp,
    pub restored_at: Timestamp,
}

impl Restored {
    pub fn sentence(&self) -> String {
        format!(
            "restored from a backup: opt-outs and erasures since {} are missing, and calls made since then are not \
             known; bring them back, then say `halo restore --confirm`",
            self.since
        )
    }
}

impl Restored {
    /// What stands at each run: it is true after the restore was confirmed, too.
    pub fn of_run(&self) -> String {
        format!("it was restored as it was at {}: resume it when it is to go on", self.since)
    }
}

pub struct RestoreOrder {
    pub restored: Restored,
    pub by: By,
}

impl Store {
    /// Pauses everything after a copy was put back; returns how many runs that were.
    pub async fn mark_restored(&self, order: RestoreOrder) -> Result<usize> {
        write!(self, restore::mark(order))
    }

    /// The restore that waits to be confirmed.
    pub async fn restored(&self) -> Result<Option<Restored>> {
        read!(self, restore::pending())
    }

    pub async fn confirm_restore(&self, by: By, now: Timestamp) -> Result<Option<Restored>> {
        write!(self, restore::confirm((by, now)))
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_MAX).disable_statement_logging()
}

/// One snapshot of the SQLite file `from` in the empty file `to`, while others read and write; then looked through.
pub async fn copy_sqlite(from: &Path, to: &Path, taken_at: Timestamp) -> Result<()> {
    let mut source: SqliteConnection = options(from).read_only(true).connect().await?;
    sqlx::query("vacuum into $1").bind(to.to_string_lossy().into_owned()).execute(&mut source).await?;
    source.close().await?;
    // The copy is one file: nothing of it may wait beside it.
    let mut copy: SqliteConnection = options(to).journal_mode(SqliteJournalMode::Delete).connect().await?;
    let put = "insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = $2";
    sqlx::query(put).bind(TAKEN).bind(taken_at.0.to_string()).execute(&mut copy).await?;
    copy.close().await?;
    whole_sqlite(to).await.map(drop)
}

/// Is the file a whole database of this program, which this version can open? Says when the copy was taken.
pub async fn whole_sqlite(path: &Path) -> Result<Timestamp> {
    let torn = |why: String| StoreError::Conflict(format!("{} is no whole backup: {why}", path.display()));
    let mut conn: SqliteConnection =
        options(path).read_only(true).connect().await.map_err(|cause| torn(cause.to_string()))?;
    let looked = async {
        // A file that was cut off is shorter than its own header says.
        let (pages, page_bytes): (i64, i64) =
            sqlx::query_as("select page_count, page_size from pragma_page_count, pragma_page_size")
                .fetch_one(&mut conn)
                .await?;
        let found: Vec<String> = sqlx::query_scalar("pragma integrity_check(5)").fetch_all(&mut conn).await?;
        let versions = migrate::versions(&mut conn).await?;
        let taken: Option<String> = sqlx::query_scalar("select value from installation where name = $1")
            .bind(TAKEN)
            .fetch_optional(&mut conn)
            .await?;
        Ok::<_, StoreError>((pages * page_bytes, found, versions, taken))
    };
    let (bytes, found, versions, taken) = looked.await.map_err(|cause| torn(cause.to_string()))?;
    conn.close().await?;
    let held = std::fs::metadata(path).map_err(|cause| torn(cause.to_string()))?.len();
    if i64::try_from(held).unwrap_or(i64::MAX) < bytes {
        return Err(torn(format!("it has {held} bytes of {bytes}")));
    }
    if found != ["ok"] {
        return Err(torn(format!("SQLite finds {}", found.join("; "))));
    }
    migrate::fit(&versions).map_err(torn)?;
    taken
        .and_then(|text| text.parse().ok())
        .map(Timestamp)
        .ok_or_else(|| torn("it does not say when it was taken".into()))
}

/// Clients of the PostgreSQL database beside the one that asks, and does it hold anything?
pub async fn postgres_in_use(url: &str) -> Result<i64> {
    let mut conn = sqlx::PgConnection::connect(url).await?;
    let others = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()",
    )
    .fetch_one(&mut conn)
    .await?;
    conn.close().await?;
    Ok(others)
}

/// What stands before a copy's own statements: everything of ours goes, whatever version made it. What belongs to an
/// extension stays, and so does the queue, which has a schema of its own.
pub const POSTGRES_CLEARED: &str = "begin;
set client_min_messages = warning;
do $halo$
declare what record;
begin
    for what in
        select c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = current_schema() and c.relkind in ('r', 'v', 'm', 'S')
          and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    loop
        if to_regclass(what.name) is null then
            continue;
        end if;
        case what.relkind
            when 'r' then execute 'drop table ' || what.name || ' cascade';
            when 'v' then execute 'drop view ' || what.name || ' cascade';
            when 'm' then execute 'drop materialized view ' || what.name || ' cascade';
            else execute 'drop sequence ' || what.name || ' cascade';
        end case;
    end loop;
    for what in
        select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = current_schema() and p.prokind in ('f', 'p')
          and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    loop
        execute 'drop routine if exists ' || what.name || ' cascade';
    end loop;
end
$halo$;
";

/// What stands behind them: nobody is called before somebody confirms. Durable with the copy, or not at all.
pub fn postgres_marked(restored: &Restored) -> Result<String> {
    let (sentence, at) = (restored.sentence(), restored.restored_at.0);
    let text = serde_json::to_string(restored).map_err(|e| StoreError::row("installation", "value", e))?;
    Ok(format!(
        "reset search_path;
insert into installation (name, value) values ('{RESTORED}', $halo${text}$halo$)
on conflict (name) do update set value = excluded.value;
update accounts set paused_at = {at}, pause_reason = $halo${sentence}$halo$ where paused_at is null;
commit;
"
    ))
}

/// The migrations that a copy was made with, by its rows.
pub fn fits(versions: &[i64]) -> std::result::Result<(), String> {
    migrate::fit(versions)
}
