//! What is logged, whatever is asked for, and in which form.

use tracing_subscriber::EnvFilter;

/// Asks for lines of JSON, among the words of `HALO_LOG`.
const JSON: &str = "json";

/// `asked` as in `HALO_LOG`, else `default` for everything of ours.
///
/// The library that reads phone numbers tells each of them at its most talkative: it is never heard.
pub fn log_filter(asked: Option<&str>, default: &str) -> EnvFilter {
    let asked = asked.map(|asked| log_form(asked).0);
    let asked = asked.filter(|filter| !filter.trim().is_empty()).and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = asked.unwrap_or_else(|| EnvFilter::new(format!("{default},sqlx=warn")));
    let silent = "rlibphonenumber=off".parse().expect("a directive of ours, tried by every start");
    filter.add_directive(silent)
}

/// The filter in `HALO_LOG`, and whether each line is to be JSON: `json` stands among the words, as in `json,info`.
pub fn log_form(asked: &str) -> (String, bool) {
    let words: Vec<&str> = asked.split(',').map(str::trim).collect();
    let filter: Vec<&str> = words.iter().copied().filter(|word| *word != JSON).collect();
    (filter.join(","), filter.len() < words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_form_and_no_filter() {
        assert_eq!(log_form("json"), (String::new(), true));
        assert_eq!(log_form("info, json,sqlx=warn"), ("info,sqlx=warn".to_owned(), true));
        assert_eq!(log_form("info,halo::json=debug"), ("info,halo::json=debug".to_owned(), false));
        assert_eq!(log_filter(Some("json"), "info").to_string(), log_filter(None, "info").to_string());
    }
}
