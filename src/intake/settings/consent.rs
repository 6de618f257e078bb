//! `[consent]`: a campaign that calls nobody without proof of consent, whatever its policy asks.

use crate::domain::keys::Table;
use crate::domain::settings::Consent;
use serde_json::{Value, json};

pub(super) fn read(table: Option<Table<'_>>) -> Option<Consent> {
    let Some(table) = table else { return Some(Consent::default()) };
    let required = table.flag("required").unwrap_or_default();
    table.close(&[]);
    Some(Consent { required })
}

pub(super) fn to_json(consent: &Consent) -> Value {
    json!({ "required": consent.required })
}
