//! Alerts: what is wrong is told once, and told again when it is over.

use super::{Notifier, NotifyError, Result};
use crate::domain::notice::{Alert, AlertKind, Channel, Kind, Watched, alerts};
use crate::domain::{RunId, ScheduleId, Timestamp};
use crate::report::model::Light;
use crate::report::nights::REFERENCE_NIGHTS;
use crate::report::stored;
use crate::store::Campaign;
use crate::store::notices::{AlertRow, AlertsOrder, NewNotice};
use serde_json::json;
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// The provider is asked for its balance so often (real time).
const BALANCE_EVERY: Duration = Duration::from_secs(5 * 60);
/// A moment of a schedule that nobody took up for so long was missed (real time at least).
const LATE_MS: i64 = 10 * 60_000;
/// A night that was missed longer ago is no news any more.
const NIGHT_MS: i64 = 24 * 3600 * 1000;
/// People are told by these; programs listen by their endpoints.
const PEOPLE: [Channel; 2] = [Channel::Email, Channel::Telegram];

impl Notifier {
    pub(super) async fn alerts(&self) -> Result<()> {
        let now = self.clock.now();
        let open = self.store.open_alerts().await?;
        let known = open.iter().map(|row| Ok((row.kind()?, row.subject.clone())));
        let known: Vec<(AlertKind, String)> = known.collect::<std::result::Result<_, crate::store::StoreError>>()?;
        let found = alerts(&self.watched(now).await?, &known, now);
        let is = |alert: &Alert, row: &AlertRow| row.kind == alert.kind.as_str() && row.subject == alert.subject;
        let endpoints = self.store.endpoints().await?;
        let (mut raised, mut resolved) = (Vec::new(), Vec::new());
        for alert in found.iter().filter(|alert| !open.iter().any(|row| is(alert, row))) {
            let id = self.store.ids.one(now.0);
            warn!("Alert, {}: {}", alert.kind.as_str(), alert.told);
            let to = self.addressees(&endpoints, Kind::AlertRaised, now, &PEOPLE);
            let notice = NewNotice {
                source: format!("alert:{id}:raised"),
                kind: Kind::AlertRaised,
                happened_at: now,
                title: format!("halo: {}", title(alert.kind)),
                body: alert.told.clone(),
                data: json!({ "alert": alert.kind.as_str(), "subject": alert.subject, "told": alert.told }),
                to,
            };
            raised.push((id, alert.clone(), notice));
        }
        for (row, (kind, _)) in open.iter().zip(&known).filter(|(row, _)| !found.iter().any(|alert| is(alert, row))) {
            info!("Resolved, {}: {}", row.kind, row.told);
            let notice = NewNotice {
                source: format!("alert:{}:resolved", row.alert_id),
                kind: Kind::AlertResolved,
                happened_at: now,
                title: format!("halo: resolved: {}", title(*kind)),
                body: format!("Resolved. It was, since {}: {}", Timestamp(row.raised_at), row.told),
                data: json!({ "alert": row.kind, "subject": row.subject, "told": row.told,
                              "raised_at": Timestamp(row.raised_at).to_string() }),
                to: self.addressees(&endpoints, Kind::AlertResolved, now, &PEOPLE),
            };
            resolved.push((row.alert_id, notice));
        }
        if raised.is_empty() && resolved.is_empty() {
            return Ok(());
        }
        let all = raised.iter().map(|(_, _, notice)| notice).chain(resolved.iter().map(|(_, notice)| notice));
        let notices = self.store.notices_order(all.cloned().collect(), None, now);
        self.store.put_alerts(AlertsOrder { raised, resolved, notices }).await?;
        Ok(())
    }

    async fn watched(&self, now: Timestamp) -> Result<Watched> {
        let account = self.store.account(self.account).await?;
        let figures = self.store.operation(self.account, now).await?;
        let tripped = self.store.watched_trips(self.account).await?;
        let late = now.plus_ms(-self.clock.at_least(LATE_MS, LATE_MS));
        let missed = self.store.watched_nights(now.plus_ms(-NIGHT_MS), late).await?;
        let last_start = self.store.watched_last_start(now.plus_ms(-NIGHT_MS)).await?;
        let in_flight = figures.in_flight.iter().filter(|(state, _)| state != "planned").map(|(_, n)| n).sum();
        Ok(Watched {
            tripped: tripped.into_iter().map(|(run, name, why)| (RunId(run).to_string(), name, why)).collect(),
            balance: self.balance().await?,
            balance_min: self.watch.balance_min,
            account_paused: account.is_none_or(|account| account.paused_at.is_some()),
            due_since: figures.due_since,
            in_flight,
            last_start,
            idle_max_ms: self.clock.at_least(self.watch.idle_ms, 0),
            missed: missed
                .into_iter()
                .map(|(schedule, name, at, why)| (ScheduleId(schedule).to_string(), name, Timestamp(at), why))
                .collect(),
            unlike: self.unlike(now).await?,
        })
    }

    /// Nights beyond their control band. Each is looked at once: a report of many nights is not made every few seconds.
    async fn unlike(&self, now: Timestamp) -> Result<Vec<(String, String, String)>> {
        let ends = self.store.watched_ends(self.account, now.plus_ms(-NIGHT_MS), REFERENCE_NIGHTS as i64 + 1).await?;
        let mut found = Vec::new();
        for (id, run) in ends {
            let Some(campaign) = self.store.campaign(id).await? else { continue };
            let known = self.controlled.lock().expect("no panic while holding it").get(&id).cloned();
            let told = match known.filter(|(seen, _)| *seen == run) {
                Some((_, told)) => told,
                None => {
                    // One campaign whose report cannot be made silences no other alert.
                    let told = self.beyond(&campaign, now).await.unwrap_or_else(|cause| {
                        error!("The control band of campaign {id}: {cause}");
                        None
                    });
                    self.controlled.lock().expect("no panic while holding it").insert(id, (run, told.clone()));
                    told
                }
            };
            found.extend(told.map(|told| (run.to_string(), campaign.name.clone(), told)));
        }
        Ok(found)
    }

    async fn beyond(&self, campaign: &Campaign, now: Timestamp) -> Result<Option<String>> {
        let settings = (self.read_settings)(&campaign.settings).map_err(NotifyError::Report)?;
        let report = stored::report(&self.store, campaign, &settings, now).await?;
        let beyond = report.health.iter().find(|check| check.check == "control" && check.light > Light::Good);
        Ok(beyond.map(|check| check.text.en.clone()))
    }

    /// What the provider said last; asked again every few minutes, and kept for `/metrics`.
    async fn balance(&self) -> Result<Option<(f64, String)>> {
        let Some(ask) = &self.watch.ask_balance else { return Ok(None) };
        let due = {
            let mut asked = self.asked_balance.lock().expect("no panic while holding it");
            let due = asked.is_none_or(|at| at.elapsed() >= BALANCE_EVERY);
            if due {
                *asked = Some(Instant::now());
            }
            due
        };
        if due && let Some((amount, currency)) = ask().await {
            let told = json!({ "amount": amount, "currency": currency, "asked_at": self.clock.now() });
            self.store.set_installation_value("balance", told.to_string()).await?;
        }
        let kept = self.store.installation_value("balance").await?;
        let told = kept.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        Ok(told.and_then(|told| Some((told["amount"].as_f64()?, told["currency"].as_str()?.to_owned()))))
    }
}

fn title(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Breaker => "a breaker paused a run",
        AlertKind::Balance => "the balance is low",
        AlertKind::Idle => "nobody is dialled",
        AlertKind::Night => "a nightly run is missing",
        AlertKind::Control => "a night is unlike those before",
    }
}
