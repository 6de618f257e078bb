//! The API, the provider's callbacks, and the pages.
//!
//! Every route turns a request into a call of `intake`, `dialer`, `dialogue`, `store` or `report` and
//! their answer into a response. Nothing is decided here but who may ask.

mod access;
mod account;
pub mod address;
pub mod append;
pub mod attempts;
mod audits;
mod body;
mod bundles;
mod callers;
mod campaigns;
pub mod change;
pub mod checks;
mod converse;
pub mod copy;
mod demands;
mod demo;
mod doors;
pub mod erase;
pub mod export;
mod forecast;
mod gates;
mod hooks;
pub mod import;
pub mod judge;
pub mod judging;
pub mod keys;
mod lasting;
mod life;
pub mod lists;
mod live;
mod mask;
mod media;
mod metrics;
mod money;
mod nodes;
mod numbers;
pub mod openapi;
mod origins;
mod outlook;
mod pack;
mod pages;
mod people;
mod problem;
pub mod progress;
pub mod proxies;
mod recent;
mod recordings;
mod repeats;
mod reports;
pub mod rerun;
mod restore;
mod roles;
mod round;
mod runs;
mod seen;
mod setup;
pub mod signed;
pub mod single;
mod slices;
pub mod status;
mod stream;
pub mod taken;
mod talk;
mod talked;
mod told;
mod tries;
mod uploads;
pub mod verified;
mod voice;
mod webhooks;
pub mod why;

pub use access::ApiKey;
pub use metrics::Metrics;
pub use problem::Problem;
pub use repeats::ToldOnce;
pub use roles::{Row, TABLE as ROLES};
pub use setup::{Deploy, DeployOrder, Examine};
pub use talk::Model;

use crate::clock::Clock;
use crate::dialer::Dialer;
use crate::dialogue::Script;
use crate::domain::{CampaignId, Mode, PhoneNumber, Route};
use crate::store::Store;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing;
use doors::{Doors, delete, get, post, put};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// JSON that sessions send. The last event repeats every turn: scenarios keep it below this.
const WEBHOOK_BYTES_MAX: usize = 64 * 1024;
/// An upload: settings and a list.
const UPLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The same where a list goes to a file as it comes: the list, and what stands beside it.
const LIST_BYTES_MAX: usize = lists::UPLOAD_BYTES_MAX + UPLOAD_BYTES_MAX;
/// A single call's order: a prompt, mostly.
const ORDER_BYTES_MAX: usize = 256 * 1024;
/// Scripts held in memory before they are read again.
const SCRIPTS_MAX: usize = 1000;
/// How long a reply may take where nobody says otherwise.
const TURN: Duration = Duration::from_secs(4);

/// What the handlers share.
pub struct Web {
    pub store: Store,
    pub clock: Clock,
    pub dialer: Arc<Dialer>,
    /// Key of the event tokens.
    pub installation_key: Vec<u8>,
    pub api_key: ApiKey,
    /// Bearer of `/voximplant/inbound`, an application secret of the provider.
    pub inbound_token: String,
    pub voice: Voice,
    pub modes: BTreeSet<Mode>,
    /// Used by campaigns that name none.
    pub default_caller_id: Option<PhoneNumber>,
    /// Cancelled when the server ends: whoever follows a call is let go.
    pub stopping: CancellationToken,
    /// What replies; without it the built-in rules do.
    pub model: Option<Model>,
    /// How long a reply may take, in real time.
    pub turn: Duration,
    talks: talk::Talks,
    /// Sites whose pages may ask the API.
    pub origins: Arc<[String]>,
    /// The provider's routes answer at an address of their own.
    pub provider_apart: bool,
    /// Looks whether everything is in place for a call; absent where there is nothing to look at.
    pub examine: Option<Examine>,
    /// Brings the provider what it needs; absent where the simulator inside is deployed to at every start.
    pub deploy: Option<Deploy>,
    scripts: Mutex<HashMap<CampaignId, Arc<Script>>>,
    callers: callers::Callers,
    uploads: uploads::Uploads,
    streams: media::Streams,
    bundles: bundles::Bundles,
    tries: tries::Tries,
    used: access::Used,
    repeats: repeats::Underway,
    pub metrics: Metrics,
    /// Outgoing webhooks may go to private addresses.
    pub hooks_private: bool,
}

/// Addresses and models that a grant names.
#[derive(Clone, Debug)]
pub struct Voice {
    pub backend_url: String,
    /// `None`: `realtime` talks on its own.
    pub dialog_url: Option<String>,
    pub openai_base_url: Option<String>,
    pub openai_realtime_model: String,
    /// The realtime model to which calls' audio is carried; `None` without a key.
    pub media: Option<crate::media::Model>,
    /// How each mode's calls leave the platform; over the telephone network where none is named.
    pub routes: BTreeMap<Mode, Route>,
    /// Hash of the scenario's file that plays each mode, where it is known.
    pub scenarios: BTreeMap<Mode, String>,
}

impl Web {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        dialer: Arc<Dialer>,
        installation_key: Vec<u8>,
        api_key: ApiKey,
        inbound_token: String,
        voice: Voice,
        modes: BTreeSet<Mode>,
        default_caller_id: Option<PhoneNumber>,
    ) -> Self {
        Web {
            store: dialer.store.clone(),
            clock: dialer.clock.clone(),
            dialer,
            installation_key,
            api_key,
            inbound_token,
            voice,
            modes,
            default_caller_id,
            stopping: CancellationToken::new(),
            model: None,
            turn: TURN,
            talks: talk::Talks::default(),
            origins: Arc::default(),
            provider_apart: false,
            examine: None,
            deploy: None,
            scripts: Mutex::default(),
            callers: callers::Callers::default(),
            uploads: uploads::Uploads::default(),
            streams: media::Streams::default(),
            bundles: bundles::Bundles::default(),
            tries: tries::Tries::default(),
            used: access::Used::default(),
            repeats: repeats::Underway::default(),
            metrics: Metrics::default(),
            hooks_private: false,
        }
    }

    /// The campaign's script, read once.
    async fn script(&self, campaign: CampaignId) -> Result<Arc<Script>, Problem> {
        if let Some(script) = self.scripts.lock().expect("no panic while holding it").get(&campaign) {
            return Ok(script.clone());
        }
        let rules = self.dialer.rules(campaign).await?;
        let script =
            Script::parse(&rules.script).map_err(|faults| Problem::ours(format!("stored script: {faults}")))?;
        let script = Arc::new(script);
        let mut scripts = self.scripts.lock().expect("no panic while holding it");
        // Every single call has a script of its own.
        if scripts.len() >= SCRIPTS_MAX {
            scripts.clear();
        }
        scripts.insert(campaign, script.clone());
        Ok(script)
    }
}

/// Every route below `/api/v1`; each has its row in `roles`.
fn api() -> Doors {
    export::routes(Doors::default())
        .route("/campaigns", get(campaigns::list).post(campaigns::create).layer(DefaultBodyLimit::max(LIST_BYTES_MAX)))
        .route("/campaigns/check", post(checks::list).layer(DefaultBodyLimit::max(LIST_BYTES_MAX)))
        .route("/campaigns/{campaign}/check", post(checks::append).layer(DefaultBodyLimit::max(LIST_BYTES_MAX)))
        .route("/uploads/{key}/events", get(uploads::events))
        .route("/template.csv", get(checks::template))
        .route("/campaigns/{campaign}", get(campaigns::show))
        .route(
            "/campaigns/{campaign}/contacts",
            get(campaigns::contacts).post(append::contacts).layer(DefaultBodyLimit::max(LIST_BYTES_MAX)),
        )
        .route("/campaigns/{campaign}/contacts/{contact}/why", get(why::within_campaign))
        .route("/contacts/{contact}/why", get(why::of_contact))
        .route("/status", get(status::show))
        .route("/overview", get(live::overview))
        .route("/people", get(people::find))
        .route("/people/{contact}", get(people::show))
        .route("/runs/{run}/live", get(live::show))
        .route("/runs/{run}/events", get(live::events))
        .route("/runs/{run}/attempts", get(live::newest))
        .route("/campaigns/{campaign}/attempts", get(campaigns::attempts))
        .route("/campaigns/{campaign}/prove", get(campaigns::prove))
        .route("/campaigns/{campaign}/report", get(reports::json))
        .route("/campaigns/{campaign}/report.json", get(reports::json))
        .route("/campaigns/{campaign}/report.csv", get(reports::csv))
        .route("/campaigns/{campaign}/report.html", get(reports::html))
        .route("/campaigns/{campaign}/report/slices", get(slices::cells))
        .route("/campaigns/{campaign}/report/calls", get(slices::calls))
        .route("/campaigns/{campaign}/report/verify", post(verified::show))
        .route("/campaigns/{campaign}/gate", get(gates::gate))
        .route("/campaigns/{campaign}/plan", get(gates::plan))
        .route("/reports/compare", get(gates::compare))
        .route("/campaigns/{campaign}/runs", get(runs::list).post(runs::start))
        .route("/modes", get(told::modes))
        .route("/attempts/{attempt}/told", get(told::of_attempt))
        .route("/campaigns/{campaign}/preview", get(told::of_campaign))
        .route("/campaigns/{campaign}/outlook", get(forecast::show))
        .route("/campaigns/{campaign}/settings", get(change::show).patch(change::settings))
        .route("/campaigns/{campaign}/clone", post(copy::campaign))
        .route("/runs/{run}", get(runs::show))
        .route("/runs/{run}/judge", post(judge::run))
        .route("/runs/{run}/labels/sample", get(judge::to_label))
        .route("/runs/{run}/pause", post(life::pause))
        .route("/runs/{run}/resume", post(life::resume))
        .route("/runs/{run}/drain", post(life::drain))
        .route("/runs/{run}/stop", post(life::stop))
        .route("/pause", get(life::paused).post(life::pause_all))
        .route("/resume", post(life::resume_all))
        .route("/restore", get(restore::show))
        .route("/restore/confirm", post(restore::confirm))
        .route("/attempts/{attempt}/recording", get(recordings::recording))
        .route("/attempts/{attempt}/log", get(recordings::log))
        .route("/attempts/{attempt}", get(attempts::show))
        .route("/attempts/{attempt}/events", get(attempts::events))
        .route("/attempts/{attempt}/hangup", post(attempts::hang_up))
        .route("/attempts/{attempt}/label", put(judge::label))
        .route("/nodes", get(nodes::list))
        .route("/webhooks", get(hooks::list).post(hooks::add))
        .route("/webhooks/{webhook}", get(hooks::show).patch(hooks::change).delete(hooks::remove))
        .route("/webhooks/{webhook}/secret", post(hooks::renew))
        .route("/webhooks/{webhook}/test", post(hooks::test))
        .route("/webhooks/{webhook}/deliveries", get(hooks::deliveries))
        .route("/webhooks/{webhook}/deliveries/{delivery}/redeliver", post(hooks::redeliver))
        .route("/alerts", get(hooks::alerts))
        .route("/schedules", get(runs::schedules))
        .route("/setup", get(setup::show))
        .route("/setup/deploy", post(setup::deploy))
        .route("/account", get(account::show))
        .route("/account/limits", put(account::limit))
        .route("/policies", get(campaigns::policies))
        .route("/suppressions", get(numbers::suppressions).post(numbers::suppress))
        .route("/suppressions/{number}", delete(numbers::lift))
        .route("/numbers/{number}", get(numbers::show).delete(erase::person))
        .route("/retention", get(erase::kept).put(erase::keep))
        .route("/numbers/{number}/allow-list", put(numbers::allow).delete(numbers::forbid))
        .route("/campaigns/{campaign}/report/share", post(signed::share))
        .route("/campaigns/{campaign}/report/shares", get(signed::shares))
        .route("/shares/{share}", delete(signed::unshare))
        .route("/keys", get(keys::list).post(keys::add))
        .route("/keys/{key}", delete(keys::revoke))
        .route("/me", get(keys::me))
        .route("/audit", get(audits::list))
}

fn demo() -> Doors {
    Doors::default().route("/demo/session", post(demo::session))
}

/// What the provider's sessions ask and tell.
fn callbacks(web: &Arc<Web>) -> Router<Arc<Web>> {
    Router::new()
        .route("/voximplant/health", routing::get(pages::voximplant_health))
        .route("/voximplant/grant", routing::post(webhooks::grant))
        .route("/voximplant/events", routing::post(webhooks::events))
        .route("/voximplant/inbound", routing::post(webhooks::inbound))
        .route("/voice/dialog", routing::post(voice::dialog))
        .route("/voice/stream", routing::get(stream::stream))
        .route("/voice/media", routing::get(media::stream))
        .layer(DefaultBodyLimit::max(WEBHOOK_BYTES_MAX))
        .layer(from_fn_with_state(web.clone(), voice::server_timing))
}

fn finished(router: Router<Arc<Web>>, web: Arc<Web>) -> Router {
    router
        .route("/healthz", routing::get(pages::healthz))
        .route("/readyz", routing::get(pages::readyz))
        .route("/metrics", routing::get(metrics::show))
        .fallback(pages::not_found)
        .layer(from_fn(problem::in_words))
        .layer(from_fn(metrics::counted))
        .layer(from_fn(access::harden))
        .with_state(web)
}

/// The provider's routes by themselves, for an address of their own.
pub fn provider_router(web: Arc<Web>) -> Router {
    finished(callbacks(&web), web)
}

pub fn router(web: Arc<Web>) -> Router {
    let api = api()
        .router()
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX))
        .layer(from_fn_with_state(web.clone(), repeats::once))
        .layer(from_fn_with_state(web.clone(), access::require_key));

    let demo = demo()
        .router()
        .layer(DefaultBodyLimit::max(ORDER_BYTES_MAX))
        .layer(from_fn_with_state(web.clone(), repeats::once))
        .layer(from_fn_with_state(web.clone(), access::require_key));

    let asked =
        Router::new().merge(demo).nest("/api/v1", api).layer(from_fn_with_state(web.origins.clone(), origins::let_in));
    let with_callbacks = if web.provider_apart { Router::new() } else { callbacks(&web) };
    // Opened by what stands in their addresses, and by no key.
    let signed = Router::new()
        .route("/signed/recordings/{attempt}", routing::get(signed::recording))
        .route("/shared/{share}", routing::get(signed::shared));
    finished(asked.merge(signed).merge(with_callbacks), web).merge(openapi::routes())
}
