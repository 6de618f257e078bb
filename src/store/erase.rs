//! Erasing a person, and forgetting what is older than the installation wants to keep.

use super::{AuditOrder, Result, Store};
use crate::domain::{AttemptId, CampaignId, NumberId, PhoneNumber, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What an erased number is known by, should it come again: nobody without the installation's key can make it.
pub fn hash_of_erased(installation_key: &str, number: &PhoneNumber) -> String {
    let key = installation_key.as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"erased number");
    mac.update(number.as_str().as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub struct EraseOrder {
    pub number: PhoneNumber,
    /// Chance for what stands in the place of numbers; the first is used for the first.
    pub in_place: u64,
    pub now: Timestamp,
    pub audit: AuditOrder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    Done {
        number: NumberId,
        contacts: usize,
        attempts: usize,
        /// Which the provider is asked to delete.
        recordings: u64,
    },
    /// Somebody did it before.
    Already(NumberId),
    Unknown,
    /// A call is being started or goes on, until then at most where that is known.
    Busy(Option<Timestamp>),
}

/// A number of a list that was erased before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownErased {
    pub e164: String,
    /// The person asked never to be called.
    pub opted_out: bool,
    /// The campaign that was asked about has this person already.
    pub in_campaign: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DoomedRecord {
    pub url: String,
    pub attempt_id: i64,
    pub tries: i64,
}

/// What is kept for some days only: names of the table `retention`.
pub const KEPT: [&str; 3] = ["transcripts", "recordings", "raw"];

/// How long something is kept; `None`: for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub what: &'static str,
    pub days: Option<i64>,
}

impl Store {
    /// The person behind a number: everything that tells of him goes, in one transaction; calls stay counted.
    pub async fn erase(&self, order: EraseOrder) -> Result<Erased> {
        write!(self, erase::erase(order))
    }

    /// Was anybody erased at all?
    pub async fn somebody_erased(&self) -> Result<bool> {
        read!(self, erase::somebody())
    }

    /// Which of these numbers were erased and matter: who opted out, and whom the campaign has already.
    pub async fn erased_among(
        &self,
        campaign: Option<CampaignId>,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<KnownErased>> {
        read!(self, erase::among(campaign, numbers))
    }

    /// What came in late of people who were erased since then goes too. Returns how many attempts were looked at.
    pub async fn erase_late(&self, since: Timestamp, now: Timestamp) -> Result<usize> {
        write!(self, erase::late((since, now)))
    }

    /// Recordings that the provider is to delete now.
    pub async fn doomed_records(&self, account: i64, now: Timestamp, limit: i64) -> Result<Vec<DoomedRecord>> {
        read!(self, forget::doomed(account, now, limit))
    }

    /// The provider has deleted it.
    pub async fn record_is_gone(&self, url: String) -> Result<()> {
        write!(self, forget::gone(url))
    }

    /// It has not, and is asked again then.
    pub async fn record_stays(&self, url: String, ask_at: Timestamp, trouble: String) -> Result<()> {
        write!(self, forget::stays((url, ask_at, trouble)))
    }

    /// Days by what is kept.
    pub async fn kept(&self) -> Result<Vec<Keep>> {
        let rows = read!(self, forget::kept())?;
        let of = |what| rows.iter().find(|(known, _)| known == what).map(|(_, days)| *days);
        Ok(KEPT.into_iter().map(|what| Keep { what, days: of(what) }).collect())
    }

    pub async fn keep(&self, keeps: Vec<Keep>, audit: AuditOrder) -> Result<()> {
        write!(self, forget::keep((keeps, audit)))
    }

    /// A piece of what is older than it is kept: at most so many attempts, and so many rows of lists. Returns how many.
    pub async fn forget_old(&self, now: Timestamp, limit: i64) -> Result<usize> {
        write!(self, forget::old((now, limit)))
    }

    /// Attempts whose recordings wait to be deleted at the provider.
    pub async fn doomed_of(&self, attempt: AttemptId) -> Result<i64> {
        read!(self, forget::doomed_of(attempt))
    }
}
