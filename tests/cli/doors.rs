//! What a terminal must not do: change tables under a process that dials, or act on another database than is meant.

use crate::{SOON, campaign, code, csv, err, folder, halo, number, out, run, settings};
use std::fs::File;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// What ends by itself; where its guard is gone it would serve for ever.
fn ends(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = halo(folder, environment, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let began = Instant::now();
    while child.try_wait().expect("a process of ours").is_none() {
        if began.elapsed() > SOON {
            child.kill().expect("it runs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().expect("its output")
}

/// As a process that dials holds it.
fn dialling(folder: &Path) -> File {
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join("halo.db.lock"));
    let lock = lock.expect("a file");
    lock.try_lock().expect("nobody dials");
    lock
}

async fn sql(folder: &Path, statements: &[&'static str]) -> i64 {
    let url = format!("sqlite:{}", folder.join("halo.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the database opens");
    for statement in statements {
        sqlx::query(*statement).execute(&pool).await.expect("a statement");
    }
    let known = sqlx::query_scalar("select count(*) from _halo_migrations").fetch_one(&pool).await;
    pool.close().await;
    known.expect("a count")
}

fn imported(folder: &Path, name: &str) {
    let dir = campaign(folder, name, &settings(name, ""), csv([number(0, 1)]).as_bytes());
    let done = run(folder, &[], &["campaign", "import", &dir]);
    assert_eq!(code(&done), Some(0), "{}", err(&done));
}

/// The guards: `open_to_dial` locks before it opens, `open_store` asks for the lock before it migrates.
#[tokio::test]
async fn nobody_changes_the_tables_under_a_process_that_dials() {
    let folder = folder();
    imported(folder.path(), "demo");
    // As the version before left it: its last migration is not there yet.
    let last = "delete from _halo_migrations where version = 12";
    let before = sql(folder.path(), &[last, "drop index attempts_planned", "drop index contacts_by_batch"]).await;
    let lock = dialling(folder.path());
    for verb in [&["serve"][..], &["demo", "--exit"], &["campaign", "list"], &["status"]] {
        let refused = ends(folder.path(), &[("HALO_LISTEN", "127.0.0.1:0")], verb);
        assert_eq!(code(&refused), Some(2), "{verb:?}: {}", err(&refused));
        assert!(err(&refused).contains("another process dials from"), "{verb:?}: {}", err(&refused));
        assert_eq!(sql(folder.path(), &[]).await, before, "{verb:?}");
    }
    drop(lock);
    let list = run(folder.path(), &[], &["campaign", "list"]);
    assert_eq!((code(&list), out(&list).starts_with("demo ")), (Some(0), true), "{}", err(&list));
    assert_eq!(sql(folder.path(), &[]).await, before + 1);

    // Tables as they are need no lock to be looked at; a newer version's are left alone.
    let lock = dialling(folder.path());
    assert_eq!(code(&run(folder.path(), &[], &["campaign", "list"])), Some(0));
    // A demo that stays up keeps its database: the next one would wipe it.
    let next = run(folder.path(), &[], &["demo", "--exit"]);
    assert_eq!((code(&next), err(&next).contains("another process")), (Some(2), true), "{}", err(&next));
    assert!(out(&run(folder.path(), &[], &["campaign", "list"])).starts_with("demo "));
    drop(lock);
    let newer = "insert into _halo_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'of tomorrow', true, x'00', 0)";
    sql(folder.path(), &[newer]).await;
    for verb in [&["serve"][..], &["campaign", "list"]] {
        let refused = ends(folder.path(), &[("HALO_LISTEN", "127.0.0.1:0")], verb);
        assert!(err(&refused).contains("a newer version"), "{verb:?}: {}", err(&refused));
        assert_eq!(code(&refused), Some(2), "{verb:?}");
    }
}

/// The guard: `lock_path` follows links.
#[cfg(unix)]
#[test]
fn a_link_to_a_database_is_no_second_door() {
    let folder = folder();
    imported(folder.path(), "mine");
    std::os::unix::fs::symlink("halo.db", folder.path().join("link.db")).expect("a link");
    let _lock = dialling(folder.path());
    let refused =
        ends(folder.path(), &[("DATABASE_URL", "sqlite:link.db"), ("HALO_LISTEN", "127.0.0.1:0")], &["serve"]);
    assert_eq!((code(&refused), err(&refused).contains("another process dials")), (Some(2), true), "{}", err(&refused));
}

/// The guard: `is_meant_for_here`. Without it the database of this machine is put away as the server's.
#[test]
fn a_backup_of_here_is_not_taken_for_one_of_a_server_elsewhere() {
    let folder = folder();
    imported(folder.path(), "mine");
    let elsewhere = [("HALO_URL", "https://halo.example.com"), ("API_AUTH_KEY", "key")];
    for verb in [&["backup", "copy.db"][..], &["restore", "copy.db"]] {
        let refused = run(folder.path(), &elsewhere, verb);
        assert_eq!(code(&refused), Some(2), "{verb:?}: {}{}", out(&refused), err(&refused));
        assert!(err(&refused).contains("HALO_URL="), "{verb:?} names no cure: {}", err(&refused));
    }
    assert_eq!(code(&run(folder.path(), &[("HALO_URL", "")], &["campaign", "show", "mine"])), Some(0));
}

/// The guards: `real_phones_ring` asks the database, `knows_its_platform`. The serving process knows the platform, this terminal does not.
#[tokio::test]
async fn a_terminal_without_settings_is_bound_by_the_platform_that_is_served() {
    let folder = folder();
    imported(folder.path(), "mine");
    let account = "insert into accounts (account_id, platform) values (7, 'api.voximplant.com/1')";
    let served = "insert into installation (name, value) values ('account', '7')";
    sql(folder.path(), &[account, served]).await;
    let refused = run(folder.path(), &[], &["campaign", "start", "mine"]);
    assert_eq!((code(&refused), err(&refused).contains("never dialled on the real platform")), (Some(1), true));
    let dir = campaign(folder.path(), "more", &settings("more", ""), csv([number(0, 2)]).as_bytes());
    // What is written would get the simulator's made-up caller id.
    for verb in [&["campaign", "import", &dir][..], &["campaign", "set", "mine", "dial.cps=1"]] {
        let refused = run(folder.path(), &[], verb);
        assert_eq!((code(&refused), err(&refused).contains("of `halo serve`")), (Some(2), true), "{}", err(&refused));
    }
    assert_ne!(code(&run(folder.path(), &[], &["campaign", "pause", "--all"])), Some(2), "anybody may pause");
}

/// The guard: only a closed pipe is forgiven in `Out::write`.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_no_success() {
    let folder = folder();
    imported(folder.path(), "mine");
    for verb in [&["export", "mine", "contacts"][..], &["report", "mine"]] {
        let full = File::options().write(true).open("/dev/full").expect("a device that is always full");
        let output = halo(folder.path(), &[], verb).stdout(full).output().expect("the program starts");
        assert_eq!((code(&output), err(&output).contains("standard output: ")), (Some(1), true), "{}", err(&output));
    }
}

/// The guard: the hook in `main`.
#[test]
fn a_reader_that_has_gone_ends_a_command_without_a_cry() {
    let folder = folder();
    imported(folder.path(), "mine");
    for verb in [&["campaign", "list"][..], &["campaign", "show", "mine"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = halo(folder.path(), &[], verb).stdout(writer).output().expect("the program starts");
        assert_eq!((code(&output), err(&output).as_str()), (Some(141), ""), "{verb:?}");
    }
}
