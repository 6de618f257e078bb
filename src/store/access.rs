//! Keys of the API, and the audit of who did what.

use super::{Result, Store};
use crate::domain::{AuditId, KeyId, NumberId, PhoneNumber, Role, Timestamp};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A key as it is kept: its hash, never itself.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KeyRow {
    pub key_id: i64,
    pub name: String,
    pub role: String,
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// To the minute.
    pub used_at: Option<i64>,
}

impl KeyRow {
    /// Opens nothing any more, and why.
    pub fn over(&self, now: Timestamp) -> Option<&'static str> {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => Some("revoked"),
            (None, Some(at)) if at <= now.0 => Some("expired"),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct KeyOrder {
    pub key: KeyId,
    pub name: String,
    pub role: Role,
    /// SHA-256 in hexadecimal digits.
    pub hash: String,
    pub expires_at: Option<Timestamp>,
    pub now: Timestamp,
    pub audit: AuditOrder,
}

/// Who does something, and by which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// `api`, `cli` or `halo`.
    pub door: &'static str,
    /// `None`: the key of the settings, or no key at all.
    pub key: Option<KeyId>,
    pub name: String,
    pub role: Role,
    pub request: String,
}

impl Who {
    /// Whoever sits at this machine may do everything; `user` is the operating system's name of them.
    pub fn at_the_terminal(user: &str) -> Self {
        let request = format!("{:016x}", rand::random::<u64>());
        Who { door: "cli", key: None, name: format!("terminal: {user}"), role: Role::Admin, request }
    }

    pub fn halo() -> Self {
        let request = format!("{:016x}", rand::random::<u64>());
        Who { door: "halo", key: None, name: "halo".into(), role: Role::Admin, request }
    }
}

/// A line for the audit. Copies share the knowledge whether it was written.
#[derive(Clone, Debug)]
pub struct AuditOrder {
    pub who: Who,
    pub action: &'static str,
    pub subject: Option<(String, String)>,
    pub detail: Value,
    pub audit: AuditId,
    pub at: Timestamp,
    written: Arc<AtomicBool>,
}

/// A line is one line, whatever is said in it.
impl PartialEq for AuditOrder {
    fn eq(&self, other: &Self) -> bool {
        self.audit == other.audit
    }
}

impl Eq for AuditOrder {}

impl AuditOrder {
    pub fn new(store: &Store, who: Who, action: &'static str, at: Timestamp) -> Self {
        let audit = AuditId(store.ids.one(at.0));
        AuditOrder { who, action, subject: None, detail: Value::Null, audit, at, written: Arc::default() }
    }

    pub fn about(mut self, kind: &str, id: impl ToString) -> Self {
        self.subject = Some((kind.to_owned(), id.to_string()));
        self
    }

    pub fn saying(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// An act has taken it into its transaction.
    pub(super) fn taken(&self) {
        self.written.store(true, Ordering::Relaxed);
    }

    pub fn is_written(&self) -> bool {
        self.written.load(Ordering::Relaxed)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    pub audit_id: i64,
    pub at: i64,
    pub door: String,
    pub key_id: Option<i64>,
    pub actor: String,
    pub role: String,
    pub action: String,
    pub subject_type: Option<String>,
    pub subject: Option<String>,
    pub request_id: String,
    pub detail: String,
}

/// Which lines; all where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub action: Option<String>,
    /// A key's id, or a name.
    pub actor: Option<String>,
    pub subject: Option<String>,
}

impl Store {
    pub async fn add_key(&self, order: KeyOrder) -> Result<()> {
        write!(self, access::add(order))
    }

    /// False when there is no such key. A key that is revoked stays so from its first revocation on.
    pub async fn revoke_key(&self, key: KeyId, now: Timestamp, audit: AuditOrder) -> Result<bool> {
        write!(self, access::revoke((key, now, audit)))
    }

    /// All of them, the newest first.
    pub async fn keys(&self) -> Result<Vec<KeyRow>> {
        read!(self, access::all())
    }

    /// By the hash of a key, in hexadecimal digits.
    pub async fn key_of(&self, hash: &str) -> Result<Option<KeyRow>> {
        read!(self, access::by_hash(hash))
    }

    pub async fn key(&self, key: KeyId) -> Result<Option<KeyRow>> {
        read!(self, access::by_id(key))
    }

    pub async fn key_used(&self, key: KeyId, at: Timestamp) -> Result<()> {
        write!(self, access::used((key, at)))
    }

    /// A line by itself, for what was done already.
    pub async fn audit(&self, order: AuditOrder) -> Result<()> {
        write!(self, audit::put(order))
    }

    /// The newest first, behind the given line.
    pub async fn audited(&self, filter: &AuditFilter, behind: Option<AuditId>, limit: i64) -> Result<Vec<AuditRow>> {
        read!(self, audit::page(filter, behind, limit))
    }

    /// How people are named where no number may stand.
    pub async fn number_id(&self, number: &PhoneNumber) -> Result<Option<NumberId>> {
        Ok(read!(self, access::number_id(number))?.map(NumberId))
    }
}
