//! Doors that put the account into a state, which on the platform only money, clerks and other providers do.
//!
//! `POST /simulator/account` `balance`, `active`, `frozen`, `currency`; `/simulator/numbers` `number`,
//! `deactivated`, `remove`; `/simulator/caller-ids` `number`, `active`, `remove`; `/simulator/sip-registrations`
//! `proxy`, `username`, `successful`, `deactivated`, `remove`. A JSON object or form fields; what is not
//! named stays as it is.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::simulator::api::answer;
use crate::simulator::api::params::{Params, urlencoded};
use crate::simulator::api::possessions::{CallerId, SipRegistration};
use crate::simulator::platform::{PhoneNumber, Platform};

type Door = State<Arc<Platform>>;

fn fields(body: &Bytes) -> Result<Params, &'static str> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Ok(Params::new(urlencoded(body)));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(Params::new(
            fields
                .into_iter()
                .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect(),
        )),
        _ => Err("the body is neither a JSON object nor a form"),
    }
}

fn digits(params: &Params) -> Result<String, &'static str> {
    let number = params.text("number").map(|number| number.trim_start_matches('+').to_owned());
    number.filter(|number| number.bytes().all(|b| b.is_ascii_digit())).ok_or("`number`: digits")
}

/// A switch: unchanged where it is not named.
fn turn(switch: &mut bool, params: &Params, name: &str) {
    if params.text(name).is_some() {
        *switch = params.flag(name);
    }
}

fn told(done: Result<Value, &'static str>) -> Response {
    match done {
        Ok(body) => answer(&body),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

pub async fn account(State(platform): Door, body: Bytes) -> Response {
    told(set_account(&platform, &body))
}

fn set_account(platform: &Platform, body: &Bytes) -> Result<Value, &'static str> {
    let params = fields(body)?;
    let balance = params.text("balance").map(|text| text.parse::<f64>().map_err(|_| "`balance`: a number"));
    let balance = balance.transpose()?;
    let mut state = platform.state();
    state.balance = balance.unwrap_or(state.balance);
    turn(&mut state.owned.active, &params, "active");
    turn(&mut state.owned.frozen, &params, "frozen");
    if let Some(currency) = params.text("currency") {
        currency.clone_into(&mut state.owned.currency);
    }
    Ok(json!({
        "balance": state.balance, "active": state.owned.active, "frozen": state.owned.frozen,
        "currency": state.owned.currency,
    }))
}

pub async fn numbers(State(platform): Door, body: Bytes) -> Response {
    told(set_number(&platform, &body))
}

fn set_number(platform: &Platform, body: &Bytes) -> Result<Value, &'static str> {
    let params = fields(body)?;
    let number = digits(&params)?;
    let fresh = platform.next_id();
    let mut state = platform.state();
    if params.flag("remove") {
        state.numbers.retain(|held| held.number != number);
        return Ok(json!({ "result": 1 }));
    }
    let phone_id = match state.numbers.iter().find(|held| held.number == number) {
        Some(held) => held.phone_id,
        None => {
            state.numbers.push(PhoneNumber { phone_id: fresh, number, application_id: None, rule_id: None });
            fresh
        }
    };
    if params.text("deactivated").is_some() {
        state.owned.deactivated.remove(&phone_id);
    }
    if params.flag("deactivated") {
        state.owned.deactivated.insert(phone_id);
    }
    Ok(json!({ "phone_id": phone_id }))
}

pub async fn caller_ids(State(platform): Door, body: Bytes) -> Response {
    told(set_caller_id(&platform, &body))
}

fn set_caller_id(platform: &Platform, body: &Bytes) -> Result<Value, &'static str> {
    let params = fields(body)?;
    let number = digits(&params)?;
    let fresh = platform.next_id();
    let mut state = platform.state();
    let held = &mut state.owned.caller_ids;
    if params.flag("remove") {
        held.retain(|held| held.number != number);
        return Ok(json!({ "result": 1 }));
    }
    let place = held.iter().position(|held| held.number == number).unwrap_or_else(|| {
        held.push(CallerId { callerid_id: fresh, number, active: true });
        held.len() - 1
    });
    turn(&mut held[place].active, &params, "active");
    Ok(json!({ "callerid_id": held[place].callerid_id }))
}

pub async fn sip_registrations(State(platform): Door, body: Bytes) -> Response {
    told(set_sip_registration(&platform, &body))
}

fn set_sip_registration(platform: &Platform, body: &Bytes) -> Result<Value, &'static str> {
    let params = fields(body)?;
    let proxy = params.text("proxy").ok_or("`proxy`: the SIP provider's host")?.to_owned();
    let fresh = platform.next_id();
    let mut state = platform.state();
    let held = &mut state.owned.sip_registrations;
    if params.flag("remove") {
        held.retain(|held| held.proxy != proxy);
        return Ok(json!({ "result": 1 }));
    }
    let place = held.iter().position(|held| held.proxy == proxy).unwrap_or_else(|| {
        held.push(SipRegistration {
            sip_registration_id: fresh,
            username: params.text("username").unwrap_or("halo").to_owned(),
            proxy,
            successful: true,
            deactivated: false,
            status_code: 200,
        });
        held.len() - 1
    });
    let held = &mut held[place];
    turn(&mut held.successful, &params, "successful");
    turn(&mut held.deactivated, &params, "deactivated");
    held.status_code = if held.successful { 200 } else { 403 };
    Ok(json!({ "sip_registration_id": held.sip_registration_id }))
}
