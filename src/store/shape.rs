//! What the rows of an answer look like, as their type says: the names of a struct's fields, or how many a tuple has.

use serde::de::{Deserialize, Deserializer, Error as _, Visitor, value::Error};
use serde::forward_to_deserialize_any;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Columns by their names, whatever their order.
    Names(&'static [&'static str]),
    /// So many, in their order.
    Width(usize),
}

impl Shape {
    /// Of a struct or a tuple, and of nothing else.
    pub fn of<T: for<'de> Deserialize<'de>>() -> Self {
        let mut shape = None;
        // It ends in an error, once it was asked for what `T` is made of.
        let _ = T::deserialize(Probe(&mut shape));
        shape.expect("rows are structs or tuples")
    }
}

struct Probe<'s>(&'s mut Option<Shape>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = Some(Shape::Names(fields));
        Err(Error::custom("asked"))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, _: V) -> Result<V::Value, Error> {
        *self.0 = Some(Shape::Width(len));
        Err(Error::custom("asked"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("neither a struct nor a tuple"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_says_what_its_rows_have() {
        #[derive(serde::Deserialize)]
        #[allow(dead_code, reason = "only its names are asked for")]
        struct Row {
            run_id: i64,
            mode: String,
        }
        assert_eq!(Shape::of::<Row>(), Shape::Names(&["run_id", "mode"]));
        assert_eq!(Shape::of::<(i64, Option<String>, i64)>(), Shape::Width(3));
        assert_eq!(Shape::of::<(i64,)>(), Shape::Width(1));
    }
}
