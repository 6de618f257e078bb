//! Who dials from a database: one process of a SQLite file, any number of nodes on PostgreSQL.

use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Db, Store};
use anyhow::{Context, Result, bail};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whoever only looks ([`somebody_dials`]) holds the lock for a moment, and so does a child that is just being made.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// On SQLite only one process dials: the operating system's lock says which, and frees it when that dies.
pub(super) fn dialling_lock(database_url: &str) -> Result<Option<File>> {
    let (Some(path), Some(lock_path)) = (sqlite_path(database_url), lock_path(database_url)) else { return Ok(None) };
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path);
    let file = file.with_context(|| format!("the dialling lock {}", lock_path.display()))?;
    for look in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if look < LOOKS => std::thread::sleep(BETWEEN_LOOKS),
            Err(TryLockError::WouldBlock) => {
                bail!("another process dials from {}: one SQLite file has one dialling process", path.display())
            }
            Err(TryLockError::Error(cause)) => return Err(cause).context("the dialling lock"),
        }
    }
    Ok(Some(file))
}

/// Does another process dial from this database?
pub async fn somebody_dials(config: &Config, store: &Store, clock: &Clock) -> Result<bool> {
    if matches!(store.db(), Db::Postgres(_)) {
        return Ok(store.is_led("sweeper", clock.now()).await?);
    }
    let Some(path) = lock_path(&config.database_url) else { return Ok(false) };
    let Ok(file) = File::options().write(true).open(path) else { return Ok(false) };
    Ok(matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// One file has one lock, by whatever name it is reached: a link to it must not open a second door.
fn lock_path(database_url: &str) -> Option<PathBuf> {
    let path = sqlite_path(database_url)?;
    let path = path.canonicalize().unwrap_or_else(|_| beside(&path).unwrap_or(path));
    Some(PathBuf::from(format!("{}.lock", path.display())))
}

/// Where a file will stand that is not there yet.
fn beside(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

pub fn sqlite_path(database_url: &str) -> Option<PathBuf> {
    let rest = database_url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or_default();
    if path.is_empty() || path == ":memory:" { None } else { Some(Path::new(path).to_owned()) }
}

/// A fresh folder among the temporary ones that nobody else on this machine can read: what is kept in it for a while
/// holds numbers of people.
pub fn private_folder(name: &str) -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("{name}-{}-{:08x}", std::process::id(), rand::random::<u32>()));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&path).with_context(|| path.display().to_string())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guard: the mode that the folder is made with.
    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_a_private_folder() {
        use std::os::unix::fs::PermissionsExt;
        let (one, two) = (private_folder("halo-test").unwrap(), private_folder("halo-test").unwrap());
        let mode = std::fs::metadata(&one).unwrap().permissions().mode();
        for folder in [&one, &two] {
            std::fs::remove_dir(folder).unwrap();
        }
        assert_eq!((mode & 0o777, one == two), (0o700, false));
    }
}
