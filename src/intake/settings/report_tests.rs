//! What `[report]` may say, and what it may not.

use super::{from_json, parse, to_json};
use crate::domain::Mode;
use crate::domain::notice::{Channel, Morning};
use std::collections::BTreeSet;

fn read(section: &str) -> Result<Morning, String> {
    let modes: BTreeSet<Mode> = ["dialog"].iter().map(|m| m.parse().unwrap()).collect();
    let text = format!("name = \"a\"\npurpose = \"test\"\n{section}");
    let settings = parse(&text, &modes).map_err(|faults| faults.list().join("; "))?;
    let stored = to_json(&settings);
    // The morning looks for campaigns by this word in what is stored.
    assert_eq!(stored.to_string().contains("\"report\""), settings.report.at_min.is_some());
    let back = from_json(&stored, &modes).expect("what is stored is read");
    assert_eq!(back, settings);
    Ok(settings.report)
}

#[test]
fn a_report_has_an_hour() {
    assert_eq!(read(""), Ok(Morning::default()));
    let plain = read("[report]\nat = \"09:05\"").unwrap();
    assert_eq!((plain.at_min, plain.channels.len(), plain.russian), (Some(545), 0, false));
    let all = read("[report]\nat = \"00:00\"\nchannels = [\"telegram\", \"email\"]\nlang = \"ru\"").unwrap();
    assert_eq!(all, Morning { at_min: Some(0), channels: vec![Channel::Telegram, Channel::Email], russian: true });
}

#[test]
fn what_nobody_can_mean_is_refused() {
    for (section, named) in [
        ("lang = \"en\"", "at"),
        ("at = \"9:00\"", "at"),
        ("at = \"24:00\"", "at"),
        ("at = \"09:60\"", "at"),
        ("at = \"+9:00\"", "at"),
        ("at = \"09:00\"\nchannels = []", "channels"),
        ("at = \"09:00\"\nchannels = [\"pigeon\"]", "channels"),
        ("at = \"09:00\"\nchannels = [\"email\", \"email\"]", "channels"),
        ("at = \"09:00\"\nlang = \"fr\"", "lang"),
        ("at = \"09:00\"\nhour = 9", "hour"),
    ] {
        let refused = read(&format!("[report]\n{section}"));
        assert!(refused.as_ref().is_err_and(|why| why.contains(named)), "{section}: {refused:?}");
    }
}
