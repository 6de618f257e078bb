//! Where the model is that replies in `dialog` and `realtime`, and how long it may take.

use super::{Reader, is_loopback};
use crate::chat::{OPENAI_URL, Reach};
use secrecy::SecretString;
use std::time::Duration;

/// The model that the simulator plays; without an address it is the one inside.
pub const STAND_IN: &str = "stand-in";
const TURN_S: f64 = 4.0;
const TURN_S_MIN: f64 = 0.2;
/// Sessions wait 8 seconds for an answer, a filler among them.
const TURN_S_MAX: f64 = 6.0;

/// Replies come from the built-in rules where there is no model.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    pub name: String,
    /// `None`: of the simulator inside.
    pub base_url: Option<String>,
    pub key: Option<SecretString>,
    pub proxy: Option<String>,
}

impl ModelConfig {
    pub fn reach(&self, inside: Option<&str>) -> Reach {
        let base_url = self.base_url.as_deref().or(inside).unwrap_or(OPENAI_URL);
        Reach {
            base_url: base_url.to_owned(),
            key: self.key.clone(),
            model: self.name.clone(),
            proxy: self.proxy.clone(),
        }
    }
}

/// The model, and the real time that a turn may take.
pub(super) fn read(
    r: &mut Reader<'_>,
    base_url: Option<&str>,
    proxy: Option<String>,
    is_inside: bool,
) -> (Option<ModelConfig>, Duration) {
    let turn_s = r.positive("HALO_TURN_S").unwrap_or(TURN_S);
    if !(TURN_S_MIN..=TURN_S_MAX).contains(&turn_s) {
        r.faults.push(format!("HALO_TURN_S: write seconds from {TURN_S_MIN} to {TURN_S_MAX}"));
    }
    let turn = Duration::from_secs_f64(turn_s.clamp(TURN_S_MIN, TURN_S_MAX));
    let Some(name) = r.text("OPENAI_MODEL") else { return (None, turn) };
    let key = r.text("OPENAI_API_KEY").map(SecretString::from);
    let stands_in = name == STAND_IN && is_inside;
    let base_url = match base_url {
        None if stands_in => None,
        named => Some(named.unwrap_or(OPENAI_URL).to_owned()),
    };
    if key.is_none() && base_url.as_deref().is_some_and(|url| !is_loopback(url)) {
        r.faults
            .push("OPENAI_API_KEY: missing; OPENAI_MODEL needs it (or leave OPENAI_MODEL out: replies by rule)".into());
    }
    (Some(ModelConfig { name, base_url, key, proxy }), turn)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, super::super::Faults> {
        Config::read(&|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_model_is_where_the_settings_say() {
        assert!(
            read(&[("OPENAI_API_KEY", "k")]).unwrap().model.is_none(),
            "a key alone is for the platform's scenarios"
        );
        let reach = |pairs: &[(&str, &str)]| {
            let config = read(pairs).unwrap();
            config.model.unwrap().reach(Some("http://127.0.0.1:5/v1")).base_url
        };
        for (pairs, url) in [
            (&[("OPENAI_MODEL", "m"), ("OPENAI_API_KEY", "k")][..], OPENAI_URL),
            (&[("OPENAI_MODEL", STAND_IN)], "http://127.0.0.1:5/v1"),
            (&[("OPENAI_MODEL", "m"), ("OPENAI_BASE_URL", "http://127.0.0.1:9100/v1/")], "http://127.0.0.1:9100/v1"),
        ] {
            assert_eq!(reach(pairs), url, "{pairs:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_name() {
        for (pairs, name) in [
            (&[("OPENAI_MODEL", "m")][..], "OPENAI_API_KEY"),
            (&[("HALO_TURN_S", "60")], "HALO_TURN_S"),
            (&[("OPENAI_PROXY", "proxy")], "OPENAI_PROXY"),
            (&[("OPENAI_MODEL", STAND_IN), ("VOXIMPLANT_API_URL", "http://127.0.0.1:9100")], "OPENAI_API_KEY"),
        ] {
            let faults = read(pairs).unwrap_err().0.join("\n");
            assert!(faults.starts_with(name), "{faults}");
        }
        let shown = format!("{:?}", read(&[("OPENAI_MODEL", "m"), ("OPENAI_API_KEY", "hidden")]).unwrap());
        assert!(!shown.contains("hidden"));
    }
}
