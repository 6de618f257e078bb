//! The same bytes made durable by themselves: whoever waits is committed together, one statement and one commit at a time,
//! without HTTP, without looking at them, without anything that follows from them.

use crate::ground::{Engine, Ground};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::str::FromStr;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// As many as one statement may hold without becoming slow.
const TOGETHER_MAX: usize = 1000;

type Waiting = (String, oneshot::Sender<()>);

enum Writer {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Writer {
    async fn beside(ground: &Ground) -> Self {
        let url = ground.beside();
        match ground.engine {
            Engine::Sqlite => {
                let options = SqliteConnectOptions::from_str(&url).expect("an address");
                let options = options
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                let mut conn = SqliteConnection::connect_with(&options).await.expect("a file of its own");
                let made = sqlx::query("create table raw (id integer primary key, body text not null)");
                made.execute(&mut conn).await.expect("a table");
                Writer::Sqlite(conn)
            }
            Engine::Postgres => {
                let mut conn = PgConnection::connect(&url).await.expect("the database");
                let made = sqlx::query("create table raw (id bigserial primary key, body text not null)");
                made.execute(&mut conn).await.expect("a table");
                Writer::Postgres(conn)
            }
        }
    }

    /// One statement is one transaction, durable when it is answered.
    async fn commit(&mut self, bodies: &[&str]) {
        match self {
            Writer::Sqlite(conn) => {
                let all = serde_json::to_string(bodies).expect("texts");
                let put = sqlx::query("insert into raw (body) select value from json_each($1)").bind(all);
                put.execute(conn).await.map(drop)
            }
            Writer::Postgres(conn) => {
                let put = sqlx::query("insert into raw (body) select unnest($1::text[])").bind(bodies);
                put.execute(conn).await.map(drop)
            }
        }
        .expect("a commit");
    }
}

async fn write(mut writer: Writer, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
    let mut together = Vec::with_capacity(TOGETHER_MAX);
    while waiting.recv_many(&mut together, TOGETHER_MAX).await > 0 {
        let bodies: Vec<&str> = together.iter().map(|(body, _)| body.as_str()).collect();
        writer.commit(&bodies).await;
        for (_, done) in together.drain(..) {
            let _ = done.send(());
        }
    }
}

/// Bodies a second, handed in by so many callers, each of which waits for the commit of its last one.
pub async fn per_second(ground: &Ground, callers: Vec<Vec<String>>) -> f64 {
    let (hand_in, waiting) = mpsc::unbounded_channel();
    let writing = tokio::spawn(write(Writer::beside(ground).await, waiting));
    let bodies: usize = callers.iter().map(Vec::len).sum();
    let began = Instant::now();
    let mut calling = Vec::new();
    for mine in callers {
        let hand_in: mpsc::UnboundedSender<Waiting> = hand_in.clone();
        calling.push(tokio::spawn(async move {
            for body in mine {
                let (done, committed) = oneshot::channel();
                hand_in.send((body, done)).expect("the writer listens");
                committed.await.expect("it is committed");
            }
        }));
    }
    for caller in calling {
        caller.await.expect("every caller goes to its end");
    }
    let rate = bodies as f64 / began.elapsed().as_secs_f64();
    drop(hand_in);
    writing.await.expect("the writer goes to its end");
    rate
}
