//! The ways of telling people, out of the settings, and who uses them.

use super::ReadRules;
use crate::config::Config;
use crate::dialer::Dialer;
use crate::domain::Mode;
use crate::notify::{AskBalance, Mail, Notifier, Telegram, Watch, Ways};
use anyhow::{Context, Result};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::sync::Arc;
use tracing::debug;

const MINUTE_MS: i64 = 60_000;

/// Faults of the settings are found before anything is served.
pub fn notifier(config: &Config, dialer: &Dialer, modes: &BTreeSet<Mode>, rules: ReadRules) -> Result<Notifier> {
    let tell = &config.tell;
    let mail = tell.mail.as_ref();
    let mail = mail.map(|mail| Mail::new(mail.url.expose_secret(), &mail.from, &mail.to)).transpose()?;
    let telegram = tell.telegram.as_ref();
    let telegram = telegram
        .map(|bot| Telegram::new(&bot.url, bot.token.clone(), &bot.chats))
        .transpose()
        .context("HALO_TELEGRAM_URL")?;
    let client = dialer.client.clone();
    let ask: AskBalance = Arc::new(move || {
        let client = client.clone();
        Box::pin(async move {
            match client.account().await {
                Ok(account) => Some((account.balance?, account.currency.unwrap_or_default())),
                Err(cause) => {
                    debug!("The provider does not tell the balance: {cause}");
                    None
                }
            }
        })
    });
    // A simulator's money is of interest to whoever asks for it alone.
    let ask_balance = (config.is_real() || tell.balance_min.is_some()).then_some(ask);
    Ok(Notifier::new(
        dialer.store.clone(),
        dialer.clock.clone(),
        dialer.node.clone(),
        dialer.account,
        modes.iter().cloned(),
        Ways { mail, telegram, private: tell.webhooks_private },
        Watch { idle_ms: tell.idle_min * MINUTE_MS, balance_min: tell.balance_min, ask_balance },
        Arc::new(move |text| rules(text).map(|(settings, _)| settings)),
    )?)
}
