//! `ETag` and `If-Match`: who edits says what was seen, and is refused where somebody was faster.

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::{ETAG, HeaderName, IF_MATCH};

/// An answer with the tag of what it shows.
pub(super) type Tagged<T> = ([(HeaderName, String); 1], Json<T>);

pub(super) fn tagged<T>(tag: &str, shown: T) -> Tagged<T> {
    ([(ETAG, format!("\"{tag}\""))], Json(shown))
}

/// The tags of `If-Match`.
pub(super) struct Seen(Vec<String>);

impl Seen {
    /// Nothing where nobody said what was seen, or that anything will do.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let named = headers.get_all(IF_MATCH).iter();
        let tags: Vec<String> = named
            .flat_map(|value| value.to_str().unwrap_or_default().split(',').map(str::trim).map(str::to_owned))
            .collect();
        (!tags.is_empty() && !tags.iter().any(|tag| tag == "*")).then_some(Seen(tags))
    }

    /// A weak tag is none here: RFC 9110 asks for the strong comparison.
    pub fn is(&self, tag: &str) -> bool {
        self.0.iter().any(|seen| seen.strip_prefix('"').and_then(|seen| seen.strip_suffix('"')) == Some(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_tag_is_compared_as_it_stands() {
        let seen = |text: &'static str| Seen::of(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(text))]));
        assert!(Seen::of(&HeaderMap::new()).is_none() && seen("*").is_none());
        assert!(seen("\"v2\"").unwrap().is("v2") && seen("\"v1\", \"v2\"").unwrap().is("v2"));
        assert!(
            !seen("\"v1\"").unwrap().is("v2") && !seen("W/\"v2\"").unwrap().is("v2") && !seen("v2").unwrap().is("v2")
        );
    }
}
