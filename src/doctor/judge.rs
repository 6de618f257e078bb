//! What is made of what was found: pure, every line of it.

use super::Finding;
use super::look::{Answer, Unanswered};
use crate::domain::PhoneNumber;
use crate::voximplant::{About, Account, CallerId, Deployed, Price, RentedNumber, SipRegistration};
use std::collections::BTreeSet;

/// What `VoxEngine.customData()` is documented to hold.
const CUSTOM_DATA_BYTES_MAX: usize = 200;
/// Clocks that differ by more are worth a word; tokens are not taken beyond the second.
const SKEW_WARNING_MS: i64 = 5_000;
const SKEW_FAILED_MS: i64 = 60_000;
/// Below so many minutes of calls, the account is as good as empty; without a price, below so much money.
const MINUTES_MIN: f64 = 30.0;
const MONEY_MIN: f64 = 1.0;

pub(super) fn account(account: &Account) -> Finding {
    const CHECK: &str = "account";
    match account {
        Account { active: false, .. } => Finding::failed(
            CHECK,
            "the account is not active: finish its registration and verification in the control panel",
        ),
        Account { frozen: true, .. } => {
            Finding::failed(CHECK, "the account is frozen: top it up, or ask the provider's support")
        }
        Account { name, .. } => Finding::ok(CHECK, format!("{name} is active")),
    }
}

/// A minute's price is that of calls to the country of the number that is dialled from.
pub(super) fn balance(account: &Account, price: Option<&Price>) -> Finding {
    const CHECK: &str = "balance";
    let currency = account.currency.as_deref().unwrap_or_default();
    let Some(balance) = account.balance else {
        return Finding::warning(CHECK, "the provider does not tell it: look in the control panel");
    };
    let shown = format!("{balance:.2} {currency}");
    if balance <= 0.0 {
        return Finding::failed(CHECK, format!("{shown}: top the account up, no call can be made"));
    }
    let price = price.filter(|price| price.a_minute > 0.0);
    let Some(price) = price else {
        return match balance < MONEY_MIN {
            true => Finding::warning(CHECK, format!("{shown}: nearly empty, top the account up")),
            false => Finding::ok(CHECK, shown),
        };
    };
    let minutes = balance / price.a_minute;
    let told = format!(
        "{shown}, about {minutes:.0} minutes at {} {currency} a minute ({}; speech and models cost besides)",
        price.a_minute, price.group
    );
    if minutes < MINUTES_MIN {
        Finding::warning(CHECK, format!("{told}: top the account up"))
    } else {
        Finding::ok(CHECK, told)
    }
}

pub(super) fn caller_id(wanted: &PhoneNumber, rented: &[RentedNumber], verified: &[CallerId]) -> Finding {
    const CHECK: &str = "caller_id";
    let shown = wanted.masked();
    let is = |number: &Option<PhoneNumber>| number.as_ref() == Some(wanted);
    let rents = rented.iter().find(|held| is(&held.number));
    let verifies = verified.iter().find(|held| is(&held.number));
    match (rents, verifies) {
        (Some(RentedNumber { usable: true, .. }), _) => Finding::ok(CHECK, format!("{shown} is rented and usable")),
        (_, Some(CallerId { active: true, .. })) => Finding::ok(CHECK, format!("{shown} is a verified caller id")),
        (Some(_), _) => Finding::failed(
            CHECK,
            format!(
                "{shown} is rented but may not be used: pay its subscription or finish its verification (control panel, Numbers)"
            ),
        ),
        (None, Some(_)) => Finding::failed(
            CHECK,
            format!("the verification of {shown} has run out: verify it again (control panel, Numbers, Caller IDs)"),
        ),
        (None, None) => {
            let owned = rented.iter().filter(|held| held.usable).map(|held| &held.number);
            let owned = owned.chain(verified.iter().filter(|held| held.active).map(|held| &held.number));
            let owned: Vec<String> = owned.flatten().map(PhoneNumber::masked).collect();
            let owned = if owned.is_empty() { "none".to_owned() } else { owned.join(", ") };
            Finding::failed(
                CHECK,
                format!(
                    "{shown} is not the account's, calls from it are prohibited: rent or verify it, or set VOXIMPLANT_CALLER_ID to one of its own ({owned})"
                ),
            )
        }
    }
}

/// Only a rented number can be rung.
pub(super) fn ring_back(wanted: &PhoneNumber, rented: &[RentedNumber], deployed: &Deployed) -> Option<Finding> {
    const CHECK: &str = "ring_back";
    let held = rented.iter().find(|held| held.number.as_ref() == Some(wanted) && held.usable)?;
    let ours = held.application.is_some()
        && held.application == deployed.application
        && deployed.rules.iter().any(|(_, _, rule, _)| rule.is_some() && *rule == held.rule);
    let shown = wanted.masked();
    Some(match ours {
        true => Finding::ok(CHECK, format!("who rings {shown} back is told who called, and may opt out")),
        false => Finding::warning(
            CHECK,
            format!(
                "who rings {shown} back does not reach us: `halo voximplant deploy --bind-number` with that number"
            ),
        ),
    })
}

pub(super) fn sip(hosts: &BTreeSet<String>, lines: &[SipRegistration]) -> Finding {
    const CHECK: &str = "sip";
    for host in hosts {
        let Some(line) = lines.iter().find(|line| line.proxy.split(':').next() == host.split(':').next()) else {
            return Finding::warning(
                CHECK,
                format!(
                    "campaigns dial through {host}, for which the account has no registration: well only if that provider knows the platform by its addresses"
                ),
            );
        };
        if !line.up {
            let said = line.said.as_deref().map(|said| format!(" ({said})")).unwrap_or_default();
            return Finding::failed(
                CHECK,
                format!(
                    "the registration at {host} is down{said}: check user and password (control panel, SIP registrations)"
                ),
            );
        }
    }
    Finding::ok(CHECK, format!("registered at {}", hosts.iter().cloned().collect::<Vec<_>>().join(", ")))
}

/// What a deployment would change, sorted by what it is about.
pub(super) fn deployed(plan: &Deployed) -> Vec<Finding> {
    const CURE: &str = "run `halo voximplant deploy`";
    let would = |about: About| -> Vec<&str> {
        plan.changes.iter().filter(|change| change.about == about).map(|change| change.sentence.as_str()).collect()
    };
    if !would(About::Application).is_empty() {
        return vec![Finding::failed("rules", format!("application {} does not exist: {CURE}", plan.application_name))];
    }
    let line = |check, changes: Vec<&str>, well: String| match changes.as_slice() {
        [] => Finding::ok(check, well),
        changes => Finding::failed(check, format!("not as they should be ({}): {CURE}", changes.join(", "))),
    };
    let modes = plan.rules.iter().map(|(mode, ..)| mode.as_str()).collect::<Vec<_>>().join(", ");
    let mut found = vec![
        line("rules", would(About::Rule), format!("there is one for each of {modes}")),
        line("scenarios", would(About::Scenario), "equal to the local files".to_owned()),
    ];
    let secrets = would(About::Secret);
    found.push(match (secrets.is_empty(), plan.missing_secrets.first()) {
        (true, Some((_, secret))) => {
            let modes: Vec<&str> = plan.missing_secrets.iter().map(|(mode, _)| mode.as_str()).collect();
            Finding::warning(
                "secrets",
                format!("{} cannot talk without {secret}: set it in .env, then {CURE}", modes.join(", ")),
            )
        }
        _ => line("secrets", secrets, "all there".to_owned()),
    });
    found
}

pub(super) fn health(url: &str, answer: &Result<Answer, Unanswered>) -> Finding {
    const CHECK: &str = "backend";
    match answer {
        Err(cause) => Finding::failed(
            CHECK,
            format!(
                "{url} cannot be reached from here ({cause}): is `halo serve` running, and does BACKEND_URL lead to it?"
            ),
        ),
        Ok(answer) if answer.json["service"] == "voximplant_webhook" && answer.status == 200 => {
            Finding::ok(CHECK, format!("{url} is this service"))
        }
        Ok(answer) => Finding::failed(CHECK, format!("{url}/voximplant/health is {}", somebody_else(answer))),
    }
}

pub(super) fn grant(url: &str, answer: &Result<Answer, Unanswered>) -> Finding {
    const CHECK: &str = "grant";
    match answer {
        Err(cause) => Finding::failed(CHECK, format!("{url}/voximplant/grant does not answer ({cause})")),
        Ok(answer) if answer.status == 404 && answer.json["type"] == "urn:halo:problem:not_found" => {
            Finding::ok(CHECK, "sessions can ask for their grant")
        }
        Ok(answer) => Finding::failed(CHECK, format!("{url}/voximplant/grant is {}", somebody_else(answer))),
    }
}

/// Why an answer is not ours.
fn somebody_else(answer: &Answer) -> String {
    match answer {
        Answer { status: 300..=399, .. } => {
            format!("redirected (HTTP {}): set BACKEND_URL to the final address, sessions do not follow", answer.status)
        }
        Answer { html: true, .. } => format!(
            "answered with a page (HTTP {}), such as a tunnel shows before it lets anybody through: switch that off, or use another tunnel",
            answer.status
        ),
        Answer { status: 401 | 403 | 407, .. } => {
            format!(
                "closed (HTTP {}): let /voximplant/* and /voice/dialog through the proxy without a password",
                answer.status
            )
        }
        Answer { status: 502..=504, .. } => {
            format!("a proxy or tunnel with nothing behind it (HTTP {}): is `halo serve` running?", answer.status)
        }
        _ => format!("answered by another program (HTTP {}): set BACKEND_URL to this service", answer.status),
    }
}

/// `bytes` of the 200 that a session is started with.
pub(super) fn address(bytes: usize, url: &str) -> Finding {
    const CHECK: &str = "address";
    match bytes > CUSTOM_DATA_BYTES_MAX {
        true => Finding::failed(
            CHECK,
            format!(
                "a session would be started with {bytes} bytes, the platform keeps {CUSTOM_DATA_BYTES_MAX}: shorten BACKEND_URL ({} bytes)",
                url.len()
            ),
        ),
        false => Finding::ok(CHECK, format!("a session is started with {bytes} of {CUSTOM_DATA_BYTES_MAX} bytes")),
    }
}

/// How far the provider's clock and that behind BACKEND_URL are ahead of ours, where they said.
pub(super) fn clock(provider_ms: Option<i64>, backend_ms: Option<i64>, known_by_token: bool) -> Finding {
    const CHECK: &str = "clock";
    let clocks = [("the provider's", provider_ms), ("that of BACKEND_URL", backend_ms)];
    let told: Vec<(&str, i64)> = clocks.into_iter().filter_map(|(whose, ms)| Some((whose, ms?))).collect();
    let Some((whose, ms)) = told.iter().max_by_key(|(_, ms)| ms.abs()) else {
        return Finding::warning(CHECK, "nobody told the time to compare this machine's clock with");
    };
    let tokens = known_by_token && provider_ms.is_some_and(|ms| ms.abs() > SKEW_FAILED_MS);
    let apart = format!("this machine's clock differs from {whose} by {} s", ms.abs() / 1000);
    if tokens {
        return Finding::failed(CHECK, format!("{apart}, the provider takes no tokens: set the clock (NTP)"));
    }
    if ms.abs() > SKEW_WARNING_MS {
        return Finding::warning(CHECK, format!("{apart}: set the clock (NTP), calling windows go by it"));
    }
    Finding::ok(CHECK, "as everybody's")
}

/// A policy that some campaign names: how much it asks, and how much of that nobody has read in the law itself.
pub struct PolicyInUse {
    pub name: String,
    pub asks: usize,
    pub unverified: usize,
}

/// What holds on hearsay. Calls can be made all the same, so it is a warning.
pub fn policies(in_use: &[PolicyInUse]) -> Option<Finding> {
    const CHECK: &str = "policies";
    let total: usize = in_use.iter().map(|policy| policy.unverified).sum();
    if in_use.is_empty() {
        return None;
    }
    let each = in_use.iter().map(|policy| format!("{} {} of {}", policy.name, policy.unverified, policy.asks));
    let each = each.collect::<Vec<_>>().join(", ");
    Some(match total {
        0 => Finding::ok(CHECK, format!("every rule in use was read in its source ({each})")),
        _ => Finding::warning(
            CHECK,
            format!(
                "{total} rules in use are unverified, nobody read the clause itself ({each}): have them read before \
                 people are called; `GET /api/v1/policies` names each clause"
            ),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn rules_on_hearsay_are_a_warning() {
        let policy = |name: &str, asks, unverified| PolicyInUse { name: name.into(), asks, unverified };
        assert_eq!(policies(&[]), None);
        assert_eq!(policies(&[policy("own", 2, 0)]).map(|line| line.level), Some(Level::Ok));
        let line = policies(&[policy("safe", 3, 2), policy("us", 5, 5)]).unwrap();
        assert_eq!((line.check, line.level), ("policies", Level::Warning));
        assert!(line.told.starts_with("7 rules in use are unverified"), "{}", line.told);
        assert!(line.told.contains("(safe 2 of 3, us 5 of 5)"), "{}", line.told);
    }
}
