//! Every example campaign can be imported as it stands.

use halo::dialogue::{Heard, Manner, Record, Script, reply, told};
use halo::domain::{Mode, Timestamp};
use halo::intake::{self, List};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn modes() -> BTreeSet<Mode> {
    ["dialog", "realtime", "realtime_pure", "realtime_stream", "greeting"].iter().map(|m| m.parse().unwrap()).collect()
}

fn campaigns() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{}: {name}: {e}", folder.display()))
}

fn list(folder: &Path) -> List {
    intake::read(text(folder, "contacts.csv").as_bytes(), "RU", &modes()).unwrap()
}

#[test]
fn every_example_is_whole() {
    let folders = campaigns();
    let names: Vec<_> = folders.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["demo", "nightly", "operator"]);
    for (folder, name) in folders.iter().zip(&names) {
        let settings = intake::settings::parse(&text(folder, "campaign.toml"), &modes()).unwrap();
        assert_eq!(settings.name, **name);
        let stored = intake::settings::to_json(&settings);
        assert_eq!(intake::settings::from_json(&stored, &modes()), Ok(settings));

        let list = list(folder);
        assert_eq!(list.rows, list.accepted.len() + list.duplicates() + list.refused(), "{name}");
        assert_eq!(list.rows, text(folder, "contacts.csv").lines().count() - 1, "{name}: one row a line");
        assert_eq!(list.examples().count(), list.accepted.len(), "{name}: only example numbers are committed");

        let script = Script::parse(&text(folder, "script.toml")).unwrap();
        for row in &list.accepted {
            let said = |name: &str| row.variables.get(name).is_some_and(|value| !value.trim().is_empty());
            assert!(script.variables().into_iter().all(said), "{name} {}", row.line);
            let told = told(&script, Manner::Own, &row.variables);
            assert!(!told.first_phrase.contains("{{") && !told.instructions.contains("{{"), "{name} {}", row.line);
        }
    }
}

/// The last two digits choose the callee: the demo shows every one of them.
#[test]
fn the_demo_shows_every_callee() {
    let list = list(&campaigns()[0]);
    assert_eq!((list.rows, list.accepted.len(), list.duplicates(), list.refused()), (458, 449, 2, 7));
    let mut endings: BTreeMap<u32, usize> = BTreeMap::new();
    for row in &list.accepted {
        let number = row.number.as_str();
        *endings.entry(number[number.len() - 2..].parse().unwrap()).or_default() += 1;
    }
    let talkers: usize = endings.iter().filter(|(e, _)| **e < 60 || **e == 67).map(|(_, n)| n).sum();
    let share = talkers as f64 / list.accepted.len() as f64;
    assert!((0.65..0.75).contains(&share), "{share} of the callees talk to the end");
    for ending in (60..100).filter(|e| *e != 67) {
        assert!(endings.get(&ending).is_some_and(|n| *n >= 3), "callee {ending} is missing");
    }
}

/// Callees who answer with a few general words are led to the goodbye.
#[test]
fn every_script_comes_to_its_end() {
    for folder in campaigns() {
        let script = Script::parse(&text(&folder, "script.toml")).unwrap();
        let variables = &list(&folder).accepted[0].variables;
        let mut last = reply(&script, variables, &Record::default(), Heard::Opening);
        let mut turns = 1;
        for text in ["Да, слушаю.", "Угу, хорошо.", "Да, конечно.", "Давайте завтра после обеда.", "Хорошо."]
        {
            if last.end_session {
                break;
            }
            let heard = Heard::Text { text, now: Timestamp(0), zone: chrono_tz::Europe::Moscow };
            last = reply(&script, variables, &last.record, heard);
            turns += 1;
        }
        assert!(last.end_session && last.goal, "{}: {last:?}", folder.display());
        assert!((4..=6).contains(&turns), "{}: {turns} turns", folder.display());
    }
}

#[test]
fn the_plain_script_says_nothing_of_its_contact() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let script = Script::parse(&text(&root, "plain.toml")).unwrap();
    assert_eq!(script.variables(), BTreeSet::new());
}
