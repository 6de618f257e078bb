//! A campaign's rules, read once: its settings and its policy's calendars.

use super::{Dialer, DialerError, Result};
use crate::domain::CampaignId;
use crate::domain::calendar::Calendar;
use crate::domain::settings::Settings;
use std::sync::Arc;

/// Rules held in memory before they are read again.
const KNOWN_MAX: usize = 1000;

#[derive(Clone, Debug)]
pub struct Rules {
    pub settings: Settings,
    pub policy: Vec<Calendar>,
    pub script: String,
}

/// Turns stored settings back into rules; `intake` knows how, and the dialer does not look in there.
pub type ReadRules = Arc<dyn Fn(&str) -> std::result::Result<(Settings, Vec<Calendar>), String> + Send + Sync>;

impl Dialer {
    /// The rules that hold now.
    pub async fn rules(&self, campaign: CampaignId) -> Result<Arc<Rules>> {
        let version = self.store.settings_version(campaign).await?;
        self.rules_at(campaign, version).await
    }

    /// The rules of this version, or of a newer one: whoever changed them is obeyed from the next look on.
    pub async fn rules_at(&self, campaign: CampaignId, version: i64) -> Result<Arc<Rules>> {
        if let Some((known, rules)) = self.known.lock().expect("no panic while holding it").get(&campaign)
            && *known >= version
        {
            return Ok(rules.clone());
        }
        let row = self.store.campaign(campaign).await?;
        let row = row.ok_or_else(|| crate::store::StoreError::Missing(format!("campaign {campaign}")))?;
        let (settings, policy) =
            (self.read_rules)(&row.settings).map_err(|cause| DialerError::Rules { campaign, cause })?;
        let rules = Arc::new(Rules { settings, policy, script: row.script });
        let mut known = self.known.lock().expect("no panic while holding it");
        // Every single call has rules of its own.
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(campaign, (version, rules.clone()));
        Ok(rules)
    }

    /// Read again next time: the campaign was changed or the database emptied.
    pub fn forget_rules(&self) {
        self.known.lock().expect("no panic while holding it").clear();
    }
}
