//! Bringing scenarios, rules, secrets and numbers to the platform.
//!
//! Compares first and changes only what differs, so that a second run changes nothing and a dry run
//! tells what a run would do. What the platform would refuse is refused before anything is sent.
//! Nothing at the platform is ever deleted.

use super::api::{id, rows, text};
use super::deployed::{About, Change, Deployed};
use super::{ApiError, Bundle, BundleError, Client, ModeEntry, RentedNumber, Sources};
use crate::domain::PhoneNumber;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tracing::info;

/// Sessions started by the API do not look at the pattern; anything may ring in.
const PATTERN: &str = ".*";
/// The mode whose rule answers people who ring back; every scenario can, this one needs no secret.
pub(super) const RING_BACK_MODE: &str = "greeting";
/// The platform takes names shorter than these, in characters.
const SCENARIO_NAME_MAX: usize = 30;
const RULE_NAME_MAX: usize = 100;
/// `[a-z][a-z0-9-]{1,64}`, in bytes.
const APPLICATION_NAME_LENGTHS: std::ops::RangeInclusive<usize> = 2..=65;

#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("application {0} is set by its id and does not exist at the provider")]
    NoSuchApplication(i64),
    #[error("rule {rule} of mode `{mode}` is set by its id and does not exist in the application")]
    NoSuchRule { mode: String, rule: i64 },
    #[error("scenario `{name}`, which modes.toml wants before that of mode `{mode}`, does not exist at the provider")]
    NoSuchScenario { mode: String, name: String },
    #[error("application `{0}`: the provider takes a lower-case letter, then 1 to 64 of a-z, 0-9 and -")]
    ApplicationName(String),
    #[error("{what} `{name}` of mode `{mode}` has {length} characters; the provider takes fewer than {max}")]
    Name { what: &'static str, mode: String, name: String, length: usize, max: usize },
    #[error("the account does not own {number}; it owns {owned}")]
    NotOwned { number: String, owned: String },
    #[error("no mode is called `greeting`: there is no rule to bind a number to")]
    NoRingBack,
}

/// What the platform should hold besides the scenarios and rules of the modes.
#[derive(Clone)]
pub struct Wanted {
    pub sources: Sources,
    /// Name and value of each secret that scenarios read.
    pub secrets: Vec<(String, SecretString)>,
    /// Numbers of the account whose callers reach the rule of the mode `greeting`.
    pub numbers: Vec<PhoneNumber>,
    pub dry_run: bool,
}

/// One run, with what it has found out so far.
struct Run<'a> {
    client: &'a Client,
    wanted: &'a Wanted,
    done: Deployed,
}

/// A mode's part, checked before anything is sent.
struct Part<'a> {
    entry: &'a ModeEntry,
    bundle: Bundle,
}

impl Client {
    pub async fn deploy(&self, wanted: &Wanted) -> Result<Deployed, DeployError> {
        let parts = self.parts(&wanted.sources)?;
        let numbers = self.owned(&wanted.numbers).await?;
        let done = Deployed { dry_run: wanted.dry_run, ..Deployed::default() };
        let mut run = Run { client: self, wanted, done };
        let mut before = Vec::new();
        for part in &parts {
            before.push(run.before(part.entry).await?);
        }
        run.application().await?;
        for (part, before) in parts.iter().zip(before) {
            run.mode(part, before).await?;
        }
        for (name, value) in &wanted.secrets {
            run.secret(name, value).await?;
        }
        for (number, held) in &numbers {
            run.number(number, held).await?;
        }
        if !wanted.dry_run {
            self.forget_rules();
        }
        Ok(run.done)
    }

    /// Every mode's scenario, with names and lengths that the platform takes.
    fn parts(&self, sources: &Sources) -> Result<Vec<Part<'_>>, DeployError> {
        let connection = self.connection();
        if connection.application.is_none() && !is_application_name(&connection.application_name) {
            return Err(DeployError::ApplicationName(connection.application_name.clone()));
        }
        let parts = connection.modes.iter().map(|entry| {
            for (what, name, max) in
                [("scenario", &entry.scenario, SCENARIO_NAME_MAX), ("rule", &entry.rule, RULE_NAME_MAX)]
            {
                let length = name.chars().count();
                if length >= max {
                    let (mode, name) = (entry.name.to_string(), name.clone());
                    return Err(DeployError::Name { what, mode, name, length, max });
                }
            }
            Ok(Part { entry, bundle: sources.bundle(&entry.file)? })
        });
        parts.collect()
    }

    /// The numbers as the account holds them; one that it does not own is refused.
    async fn owned(&self, wanted: &[PhoneNumber]) -> Result<Vec<(PhoneNumber, RentedNumber)>, DeployError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let rented = self.numbers().await?;
        let found = wanted.iter().map(|number| {
            let held = rented.iter().find(|held| held.number.as_ref() == Some(number));
            held.map(|held| (number.clone(), held.clone())).ok_or_else(|| {
                let owned: Vec<String> =
                    rented.iter().filter_map(|held| Some(held.number.as_ref()?.masked())).collect();
                let owned = if owned.is_empty() { "none".to_owned() } else { owned.join(", ") };
                DeployError::NotOwned { number: number.masked(), owned }
            })
        });
        found.collect()
    }
}

fn is_application_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && APPLICATION_NAME_LENGTHS.contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl Run<'_> {
    /// Notes a change; true when it is to be made.
    fn change(&mut self, about: About, sentence: String) -> bool {
        if !self.wanted.dry_run {
            info!("Deploy: {sentence}");
        }
        self.done.changes.push(Change { about, sentence });
        !self.wanted.dry_run
    }

    async fn application(&mut self) -> Result<(), DeployError> {
        const METHOD: &str = "AddApplication";
        let connection = self.client.connection();
        if let Some((id, name)) = self.client.find_application().await? {
            (self.done.application, self.done.application_name) = (Some(id), name);
            return Ok(());
        }
        if let Some(id) = connection.application {
            return Err(DeployError::NoSuchApplication(id));
        }
        let name = connection.application_name.clone();
        self.done.application_name.clone_from(&name);
        if self.change(About::Application, format!("create application {name}")) {
            let answer = self.client.api().call(METHOD, vec![("application_name", name)]).await?;
            let made =
                id(&answer, "application_id").ok_or(ApiError::Malformed { method: METHOD, field: "application_id" })?;
            self.done.application = Some(made);
            if let Some(name) = text(&answer, "application_name") {
                self.done.application_name = name.to_owned();
            }
        }
        Ok(())
    }

    /// The ids of the scenarios that the mode's rule runs before ours.
    async fn before(&self, entry: &ModeEntry) -> Result<Vec<i64>, DeployError> {
        const METHOD: &str = "GetScenarios";
        let mut ids = Vec::with_capacity(entry.before.len());
        for name in &entry.before {
            let found = self.client.api().list(METHOD, vec![("scenario_name", name.clone())]).await?;
            let held = found.iter().find(|row| text(row, "scenario_name") == Some(name));
            let missing = || DeployError::NoSuchScenario { mode: entry.name.to_string(), name: name.clone() };
            ids.push(held.and_then(|row| id(row, "scenario_id")).ok_or_else(missing)?);
        }
        Ok(ids)
    }

    async fn mode(&mut self, part: &Part<'_>, before: Vec<i64>) -> Result<(), DeployError> {
        let entry = part.entry;
        let scenario = self.scenario(&entry.scenario, &part.bundle.text).await?;
        let rule = self.rule(entry, before, scenario).await?;
        self.done.rules.push((entry.name.to_string(), entry.rule.clone(), rule, part.bundle.fingerprint.clone()));
        for secret in &entry.secrets {
            let ours = self.wanted.secrets.iter().any(|(name, _)| name == secret);
            if !ours && self.held_secret(secret).await?.is_none() {
                self.done.missing_secrets.push((entry.name.to_string(), secret.clone()));
            }
        }
        Ok(())
    }

    async fn scenario(&mut self, name: &str, script: &str) -> Result<Option<i64>, DeployError> {
        const GET: &str = "GetScenarios";
        let api = self.client.api();
        let Some(application) = self.done.application else {
            self.change(About::Scenario, format!("create scenario {name}"));
            return Ok(None);
        };
        let params = vec![("scenario_name", name.to_owned()), ("application_id", application.to_string())];
        let found = api.list(GET, params).await?;
        let held =
            found.iter().find(|row| text(row, "scenario_name") == Some(name)).and_then(|row| id(row, "scenario_id"));
        let Some(scenario) = held else {
            const ADD: &str = "AddScenario";
            if !self.change(About::Scenario, format!("create scenario {name}")) {
                return Ok(None);
            }
            let params = vec![
                ("application_id", application.to_string()),
                ("scenario_name", name.to_owned()),
                ("scenario_script", script.to_owned()),
            ];
            let answer = api.call(ADD, params).await?;
            let made = id(&answer, "scenario_id").ok_or(ApiError::Malformed { method: ADD, field: "scenario_id" })?;
            return Ok(Some(made));
        };
        // The text comes only when one scenario is asked for by its id.
        let params = vec![
            ("scenario_id", scenario.to_string()),
            ("with_script", "true".into()),
            ("application_id", application.to_string()),
        ];
        let found = rows(GET, api.call(GET, params).await?)?;
        let same = found.first().and_then(|row| text(row, "scenario_script")) == Some(script);
        if !same && self.change(About::Scenario, format!("update scenario {name}")) {
            let params = vec![
                ("scenario_id", scenario.to_string()),
                ("scenario_name", name.to_owned()),
                ("scenario_script", script.to_owned()),
                ("application_id", application.to_string()),
            ];
            api.call("SetScenarioInfo", params).await?;
        }
        Ok(Some(scenario))
    }

    async fn rule(
        &mut self,
        entry: &ModeEntry,
        before: Vec<i64>,
        scenario: Option<i64>,
    ) -> Result<Option<i64>, DeployError> {
        let name = &entry.rule;
        let Some(application) = self.done.application else {
            self.change(About::Rule, format!("create rule {name}"));
            return Ok(None);
        };
        let held = match entry.rule_id {
            Some(rule) => Some(
                self.rule_by_id(application, rule)
                    .await?
                    .ok_or_else(|| DeployError::NoSuchRule { mode: entry.name.to_string(), rule })?,
            ),
            None => self.client.rules_named(application, name).await?.into_iter().next(),
        };
        // In a dry run a scenario that is to be created has no id yet.
        let runs: Vec<Option<i64>> = before.into_iter().map(Some).chain([scenario]).collect();
        let Some(held) = held else { return self.add_rule(application, name, &runs).await };
        let rule = id(&held, "rule_id").ok_or(ApiError::Malformed { method: "GetRules", field: "rule_id" })?;
        let bound: Vec<i64> = held
            .get("scenarios")
            .and_then(Value::as_array)
            .map(|scenarios| scenarios.iter().filter_map(|s| id(s, "scenario_id")).collect())
            .unwrap_or_default();
        // Scenarios of one rule run in one scope: one that nobody named would clash with ours.
        for other in bound.iter().filter(|bound| !runs.contains(&Some(**bound))) {
            if self.change(About::Rule, format!("unbind scenario {other} from rule {name}")) {
                self.bind(application, rule, *other, false).await?;
            }
        }
        let names = entry.before.iter().chain([&entry.scenario]);
        let mut added = false;
        for (scenario, called) in runs.iter().zip(names) {
            if scenario.is_some_and(|scenario| bound.contains(&scenario)) {
                continue;
            }
            added = true;
            if self.change(About::Rule, format!("bind scenario {called} to rule {name}"))
                && let Some(scenario) = scenario
            {
                self.bind(application, rule, *scenario, true).await?;
            }
        }
        let kept: Vec<Option<i64>> = bound.into_iter().map(Some).filter(|bound| runs.contains(bound)).collect();
        // Where a scenario that is bound comes to stand is the platform's choice: order is told, not hoped for.
        if runs.len() > 1
            && (added || kept != runs)
            && self.change(About::Rule, format!("put the scenarios of rule {name} in order"))
        {
            let params = vec![("rule_id", rule.to_string()), ("scenario_id", joined(&runs))];
            self.client.api().call("ReorderScenarios", params).await?;
        }
        Ok(Some(rule))
    }

    async fn add_rule(
        &mut self,
        application: i64,
        name: &str,
        runs: &[Option<i64>],
    ) -> Result<Option<i64>, DeployError> {
        const METHOD: &str = "AddRule";
        if !self.change(About::Rule, format!("create rule {name}")) {
            return Ok(None);
        }
        let params = vec![
            ("application_id", application.to_string()),
            ("rule_name", name.to_owned()),
            ("rule_pattern", PATTERN.to_owned()),
            ("scenario_id", joined(runs)),
        ];
        let answer = self.client.api().call(METHOD, params).await?;
        let rule = id(&answer, "rule_id").ok_or(ApiError::Malformed { method: METHOD, field: "rule_id" })?;
        Ok(Some(rule))
    }

    async fn rule_by_id(&self, application: i64, rule: i64) -> Result<Option<Value>, ApiError> {
        const METHOD: &str = "GetRules";
        let params = vec![
            ("application_id", application.to_string()),
            ("rule_id", rule.to_string()),
            ("with_scenarios", "true".into()),
        ];
        let found = rows(METHOD, self.client.api().call(METHOD, params).await?)?;
        Ok(found.into_iter().find(|row| id(row, "rule_id") == Some(rule)))
    }

    async fn bind(&self, application: i64, rule: i64, scenario: i64, bind: bool) -> Result<(), ApiError> {
        let params = vec![
            ("application_id", application.to_string()),
            ("rule_id", rule.to_string()),
            ("scenario_id", scenario.to_string()),
            ("bind", bind.to_string()),
        ];
        self.client.api().call("BindScenario", params).await.map(drop)
    }

    /// The secret's row at the platform, which holds no value.
    async fn held_secret(&self, name: &str) -> Result<Option<Value>, DeployError> {
        const METHOD: &str = "GetSecrets";
        let Some(application) = self.done.application else { return Ok(None) };
        let params = vec![("application_id", application.to_string()), ("secret_name_part", name.to_owned())];
        let found = self.client.api().list(METHOD, params).await?;
        Ok(found.into_iter().find(|row| text(row, "secret_name") == Some(name)))
    }

    /// People who ring the number reach the rule's scenario.
    async fn number(&mut self, number: &PhoneNumber, held: &RentedNumber) -> Result<(), DeployError> {
        let ring_back = self.done.rules.iter().find(|(mode, ..)| mode == RING_BACK_MODE);
        let (_, name, rule, _) = ring_back.cloned().ok_or(DeployError::NoRingBack)?;
        let stands = rule.is_some() && held.rule == rule && held.application == self.done.application;
        if !stands
            && self.change(About::Number, format!("bind number {} to rule {name}", number.masked()))
            && let Some(rule) = rule
        {
            self.client.bind_number(number, rule).await?;
        }
        Ok(())
    }

    /// Values are compared in memory and never shown.
    async fn secret(&mut self, name: &str, value: &SecretString) -> Result<(), DeployError> {
        let Some(application) = self.done.application else {
            self.change(About::Secret, format!("set secret {name}"));
            return Ok(());
        };
        let api = self.client.api();
        let place = || vec![("application_id", application.to_string())];
        let held = self.held_secret(name).await?;
        let Some(held) = held else {
            if self.change(About::Secret, format!("set secret {name}")) {
                let mut params = place();
                params.extend([("secret_name", name.to_owned()), ("secret_value", value.expose_secret().to_owned())]);
                api.call("AddSecret", params).await?;
            }
            return Ok(());
        };
        let which = |mut params: Vec<(&'static str, String)>| {
            match id(&held, "secret_id") {
                Some(id) => params.push(("secret_id", id.to_string())),
                None => params.push(("secret_name", name.to_owned())),
            }
            params
        };
        let answer = api.call("GetSecretValue", which(place())).await?;
        // Both shapes were seen.
        let now = answer.get("result").and_then(|r| text(r, "secret_value")).or_else(|| text(&answer, "secret_value"));
        if now != Some(value.expose_secret()) && self.change(About::Secret, format!("change secret {name}")) {
            let mut params = which(place());
            params.push(("secret_value", value.expose_secret().to_owned()));
            api.call("SetSecretInfo", params).await?;
        }
        Ok(())
    }
}

/// Ids as the platform reads a list of them: a comma is refused.
fn joined(ids: &[Option<i64>]) -> String {
    ids.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(";")
}
