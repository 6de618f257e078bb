//! What a request brings as JSON.

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// An object and nothing else: a list would be taken for a struct's fields in their order, an empty one for an order
/// that says nothing.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub T);

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, such as {}")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Fields(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Said {
        by: Option<String>,
        reason: Option<String>,
    }

    /// The guard: `Fields` without `visit_seq`.
    #[test]
    fn a_list_is_no_object() {
        let read = |text: &str| serde_json::from_str::<Object<Said>>(text).map(|Object(said)| (said.by, said.reason));
        assert_eq!(read("{\"by\":\"anna\"}").unwrap(), (Some("anna".to_owned()), None));
        for wrong in ["[]", "[\"anna\"]", "[\"anna\",\"why\"]", "null", "\"anna\"", "7", "{\"who\":1}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let told = read("[]").unwrap_err().to_string();
        assert!(told.contains("expected an object"), "{told}");
    }
}
