//! A campaign and its list, from text to rows: all accepted rows or none.
//!
//! The API and the command line come through here; `intake` reads, the arms are given, one act of the
//! store keeps it all.

use super::lists::{Given, Sending, in_hex};
use super::round::Round;
use super::taken::{COMPLAINTS_TOLD_MAX, Taken, Taking, take};
use crate::dialer::first_firing;
use crate::dialogue::Script;
use crate::domain::calendar::HORIZON_DAYS;
use crate::domain::clearance::open_at;
use crate::domain::settings::{Purpose, Schedule, Settings};
use crate::domain::{BatchId, CampaignId, Mode, PhoneNumber, ScheduleId, Timestamp};
use crate::fail;
use crate::intake::{self, IntakeError};
use crate::store::{Campaign, NewCampaign, NewSchedule, Sent, Store, StoreError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

pub use crate::intake::check::Buckets;

/// Rows named in one fault.
pub(super) const LINES_QUOTED_MAX: usize = 5;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("settings: {0}")]
    Settings(String, Vec<String>),
    #[error("script: {0}")]
    Script(String, Vec<String>),
    #[error("contacts: {0}")]
    Contacts(#[from] IntakeError),
    #[error("contacts: the list cannot be called as it is")]
    Rows(Vec<String>),
    /// Between reading and storing.
    #[error("the list cannot be kept: {0}")]
    Kept(io::Error),
    #[error("the key `{0}` came with another list before: use a new one")]
    Key(String),
    #[error("the settings were changed meanwhile: read them again")]
    Outdated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// Each thing that is wrong, one a line.
    pub fn faults(&self) -> Vec<String> {
        match self {
            ImportError::Settings(_, faults) | ImportError::Script(_, faults) | ImportError::Rows(faults) => {
                faults.clone()
            }
            ImportError::Contacts(IntakeError::AllRefused(list)) => {
                let told = list.complaints.iter().take(COMPLAINTS_TOLD_MAX);
                let mut told: Vec<String> =
                    told.map(|c| format!("line {}: {}: {}", c.line, c.field, c.reason)).collect();
                if let Some(more) = list.rows.checked_sub(told.len()).filter(|more| *more > 0) {
                    told.push(format!("and {more} more rows"));
                }
                told
            }
            ImportError::Contacts(cause) => vec![cause.to_string()],
            ImportError::Kept(_) | ImportError::Key(_) | ImportError::Outdated | ImportError::Store(_) => Vec::new(),
        }
    }
}

/// What somebody hands in.
pub struct Upload<'a> {
    pub source: &'a str,
    pub settings: &'a str,
    /// The campaign's script; a short greeting of our own when there is none.
    pub script: Option<&'a str>,
    pub contacts: &'a [u8],
    /// Fixed for a demo; drawn when absent.
    pub salt: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicyNote {
    pub name: String,
    /// Rules and demands.
    pub rules: usize,
    /// Rules whose clause nobody has read yet.
    pub unverified: usize,
    pub not_held: Vec<String>,
}

#[derive(Debug)]
pub struct Imported {
    pub campaign: CampaignId,
    pub name: String,
    /// The policy that holds, its unverified rules counted, and what it does not see to.
    pub policy: PolicyNote,
    pub rows: usize,
    pub buckets: Buckets,
    /// Cells of accepted rows that were left out.
    pub notes: usize,
    /// This very list came before, and is there: nothing was stored now.
    pub again: bool,
}

impl Imported {
    /// As the API answers.
    pub fn told(&self) -> Value {
        json!({ "id": self.campaign, "name": self.name, "rows": self.rows, "buckets": self.buckets, "notes": self.notes,
                "policy": self.policy, "again": self.again })
    }
}

/// What imports are held against.
pub struct Here<'a> {
    pub store: &'a Store,
    pub modes: &'a BTreeSet<Mode>,
    /// Example numbers are refused where real phones ring.
    pub real_platform: bool,
    pub default_caller_id: Option<PhoneNumber>,
    pub now: Timestamp,
}

/// The script of a campaign that brings none.
pub const PLAIN_SCRIPT: &str = include_str!("../../campaigns/plain.toml");
/// The same in English, for a single call that brings none.
pub const PLAIN_SCRIPT_EN: &str = include_str!("../../campaigns/plain.en.toml");

pub async fn import(here: &Here<'_>, upload: Upload<'_>) -> Result<Imported, ImportError> {
    let given = Given::from(upload.contacts.to_vec());
    import_from(here, upload, given).await
}

/// The same with a list that is read as it comes; the upload's own is left alone.
pub async fn import_from(here: &Here<'_>, upload: Upload<'_>, given: Given) -> Result<Imported, ImportError> {
    let mut settings = intake::settings::parse(upload.settings, here.modes)
        .map_err(|faults| ImportError::Settings(faults.to_string(), faults.list()))?;
    if settings.dial.caller_ids.is_empty() {
        settings.dial.caller_ids.extend(here.default_caller_id.clone());
    }
    never_open(&settings, here.now)?;
    let script_text = upload.script.unwrap_or(PLAIN_SCRIPT);
    let script = Script::parse(script_text).map_err(|faults| ImportError::Script(faults.to_string(), faults.list()))?;
    let demands = intake::policy::find(&settings.policy)
        .map(|policy| super::demands::missing(&policy, &settings, script_text, &script))
        .unwrap_or_default();
    if !demands.is_empty() {
        return Err(ImportError::Script(demands.join("; "), demands));
    }
    if let Some(why) = script.only_for_one_call() {
        return Err(ImportError::Script(why.to_owned(), vec![why.to_owned()]));
    }
    let now = here.now;
    let salt = upload.salt.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let sending = given.sending.clone();
    let taking = taking(here.modes, &settings, script, &salt, here.real_platform, now, &sending);
    let taken = take(given, Arc::new(taking)).await?.useful()?;
    let policy = policy_note(&settings.policy);
    if let Some(sent) = sent_again(here, &sending, &settings, script_text, &taken.hash).await? {
        return Ok(again(sent, policy));
    }
    let round = Round::against(&taken, here.store, None, &settings, now).await?;
    let (buckets, left_out) = (round.tally.buckets, round.tally.notes_total());
    if buckets.accepted == 0 {
        return Err(ImportError::Rows(vec![
            "everybody of the list is in a list of another campaign of the last days (list.duplicate_days)".to_owned(),
        ]));
    }
    let campaign = CampaignId(here.store.ids.one(now.0));
    let schedule = settings.schedule.as_ref().map(|schedule| new_schedule(here, schedule));
    let new = NewCampaign {
        campaign: Campaign {
            campaign,
            name: settings.name.clone(),
            settings: intake::settings::to_json(&settings).to_string(),
            script: script_text.to_owned(),
            salt: salt.clone(),
            created_at: now,
        },
        batch: BatchId(here.store.ids.one(now.0)),
        source: upload.source.to_owned(),
        content_hash: taken.hash.clone(),
        key: sending.key.clone(),
        list: round.listed(&settings, &salt, 1, columns(&taken), sending.progress.clone()),
        schedule: schedule.transpose()?,
        ids: here.store.ids.clone(),
    };
    fail::point("import.begun");
    if let Err(cause) = here.store.create_campaign(new).await {
        // The same sending may have come in between.
        return match sent_again(here, &sending, &settings, script_text, &taken.hash).await? {
            Some(sent) => Ok(again(sent, policy)),
            None => Err(cause.into()),
        };
    }
    fail::point("import.done");
    sending.progress.finish();
    Ok(Imported {
        campaign,
        name: settings.name,
        policy,
        rows: taken.found.rows,
        buckets,
        notes: left_out,
        again: false,
    })
}

pub(super) fn taking(
    modes: &BTreeSet<Mode>,
    settings: &Settings,
    script: Script,
    salt: &str,
    real_platform: bool,
    now: Timestamp,
    sending: &Sending,
) -> Taking {
    Taking {
        settings: settings.clone(),
        modes: modes.clone(),
        script,
        salt: salt.to_owned(),
        now,
        real_platform,
        progress: sending.progress.clone(),
        whole: settings.list.elsewhere.days > 0,
    }
}

/// The columns of a list as its row keeps them.
pub(super) fn columns(taken: &Taken) -> String {
    serde_json::to_string(&taken.found.columns).expect("columns are texts")
}

/// The same sending as before: by its key, or else by campaign, settings, script and content.
async fn sent_again(
    here: &Here<'_>,
    sending: &Sending,
    settings: &Settings,
    script: &str,
    hash: &str,
) -> Result<Option<Sent>, ImportError> {
    if let Some(key) = &sending.key
        && let Some(sent) = here.store.sent_as(key).await?
    {
        return same_content(key, sent, hash).map(Some);
    }
    let there = match here.store.find_campaign(&settings.name).await {
        Err(StoreError::Missing(_)) => return Ok(None),
        there => there?,
    };
    let asked = intake::settings::to_json(settings).to_string();
    let same = there.script == script && there.settings == asked;
    let sent = here.store.sent_before(there.campaign, hash).await?;
    Ok(sent.filter(|_| same && there.name == settings.name && !sending.again))
}

/// A key belongs to the content that it came with first.
pub(super) fn same_content(key: &str, sent: Sent, hash: &str) -> Result<Sent, ImportError> {
    if sent.content_hash == hash { Ok(sent) } else { Err(ImportError::Key(key.to_owned())) }
}

pub(super) fn buckets(sent: &Sent) -> Buckets {
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    Buckets { accepted: count(sent.accepted), duplicate: count(sent.duplicates), refused: count(sent.refused) }
}

fn again(sent: Sent, policy: PolicyNote) -> Imported {
    let buckets = buckets(&sent);
    let (campaign, name) = (CampaignId(sent.campaign_id), sent.campaign);
    Imported { campaign, name, policy, rows: buckets.rows(), buckets, notes: 0, again: true }
}

/// A schedule's row, with its first firing.
pub(super) fn new_schedule(here: &Here<'_>, schedule: &Schedule) -> Result<NewSchedule, ImportError> {
    let next_at = first_firing(schedule, here.now)
        .and_then(|at| at.ok_or_else(|| "never fires: there is no such date".to_owned()))
        .map_err(|cause| ImportError::Settings(format!("schedule.cron: {cause}"), vec![cause]))?;
    Ok(NewSchedule {
        schedule: ScheduleId(here.store.ids.one(here.now.0)),
        cron: schedule.cron.clone(),
        timezone: schedule.timezone.name().to_owned(),
        take: intake::settings::take_text(schedule.take),
        overlap: intake::settings::overlap_text(schedule.overlap).to_owned(),
        next_at: Some(next_at),
    })
}

/// Tells one file from another.
pub(super) fn content_hash(bytes: &[u8]) -> String {
    in_hex(Sha256::new().chain_update(bytes))
}

fn policy_note(name: &str) -> PolicyNote {
    let policy = intake::policy::find(name);
    PolicyNote {
        name: name.to_owned(),
        rules: policy.as_ref().map_or(0, |policy| policy.asks().count()),
        unverified: policy.as_ref().map_or(0, intake::policy::Policy::unverified),
        not_held: policy.as_ref().map(|policy| policy.not_held.clone()).unwrap_or_default(),
    }
}

/// A campaign that may never call anybody is a mistake, not a campaign.
pub(super) fn never_open(settings: &Settings, now: Timestamp) -> Result<(), ImportError> {
    let policy = intake::policy::find(&settings.policy).map(|policy| policy.calendars()).unwrap_or_default();
    if settings.purpose == Purpose::Test || open_at(settings, &policy, settings.timezone, now).is_some() {
        return Ok(());
    }
    let fault = if open_at(settings, &[], settings.timezone, now).is_some() {
        format!("windows.days: never open under policy `{}`; choose days that it allows", settings.policy)
    } else {
        format!("windows: not open in the next {HORIZON_DAYS} days; mend days, holidays, from or until")
    };
    Err(ImportError::Settings(fault.clone(), vec![fault]))
}

/// Who demands consent of every row. A test's own phones need none, and only the grant knows them all.
pub(super) fn who_demands_consent(settings: &Settings) -> Option<String> {
    if settings.purpose == Purpose::Test {
        return None;
    }
    let policy = intake::policy::find(&settings.policy).is_some_and(|policy| policy.consent.is_some());
    policy
        .then(|| format!("policy `{}`", settings.policy))
        .or(settings.consent.required.then(|| "the campaign".to_owned()))
}
