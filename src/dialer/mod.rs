//! Five verbs: plan, dial, settle, reconcile, fire.
//!
//! The dialer acts on what `domain` decides. It owns the clock and the dice and hands them in; it knows
//! neither HTTP servers nor the queue nor SQL. Whatever it is told may come twice, late or never: every
//! verb begins by reading the attempt under its lock.

mod breakers;
mod budget;
mod change;
mod claimed;
mod counted;
mod dial;
mod fire;
mod grant;
mod hang_up;
mod hindrance;
mod plan;
mod reconcile;
mod rules;
mod settle;
mod slow;
mod tidy;

/// What the verbs decide, as functions of what was read under the locks. The verbs ask them inside their
/// transactions; a model checker asks the very same ones in every order of events.
pub mod decisions {
    pub use super::budget::{Means, Purse, afford, reserve, settle as settle_money};
    pub use super::dial::{Claim, claim, defer};
    pub use super::grant::{Asked, clearance, decide as grant, held_ms};
    pub use super::plan::Plan;
    pub use super::reconcile::revoke;
    pub use super::settle::decide as settle;
}

pub use breakers::BreakerView;
pub use budget::Pricing;
pub use fire::first_firing;
pub use grant::{Grant, GrantRequest, Granted};
pub use hang_up::{HangUp, HungUp, hang_up, hang_up_all};
pub use hindrance::{hindrance, hindrance_with};
pub use plan::{LEAD_MS, SINGLE};
pub use reconcile::Reconciled;
pub use rules::{ReadRules, Rules};
pub use settle::{News, Report, Settled};

use crate::clock::Clock;
use crate::domain::{CampaignId, RunId, Timestamp};
use crate::store::{Store, StoreError};
use crate::voximplant::{Client, Pacer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

#[derive(Debug, thiserror::Error)]
pub enum DialerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("settings stored for campaign {campaign}: {cause}")]
    Rules { campaign: CampaignId, cause: String },
    /// A budget without prices holds nothing back: better nobody is called.
    #[error("the campaign counts its money, and there are no prices here")]
    Prices,
}

pub type Result<T> = std::result::Result<T, DialerError>;

/// Where calls go: an API host and an account there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Host and account in words; what a run remembers.
    pub name: String,
    /// Real phones ring: the host is not loopback.
    pub real: bool,
}

/// What the verbs need, put together once by `app`.
pub struct Dialer {
    pub store: Store,
    pub clock: Clock,
    pub client: Arc<Client>,
    pub pacer: Arc<Pacer>,
    pub platform: Platform,
    /// The platform's account row.
    pub account: i64,
    /// This process, for leases of leadership.
    pub node: String,
    pub read_rules: ReadRules,
    known: Mutex<HashMap<CampaignId, (i64, Arc<Rules>)>>,
    outage: Mutex<reconcile::Outage>,
    /// Rung when a simulator has forgotten its rules (it keeps nothing): `app` deploys to it again.
    pub forgotten: Notify,
    /// The backoff of starts that the provider does not take.
    refusals: Mutex<dial::Refusals>,
    only_single_calls: bool,
    /// What money is counted by; without it, nothing of a campaign with a budget is granted.
    pricing: Option<Arc<Pricing>>,
    /// Runs whose counters are there, and the day of theirs.
    opened: Mutex<HashMap<RunId, Timestamp>>,
    claimed: claimed::Claimed,
    /// When it was tidied last (real time).
    tidied: Mutex<crate::domain::Timestamp>,
}

impl Dialer {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        store: Store,
        clock: Clock,
        client: Arc<Client>,
        pacer: Arc<Pacer>,
        platform: Platform,
        account: i64,
        node: String,
        read_rules: ReadRules,
    ) -> Self {
        Dialer {
            store,
            clock,
            client,
            pacer,
            platform,
            account,
            node,
            read_rules,
            known: Mutex::default(),
            outage: Mutex::default(),
            forgotten: Notify::new(),
            refusals: Mutex::default(),
            only_single_calls: false,
            pricing: None,
            opened: Mutex::default(),
            claimed: claimed::Claimed::default(),
            tidied: Mutex::default(),
        }
    }

    /// Campaigns rest and schedules do not fire: somebody wants one call, and no more than that.
    pub fn for_single_calls(self) -> Self {
        Dialer { only_single_calls: true, ..self }
    }

    pub fn priced(self, pricing: Pricing) -> Self {
        Dialer { pricing: Some(Arc::new(pricing)), ..self }
    }
}
