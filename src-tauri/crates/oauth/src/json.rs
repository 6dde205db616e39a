//! Strict JSON: one object, every member once, at most 32 deep, nothing before or after (RFC 8259 §4, attack 33).

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

use crate::message::Reply;
use crate::refusal::ProviderRule;

const MAX_DEPTH: u8 = 32;

/// Parses a JSON object strictly.
///
/// # Errors
/// [`ProviderRule::BodyMalformed`] for anything else.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, ProviderRule> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Strict(MAX_DEPTH).deserialize(&mut reader).map_err(|_| ProviderRule::BodyMalformed)?;
    reader.end().map_err(|_| ProviderRule::BodyMalformed)?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(ProviderRule::BodyMalformed)
        }
    }
}

/// Parses the JSON object of a reply whose content type says that it is one.
///
/// # Errors
/// Another content type, or not such an object.
pub fn object_of(reply: &Reply) -> Result<Map<String, Value>, ProviderRule> {
    if !essence(reply).is_some_and(|t| t.eq_ignore_ascii_case("application/json")) {
        return Err(ProviderRule::ContentTypeUnexpected);
    }
    object(&reply.body)
}

/// A reply's media type without its parameters: JSON has none (RFC 8259 §11), whatever one claims.
pub(crate) fn essence(reply: &Reply) -> Option<&str> {
    Some(reply.content_type.as_deref()?.split(';').next()?.trim_matches([' ', '\t']))
}

/// A member that must be a string if it is there.
///
/// # Errors
/// It is something else.
pub fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, ProviderRule> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(ProviderRule::BodyMalformed),
    }
}

/// A person's name: one member, or several places in the answer with a space between, each a JSON pointer (RFC 6901)
/// as in `/name/first /name/last`. None if nothing stands there.
///
/// # Errors
/// Something else than a text stands there.
pub fn name(members: &Map<String, Value>, claim: &str) -> Result<Option<String>, ProviderRule> {
    if !claim.starts_with('/') {
        return Ok(text(members, claim)?.map(str::to_owned));
    }
    let mut words = Vec::new();
    for pointer in claim.split(' ').filter(|pointer| !pointer.is_empty()) {
        match at(members, pointer) {
            None => {}
            Some(value) => words.push(value.as_str().ok_or(ProviderRule::BodyMalformed)?),
        }
    }
    words.retain(|word| !word.is_empty());
    Ok(Some(words.join(" ")).filter(|name| !name.is_empty()))
}

/// What stands at a JSON pointer.
fn at<'m>(members: &'m Map<String, Value>, pointer: &str) -> Option<&'m Value> {
    let mut steps = pointer.split('/').skip(1);
    let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let first = members.get(&unescape(steps.next()?))?;
    steps.try_fold(first, |value, step| value.get(unescape(step)))
}

/// A value that may hold objects and arrays this deep.
struct Strict(u8);

impl Strict {
    fn inner<E: de::Error>(&self) -> Result<u8, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict(inner))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(de::Error::custom("a member stands twice"));
            }
            let value = map.next_value_seed(Strict(inner))?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_object_is_taken() {
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        for good in ["{}", r#"{"a":1,"b":{"a":2}}"#, r#" {"a":"\u002f"} "#, &deep(30)] {
            assert!(object(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "[]",
            "null",
            "\"x\"",
            "{",
            "{}x",
            "{} {}",
            r#"{"a":1,"a":2}"#,
            r#"{"b":{"a":1,"a":1}}"#,
            r#"[{"a":1}]"#,
            "\u{feff}{}",
            r#"{"a":1,}"#,
            r#"{'a':1}"#,
            "{\"a\":1e999}",
            &deep(32),
            &deep(10_000),
            "{\"a\":\"\u{0}\"}",
        ] {
            assert_eq!(object(bad.as_bytes()), Err(ProviderRule::BodyMalformed), "{bad:.40}");
        }
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(object(&utf16).is_err());
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_name_is_a_member_or_stands_at_several_places() {
        let at = |claim: &str, body: &str| name(&object(body.as_bytes()).unwrap(), claim);
        assert_eq!(at("name", r#"{"name":"Ada Quist"}"#), Ok(Some("Ada Quist".into())));
        assert_eq!(at("name", "{}"), Ok(None));
        assert_eq!(at("name", r#"{"name":7}"#), Err(ProviderRule::BodyMalformed));
        let parts = "/name/first /name/last";
        assert_eq!(
            at(parts, r#"{"name":{"first":"Ada","last":"Quist","x":7}}"#),
            Ok(Some("Ada Quist".into()))
        );
        assert_eq!(at(parts, r#"{"name":{"first":"","last":"Quist"}}"#), Ok(Some("Quist".into())));
        for none in ["{}", r#"{"name":{}}"#, r#"{"name":"Ada"}"#] {
            assert_eq!(at(parts, none), Ok(None), "{none}");
        }
        assert_eq!(at(parts, r#"{"name":{"first":["Ada"]}}"#), Err(ProviderRule::BodyMalformed));
        assert_eq!(at("/a~1b/m~0n", r#"{"a/b":{"m~n":"Ada"}}"#), Ok(Some("Ada".into())));
    }
}
