//! A database with everybody waiting.

use crate::postgres;
use halo::domain::settings::Take;
use halo::domain::{BatchId, CampaignId, Mode, Timestamp};
use halo::store::{Campaign, Db, Listed, NewCampaign, NewContact, Store, keeper};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub const PLATFORM: &str = "stub/1";
/// A server of the reader's own; each measurement makes a database there and drops it.
const SERVER: &str = "HALO_BENCH_POSTGRES";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        })
    }
}

impl FromStr for Engine {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sqlite" => Ok(Engine::Sqlite),
            "postgres" => Ok(Engine::Postgres),
            other => Err(format!("`{other}` is neither sqlite nor postgres")),
        }
    }
}

pub struct Ground {
    pub engine: Engine,
    pub store: Store,
    url: String,
    _folder: Option<TempDir>,
    /// The server and the database to be dropped.
    made: Option<(String, String)>,
}

/// What sessions told, and were answered 200 for.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub answered: i64,
    /// Answered or not.
    pub called: i64,
    pub turns: i64,
    pub events: i64,
}

impl Ground {
    /// `None` where the engine is not installed.
    pub async fn new(engine: Engine) -> Option<Ground> {
        let (mut folder, mut made) = (None, None);
        let url = match engine {
            Engine::Sqlite => {
                // Beside the build, on a disk: the system's own folder may be memory.
                let here = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the database");
                let url = format!("sqlite:{}", here.path().join("halo.db").display());
                folder = Some(here);
                url
            }
            Engine::Postgres => {
                static DATABASES: AtomicU32 = AtomicU32::new(0);
                let server = match std::env::var(SERVER) {
                    Ok(server) => server.trim_end_matches('/').to_owned(),
                    Err(_) => format!("postgres://halo@127.0.0.1:{}", postgres::durable_cluster()?.port),
                };
                let name = format!("bench_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
                statement(&server, format!("create database {name}")).await;
                let url = format!("{server}/{name}");
                made = Some((server, name));
                url
            }
        };
        let store = Store::open_on(&url, keeper()).await.expect("a fresh database opens");
        Some(Ground { engine, store, url, _folder: folder, made })
    }

    /// The same database as a process finds it that starts.
    pub async fn again(&self) -> Store {
        Store::open_on(&self.url, keeper()).await.expect("it was opened before")
    }

    /// Where other rows than the program's may lie: on the same disk, on the same server.
    pub fn beside(&self) -> String {
        match self.engine {
            Engine::Sqlite => self.url.replace("halo.db", "beside.db"),
            Engine::Postgres => self.url.clone(),
        }
    }

    /// A run of so many contacts, all of them due; returns the account. `cps` is in program time.
    pub async fn fill(&self, contacts: usize, cps: f64) -> i64 {
        let store = &self.store;
        let now = Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64);
        let campaign = CampaignId(store.ids.one(now.0));
        let new = NewCampaign {
            campaign: Campaign {
                campaign,
                name: "dispatch".into(),
                settings: "{}".into(),
                script: include_str!("../../campaigns/demo/script.toml").into(),
                salt: "salt".into(),
                created_at: now,
            },
            batch: BatchId(store.ids.one(now.0)),
            source: "made up".into(),
            content_hash: "none".into(),
            key: None,
            list: Listed::of((0..contacts).map(contact).collect(), Vec::new(), Vec::new()),
            schedule: None,
            ids: store.ids.clone(),
        };
        store.create_campaign(new).await.expect("a campaign");
        let account = store.ensure_account(PLATFORM, Some(cps), None, now).await.expect("an account");
        let (_, taken) = store.start_run(campaign, account, Take::All, now).await.expect("a run");
        assert_eq!(taken, contacts as u64);
        account
    }

    /// What was counted outside stands in the tables.
    pub async fn check(&self, told: Told) {
        for (what, question, wanted) in [
            (
                "attempts that were answered",
                "select count(*) from attempts where state = 'ended' and outcome = 'answered'",
                told.answered,
            ),
            ("contacts at rest", "select count(*) from run_contacts where disposition = 'answered'", told.answered),
            ("calls that ended", "select count(*) from calls", told.called),
            ("turns", "select count(*) from turns", told.turns),
            (
                "numbers called",
                "select count(distinct number_id) from attempts where dialed_at is not null",
                told.called,
            ),
            ("calls that go on", "select count(*) from attempts where state = 'live'", 0),
            ("events", "select count(*) from events", told.events),
        ] {
            assert_eq!(self.number(question).await, wanted, "{what}");
        }
    }

    async fn number(&self, question: &'static str) -> i64 {
        match self.store.db() {
            Db::Sqlite { reader, .. } => sqlx::query_scalar(question).fetch_one(reader).await,
            Db::Postgres(pool) => sqlx::query_scalar(question).fetch_one(pool).await,
        }
        .expect("a question with one answer")
    }

    pub async fn close(self) {
        self.store.close().await;
        if let Some((server, name)) = self.made {
            statement(&server, format!("drop database {name} with (force)")).await;
        }
    }
}

/// Numbers that exist nowhere: longer than any of that country.
fn contact(n: usize) -> NewContact {
    let number = format!("+7999000{n:07}");
    NewContact {
        line: n as i64 + 2,
        mode: Mode::dialog(),
        own_mode: false,
        dial_order: n as i64,
        name: Some("Анна".into()),
        timezone: None,
        external_id: None,
        variables: r#"{"name":"Анна","city":"Пермь","interest":"бассейн и йога"}"#.into(),
        raw_phone: number.clone(),
        number: number.parse().expect("E.164"),
        alternates: Vec::new(),
        consent_kind: None,
        consent_at: None,
        consent_source: None,
        wishes: Default::default(),
    }
}

async fn statement(server: &str, text: String) {
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
    sqlx::query(AssertSqlSafe(text)).execute(&mut admin).await.expect("a database of our own");
    let _ = admin.close().await;
}
