//! The API's description (OpenAPI 3.1) at `/api/openapi.json`, and a page at `/docs` that reads it.
//!
//! Each topic has a file, in which an operation is a few lines. Schemas are those of the very types where an answer is
//! one (reports), and read from `shapes` where it is put together. `tests/openapi.rs` calls the service against the
//! document: a route that is not described here, an answer or a status that is not, fails there by its name.

mod access;
mod campaigns;
pub mod codes;
mod operation;
mod others;
mod page;
mod paper;
mod runs;
mod shapes;
mod values;

pub(super) use page::routes;

use paper::Paper;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Answers of a small campaign, by operation. `HALO_WRITE_EXAMPLES=1 cargo test --test openapi` writes them anew.
const EXAMPLES: &str = include_str!("examples.json");

const INTRODUCTION: &str = "Batch phone campaigns, and an honest answer to which way of talking is better.\n\n\
    Everything under `/api/v1` is asked with `Authorization: Bearer <key>`; `x-least-role` of an operation \
    names the least role that may ask it. What a viewer is answered holds no number whole. Errors are problem details \
    (RFC 9457) with a `code` that never changes its meaning. Lists are told page by page: `next` (or the header `Link`) says \
    where a list goes on. Instants are milliseconds since 1970 in program time unless a field says RFC 3339. Fields may \
    be added to answers; those that are there keep their names and meanings. docs/API.md begins with `curl`.";

/// Made once: a table of texts that is the same in every process of this version.
static DOCUMENT: LazyLock<(Value, Vec<String>)> = LazyLock::new(|| {
    let mut paper = Paper::with(serde_json::from_str(EXAMPLES).expect("a test reads the examples"));
    campaigns::describe(&mut paper);
    runs::describe(&mut paper);
    others::describe(&mut paper);
    access::describe(&mut paper);
    operation::describe(&mut paper);
    let bearer = |told: &str| json!({ "type": "http", "scheme": "bearer", "description": told });
    paper.end(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "halo", "version": env!("CARGO_PKG_VERSION"), "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": [], "paths": {},
        "components": {
            "schemas": {},
            "securitySchemes": {
                "key": bearer("`API_AUTH_KEY`, which may do everything, or a key of a role (`POST /api/v1/keys`)."),
                "session": bearer("The attempt's event token, as its grant told it."),
                "inbound": bearer("`HALO_INBOUND_TOKEN`, a secret of the provider's application."),
            },
        },
    }))
});

/// The whole document.
pub fn document() -> &'static Value {
    &DOCUMENT.0
}

/// What two places of the document say differently; empty in a sound one.
pub fn clashes() -> &'static [String] {
    &DOCUMENT.1
}
