//! Every code of a problem, with its status and what to do about it. A test holds the source against this list.

use crate::domain::clearance::Gate;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Code, status, meaning.
pub const CODES: &[(&str, u16, &str)] = &[
    ("bad_request", 400, "The address, a query or the body cannot be read: mend the request."),
    ("unauthorized", 401, "The bearer token is missing or wrong."),
    ("key_over", 401, "The key is revoked, or its time is over: ask an admin for another."),
    ("forbidden", 403, "The key is known, and its role may not do this."),
    ("not_found", 404, "There is no such thing, or nothing at this address."),
    ("method_not_allowed", 405, "The address does not know the method; the header `Allow` names those it does."),
    ("conflict", 409, "It stands so that this cannot be done now; `detail` says how it stands."),
    ("taken", 409, "Another session holds this grant."),
    ("example_number", 409, "Example numbers are never dialled on the real platform."),
    ("suppressed", 409, "The number is on the suppression list."),
    ("refused", 409, "A gate is closed for good; nobody was called."),
    ("underway", 409, "The first request of this `Idempotency-Key` is not answered yet: ask again."),
    (
        "unknown_end",
        409,
        "What became of the first request of this `Idempotency-Key` is not known: look before you repeat it.",
    ),
    ("gone", 410, "No call is to be made with this token."),
    ("changed", 412, "It is not what `If-Match` names any more: read it again."),
    ("too_large", 413, "The body is larger than is read here."),
    ("unsupported_type", 415, "The body is of a type that is not read here."),
    ("range", 416, "The range lies outside of the recording."),
    ("refused", 422, "It was read and refused; `faults` names everything that is wrong, each in a line."),
    ("key_used", 422, "This `Idempotency-Key` came with another request before: use a new one."),
    (
        "too_many_tries",
        429,
        "Too many wrong keys came from this address; the header `Retry-After` says how long to wait.",
    ),
    ("internal", 500, "The server failed; its log says why."),
    ("settings", 500, "The stored settings of a campaign cannot be read; `detail` says how to mend them."),
    ("provider", 502, "The provider failed."),
    ("busy", 503, "Too many ask for this at once: try again."),
    ("not_ready", 503, "Database, tables or writer are not at work: `detail` says which."),
    ("no_model", 503, "No realtime model is set up here."),
    ("stopping", 503, "The server is stopping: ask another, or ask again."),
    ("storage", 503, "Nothing can be kept at the moment: try again."),
];

/// What `code` of a problem may be. A closed gate is told by its own name, with 409.
pub(super) struct ProblemCode;

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        let mut names: Vec<&str> = CODES.iter().map(|(code, _, _)| *code).collect();
        names.extend(Gate::ALL.iter().map(|gate| gate.as_str()));
        names.sort_unstable();
        names.dedup();
        let lines: Vec<String> =
            CODES.iter().map(|(code, status, told)| format!("- `{code}` ({status}): {told}")).collect();
        let told = format!(
            "What went wrong, for programs; it never changes its meaning.\n\n{}\n- the name of a gate (409): it is \
             closed; `until` says when it opens, where that is known.",
            lines.join("\n")
        );
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).description(Some(told)).into()
    }
}
impl ToSchema for ProblemCode {}
