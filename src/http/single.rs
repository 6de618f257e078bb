//! One call, from what somebody asks for to a planned attempt: all of it or nothing.
//!
//! The API and the command line come through here. It is a campaign of one contact and a run of kind `single`,
//! so everything that holds for any other call holds for it. A single call is for now: what a gate would hold
//! back is refused, with the time at which the gate opens.

use super::import::{PLAIN_SCRIPT, PLAIN_SCRIPT_EN};
use crate::dialogue::Script;
use crate::dialogue::script::{AUTO, known_language};
use crate::domain::clearance::{Closed, Facts, Gate, closed};
use crate::domain::keys::{Faults, Reading, cut};
use crate::domain::settings::{Purpose, Settings};
use crate::domain::{AttemptId, BatchId, CampaignId, Mode, Outcome, PhoneNumber, RunId, Timestamp};
use crate::intake::{self, phone, policy};
use crate::store::{Campaign, SingleOrder, Store, StoreError};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How numbers without a country are read.
const REGION: &str = "RU";
const VOICE_CHARS_MAX: usize = 100;

/// What somebody asks for, already checked.
#[derive(Clone, Debug)]
pub struct Order {
    pub phone: PhoneNumber,
    pub mode: Mode,
    pub purpose: Purpose,
    /// In which the windows are read; the settings' default when absent.
    pub timezone: Option<Tz>,
    /// The text of the script, with language and voice as they were asked for.
    script: String,
    /// What the caller should know of how the prompt was understood.
    pub notes: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SingleError {
    /// The order itself is wrong.
    #[error("the call cannot be placed: {0}")]
    Order(Faults),
    /// A gate is closed; nobody was called.
    #[error("{reason}; nobody was called")]
    Held { code: &'static str, reason: String, until: Option<Timestamp> },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SingleError {
    fn held(code: &'static str, reason: impl Into<String>) -> Self {
        SingleError::Held { code, reason: reason.into(), until: None }
    }
}

/// What a call is held against.
pub struct Here<'a> {
    pub store: &'a Store,
    pub modes: &'a BTreeSet<Mode>,
    pub real_platform: bool,
    pub caller_id: Option<PhoneNumber>,
    /// The account that will place it.
    pub account: i64,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Placed {
    pub attempt: AttemptId,
    pub run: RunId,
}

impl Order {
    /// `phone`, and what else is said; every fault at once, the number in none of them.
    pub fn read(value: &Value, modes: &BTreeSet<Mode>) -> Result<Order, Faults> {
        let reading = Reading::default();
        let order = read(&reading, value, modes);
        reading.end(order)
    }
}

fn read(reading: &Reading, value: &Value, modes: &BTreeSet<Mode>) -> Option<Order> {
    let table = reading.table(value)?;
    let home = phone::region(REGION).expect("a test reads numbers of this region");
    let phone = match table.value("phone") {
        Some(Value::String(text)) => phone::read(text, home)
            .map_err(|why| table.refuse("phone", why.to_string(), "write it as +7XXXXXXXXXX"))
            .ok(),
        Some(_) => {
            table.refuse("phone", "found no text", "write it in quotes, as \"+7XXXXXXXXXX\"");
            None
        }
        None => {
            table.refuse("phone", "missing", "say whom to call");
            None
        }
    };
    let known = |text: &str| match text.parse::<Mode>() {
        Ok(mode) if modes.contains(&mode) => Ok(mode),
        _ => Err(format!("known: {}", modes.iter().map(Mode::as_str).collect::<Vec<_>>().join(", "))),
    };
    // `scenario` is the starting material's word for the same.
    let (mode, scenario) = (table.parsed("mode", known), table.parsed("scenario", known));
    if let (Some(mode), Some(scenario)) = (&mode, &scenario)
        && mode != scenario
    {
        table.refuse("scenario", format!("found `{scenario}`, and `mode` says `{mode}`"), "keep one of them");
    }
    let purpose = table.parsed("purpose", |text| {
        serde_json::from_value(Value::from(text))
            .map_err(|_| "write one of test, service, survey, debt, advertising".to_owned())
    });
    let timezone = table.parsed("timezone", |text| {
        text.parse::<Tz>().map_err(|_| "write an IANA time zone, as in Europe/Moscow".to_owned())
    });
    let language = table.parsed("language", known_language);
    let voice = table.parsed("voice", |text| {
        let good = text.chars().count() <= VOICE_CHARS_MAX && !text.chars().any(char::is_control);
        if good { Ok(text.to_owned()) } else { Err("write female, male, or a provider's name of a voice".to_owned()) }
    });
    let prompt = table.text("prompt");
    let country = phone.as_ref().and_then(|phone| phone.country).map(|country| country.to_string());
    if let Some(why) = purpose.zip(country).and_then(|(purpose, country)| policy::refused(purpose, &country)) {
        table.refuse("purpose", why, "only a campaign with a [policy_override] and its reason may");
    }
    table.close(&[]);
    let mode = mode.or(scenario).unwrap_or_else(Mode::dialog);
    let phone = phone?;
    // As in a list: what is said, else what the number says.
    let (number, timezone) = (phone.number, timezone.or(phone.timezone));
    let (script, notes) = script(reading, &mode, &number, prompt, language, voice)?;
    Some(Order { phone: number, mode, purpose: purpose.unwrap_or(Purpose::Test), timezone, script, notes })
}

/// The script's text with what the order says of its own, and how a prompt will be played.
fn script(
    reading: &Reading,
    mode: &Mode,
    number: &PhoneNumber,
    prompt: Option<String>,
    language: Option<String>,
    voice: Option<String>,
) -> Option<(String, Vec<String>)> {
    let mut text = match &prompt {
        None => toml::from_str::<Value>(plain(reading, number, language.as_deref())?)
            .expect("the scripts that ship are read by a test"),
        Some(prompt) if is_script(prompt) => Reading::default().parse(prompt)?,
        Some(prompt) => json!({ "prompt": prompt }),
    };
    for (key, value) in [("language", language), ("voice", voice)] {
        if let (Some(fields), Some(value)) = (text.as_object_mut(), value) {
            fields.insert(key.to_owned(), value.into());
        }
    }
    let text = text.to_string();
    let script = match Script::parse(&text) {
        Ok(script) => script,
        Err(faults) => {
            for fault in faults.0 {
                let key = if fault.key == "prompt" { fault.key } else { format!("prompt: {}", fault.key) };
                reading.refuse(key, fault.found, fault.cure);
            }
            return None;
        }
    };
    if let Some(name) = script.variables().into_iter().next() {
        let found = format!("found {{{{{}}}}}", cut(name));
        reading.refuse("prompt", found, "write names and sums out: a single call has no variables");
        return None;
    }
    let mut notes = Vec::new();
    if let Some(prompt) = script.prompt.as_ref().filter(|prompt| !prompt.scripted) {
        let said = script.phases.len();
        notes.push(match mode.as_str() {
            "realtime_pure" | "realtime_stream" => "the prompt is the model's instructions".to_owned(),
            "greeting" => "the prompt is played as it stands".to_owned(),
            _ => format!(
                "the prompt has no PHASE lines: the built-in replier says it sentence by sentence ({said} of {})",
                said + prompt.unsaid
            ),
        });
    }
    Some((text, notes))
}

/// Our own few words, in the language asked for or, when none is, in that of the number's country.
fn plain(reading: &Reading, number: &PhoneNumber, language: Option<&str>) -> Option<&'static str> {
    match language.filter(|language| *language != AUTO) {
        None if number.as_str().starts_with("+7") => Some(PLAIN_SCRIPT),
        None => Some(PLAIN_SCRIPT_EN),
        Some(language) if language.starts_with("ru-") => Some(PLAIN_SCRIPT),
        Some(language) if language.starts_with("en-") => Some(PLAIN_SCRIPT_EN),
        Some(language) => {
            let found = format!("found `{language}`, in which there is no script of ours");
            reading.refuse("language", found, "give a prompt in that language");
            None
        }
    }
}

/// A whole script, as in script.toml or the same as JSON; anything else is a text.
fn is_script(prompt: &str) -> bool {
    let table = Reading::default().parse(prompt);
    table.is_some_and(|table| table.get("phases").is_some() || table.get("persona").is_some())
}

/// The settings of a single call: one line, one try, and the defaults of any campaign.
fn settings(order: &Order, here: &Here<'_>) -> Settings {
    let caller_ids: Vec<&str> = here.caller_id.iter().map(PhoneNumber::as_str).collect();
    let value = json!({
        "name": "a single call", "purpose": order.purpose, "mode": order.mode, "region": REGION,
        "dial": { "lines": 1, "caller_ids": caller_ids },
        "retry": { "attempts_max": 1, "busy": [], "no_answer": [], "unavailable": [], "network_error": [] },
    });
    intake::settings::from_json(&value, here.modes).expect("every value in there has been checked")
}

pub async fn place(here: &Here<'_>, order: Order) -> Result<Placed, SingleError> {
    let settings = settings(&order, here);
    stands_open(here, &order, &settings).await?;
    let now = here.now;
    let (campaign, run) = (CampaignId(here.store.ids.one(now.0)), RunId(here.store.ids.one(now.0)));
    let attempt = AttemptId(here.store.ids.one(now.0));
    let single = SingleOrder {
        campaign: Campaign {
            campaign,
            name: format!("single/{run}"),
            settings: intake::settings::to_json(&settings).to_string(),
            script: order.script,
            salt: String::new(),
            created_at: now,
        },
        batch: BatchId(here.store.ids.one(now.0)),
        run,
        attempt,
        account: here.account,
        number: order.phone,
        mode: order.mode,
        timezone: order.timezone,
        caller_id: here.caller_id.clone(),
        now,
        ids: here.store.ids.clone(),
    };
    here.store.place_single(single).await.map_err(|cause| match cause {
        StoreError::Conflict(why) => SingleError::held("number_busy", why),
        cause => cause.into(),
    })?;
    Ok(Placed { attempt, run })
}

/// The gates, asked before anything is planned. The planner and the grant ask them again.
async fn stands_open(here: &Here<'_>, order: &Order, settings: &Settings) -> Result<(), SingleError> {
    if here.real_platform && order.phone.is_example() {
        return Err(SingleError::held("example_number", "example numbers are never dialled on the real platform"));
    }
    let standing = here.store.standing(&order.phone).await?.unwrap_or_default();
    if standing.suppressed_at.is_some() {
        let why = standing.suppressed_reason.map(|why| format!(" ({why})")).unwrap_or_default();
        return Err(SingleError::held("suppressed", format!("the number is on the suppression list{why}")));
    }
    if here.store.erased_among(None, std::slice::from_ref(&order.phone)).await?.iter().any(|known| known.opted_out) {
        let why = "this person asked never to be called, and was erased since";
        return Err(SingleError::held("suppressed", why));
    }
    let account = here.store.account(here.account).await?;
    let paused = account.as_ref().filter(|account| account.paused_at.is_some());
    if let Some(account) = paused {
        let why = account.pause_reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        return Err(SingleError::held("paused", format!("all calls are paused{why}")));
    }
    let policy = policy::find(&settings.policy)
        .ok_or_else(|| SingleError::held("window", format!("policy `{}` does not exist", settings.policy)))?;
    let settings = &policy.over(settings.clone());
    let policy = policy.calendars();
    let history = here.store.history(&order.phone, here.now).await?;
    let facts = Facts {
        to: &order.phone,
        caller_id: here.caller_id.as_ref(),
        zone: order.timezone.unwrap_or(settings.timezone),
        disposed: false,
        suppressed: false,
        paused: false,
        over: false,
        tries: 1,
        number_held_until: standing.held_until.map(Timestamp),
        allow_listed: standing.allow_listed,
        history: &history,
        // An order has no proof of it.
        consented: false,
        term: Default::default(),
        real_platform: here.real_platform,
    };
    match closed(settings, &policy, &facts, here.now) {
        None => Ok(()),
        Some(Closed::Until { until, gate }) => {
            let zone = if gate == Gate::Window { format!(" ({})", facts.zone.name()) } else { String::new() };
            let reason = format!("{}{zone}, until {until}", gate.sentence());
            Err(SingleError::Held { code: gate.as_str(), reason, until: Some(until) })
        }
        Some(Closed::For(Outcome::Expired)) => Err(SingleError::held("window", "no calling window ever opens for it")),
        Some(Closed::For(outcome)) => Err(SingleError::held("refused", outcome.as_str())),
    }
}
