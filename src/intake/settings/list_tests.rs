//! `[list]` as people write it.

use crate::domain::list::{ListRules, Quote, ValueKind};
use crate::intake::settings::{from_json, parse, to_json};
use serde_json::json;
use std::collections::BTreeSet;

fn modes() -> BTreeSet<crate::domain::Mode> {
    ["dialog".parse().unwrap()].into()
}

fn read(list: &str) -> Result<ListRules, Vec<String>> {
    let text = format!("name = \"a\"\npurpose = \"test\"\n[list]\n{list}");
    parse(&text, &modes()).map(|settings| settings.list).map_err(|faults| faults.list())
}

#[test]
fn every_key_is_read_and_written_again() {
    let list = read(
        "encoding = \"cp1251\"\ndelimiter = \"tab\"\nquote = \"none\"\nheader = false\nsheet = \"Лист 2\"\n\
         allow = [\"premium\"]\nrows_max = 10\nsize_mib_max = 1\n\
         duplicate_days = 30\nduplicates = \"call\"\n\
         columns = { phone = \"Кому\", debt = \"3\" }\ntypes = { debt = \"number\" }",
    )
    .unwrap();
    assert_eq!(list.dialect.encoding.as_deref(), Some("windows-1251"));
    assert_eq!((list.dialect.delimiter, list.dialect.quote), (Some('\t'), Some(Quote::None)));
    assert_eq!((list.rows_max, list.size_mib_max, list.allow.premium, list.allow.short), (10, 1, true, false));
    assert_eq!(list.types["debt"], ValueKind::Number);
    assert_eq!((list.elsewhere.days, list.elsewhere.call), (30, true));

    let text = json!({ "name": "a", "purpose": "test" });
    let mut settings = from_json(&text, &modes()).unwrap();
    assert!(to_json(&settings).get("list").is_none(), "older texts say nothing, and neither does ours");
    settings.list = list;
    assert_eq!(from_json(&to_json(&settings), &modes()).unwrap(), settings);
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    for (list, said) in [
        ("encoding = \"klingon\"", "list.encoding: found `klingon`; write the name of a text encoding"),
        ("delimiter = \"ab\"", "list.delimiter: found `ab`; write one character"),
        ("delimiter = 3", "list.delimiter: found no text"),
        ("quote = \"x\"", "list.quote: found `x`; write double, single or none"),
        ("header = 1", "list.header: found 1; write true or false"),
        ("allow = [\"all\"]", "list.allow: found `all`; write premium, short or both"),
        ("rows_max = 0", "list.rows_max: found 0; write a whole number from 1"),
        ("types = { a = \"float\" }", "list.types.a: found \"float\"; write one of: text, integer, number, date"),
        ("columns = { phone = 2 }", "list.columns.phone: found 2; write a text"),
        ("columns = [\"phone\"]", "list.columns: found no table"),
        ("duplicate_days = 0", "list.duplicate_days: found 0; write a whole number from 1 to 3650"),
        ("duplicate_days = 1\nduplicates = \"ask\"", "list.duplicates: found `ask`; write leave_out or call"),
        ("duplicates = \"call\"", "list.duplicates: speaks of numbers of other campaigns; say how far back"),
        ("delimeter = \";\"", "list.delimeter: unknown key; did you mean `delimiter`?"),
    ] {
        let faults = read(list).unwrap_err();
        assert!(faults[0].starts_with(said), "{list}: {faults:?}");
    }
}
