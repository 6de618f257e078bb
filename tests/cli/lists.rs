//! `halo campaign check`, `template`, and lists from standard input.

use super::{campaign, code, err, folder, halo, out, run};
use crate::harness::settings;
use serde_json::Value;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn fed(folder: &Path, arguments: &[&str], bytes: &[u8]) -> Output {
    let mut command = halo(folder, &[], arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn ugly(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/ugly/{name}", env!("CARGO_MANIFEST_DIR"))).expect("an ugly file")
}

#[test]
fn a_list_is_looked_at_and_nothing_is_stored() {
    let folder = folder();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, ugly("excel-russian.csv")).expect("a list");
    let told = run(folder.path(), &[], &["campaign", "check", "list.csv"]);
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    let lines = out(&told);
    assert!(lines.starts_with("4 rows = 2 accepted + 1 duplicate + 1 refused\n"), "{lines}");
    assert!(lines.contains("File: csv, windows-1251, delimiter ;, quotes double, header in line 1"), "{lines}");
    assert!(lines.contains("Сумма долга → {сумма_долга} (number)"), "{lines}");

    let told = fed(folder.path(), &["campaign", "check", "-", "--json"], &ugly("packed.csv.gz"));
    let json: Value = serde_json::from_str(&out(&told)).expect("JSON");
    assert_eq!((&json["dialect"]["gzip"], &json["buckets"]["accepted"]), (&Value::Bool(true), &Value::from(2)));

    let told = run(folder.path(), &[], &["campaign", "check", "list.csv", "--encoding", "klingon"]);
    assert_eq!(code(&told), Some(2));
    assert!(err(&told).contains("--encoding: write the name of a text encoding"), "{}", err(&told));
    let told = fed(folder.path(), &["campaign", "check", "-"], &ugly("old-excel.xls"));
    assert_eq!(code(&told), Some(1));
    assert!(err(&told).contains("an Excel file of before 2007"), "{}", err(&told));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing but the list: {left:?}");
}

/// Guard: `ask` in `http/taken.rs`.
#[test]
fn what_the_script_says_and_a_row_lacks_is_found_before_anything_is_stored() {
    let folder = folder();
    let script = include_str!("../../campaigns/demo/script.toml");
    let rows = "phone,name,city\n+79990000001,Анна,Омск\n+79990000002,Олег, \n+79990000003,\u{200b},Томск\n";
    let dir = campaign(folder.path(), "may", &settings("may", ""), rows.as_bytes());
    std::fs::write(folder.path().join(&dir).join("script.toml"), script).expect("a script");
    for command in ["check", "import"] {
        let told = run(folder.path(), &[], &["campaign", command, &dir]);
        assert_eq!(code(&told), Some(1), "{command}: {}", err(&told));
        let told = out(&told) + &err(&told);
        for says in
            ["{{city}}, which line 3 lacks", "{{interest}}, which lines 2, 3, 4 lack", "{{name}}, which line 4 lacks"]
        {
            assert!(told.contains(says), "{command}: {says}: {told}");
        }
    }
    let told = run(folder.path(), &[], &["campaign", "list"]);
    assert!(!out(&told).contains("may"), "nothing was stored: {}", out(&told));
}

#[test]
fn a_campaign_is_imported_from_standard_input_and_from_a_workbook() {
    let folder = folder();
    let dir = campaign(folder.path(), "may", &settings("may", ""), b"phone\n+79990000001\n");
    let told = fed(folder.path(), &["campaign", "import", &dir, "--list", "-"], &ugly("dos.csv"));
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    assert!(out(&told).contains("2 rows = 2 accepted"), "{}", out(&told));
    let book = folder.path().join("june.xlsx");
    std::fs::write(&book, ugly("workbook.xlsx")).expect("a list");
    let told = run(folder.path(), &[], &["campaign", "append", "may", "june.xlsx", "--sheet", "Май"]);
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    assert!(out(&told).contains("6 rows = 1 accepted + 3 duplicate + 2 refused"), "{}", out(&told));
    let template = run(folder.path(), &[], &["campaign", "template", "--language", "ru"]);
    assert!(out(&template).starts_with("\u{feff}Телефон;"), "{}", out(&template));
}

/// A list that comes as slowly as the test likes: a pipe with a name.
struct Pipe(std::fs::File);

impl Pipe {
    /// `command` reads it; it has begun once the pipe is open.
    fn fed(folder: &Path, name: &str, mut command: Command) -> (Self, Child) {
        let path = folder.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut pipe = std::fs::File::options().write(true).open(&path).expect("somebody reads");
        pipe.write_all(b"phone,name\n+79990000001,Anna\n").expect("a part");
        (Pipe(pipe), child)
    }

    fn end(mut self) {
        self.0.write_all(b"+79990000002,Oleg\n").expect("the rest");
    }
}

/// The guard: `ProgressDrawTarget::stderr`, which draws for a terminal alone. `script` gives the program one.
#[cfg(target_os = "linux")]
#[test]
fn how_far_a_list_is_shows_on_a_terminal_alone() {
    if Command::new("script").arg("--version").output().is_err() {
        println!("no `script` here: what a terminal shows is not tried");
        return;
    }
    let folder = folder();
    let (quiet, unwatched) =
        Pipe::fed(folder.path(), "quiet.csv", halo(folder.path(), &[], &["campaign", "check", "quiet.csv"]));
    // Begun later, so the other one was slow enough to show something too.
    let mut command = Command::new("script");
    let line = format!("{} campaign check shown.csv", env!("CARGO_BIN_EXE_halo"));
    command
        .current_dir(folder.path())
        .env_clear()
        .env("TERM", "xterm")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(["-qec", &line, "/dev/null"]);
    let (shown, mut watched) = Pipe::fed(folder.path(), "shown.csv", command);
    let mut screen = Vec::new();
    let mut terminal = watched.stdout.take().expect("a pipe");
    let mut piece = [0; 1024];
    while !String::from_utf8_lossy(&screen).contains("rows read, 0 MiB") {
        let read = terminal.read(&mut piece).expect("a screen");
        assert!(read > 0, "it ended and showed nothing: {}", String::from_utf8_lossy(&screen));
        screen.extend_from_slice(&piece[..read]);
    }
    shown.end();
    terminal.read_to_end(&mut screen).expect("a screen");
    let ended = watched.wait().expect("it ends");
    let screen = String::from_utf8_lossy(&screen).into_owned();
    assert!(ended.success() && screen.contains("2 rows = 2 accepted"), "{screen}");

    quiet.end();
    let told = unwatched.wait_with_output().expect("it ends");
    assert_eq!((code(&told), err(&told).as_str()), (Some(0), ""), "nobody looks");
    assert!(out(&told).starts_with("2 rows = 2 accepted"), "{}", out(&told));
}
