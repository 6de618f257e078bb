//! What is kept, and the only SQL (but for the queue's own tables).
//!
//! One set of migrations and one set of statements serve SQLite and PostgreSQL: the files of `acts/`
//! are stamped once for each engine, and a line of SQL that ends in `-- sqlite` or `-- postgres` is
//! meant for that engine alone. Nothing here decides anything: where a decision must be taken under a
//! lock, the caller hands in a function of plain values, and `store` applies what it returns.

mod asked;
mod broken;
mod fitness;
mod gather;
mod ids;
mod keeper;
mod listed;
mod money_rows;
mod orders;
#[allow(clippy::duplicate_mod, reason = "the acts are stamped once for each engine")]
mod postgres;
mod rows;
mod rows_life;
mod rows_read;
mod schema;
mod shape;
#[allow(clippy::duplicate_mod, reason = "the acts are stamped once for each engine")]
mod sqlite;
mod text;
mod turns;
mod writer;

pub use access::{AuditFilter, AuditOrder, AuditRow, KeyOrder, KeyRow, Who};
pub use alternates::{AlternateRow, NewNote, NewNumber};
pub use dialogue::{DialogueTurn, Made, Stand, Talked};
pub use erase::{DoomedRecord, EraseOrder, Erased, KEPT, Keep, KnownErased, hash_of_erased};
pub use exports::{EventTime, ExportedTurn, FurtherTyped, ListedRow, TurnLatency};
pub use ids::Ids;
pub use keeper::keeper;
pub use listed::{Listed, Piece, Pieces};
pub use media::MediaStream;
pub use money_rows::*;
pub use orders::*;
pub use rerun::{Of, Only, RerunOrder};
pub use rows::*;
pub use rows_life::*;
pub use rows_read::*;
pub use shares::{ShareOrder, ShareRow};
pub use turns::Turns;
pub use why::{Named, StatusRow, WhyMore, WhyRow};
pub use writer::WriteError;

use crate::domain::{CampaignId, TokenHash};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::Handle;

/// Readers beside the one writer of SQLite; connections of PostgreSQL.
const READERS_MAX: u32 = 4;
const CONNECTIONS_MAX: u32 = 16;
/// How long a writer of SQLite waits for another process: a disk that is busy with something else can hold up a
/// single commit for seconds, and whoever waits for it must not be told that the database is locked.
const BUSY_MAX: Duration = Duration::from_secs(30);
/// Rows of an answer that SQLite's thread may be ahead of whoever reads them: an answer for a batch, so that the two do
/// not wake each other for every row.
const ROWS_AHEAD: usize = 1024;
/// Prepared statements of a connection: all that are asked often, and what goes together with them on one way.
const STATEMENTS_KEPT: usize = 256;
/// Kibibytes, negative as SQLite wants them. A list of a million numbers is stored by indexes that fit in there.
const WRITER_CACHE: &str = "-32768";
const READER_CACHE: &str = "-16384";

/// What the name of the queue's file has behind the database's.
const QUEUE_FILE: &str = ".queue";

/// What every connection to PostgreSQL asks of the server. A node that hangs in a transaction, or whose machine is
/// gone without a word, must not hold the others up: its locks are free within ten seconds. Statements of reports read
/// much and compute little: to compile them first took two seconds of three.
const SESSION: [(&str, &str); 7] = [
    ("jit", "off"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "8000"),
    ("tcp_keepalives_idle", "4"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "2"),
    ("tcp_user_timeout", "8000"),
];

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("database schema: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("DATABASE_URL `{0}` is neither sqlite:… nor postgres://…")]
    Url(String),
    /// A row that breaks a rule cannot be loaded.
    #[error("database row: {table}.{column}: {cause}")]
    Row { table: &'static str, column: &'static str, cause: String },
    #[error("{0} does not exist")]
    Missing(String),
    #[error("{0}")]
    Conflict(String),
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The server is not one that this program can work with; the sentence names the cure.
    #[error("{0}")]
    Unfit(String),
}

impl StoreError {
    pub(crate) fn row(table: &'static str, column: &'static str, cause: impl std::fmt::Display) -> Self {
        StoreError::Row { table, column, cause: cause.to_string() }
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

#[derive(Clone)]
pub enum Db {
    /// One connection writes (several only give "database is locked"), others read. The queue has a file of its own
    /// beside: each of its transactions is a sync of the disk, and the writer would wait for every one.
    Sqlite {
        writer: SqlitePool,
        reader: SqlitePool,
        queue: SqlitePool,
    },
    Postgres(PgPool),
}

#[derive(Clone)]
pub struct Store {
    db: Db,
    writer: writer::Writer,
    broken: broken::Broken,
    held: gather::Gather<Held>,
    whose: gather::Gather<(CampaignId, i64)>,
    slots: gather::Gather<i64>,
    secrets: gather::Gather<Vec<TokenHash>>,
    turns: Option<std::sync::Arc<dyn Turns>>,
    /// Where its writer runs.
    on: Handle,
    pub ids: Ids,
}

/// Runs an act on a connection that only reads.
macro_rules! read {
    ($store:expr, $act:ident :: $what:ident ( $($arg:expr),* )) => {{
        $store.turn().await;
        match &$store.db {
            $crate::store::Db::Sqlite { reader, .. } => {
                let mut conn = reader.acquire().await.map_err(|cause| $store.broken.noted(cause.into()))?;
                let done = $crate::store::sqlite::acts::$act::$what(&mut conn, $($arg),*).await;
                done.map_err(|cause| $store.broken.noted(cause))
            }
            $crate::store::Db::Postgres(pool) => {
                let mut conn = pool.acquire().await?;
                $crate::store::postgres::acts::$act::$what(&mut conn, $($arg),*).await
            }
        }
    }};
}

/// Hands an act to the writer and waits until it is durable. The act may run twice (a batch that
/// failed is applied again one by one), so it takes its argument by reference.
macro_rules! write {
    ($store:expr, $act:ident :: $what:ident ( $arg:expr )) => {{
        let arg = std::sync::Arc::new($arg);
        $store.turn().await;
        $store
            .writer
            .submit(move |tx| {
                let arg = arg.clone();
                Box::pin(async move {
                    match tx {
                        $crate::store::writer::Tx::Sqlite(conn) => {
                            $crate::store::sqlite::acts::$act::$what(conn, &arg).await
                        }
                        $crate::store::writer::Tx::Postgres(conn) => {
                            $crate::store::postgres::acts::$act::$what(conn, &arg).await
                        }
                    }
                })
            })
            .await
    }};
}

/// The same for an act that takes long. On PostgreSQL it has a connection of its own, so that the writer goes on
/// meanwhile; on SQLite there is one writer, and whoever else writes waits.
macro_rules! load {
    ($store:expr, $act:ident :: $what:ident ( $arg:expr )) => {{
        let arg = $arg;
        match &$store.db {
            $crate::store::Db::Sqlite { .. } => write!($store, $act::$what(arg)),
            $crate::store::Db::Postgres(pool) => {
                $store.turn().await;
                let mut tx = pool.begin().await?;
                let done = $crate::store::postgres::acts::$act::$what(&mut tx, &arg).await?;
                tx.commit().await?;
                $crate::fail::committed();
                Ok(done)
            }
        }
    }};
}

pub mod access;
mod alternates;
pub mod backup;
mod calls;
mod campaigns;
mod checkpoint;
mod dialling;
mod dialogue;
mod erase;
mod exports;
pub mod figures;
pub mod judged;
mod life;
mod media;
pub mod migrate;
mod money;
mod nights;
pub mod nodes;
pub mod notices;
mod numbers;
pub mod operate;
mod pace;
pub mod people;
pub mod repeats;
mod rerun;
mod sessions;
mod shares;
mod single;
pub mod slices;
pub mod snapshots;
mod why;

impl Store {
    /// Opens and migrates. `sqlite:halo.db`, `sqlite:///path`, or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_on(url, Handle::current()).await
    }

    /// The same, with its writer where the caller says: a process that dials has a thread for it ([`keeper`]).
    pub async fn open_on(url: &str, on: Handle) -> Result<Self> {
        let mut broken = broken::Broken::never();
        let db = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url).await?
        } else if url.starts_with("sqlite:") {
            let file = SqliteConnectOptions::from_str(url)?.get_filename().to_owned();
            broken = broken::Broken::watching(&file);
            Self::open_sqlite(url).await.map_err(|cause| broken.noted(cause))?
        } else {
            // A URL may hold a password: only its scheme is shown.
            return Err(StoreError::Url(url.split(':').next().unwrap_or_default().to_owned()));
        };
        Ok(Self::over(db, broken, on))
    }

    fn over(db: Db, broken: broken::Broken, on: Handle) -> Self {
        let _entered = on.enter();
        let source = gather::Source { db, broken };
        Store {
            writer: writer::Writer::start(source.db.clone(), source.broken.clone()),
            held: gather::Gather::start(source.clone(), |source, attempts| Box::pin(dialling::held(source, attempts))),
            whose: gather::Gather::start(source.clone(), |source, attempts| {
                Box::pin(dialling::whose(source, attempts))
            }),
            slots: gather::Gather::start(source.clone(), |source, attempts| {
                Box::pin(dialling::slots(source, attempts))
            }),
            secrets: gather::Gather::start(source.clone(), |from, attempts| {
                Box::pin(dialling::secrets(from, attempts))
            }),
            db: source.db,
            broken: source.broken,
            turns: None,
            on: on.clone(),
            ids: Ids::new(),
        }
    }

    /// Where whoever shares the connection that writes should run.
    pub fn on(&self) -> &Handle {
        &self.on
    }

    /// Returns when nothing can be kept any more (a full disk, a failed sync, a damaged file), with one sentence
    /// that names the file and the cure. Never on PostgreSQL, which is waited for.
    pub async fn broken(&self) -> String {
        self.broken.wait().await
    }

    /// Nothing can be kept any more.
    pub fn is_broken(&self) -> bool {
        self.broken.check().is_err()
    }

    async fn open_sqlite(url: &str) -> Result<Db> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_MAX)
            .row_buffer_size(ROWS_AHEAD)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", checkpoint::LOGGED_MAX);
        // A file does not hang up: to ask each connection first would cost every act one more change of threads.
        let pool = || SqlitePoolOptions::new().test_before_acquire(false);
        let writer = pool().max_connections(1).connect_with(options.clone()).await?;
        schema::migrations(sqlite::OTHER).run(&writer).await?;
        let reader = pool()
            .max_connections(READERS_MAX)
            .connect_with(
                options.clone().create_if_missing(false).pragma("query_only", "1").pragma("cache_size", READER_CACHE),
            )
            .await?;
        let mut file = options.get_filename().as_os_str().to_owned();
        file.push(QUEUE_FILE);
        let queue = pool().max_connections(1).connect_lazy_with(options.filename(file));
        Ok(Db::Sqlite { writer, reader, queue })
    }

    async fn open_postgres(url: &str) -> Result<Db> {
        let options = PgConnectOptions::from_str(url)?.options(SESSION);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS_MAX).connect_with(options).await?;
        fitness::examine(&pool).await?;
        schema::migrations(postgres::OTHER).run(&pool).await?;
        Ok(Db::Postgres(pool))
    }

    /// The pools themselves, for the queue, which keeps its own tables: on PostgreSQL beside ours.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// How far the database's clock is ahead of this machine's, in microseconds; 0 on SQLite.
    pub async fn clock_offset_us(&self, machine_now_us: impl Fn() -> i64) -> Result<i64> {
        Ok(self.clock_sample(machine_now_us).await?.map_or(0, |(offset_us, _)| offset_us))
    }

    /// A copy of the whole database in a file that does not exist yet; only SQLite can do that.
    pub async fn copy_into(&self, path: &str) -> Result<()> {
        let Db::Sqlite { writer, .. } = &self.db else {
            return Err(StoreError::Conflict("only a SQLite database is copied into a file".into()));
        };
        sqlx::query("vacuum into $1").bind(path).execute(writer).await?;
        Ok(())
    }

    /// Lets what was handed in be written, then closes.
    pub async fn close(&self) {
        self.writer.drain().await;
        match &self.db {
            Db::Sqlite { writer, reader, queue } => {
                queue.close().await;
                reader.close().await;
                writer.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

/// A statement for one engine: lines meant for the other are left out.
pub(crate) fn for_engine(text: &str, other: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.trim_end().ends_with(other)) {
        out.push_str(line);
        out.push('\n');
    }
    out
}
