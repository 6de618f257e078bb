//! Every address of the page, and what holds for all of them.

use super::session::Sessions;
use super::{
    access, assets, behind, call, campaign, campaigns, create, doors, files, hooks, others, people, report, run, slices,
};
use crate::clock::Clock;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Scripts and styles of ours, forms to ourselves, and nothing from anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Pages that live at once; whoever comes later sees them stand still, and asks again by himself.
const WATCHERS_MAX: usize = 128;

/// What the pages share.
pub struct House {
    pub api: Router,
    pub sessions: Sessions,
    pub clock: Clock,
    pub stopping: CancellationToken,
    /// Pages that are drawn anew while somebody looks.
    pub watchers: Arc<Semaphore>,
}

impl House {
    pub async fn pass(&self, request: Request) -> Response {
        match self.api.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // People's names and numbers stay in no cache.
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The API with the pages beside it.
pub fn router(api: Router, installation_key: &[u8], clock: Clock, stopping: CancellationToken) -> Router {
    let sessions = Sessions::new(installation_key);
    let house = Arc::new(House {
        api: api.clone(),
        sessions,
        clock,
        stopping,
        watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
    });
    let pages = Router::new()
        .route("/assets/{version}/{name}", get(assets::file))
        .route("/sign-in", get(doors::sign_in).post(doors::enter))
        .route("/sign-out", post(doors::leave))
        .route("/language/{language}", get(doors::language))
        .route("/theme/{theme}", get(doors::theme))
        .route("/", get(campaigns::list))
        .route("/line", get(campaigns::line))
        .route("/all/{act}", post(run::act_on_all))
        .route("/campaigns/{campaign}", get(campaign::show))
        .route("/campaigns/{campaign}/start", get(campaign::confirm).post(campaign::start))
        .route("/campaigns/{campaign}/files/{name}", get(files::of_campaign))
        .route("/runs/{run}", get(run::show))
        .route("/runs/{run}/live", get(run::live))
        .route("/runs/{run}/{act}", post(run::act))
        .route("/calls/{call}", get(call::show))
        .route("/calls/{call}/live", get(call::live))
        .route("/calls/{call}/recording", get(call::recording))
        .route("/calls/{call}/log", get(call::log))
        .route("/calls/{call}/hangup", post(call::hang_up))
        .route("/call", get(call::order).post(call::place))
        .route("/people", get(people::search))
        .route("/people/{contact}", get(people::show))
        .route("/people/{contact}/{act}", post(people::act))
        .route("/new", get(create::show).post(create::make).layer(DefaultBodyLimit::disable()))
        .route("/new/check", post(create::check).layer(DefaultBodyLimit::disable()))
        .route("/template.csv", get(create::template))
        .route("/campaigns/{campaign}/report", get(report::show))
        .route("/campaigns/{campaign}/report/slices", get(slices::show))
        .route("/campaigns/{campaign}/report/share", post(report::share))
        .route("/campaigns/{campaign}/report/shares/{share}/revoke", post(report::unshare))
        .route("/campaigns/{campaign}/calls", get(behind::show))
        .route("/schedules", get(others::schedules))
        .route("/suppressions", get(others::suppressions).post(others::suppress))
        .route("/suppressions/files/{kind}", get(others::suppressions_file))
        .route("/modes", get(others::modes))
        .route("/access", get(access::show))
        .route("/access/keys", post(access::add))
        .route("/access/retention", post(access::keep))
        .route("/access/keys/{key}/revoke", post(access::revoke))
        .route("/setup", get(others::setup))
        .route("/setup/limits", post(others::limit))
        .route("/setup/restore", post(hooks::confirm_restore))
        .route("/webhooks", get(hooks::webhooks).post(hooks::add))
        .route("/webhooks/{webhook}/{act}", post(hooks::act))
        .layer(from_fn(harden))
        .with_state(house.clone());
    let otherwise = Router::new().fallback(doors::otherwise).layer(from_fn(harden)).with_state(house);
    api.merge(pages).fallback_service(otherwise)
}
