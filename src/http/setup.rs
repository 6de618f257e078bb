//! Whether everything is in place for a call, examined anew at each asking, and brought there.

use super::life::said;
use super::{Problem, Web, access};
use crate::domain::PhoneNumber;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who examines: the wiring knows the provider and the environment, a handler does not.
pub type Examine = Arc<dyn Fn() -> BoxFuture<'static, Value> + Send + Sync>;
/// Who brings application, scenarios, rules and secrets to the provider, or says why they cannot be there.
pub type Deploy = Arc<dyn Fn(DeployOrder) -> BoxFuture<'static, Result<Value, Problem>> + Send + Sync>;

/// `GET /setup`: `ok`, and each finding with its level and what to do about it.
pub(super) async fn show(State(web): State<Arc<Web>>) -> Json<Value> {
    Json(match &web.examine {
        Some(examine) => examine().await,
        None => {
            let told = "calls go to the simulator inside this process: there is nothing to look at";
            json!({ "ok": true, "findings": [{ "check": "platform", "level": "ok", "told": told }] })
        }
    })
}

pub struct DeployOrder {
    /// Nothing is changed; told is what would be.
    pub dry_run: bool,
    /// Numbers of the account whose callers reach the greeting.
    pub numbers: Vec<PhoneNumber>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DeployBody {
    dry_run: bool,
    bind_numbers: Vec<String>,
}

/// `POST /setup/deploy`: with the server's own settings and tokens, which no terminal elsewhere has.
pub(super) async fn deploy(State(web): State<Arc<Web>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let DeployBody { dry_run, bind_numbers } = said(&body)?;
    let numbers = bind_numbers.iter().map(|text| text.parse::<PhoneNumber>()).collect::<Result<_, _>>();
    let numbers = numbers.map_err(|_| Problem::bad("bind_numbers: write each as +7XXXXXXXXXX"))?;
    let Some(deploy) = &web.deploy else {
        return Err(Problem::conflict("the simulator inside this process is deployed to at every start"));
    };
    access::note_more(json!({ "dry_run": dry_run }));
    deploy(DeployOrder { dry_run, numbers }).await.map(Json)
}
