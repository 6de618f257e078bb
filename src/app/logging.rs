//! What is logged, whatever is asked for.

use tracing_subscriber::EnvFilter;

/// `asked` as in `HALO_LOG`, else `default` for everything of ours.
///
/// The library that reads phone numbers tells each of them at its most talkative: it is never heard.
pub fn log_filter(asked: Option<&str>, default: &str) -> EnvFilter {
    let asked = asked.filter(|filter| !filter.trim().is_empty()).and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = asked.unwrap_or_else(|| EnvFilter::new(format!("{default},sqlx=warn")));
    let silent = "rlibphonenumber=off".parse().expect("a directive of ours, tried by every start");
    filter.add_directive(silent)
}
