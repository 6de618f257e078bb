//! Bringing scenarios, rules and secrets to the platform.
//!
//! Compares first and changes only what differs, so that a second run changes nothing and a dry run
//! tells what a run would do. Nothing at the platform is ever deleted.

use super::api::{id, rows, text};
use super::client::ROWS_MAX;
use super::{ApiError, BundleError, Client, ModeEntry, Sources};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::fmt;
use tracing::info;

/// Sessions started by the API do not look at the pattern; anything may ring in.
const PATTERN: &str = ".*";

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
}

/// What the platform should hold besides the scenarios and rules of the modes.
pub struct Wanted {
    pub sources: Sources,
    /// Name and value of each secret that scenarios read.
    pub secrets: Vec<(String, SecretString)>,
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    pub dry_run: bool,
    /// One sentence each; empty when everything stood as it should.
    pub changes: Vec<String>,
    pub application: Option<i64>,
    pub application_name: String,
    /// Mode, rule's name, its id, and the scenario's fingerprint.
    pub rules: Vec<(String, String, Option<i64>, String)>,
    /// Modes that cannot talk, and the secret they miss.
    pub missing_secrets: Vec<(String, String)>,
}

impl fmt::Display for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{} {change}", if self.dry_run { "would" } else { "done:" })?;
        }
        if self.changes.is_empty() {
            writeln!(f, "nothing to change")?;
        }
        for (mode, secret) in &self.missing_secrets {
            writeln!(f, "note: mode {mode} cannot talk without the secret {secret}")?;
        }
        let shown = |id: Option<i64>| id.map_or_else(|| "(new)".to_owned(), |id| id.to_string());
        writeln!(f, "application {} {}", self.application_name, shown(self.application))?;
        for (mode, rule, id, fingerprint) in &self.rules {
            writeln!(f, "mode {mode}: rule {rule} {}, scenario {}", shown(*id), &fingerprint[..12])?;
        }
        if let Some(application) = self.application {
            writeln!(f, "\nfor .env:\nVOXIMPLANT_APPLICATION_ID={application}")?;
        }
        if let Some((_, _, Some(id), _)) = self.rules.iter().find(|(mode, ..)| mode == "greeting") {
            writeln!(f, "VOXIMPLANT_RULE_ID={id}")?;
        }
        Ok(())
    }
}

/// One run, with what it has found out so far.
struct Run<'a> {
    client: &'a Client,
    wanted: &'a Wanted,
    done: Deployed,
}

impl Client {
    pub async fn deploy(&self, wanted: &Wanted) -> Result<Deployed, DeployError> {
        let done = Deployed { dry_run: wanted.dry_run, ..Deployed::default() };
        let mut run = Run { client: self, wanted, done };
        run.application().await?;
        for entry in self.connection().modes.iter() {
            run.mode(entry).await?;
        }
        for (name, value) in &wanted.secrets {
            run.secret(name, value).await?;
        }
        if !wanted.dry_run {
            self.forget_rules();
        }
        Ok(run.done)
    }
}

impl Run<'_> {
    /// Notes a change; true when it is to be made.
    fn change(&mut self, sentence: String) -> bool {
        if !self.wanted.dry_run {
            info!("Deploy: {sentence}");
        }
        self.done.changes.push(sentence);
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
        if self.change(format!("create application {name}")) {
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

    async fn mode(&mut self, entry: &ModeEntry) -> Result<(), DeployError> {
        let bundle = self.wanted.sources.bundle(&entry.file)?;
        let scenario = self.scenario(&entry.scenario, &bundle.text).await?;
        let rule = self.rule(entry, scenario).await?;
        self.done.rules.push((entry.name.to_string(), entry.rule.clone(), rule, bundle.fingerprint));
        for secret in &entry.secrets {
            if !self.wanted.secrets.iter().any(|(name, _)| name == secret) {
                self.done.missing_secrets.push((entry.name.to_string(), secret.clone()));
            }
        }
        Ok(())
    }

    async fn scenario(&mut self, name: &str, script: &str) -> Result<Option<i64>, DeployError> {
        const GET: &str = "GetScenarios";
        let api = self.client.api();
        let Some(application) = self.done.application else {
            self.change(format!("create scenario {name}"));
            return Ok(None);
        };
        let params = vec![
            ("scenario_name", name.to_owned()),
            ("application_id", application.to_string()),
            ("count", ROWS_MAX.into()),
        ];
        let found = rows(GET, api.call(GET, params).await?)?;
        let held =
            found.iter().find(|row| text(row, "scenario_name") == Some(name)).and_then(|row| id(row, "scenario_id"));
        let Some(scenario) = held else {
            const ADD: &str = "AddScenario";
            if !self.change(format!("create scenario {name}")) {
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
        if !same && self.change(format!("update scenario {name}")) {
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

    async fn rule(&mut self, entry: &ModeEntry, scenario: Option<i64>) -> Result<Option<i64>, DeployError> {
        let name = &entry.rule;
        let Some(application) = self.done.application else {
            self.change(format!("create rule {name}"));
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
        let Some(held) = held else { return self.add_rule(application, name, scenario).await };
        let rule = id(&held, "rule_id").ok_or(ApiError::Malformed { method: "GetRules", field: "rule_id" })?;
        let bound: Vec<i64> = held
            .get("scenarios")
            .and_then(Value::as_array)
            .map(|scenarios| scenarios.iter().filter_map(|s| id(s, "scenario_id")).collect())
            .unwrap_or_default();
        // Scenarios of one rule run in one scope: a second one would clash with ours.
        for other in bound.iter().filter(|bound| Some(**bound) != scenario) {
            if self.change(format!("unbind scenario {other} from rule {name}")) {
                self.bind(application, rule, *other, false).await?;
            }
        }
        let missing = scenario.is_none_or(|scenario| !bound.contains(&scenario));
        if missing
            && self.change(format!("bind scenario {} to rule {name}", entry.scenario))
            && let Some(scenario) = scenario
        {
            self.bind(application, rule, scenario, true).await?;
        }
        Ok(Some(rule))
    }

    async fn add_rule(
        &mut self,
        application: i64,
        name: &str,
        scenario: Option<i64>,
    ) -> Result<Option<i64>, DeployError> {
        const METHOD: &str = "AddRule";
        let (true, Some(scenario)) = (self.change(format!("create rule {name}")), scenario) else { return Ok(None) };
        let params = vec![
            ("application_id", application.to_string()),
            ("rule_name", name.to_owned()),
            ("rule_pattern", PATTERN.to_owned()),
            ("scenario_id", scenario.to_string()),
        ];
        let answer = self.client.api().call(METHOD, params).await?;
        Ok(Some(id(&answer, "rule_id").ok_or(ApiError::Malformed { method: METHOD, field: "rule_id" })?))
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

    /// Values are compared in memory and never shown.
    async fn secret(&mut self, name: &str, value: &SecretString) -> Result<(), DeployError> {
        const LIST: &str = "GetSecrets";
        let Some(application) = self.done.application else {
            self.change(format!("set secret {name}"));
            return Ok(());
        };
        let api = self.client.api();
        let place = || vec![("application_id", application.to_string())];
        let mut params = place();
        params.extend([("secret_name_part", name.to_owned()), ("count", ROWS_MAX.to_owned())]);
        let found = rows(LIST, api.call(LIST, params).await?)?;
        let held = found.iter().find(|row| text(row, "secret_name") == Some(name));
        let Some(held) = held else {
            if self.change(format!("set secret {name}")) {
                let mut params = place();
                params.extend([("secret_name", name.to_owned()), ("secret_value", value.expose_secret().to_owned())]);
                api.call("AddSecret", params).await?;
            }
            return Ok(());
        };
        let which = |mut params: Vec<(&'static str, String)>| {
            match id(held, "secret_id") {
                Some(id) => params.push(("secret_id", id.to_string())),
                None => params.push(("secret_name", name.to_owned())),
            }
            params
        };
        let answer = api.call("GetSecretValue", which(place())).await?;
        // Both shapes were seen.
        let now = answer.get("result").and_then(|r| text(r, "secret_value")).or_else(|| text(&answer, "secret_value"));
        if now != Some(value.expose_secret()) && self.change(format!("change secret {name}")) {
            let mut params = which(place());
            params.push(("secret_value", value.expose_secret().to_owned()));
            api.call("SetSecretInfo", params).await?;
        }
        Ok(())
    }
}
