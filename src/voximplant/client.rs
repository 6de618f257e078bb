//! Starting sessions, and asking what became of them.
//!
//! One request, one session, no second try: the platform has no idempotency key, so whatever is unclear
//! stays unclear until the grant's deadline. A mode becomes a rule's id here and nowhere else.

use super::api::{Api, id, text};
use super::codes::Meaning;
use super::wire::{Provider, Wire};
use super::{ApiError, Credentials, Evidence, Live, ModeEntry, Modes, Permit, StartError, Wall, history};
use crate::domain::{AttemptId, Mode, SessionId, StartOrder, Timestamp, Token};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tracing::{debug, info};

/// What `VoxEngine.customData()` is documented to hold.
const CUSTOM_DATA_BYTES_MAX: usize = 200;

/// Where the API is, who we are there, and where sessions find us.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The API with its path, such as `https://api.voximplant.com/platform_api`.
    pub url: String,
    pub account: String,
    pub credentials: Credentials,
    /// An application's id; without it the one called `application_name`.
    pub application: Option<i64>,
    pub application_name: String,
    /// Where sessions ask for their grant, as they can reach it.
    pub backend_url: String,
    pub modes: Modes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    pub session: SessionId,
    /// Whoever has it commands the session: it is stored and never logged.
    pub access_url: String,
}

/// What a start goes by: its mode's rule, and whether that was known before it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    rule: i64,
    cached: bool,
}

fn refused(attempt: AttemptId, cause: ApiError) -> StartError {
    StartError::Refused { attempt, wait: cause.wait(), cause }
}

#[derive(Default)]
struct Ids {
    application: Option<i64>,
    rules: HashMap<Mode, i64>,
}

pub struct Client {
    pub(super) api: Api,
    connection: Connection,
    ids: Mutex<Ids>,
    pub(super) live: Live,
}

impl Client {
    /// `wall` is real time: the provider checks the age of a service account's tokens.
    pub fn new(connection: Connection, wall: Wall) -> Result<Self, ApiError> {
        let api = Api::new(&connection.url, &connection.account, connection.credentials.clone(), wall)?;
        let known_by = match connection.credentials {
            Credentials::Key(_) => "its API key",
            Credentials::Service(_) => "a service account",
        };
        info!(
            account = %connection.account, webhooks = %connection.backend_url, known_by,
            "Voximplant adapter initialised: account {} by {known_by}, webhooks to {}/voximplant/events",
            connection.account, connection.backend_url
        );
        Ok(Client { api, connection, ids: Mutex::default(), live: Live::new()? })
    }

    /// A client of a provider that is a value: for tests.
    pub fn of(provider: Arc<dyn Provider>, connection: Connection, wall: Wall, live: Live) -> Self {
        let credentials = connection.credentials.clone();
        let api = Api::over(Wire::Value(provider), &connection.url, &connection.account, credentials, wall);
        Client { api, connection, ids: Mutex::default(), live }
    }

    pub(super) fn api(&self) -> &Api {
        &self.api
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    #[cfg(test)]
    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Rules were made or changed: look their ids up again.
    pub fn forget_rules(&self) {
        *self.held() = Ids::default();
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Ids> {
        self.ids.lock().expect("no panic while holding it")
    }

    /// Looks the mode's rule up, which may take two requests: before the slot, so that a start leaves in it or not at
    /// all. Nothing is started yet, whatever goes wrong.
    pub async fn way(&self, attempt: AttemptId, mode: &Mode) -> Result<Way, StartError> {
        self.rule(mode).await.map_err(|cause| {
            if cause.is_about_the_rule() {
                self.forget_rules();
            }
            match cause.meaning() {
                Meaning::Account => StartError::Account { cause },
                Meaning::NotTaken | Meaning::Unclear => refused(attempt, cause),
            }
        })
    }

    /// Starts one session, by one request that leaves at once. Success means that a session was made, not that a phone
    /// rings.
    pub async fn start(&self, order: StartOrder, way: Way, permit: Permit) -> Result<Started, StartError> {
        let attempt = order.attempt;
        let data = self.custom_data(attempt, order.token.expose());
        if data.len() > CUSTOM_DATA_BYTES_MAX {
            return Err(StartError::Account { cause: ApiError::CustomData(data.len()) });
        }
        info!(attempt.id = %attempt, mode = %order.mode, "Initiating call: attempt {attempt} in mode {}", order.mode);
        let answer = self.send_start(way.rule, data, permit).await;
        answer.map_err(|cause| {
            if cause.is_about_the_rule() {
                self.forget_rules();
                if way.cached {
                    // The rules may have been deployed anew since: the next start looks again.
                    return refused(attempt, cause);
                }
            }
            match cause.meaning() {
                Meaning::NotTaken => refused(attempt, cause),
                Meaning::Unclear => StartError::Unclear { attempt, cause },
                Meaning::Account => StartError::Account { cause },
            }
        })
    }

    /// Bytes of what a session is started with, at most; the platform keeps 200.
    pub fn custom_data_bytes(&self) -> usize {
        let token = Token::from_random([0; 16]);
        self.custom_data(AttemptId(i64::MAX), token.expose()).len()
    }

    fn custom_data(&self, attempt: AttemptId, token: &str) -> String {
        json!({ "a": attempt, "t": token, "u": self.connection.backend_url }).to_string()
    }

    /// The permit is spent by the request, and held until its answer.
    async fn send_start(&self, rule: i64, data: String, permit: Permit) -> Result<Started, ApiError> {
        const METHOD: &str = "StartScenarios";
        let params = vec![("rule_id", rule.to_string()), ("script_custom_data", data)];
        let answer = self.api.call_at_once(METHOD, params, &permit).await;
        drop(permit);
        let answer = answer?;
        let session = id(&answer, "call_session_history_id").filter(|id| *id > 0);
        let session = session.ok_or(ApiError::Malformed { method: METHOD, field: "call_session_history_id" })?;
        let access =
            text(&answer, "media_session_access_secure_url").or_else(|| text(&answer, "media_session_access_url"));
        Ok(Started { session: SessionId(session), access_url: access.unwrap_or_default().to_owned() })
    }

    /// What the platform knows of these sessions; `wall` is real time, not program time.
    pub async fn history(&self, sessions: &[SessionId], wall: Timestamp) -> Result<Vec<Evidence>, ApiError> {
        history::of(&self.api, sessions, wall).await
    }

    /// The rule's id of a mode, resolved at first use: the name cannot be sent.
    async fn rule(&self, mode: &Mode) -> Result<Way, ApiError> {
        let entry = self.connection.modes.get(mode).ok_or_else(|| ApiError::UnknownMode(mode.to_string()))?;
        if let Some(rule) = entry.rule_id {
            return Ok(Way { rule, cached: false });
        }
        if let Some(rule) = self.held().rules.get(mode).copied() {
            return Ok(Way { rule, cached: true });
        }
        let application = self.application().await?;
        let rule = self.find_rule(application, entry).await?;
        debug!(mode = %mode, rule.id = rule, "Mode {mode} is started by rule {rule}");
        self.held().rules.insert(mode.clone(), rule);
        Ok(Way { rule, cached: false })
    }

    async fn find_rule(&self, application: i64, entry: &ModeEntry) -> Result<i64, ApiError> {
        let found = self.rules_named(application, &entry.rule).await?;
        let trouble = |trouble| ApiError::Rule { rule: entry.rule.clone(), trouble };
        let [rule] = found.as_slice() else {
            return Err(trouble(if found.is_empty() { "does not exist" } else { "exists more than once" }));
        };
        if rule.get("scenarios").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            return Err(trouble("has no scenario"));
        }
        id(rule, "rule_id").ok_or(ApiError::Malformed { method: "GetRules", field: "rule_id" })
    }

    /// The rules of exactly this name; the platform's filter may take parts of names.
    pub(super) async fn rules_named(&self, application: i64, name: &str) -> Result<Vec<Value>, ApiError> {
        const METHOD: &str = "GetRules";
        let params = vec![
            ("application_id", application.to_string()),
            ("rule_name", name.to_owned()),
            ("with_scenarios", "true".into()),
        ];
        let found = self.api.list(METHOD, params).await?;
        Ok(found.into_iter().filter(|rule| text(rule, "rule_name") == Some(name)).collect())
    }

    pub(super) async fn application(&self) -> Result<i64, ApiError> {
        if let Some(application) = self.connection.application.or(self.held().application) {
            return Ok(application);
        }
        let name = &self.connection.application_name;
        let found = self.find_application().await?.ok_or_else(|| ApiError::NoApplication(name.clone()))?;
        self.held().application = Some(found.0);
        Ok(found.0)
    }

    /// The application's id and full name, if it exists.
    pub(super) async fn find_application(&self) -> Result<Option<(i64, String)>, ApiError> {
        const METHOD: &str = "GetApplications";
        let wanted = &self.connection.application_name;
        let filter = match self.connection.application {
            Some(id) => ("application_id", id.to_string()),
            None => ("application_name", wanted.clone()),
        };
        let found = self.api.list(METHOD, vec![filter]).await?;
        // The platform shows the full name, "app.account.voximplant.com".
        let ours =
            |name: &str| name == wanted || name.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let ours = found.iter().find(|row| match self.connection.application {
            Some(wanted) => id(row, "application_id") == Some(wanted),
            None => text(row, "application_name").is_some_and(ours),
        });
        Ok(ours.and_then(|row| {
            Some((id(row, "application_id")?, text(row, "application_name").unwrap_or_default().to_owned()))
        }))
    }
}
