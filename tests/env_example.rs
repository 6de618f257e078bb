//! `.env.example` is the manual of the settings: it parses, is complete, and rings nobody.

use halo::config::{Config, NAMES, PlatformConfig};
use std::collections::BTreeMap;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");

fn pairs() -> Vec<(String, String)> {
    dotenvy::from_path_iter(FILE).unwrap().map(|line| line.unwrap()).collect()
}

#[test]
fn every_setting_stands_once() {
    let mut written: Vec<String> = pairs().into_iter().map(|(name, _)| name).collect();
    let mut read: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    written.sort();
    read.sort();
    assert_eq!(written, read);
}

#[test]
fn every_setting_has_its_why() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let mut explained = false;
    for line in text.lines() {
        match line {
            "" => explained = false,
            comment if comment.starts_with("# ---") => {}
            comment if comment.starts_with("# ") => explained = true,
            setting => assert!(explained, "no comment stands above: {setting}"),
        }
    }
}

#[test]
fn comments_behind_values_are_no_part_of_them() {
    let found: BTreeMap<String, String> = pairs().into_iter().collect();
    assert_eq!(found["USE_VOXIMPLANT"], "false");
    assert_eq!(found["VOXIMPLANT_API_KEY"], "");
    assert_eq!(found["VOX_DIALOG_RULE_NAME"], "voice_dialog_rule");
    assert!(found.values().all(|value| !value.contains('#')));
}

#[test]
fn as_it_stands_it_rings_nobody() {
    let found: BTreeMap<String, String> = pairs().into_iter().collect();
    let config = Config::read(&|name| found.get(name).cloned()).unwrap();
    assert!(matches!(config.platform, PlatformConfig::Inside));
    assert!(!config.is_real());
    assert_eq!((config.cps_max, config.lines_max, config.clock_speed), (None, None, 1.0));
}
