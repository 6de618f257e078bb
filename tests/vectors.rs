//! Every statistic against results computed by independent packages.
//!
//! Reads `tests/vectors/ab/`, or another folder of the same shape when `HALO_VECTORS` names one.
//! Every file is run; a topic that nobody knows here fails.

use std::path::{Path, PathBuf};

use serde_json::Value;

#[path = "vectors/campaign.rs"]
mod campaign;
#[path = "vectors/case.rs"]
mod case;
#[path = "vectors/simulated.rs"]
mod simulated;
#[path = "vectors/topics.rs"]
mod topics;

use case::Case;

fn folder() -> PathBuf {
    match std::env::var_os("HALO_VECTORS") {
        Some(named) => PathBuf::from(named),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ab"),
    }
}

/// A file that belongs to our own copy; another folder may do without, and is told that it does.
fn read_own(name: &str) -> Option<Value> {
    let path = folder().join(name);
    if !path.exists() && std::env::var_os("HALO_VECTORS").is_some() {
        eprintln!("{} is not there: nothing is held against it", path.display());
        return None;
    }
    Some(read(&path))
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The list of topics, and the campaign that is compared through the report.
const NOT_TABLES: [&str; 2] = ["index", "report_case"];

fn tables() -> Vec<(String, Value)> {
    let folder = folder();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| !NOT_TABLES.iter().any(|name| path.file_stem().is_some_and(|stem| stem == *name)))
        .map(|path| {
            let table = read(&path);
            let topic = table["topic"].as_str().unwrap_or_else(|| panic!("{}: no topic", path.display()));
            (topic.to_owned(), table)
        })
        .collect()
}

#[test]
fn every_case_of_every_topic() {
    let mut faults = Vec::new();
    let mut cases = 0;
    for (topic, table) in tables() {
        let Some(check) = topics::check_of(&topic) else {
            faults.push(format!("{topic}: an unknown topic"));
            continue;
        };
        let rows = table["cases"].as_array().unwrap_or_else(|| panic!("{topic}: no cases"));
        assert!(!rows.is_empty(), "{topic}: no cases");
        for row in rows {
            cases += 1;
            let mut case = Case::of(&topic, row);
            check(&mut case);
            faults.extend(case.into_faults());
        }
    }
    assert!(faults.is_empty(), "{} faults in {cases} cases:\n{}", faults.len(), faults.join("\n"));
    assert!(cases > 0, "{}: no case", folder().display());
}

#[test]
fn the_index_and_the_files_agree() {
    let Some(index) = read_own("index.json") else { return };
    let mut listed: Vec<(String, u64)> = index["topics"]
        .as_array()
        .expect("a list of topics")
        .iter()
        .map(|row| {
            let topic = row["topic"].as_str().expect("a topic's name").to_owned();
            (topic, row["cases"].as_u64().expect("a number of cases"))
        })
        .collect();
    listed.sort();
    let mut found: Vec<(String, u64)> = tables()
        .into_iter()
        .map(|(topic, table)| (topic, table["cases"].as_array().map_or(0, Vec::len) as u64))
        .collect();
    found.sort();
    assert_eq!(found, listed);
}

#[test]
fn the_small_campaign() {
    let Some(case) = read_own("report_case.json") else { return };
    let faults = campaign::faults(&case);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn an_unknown_topic_is_not_run() {
    assert!(topics::check_of("astrology").is_none());
}
