//! Parameters as the clients write them: booleans in any case, lists joined by `;`, and an empty
//! string that means nothing was said.

use std::collections::BTreeMap;

use crate::simulator::api::ApiError;
use crate::simulator::clock::parse_utc;

pub struct Params(BTreeMap<String, String>);

impl Params {
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::new(134, format!("The '{name}' parameter is required.")))
    }

    pub fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
    }

    /// A number; what is none is refused with the parameter's own code.
    pub fn number(&self, name: &str, code: u32) -> Result<Option<u64>, ApiError> {
        self.text(name).map(|text| text.parse().map_err(|_| ApiError::invalid(code, name))).transpose()
    }

    /// Ids joined by `;`. A comma is refused the way the platform does.
    pub fn ids(&self, name: &str) -> Result<Option<Vec<u64>>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let read = |id: &str| id.trim().parse().map_err(|_| ApiError::new(101, format!("For input string: \"{id}\"")));
        text.split(';').map(read).collect::<Result<_, _>>().map(Some)
    }

    pub fn date(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.text(name).map(|text| parse_utc(text).ok_or_else(|| ApiError::invalid(111, name))).transpose()
    }
}

/// Pairs of an urlencoded body.
pub fn urlencoded(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                if let (Some(high), Some(low)) = (high, low) {
                    bytes.push((high * 16 + low) as u8);
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_clients_write_them() {
        let params = Params::new(urlencoded("a=1%3B2&b=True&c=&d=%D0%B0+b&e=1,2".as_bytes()));
        assert_eq!(params.ids("a").ok().flatten(), Some(vec![1, 2]));
        assert!(params.flag("b"));
        assert_eq!(params.text("c"), None);
        assert_eq!(params.text("d"), Some("а b"));
        assert!(params.ids("e").is_err_and(|error| error.message.contains("1,2")));
    }
}
