//! What an application owns beside its code: secrets, and numbers bound to it.

use serde_json::json;

use crate::simulator::api::ApiError;
use crate::simulator::api::manage::{Answer, application, done, optional_application, page, room};
use crate::simulator::api::params::Params;
use crate::simulator::clock::{utc_text, wall_ms};
use crate::simulator::platform::{Secret, State};

const SECRET_BYTES_MAX: usize = 8192;

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
                "category_name": "GEOGRAPHIC", "can_be_used": true, "deactivated": false, "canceled": false,
            });
            if let Some(id) = held.application_id {
                row["application_id"] = json!(id);
            }
            if let Some(id) = held.rule_id {
                row["rule_id"] = json!(id);
            }
            row
        })
        .collect();
    page(rows, params)
}

pub fn bind_number(state: &mut State, params: &Params) -> Answer {
    let application = application(state, params)?;
    let rule = params.number("rule_id", 147)?;
    let id = params.number("phone_id", 181)?;
    let number = params.text("phone_number").map(|number| number.trim_start_matches('+').to_owned());
    let held = state.numbers.iter_mut().find(|held| match id {
        Some(id) => held.phone_id == id,
        None => number.as_ref() == Some(&held.number),
    });
    let held = held.ok_or_else(|| ApiError::invalid(181, "phone_id"))?;
    let bind = params.text("bind").is_none() || params.flag("bind");
    held.application_id = bind.then_some(application);
    held.rule_id = if bind { rule } else { None };
    done()
}
