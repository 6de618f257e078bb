//! Time inside a session, counted from its start in microseconds, and its way to wall time.

/// Virtual microseconds since the session's start.
pub type Micros = u64;

pub const MS: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;

/// Wall time as unix milliseconds. The ledgers' `at_ms` come from here, and nothing else does:
/// what happens inside a session never asks the wall.
pub fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `YYYY-MM-DD HH:mm:ss`, as the history writes it.
pub fn utc_text(unix_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(unix_ms).unwrap_or_default().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads a date as the clients write it: with a blank or a `T`, with or without a zone, or a day alone.
pub fn parse_utc(text: &str) -> Option<i64> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.timestamp_millis());
    }
    let plain = text.replace('T', " ");
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(&plain, format) {
            return Some(at.and_utc().timestamp_millis());
        }
    }
    let day = NaiveDate::parse_from_str(&plain, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_leniently() {
        assert_eq!(parse_utc("1970-01-02 00:00:01"), Some(86_401_000));
        assert_eq!(parse_utc("1970-01-02T00:00:01Z"), Some(86_401_000));
        assert_eq!(parse_utc("1970-01-02"), Some(86_400_000));
        assert_eq!(parse_utc("yesterday"), None);
        assert_eq!(utc_text(86_401_000), "1970-01-02 00:00:01");
    }
}
