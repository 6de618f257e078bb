//! Applications, scenarios, rules, account.

use serde_json::{Value, json};

use crate::simulator::api::params::Params;
use crate::simulator::api::{ApiError, history, possessions};
use crate::simulator::clock::{utc_text, wall_ms};
use crate::simulator::platform::{Application, Platform, Rule, Scenario, Script, State};

const SCENARIO_BYTES_MAX: usize = 128 * 1024;
const SCENARIO_NAME_MAX: usize = 30;
const RULE_NAME_MAX: usize = 100;
const ITEMS_MAX: usize = 10_000;
/// Rows of one answer, where nothing is said and at most.
const ROWS_DEFAULT: usize = 20;
const ROWS_MAX: usize = 1000;
/// Less than 64 KB, says the reference.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

pub type Answer = Result<Value, ApiError>;

pub fn run(platform: &Platform, name: &str, params: &Params) -> Answer {
    let ids = || platform.next_id();
    if name == "GetCallHistory" {
        return history::get(platform, params);
    }
    if name == "DeleteRecord" {
        return delete_record(platform, params);
    }
    let mut state = platform.state();
    let state = &mut *state;
    match name {
        "GetAccountInfo" => account_info(state, platform.origin()),
        "GetApplications" => get_applications(state, params),
        "AddApplication" => add_application(state, params, ids()),
        "GetScenarios" => get_scenarios(state, params),
        "AddScenario" => add_scenario(state, params, ids()),
        "SetScenarioInfo" => set_scenario(state, params),
        "DelScenario" => del_scenario(state, params),
        "GetRules" => get_rules(state, params),
        "AddRule" => add_rule(state, params, ids()),
        "SetRuleInfo" => set_rule(state, params),
        "DelRule" => del_rule(state, params),
        "BindScenario" => bind_scenario(state, params),
        "ReorderScenarios" => reorder_scenarios(state, params),
        "ReorderRules" => reorder_rules(state, params),
        "AddSecret" => possessions::add_secret(state, params, ids()),
        "SetSecretInfo" => possessions::set_secret(state, params),
        "DelSecret" => possessions::del_secret(state, params),
        "GetSecrets" => possessions::get_secrets(state, params),
        "GetSecretValue" => {
            let place = possessions::find_secret(state, params)?;
            Ok(json!({ "result": { "secret_value": state.secrets[place].value } }))
        }
        "GetPhoneNumbers" => possessions::get_numbers(state, params),
        "BindPhoneNumberToApplication" => possessions::bind_number(state, params),
        "GetCallerIDs" => possessions::get_caller_ids(state, params),
        "GetSipRegistrations" => possessions::get_sip_registrations(state, params),
        "GetResourcePrice" => possessions::get_prices(params),
        _ => Err(ApiError::new(103, format!("Unknown command '{name}'."))),
    }
}

/// By its address; its number is not kept here.
fn delete_record(platform: &Platform, params: &Params) -> Answer {
    let name = params.text("record_url").unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let session = name.split('-').next().and_then(|id| id.parse().ok()).and_then(|id| platform.session(id));
    match session.is_some_and(|session| session.delete_record(name)) {
        true => done(),
        false => Err(ApiError::new(341, "The record is not found.")),
    }
}

pub fn page(rows: Vec<Value>, params: &Params) -> Answer {
    let total = rows.len();
    let count = params.number("count", 101)?.map_or(ROWS_DEFAULT, |count| count as usize).min(ROWS_MAX);
    let offset = params.number("offset", 101)?.unwrap_or(0) as usize;
    let rows: Vec<Value> = rows.into_iter().skip(offset).take(count).collect();
    Ok(json!({ "count": rows.len(), "result": rows, "total_count": total }))
}

pub fn done() -> Answer {
    Ok(json!({ "result": 1 }))
}

fn account_info(state: &State, origin: &str) -> Answer {
    Ok(json!({ "result": {
        "account_id": state.account_id, "account_name": state.account_name(),
        "account_email": state.account_email(),
        "active": state.owned.active, "frozen": state.owned.frozen, "balance": state.balance,
        "live_balance": state.balance, "credit_limit": 0.0, "currency": state.owned.currency, "created": "2024-01-01 00:00:00",
    }, "api_address": origin.trim_start_matches("http://") }))
}

/// The application that a request names, by id, short name or full name.
pub fn application(state: &State, params: &Params) -> Result<u64, ApiError> {
    let found = optional_application(state, params)?;
    found.ok_or_else(|| ApiError::new(134, "The 'application_id' parameter is required."))
}

pub fn optional_application(state: &State, params: &Params) -> Result<Option<u64>, ApiError> {
    let found = match (params.number("application_id", 116)?, params.text("application_name")) {
        (Some(id), _) => state.applications.iter().find(|held| held.application_id == id),
        (None, Some(name)) => {
            state.applications.iter().find(|held| held.name == name || state.full_name(&held.name) == name)
        }
        (None, None) => return Ok(None),
    };
    found.map(|held| Some(held.application_id)).ok_or_else(|| ApiError::invalid(116, "application_id"))
}

fn get_applications(state: &State, params: &Params) -> Answer {
    let id = params.number("application_id", 116)?;
    let rows = state
        .applications
        .iter()
        .filter(|held| id.is_none_or(|id| held.application_id == id))
        .filter(|held| params.text("application_name").is_none_or(|name| state.full_name(&held.name).contains(name)))
        .map(|held| {
            json!({
                "application_id": held.application_id, "application_name": state.full_name(&held.name),
                "modified": utc_text(held.modified_ms), "secure_record_storage": held.secure_record_storage,
            })
        })
        .collect();
    page(rows, params)
}

fn add_application(state: &mut State, params: &Params, id: u64) -> Answer {
    let given = params.required("application_name")?;
    let suffix = format!(".{}.voximplant.com", state.account_name());
    let name = given.strip_suffix(&suffix).unwrap_or(given).to_owned();
    let mut letters = name.chars();
    let lawful = letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && (2..=65).contains(&name.len())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    if !lawful {
        return Err(ApiError::invalid(107, "application_name"));
    }
    if state.applications.iter().any(|held| held.name == name) {
        return Err(ApiError::new(129, "The application name is not unique."));
    }
    room(state.applications.len(), 108)?;
    let full = state.full_name(&name);
    let secure_record_storage = params.flag("secure_record_storage");
    state.applications.push(Application { application_id: id, name, secure_record_storage, modified_ms: wall_ms() });
    Ok(
        json!({ "result": 1, "application_id": id, "application_name": full, "secure_record_storage": secure_record_storage }),
    )
}

pub fn room(held: usize, code: u32) -> Result<(), ApiError> {
    if held < ITEMS_MAX { Ok(()) } else { Err(ApiError::new(code, "The count limit is exceeded.")) }
}

fn script_of(params: &Params) -> Result<Option<&str>, ApiError> {
    match params.text("scenario_script") {
        Some(text) if text.len() >= SCENARIO_BYTES_MAX => Err(ApiError::new(130, "The script text is too long.")),
        script => Ok(script),
    }
}

fn find_scenario(state: &State, params: &Params, by_name: &str) -> Result<usize, ApiError> {
    let found = match (params.number("scenario_id", 132)?, params.text(by_name)) {
        (Some(id), _) => state.scenarios.iter().position(|held| held.scenario_id == id),
        (None, Some(name)) => state.scenarios.iter().position(|held| held.script.name == name),
        (None, None) => {
            return Err(ApiError::new(134, "The 'scenario_id' parameter is required."));
        }
    };
    found.ok_or_else(|| ApiError::invalid(132, "scenario_id"))
}

fn get_scenarios(state: &State, params: &Params) -> Answer {
    let id = params.number("scenario_id", 132)?;
    let application = optional_application(state, params)?;
    let name = params.text("scenario_name").map(str::to_lowercase);
    // The script is given only with the id of one scenario.
    let with_script = params.flag("with_script") && id.is_some();
    let rows = state
        .scenarios
        .iter()
        .filter(|held| id.is_none_or(|id| held.scenario_id == id))
        .filter(|held| application.is_none() || held.application_id.is_none() || held.application_id == application)
        .filter(|held| name.as_ref().is_none_or(|part| held.script.name.to_lowercase().contains(part)))
        .map(|held| {
            let mut row = json!({
                "scenario_id": held.scenario_id, "scenario_name": held.script.name,
                "modified": utc_text(held.modified_ms), "parent": held.application_id.is_none(),
            });
            if with_script {
                row["scenario_script"] = json!(&*held.script.text);
            }
            row
        })
        .collect();
    page(rows, params)
}

fn add_scenario(state: &mut State, params: &Params, id: u64) -> Answer {
    let name = params.required("scenario_name")?;
    if name.chars().count() >= SCENARIO_NAME_MAX {
        return Err(ApiError::invalid(168, "scenario_name"));
    }
    let text = script_of(params)?.unwrap_or_default();
    let application_id = optional_application(state, params)?;
    if let Some(held) = state.scenarios.iter_mut().find(|held| held.script.name == name) {
        if !params.flag("rewrite") {
            return Err(ApiError::new(133, "The scenario name is not unique."));
        }
        held.script = Script::new(name, text);
        held.modified_ms = wall_ms();
        return Ok(json!({ "result": 1, "scenario_id": held.scenario_id }));
    }
    room(state.scenarios.len(), 418)?;
    let script = Script::new(name, text);
    state.scenarios.push(Scenario { scenario_id: id, application_id, script, modified_ms: wall_ms() });
    if params.text("rule_id").is_some() || params.text("rule_name").is_some() {
        let rule = find_rule(state, params)?;
        state.rules[rule].scenarios.push(id);
    }
    Ok(json!({ "result": 1, "scenario_id": id }))
}

fn set_scenario(state: &mut State, params: &Params) -> Answer {
    let place = find_scenario(state, params, "required_scenario_name")?;
    let text = script_of(params)?;
    let held = &mut state.scenarios[place];
    let name = params.text("scenario_name").unwrap_or(&held.script.name).to_owned();
    let text = text.unwrap_or(&held.script.text).to_owned();
    held.script = Script::new(&name, &text);
    held.modified_ms = wall_ms();
    done()
}

fn del_scenario(state: &mut State, params: &Params) -> Answer {
    let place = find_scenario(state, params, "scenario_name")?;
    let gone = state.scenarios.remove(place).scenario_id;
    state.rules.iter_mut().for_each(|rule| rule.scenarios.retain(|id| *id != gone));
    done()
}

fn find_rule(state: &State, params: &Params) -> Result<usize, ApiError> {
    match (params.number("rule_id", 147)?, params.text("rule_name")) {
        (Some(id), _) => {
            let found = state.rules.iter().position(|rule| rule.rule_id == id);
            found.ok_or_else(|| ApiError::invalid(147, "rule_id"))
        }
        (None, Some(name)) => {
            let application = optional_application(state, params)?;
            let found = state
                .rules
                .iter()
                .position(|rule| rule.name == name && application.is_none_or(|id| rule.application_id == id));
            found.ok_or_else(|| ApiError::invalid(156, "rule_name"))
        }
        (None, None) => Err(ApiError::new(134, "The 'rule_id' parameter is required.")),
    }
}

fn get_rules(state: &State, params: &Params) -> Answer {
    let application = application(state, params)?;
    let id = params.number("rule_id", 147)?;
    let rows = state
        .rules
        .iter()
        .filter(|rule| rule.application_id == application && id.is_none_or(|id| rule.rule_id == id))
        .filter(|rule| params.text("rule_name").is_none_or(|name| rule.name.contains(name)))
        .map(|rule| {
            let mut row = json!({
                "rule_id": rule.rule_id, "application_id": rule.application_id, "rule_name": rule.name,
                "rule_pattern": rule.pattern, "video_conference": false, "modified": utc_text(rule.modified_ms),
            });
            if let Some(exclude) = &rule.pattern_exclude {
                row["rule_pattern_exclude"] = json!(exclude);
            }
            if params.flag("with_scenarios") {
                row["scenarios"] = rule
                    .scenarios
                    .iter()
                    .filter_map(|id| state.scenarios.iter().find(|held| held.scenario_id == *id))
                    .map(|held| {
                        json!({
                            "scenario_id": held.scenario_id, "scenario_name": held.script.name,
                            "modified": utc_text(held.modified_ms),
                        })
                    })
                    .collect();
            }
            row
        })
        .collect();
    page(rows, params)
}

/// The scenarios that a request lists, by id or by name.
fn listed_scenarios(state: &State, params: &Params) -> Result<Vec<u64>, ApiError> {
    let ids = match (params.ids("scenario_id")?, params.text("scenario_name")) {
        (Some(ids), _) => ids,
        (None, Some(names)) => names
            .split(';')
            .map(|name| {
                let found = state.scenarios.iter().find(|held| held.script.name == name);
                found.map(|held| held.scenario_id).ok_or_else(|| ApiError::invalid(168, "scenario_name"))
            })
            .collect::<Result<_, _>>()?,
        (None, None) => Vec::new(),
    };
    match ids.iter().all(|id| state.scenarios.iter().any(|held| held.scenario_id == *id)) {
        true => Ok(ids),
        false => Err(ApiError::invalid(132, "scenario_id")),
    }
}

fn add_rule(state: &mut State, params: &Params, id: u64) -> Answer {
    let application_id = application(state, params)?;
    let name = rule_name(params.required("rule_name")?)?.to_owned();
    let pattern = params.required("rule_pattern")?.to_owned();
    let (_, exclude) = patterns(params)?;
    if state.rules.iter().any(|rule| rule.application_id == application_id && rule.name == name) {
        return Err(ApiError::new(175, "The rule name is not unique."));
    }
    room(state.rules.len(), 419)?;
    let scenarios = listed_scenarios(state, params)?;
    let pattern_exclude = exclude.map(str::to_owned);
    let modified_ms = wall_ms();
    state.rules.push(Rule { rule_id: id, application_id, name, pattern, pattern_exclude, scenarios, modified_ms });
    Ok(json!({ "result": 1, "rule_id": id }))
}

fn set_rule(state: &mut State, params: &Params) -> Answer {
    let id = params.number("rule_id", 147)?;
    if id.is_none() {
        return Err(ApiError::new(134, "The 'rule_id' parameter is required."));
    }
    let place = state.rules.iter().position(|rule| Some(rule.rule_id) == id);
    let place = place.ok_or_else(|| ApiError::invalid(147, "rule_id"))?;
    let application_id = state.rules[place].application_id;
    if let Some(name) = params.text("rule_name") {
        rule_name(name)?;
        let taken = |rule: &Rule| rule.application_id == application_id && rule.name == name;
        if state.rules.iter().any(|rule| taken(rule) && Some(rule.rule_id) != id) {
            return Err(ApiError::new(175, "The rule name is not unique."));
        }
    }
    let (pattern, exclude) = patterns(params)?;
    let rule = &mut state.rules[place];
    if let Some(name) = params.text("rule_name") {
        name.clone_into(&mut rule.name);
    }
    if let Some(pattern) = pattern {
        pattern.clone_into(&mut rule.pattern);
    }
    if let Some(exclude) = exclude {
        rule.pattern_exclude = Some(exclude.to_owned());
    }
    rule.modified_ms = wall_ms();
    done()
}

fn rule_name(name: &str) -> Result<&str, ApiError> {
    if name.chars().count() < RULE_NAME_MAX { Ok(name) } else { Err(ApiError::invalid(156, "rule_name")) }
}

/// The two patterns, within their length. Whether they are regular expressions is not looked at.
fn patterns(params: &Params) -> Result<(Option<&str>, Option<&str>), ApiError> {
    let of = |name: &str, code| match params.text(name) {
        Some(pattern) if pattern.len() >= PATTERN_BYTES_MAX => Err(ApiError::invalid(code, name)),
        pattern => Ok(pattern),
    };
    Ok((of("rule_pattern", 148)?, of("rule_pattern_exclude", 149)?))
}

/// The rules that a request lists, by id or by name, or `all` of the application.
fn del_rule(state: &mut State, params: &Params) -> Answer {
    let application = optional_application(state, params)?;
    let here = |rule: &Rule| application.is_none_or(|id| rule.application_id == id);
    let gone: Vec<u64> = match (params.text("rule_id"), params.text("rule_name")) {
        (Some("all"), _) => state.rules.iter().filter(|rule| here(rule)).map(|rule| rule.rule_id).collect(),
        (Some(_), _) => params.ids("rule_id")?.unwrap_or_default(),
        (None, Some(names)) => names
            .split(';')
            .map(|name| {
                let found = state.rules.iter().find(|rule| rule.name == name && here(rule));
                found.map(|rule| rule.rule_id).ok_or_else(|| ApiError::invalid(156, "rule_name"))
            })
            .collect::<Result<_, _>>()?,
        (None, None) => return Err(ApiError::new(134, "The 'rule_id' parameter is required.")),
    };
    if gone.iter().any(|id| !state.rules.iter().any(|rule| rule.rule_id == *id)) {
        return Err(ApiError::invalid(147, "rule_id"));
    }
    state.rules.retain(|rule| !gone.contains(&rule.rule_id));
    state.numbers.iter_mut().filter(|number| number.rule_id.is_some_and(|id| gone.contains(&id))).for_each(|number| {
        number.rule_id = None;
    });
    done()
}

fn bind_scenario(state: &mut State, params: &Params) -> Answer {
    let scenarios = listed_scenarios(state, params)?;
    if scenarios.is_empty() {
        return Err(ApiError::new(134, "The 'scenario_id' parameter is required."));
    }
    let place = find_rule(state, params)?;
    let rule = &mut state.rules[place];
    let bind = params.text("bind").is_none() || params.flag("bind");
    rule.scenarios.retain(|id| !scenarios.contains(id));
    if bind {
        rule.scenarios.extend(scenarios);
    }
    rule.modified_ms = wall_ms();
    done()
}

/// The listed ones come first, in the order given; all must hang on the rule.
fn reorder_scenarios(state: &mut State, params: &Params) -> Answer {
    let scenarios = listed_scenarios(state, params)?;
    if scenarios.is_empty() {
        return Err(ApiError::new(134, "The 'scenario_id' parameter is required."));
    }
    let place = find_rule(state, params)?;
    let rule = &mut state.rules[place];
    if scenarios.iter().any(|id| !rule.scenarios.contains(id)) {
        return Err(ApiError::invalid(132, "scenario_id"));
    }
    let rank = |id: &u64| scenarios.iter().position(|listed| listed == id).unwrap_or(usize::MAX);
    rule.scenarios.sort_by_key(rank);
    rule.modified_ms = wall_ms();
    done()
}

/// The first rule that matches wins, so their order is the account's to say.
fn reorder_rules(state: &mut State, params: &Params) -> Answer {
    let ids = params.ids("rule_id")?.ok_or_else(|| ApiError::new(134, "The 'rule_id' parameter is required."))?;
    if ids.iter().any(|id| !state.rules.iter().any(|rule| rule.rule_id == *id)) {
        return Err(ApiError::invalid(147, "rule_id"));
    }
    state.rules.sort_by_key(|rule| ids.iter().position(|id| *id == rule.rule_id).unwrap_or(usize::MAX));
    done()
}
