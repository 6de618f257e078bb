//! What an account owns beside its code: secrets, numbers and what it may show as its own, lines to SIP
//! providers; and what calls cost it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::simulator::api::ApiError;
use crate::simulator::api::manage::{Answer, application, done, optional_application, page, room};
use crate::simulator::api::params::Params;
use crate::simulator::clock::{utc_text, wall_ms};
use crate::simulator::platform::{Rule, Secret, State};

const SECRET_BYTES_MAX: usize = 8192;
/// Until when a caller id stays verified.
const VERIFIED_UNTIL: &str = "2099-01-01";

/// A number that is verified as the account's without being rented.
pub struct CallerId {
    pub callerid_id: u64,
    pub number: String,
    pub active: bool,
}

pub struct SipRegistration {
    pub sip_registration_id: u64,
    pub username: String,
    pub proxy: String,
    pub successful: bool,
    pub deactivated: bool,
    pub status_code: u64,
}

/// The account's state, which only the doors change.
pub struct Owned {
    pub active: bool,
    pub frozen: bool,
    pub currency: String,
    pub caller_ids: Vec<CallerId>,
    pub sip_registrations: Vec<SipRegistration>,
    /// Rented numbers whose subscription is frozen, by their `phone_id`.
    pub deactivated: BTreeSet<u64>,
}

impl Default for Owned {
    fn default() -> Self {
        Self {
            active: true,
            frozen: false,
            currency: "USD".to_owned(),
            caller_ids: Vec::new(),
            sip_registrations: Vec::new(),
            deactivated: BTreeSet::new(),
        }
    }
}

/// An account that is not activated, or frozen, starts nothing. Which code a frozen one answers is not
/// documented; money is what freezes it.
pub fn may_start(state: &State) -> Result<(), ApiError> {
    if !state.owned.active {
        return Err(ApiError::new(131, "The account is not activated."));
    }
    if state.owned.frozen {
        return Err(ApiError::new(127, "Insufficient money: the account is frozen."));
    }
    Ok(())
}

fn secret_name(name: &str) -> Result<&str, ApiError> {
    let mut letters = name.chars();
    let lawful = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && name.len() <= 64
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if lawful { Ok(name) } else { Err(ApiError::new(496, "The 'secret_name' parameter is invalid.")) }
}

pub fn find_secret(state: &State, params: &Params) -> Result<usize, ApiError> {
    let id = params.number("secret_id", 496)?;
    let application = optional_application(state, params)?;
    let found = state.secrets.iter().position(|held| match id {
        Some(id) => held.secret_id == id,
        None => {
            params.text("secret_name") == Some(&held.name) && application.is_none_or(|id| held.application_id == id)
        }
    });
    found.ok_or_else(|| ApiError::new(496, "The 'secret_name' parameter is invalid."))
}

pub fn add_secret(state: &mut State, params: &Params, id: u64) -> Answer {
    let application_id = application(state, params)?;
    let name = secret_name(params.required("secret_name")?)?.to_owned();
    let value = params.required("secret_value")?.to_owned();
    if value.len() > SECRET_BYTES_MAX {
        return Err(ApiError::new(499, "The 'secret_value' parameter is too long."));
    }
    if state.secrets.iter().any(|held| held.application_id == application_id && held.name == name) {
        return Err(ApiError::new(493, "The 'secret_name' value is not unique."));
    }
    room(state.secrets.len(), 512)?;
    let description = params.text("description").map(str::to_owned);
    let modified_ms = wall_ms();
    state.secrets.push(Secret { secret_id: id, application_id, name, value, description, modified_ms });
    // An array: the vendor's Node client maps over it, and fails on anything else.
    Ok(json!({ "result": [{ "secret_id": id }] }))
}

pub fn set_secret(state: &mut State, params: &Params) -> Answer {
    let place = find_secret(state, params)?;
    let held = &mut state.secrets[place];
    if let Some(value) = params.text("secret_value") {
        value.clone_into(&mut held.value);
    }
    if let Some(name) = params.text("new_secret_name") {
        secret_name(name)?.clone_into(&mut held.name);
    }
    if let Some(description) = params.text("description") {
        held.description = Some(description.to_owned());
    }
    held.modified_ms = wall_ms();
    done()
}

pub fn del_secret(state: &mut State, params: &Params) -> Answer {
    let place = find_secret(state, params)?;
    state.secrets.remove(place);
    done()
}

pub fn get_secrets(state: &State, params: &Params) -> Answer {
    let application = optional_application(state, params)?;
    let rows = state
        .secrets
        .iter()
        .filter(|held| application.is_none_or(|id| held.application_id == id))
        .filter(|held| params.text("secret_name_part").is_none_or(|part| held.name.contains(part)))
        .map(|held| {
            let mut row = json!({
                "secret_id": held.secret_id, "secret_name": held.name, "application_id": held.application_id,
                "modified": utc_text(held.modified_ms),
            });
            if let Some(description) = &held.description {
                row["description"] = json!(description);
            }
            row
        })
        .collect();
    page(rows, params)
}

pub fn get_numbers(state: &State, params: &Params) -> Answer {
    let application = optional_application(state, params)?;
    let rows = state
        .numbers
        .iter()
        .filter(|held| application.is_none() || held.application_id == application)
        .filter(|held| params.text("phone_number").is_none_or(|number| held.number == number.trim_start_matches('+')))
        .map(|held| {
            let mut row = json!({
                "phone_id": held.phone_id, "phone_number": held.number, "phone_country_code": "RU",
                "category_name": "GEOGRAPHIC", "can_be_used": true, "canceled": false,
                "deactivated": state.owned.deactivated.contains(&held.phone_id),
            });
            if let Some(id) = held.application_id {
                row["application_id"] = json!(id);
            }
            if let Some(rule) = state.rules.iter().find(|rule| Some(rule.rule_id) == held.rule_id) {
                row["rule_id"] = json!(rule.rule_id);
                row["rule_name"] = json!(rule.name);
            }
            row
        })
        .collect();
    page(rows, params)
}

pub fn bind_number(state: &mut State, params: &Params) -> Answer {
    let application = application(state, params)?;
    let bind = params.text("bind").is_none() || params.flag("bind");
    let rule = match (params.number("rule_id", 147)?, params.text("rule_name")) {
        (None, None) => None,
        (id, name) => {
            let is = |rule: &&Rule| match id {
                Some(id) => rule.rule_id == id,
                None => name == Some(rule.name.as_str()),
            };
            let found = state.rules.iter().filter(|rule| rule.application_id == application).find(is);
            let (code, parameter) = if id.is_some() { (147, "rule_id") } else { (156, "rule_name") };
            Some(found.ok_or_else(|| ApiError::invalid(code, parameter))?.rule_id)
        }
    };
    let id = params.number("phone_id", 181)?;
    let number = params.text("phone_number").map(|number| number.trim_start_matches('+').to_owned());
    let held = state.numbers.iter_mut().find(|held| match id {
        Some(id) => held.phone_id == id,
        None => number.as_ref() == Some(&held.number),
    });
    let held = held.ok_or_else(|| ApiError::invalid(181, "phone_id"))?;
    held.application_id = bind.then_some(application);
    held.rule_id = if bind { rule } else { None };
    done()
}

pub fn get_caller_ids(state: &State, params: &Params) -> Answer {
    let id = params.number("callerid_id", 183)?;
    let number = params.text("callerid_number").map(|number| number.trim_start_matches('+'));
    let active = params.text("active").map(|_| params.flag("active"));
    let rows = state
        .owned
        .caller_ids
        .iter()
        .filter(|held| id.is_none_or(|id| held.callerid_id == id))
        .filter(|held| number.is_none_or(|number| held.number == number))
        .filter(|held| active.is_none_or(|active| held.active == active))
        .map(|held| {
            let mut row = json!({
                "callerid_id": held.callerid_id, "callerid_number": held.number, "active": held.active,
            });
            if held.active {
                row["verified_until"] = json!(VERIFIED_UNTIL);
            }
            row
        })
        .collect();
    page(rows, params)
}

pub fn get_sip_registrations(state: &State, params: &Params) -> Answer {
    let id = params.number("sip_registration_id", 275)?;
    let wanted = |name: &str| params.text(name).map(|_| params.flag(name));
    let (successful, deactivated) = (wanted("successful"), wanted("deactivated"));
    let rows = state
        .owned
        .sip_registrations
        .iter()
        .filter(|held| id.is_none_or(|id| held.sip_registration_id == id))
        .filter(|held| params.text("sip_username").is_none_or(|name| held.username == name))
        .filter(|held| params.text("proxy").is_none_or(|names| names.split(';').any(|name| held.proxy == name)))
        .filter(|held| successful.is_none_or(|successful| held.successful == successful))
        .filter(|held| deactivated.is_none_or(|deactivated| held.deactivated == deactivated))
        .map(|held| {
            let mut row = json!({
                "sip_registration_id": held.sip_registration_id, "sip_username": held.username, "proxy": held.proxy,
                "last_updated": wall_ms().div_euclid(1000), "successful": held.successful,
                "status_code": held.status_code, "deactivated": held.deactivated, "is_persistent": true,
                "next_subscription_renewal": "2099-01-01", "purchase_date": "2024-01-01 00:00:00",
                "subscription_price": "1",
            });
            if !held.successful {
                row["error_message"] = json!("Registration failed");
            }
            row
        })
        .collect();
    page(rows, params)
}

/// The price of calls out, by prefix; a destination outside of all of them is in no group.
const PRICES: [(u64, &str, f64, &[&str]); 4] = [
    (11, "Russia Mobile", 0.06, &["79"]),
    (12, "Russia", 0.024, &["7"]),
    (13, "USA and Canada", 0.01, &["1"]),
    (14, "Germany", 0.02, &["49"]),
];

pub fn get_prices(params: &Params) -> Answer {
    const TYPE: &str = "PSTNOUT";
    if params.text("resource_type").is_some_and(|kinds| !kinds.split(';').any(|kind| kind == TYPE || kind == "any")) {
        return Ok(json!({ "result": [] }));
    }
    let asked: Vec<&str> =
        params.text("resource_param").unwrap_or_default().split(';').filter(|text| !text.is_empty()).collect();
    let group = params.number("price_group_id", 101)?;
    // The longest prefix decides, so each number is in one group; the table begins with the longest.
    let group_of = |number: &str| {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| number.starts_with(prefix));
        PRICES.iter().find(|(.., prefixes)| starts(prefixes)).map(|(id, ..)| *id)
    };
    let rows: Vec<Value> = PRICES
        .iter()
        .filter(|(id, ..)| group.is_none_or(|group| group == *id))
        .filter(|(_, name, ..)| params.text("price_group_name").is_none_or(|part| name.contains(part)))
        .map(|(id, name, price, prefixes)| {
            let requested: Vec<&&str> = asked.iter().filter(|number| group_of(number) == Some(*id)).collect();
            let mut params = json!({ "allowed": prefixes });
            if !requested.is_empty() {
                params["requested"] = json!(requested);
            }
            json!({
                "price_group_id": id, "price_group_name": name, "price": price, "num_resources_per_price": 60,
                "quantum": 60, "params": params,
            })
        })
        .filter(|row| asked.is_empty() || row["params"].get("requested").is_some())
        .collect();
    Ok(json!({ "result": [{ "resource_type": TYPE, "price_groups": rows }] }))
}
