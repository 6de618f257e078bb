//! The report that arrives by itself, once a day for each campaign that asks for it, finished or not.

use super::{Notifier, NotifyError, Result};
use crate::domain::notice::{Channel, Kind, Morning, morning};
use crate::domain::{CampaignId, RunId, Timestamp};
use crate::report::render::markdown;
use crate::report::{Lang, stored};
use crate::store::Campaign;
use crate::store::notices::{MorningOrder, MorningProgress, NewNotice};
use serde_json::json;
use tracing::{error, info};

/// A run that was over before then is told of no more.
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Places east of Greenwich begin their day before it: hours that a day's moment can differ.
const SPREAD_MS: i64 = 14 * 3600 * 1000;

impl Notifier {
    pub(super) async fn mornings(&self) -> Result<()> {
        let now = self.clock.now();
        for (campaign, _) in self.store.morning_campaigns(now, now.plus_ms(-2 * DAY_MS - SPREAD_MS)).await? {
            // One campaign whose report cannot be written costs its own report alone.
            if let Err(cause) = self.morning(campaign, now).await {
                error!("The report of campaign {campaign}: {cause}");
            }
        }
        Ok(())
    }

    async fn morning(&self, id: CampaignId, now: Timestamp) -> Result<()> {
        let Some(campaign) = self.store.campaign(id).await? else { return Ok(()) };
        let settings = (self.read_settings)(&campaign.settings).map_err(NotifyError::Report)?;
        let wanted = &settings.report;
        let Some(at_min) = wanted.at_min else { return Ok(()) };
        let Some((day, due)) = morning(at_min, settings.timezone, now) else { return Ok(()) };
        if self.store.morning_made(id, &day).await? {
            return Ok(());
        }
        let of_day = self.store.morning_campaigns(due, due.plus_ms(-DAY_MS)).await?;
        let Some((_, run)) = of_day.into_iter().find(|(campaign, _)| *campaign == id) else { return Ok(()) };

        let lang = if wanted.russian { Lang::Ru } else { Lang::En };
        let report = stored::report(&self.store, &campaign, &settings, now).await?;
        let progress = self.store.morning_progress(run).await?;
        let body = format!("{}\n\n{}", so_far(&progress, lang), markdown(&report, lang));
        let notice = self.notice(&campaign, wanted, run, &day, &progress, body, now).await?;
        let notices = self.store.notices_order(vec![notice], None, now);
        if self.store.put_morning(MorningOrder { campaign: id, day: day.clone(), notices }).await? {
            info!("The report of campaign {id} for {day} goes out");
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn notice(
        &self,
        campaign: &Campaign,
        wanted: &Morning,
        run: RunId,
        day: &str,
        progress: &MorningProgress,
        body: String,
        now: Timestamp,
    ) -> Result<NewNotice> {
        let people: Vec<Channel> =
            if wanted.channels.is_empty() { Channel::ALL.to_vec() } else { wanted.channels.clone() };
        let endpoints = self.store.endpoints().await?;
        let mut to = self.addressees(&endpoints, Kind::Report, now, &people);
        to.retain(|addressee| people.contains(&addressee.channel));
        Ok(NewNotice {
            source: format!("report:{}:{day}", campaign.campaign.0),
            kind: Kind::Report,
            happened_at: now,
            title: format!("{} · {day}", campaign.name),
            data: json!({
                "campaign": campaign.campaign, "campaign_name": campaign.name, "run": run, "day": day,
                "completed": is_over(progress), "contacts": progress.contacts, "at_rest": progress.rested,
                "markdown": body,
            }),
            body,
            to,
        })
    }
}

fn is_over(progress: &MorningProgress) -> bool {
    progress.ended_at.is_some()
}

/// How much of the run is done, in a sentence: a report of an unfinished night must say that it is one.
fn so_far(progress: &MorningProgress, lang: Lang) -> String {
    let MorningProgress { ordinal, state, state_reason, contacts, rested, .. } = progress;
    let percent = if *contacts == 0 { 100 } else { rested * 100 / contacts };
    let why = state_reason.as_deref().filter(|why| !why.is_empty()).map(|why| format!(": {why}")).unwrap_or_default();
    match (lang, state.as_str()) {
        (Lang::En, "completed") => format!("Run {ordinal} is completed: {contacts} contacts are at rest."),
        (Lang::Ru, "completed") => format!("Прогон {ordinal} завершён: контактов {contacts}, все обработаны."),
        (Lang::En, state) => {
            format!(
                "Run {ordinal} is not finished ({state}{why}): {rested} of {contacts} contacts are at rest, {percent} %."
            )
        }
        (Lang::Ru, state) => {
            let state = match state {
                "paused" => "на паузе",
                "stopped" => "остановлен",
                _ => "идёт",
            };
            format!("Прогон {ordinal} не закончен ({state}{why}): обработано {rested} из {contacts}, {percent} %.")
        }
    }
}
