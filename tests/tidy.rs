//! Reads the source and holds it against the house's own rules: who may look into whom, what `domain`
//! never meets, where the time comes from. A rule that only a document knows is a rule until Tuesday.
//!
//! `tests/env_example.rs` holds `.env.example` against the settings that are read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const LINES_MAX: usize = 500;

struct Room {
    name: &'static str,
    /// Rooms it looks into.
    sees: &'static [&'static str],
    /// Crates it never meets.
    never: &'static [&'static str],
}

/// The line of rooms. A new arrow is fine when it is meant: it goes in here, with its reason.
const ROOMS: &[Room] = &[
    Room {
        name: "domain",
        sees: &[],
        never: &["axum", "sqlx", "apalis", "apalis_core", "reqwest", "tokio", "futures", "rand"],
    },
    Room { name: "intake", sees: &["domain"], never: &["axum", "sqlx", "apalis", "reqwest", "tokio"] },
    Room { name: "store", sees: &["domain", "fail", "measures"], never: &["axum", "apalis", "apalis_core", "reqwest"] },
    Room { name: "voximplant", sees: &["domain", "measures"], never: &["sqlx", "apalis"] },
    // The shell owns the clock and hands the time on.
    Room {
        name: "dialer",
        sees: &["domain", "store", "voximplant", "clock", "fail", "measures"],
        never: &["axum", "apalis", "apalis_core", "sqlx", "reqwest"],
    },
    Room { name: "dialogue", sees: &["domain", "store"], never: &["axum", "sqlx", "reqwest"] },
    // Audio between two connections, whoever made them.
    Room { name: "media", sees: &[], never: &["axum", "sqlx", "apalis", "reqwest"] },
    // How a model is reached; what it is told and what its answers mean is `dialogue`'s.
    Room { name: "chat", sees: &[], never: &["axum", "sqlx", "apalis", "apalis_core"] },
    // The report of a morning is what it tells; what is told is never a decision about a call.
    Room {
        name: "notify",
        sees: &["domain", "store", "clock", "report", "measures"],
        never: &["axum", "sqlx", "apalis", "apalis_core"],
    },
    // The store's pools, in which apalis keeps its own tables, and the plan that it turns into jobs.
    Room {
        name: "queue",
        sees: &["domain", "dialer", "report", "notify", "store", "fail"],
        never: &["axum", "reqwest"],
    },
    Room { name: "report", sees: &["domain", "store"], never: &["axum", "sqlx", "apalis", "tokio", "rand"] },
    // Of the provider only what reads a callback; the clock stamps what people ask for.
    Room {
        name: "http",
        sees: &[
            "domain",
            "intake",
            "dialer",
            "dialogue",
            "media",
            "chat",
            "store",
            "report",
            "voximplant::callback",
            "voximplant::doctor",
            "voximplant::recording",
            "clock",
            "fail",
            "measures",
            "notify::fresh_secret",
            "notify::key_of",
            "notify::sound",
        ],
        never: &["apalis", "apalis_core", "sqlx", "reqwest"],
    },
    // A client of the API that lives in the same process: it hands requests to a router that it is given, and sees
    // nothing behind it. Instants are a type of `domain`.
    Room {
        name: "page",
        sees: &["domain::Timestamp", "domain::Outcome", "domain::Role", "clock"],
        never: &["apalis", "sqlx", "reqwest"],
    },
    // Sharing our types would mean sharing our mistakes.
    Room { name: "simulator", sees: &[], never: &["sqlx", "apalis"] },
    // What the rooms stand on.
    Room { name: "fail", sees: &[], never: &["axum", "sqlx", "apalis", "reqwest", "tokio"] },
    Room { name: "measures", sees: &[], never: &["axum", "sqlx", "apalis", "reqwest", "tokio"] },
    Room { name: "clock", sees: &["domain"], never: &["axum", "sqlx", "apalis", "reqwest"] },
    // A key file is read once, at the door: what follows is a key and not a path.
    Room {
        name: "config",
        sees: &["domain", "voximplant::Credentials", "voximplant::ServiceKey", "chat::OPENAI_URL", "chat::Reach"],
        never: &["axum", "sqlx", "apalis"],
    },
];

/// The wiring knows every room.
const WIRING: &[&str] = &["app", "demo", "doctor", "drill", "rehearse", "cli", "main", "lib"];

/// Words that would bring time, dice or waiting into the rules.
const BANNED_IN_DOMAIN: &[&str] =
    &["async ", ".await", "sqlx", "axum", "Instant::now", "SystemTime", "Utc::now", "Local::now", "rand::"];

/// Files that measure how long something took, which is no time of day.
const STOPWATCHES: &[(&str, &str)] = &[
    ("src/demo.rs", "how long the demo took and when it last spoke, in real time"),
    ("src/drill.rs", "how long a runner takes to recover, in real time"),
    ("src/rehearse.rs", "how long a rehearsal took, and its patience with the history, in real time"),
    ("src/cli/call.rs", "how long nobody took up a call, in real time"),
    ("src/media/carry.rs", "how far a stream has come, in real time: its other ends live in no other"),
    ("src/http/metrics.rs", "how long a session waited for its answer, and how old a reading is, in real time"),
    ("src/store/writer.rs", "how long a transaction took, in real time"),
    ("src/notify/mod.rs", "how long a try to tell took, and when alerts were looked at, in real time"),
    ("src/notify/alerts.rs", "when the provider was asked for its balance, in real time"),
    ("src/http/voice.rs", "the cost of an answer, which it declares in Server-Timing"),
    ("src/chat/mod.rs", "how long a model took to answer, in real time"),
    ("src/http/stream.rs", "how long a reply is waited for before its filler, in real time"),
    ("src/voximplant/api.rs", "how long the provider took to answer, for the log"),
    ("src/voximplant/window.rs", "how long a start was on its way, in real time"),
    ("src/voximplant/pacer.rs", "when a start left and was answered, in real time"),
    ("src/simulator/", "a program of its own, with a clock of its own"),
];

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![Path::new(ROOT).join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let name = path.strip_prefix(ROOT).expect("below the root").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    found
}

/// Without comments: a rule may be talked about.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn room_of(file: &str) -> &str {
    let rest = file.strip_prefix("src/").expect("a source file");
    rest.split('/').next().expect("a name").trim_end_matches(".rs")
}

/// The paths behind each `crate::`, two names deep, groups taken apart.
fn looked_into(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c == '$' || c.is_alphanumeric() || c == '_') {
            continue;
        }
        expand("", &code[at + "crate::".len()..], &mut paths);
    }
    paths
}

fn expand(prefix: &str, rest: &str, paths: &mut BTreeSet<String>) {
    let rest = rest.trim_start();
    if let Some(group) = rest.strip_prefix('{') {
        let (mut depth, mut from) = (1, 0);
        for (at, c) in group.char_indices() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 || (depth == 1 && c == ',') {
                expand(prefix, &group[from..at], paths);
                from = at + 1;
            }
            if depth == 0 {
                return;
            }
        }
        return;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return;
    }
    match rest[name.len()..].strip_prefix("::") {
        Some(deeper) if prefix.is_empty() => expand(&format!("{name}::"), deeper, paths),
        _ => {
            paths.insert(format!("{prefix}{name}"));
        }
    }
}

#[test]
fn imports_point_one_way() {
    let mut faults = Vec::new();
    let rooms: BTreeMap<&str, &Room> = ROOMS.iter().map(|room| (room.name, room)).collect();
    for (file, text) in files("src", "rs") {
        let name = room_of(&file);
        if WIRING.contains(&name) {
            continue;
        }
        let Some(room) = rooms.get(name) else {
            faults.push(format!("{file}: `{name}` stands in no line of the table"));
            continue;
        };
        let code = code(&text);
        for path in looked_into(&code) {
            let top = path.split("::").next().expect("a name");
            let allowed = top == name || room.sees.iter().any(|seen| *seen == top || *seen == path);
            if !allowed {
                faults.push(format!("{file}: {name} looks into {path}"));
            }
        }
        for never in room.never {
            let used = code
                .match_indices(&format!("{never}::"))
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
            if used || code.contains(&format!("use {never};")) {
                faults.push(format!("{file}: {name} never meets {never}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_reader_of_imports_can_read() {
    let text = "use crate::{a, b::{c, d::e}, f::g}; let x = crate::h::i::j(); $crate::k::l; use crate::m;";
    let found: Vec<String> = looked_into(text).into_iter().collect();
    assert_eq!(found, ["a", "b::c", "b::d", "f::g", "h::i", "m"]);
    assert_eq!(code("a // crate::b\n// c\nd"), "a \n\nd");
}

#[test]
fn the_rules_know_no_time_no_dice_and_no_waiting() {
    for (file, text) in files("src/domain", "rs") {
        for word in BANNED_IN_DOMAIN {
            assert!(!code(&text).contains(word), "{file} holds `{word}`");
        }
    }
}

#[test]
fn the_time_of_day_comes_from_one_place() {
    for (file, text) in files("src", "rs") {
        let code = code(&text);
        for word in ["SystemTime::now", "Utc::now", "Local::now"] {
            let own = file == "src/clock.rs" || file == "src/simulator/clock.rs";
            assert!(own || !code.contains(word), "{file} reads {word}");
        }
        let stopwatch = STOPWATCHES.iter().any(|(known, _)| file.starts_with(known));
        assert!(stopwatch || !code.contains("Instant::now"), "{file} measures time and is not known to");
    }
    for (file, text) in files("src/store/queries", "sql").into_iter().chain(files("migrations", "sql")) {
        for word in ["now()", "current_timestamp", "strftime", "datetime("] {
            assert!(!text.to_lowercase().contains(word), "{file} reads a clock: {word}");
        }
    }
}

#[test]
fn files_are_short() {
    let mut all = files("src", "rs");
    all.extend(files("tests", "rs"));
    all.extend(files("voximplant", "js"));
    for (file, text) in all {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{file} has {lines} lines; {LINES_MAX} are enough for one thought");
    }
}

#[test]
fn nothing_is_left_for_later() {
    let mut all = files("src", "rs");
    all.extend(files("tests", "rs"));
    all.extend(files("voximplant", "js"));
    all.extend(files("src/store/queries", "sql"));
    for (file, text) in all {
        for word in [concat!("todo", "!("), concat!("unimplement", "ed!("), concat!("TO", "DO"), concat!("FIX", "ME")] {
            assert!(!text.contains(word), "{file} holds `{word}`");
        }
    }
}

#[test]
fn every_statement_says_its_name_and_is_asked() {
    let asked: String = files("src/store/acts", "rs").into_iter().map(|(_, text)| text).collect();
    for (file, text) in files("src/store/queries", "sql") {
        let name = Path::new(&file).file_stem().expect("a name").to_string_lossy().into_owned();
        let told = text.strip_prefix(&format!("-- {name}: ")).and_then(|rest| rest.lines().next());
        assert!(told.is_some_and(|line| line.len() > 3), "{file} does not begin with its name and its question");
        assert!(asked.contains(&format!("sql!(\"{name}\")")), "{file} is asked by nobody");
        assert!(!text.trim_end().ends_with(';'), "{file} is one statement and needs no end");
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (file, text) in files("src", "rs") {
        assert!(text.starts_with("//! "), "{file} does not begin with a sentence about itself");
    }
}

/// Numbers that are no examples and must not be: a reader of shapes and ranges is tried on them.
const NO_EXAMPLES: &[&str] = &["+78005553535", "+79991234568", "+12125550200", "+123456789012345", "+74951234567"];

/// Nobody's phone stands in the repository.
#[test]
fn numbers_are_examples() {
    let mut all = files("src", "rs");
    for (folder, ending) in [
        ("tests/campaign", "rs"),
        ("tests/single", "rs"),
        ("tests/cli", "rs"),
        ("tests/http", "rs"),
        ("tests/store", "rs"),
        ("docs", "md"),
    ] {
        all.extend(files(folder, ending));
    }
    for ending in ["csv", "toml"] {
        all.extend(files("campaigns", ending));
    }
    all.extend(files("voximplant", "js"));
    all.extend(files("voximplant", "json"));
    for (file, text) in all {
        for (at, _) in text.match_indices('+') {
            let digits: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
            let number = format!("+{digits}");
            if !(11..=15).contains(&digits.len()) || NO_EXAMPLES.contains(&number.as_str()) {
                continue;
            }
            let example = number.parse::<halo::domain::PhoneNumber>().is_ok_and(|number| number.is_example());
            assert!(example, "{file} holds a number that is no example");
        }
    }
}
