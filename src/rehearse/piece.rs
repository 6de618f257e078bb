//! The campaign that is rehearsed, from a folder or from the user's database.

use super::{FAULTS_SHOWN_MAX, Order, PAGE};
use crate::app::{open_store, read_rules};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::settings::Settings;
use crate::domain::{CampaignId, Mode, PhoneNumber, Timestamp};
use crate::http::import::{Here, PLAIN_SCRIPT, Upload, import};
use crate::intake;
use crate::store::{ContactRow, NewNumber, Store};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// The campaign that is rehearsed, wherever it came from.
pub(super) struct Piece {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) script: String,
    pub(super) salt: String,
    pub(super) contacts: Vec<ContactRow>,
    /// Further numbers, by contact.
    pub(super) further: HashMap<i64, Vec<NewNumber>>,
    /// Where the suppression list and the allow-list of a real run stand, if there is such a database.
    theirs: Option<Store>,
}

impl Piece {
    /// Whom a real run would never call, and which are test phones, for the rehearsal's own database.
    pub(super) async fn hand_over(&self, numbers: &[&PhoneNumber], ours: &Store, now: Timestamp) -> Result<()> {
        let Some(theirs) = &self.theirs else { return Ok(()) };
        let mut suppressed = Vec::new();
        for number in numbers {
            let Some(standing) = theirs.standing(number).await? else { continue };
            if standing.suppressed_at.is_some() {
                suppressed.push(((*number).clone(), "on the suppression list".to_owned()));
            }
            if standing.allow_listed {
                ours.allow_list((*number).clone(), true, now).await?;
            }
        }
        ours.suppress_all(suppressed, now).await?;
        Ok(())
    }

    pub(super) async fn close(&self) {
        if let Some(theirs) = &self.theirs {
            theirs.close().await;
        }
    }
}

/// The user's database, which a rehearsal does not make.
async fn theirs(config: &Config) -> Result<Option<Store>> {
    match crate::app::sqlite_path(&config.database_url) {
        Some(path) if !path.exists() => Ok(None),
        _ => Ok(Some(open_store(config).await?)),
    }
}

/// From a folder: read and refused exactly as an import is.
pub(super) async fn of_folder(
    store: &Store,
    dir: &Path,
    modes: &BTreeSet<Mode>,
    config: &Config,
    order: &Order,
) -> Result<Piece> {
    let text = |name: &str| {
        let path = dir.join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let settings_text = text("campaign.toml")?;
    let script = if dir.join("script.toml").exists() { Some(text("script.toml")?) } else { None };
    let list = dir.join("contacts.csv");
    let contacts = std::fs::read(&list).with_context(|| list.display().to_string())?;
    let mut settings = intake::settings::parse(&settings_text, modes).map_err(|faults| anyhow!("{faults}"))?;
    // Of a rehearsal there is one.
    settings.schedule = None;
    let plain = intake::settings::to_json(&settings).to_string();
    let here = Here {
        store,
        modes,
        real_platform: false,
        default_caller_id: config.caller_id.clone(),
        now: order.at.unwrap_or_else(|| Clock::running(crate::clock::Anchor::here(1.0)).wall()),
    };
    let salt = format!("rehearsal-{}", order.seed);
    let upload = Upload {
        source: "contacts.csv",
        settings: &plain,
        script: script.as_deref(),
        contacts: &contacts,
        salt: Some(salt.clone()),
    };
    let done = import(&here, upload).await.map_err(|cause| {
        let faults: Vec<String> = cause.faults().into_iter().take(FAULTS_SHOWN_MAX).collect();
        anyhow!("{cause}\n{}", faults.join("\n"))
    })?;
    if settings.dial.caller_ids.is_empty() {
        settings.dial.caller_ids.extend(config.caller_id.clone());
    }
    let contacts = all_contacts(store, done.campaign).await?;
    let further = store.further_numbers(done.campaign).await?;
    let script = script.unwrap_or_else(|| PLAIN_SCRIPT.to_owned());
    let theirs = theirs(config).await?;
    Ok(Piece { name: done.name, settings, script, salt, contacts, further, theirs })
}

/// From the user's database, which is only read.
pub(super) async fn of_database(config: &Config, name: &str, modes: &BTreeSet<Mode>) -> Result<Piece> {
    let Some(theirs) = theirs(config).await? else {
        bail!("`{name}` is no folder with a campaign.toml, and DATABASE_URL names no database that is there");
    };
    let campaign = theirs.find_campaign(name).await?;
    let (mut settings, _) = read_rules(modes.clone())(&campaign.settings).map_err(anyhow::Error::msg)?;
    settings.schedule = None;
    let contacts = all_contacts(&theirs, campaign.campaign).await?;
    let further = theirs.further_numbers(campaign.campaign).await?;
    let (script, salt, theirs) = (campaign.script, campaign.salt, Some(theirs));
    Ok(Piece { name: campaign.name, settings, script, salt, contacts, further, theirs })
}

pub(super) async fn all_contacts(store: &Store, campaign: CampaignId) -> Result<Vec<ContactRow>> {
    let mut rows: Vec<ContactRow> = Vec::new();
    loop {
        let page = store.contacts(campaign, rows.last().map_or(0, |row| row.contact_id), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}
