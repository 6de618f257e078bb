//! Who reaches which door: proxies that are believed, pages of other sites, and the provider's own address.

use super::Reader;
use crate::domain::network::Network;
use std::net::SocketAddr;

#[derive(Clone, Debug, Default)]
pub struct DoorsConfig {
    /// Whose `X-Forwarded-For` is believed; nobody's by default.
    pub proxies: Vec<Network>,
    /// Sites whose pages may ask the API, as in `https://crm.example.com`; none by default.
    pub origins: Vec<String>,
    /// Where the provider's routes listen, and nowhere else; `None`: beside the API.
    pub provider_listen: Option<SocketAddr>,
}

fn listed(r: &Reader<'_>, name: &str) -> Vec<String> {
    let text = r.text(name).unwrap_or_default();
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Scheme and host, as a browser writes them, and nothing behind.
fn is_origin(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.origin().ascii_serialization() == text
    })
}

pub(super) fn read(r: &mut Reader<'_>, listen: SocketAddr) -> DoorsConfig {
    let mut doors = DoorsConfig::default();
    for word in listed(r, "HALO_PROXIES") {
        match word.parse() {
            Ok(network) => doors.proxies.push(network),
            Err(why) => r.faults.push(format!("HALO_PROXIES: {why}")),
        }
    }
    for word in listed(r, "HALO_ORIGINS") {
        match is_origin(&word) {
            true => doors.origins.push(word),
            false => r.faults.push(format!(
                "HALO_ORIGINS: `{}` is no origin such as https://crm.example.com",
                word.chars().take(60).collect::<String>()
            )),
        }
    }
    doors.provider_listen = r.parsed("HALO_PROVIDER_LISTEN", "an address and port such as 0.0.0.0:8001");
    if doors.provider_listen.is_some_and(|own| own == listen && own.port() != 0) {
        r.faults.push("HALO_PROVIDER_LISTEN: is HALO_LISTEN; leave it out to share that address".into());
    }
    doors
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn read(more: &[(&str, &str)]) -> Result<super::DoorsConfig, String> {
        let get = |name: &str| more.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Config::read(&get).map(|config| config.doors).map_err(|faults| faults.to_string())
    }

    #[test]
    fn nobody_is_believed_or_let_in_by_default() {
        let doors = read(&[]).unwrap();
        assert!(doors.proxies.is_empty() && doors.origins.is_empty() && doors.provider_listen.is_none());
        let named = [("HALO_PROXIES", "127.0.0.1, 10.0.0.0/8"), ("HALO_ORIGINS", "https://crm.example.com")];
        let doors = read(&named).unwrap();
        assert_eq!((doors.proxies.len(), doors.origins.len()), (2, 1));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (name, value) in [
            ("HALO_PROXIES", "10.0.0.0/99"),
            ("HALO_ORIGINS", "*"),
            ("HALO_ORIGINS", "https://crm.example.com/page"),
            ("HALO_PROVIDER_LISTEN", "8001"),
            ("HALO_PROVIDER_LISTEN", "127.0.0.1:8000"),
        ] {
            let told = read(&[(name, value)]).unwrap_err();
            assert!(told.contains(name), "{told}");
        }
    }
}
