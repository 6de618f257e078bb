//! A file that can no longer be trusted with a write, noticed once and for all.
//!
//! After a write or a sync that failed, nobody knows what the disk holds: what SQLite would say next need not be
//! what a restart finds. So the first such fault is the last word of this process's database: nothing is written
//! any more, whoever waits for a commit is told so, and the process ends with one sentence. What was confirmed
//! stands; what was not is decided by the next start, from the file.

use super::{StoreError, WriteError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// SQLite's primary codes; the extended ones hold more in their higher bits.
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;
const IOERR_FSYNC: u32 = IOERR | 4 << 8;
const IOERR_DIR_FSYNC: u32 = IOERR | 5 << 8;
/// The index of the log, a file of its own, could not grow.
const IOERR_SHMSIZE: u32 = IOERR | 19 << 8;

/// Whether the database of this process is broken, and the sentence that says how.
#[derive(Clone)]
pub(super) struct Broken {
    /// `None`: not a file of ours, whose faults are somebody else's to mend while we wait.
    path: Option<Arc<PathBuf>>,
    why: watch::Sender<Option<String>>,
}

impl Broken {
    pub fn never() -> Self {
        Broken { path: None, why: watch::Sender::new(None) }
    }

    pub fn watching(path: &Path) -> Self {
        // Whoever reads the sentence need not know where this process was started.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Broken { path: Some(Arc::new(path)), why: watch::Sender::new(None) }
    }

    /// Nothing is done with a database that is broken.
    pub fn check(&self) -> Result<(), StoreError> {
        match &*self.why.borrow() {
            Some(why) => Err(WriteError::Broken(why.clone()).into()),
            None => Ok(()),
        }
    }

    /// What a caller is told about an error; a fault of the storage is remembered.
    pub fn noted(&self, error: StoreError) -> StoreError {
        let Some(why) = self.path.as_deref().and_then(|path| fault(path, &error)) else { return error };
        self.why.send_if_modified(|known| {
            let fresh = known.is_none();
            if fresh {
                *known = Some(why.clone());
            }
            fresh
        });
        WriteError::Broken(why).into()
    }

    /// Returns when the database is broken, with the sentence that says how.
    pub async fn wait(&self) -> String {
        let mut told = self.why.subscribe();
        match told.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            // The sender lives as long as we do.
            Err(_) => std::future::pending().await,
        }
    }
}

/// One sentence that names the file and the cure; `None` when the storage is not at fault.
pub(super) fn fault(path: &Path, error: &StoreError) -> Option<String> {
    let cause = match error {
        StoreError::Sql(cause) => cause,
        StoreError::Migrate(sqlx::migrate::MigrateError::Execute(cause)) => cause,
        StoreError::Migrate(sqlx::migrate::MigrateError::ExecuteMigration(cause, _)) => cause,
        _ => return None,
    };
    let sqlx::Error::Database(cause) = cause else { return None };
    let code: u32 = cause.code()?.parse().ok()?;
    sentence(path, code, cause.message())
}

fn sentence(path: &Path, code: u32, message: &str) -> Option<String> {
    let file = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).display();
    Some(match code {
        IOERR_FSYNC | IOERR_DIR_FSYNC => format!(
            "the disk did not keep what was written to {file} ({message}): look at the disk (dmesg), then start again; \
             what was confirmed before stands"
        ),
        FULL | IOERR_SHMSIZE => format!(
            "no room is left for {file} ({message}): make room on the disk of {folder}, then start again; nothing is lost"
        ),
        _ => match code & 0xff {
            IOERR => format!(
                "{file} cannot be read or written ({message}): look at the disk (dmesg, df {folder}), then start again; \
                 what was confirmed before stands"
            ),
            CORRUPT | NOTADB => format!(
                "{file} is damaged ({message}): keep it and its -wal aside, put the last backup in its place, and \
                 start again"
            ),
            READONLY => format!(
                "{file} may not be written ({message}): give this user the right to write it and its folder {folder}, \
                 then start again"
            ),
            CANTOPEN => format!(
                "{file} cannot be opened ({message}): see that {folder} exists and that this user may write it, then \
                 start again"
            ),
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_storage_is_told_with_the_file_and_the_cure() {
        let told = |code| sentence(Path::new("/data/halo.db"), code, "said SQLite");
        for (code, words) in [
            (13, "make room on the disk of /data"),
            (4874, "make room on the disk of /data"),
            (1034, "did not keep what was written"),
            (778, "df /data"),
            (11, "put the last backup"),
            (267, "put the last backup"),
            (26, "put the last backup"),
            (1032, "right to write"),
            (14, "/data exists"),
        ] {
            let why = told(code).expect("a fault of the storage");
            assert!(why.contains(words) && why.contains("/data/halo.db") && why.contains("said SQLite"), "{why}");
        }
        for code in [1, 5, 19, 2067] {
            assert_eq!(told(code), None, "{code} is no fault of the storage");
        }
    }
}
