//! Field `account` in bodies of types that do not declare the field.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

const FIELD: &str = "account";

/// Object with the fields of `T`, and possibly `account`. The middleware has read the account
/// before.
#[derive(Debug)]
pub struct WithAccount<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithAccount<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(AccountFieldVisitor(PhantomData))
            .map(WithAccount)
    }
}

struct AccountFieldVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AccountFieldVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(ObjectDeserializer(map))
    }
}

/// Deserializer that hides the field `account` from types that do not declare it.
struct ObjectDeserializer<A>(A);

impl<'de, A: MapAccess<'de>> Deserializer<'de> for ObjectDeserializer<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        MapAccessDeserializer::new(SkipAccount(self.0)).deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        if fields.contains(&FIELD) {
            return MapAccessDeserializer::new(self.0).deserialize_struct(name, fields, visitor);
        }
        MapAccessDeserializer::new(SkipAccount(self.0)).deserialize_struct(name, fields, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// Fields of an object without the fields named `account`.
struct SkipAccount<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for SkipAccount<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.0.next_key::<String>()? {
            if name != FIELD {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            self.0.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WithoutAccount {
        a: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct DeclaredAccount {
        account: String,
    }

    #[test]
    fn deserialize_of_a_type_without_the_field_skips_only_the_field() {
        let parse = |json| serde_json::from_str::<WithAccount<WithoutAccount>>(json).map(|it| it.0);
        assert_eq!(
            parse(r#"{"account":"x","a":1}"#).ok(),
            Some(WithoutAccount { a: 1 })
        );
        assert_eq!(
            parse(r#"{"a":1,"account":{"b":[]}}"#).ok(),
            Some(WithoutAccount { a: 1 })
        );
        assert!(parse(r#"{"a":1,"acount":"x"}"#).is_err());
        assert!(parse("[1]").is_err());
    }

    #[test]
    fn deserialize_of_a_type_with_the_field_keeps_the_field() {
        let parsed = serde_json::from_str::<WithAccount<DeclaredAccount>>(r#"{"account":"x"}"#);
        let account = "x".to_owned();
        assert_eq!(
            parsed.map(|it| it.0).ok(),
            Some(DeclaredAccount { account })
        );
    }
}
