//! Reaching the platform: who we are there, what it should hold, and the verbs that bring it there.

use super::{installation_key, open_store};
use crate::clock::{Anchor, Clock};
use crate::config::{Config, PlatformConfig};
use crate::domain::Mode;
use crate::simulator;
use crate::voximplant::{ApiError, Client, Connection, Credentials, Deployed, Modes, Sources, Wanted};
use anyhow::{Context, Result, bail};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Where the API is and who we are there.
pub(super) struct Reach {
    pub url: String,
    pub account: String,
    credentials: Credentials,
    application: Option<i64>,
}

impl Reach {
    /// `None` where the settings ask for the simulator inside.
    fn of(config: &Config) -> Option<Reach> {
        match config.platform.clone() {
            PlatformConfig::Inside => None,
            PlatformConfig::At { url, account, credentials, application } => {
                Some(Reach { url, account, credentials, application })
            }
        }
    }

    pub(super) fn client(&self, backend_url: &str, modes: Modes, clock: &Clock) -> Result<Client, ApiError> {
        let connection = Connection {
            url: self.url.clone(),
            account: self.account.clone(),
            credentials: self.credentials.clone(),
            application: self.application,
            application_name: APPLICATION.to_owned(),
            backend_url: backend_url.to_owned(),
            modes,
        };
        let clock = clock.clone();
        Client::new(connection, Arc::new(move || clock.wall()))
    }
}

pub(super) async fn reach_platform(
    config: &Config,
    simulated: simulator::Settings,
) -> Result<(Option<simulator::Running>, Reach)> {
    if let Some(reach) = Reach::of(config) {
        return Ok((None, reach));
    }
    let running = simulator::start(simulated).await.context("cannot start the simulator")?;
    let (account, key) = Config::simulated_account();
    let url = running.url();
    Ok((Some(running), Reach { url, account, credentials: Credentials::Key(key), application: None }))
}

/// The application that `deploy` makes where none is named.
const APPLICATION: &str = "halo-demo";
/// The simulator's model needs no key, but a scenario without the secret refuses to talk.
const SIMULATED_OPENAI_KEY: &str = "simulated-model-no-secret";

/// The modes, with the names that the settings give their rules and scenarios.
pub fn modes(config: &Config, sources: &Sources) -> Result<Modes> {
    let text = sources.read("modes.toml")?;
    Ok(Modes::read(&text, &|name| config.mode_names.get(name).cloned())?)
}

pub fn names(modes: &Modes) -> BTreeSet<Mode> {
    modes.iter().map(|entry| entry.name.clone()).collect()
}

/// The modes by name, for verbs that start nothing.
pub fn known_modes(config: &Config) -> Result<BTreeSet<Mode>> {
    Ok(names(&modes(config, &Sources::beside(Path::new(".")))?))
}

pub(super) fn wanted(
    config: &Config,
    sources: Sources,
    backend_url: &str,
    inbound_token: &str,
    dry_run: bool,
) -> Wanted {
    let mut secrets: Vec<(String, SecretString)> = vec![
        ("HALO_BACKEND_URL".into(), backend_url.to_owned().into()),
        ("HALO_INBOUND_TOKEN".into(), inbound_token.to_owned().into()),
    ];
    let simulated = || (!config.is_real()).then(|| SIMULATED_OPENAI_KEY.into());
    if let Some(key) = config.openai_api_key.clone().or_else(simulated) {
        secrets.push(("OPENAI_API_KEY".into(), key));
    }
    Wanted { sources, secrets, dry_run }
}

pub(super) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    // A simulator inside takes any free port: its runs must wake up in the next start.
    if crate::config::is_loopback(url) { "simulator".into() } else { host.to_owned() }
}

/// `halo voximplant deploy`: what it would take, or took, to bring the platform up to this version.
pub async fn deploy(config: &Config, dry_run: bool) -> Result<Deployed> {
    let Some(reach) = Reach::of(config) else {
        bail!(
            "the simulator inside is deployed to at every start; set USE_VOXIMPLANT=true for the platform, or \
             VOXIMPLANT_API_URL for a simulator beside"
        );
    };
    let store = open_store(config).await?;
    let installation = installation_key(&store).await?;
    store.close().await;
    let backend_url = config.backend_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let sources = Sources::beside(Path::new("."));
    let client = reach.client(&backend_url, modes(config, &sources)?, &Clock::running(Anchor::here(1.0)))?;
    let wanted = wanted(config, sources, &backend_url, &inbound_token(&installation), dry_run);
    client.deploy(&wanted).await.context("cannot deploy")
}

/// `halo voximplant bundle`: one scenario as a self-contained file.
pub fn bundle(config: &Config, name: &str) -> Result<String> {
    let sources = Sources::beside(Path::new("."));
    let modes = modes(config, &sources)?;
    let known = || modes.iter().map(|entry| entry.name.to_string()).collect::<Vec<_>>().join(", ");
    let entry = modes.named(name).with_context(|| format!("no scenario `{name}`; there are: {}", known()))?;
    Ok(sources.bundle(&entry.file)?.text)
}

/// The secret by which a ringing-back session is known: the same on every node, never stored in clear.
pub(super) fn inbound_token(installation_key: &[u8]) -> String {
    let fixed = crate::domain::Token::from_random([0; 16]).hash();
    crate::domain::Token::event_token(&fixed, &[installation_key, b"inbound"].concat())
}
