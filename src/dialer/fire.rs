//! fire: a schedule's moment has come.

use super::{Dialer, DialerError, Result, Rules, hindrance};
use crate::domain::clearance::open_at;
use crate::domain::schedule::Cron;
use crate::domain::settings::{Missed, Purpose, Schedule};
use crate::domain::{RunId, Timestamp};
use crate::fail;
use crate::store::{self, Actor, Beginning, By, FireOrder, Fired, RunOrder, SkipOrder};
use tracing::{error, info, warn};

/// A schedule as it is stored; the other is the one of the settings.
type Row = store::Schedule;

/// A leadership lasts this long unless it is kept (wall time): another node takes over in less than ten seconds,
/// its own ticks and a beat of the database included.
const LEAD_WALL_MS: i64 = 6_000;

/// A firing this late was missed while no scheduler ran: a restart and a change of leaders are shorter.
const MISSED_MS: i64 = 5 * 60_000;
const MISSED_WALL_MS: i64 = 30_000;

/// The first firing of a new schedule after `now`.
pub fn first_firing(schedule: &Schedule, now: Timestamp) -> std::result::Result<Option<Timestamp>, String> {
    let cron: Cron = schedule.cron.parse().map_err(|e: crate::domain::schedule::CronError| e.to_string())?;
    Ok(cron.next(schedule.timezone, now))
}

/// The same by its row alone, for a campaign whose settings cannot be read.
fn next_of(row: &Row, now: Timestamp) -> std::result::Result<Option<Timestamp>, String> {
    let cron: Cron = row.cron.parse().map_err(|e: crate::domain::schedule::CronError| e.to_string())?;
    let zone = row.timezone.parse().map_err(|_| format!("`{}` is no time zone", row.timezone))?;
    Ok(cron.next(zone, now))
}

/// Who starts the run of a moment, and for which moments it stands.
fn beginning(schedule: &Schedule, due_at: Timestamp, now: Timestamp) -> Beginning {
    let more = matches!(first_firing(schedule, due_at), Ok(Some(next)) if next <= now);
    let besides = if more { format!(", and in place of every later moment until {now}") } else { String::new() };
    let by = By { actor: Actor::Schedule, ..By::halo(format!("due {due_at}{besides}")) };
    Beginning { by, ..Beginning::default() }
}

/// A campaign whose last day has passed calls nobody; a test may ring phones that no window holds back.
fn is_over(rules: &Rules, now: Timestamp) -> bool {
    let settings = &rules.settings;
    settings.purpose != Purpose::Test && open_at(settings, &rules.policy, settings.timezone, now).is_none()
}

impl Dialer {
    /// Takes or keeps a leadership; `None` while another node has it.
    pub(super) async fn lead(&self, name: &'static str) -> Result<Option<i64>> {
        let now = self.clock.now();
        let until = now.plus_ms(self.clock.at_least(LEAD_WALL_MS, LEAD_WALL_MS));
        Ok(self.store.lead(name, &self.node, now, until).await?)
    }

    /// Is this a moment that nobody saw in time, of a schedule that does not want it any more?
    fn missed(&self, schedule: &Schedule, due_at: Timestamp, now: Timestamp) -> bool {
        let late_ms = now.since(due_at);
        schedule.missed == Missed::Skip && late_ms > self.clock.at_least(MISSED_MS, MISSED_WALL_MS)
    }

    /// Starts the runs whose moment has come; each moment makes one run, over restarts and nodes. After
    /// downtime the missed moments are made up for by one run, or skipped, as the schedule says.
    pub async fn fire(&self) -> Result<Vec<RunId>> {
        if self.only_single_calls {
            return Ok(Vec::new());
        }
        let Some(generation) = self.lead("scheduler").await? else { return Ok(Vec::new()) };
        let now = self.clock.now();
        let mut started = Vec::new();
        for due in self.store.due_schedules(now).await? {
            match self.fire_one(&due, generation, now).await {
                Ok(run) => started.extend(run),
                // The others fire all the same; this one is asked again at the next tick.
                Err(cause) => error!("Schedule {} cannot fire: {cause}", due.schedule),
            }
        }
        Ok(started)
    }

    async fn fire_one(&self, due: &Row, generation: i64, now: Timestamp) -> Result<Option<RunId>> {
        let Some(due_at) = due.next_at else { return Ok(None) };
        let rules = match self.rules(due.campaign).await {
            Err(DialerError::Rules { cause, .. }) => {
                let why = format!("the campaign's settings cannot be read: {cause}");
                return self.skip(due, due_at, next_of(due, now).ok().flatten(), why, now).await;
            }
            rules => rules?,
        };
        let Some(schedule) = &rules.settings.schedule else { return Ok(None) };
        let next_at = match first_firing(schedule, now) {
            Ok(next_at) => next_at,
            // Until somebody writes it anew.
            Err(why) => return self.skip(due, due_at, None, why, now).await,
        };
        let why = if self.missed(schedule, due_at, now) {
            Some("it passed while no scheduler ran".to_owned())
        } else if is_over(&rules, now) {
            Some("no window opens any more".to_owned())
        } else {
            hindrance(&self.store, due.campaign, &rules.settings, self.platform.real).await?
        };
        if let Some(why) = why {
            return self.skip(due, due_at, next_at, why, now).await;
        }
        fail::point("fire.begun");
        let run = RunId(self.store.ids.one(now.0));
        let order = FireOrder {
            owner: self.node.clone(),
            generation,
            due_at,
            next_at,
            overlap: schedule.overlap,
            run: RunOrder {
                run,
                campaign: due.campaign,
                account: self.account,
                kind: "campaign",
                schedule: Some((due.schedule, due_at)),
                take: schedule.take,
                beginning: beginning(schedule, due_at, now),
                now,
                ids: self.store.ids.clone(),
            },
        };
        match self.store.fire(order).await? {
            Fired::Started { contacts } => {
                fail::point("fire.done");
                info!(run.id = %run, "Schedule {} fired for {due_at}: run {run} with {contacts} contacts", due.schedule);
                return Ok(Some(run));
            }
            Fired::Skipped => {
                warn!("Schedule {} skipped {due_at}: the run before it is still open", due.schedule);
            }
            Fired::Waiting | Fired::NotOurs => {}
        }
        Ok(None)
    }

    /// This moment makes no run, visibly; the next one asks again.
    async fn skip(
        &self,
        due: &Row,
        due_at: Timestamp,
        next_at: Option<Timestamp>,
        reason: String,
        now: Timestamp,
    ) -> Result<Option<RunId>> {
        warn!("Schedule {} skipped {due_at}: {reason}", due.schedule);
        self.store.skip_firing(SkipOrder { schedule: due.schedule, due_at, next_at, reason, now }).await?;
        Ok(None)
    }
}
