//! Is everything in place for a call? Looks at the provider, at our own address and at `.env`, and says
//! of each whether it is well and what to do if not.
//!
//! It changes nothing, starts no session and rings nobody. Numbers are shown by their last two digits,
//! secrets not at all. What is looked at (`look`) and what is made of it (`judge`, `env_file`) are
//! apart, so that every judgement can be tried without a network.

mod env_file;
mod judge;
mod look;
mod prices;

pub use env_file::damages;
pub use judge::{PolicyInUse, policies};
pub use prices::prices;

use crate::domain::PhoneNumber;
use crate::voximplant::{ApiError, Client, DeployError, Wall, Wanted};
use look::Looker;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ok,
    /// Calls can be made, but something is not as it should be or could not be looked at.
    Warning,
    /// Calls fail, or some of them.
    Failed,
}

/// One line of the examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable, for programs: what was looked at.
    pub check: &'static str,
    pub level: Level,
    /// What was found, and what to do about it.
    pub told: String,
}

impl Finding {
    pub fn ok(check: &'static str, told: impl Into<String>) -> Self {
        Finding { check, level: Level::Ok, told: told.into() }
    }
    pub fn warning(check: &'static str, told: impl Into<String>) -> Self {
        Finding { check, level: Level::Warning, told: told.into() }
    }
    pub fn failed(check: &'static str, told: impl Into<String>) -> Self {
        Finding { check, level: Level::Failed, told: told.into() }
    }
}

/// What an examination found, in the order of looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    pub fn has_failed(&self) -> bool {
        self.0.iter().any(|finding| finding.level == Level::Failed)
    }

    pub fn json(&self) -> Value {
        let findings = self
            .0
            .iter()
            .map(|finding| json!({ "check": finding.check, "level": finding.level.to_string(), "told": finding.told }));
        json!({ "ok": !self.has_failed(), "findings": findings.collect::<Vec<_>>() })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Failed => "failed",
        })
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { check, level, told } in &self.0 {
            writeln!(f, "{level:<8} {check:<12} {told}")?;
        }
        let count = |wanted: Level| self.0.iter().filter(|finding| finding.level == wanted).count();
        writeln!(f, "\n{} failed, {} warnings, {} ok", count(Level::Failed), count(Level::Warning), count(Level::Ok))
    }
}

/// What is examined.
pub struct Patient {
    pub client: Arc<Client>,
    /// What the platform should hold; compared, not brought there.
    pub wanted: Wanted,
    /// Numbers that campaigns dial from.
    pub caller_ids: BTreeSet<PhoneNumber>,
    /// Hosts of SIP providers that campaigns dial through.
    pub sip_hosts: BTreeSet<String>,
    /// Calls go to phones as well as, or instead of, through a SIP provider.
    pub dials_phones: bool,
    /// Our tokens must fit the provider's clock.
    pub known_by_token: bool,
    /// Real time.
    pub wall: Wall,
}

impl Patient {
    /// Looks at everything, whatever fails on the way.
    pub async fn examine(&self) -> Findings {
        let mut found = Vec::new();
        let provider = self.provider(&mut found).await;
        let backend_url = &self.client.connection().backend_url;
        match Looker::new(&self.wall) {
            Ok(looker) => {
                let health = looker.get(&format!("{backend_url}/voximplant/health")).await;
                let health_line = judge::health(backend_url, &health);
                let reached = health_line.level == Level::Ok;
                found.push(health_line);
                let own = health.ok().and_then(|answer| answer.ahead_ms);
                if reached {
                    let probe = json!({ "a": "nobody", "t": "0".repeat(32), "session_id": 1 });
                    let answer = looker.post(&format!("{backend_url}/voximplant/grant"), &probe).await;
                    found.push(judge::grant(backend_url, &answer));
                }
                let theirs = match provider {
                    true => looker.get(&self.client.connection().url).await.ok().and_then(|answer| answer.ahead_ms),
                    false => None,
                };
                found.push(judge::clock(theirs, own, self.known_by_token));
            }
            Err(cause) => found.push(Finding::failed("backend", format!("no HTTP client can be made: {cause}"))),
        }
        found.push(judge::address(self.client.custom_data_bytes(), backend_url));
        Findings(found)
    }

    /// The provider's part; false where it could not be reached at all.
    async fn provider(&self, found: &mut Vec<Finding>) -> bool {
        let account = match self.client.account().await {
            Ok(account) => account,
            Err(cause) => {
                found.push(Finding::failed("credentials", cause.told()));
                return cause.code().is_some();
            }
        };
        let connection = self.client.connection();
        let known_by = if self.known_by_token { "a service account" } else { "its API key" };
        found.push(Finding::ok("credentials", format!("account {} is known by {known_by}", connection.account)));
        found.push(judge::account(&account));
        let price = match self.caller_ids.first() {
            // A price list that cannot be read costs nobody a call.
            Some(number) => self.client.price(number).await.ok().flatten(),
            None => None,
        };
        found.push(judge::balance(&account, price.as_ref()));
        let deployed = self.client.deploy(&self.wanted).await;
        if self.dials_phones {
            self.caller_id_lines(found, deployed.as_ref().ok()).await;
        }
        if !self.sip_hosts.is_empty() {
            found.push(match self.client.sip_registrations().await {
                Ok(lines) => judge::sip(&self.sip_hosts, &lines),
                Err(cause) => unseen("sip", &cause),
            });
        }
        match deployed {
            Ok(deployed) => found.extend(judge::deployed(&deployed)),
            Err(DeployError::Api(cause)) => found.push(unseen("rules", &cause)),
            Err(cause) => found.push(Finding::failed("rules", cause.to_string())),
        }
        true
    }

    async fn caller_id_lines(&self, found: &mut Vec<Finding>, deployed: Option<&crate::voximplant::Deployed>) {
        let owned = match self.client.numbers().await {
            Ok(rented) => self.client.caller_ids().await.map(|verified| (rented, verified)),
            Err(cause) => Err(cause),
        };
        let (rented, verified) = match owned {
            Ok(owned) => owned,
            Err(cause) => return found.push(unseen("caller_id", &cause)),
        };
        if self.caller_ids.is_empty() {
            found.push(Finding::failed("caller_id", "no number to dial from: set VOXIMPLANT_CALLER_ID"));
        }
        for number in &self.caller_ids {
            found.push(judge::caller_id(number, &rented, &verified));
        }
        if let Some(deployed) = deployed {
            found.extend(self.caller_ids.iter().filter_map(|number| judge::ring_back(number, &rented, deployed)));
        }
    }
}

/// What a key may not see is no fault of the set-up.
fn unseen(check: &'static str, cause: &ApiError) -> Finding {
    const FORBIDDEN: i64 = 104;
    match cause.code() {
        Some(FORBIDDEN) => Finding::warning(check, format!("cannot be looked at: {}", cause.told())),
        _ => Finding::failed(check, cause.told()),
    }
}
