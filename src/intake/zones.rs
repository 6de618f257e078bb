//! Which clock a number names, where it names exactly one.
//!
//! A guess would ring people at night, so there is none: a country with several clocks, and a mobile
//! number in it, say nothing, and the campaign's zone holds. The facts are in `zones.txt`.

use chrono_tz::Tz;
use rlibphonenumber::{PhoneNumberType, Region};
use std::collections::HashMap;
use std::sync::LazyLock;

/// By country (`DE`), and by the beginning of a fixed line's number (`+7423`).
static ZONES: LazyLock<HashMap<&str, Tz>> = LazyLock::new(|| {
    let lines = include_str!("zones.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).filter_map(|(key, zone)| Some((key, zone.parse().ok()?))).collect()
});

/// Characters of a fixed line's beginning: `+7` and three digits.
const AREA_CHARS: usize = 5;

/// The zone of a number in E.164 whose country and kind are known.
pub fn of(e164: &str, country: Region, kind: PhoneNumberType) -> Option<Tz> {
    let area = || e164.get(..AREA_CHARS).filter(|_| kind == PhoneNumberType::FixedLine);
    ZONES.get(country.to_string().as_str()).or_else(|| ZONES.get(area()?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use PhoneNumberType::{FixedLine, Mobile};

    #[test]
    fn only_what_names_one_clock_has_a_zone() {
        // Beginnings, not numbers: only these digits are looked at.
        for (beginning, country, kind, zone) in [
            ("+7423", "RU", FixedLine, Some("Asia/Vladivostok")),
            ("+7495", "RU", FixedLine, Some("Europe/Moscow")),
            ("+7401", "RU", FixedLine, Some("Europe/Kaliningrad")),
            ("+7845", "RU", FixedLine, Some("Europe/Saratov")),
            // Yakutia keeps three clocks; a mobile number says nothing of the place, whatever it begins with
            ("+7411", "RU", FixedLine, None),
            ("+7999", "RU", Mobile, None),
            ("+7423", "RU", Mobile, None),
            ("+7423", "RU", PhoneNumberType::TollFree, None),
            // one clock for the whole country: any number of it
            ("+4915", "DE", Mobile, Some("Europe/Berlin")),
            ("+7701", "KZ", Mobile, Some("Asia/Almaty")),
            ("+1212", "US", FixedLine, None),
            ("+7", "RU", FixedLine, None),
        ] {
            let found = of(beginning, Region::from_code(country).unwrap(), kind);
            assert_eq!(found.map(|zone| zone.name()), zone, "{beginning} {country} {kind:?}");
        }
    }

    #[test]
    fn every_line_of_the_file_is_understood() {
        let lines: Vec<&str> =
            include_str!("zones.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert_eq!(ZONES.len(), lines.len(), "a zone is misspelt, or a line stands twice");
        for line in lines {
            let key = line.split(' ').next().unwrap();
            let known = match key.strip_prefix("+7") {
                Some(area) => area.len() == 3 && area.bytes().all(|b| b.is_ascii_digit()),
                None => crate::intake::phone::region(key).is_ok(),
            };
            assert!(known, "{line}");
        }
    }
}
