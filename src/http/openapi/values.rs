//! Schemas of what is no table: ids, instants, modes, and the words of a list.

use crate::domain::clearance::Gate;
use crate::domain::{
    AttemptId, AuditId, BatchId, CampaignId, ContactId, DeliveryId, EndpointId, KeyId, Mode, NoticeId, NumberId,
    Outcome, Role, RunId, ScheduleId, ShareId, Timestamp,
};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// The letters of an id behind its prefix.
const ID: &str = "[0-9a-hjkmnp-tv-z]{13}";

macro_rules! ids {
    ($($name:ident = $prefix:literal, $told:literal;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($told));
                let example = format!("{}{}", $prefix, "01k9x2m4n8q7r");
                text.pattern(Some(format!("^{}{ID}$", $prefix))).examples([example]).into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

ids! {
    CampaignId = "cmp_", "A calling effort.";
    BatchId = "imp_", "One list that came into a campaign.";
    ContactId = "con_", "One person in a campaign.";
    RunId = "run_", "One execution of a campaign.";
    AttemptId = "att_", "One try at one contact.";
    ScheduleId = "sch_", "A plan that starts runs.";
    NumberId = "num_", "A telephone number, without its digits.";
    KeyId = "key_", "A key of the API; not the key itself.";
    AuditId = "aud_", "A line of the audit.";
    ShareId = "shr_", "A link to a report.";
    EndpointId = "hook_", "Where messages go.";
    NoticeId = "msg_", "A message.";
    DeliveryId = "dlv_", "A message on its way to one webhook.";
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let whole =
            ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
        let told =
            "An instant: milliseconds since 1970, in program time, which is real time unless the clock is scaled.";
        whole.description(Some(told)).examples([json!(1_795_000_000_000_i64)]).into()
    }
}
impl ToSchema for Timestamp {}

impl PartialSchema for Mode {
    fn schema() -> RefOr<Schema> {
        let told = "A way of talking: `dialog`, `realtime`, `realtime_pure`, `realtime_stream`, `greeting`, or another of \
                    this installation (`GET /api/v1/modes`).";
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z][a-z0-9_]{0,39}$"));
        text.description(Some(told)).examples(["dialog"]).into()
    }
}
impl ToSchema for Mode {}

impl PartialSchema for Outcome {
    fn schema() -> RefOr<Schema> {
        let names = Outcome::ALL.iter().map(|outcome| outcome.as_str());
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        text.description(Some("How an attempt ended.")).into()
    }
}
impl ToSchema for Outcome {}

impl PartialSchema for Role {
    fn schema() -> RefOr<Schema> {
        let names = Role::ALL.iter().map(|role| role.as_str());
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        text.description(Some("What a key may do: `viewer` reads, `operator` runs campaigns, `admin` rules.")).into()
    }
}
impl ToSchema for Role {}

/// What holds a contact back, by name.
pub(super) struct GateName;

impl PartialSchema for GateName {
    fn schema() -> RefOr<Schema> {
        let names = Gate::ALL.iter().map(|gate| gate.as_str());
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        text.description(Some("What holds a contact back.")).into()
    }
}
impl ToSchema for GateName {}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn whole() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

pub(super) fn yes_no() -> Value {
    json!({ "type": "boolean" })
}

pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// A file.
pub(super) fn bytes() -> Value {
    json!({ "type": "string", "format": "binary" })
}

/// The pieces of addresses: each name means the same wherever it stands.
pub(super) fn of_path(path: &str, name: &str) -> Value {
    let (told, example) = match name {
        "campaign" => ("A campaign's id, or its name, which is unique.", "demo"),
        "run" => ("A run's id.", "run_01k9x2m4n8q7r"),
        "attempt" => ("An attempt's id.", "att_01k9x2m4n8q7r"),
        "contact" => ("A contact's id; `why` takes a number or an external id too.", "con_01k9x2m4n8q7r"),
        "number" => ("A number in international form, with or without its plus.", "+79991234567"),
        "key" if path == "/api/v1/keys/{key}" => ("A key's id.", "key_01k9x2m4n8q7r"),
        "share" => ("A link's id.", "shr_01k9x2m4n8q7r"),
        "webhook" => ("A webhook's id.", "hook_01k9x2m4n8q7r"),
        "delivery" => ("A delivery's id.", "dlv_01k9x2m4n8q7r"),
        "key" => ("The `Idempotency-Key` that the upload was sent with.", "night-of-21-november"),
        _ => ("", ""),
    };
    json!({ "type": "string", "minLength": 1, "description": told, "examples": [example] })
}
