//! The environment, read once and checked whole: every fault is reported, not the first.

mod doors;
mod model;
mod tell;

use crate::domain::PhoneNumber;
use crate::voximplant::{Credentials, ServiceKey};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub use doors::DoorsConfig;
pub use model::{ModelConfig, STAND_IN};
pub use tell::{MailConfig, TelegramConfig, TellConfig};

/// The platform's own API.
const PLATFORM_URL: &str = "https://api.voximplant.com/platform_api";
/// Account and key presented to a simulator when none are set; it trusts the first it sees.
const SIMULATED_ACCOUNT: &str = "1000001";
const SIMULATED_KEY: &str = "simulated-account-no-secret";
/// Dialled from at a simulator when no number is set.
const SIMULATED_CALLER_ID: &str = "+74951234567";
/// Custom data holds 200 bytes; attempt, token and braces take 76 of them.
const BACKEND_URL_BYTES_MAX: usize = 120;

#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: String,
    pub listen: SocketAddr,
    pub doors: DoorsConfig,
    pub platform: PlatformConfig,
    /// Where scenarios reach this server; `None` means the address it listens on.
    pub backend_url: Option<String>,
    /// `None`: the first start makes one and prints it.
    pub api_auth_key: Option<SecretString>,
    pub openai_api_key: Option<SecretString>,
    pub openai_base_url: Option<String>,
    pub openai_realtime_model: String,
    /// On our own way to OpenAI.
    pub openai_proxy: Option<String>,
    /// `None`: replies come from the built-in rules.
    pub model: Option<ModelConfig>,
    /// How long a reply may take, in real time.
    pub turn: Duration,
    pub dialog: DialogBase,
    /// Names of rules and scenarios, as `modes.toml` asks for them.
    pub mode_names: BTreeMap<&'static str, String>,
    pub caller_id: Option<PhoneNumber>,
    pub cps_max: Option<f64>,
    pub lines_max: Option<i64>,
    pub clock_speed: f64,
    /// A server elsewhere, on which verbs of the command line work instead.
    pub server_url: Option<String>,
    pub tell: TellConfig,
}

#[derive(Clone, Debug)]
pub enum PlatformConfig {
    /// A simulator of our own, inside this process.
    Inside,
    /// An API somewhere: the platform, or a simulator beside us.
    At { url: String, account: String, credentials: Credentials, application: Option<i64> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogBase {
    Backend,
    At(String),
    /// `realtime` talks on its own.
    Off,
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} in the settings (environment and .env):", count(self.0.len()))?;
        for fault in &self.0 {
            writeln!(f, "  - {fault}")?;
        }
        write!(f, "See .env.example, which explains every setting.")
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 fault".into() } else { format!("{n} faults") }
}

/// Every name that is read, for the test that holds `.env.example` against it.
pub const NAMES: &[&str] = &[
    "DATABASE_URL",
    "HALO_LISTEN",
    "HALO_PROVIDER_LISTEN",
    "HALO_PROXIES",
    "HALO_ORIGINS",
    "USE_VOXIMPLANT",
    "VOXIMPLANT_API_URL",
    "VOXIMPLANT_ACCOUNT_ID",
    "VOXIMPLANT_API_KEY",
    "VOXIMPLANT_KEY_FILE",
    "VOXIMPLANT_APPLICATION_ID",
    "VOXIMPLANT_RULE_ID",
    "VOXIMPLANT_CALLER_ID",
    "BACKEND_URL",
    "API_AUTH_KEY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_REALTIME_MODEL",
    "OPENAI_MODEL",
    "OPENAI_PROXY",
    "HALO_TURN_S",
    "VOICE_DIALOG_BASE_URL",
    "VOX_DIALOG_RULE_NAME",
    "VOX_DIALOG_SCENARIO_NAME",
    "VOX_REALTIME_RULE_NAME",
    "VOX_REALTIME_SCENARIO_NAME",
    "VOX_REALTIME_PURE_RULE_NAME",
    "VOX_REALTIME_PURE_SCENARIO_NAME",
    "HALO_CPS_MAX",
    "HALO_LINES_MAX",
    "HALO_CLOCK_SPEED",
    "HALO_URL",
    "HALO_METRICS_OPEN",
    "HALO_SMTP_URL",
    "HALO_MAIL_FROM",
    "HALO_MAIL_TO",
    "HALO_TELEGRAM_TOKEN",
    "HALO_TELEGRAM_CHATS",
    "HALO_TELEGRAM_URL",
    "HALO_WEBHOOKS_PRIVATE",
    "HALO_ALERT_IDLE_MIN",
    "HALO_ALERT_BALANCE",
    // Read by the command line when it starts logging, before the settings are.
    "HALO_LOG",
];

/// Those that name rules and scenarios at the provider.
const MODE_NAMES: &[&str] = &[
    "VOXIMPLANT_RULE_ID",
    "VOX_DIALOG_RULE_NAME",
    "VOX_DIALOG_SCENARIO_NAME",
    "VOX_REALTIME_RULE_NAME",
    "VOX_REALTIME_SCENARIO_NAME",
    "VOX_REALTIME_PURE_RULE_NAME",
    "VOX_REALTIME_PURE_SCENARIO_NAME",
];

/// Is this host one of this machine's own loopback addresses?
pub fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }
    fn parsed<T: std::str::FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.faults.push(format!("{name}: `{}` is not {expected}", shown(name, &text)));
        }
        value
    }
    fn positive(&mut self, name: &str) -> Option<f64> {
        let value = self.parsed::<f64>(name, "a number")?;
        if value > 0.0 && value.is_finite() {
            return Some(value);
        }
        self.faults.push(format!("{name}: must be above 0"));
        None
    }
    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).map(|v| v.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0" | "no" | "off") => false,
            Some("true" | "1" | "yes" | "on") => true,
            Some(other) => {
                self.faults.push(format!("{name}: `{other}` is neither true nor false"));
                false
            }
        }
    }
    fn url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let text = text.trim_end_matches('/').to_owned();
        if reqwest::Url::parse(&text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host()) {
            return Some(text);
        }
        self.faults.push(format!("{name}: is not an http or https address"));
        None
    }
}

/// Numbers of people and secrets do not belong into an error message.
fn shown(name: &str, text: &str) -> String {
    if ["KEY", "SMTP", "TOKEN"].iter().any(|secret| name.contains(secret)) || name.contains("CALLER_ID") {
        "***".into()
    } else {
        text.chars().take(60).collect()
    }
}

impl Config {
    pub fn from_env() -> Result<Self, Faults> {
        Self::read(&|name| std::env::var(name).ok())
    }

    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut r = Reader { get, faults: Vec::new() };
        let database_url = r.text("DATABASE_URL").unwrap_or_else(|| "sqlite:halo.db".into());
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
            r.faults.push("DATABASE_URL: begins with neither sqlite: nor postgres://".into());
        }
        let listen = r.parsed("HALO_LISTEN", "an address and port such as 127.0.0.1:8000");
        let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000)));
        let doors = doors::read(&mut r, listen);
        let platform = platform(&mut r);
        let backend_url = r.url("BACKEND_URL");
        if let Some(url) = backend_url.as_deref().filter(|url| url.len() > BACKEND_URL_BYTES_MAX) {
            r.faults.push(format!(
                "BACKEND_URL: {} bytes; at most {BACKEND_URL_BYTES_MAX} fit into the 200 bytes a session is started with",
                url.len()
            ));
        }
        let real = matches!(&platform, PlatformConfig::At { url, .. } if !is_loopback(url));
        if real {
            match &backend_url {
                None => r.faults.push("BACKEND_URL: missing; sessions on the platform must reach this server".into()),
                Some(url) if is_loopback(url) => {
                    r.faults.push("BACKEND_URL: a loopback address; the platform cannot reach it".into());
                }
                Some(_) => {}
            }
            if r.text("VOXIMPLANT_CALLER_ID").is_none() {
                r.faults.push("VOXIMPLANT_CALLER_ID: missing; the platform dials only from a number of yours".into());
            }
        }
        let caller_id = caller_id(&mut r).or_else(|| SIMULATED_CALLER_ID.parse().ok().filter(|_| !real));
        let dialog = match r.text("VOICE_DIALOG_BASE_URL").as_deref() {
            None => DialogBase::Backend,
            Some("off") => DialogBase::Off,
            Some(_) => r.url("VOICE_DIALOG_BASE_URL").map_or(DialogBase::Backend, DialogBase::At),
        };
        let lines_max = r.parsed::<i64>("HALO_LINES_MAX", "a whole number");
        if lines_max.is_some_and(|n| n < 1) {
            r.faults.push("HALO_LINES_MAX: must be at least 1".into());
        }
        let cps_max = r.positive("HALO_CPS_MAX");
        let clock_speed = r.positive("HALO_CLOCK_SPEED").unwrap_or(1.0);
        if real && clock_speed != 1.0 {
            r.faults.push("HALO_CLOCK_SPEED: only 1 at the real platform; people live in real time".into());
        }
        let mode_names = MODE_NAMES.iter().filter_map(|name| Some((*name, r.text(name)?))).collect::<BTreeMap<_, _>>();
        if mode_names.get("VOXIMPLANT_RULE_ID").is_some_and(|id| id.parse::<i64>().is_err()) {
            r.faults.push("VOXIMPLANT_RULE_ID: is not a rule's number".into());
        }
        let server_url = r.url("HALO_URL");
        let openai_base_url = r.url("OPENAI_BASE_URL");
        let openai_proxy = r.url("OPENAI_PROXY");
        let (model, turn) = model::read(
            &mut r,
            openai_base_url.as_deref(),
            openai_proxy.clone(),
            matches!(platform, PlatformConfig::Inside),
        );
        let tell = tell::read(&mut r);
        let config = Config {
            tell,
            database_url,
            listen,
            doors,
            backend_url,
            api_auth_key: r.text("API_AUTH_KEY").map(SecretString::from),
            openai_api_key: r.text("OPENAI_API_KEY").map(SecretString::from),
            openai_base_url,
            openai_realtime_model: r.text("OPENAI_REALTIME_MODEL").unwrap_or_else(|| "gpt-realtime".into()),
            openai_proxy,
            model,
            turn,
            dialog,
            mode_names,
            caller_id,
            // People can be rung at the real platform: one line and one call a second until somebody says more.
            cps_max: cps_max.or(real.then_some(1.0)),
            lines_max: lines_max.or(real.then_some(1)),
            clock_speed,
            server_url,
            platform,
        };
        if r.faults.is_empty() { Ok(config) } else { Err(Faults(r.faults)) }
    }

    /// The platform rings real phones: its host is not loopback.
    pub fn is_real(&self) -> bool {
        matches!(&self.platform, PlatformConfig::At { url, .. } if !is_loopback(url))
    }

    pub fn simulated_account() -> (String, SecretString) {
        (SIMULATED_ACCOUNT.to_owned(), SecretString::from(SIMULATED_KEY))
    }
}

fn platform(r: &mut Reader<'_>) -> PlatformConfig {
    let real = r.flag("USE_VOXIMPLANT");
    let url = r.url("VOXIMPLANT_API_URL").map(|url| with_api_path(&url));
    let url = match (url, real) {
        (None, false) => return PlatformConfig::Inside,
        (None, true) => PLATFORM_URL.to_owned(),
        (Some(url), false) if !is_loopback(&url) => {
            r.faults
                .push("VOXIMPLANT_API_URL: names a real platform; say USE_VOXIMPLANT=true to ring real phones".into());
            return PlatformConfig::Inside;
        }
        (Some(url), _) => url,
    };
    let loopback = is_loopback(&url);
    let (simulated, simulated_key) = Config::simulated_account();
    let file = r.text("VOXIMPLANT_KEY_FILE");
    let service = file.as_deref().and_then(|path| service_key(r, path));
    let account = account(r, service.as_ref()).or_else(|| loopback.then_some(simulated));
    let key = || r.text("VOXIMPLANT_API_KEY").map(SecretString::from);
    let credentials = match service {
        Some(service) => Some(Credentials::Service(service)),
        None => key().or_else(|| loopback.then_some(simulated_key)).map(Credentials::Key),
    };
    // A key file that cannot be read is a fault of its own, told already.
    if file.is_none() {
        for (name, missing) in
            [("VOXIMPLANT_ACCOUNT_ID", account.is_none()), ("VOXIMPLANT_API_KEY", credentials.is_none())]
        {
            if missing {
                r.faults.push(format!(
                    "{name}: missing; USE_VOXIMPLANT=true needs it, or VOXIMPLANT_KEY_FILE (or leave USE_VOXIMPLANT \
                     out to use the simulator)"
                ));
            }
        }
    }
    PlatformConfig::At {
        url,
        account: account.unwrap_or_default(),
        credentials: credentials.unwrap_or_else(|| Credentials::Key(SecretString::default())),
        application: r.parsed("VOXIMPLANT_APPLICATION_ID", "an application's number"),
    }
}

/// The key of a service account, from the file that the control panel hands out once.
fn service_key(r: &mut Reader<'_>, path: &str) -> Option<ServiceKey> {
    const NAME: &str = "VOXIMPLANT_KEY_FILE";
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) => {
            r.faults
                .push(format!("{NAME}: {path} cannot be read ({cause}); name the file of the service account's key"));
            return None;
        }
    };
    match ServiceKey::from_json(&text) {
        Ok(key) => Some(key),
        // What the file holds is a secret: the cause is told by its kind alone.
        Err(cause) => {
            r.faults.push(format!("{NAME}: {path}: {cause}; make a new key in the control panel, Service accounts"));
            None
        }
    }
}

/// The account's number: by itself, or from the key file; where both tell one, it must be the same.
fn account(r: &mut Reader<'_>, service: Option<&ServiceKey>) -> Option<String> {
    let set = r.text("VOXIMPLANT_ACCOUNT_ID");
    let Some(held) = service.map(|key| key.account().to_string()) else { return set };
    if let Some(set) = set.filter(|set| *set != held) {
        r.faults.push(format!(
            "VOXIMPLANT_ACCOUNT_ID: {} is not the account of VOXIMPLANT_KEY_FILE, {held}; leave it out",
            shown("VOXIMPLANT_ACCOUNT_ID", &set)
        ));
    }
    Some(held)
}

fn with_api_path(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(parsed) if parsed.path() == "/" => format!("{url}/platform_api"),
        _ => url.to_owned(),
    }
}

/// A number of ours; national formats are not guessed at.
fn caller_id(r: &mut Reader<'_>) -> Option<PhoneNumber> {
    let text = r.text("VOXIMPLANT_CALLER_ID")?;
    let digits: String = text.chars().filter(|c| c.is_ascii_digit()).collect();
    match format!("+{digits}").parse() {
        Ok(number) => Some(number),
        Err(_) => {
            r.faults.push("VOXIMPLANT_CALLER_ID: is not a number in international form such as +7XXXXXXXXXX".into());
            None
        }
    }
}

#[cfg(test)]
mod tests;
