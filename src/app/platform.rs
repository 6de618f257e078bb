//! Reaching the platform: who we are there, what it should hold, and the verbs that bring it there.

use super::{installation_key, open_store};
use crate::clock::{Anchor, Clock};
use crate::config::{Config, PlatformConfig};
use crate::doctor::{Patient, PolicyInUse};
use crate::domain::{Mode, PhoneNumber};
use crate::media::Model;
use crate::simulator;
use crate::store::Store;
use crate::voximplant::{ApiError, Client, Connection, Credentials, Deployed, Modes, Sources, Wanted};
use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};
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
/// Where calls of any loopback API go, as runs remember it.
const SIMULATOR: &str = "simulator";
/// However many campaigns there are.
const ALL: i64 = i64::MAX;
/// The simulator's model needs no key, but a scenario without the secret refuses to talk.
const SIMULATED_OPENAI_KEY: &str = "simulated-model-no-secret";

/// The realtime model to which `/voice/media` carries audio: beside a simulator its stand-in, which costs nothing.
pub(super) fn model(config: &Config, api_url: &str) -> Option<Model> {
    let simulated = || (!config.is_real()).then(|| SIMULATED_OPENAI_KEY.into());
    let key = config.openai_api_key.clone().or_else(simulated)?;
    let stand_in = || (!config.is_real()).then(|| format!("{}/v1", api_url.trim_end_matches("/platform_api")));
    Some(Model {
        base_url: config.openai_base_url.clone().or_else(stand_in),
        name: config.openai_realtime_model.clone(),
        key: key.expose_secret().to_owned(),
        proxy: config.openai_proxy.clone(),
    })
}

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
    Wanted { sources, secrets, numbers: Vec::new(), dry_run }
}

pub(super) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    // A simulator inside takes any free port: its runs must wake up in the next start.
    if crate::config::is_loopback(url) { SIMULATOR.into() } else { host.to_owned() }
}

/// Do calls of this database reach people? Whoever serves it says so, and a terminal may have other settings, or none:
/// the stricter of both holds.
pub async fn real_phones_ring(config: &Config, store: &Store) -> Result<bool> {
    let account = store.installation_value("account").await?.and_then(|id| id.parse().ok());
    let served = match account {
        Some(account) => store.account(account).await?,
        None => None,
    };
    let real = |platform: &str| platform.split('/').next() != Some(SIMULATOR);
    Ok(config.is_real() || served.is_some_and(|account| real(&account.platform)))
}

/// The address under which sessions find us.
fn backend_url(config: &Config) -> String {
    config.backend_url.clone().unwrap_or_else(|| format!("http://{}", config.listen))
}

/// `halo voximplant deploy`: what it would take, or took, to bring the platform up to this version.
pub async fn deploy(config: &Config, numbers: Vec<PhoneNumber>, dry_run: bool) -> Result<Deployed> {
    let Some(reach) = Reach::of(config) else {
        bail!(
            "the simulator inside is deployed to at every start; set USE_VOXIMPLANT=true for the platform, or \
             VOXIMPLANT_API_URL for a simulator beside"
        );
    };
    let store = open_store(config).await?;
    let installation = installation_key(&store).await?;
    store.close().await;
    let backend_url = backend_url(config);
    let sources = Sources::beside(Path::new("."));
    let client = reach.client(&backend_url, modes(config, &sources)?, &Clock::running(Anchor::here(1.0)))?;
    let token = inbound_token(&installation);
    let wanted = Wanted { numbers, ..wanted(config, sources, &backend_url, &token, dry_run) };
    client.deploy(&wanted).await.context("cannot deploy")
}

/// Whom `halo voximplant doctor` examines; `None` where the simulator is inside.
pub async fn patient(config: &Config) -> Result<Option<Patient>> {
    let Some(reach) = Reach::of(config) else { return Ok(None) };
    // Looking makes no database. Without one nothing was deployed from here, and no token fits.
    let is_there = super::sqlite_path(&config.database_url).is_none_or(|path| path.exists());
    let (token, caller_ids) = if is_there {
        let store = open_store(config).await?;
        let (installation, caller_ids) = (installation_key(&store).await?, caller_ids(config, &store).await?);
        store.close().await;
        (inbound_token(&installation), caller_ids)
    } else {
        (String::new(), config.caller_id.iter().cloned().collect())
    };
    let backend_url = backend_url(config);
    let sources = Sources::beside(Path::new("."));
    let clock = Clock::running(Anchor::here(1.0));
    let client = Arc::new(reach.client(&backend_url, modes(config, &sources)?, &clock)?);
    let wanted = wanted(config, sources, &backend_url, &token, true);
    Ok(Some(patient_of(config, client, wanted, caller_ids, &clock)?))
}

/// The same from what a running service holds.
pub(super) fn patient_of(
    config: &Config,
    client: Arc<Client>,
    wanted: Wanted,
    caller_ids: BTreeSet<PhoneNumber>,
    clock: &Clock,
) -> Result<Patient> {
    let (sip_hosts, dials_phones) = routes(&wanted.sources.read("modes.toml")?)?;
    let known_by_token = matches!(&config.platform, PlatformConfig::At { credentials: Credentials::Service(_), .. });
    let clock = clock.clone();
    let wall = Arc::new(move || clock.wall());
    Ok(Patient { client, wanted, caller_ids, sip_hosts, dials_phones, known_by_token, wall })
}

/// The numbers that campaigns dial from, and the one that those without any will.
pub(super) async fn caller_ids(config: &Config, store: &Store) -> Result<BTreeSet<PhoneNumber>> {
    let mut found: BTreeSet<PhoneNumber> = config.caller_id.iter().cloned().collect();
    for campaign in store.campaigns(ALL).await? {
        let settings: serde_json::Value = serde_json::from_str(&campaign.settings).context("stored settings")?;
        let named = settings.pointer("/dial/caller_ids").and_then(|ids| ids.as_array());
        found.extend(named.into_iter().flatten().filter_map(|id| {
            let number = id.as_str().or_else(|| id.get("number")?.as_str())?;
            number.parse().ok()
        }));
    }
    Ok(found)
}

/// The policies that campaigns name, and how much of each nobody has read in its source.
pub async fn policies_in_use(config: &Config) -> Result<Vec<PolicyInUse>> {
    // Looking makes no database.
    if super::sqlite_path(&config.database_url).is_some_and(|path| !path.exists()) {
        return Ok(Vec::new());
    }
    let store = open_store(config).await?;
    let mut names = BTreeSet::new();
    for campaign in store.campaigns(ALL).await? {
        let settings: serde_json::Value = serde_json::from_str(&campaign.settings).context("stored settings")?;
        names.extend(settings["policy"].as_str().map(str::to_owned));
    }
    store.close().await;
    let policies = names.iter().filter_map(|name| crate::intake::policy::find(name));
    let in_use = |policy: crate::intake::policy::Policy| PolicyInUse {
        asks: policy.asks().count(),
        unverified: policy.unverified(),
        name: policy.name,
    };
    Ok(policies.map(in_use).collect())
}

/// Hosts of the SIP providers that modes dial through, and whether any mode dials phones.
fn routes(modes: &str) -> Result<(BTreeSet<String>, bool)> {
    let table: toml::Table = toml::from_str(modes).context("modes.toml")?;
    let modes = table.get("mode").and_then(|modes| modes.as_array()).map(Vec::as_slice).unwrap_or_default();
    let routes = modes.iter().map(|mode| mode.get("route").and_then(|route| route.as_str()).unwrap_or("pstn"));
    let (sip, phones): (Vec<&str>, Vec<&str>) = routes.partition(|route| route.starts_with("sip"));
    let host = |route: &str| {
        let host = route.rsplit('@').next().unwrap_or_default();
        host.split([':', ';']).next().unwrap_or_default().to_owned()
    };
    Ok((sip.into_iter().map(host).collect(), !phones.is_empty()))
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

#[cfg(test)]
mod tests {
    use super::routes;

    #[test]
    fn routes_are_read_from_the_modes() {
        let modes = |routes: &[&str]| -> String {
            routes.iter().map(|route| format!("[[mode]]\nname = \"m\"\n{route}\n")).collect()
        };
        let of = |text: &[&str]| {
            let (hosts, phones) = routes(&modes(text)).unwrap();
            (hosts.into_iter().collect::<Vec<_>>(), phones)
        };
        assert_eq!(of(&[""]), (vec![], true));
        assert_eq!(of(&["route = \"pstn\""]), (vec![], true));
        let sip = "route = \"sip:{number}@sip.example.com:5060;transport=tcp\"";
        assert_eq!(of(&[sip]), (vec!["sip.example.com".to_owned()], false));
        assert_eq!(of(&[sip, ""]), (vec!["sip.example.com".to_owned()], true));
    }
}
