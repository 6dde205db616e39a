//! Requests are objects.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A request that came as a JSON object.
///
/// What serde derives for a struct also takes a list of its members' values, without their names: `[]` would be
/// [`Nothing`](crate::ui::Nothing). Nobody who knows the contract sends that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use crate::ui::{AttemptRef, Nothing};

    use super::*;

    #[test]
    fn an_object_is_read_and_a_list_of_values_is_not() {
        let read = |text: &str| serde_json::from_str::<Object<AttemptRef>>(text).map(|read| read.0.attempt);
        assert_eq!(read(r#"{"attempt":"a"}"#).unwrap(), "a");
        for text in [r#"["a"]"#, r#"{"attempt":"a","x":1}"#, r#"{"attempt":"a","attempt":"a"}"#, "{}", "null"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Nothing>("[]").is_ok(), "what serde derives takes it");
        assert!(serde_json::from_str::<Object<Nothing>>("[]").is_err());
    }
}
