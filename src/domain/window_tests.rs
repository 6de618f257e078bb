//! Windows as a person writes them, and read back.

use super::*;
use proptest::prelude::*;

#[test]
fn lines_become_slots_and_lines_again() {
    for (lines, canonical) in [
        (vec!["mon-fri 09:00-20:00", "sat 10:00-18:00"], "mon-fri 09:00-20:00; sat 10:00-18:00"),
        (vec!["mon 9:00-13:00, 14:00-18:30"], "mon 09:00-13:00, 14:00-18:30"),
        (vec!["sat,sun 10:00-18:00"], "sat-sun 10:00-18:00"),
        (vec!["fri 22:00-02:00"], "fri 22:00-24:00; sat 00:00-02:00"),
        (vec!["sun 23:00-01:00"], "mon 00:00-01:00; sun 23:00-24:00"),
        (vec!["fri-mon 10:00-11:00"], "mon 10:00-11:00; fri-sun 10:00-11:00"),
        (vec!["daily 00:00-24:00"], "mon-sun 00:00-24:00"),
        (vec!["MON–WED 09:00–10:00"], "mon-wed 09:00-10:00"),
        (vec!["mon 09:00-12:00", "mon 11:00-13:00", "mon 13:00-14:00"], "mon 09:00-14:00"),
        (vec![], "never"),
    ] {
        let windows = Windows::parse(&lines).unwrap_or_else(|e| panic!("{lines:?}: {e:?}"));
        assert_eq!(windows.to_string(), canonical, "{lines:?}");
        assert_eq!(Windows::parse(&windows.lines()), Ok(windows), "{lines:?}");
    }
}

#[test]
fn faults_are_all_named() {
    let lines = ["funday 09:00-10:00", "mon 25:00-26:00", "mon", "09:00-10:00", "mon 09:00-09:00", "mon 9-18"];
    let faults = Windows::parse(&lines).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "`funday` is not a day: use mon, tue, wed, thu, fri, sat, sun",
            "`25:00` is not a time of day: use 00:00 to 24:00",
            "`mon` is not a window: write days and hours, as in `mon-fri 09:00-20:00`",
            "`09:00-10:00` is not a window: write days and hours, as in `mon-fri 09:00-20:00`",
            "`09:00-09:00` lasts no time: write `00:00-24:00` for the whole day",
            "`9` is not a time of day: use 00:00 to 24:00",
        ]
    );
}

proptest! {
    #[test]
    fn lines_are_read_back(slots in prop::collection::vec((0u32..WEEK_MIN, 1u32..3000), 0..8)) {
        let slots = slots.into_iter().map(|(from, length)| (from, (from + length).min(WEEK_MIN))).collect();
        let windows = Windows { slots: merged(slots) };
        prop_assert_eq!(Windows::parse(&windows.lines()), Ok(windows));
    }
}
