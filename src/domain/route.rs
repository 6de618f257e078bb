//! How a call leaves the platform: over the telephone network, or to a SIP address.

use super::PhoneNumber;
use std::fmt;
use std::str::FromStr;

/// Stands for the number's digits in a SIP address; who needs the plus writes it before.
const NUMBER: &str = "{number}";
const CHARS_MAX: usize = 200;

/// A mode's route. The platform registers no SIP address by itself: whoever owns it lets the call in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    #[default]
    Pstn,
    /// `sip:user@host`, with `{number}` where the callee's digits go.
    Sip(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("route `{0}` is neither pstn nor an address as in sip:{{number}}@sip.example.com")]
pub struct NotARoute(pub String);

impl Route {
    /// What the session is told: `pstn`, or the address to dial for this number.
    pub fn to(&self, number: &PhoneNumber) -> String {
        match self {
            Route::Pstn => "pstn".to_owned(),
            Route::Sip(address) => address.replace(NUMBER, number.as_str().trim_start_matches('+')),
        }
    }
}

impl FromStr for Route {
    type Err = NotARoute;
    fn from_str(text: &str) -> Result<Self, NotARoute> {
        if text == "pstn" {
            return Ok(Route::Pstn);
        }
        let wrong = || NotARoute(text.chars().take(60).collect());
        let rest = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:")).ok_or_else(wrong)?;
        let (user, host) = rest.split_once('@').ok_or_else(wrong)?;
        let plain = |part: &str, more: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let sound = plain(&user.replace(NUMBER, "0"), "+._-*#") && plain(host, ".-:;=");
        if sound && text.len() <= CHARS_MAX { Ok(Route::Sip(text.to_owned())) } else { Err(wrong()) }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Pstn => f.write_str("pstn"),
            Route::Sip(address) => f.write_str(address),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Route {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_the_network_or_an_address() {
        let number: PhoneNumber = "+79990000001".parse().unwrap();
        for (text, told) in [
            ("pstn", "pstn"),
            ("sip:{number}@sip.example.com", "sip:79990000001@sip.example.com"),
            ("sip:+{number}@sip.example.com:5061;transport=tls", "sip:+79990000001@sip.example.com:5061;transport=tls"),
            ("sips:desk@pbx.example.com", "sips:desk@pbx.example.com"),
        ] {
            let route: Route = text.parse().unwrap();
            assert_eq!((route.to(&number).as_str(), route.to_string().as_str()), (told, text));
        }
        for wrong in
            ["", "PSTN", "sip:", "sip:desk", "sip:@host", "sip:desk@", "sip:{name}@host", "sip:a@b c", "tel:1@b"]
        {
            assert!(wrong.parse::<Route>().is_err(), "{wrong}");
        }
    }
}
