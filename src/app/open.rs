//! The database, opened so that nobody changes its tables while a process dials from it.

use super::lock::{dialling_lock, sqlite_path};
use crate::config::Config;
use crate::store::migrate::Tables;
use crate::store::{Store, keeper};
use anyhow::{Context, Result, bail};
use std::fs::File;

/// A database, and the right to dial from it where that was taken already.
pub struct Opened {
    pub store: Store,
    pub(super) lock: Option<File>,
}

impl From<Store> for Opened {
    fn from(store: Store) -> Self {
        Opened { store, lock: None }
    }
}

/// The database, without anything that dials: for verbs that read or write rows. Tables of an older version are
/// brought up to ours only while nobody dials from them.
pub async fn open_store(config: &Config) -> Result<Store> {
    let url = &config.database_url;
    let _lock = match tables(url).await? {
        Tables::Older => dialling_lock(url).context("its tables are of an older version: stop that process first")?,
        Tables::Ours | Tables::Newer => None,
    };
    open(url).await
}

/// The same for a process that dials: on SQLite nothing is changed before no other process can.
pub async fn open_to_dial(config: &Config) -> Result<Opened> {
    let lock = dialling_lock(&config.database_url)?;
    tables(&config.database_url).await?;
    Ok(Opened { store: open(&config.database_url).await?, lock })
}

async fn open(url: &str) -> Result<Store> {
    Store::open_on(url, keeper()).await.context("cannot open the database named by DATABASE_URL")
}

async fn tables(url: &str) -> Result<Tables> {
    let Some(path) = sqlite_path(url).filter(|path| path.exists()) else {
        return Ok(if sqlite_path(url).is_some() { Tables::Older } else { Tables::Ours });
    };
    // A file that cannot be read says so when it is opened.
    match Store::tables_of(url).await.unwrap_or(Tables::Older) {
        Tables::Newer => {
            bail!("{} was used by a newer version of this program: use that one, or a backup", path.display())
        }
        tables => Ok(tables),
    }
}
