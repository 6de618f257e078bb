//! Tells people and programs what happened: outgoing webhooks, mail, a bot of Telegram.
//!
//! What is told is a row before it is told, so it arrives at least once, over restarts and nodes, and under one id. One
//! node does it, the one that leads; nothing that dials waits for it, and nothing here decides about a call. What is
//! worth telling is found by looking at rows that are there anyway, a moment after they were written.

mod address;
mod alerts;
mod happenings;
mod mail;
mod morning;
mod telegram;
mod webhook;

pub use address::{Doubt, sound};
pub use mail::Mail;
pub use telegram::Telegram;
pub use webhook::{SECRET_PREFIX, fresh_secret, key_of, sign};

use crate::clock::Clock;
use crate::domain::notice::{Channel, Kind, Tried, again_after_ms};
use crate::domain::settings::Settings;
use crate::domain::{CampaignId, DeliveryId, EndpointId, Mode, RunId, Timestamp};
use crate::measures;
use crate::store::notices::{Addressee, Due, Endpoint, Then, TryOrder};
use crate::store::{Store, StoreError};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How often the leader looks (real time).
const LOOK_EVERY: Duration = Duration::from_millis(1_000);
/// Conditions that make an alert, and mornings, are looked at less often.
const WATCH_EVERY: Duration = Duration::from_secs(10);
/// What is old enough to be forgotten is looked for so often (real time).
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// A leadership lasts so long unless it is kept, which is a commit each time (real time).
const LEAD_WALL_MS: i64 = 6_000;
const LEAD_KEPT_EVERY: Duration = Duration::from_millis(2_500);
/// Told at once; and for so long nobody else takes them (real time, longer than a try).
const AT_ONCE: i64 = 32;
const HELD_WALL_MS: i64 = 60_000;
/// A try may take so long (real time).
const TRY: Duration = Duration::from_secs(15);
/// What is kept of an answer that says why.
const TOLD_CHARS_MAX: usize = 300;
/// What ended is kept for a month.
const KEPT_MS: i64 = 30 * 24 * 3600 * 1000;

/// Stored settings back to rules.
pub type ReadSettings = Arc<dyn Fn(&str) -> std::result::Result<Settings, String> + Send + Sync>;
/// Asks the provider what is left, and in which currency; `None` where nobody can say.
pub type AskBalance = Arc<dyn Fn() -> BoxFuture<'static, Option<(f64, String)>> + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the client of outgoing webhooks cannot be built: {0}")]
    Client(#[source] reqwest::Error),
    #[error("the report cannot be written: {0}")]
    Report(String),
}

type Result<T> = std::result::Result<T, NotifyError>;

/// The ways that are set up.
#[derive(Clone, Default)]
pub struct Ways {
    pub mail: Option<Mail>,
    pub telegram: Option<Telegram>,
    /// Webhooks may go to private and loopback addresses.
    pub private: bool,
}

/// What is watched for alerts.
#[derive(Clone, Default)]
pub struct Watch {
    pub idle_ms: i64,
    pub balance_min: Option<f64>,
    pub ask_balance: Option<AskBalance>,
}

pub struct Notifier {
    store: Store,
    clock: Clock,
    /// This process, for the lease.
    node: String,
    account: i64,
    modes: Vec<Mode>,
    ways: Ways,
    watch: Watch,
    read_settings: ReadSettings,
    hooks: reqwest::Client,
    asked_balance: std::sync::Mutex<Option<Instant>>,
    /// By campaign, the run whose control band was looked at last, and what left it.
    controlled: std::sync::Mutex<BTreeMap<CampaignId, (RunId, Option<String>)>>,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// New notices.
    pub noticed: usize,
    pub delivered: usize,
    pub failed: usize,
}

impl Notifier {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        store: Store,
        clock: Clock,
        node: String,
        account: i64,
        modes: impl IntoIterator<Item = Mode>,
        ways: Ways,
        watch: Watch,
        read_settings: ReadSettings,
    ) -> Result<Self> {
        let hooks = webhook::client(ways.private, TRY).map_err(NotifyError::Client)?;
        Ok(Notifier {
            store,
            clock,
            node,
            account,
            modes: modes.into_iter().collect(),
            ways,
            watch,
            read_settings,
            hooks,
            asked_balance: Default::default(),
            controlled: Default::default(),
        })
    }

    /// Until `stop`. A look that fails or panics is not the last one.
    pub async fn run(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut kept: Option<Instant> = None;
        let (mut watched, mut forgot): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let is_time = |last: Option<Instant>, every| last.is_none_or(|at: Instant| at.elapsed() >= every);
            let (watches, forgets) = (is_time(watched, WATCH_EVERY), is_time(forgot, FORGET_EVERY));
            let looking = AssertUnwindSafe(async {
                if !self.leads(&mut kept).await? {
                    return Ok(());
                }
                if watches {
                    self.watch().await?;
                }
                if forgets {
                    self.store.forget_notices(self.clock.now().plus_ms(-KEPT_MS)).await?;
                }
                self.look().await.map(drop)
            });
            match looking.catch_unwind().await {
                Ok(Ok(())) => {
                    watched = if watches { Some(Instant::now()) } else { watched };
                    forgot = if forgets { Some(Instant::now()) } else { forgot };
                }
                Ok(Err(cause)) => error!("Telling people: {cause}"),
                Err(_) => error!("Telling people panicked; it is tried again at the next look"),
            }
        }
    }

    async fn leads(&self, kept: &mut Option<Instant>) -> Result<bool> {
        if kept.is_some_and(|at| at.elapsed() < LEAD_KEPT_EVERY) {
            return Ok(true);
        }
        let (now, asked) = (self.clock.now(), Instant::now());
        let until = now.plus_ms(self.clock.at_least(LEAD_WALL_MS, LEAD_WALL_MS));
        let leads = self.store.lead("notifier", &self.node, now, until).await?.is_some();
        *kept = leads.then_some(asked);
        Ok(leads)
    }

    /// Alerts, and the reports of the morning.
    pub async fn watch(&self) -> Result<()> {
        self.mornings().await?;
        self.alerts().await
    }

    /// Finds what happened, and tells what is due.
    pub async fn look(&self) -> Result<Told> {
        let noticed = self.happenings().await?;
        let (delivered, failed) = self.deliver().await?;
        Ok(Told { noticed, delivered, failed })
    }

    /// Whom a notice is for: programs that listen for its kind, and people by the other ways.
    fn addressees(&self, endpoints: &[Endpoint], kind: Kind, at: Timestamp, people: &[Channel]) -> Vec<Addressee> {
        let mut to: Vec<Addressee> = endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(kind, at))
            .map(|endpoint| Addressee {
                channel: Channel::Webhook,
                endpoint: Some(endpoint.endpoint),
                target: endpoint.endpoint.to_string(),
            })
            .collect();
        let mut people_of = |channel: Channel, targets: &[String]| {
            if people.contains(&channel) {
                to.extend(targets.iter().map(|target| Addressee { channel, endpoint: None, target: target.clone() }));
            }
        };
        if let Some(mail) = &self.ways.mail {
            people_of(Channel::Email, mail.to());
        }
        if let Some(telegram) = &self.ways.telegram {
            people_of(Channel::Telegram, telegram.chats());
        }
        to
    }

    async fn deliver(&self) -> Result<(usize, usize)> {
        let now = self.clock.now();
        let held_until = now.plus_ms(self.clock.at_least(HELD_WALL_MS, HELD_WALL_MS));
        let due = self.store.claim_deliveries(now, held_until, AT_ONCE).await?;
        let done = join_all(due.iter().map(|due| self.tell(due))).await;
        let (mut delivered, mut failed) = (0, 0);
        for done in done {
            match done? {
                Tried::Delivered => delivered += 1,
                Tried::Gone | Tried::Failed(_) => failed += 1,
            }
        }
        Ok((delivered, failed))
    }

    /// One try, written down with what it came to.
    async fn tell(&self, due: &Due) -> Result<Tried> {
        let delivery = DeliveryId(due.delivery_id);
        let began = Instant::now();
        let trying = tokio::time::timeout(TRY, self.send(due));
        let (status, tried) =
            trying.await.unwrap_or_else(|_| (None, Tried::Failed(format!("no answer within {} s", TRY.as_secs()))));
        let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let at = self.clock.now();
        let again = again_after_ms(due.tries + 1).map(|ms| at.plus_ms(self.clock.at_least(ms, ms)));
        let (then, told) = match (&tried, again) {
            (Tried::Delivered, _) => (Then::Delivered, None),
            (Tried::Gone, _) => (Then::Failed, Some("410: it wants nothing more".to_owned())),
            (Tried::Failed(why), Some(at)) => (Then::Again(at), Some(why.clone())),
            (Tried::Failed(why), None) => (Then::Failed, Some(why.clone())),
        };
        let (channel, id) = (channel_of(due), crate::domain::NoticeId(due.notice_id));
        match (&then, &told) {
            (Then::Delivered, _) => info!("{} {id} told by {channel}", due.kind),
            (Then::Again(at), why) => {
                warn!(
                    "{} {id} could not be told by {channel}: {}; again at {at}",
                    due.kind,
                    why.as_deref().unwrap_or("")
                );
            }
            (Then::Failed, why) => {
                error!("{} {id} is given up at {channel}: {}", due.kind, why.as_deref().unwrap_or(""));
            }
        }
        let result = match then {
            Then::Delivered => "delivered",
            Then::Again(_) => "again",
            Then::Failed => "failed",
        };
        measures::notice(channel, result);
        let gone = (tried == Tried::Gone).then(|| due.target.parse::<EndpointId>().ok()).flatten();
        let told = told.map(|told| told.chars().take(TOLD_CHARS_MAX).collect());
        self.store.tried(TryOrder { delivery, at, status, told, took_ms, then, gone }).await?;
        Ok(tried)
    }

    async fn send(&self, due: &Due) -> (Option<u16>, Tried) {
        let not = |why: &str| (None, Tried::Failed(why.to_owned()));
        match (due.channel.as_str(), &self.ways.mail, &self.ways.telegram) {
            ("webhook", _, _) => match (&due.url, &due.secret) {
                _ if !due.enabled => not("the endpoint is switched off"),
                (Some(url), Some(secret)) => {
                    let at = self.clock.wall();
                    webhook::send(&self.hooks, due, url, secret, at, self.ways.private).await
                }
                _ => not("the endpoint is gone"),
            },
            ("email", Some(mail), _) => mail.send(due).await,
            ("telegram", _, Some(telegram)) => telegram.send(due).await,
            _ => not("this way of telling is not set up any more"),
        }
    }
}

fn channel_of(due: &Due) -> &'static str {
    due.channel.parse::<Channel>().map_or("unknown", Channel::as_str)
}
