//! What must not be started at the real platform.

use crate::domain::settings::{Purpose, Settings};
use crate::domain::{CampaignId, PhoneNumber};
use crate::store::{Result, Store, StoreError};

/// A test of strangers' numbers on the real platform is no test.
const TEST_STRANGERS_MAX: usize = 20;
const PAGE: i64 = 1000;

/// Why a run of this campaign may not start, if it may not.
pub async fn hindrance(
    store: &Store,
    campaign: CampaignId,
    settings: &Settings,
    real_platform: bool,
) -> Result<Option<String>> {
    hindrance_with(store, campaign, settings, real_platform, &[]).await
}

/// The same when these numbers join it.
pub async fn hindrance_with(
    store: &Store,
    campaign: CampaignId,
    settings: &Settings,
    real_platform: bool,
    joining: &[PhoneNumber],
) -> Result<Option<String>> {
    if !real_platform {
        return Ok(None);
    }
    let (mut examples, mut strangers, mut after) = (0, 0, 0);
    loop {
        let page = store.contacts(campaign, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.contact_id;
        for row in &page {
            let number: PhoneNumber = row.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
            if number.is_example() {
                examples += 1;
            } else if !row.allow_listed {
                strangers += 1;
            }
        }
    }
    let mut after = (0, 0);
    loop {
        let page = store.alternates(campaign, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.contact_id, last.ordinal);
        for row in &page {
            let number: PhoneNumber = row.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
            examples += usize::from(number.is_example());
            strangers += usize::from(!number.is_example() && !row.allow_listed);
        }
    }
    for number in joining {
        if number.is_example() {
            examples += 1;
        } else if settings.purpose == Purpose::Test && strangers <= TEST_STRANGERS_MAX {
            let standing = store.standing(number).await?;
            strangers += usize::from(!standing.is_some_and(|standing| standing.allow_listed));
        }
    }
    if examples > 0 {
        return Ok(Some(format!(
            "{examples} contacts are example numbers, which are never dialled on the real platform"
        )));
    }
    if settings.purpose == Purpose::Test && strangers > TEST_STRANGERS_MAX {
        return Ok(Some(format!(
            "purpose = \"test\" with {strangers} numbers that are no test phones: state the real purpose"
        )));
    }
    Ok(None)
}
