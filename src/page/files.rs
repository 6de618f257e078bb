//! Files to take away, passed on from the API.

use super::asked::Visit;
use super::client::encoded;
use axum::extract::{Path, RawQuery};
use axum::response::Response;

/// Exports and reports of one campaign, by their names at the API.
pub async fn of_campaign(
    visit: Visit,
    Path((campaign, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    pass(&visit, &format!("/campaigns/{}/{}{query}", encoded(&campaign), encoded(&name))).await
}

pub async fn pass(visit: &Visit, path: &str) -> Response {
    match visit.api.pass_on(path, &visit.headers).await {
        Ok(response) => response,
        Err(trouble) => visit.troubled(&trouble),
    }
}
