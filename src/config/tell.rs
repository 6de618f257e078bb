//! Whom the program tells of what happens, by which way, and who may collect its figures.

use super::Reader;
use secrecy::SecretString;

/// Where Telegram's bots are reached.
const TELEGRAM_URL: &str = "https://api.telegram.org";
/// Without a call for so long although somebody's turn has come, something is wrong.
const IDLE_MIN: i64 = 10;
/// Addressees of one channel.
const ADDRESSEES_MAX: usize = 50;

#[derive(Clone, Debug)]
pub struct TellConfig {
    /// `/metrics` needs no key, wherever the listener is.
    pub metrics_open: bool,
    pub mail: Option<MailConfig>,
    pub telegram: Option<TelegramConfig>,
    /// Outgoing webhooks may go to private and loopback addresses.
    pub webhooks_private: bool,
    /// Minutes without a start although contacts are due and no gate holds them.
    pub idle_min: i64,
    /// Below this balance somebody is told, in the account's currency; `None`: nobody is.
    pub balance_min: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct MailConfig {
    /// `smtps://user:password@host`, or `smtp://…?tls=required`: it holds a password.
    pub url: SecretString,
    pub from: String,
    pub to: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct TelegramConfig {
    pub url: String,
    pub token: SecretString,
    pub chats: Vec<String>,
}

fn list(r: &mut Reader<'_>, name: &str) -> Vec<String> {
    let text = r.text(name).unwrap_or_default();
    let found: Vec<String> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    if found.len() > ADDRESSEES_MAX {
        r.faults.push(format!("{name}: {} addressees; at most {ADDRESSEES_MAX}", found.len()));
    }
    found
}

pub(super) fn read(r: &mut Reader<'_>) -> TellConfig {
    let idle_min = r.parsed::<i64>("HALO_ALERT_IDLE_MIN", "a whole number of minutes").unwrap_or(IDLE_MIN);
    if idle_min < 1 {
        r.faults.push("HALO_ALERT_IDLE_MIN: must be at least 1".into());
    }
    TellConfig {
        metrics_open: r.flag("HALO_METRICS_OPEN"),
        mail: mail(r),
        telegram: telegram(r),
        webhooks_private: r.flag("HALO_WEBHOOKS_PRIVATE"),
        idle_min,
        balance_min: r.positive("HALO_ALERT_BALANCE"),
    }
}

fn mail(r: &mut Reader<'_>) -> Option<MailConfig> {
    let (url, from, to) = (r.text("HALO_SMTP_URL"), r.text("HALO_MAIL_FROM"), list(r, "HALO_MAIL_TO"));
    if url.is_none() && from.is_none() && to.is_empty() {
        return None;
    }
    for (name, missing) in
        [("HALO_SMTP_URL", url.is_none()), ("HALO_MAIL_FROM", from.is_none()), ("HALO_MAIL_TO", to.is_empty())]
    {
        if missing {
            r.faults.push(format!("{name}: missing; mail needs HALO_SMTP_URL, HALO_MAIL_FROM and HALO_MAIL_TO"));
        }
    }
    let url = url?;
    if !["smtp://", "smtps://"].iter().any(|scheme| url.starts_with(scheme)) {
        r.faults.push("HALO_SMTP_URL: begins with neither smtp:// nor smtps://".into());
    }
    Some(MailConfig { url: SecretString::from(url), from: from?, to })
}

fn telegram(r: &mut Reader<'_>) -> Option<TelegramConfig> {
    let (token, chats) = (r.text("HALO_TELEGRAM_TOKEN"), list(r, "HALO_TELEGRAM_CHATS"));
    let url = r.url("HALO_TELEGRAM_URL").unwrap_or_else(|| TELEGRAM_URL.to_owned());
    if token.is_none() && chats.is_empty() {
        return None;
    }
    for (name, missing) in [("HALO_TELEGRAM_TOKEN", token.is_none()), ("HALO_TELEGRAM_CHATS", chats.is_empty())] {
        if missing {
            r.faults.push(format!("{name}: missing; a bot needs HALO_TELEGRAM_TOKEN and HALO_TELEGRAM_CHATS"));
        }
    }
    Some(TelegramConfig { url, token: SecretString::from(token?), chats })
}
