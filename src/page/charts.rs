//! Bars of ours, drawn as SVG with attributes only: the policy of the page allows no style in an element.
//!
//! Words stand beside a chart as text; a chart itself is hidden from whoever reads by ear.

use std::fmt::Write;

/// Widths are written in these parts of a bar.
const WIDE: f64 = 1000.0;
const TALL: f64 = 100.0;

/// One bar of parts: class and count. What is left of `total` stays empty.
pub fn bar(parts: &[(&str, i64)], total: i64) -> String {
    let total = total.max(parts.iter().map(|(_, n)| *n).sum()).max(1) as f64;
    let mut out = r#"<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">"#.to_owned();
    let mut x = 0.0;
    for (class, n) in parts.iter().filter(|(_, n)| *n > 0) {
        let width = *n as f64 / total * WIDE;
        let _ = write!(out, r#"<rect class="{class}" x="{x:.1}" y="0" width="{width:.1}" height="10"/>"#);
        x += width;
    }
    out + "</svg>"
}

/// Columns side by side, each of parts from the bottom up: class and count.
pub fn columns(columns: &[Vec<(String, i64)>], least_top: i64) -> String {
    let top = columns.iter().map(|parts| parts.iter().map(|(_, n)| n).sum::<i64>()).max().unwrap_or(0);
    let top = nice(top.max(least_top)) as f64;
    let each = WIDE / columns.len().max(1) as f64;
    let mut out =
        r#"<svg class="columns" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">"#.to_owned();
    for (nth, parts) in columns.iter().enumerate() {
        let mut y = TALL;
        for (class, n) in parts.iter().filter(|(_, n)| *n > 0) {
            let height = *n as f64 / top * TALL;
            y -= height;
            let x = nth as f64 * each;
            let width = each * 0.72;
            let _ =
                write!(out, r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#);
        }
    }
    out + "</svg>"
}

/// The next number that people count by.
pub fn nice(n: i64) -> i64 {
    let mut step = 1;
    loop {
        for times in [1, 2, 5] {
            if n <= step * times {
                return step * times;
            }
        }
        step *= 10;
    }
}

/// Hours of a week in which may be called: for each day from Monday, minutes from and until.
pub fn week(days: &[String]) -> [Vec<(u32, u32)>; 7] {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let mut week: [Vec<(u32, u32)>; 7] = Default::default();
    let minute = |text: &str| {
        let (h, m) = text.trim().split_once(':')?;
        Some(h.parse::<u32>().ok()? * 60 + m.parse::<u32>().ok()?)
    };
    let nth = |name: &str| NAMES.iter().position(|known| name.trim().eq_ignore_ascii_case(known));
    for line in days {
        let Some((which, hours)) = line.trim().split_once(' ') else { continue };
        let mut chosen = Vec::new();
        for part in which.split(',') {
            match part.split_once('-').map(|(from, until)| (nth(from), nth(until))) {
                Some((Some(from), Some(until))) if from <= until => chosen.extend(from..=until),
                Some((Some(from), Some(until))) => chosen.extend((from..7).chain(0..=until)),
                _ => chosen.extend(nth(part)),
            }
        }
        for hours in hours.split(',') {
            let Some((from, until)) = hours.split_once('-') else { continue };
            if let (Some(from), Some(until)) = (minute(from), minute(until)) {
                chosen.iter().for_each(|day| week[*day].push((from, until.min(1440))));
            }
        }
    }
    week
}

/// One day of it, as a bar of 24 hours.
pub fn day(open: &[(u32, u32)]) -> String {
    let mut out = r#"<svg class="day" viewBox="0 0 1440 10" preserveAspectRatio="none" aria-hidden="true">"#.to_owned();
    for (from, until) in open {
        let width = until.saturating_sub(*from);
        let _ = write!(out, r#"<rect class="open" x="{from}" y="0" width="{width}" height="10"/>"#);
    }
    out + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_as_far_as_it_is_done() {
        let drawn = bar(&[("a", 25), ("b", 0), ("c", 50)], 100);
        assert!(
            drawn.contains(r#"class="a" x="0.0" y="0" width="250.0""#) && drawn.contains(r#"x="250.0""#),
            "{drawn}"
        );
        assert_eq!(drawn.matches("<rect").count(), 2);
        assert!(bar(&[], 0).ends_with("</svg>"));
    }

    #[test]
    fn windows_are_read_as_settings_write_them() {
        let week = week(&["mon-fri 09:00-13:00, 14:00-20:00".into(), "sat,sun 10:00-24:00".into(), "nonsense".into()]);
        assert_eq!(week[0], [(540, 780), (840, 1200)]);
        assert_eq!((week[4].len(), &week[6]), (2, &vec![(600, 1440)]));
        assert_eq!([nice(0), nice(3), nice(11), nice(50), nice(51)], [1, 5, 20, 50, 100]);
    }
}
