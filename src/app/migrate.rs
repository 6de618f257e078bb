//! Both sides of a move from SQLite to PostgreSQL, opened so that nothing dials meanwhile.

use super::lock::{dialling_lock, sqlite_path};
use crate::queue;
use crate::store::Store;
use anyhow::{Context, Result, bail};
use std::fs::File;

pub struct Sides {
    pub from: Store,
    pub to: Store,
    /// Held until the end: whoever would dial from the source is refused.
    _lock: Option<File>,
}

/// The source, for reading alone and held against whoever would dial from it; the target, migrated.
pub async fn open_sides(from: &str, to: &str) -> Result<Sides> {
    let Some(path) = sqlite_path(from) else { bail!("the source is not a SQLite file") };
    if !path.exists() {
        bail!("there is no database at {}", path.display());
    }
    let lock = dialling_lock(from).context("stop it first")?;
    let from = Store::look(from).await.with_context(|| path.display().to_string())?;
    let to = Store::open(to).await.context("the target")?;
    queue::prepare(to.db()).await?;
    Ok(Sides { from, to, _lock: lock })
}
