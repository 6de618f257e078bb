//! A campaign and its list, from text to rows: all accepted rows or none.
//!
//! The API and the command line come through here; `intake` reads, the arms are given, one act of the
//! store keeps it all.

use super::lists::{self, Given, in_hex};
use crate::dialer::first_firing;
use crate::dialogue::Script;
use crate::domain::assign::{arms, dial_order_of, stratum};
use crate::domain::calendar::HORIZON_DAYS;
use crate::domain::clearance::open_at;
use crate::domain::settings::{Purpose, Schedule, Settings};
use crate::domain::term::Term;
use crate::domain::{BatchId, CampaignId, Mode, PhoneNumber, ScheduleId, Timestamp};
use crate::fail;
use crate::intake::{self, Bucket, IntakeError, List};
use crate::store::{
    Campaign, NewCampaign, NewContact, NewNote, NewNumber, NewSchedule, Reject, Store, StoreError, Wishes,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Rows named in one fault.
const LINES_QUOTED_MAX: usize = 5;

/// Rows told where a whole list was refused.
const COMPLAINTS_TOLD_MAX: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("settings: {0}")]
    Settings(String, Vec<String>),
    #[error("script: {0}")]
    Script(String, Vec<String>),
    #[error("contacts: {0}")]
    Contacts(#[from] IntakeError),
    #[error("contacts: {} of them cannot be called here", .0.len())]
    Rows(Vec<String>),
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
                if let Some(more) = list.complaints.len().checked_sub(COMPLAINTS_TOLD_MAX).filter(|more| *more > 0) {
                    told.push(format!("and {more} more rows"));
                }
                told
            }
            ImportError::Contacts(cause) => vec![cause.to_string()],
            ImportError::Store(_) => Vec::new(),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Buckets {
    pub accepted: usize,
    pub duplicate: usize,
    pub refused: usize,
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
    let (list, content_hash) = read_list(given, &settings, here).await?;
    check_rows(here, &settings, &list, &script)?;

    let now = here.now;
    let salt = upload.salt.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let campaign = CampaignId(here.store.ids.one(now.0));
    let contacts = assigned(&settings, &salt, 1, &list);
    let schedule = settings.schedule.as_ref().map(|schedule| new_schedule(here, schedule));
    let notes: Vec<NewNote> = list.notes().map(note).collect();
    let left_out = notes.len();
    let buckets = Buckets { accepted: list.accepted.len(), duplicate: list.duplicates(), refused: list.refused() };
    let new = NewCampaign {
        campaign: Campaign {
            campaign,
            name: settings.name.clone(),
            settings: intake::settings::to_json(&settings).to_string(),
            script: script_text.to_owned(),
            salt,
            created_at: now,
        },
        batch: BatchId(here.store.ids.one(now.0)),
        source: upload.source.to_owned(),
        content_hash,
        rows_total: list.rows as i64,
        contacts,
        rejects: rejects(&list),
        notes,
        schedule: schedule.transpose()?,
        ids: here.store.ids.clone(),
    };
    fail::point("import.begun");
    here.store.create_campaign(new).await?;
    fail::point("import.done");
    let policy = policy_note(&settings.policy);
    Ok(Imported { campaign, name: settings.name, policy, rows: list.rows, buckets, notes: left_out })
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

/// Rows that may not be called for this purpose, which nobody with a reason let through.
fn purpose_refused(settings: &Settings, list: &List) -> Vec<String> {
    if settings.policy_override.is_some() {
        return Vec::new();
    }
    let refused = |row: &intake::Row| {
        let first = ("phone", row.country.as_deref());
        let further = row.alternates.iter().map(|a| (a.field.as_str(), a.country.as_deref()));
        let (field, why) = std::iter::once(first)
            .chain(further)
            .find_map(|(field, country)| Some((field, intake::policy::refused(settings.purpose, country?)?)))?;
        Some(format!("line {}: {field}: {why}; or give a [policy_override] with its reason", row.line))
    };
    list.accepted.iter().filter_map(refused).take(LINES_QUOTED_MAX).collect()
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

/// A list of which somebody can be called, and what tells its file from another.
pub(super) async fn read_list(
    given: Given,
    settings: &Settings,
    here: &Here<'_>,
) -> Result<(List, String), ImportError> {
    let (list, hash) = lists::read(given, settings, here.modes, here.now).await?;
    Ok((intake::useful(list)?, hash))
}

pub(super) fn check_rows(
    here: &Here<'_>,
    settings: &Settings,
    list: &List,
    script: &Script,
) -> Result<(), ImportError> {
    let mut faults = purpose_refused(settings, list);
    if here.real_platform {
        for row in list.examples().take(LINES_QUOTED_MAX) {
            faults.push(format!("line {}: phone: example number: never dialled on the real platform", row.line));
        }
    }
    for (variable, lines) in script.lacking(list.accepted.iter().map(|row| (row.line, &row.variables))) {
        let quoted: Vec<String> = lines.iter().take(LINES_QUOTED_MAX).map(u64::to_string).collect();
        let more = lines.len().saturating_sub(LINES_QUOTED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        faults.push(format!("the script says {{{{{variable}}}}}, which line {}{more} lacks", quoted.join(", ")));
    }
    if faults.is_empty() { Ok(()) } else { Err(ImportError::Rows(faults)) }
}

/// The arms of the list with this ordinal: each list is a stratum of its own, so a later one moves nobody.
pub(super) fn assigned(settings: &Settings, salt: &str, ordinal: i64, list: &List) -> Vec<NewContact> {
    // A row that names its own mode is called, and is in no experiment: it takes no place in a block.
    let numbers: Vec<PhoneNumber> =
        list.accepted.iter().filter(|row| row.mode.is_none()).map(|row| row.number.clone()).collect();
    let mut given = arms(salt, &stratum(ordinal), &settings.modes, &numbers).into_iter();
    list.accepted
        .iter()
        .map(|row| {
            let own = row.mode.clone();
            NewContact {
                line: row.line as i64,
                own_mode: own.is_some(),
                mode: own.or_else(|| given.next()).unwrap_or_else(Mode::dialog),
                dial_order: dial_order_of(salt, &row.number, row.priority),
                number: row.number.clone(),
                name: row.name.clone(),
                timezone: row.timezone,
                external_id: row.external_id.clone(),
                variables: serde_json::to_string(&row.variables).expect("a map of strings serialises"),
                raw_phone: row.raw.clone(),
                alternates: row.alternates.iter().map(alternate).collect(),
                consent_kind: row.consent.kind.clone(),
                consent_at: row.consent.at,
                consent_source: row.consent.source.clone(),
                wishes: Wishes {
                    term: Term { not_before: row.not_before, not_after: row.not_after },
                    priority: row.priority,
                    kind: Some(row.kind),
                },
            }
        })
        .collect()
}

fn alternate(alternate: &intake::Alternate) -> NewNumber {
    let intake::Alternate { ordinal, number, raw, .. } = alternate.clone();
    NewNumber { ordinal: ordinal.into(), number, raw }
}

pub(super) fn note(note: &intake::Note) -> NewNote {
    let intake::Note { line, field, reason, raw } = note.clone();
    NewNote { line: line as i64, field, reason, raw }
}

pub(super) fn rejects(list: &List) -> Vec<Reject> {
    list.complaints
        .iter()
        .map(|c| Reject {
            line: c.line as i64,
            bucket: match c.bucket {
                Bucket::Duplicate => "duplicate".into(),
                Bucket::Refused => "refused".into(),
            },
            field: c.field.clone(),
            reason: c.reason.clone(),
            raw: c.raw.clone(),
        })
        .collect()
}
