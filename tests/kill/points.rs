//! The list of points and the code that has them do not drift apart.

use halo::fail::POINTS;
use std::collections::BTreeSet;
use std::path::Path;

/// What the code calls, by the name that it gives.
fn named(text: &str, call: &str) -> Vec<String> {
    let call = format!("fail::{call}(\"");
    let pieces = text.split(call.as_str()).skip(1);
    pieces.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            *into += &std::fs::read_to_string(&path).expect("text");
        }
    }
}

/// Without it a point that lost its place would stand in the matrix and never kill anybody, or a new one would
/// never be tried.
#[test]
fn every_point_of_the_list_is_in_the_code_and_the_other_way_round() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let mut used: BTreeSet<String> = BTreeSet::new();
    for call in ["point", "after"] {
        used.extend(named(&text, call));
    }
    for act in named(&text, "wrote") {
        // The queue's commit is apalis's own: what comes after it is a point.
        let sides: &[&str] = if act == "queue" { &["uncommitted"] } else { &["uncommitted", "committed"] };
        used.extend(sides.iter().map(|side| format!("{act}.{side}")));
    }
    let listed: BTreeSet<String> = POINTS.iter().map(|point| (*point).to_owned()).collect();
    assert_eq!(listed.len(), POINTS.len(), "a point stands twice in the list");
    let missing: Vec<_> = listed.symmetric_difference(&used).collect();
    assert!(missing.is_empty(), "in the list or in the code alone: {missing:?}");
}
