//! The provider's error codes: what each means for a start, how long to wait, and what an operator does.
//!
//! Names and numbers are those of the official client's list of 457. None of them leads to a second
//! request by itself: a start is sent once, and what follows is for the dialer.

use std::time::Duration;

/// What a failed start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nobody was called: defer.
    NotTaken,
    /// A session may run: the grant's deadline decides.
    Unclear,
    /// No call can succeed until an operator acts.
    Account,
}

/// What a provider may ask us to wait: not a blink, and not longer than an operator would.
const WAIT_S_MIN: u64 = 1;
const WAIT_S_MAX: u64 = 3600;

/// Those that say "not now" defer; those that say "not like this" will say so again, for every contact,
/// until somebody acts; the platform's inner failures may hide a session.
pub(super) fn meaning(code: i64) -> Meaning {
    match code {
        // Billing failed or the money is gone; a key, a mail or an id could not be made.
        5 => Meaning::Account,
        // Media servers, balancers, phone providers, call service: they did not take it.
        12 | 15..=23 => Meaning::NotTaken,
        // Fatal, internal, database; the call service's own error and its answer's.
        1..=99 | 251 | 252 => Meaning::Unclear,
        // Try later, concurrent limit, rate limit, retry after, looks like a resend, too many changes, locked, just done.
        // 429 is `resource_type` by the provider's list; a start names none, so it can only mean the rate.
        162 | 314 | 340 | 416 | 429 | 484 | 512 | 514 | 515 => Meaning::NotTaken,
        _ => Meaning::Account,
    }
}

/// Does this code say that there were too many starts (429 and 340) or too many calls (314)?
pub(super) fn asks_for_less(code: i64) -> bool {
    matches!(code, 314 | 340 | 429)
}

/// How long to wait after a refusal that only says "not now": in the provider's words where it has any,
/// else what fits the code. `None`: longer each time, for nobody knows.
pub(super) fn wait(code: i64, message: &str) -> Option<Duration> {
    let fits = match code {
        // A line is free when a call ends.
        314 => Some(10),
        // It took the request for an automatic resend: the next one must not look like one.
        484 => Some(30),
        512 => Some(60),
        514 | 515 => Some(10),
        _ => None,
    };
    said(message).or(fits.map(Duration::from_secs))
}

/// "Retry after 30 s", "try again in 2 minutes": a number and its unit; after "after" seconds need none.
fn said(message: &str) -> Option<Duration> {
    let words: Vec<&str> =
        message.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = word.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let unit = if unit.is_empty() { words.get(at + 1).copied().unwrap_or_default() } else { unit };
        let after = at > 0 && words[at - 1].eq_ignore_ascii_case("after");
        let ms = match unit.to_ascii_lowercase().as_str() {
            "ms" | "millisecond" | "milliseconds" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hour" | "hours" => 3_600_000,
            _ if after => 1_000,
            _ => return None,
        };
        Some(bounded(Duration::from_millis(number.saturating_mul(ms))))
    })
}

/// HTTP's `Retry-After` in its form of seconds (RFC 9110, section 10.2.3).
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(|s| bounded(Duration::from_secs(s)))
}

fn bounded(wait: Duration) -> Duration {
    wait.clamp(Duration::from_secs(WAIT_S_MIN), Duration::from_secs(WAIT_S_MAX))
}

/// What an operator does about a code that stops every call.
pub(super) fn cure(code: i64) -> &'static str {
    match code {
        5 | 127 => "top the account up, then resume",
        100 | 137 | 433 | 447 => {
            "the provider does not know us: check VOXIMPLANT_ACCOUNT_ID with VOXIMPLANT_API_KEY, or VOXIMPLANT_KEY_FILE"
        }
        454..=456 => "the key's tokens do not fit the provider's clock: set this machine's clock (NTP)",
        104 => {
            "the key lacks the role: give the service account Owner, Admin, Developer or Scenarios (deploy and doctor: \
             one of the first three)"
        }
        115 | 177 | 194 => "VOXIMPLANT_ACCOUNT_ID is not an account that this key may use",
        131 | 511 | 538 | 539 => "finish the account's registration in the control panel",
        281 | 282 => "the account must be verified: control panel, Verification; then resume",
        116 | 107 | 558 => {
            "VOXIMPLANT_APPLICATION_ID is not an application of this account: run `halo voximplant deploy`"
        }
        132 | 133 | 147 | 148 | 149 | 156 | 168 | 175 | 375 => "run `halo voximplant deploy`, then resume",
        121 | 184 | 185 | 395 | 507 => {
            "VOXIMPLANT_CALLER_ID must be a number that the account rents and may use, or has verified"
        }
        108 | 109 | 316 | 317 | 379 | 418 | 419 => "the account's plan allows no more: change it in the control panel",
        320..=323 | 536 => "the provider's list of allowed addresses lacks this machine's: control panel, Security",
        393 => "bind the user to the application in the control panel",
        527 => "the provider refuses this machine's address as a VPN's: call from another one",
        _ => "the provider does not take this request as it stands: look its code up in its reference",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_says_how_long() {
        for (message, ms) in [
            ("Retry after 30 s.", Some(30_000)),
            ("You can retry the request after 7 seconds", Some(7_000)),
            ("try again in 2 minutes", Some(120_000)),
            ("retry after 45", Some(45_000)),
            ("wait 90sec", Some(90_000)),
            ("locked for 250 ms", Some(1_000)),
            ("retry after 99999999999999999999 s", None),
            ("retry after 40000000 s", Some(3_600_000)),
            ("at most 200 requests", None),
            ("rule 147 is busy", None),
            ("", None),
        ] {
            assert_eq!(said(message).map(|wait| wait.as_millis()), ms, "{message}");
        }
        assert_eq!(retry_after(" 12 "), Some(Duration::from_secs(12)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
