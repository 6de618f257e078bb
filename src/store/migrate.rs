//! Everything of a SQLite file into an empty PostgreSQL: in one transaction, and proven before it is committed.
//!
//! Which tables and columns there are is asked of the target's catalogue, which our own migrations made, so that
//! new ones come along by themselves. The source is opened for reading alone, in one snapshot.

use super::figures::{Proved, UNCLEAR_MAX};
use super::{Campaign, Db, Result, Store, StoreError, broken, postgres, sqlite};
use crate::domain::CampaignId;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgConnection, Row, SqliteConnection};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::Handle;

/// Rows travel in pieces of about this size.
const PIECE_BYTES: usize = 256 * 1024;
/// Campaigns whose laws are held against both sides.
const CAMPAIGNS_MAX: i64 = 100_000;
/// The migrations' own bookkeeping, and the queue's tables, which hold only the next second.
const NOT_OURS: [&str; 4] = ["_halo_migrations", "_sqlx_migrations", "Jobs", "Workers"];

/// Has the file any bookkeeping of ours, and which migrations does it hold?
const MIGRATED: &str = "select count(*) from sqlite_schema where name = '_halo_migrations'";
const VERSIONS: &str = "select version from _halo_migrations order by version";

/// One side of a table: its rows, and the sum of their hashes, which no order of rows changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub rows: u64,
    pub checksum: u128,
}

#[derive(Clone, Debug)]
pub struct CopiedTable {
    pub table: String,
    pub from: Sum,
    pub to: Sum,
}

#[derive(Clone, Debug)]
pub struct CopiedCampaign {
    pub campaign: Campaign,
    pub from: Proved,
    pub to: Proved,
}

/// What was copied, and whether it was kept.
#[derive(Clone, Debug)]
pub struct Copied {
    pub tables: Vec<CopiedTable>,
    pub campaigns: Vec<CopiedCampaign>,
    /// What differs, in words; nothing was committed then.
    pub differs: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Whole,
    Real,
    Text,
}

struct Column {
    name: String,
    kind: Kind,
}

enum Value {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
}

/// How the tables of a file stand to those of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    Ours,
    /// Opening it changes them.
    Older,
    Newer,
}

fn our_migrations() -> Vec<i64> {
    sqlx::migrate!("./migrations").iter().map(|migration| migration.version).collect()
}

/// The migrations that a SQLite file holds.
pub(super) async fn versions(conn: &mut SqliteConnection) -> Result<Vec<i64>> {
    let there: i64 = sqlx::query_scalar(MIGRATED).fetch_one(&mut *conn).await?;
    Ok(if there == 0 { Vec::new() } else { sqlx::query_scalar(VERSIONS).fetch_all(conn).await? })
}

/// Can this version go on with tables that these migrations made?
pub fn fit(versions: &[i64]) -> std::result::Result<(), String> {
    if versions.is_empty() {
        return Err("it is no database of this program".into());
    }
    let ours = our_migrations();
    match versions.iter().all(|version| ours.contains(version)) {
        true => Ok(()),
        false => Err("it was made by a newer version of this program: use that one".into()),
    }
}

impl Store {
    /// What opening a SQLite file would do to its tables; nothing is changed by asking.
    pub async fn tables_of(url: &str) -> Result<Tables> {
        let options = SqliteConnectOptions::from_str(url)?.read_only(true).busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let there: i64 = sqlx::query_scalar(MIGRATED).fetch_one(&pool).await?;
        let there: Vec<i64> =
            if there == 0 { Vec::new() } else { sqlx::query_scalar(VERSIONS).fetch_all(&pool).await? };
        pool.close().await;
        let ours = our_migrations();
        Ok(match there.iter().all(|version| ours.contains(version)) {
            true if there.len() == ours.len() => Tables::Ours,
            true => Tables::Older,
            false => Tables::Newer,
        })
    }

    /// A SQLite file as it stands, for reading alone: it is not migrated, and nothing of it changes.
    pub async fn look(url: &str) -> Result<Store> {
        let options = SqliteConnectOptions::from_str(url)?.read_only(true).busy_timeout(Duration::from_secs(5));
        let broken = broken::Broken::watching(options.get_filename());
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await;
        let pool = pool.map_err(|cause| broken.noted(cause.into()))?;
        let db = Db::Sqlite { writer: pool.clone(), reader: pool.clone(), queue: pool };
        let store = Store::over(db, broken, Handle::current());
        let migrated = store.migrations_of_file().await.map_err(|cause| store.broken.noted(cause))?;
        if migrated != our_migrations() {
            return Err(StoreError::Conflict(
                "the file was last used by another version of this program: start `halo serve` of this version on it \
                 once, after a backup"
                    .into(),
            ));
        }
        Ok(store)
    }

    async fn migrations_of_file(&self) -> Result<Vec<i64>> {
        let Db::Sqlite { reader, .. } = &self.db else { return Ok(Vec::new()) };
        let there: i64 = sqlx::query_scalar(MIGRATED).fetch_one(reader).await?;
        if there == 0 {
            return Err(StoreError::Conflict("the file is no database of this program".into()));
        }
        Ok(sqlx::query_scalar(VERSIONS).fetch_all(reader).await?)
    }

    /// Copies everything into `to`, which must be migrated and empty. Committed only when both sides are the same.
    pub async fn copy_all(&self, to: &Store) -> Result<Copied> {
        let (Db::Sqlite { reader, .. }, Db::Postgres(pool)) = (&self.db, &to.db) else {
            return Err(StoreError::Conflict("a SQLite file is copied into PostgreSQL, and nothing else".into()));
        };
        let mut from = reader.acquire().await?;
        let mut tx = pool.begin().await?;
        // Reading the source may take longer than a node may hang.
        run(&mut tx, "set local idle_in_transaction_session_timeout = 0").await?;
        // One snapshot of the source; its version is asked within.
        sqlx::query("begin").execute(&mut *from).await?;
        let before: i64 = sqlx::query_scalar("pragma data_version").fetch_one(&mut *from).await?;
        let mut copied = copy(&mut from, &mut tx).await?;
        sqlx::query("rollback").execute(&mut *from).await?;
        let after: i64 = sqlx::query_scalar("pragma data_version").fetch_one(&mut *from).await?;
        if before != after {
            copied.differs.push("somebody wrote to the source meanwhile: stop whoever does, and copy again".into());
        }
        if copied.differs.is_empty() {
            tx.commit().await?
        } else {
            tx.rollback().await?
        }
        Ok(copied)
    }
}

async fn copy(from: &mut SqliteConnection, to: &mut PgConnection) -> Result<Copied> {
    let tables = tables(from, to).await?;
    // Without their references tables can be filled in any order; making them anew proves each of them.
    let references: Vec<(String, String, String)> = sqlx::query_as(
        "select cast(conrelid::regclass as text), cast(conname as text), pg_get_constraintdef(oid) from pg_constraint
         where contype = 'f' and connamespace = cast(current_schema() as regnamespace) order by 1, 2",
    )
    .fetch_all(&mut *to)
    .await?;
    for (table, name, _) in &references {
        run(to, format!("alter table {table} drop constraint \"{name}\"")).await?;
    }
    let full: Vec<String> = filled(to, tables.keys()).await?;
    if !full.is_empty() {
        return Err(StoreError::Conflict(format!("the target is not empty: {} hold rows", full.join(", "))));
    }
    let mut copied = Vec::new();
    for (table, columns) in &tables {
        let sum = copy_table(from, to, table, columns).await?;
        copied.push(CopiedTable { table: table.clone(), from: sum, to: Sum::default() });
    }
    for (table, name, definition) in &references {
        run(to, format!("alter table {table} add constraint \"{name}\" {definition}")).await?;
    }
    let mut differs = Vec::new();
    for done in &mut copied {
        done.to = sum_of(to, &done.table, &tables[&done.table]).await?;
        if done.from != done.to {
            differs.push(format!("{} is not the same on both sides", done.table));
        }
    }
    let mut campaigns = Vec::new();
    for campaign in sqlite::acts::campaigns::list(from, None, CAMPAIGNS_MAX).await? {
        let id = campaign.campaign;
        let (there, here) = (proved_there(from, id).await?, proved_here(to, id).await?);
        if there != here {
            differs.push(format!("campaign {}: what is proven is not the same on both sides", campaign.name));
        }
        campaigns.push(CopiedCampaign { campaign, from: there, to: here });
    }
    Ok(Copied { tables: copied, campaigns, differs })
}

async fn proved_there(conn: &mut SqliteConnection, campaign: CampaignId) -> Result<Proved> {
    use sqlite::acts::{figures, money};
    Ok(Proved {
        money: money::proved(conn, campaign).await?,
        rows: figures::rows(conn, campaign).await?,
        calls: figures::calls(conn, campaign).await?,
        runs: figures::runs(conn, campaign).await?,
        unclear: figures::unclear(conn, campaign, UNCLEAR_MAX).await?,
        arms: figures::arms(conn, campaign).await?,
    })
}

async fn proved_here(conn: &mut PgConnection, campaign: CampaignId) -> Result<Proved> {
    use postgres::acts::{figures, money};
    Ok(Proved {
        money: money::proved(conn, campaign).await?,
        rows: figures::rows(conn, campaign).await?,
        calls: figures::calls(conn, campaign).await?,
        runs: figures::runs(conn, campaign).await?,
        unclear: figures::unclear(conn, campaign, UNCLEAR_MAX).await?,
        arms: figures::arms(conn, campaign).await?,
    })
}

async fn run(conn: &mut PgConnection, statement: impl Into<String>) -> Result<()> {
    sqlx::query(AssertSqlSafe(statement.into())).execute(conn).await?;
    Ok(())
}

/// The tables of the target with their columns; the source must have the same.
async fn tables(from: &mut SqliteConnection, to: &mut PgConnection) -> Result<BTreeMap<String, Vec<Column>>> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "select cast(c.table_name as text), cast(c.column_name as text), cast(c.data_type as text)
         from information_schema.columns c
         join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
         where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
         order by c.table_name, c.ordinal_position",
    )
    .fetch_all(to)
    .await?;
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, name, kind) in rows.into_iter().filter(|(table, ..)| !NOT_OURS.contains(&table.as_str())) {
        let kind = match kind.as_str() {
            "bigint" | "integer" | "smallint" => Kind::Whole,
            "double precision" | "real" => Kind::Real,
            "text" => Kind::Text,
            other => {
                return Err(StoreError::Conflict(format!("{table}.{name}: a column of type {other} is not copied")));
            }
        };
        tables.entry(table).or_default().push(Column { name, kind });
    }
    let there: Vec<(String, String)> = sqlx::query_as(
        "select s.name, c.name from sqlite_schema s join pragma_table_info(s.name) c
         where s.type = 'table' and s.name not like 'sqlite\\_%' escape '\\'",
    )
    .fetch_all(from)
    .await?;
    let mut theirs: Vec<_> = there.into_iter().filter(|(table, _)| !NOT_OURS.contains(&table.as_str())).collect();
    let mut ours: Vec<(String, String)> = Vec::new();
    for (table, columns) in &tables {
        ours.extend(columns.iter().map(|column| (table.clone(), column.name.clone())));
    }
    theirs.sort();
    ours.sort();
    match theirs.iter().find(|one| !ours.contains(one)).or_else(|| ours.iter().find(|one| !theirs.contains(one))) {
        Some((table, column)) => {
            Err(StoreError::Conflict(format!("{table}.{column} stands on one side only: nothing can be copied")))
        }
        None => Ok(tables),
    }
}

async fn filled(to: &mut PgConnection, tables: impl Iterator<Item = &String>) -> Result<Vec<String>> {
    let mut full = Vec::new();
    for table in tables {
        let question = AssertSqlSafe(format!("select exists (select 1 from \"{table}\")"));
        if sqlx::query_scalar::<_, bool>(question).fetch_one(&mut *to).await? {
            full.push(table.clone());
        }
    }
    Ok(full)
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
}

async fn copy_table(
    from: &mut SqliteConnection,
    to: &mut PgConnection,
    table: &str,
    columns: &[Column],
) -> Result<Sum> {
    let names = names(columns);
    let mut sink = to.copy_in_raw(&format!("copy \"{table}\" ({names}) from stdin")).await?;
    let (mut sum, mut piece) = (Sum::default(), String::with_capacity(PIECE_BYTES * 2));
    let question = AssertSqlSafe(format!("select {names} from \"{table}\""));
    let mut rows = sqlx::query(question).fetch(from);
    while let Some(row) = rows.try_next().await? {
        let mut hash = Sha256::new();
        for (at, column) in columns.iter().enumerate() {
            let read = match column.kind {
                Kind::Whole => row.try_get::<Option<i64>, _>(at).map(|v| v.map_or(Value::Null, Value::Whole)),
                Kind::Real => row.try_get::<Option<f64>, _>(at).map(|v| v.map_or(Value::Null, Value::Real)),
                Kind::Text => row.try_get::<Option<String>, _>(at).map(|v| v.map_or(Value::Null, Value::Text)),
            };
            let value = read.map_err(|cause| StoreError::Conflict(format!("{table}.{}: {cause}", column.name)))?;
            hashed(&mut hash, &value);
            if at > 0 {
                piece.push('\t');
            }
            written(&mut piece, &value);
        }
        piece.push('\n');
        add(&mut sum, hash);
        if piece.len() >= PIECE_BYTES {
            sink.send(piece.as_bytes()).await?;
            piece.clear();
        }
    }
    sink.send(piece.as_bytes()).await?;
    sink.finish().await?;
    Ok(sum)
}

/// The same of the target, as it reads it back.
async fn sum_of(to: &mut PgConnection, table: &str, columns: &[Column]) -> Result<Sum> {
    let cast = |column: &Column| {
        let kind = match column.kind {
            Kind::Whole => "bigint",
            Kind::Real => "double precision",
            Kind::Text => "text",
        };
        format!("cast(\"{}\" as {kind})", column.name)
    };
    let wanted: Vec<String> = columns.iter().map(cast).collect();
    let question = AssertSqlSafe(format!("select {} from \"{table}\"", wanted.join(", ")));
    let mut sum = Sum::default();
    let mut rows = sqlx::query(question).fetch(to);
    while let Some(row) = rows.try_next().await? {
        let mut hash = Sha256::new();
        for (at, column) in columns.iter().enumerate() {
            let value = match column.kind {
                Kind::Whole => row.try_get::<Option<i64>, _>(at)?.map_or(Value::Null, Value::Whole),
                Kind::Real => row.try_get::<Option<f64>, _>(at)?.map_or(Value::Null, Value::Real),
                Kind::Text => row.try_get::<Option<String>, _>(at)?.map_or(Value::Null, Value::Text),
            };
            hashed(&mut hash, &value);
        }
        add(&mut sum, hash);
    }
    Ok(sum)
}

/// Each value with its kind and, for texts, its length: no two rows look alike that are not.
fn hashed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update([0]),
        Value::Whole(whole) => {
            hash.update([1]);
            hash.update(whole.to_le_bytes());
        }
        Value::Real(real) => {
            hash.update([2]);
            hash.update(real.to_le_bytes());
        }
        Value::Text(text) => {
            hash.update([3]);
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
    }
}

fn add(sum: &mut Sum, hash: Sha256) {
    let digest = hash.finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    sum.rows += 1;
    sum.checksum = sum.checksum.wrapping_add(u128::from_le_bytes(half));
}

/// As PostgreSQL's `copy` reads it.
fn written(piece: &mut String, value: &Value) {
    match value {
        Value::Null => piece.push_str("\\N"),
        Value::Whole(whole) => piece.push_str(&whole.to_string()),
        Value::Real(real) => piece.push_str(&real.to_string()),
        Value::Text(text) => {
            for c in text.chars() {
                match c {
                    '\\' => piece.push_str("\\\\"),
                    '\n' => piece.push_str("\\n"),
                    '\r' => piece.push_str("\\r"),
                    '\t' => piece.push_str("\\t"),
                    c => piece.push(c),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_so_that_they_come_back() {
        let mut piece = String::new();
        for value in [Value::Null, Value::Whole(-7), Value::Real(0.1), Value::Text("a\\N\tb\r\nc".into())] {
            written(&mut piece, &value);
            piece.push('|');
        }
        assert_eq!(piece, "\\N|-7|0.1|a\\\\N\\tb\\r\\nc|");
    }

    /// Guard: kind and length in `hashed`. Without them a shifted border between two texts goes unnoticed.
    #[test]
    fn rows_that_differ_have_other_sums() {
        let sum = |values: &[Value]| {
            let (mut sum, mut hash) = (Sum::default(), Sha256::new());
            values.iter().for_each(|value| hashed(&mut hash, value));
            add(&mut sum, hash);
            sum.checksum
        };
        let text = |text: &str| Value::Text(text.into());
        assert_ne!(sum(&[text("ab"), text("c")]), sum(&[text("a"), text("bc")]));
        assert_ne!(sum(&[Value::Null, text("")]), sum(&[text(""), Value::Null]));
        assert_ne!(sum(&[Value::Whole(0)]), sum(&[Value::Real(0.0)]));
    }
}
