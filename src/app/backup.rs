//! `halo backup` and `halo restore`: a copy of the whole database while it is used, and the way back.
//!
//! A copy is what each engine's own tools read: a SQLite file, or an archive of `pg_dump`. It is written beside its name
//! and gets it when it is whole. A restore looks through the copy before it touches anything, is all or nothing, and
//! leaves everything paused.

use super::lock::{dialling_lock, sqlite_path};
use super::peek_clock;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::store::backup::{self, RestoreOrder, Restored, TAKEN};
use crate::store::{By, Store};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Files that SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];
/// What the name of the queue's file has behind the database's: its jobs are nudges, and are not kept.
const QUEUE: &str = ".queue";
/// Pieces of an archive on their way into the database.
const PIECE_BYTES: usize = 256 * 1024;
/// A server counts whoever hung up until the process that served him has ended.
const LEAVING: Duration = Duration::from_secs(3);
const LOOKS: u32 = 20;

pub struct BackedUp {
    pub bytes: u64,
    pub taken_at: Timestamp,
}

pub struct PutBack {
    pub restored: Restored,
    pub runs_paused: usize,
    /// Where the database of before stands now.
    pub before: Option<PathBuf>,
}

/// The whole database in a file that does not exist yet.
pub async fn back_up(config: &Config, to: &Path) -> Result<BackedUp> {
    if to.exists() {
        bail!("{} exists: a backup is not written over another", to.display());
    }
    let part = with_ending(to, ".part");
    private_file(&part)?;
    let taken = match sqlite_path(&config.database_url) {
        Some(path) => of_sqlite(&path, &part).await,
        None => of_postgres(&config.database_url, &part).await,
    };
    let done = taken.and_then(|taken_at| {
        File::open(&part)?.sync_all()?;
        std::fs::rename(&part, to).with_context(|| to.display().to_string())?;
        sync_folder(to)?;
        Ok(BackedUp { bytes: std::fs::metadata(to)?.len(), taken_at })
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

async fn of_sqlite(path: &Path, part: &Path) -> Result<Timestamp> {
    if !path.exists() {
        bail!("there is no database at {}", path.display());
    }
    let store = Store::look(&format!("sqlite:{}", path.display())).await?;
    let taken_at = peek_clock(&store).await?.now();
    store.close().await;
    backup::copy_sqlite(path, part, taken_at).await?;
    Ok(taken_at)
}

async fn of_postgres(url: &str, part: &Path) -> Result<Timestamp> {
    let store = Store::open(url).await?;
    let taken_at = peek_clock(&store).await?.now();
    store.set_installation_value(TAKEN, taken_at.0.to_string()).await?;
    store.close().await;
    let mut dump = tool("pg_dump", url)?;
    // The queue's tables hold the next second only.
    dump.args(["--format=custom", "--no-owner", "--no-privileges", "--exclude-schema=apalis", "--file"]).arg(part);
    run(dump, "pg_dump").await?;
    whole_archive(url, part).await?;
    Ok(taken_at)
}

/// Puts a backup in the place of the database, which nobody may be using.
pub async fn restore(config: &Config, from: &Path) -> Result<PutBack> {
    if !from.is_file() {
        bail!("there is no file {}", from.display());
    }
    match sqlite_path(&config.database_url) {
        Some(path) => into_sqlite(&config.database_url, &path, from).await,
        None => into_postgres(&config.database_url, from).await,
    }
}

async fn into_sqlite(url: &str, path: &Path, from: &Path) -> Result<PutBack> {
    // Held until the end: nobody begins to dial from a file that is being replaced.
    let _lock = dialling_lock(url).context("stop it first")?;
    let taken_at = backup::whole_sqlite(from).await?;
    let fresh = with_ending(path, ".restoring");
    let cleared =
        |file: &Path| [""].iter().chain(&BESIDE).for_each(|end| drop(std::fs::remove_file(with_ending(file, end))));
    cleared(&fresh);
    private_file(&fresh)?;
    let made = async {
        std::fs::copy(from, &fresh).with_context(|| fresh.display().to_string())?;
        // Its tables become those of this version, and everything is paused, before it gets its name.
        let store = Store::open(&format!("sqlite:{}", fresh.display())).await?;
        let restored = Restored { since: taken_at, restored_at: peek_clock(&store).await?.now() };
        let runs = store.mark_restored(RestoreOrder { restored, by: By::halo("restored from a backup") }).await;
        store.close().await;
        File::open(&fresh)?.sync_all()?;
        Ok::<_, anyhow::Error>((restored, runs?))
    };
    let made = made.await;
    let (restored, runs_paused) = match made {
        Ok(made) => made,
        Err(cause) => {
            cleared(&fresh);
            return Err(cause);
        }
    };
    let before = set_aside(path, restored.restored_at).await?;
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(with_ending(path, &format!("{QUEUE}{end}"))));
    }
    std::fs::rename(&fresh, path).with_context(|| path.display().to_string())?;
    sync_folder(path)?;
    Ok(PutBack { restored, runs_paused, before })
}

/// The database of before keeps a name, and no log of it is left that the restored one would take for its own.
async fn set_aside(path: &Path, at: Timestamp) -> Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    // Whoever closes it last writes its log into it; a file that cannot be opened keeps its log.
    if let Ok(store) = Store::open(&format!("sqlite:{}", path.display())).await {
        store.close().await;
    }
    let aside = with_ending(path, &format!(".before-{}", at.0));
    for end in BESIDE {
        let log = with_ending(path, end);
        if log.exists() {
            std::fs::rename(&log, with_ending(&aside, end)).with_context(|| log.display().to_string())?;
        }
    }
    // The name is never without a file: a start in between would make an empty database.
    std::fs::hard_link(path, &aside).or_else(|_| std::fs::copy(path, &aside).map(drop))?;
    Ok(Some(aside))
}

/// Connections that others have, once whoever hung up has gone.
async fn others(url: &str) -> Result<i64> {
    let ask = || async { backup::postgres_in_use(url).await.context("the database named by DATABASE_URL") };
    for _ in 0..LOOKS {
        if ask().await? == 0 {
            return Ok(0);
        }
        tokio::time::sleep(LEAVING / LOOKS).await;
    }
    ask().await
}

async fn into_postgres(url: &str, from: &Path) -> Result<PutBack> {
    let others = others(url).await?;
    if others > 0 {
        bail!("{others} other connections use the database: stop every node and whoever else looks at it first");
    }
    let since = whole_archive(url, from).await?;
    let restored = Restored { since, restored_at: Timestamp(Clock::machine_us() / 1000) };
    let list = contents(url, from).await?;
    let chosen = with_ending(from, ".list");
    std::fs::write(&chosen, list).with_context(|| chosen.display().to_string())?;
    let done = poured(url, from, &chosen, &restored).await;
    drop(std::fs::remove_file(&chosen));
    done?;
    let store = Store::open(url).await?;
    let restored = Restored { restored_at: peek_clock(&store).await?.now(), ..restored };
    let runs_paused = store.mark_restored(RestoreOrder { restored, by: By::halo("restored from a backup") }).await?;
    store.close().await;
    Ok(PutBack { restored, runs_paused, before: None })
}

/// The archive's statements, in one transaction that is committed when the archive ended well.
async fn poured(url: &str, from: &Path, list: &Path, restored: &Restored) -> Result<()> {
    let mut source = tool("pg_restore", url)?;
    source.args(["--no-owner", "--no-privileges", "--file=-", "--use-list"]).arg(list).arg(from);
    let mut target = tool("psql", url)?;
    target.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]);
    let mut source = source.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut target = target.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let (mut out, mut into) = (source.stdout.take().context("a pipe")?, target.stdin.take().context("a pipe")?);
    let pouring = async {
        into.write_all(backup::POSTGRES_CLEARED.as_bytes()).await?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match out.read(&mut piece).await? {
                0 => break,
                n => into.write_all(&piece[..n]).await?,
            }
        }
        Ok::<_, std::io::Error>(())
    };
    let poured = pouring.await;
    // Whoever refuses to go on says why; whoever still writes to nobody would never end.
    drop(out);
    let source = source.wait_with_output().await?;
    let mut marked = Ok(());
    if source.status.success() && poured.is_ok() {
        let text = backup::postgres_marked(restored)?;
        marked = into.write_all(text.as_bytes()).await;
        drop(into);
    } else if poured.is_ok() {
        // Torn: without its commit nothing of it happened.
        target.kill().await?;
    } else {
        drop(into);
    }
    let target = target.wait_with_output().await?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !source.status.success() {
        bail!("the backup cannot be read, and nothing was changed: {}", said(&source.stderr));
    }
    if !target.status.success() {
        bail!("the database took nothing of it: {}", said(&target.stderr));
    }
    // The commit stands in what was written last.
    marked.context("the database took nothing of it")
}

/// Reads the archive to its end; says when it was taken.
async fn whole_archive(url: &str, file: &Path) -> Result<Timestamp> {
    let torn = |why: String| anyhow::anyhow!("{} is no whole backup: {why}", file.display());
    let mut all = tool("pg_restore", url)?;
    all.arg("--file=/dev/null").arg(file);
    run(all, "pg_restore").await.map_err(|cause| torn(format!("{cause:#}")))?;
    let versions: Vec<i64> =
        column(url, file, "_halo_migrations").await?.iter().filter_map(|row| row.0.parse().ok()).collect();
    backup::fits(&versions).map_err(torn)?;
    let kept = column(url, file, "installation").await?;
    let taken = kept.iter().find(|(name, _)| name == TAKEN).and_then(|(_, value)| value.parse().ok());
    taken.map(Timestamp).ok_or_else(|| torn("it does not say when it was taken".into()))
}

/// The first two columns of a small table in the archive.
async fn column(url: &str, file: &Path, table: &str) -> Result<Vec<(String, String)>> {
    let mut rows = tool("pg_restore", url)?;
    rows.args(["--data-only", "--file=-", "--table", table]).arg(file);
    let text = run(rows, "pg_restore").await?;
    let rows = text.lines().skip_while(|line| !line.starts_with("COPY ")).skip(1).take_while(|line| *line != "\\.");
    let row = |line: &str| {
        let mut cells = line.split('\t');
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    };
    Ok(rows.filter_map(row).collect())
}

/// What of an archive is put back: extensions are there already, or are made by whoever needs them.
async fn contents(url: &str, file: &Path) -> Result<String> {
    let mut list = tool("pg_restore", url)?;
    list.arg("--list").arg(file);
    let text = run(list, "pg_restore").await?;
    Ok(text.lines().filter(|line| !line.contains(" EXTENSION ")).fold(String::new(), |all, line| all + line + "\n"))
}

/// One of PostgreSQL's own programs, told by its environment where the database is: its arguments are seen by everybody
/// on this machine, and the address holds a password.
fn tool(name: &'static str, url: &str) -> Result<Command> {
    let mut parsed = reqwest::Url::parse(url).context("DATABASE_URL")?;
    let password = parsed.password().map(decoded);
    let _ = parsed.set_password(None);
    let mut command = Command::new(name);
    command.kill_on_drop(true);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    if name != "pg_restore" {
        command.arg(format!("--dbname={parsed}"));
    }
    Ok(command)
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        let code = (*first == b'%').then(|| more.get(..2)).flatten();
        let code = code.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &more[2..] } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn run(mut command: Command, name: &str) -> Result<String> {
    let done = match command.stdin(Stdio::null()).output().await {
        Ok(done) => done,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => bail!(
            "{name} is not found: install PostgreSQL's client programs (Debian: postgresql-client), of the server's \
             version or a newer one"
        ),
        Err(cause) => return Err(cause).context(name.to_owned()),
    };
    if !done.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// An empty file that nobody else on this machine reads: a copy holds numbers of people, and keys.
fn private_file(path: &Path) -> Result<()> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| path.display().to_string())?;
    Ok(())
}

/// A name is durable when its folder is.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_told_by_the_environment_alone() {
        assert_eq!(decoded("a%40b%2Fc"), "a@b/c");
        assert_eq!(decoded("100%"), "100%");
        let command = tool("pg_dump", "postgres://halo:s%40cret@db:5432/halo").unwrap();
        let args: Vec<_> = command.as_std().get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        assert_eq!(args, ["--dbname=postgres://halo@db:5432/halo"]);
        let password = command.as_std().get_envs().find(|(name, _)| *name == "PGPASSWORD").and_then(|(_, value)| value);
        assert_eq!(password.and_then(|value| value.to_str()), Some("s@cret"));
    }
}
