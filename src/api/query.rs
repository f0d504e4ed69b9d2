//! What stands after the `?` and in the path: the fields of a type, each once, each with a value that can be.

use std::collections::BTreeSet;
use std::fmt::Display;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use utoipa::IntoParams;

use super::body::clipped_says;
use super::errors::{ApiError, clipped};
use crate::metering::period::Month;

/// The longest value of a field, in characters: as long as names may be.
const VALUE_CHARS_MAX: usize = 255;

/// The most values of a field that takes several, with commas between them.
pub(super) const VALUES_MAX: usize = 100;

/// What stands after the `?`, as a struct of which every field is an `Option` or has a default. A field that the struct
/// does not have is refused, and one that is there twice.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// The query of what takes none.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct Nothing {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(&parts.uri).map(Self)
    }
}

/// The query of `uri` as a struct.
///
/// # Errors
/// With the field that may not be there, is there twice, or has a value that can't be.
pub(super) fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    let query = uri.query().unwrap_or_default();
    let unreadable = |_| ApiError::field("query", query, "this can't be read");
    let axum::extract::Query(pairs) =
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
    T::deserialize(Pairs(&pairs)).map_err(Wrong::into)
}

/// What is in the segments of the path, as a struct with their names.
#[derive(Debug)]
pub(super) struct At<T>(pub(super) T);

/// A month.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfPeriod {
    /// The billing period, such as `2026-10`.
    pub(super) period: Month,
}

/// A month's statement.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfStatement {
    /// The billing period, such as `2026-10`.
    pub(super) period: Month,
    /// The id of a server or pool.
    #[param(min_length = 1, max_length = 255)]
    pub(super) server: String,
}

/// A server.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfServer {
    /// The server's id.
    #[param(min_length = 1, max_length = 255)]
    pub(super) id: String,
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|e| ApiError::Field {
            field: "path".to_owned(),
            value: None,
            says: clipped_says(&e.body_text()),
        })?;
        let params: Vec<_> = params.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        T::deserialize(Pairs(&params)).map(Self).map_err(Wrong::into)
    }
}

/// The pairs of a query, to be read as a struct.
struct Pairs<'a>(&'a [(String, String)]);

impl<'de> de::Deserializer<'de> for Pairs<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(Walk { rest: self.0.iter(), at: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let mut seen = BTreeSet::new();
        for (name, text) in self.0 {
            if !known.contains(&name.as_str()) {
                let says = match known {
                    [] => "there is no such query field; this takes none".to_owned(),
                    _ => format!("there is no such query field; this takes {}", known.join(", ")),
                };
                return Err(ApiError::field(name, text, says).into());
            }
            if !seen.insert(name) {
                return Err(ApiError::field(name, text, "given twice").into());
            }
        }
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Pairs one after the other. What is wrong with a value is told with its name.
struct Walk<'a> {
    rest: std::slice::Iter<'a, (String, String)>,
    at: Option<Value<'a>>,
}

impl<'de> de::MapAccess<'de> for Walk<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.at = self.rest.next().map(|(name, text)| Value { name, text });
        self.at.map(|value| seed.deserialize(value.name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let value = self.at.take().ok_or_else(|| Wrong::Says("a value without a name".to_owned()))?;
        seed.deserialize(value).map_err(|wrong| match wrong {
            Wrong::Says(says) => value.wrong(&says),
            told @ Wrong::Field(_) => told,
        })
    }
}

/// The text of a query field.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    name: &'a str,
    text: &'a str,
}

impl Value<'_> {
    fn parse<T: std::str::FromStr>(self, what: &str) -> Result<T, Wrong> {
        self.text.parse().map_err(|_| self.wrong(&format!("{:?} is not {what}", clipped(self.text))))
    }

    fn wrong(self, says: &dyn Display) -> Wrong {
        // What was a + arrives as a space.
        let hint = if self.text.contains(' ') { " (in an address, + is written %2B)" } else { "" };
        ApiError::field(self.name, self.text, format!("{}{hint}", clipped_says(&says.to_string()))).into()
    }

    fn not_too_long(self, value: &str) -> Result<(), Wrong> {
        match value.chars().nth(VALUE_CHARS_MAX) {
            Some(_) => Err(self.wrong(&format!("longer than {VALUE_CHARS_MAX} characters"))),
            None => Ok(()),
        }
    }

    /// What a reader that takes text makes of it.
    fn read<T>(
        self,
        read: impl FnOnce(StrDeserializer<'_, de::value::Error>) -> Result<T, de::value::Error>,
    ) -> Result<T, Wrong> {
        self.not_too_long(self.text)?;
        read(self.text.into_deserializer()).map_err(|e| self.wrong(&e))
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(self.parse($what)?)
        })+
    };
}

impl<'de> de::Deserializer<'de> for Value<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.read(|text| de::Deserializer::deserialize_any(text, visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if !words.contains(&self.text) {
            return Err(self.wrong(&format!("{:?} is not {}", clipped(self.text), words.join(" or "))));
        }
        self.read(|text| de::Deserializer::deserialize_enum(text, name, words, visitor))
    }

    /// Several values, with commas between them.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let values = || self.text.split(',');
        let count = values().count();
        if count > VALUES_MAX {
            return Err(self.wrong(&format!("{count} values, and at most {VALUES_MAX} may be")));
        }
        for value in values() {
            if value.is_empty() {
                return Err(self.wrong(&"a value is empty"));
            }
            self.not_too_long(value)?;
        }
        let values = SeqDeserializer::<_, de::value::Error>::new(values());
        visitor.visit_seq(values).map_err(|e| self.wrong(&e))
    }

    parsed! {
        deserialize_bool visit_bool "true or false",
        deserialize_u8 visit_u8 "a whole number that this can be",
        deserialize_u16 visit_u16 "a whole number that this can be",
        deserialize_u32 visit_u32 "a whole number that this can be",
        deserialize_u64 visit_u64 "a whole number that this can be",
        deserialize_i64 visit_i64 "a whole number",
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// Why a query is none.
#[derive(Debug)]
enum Wrong {
    /// For a reason that has a field.
    Field(Box<ApiError>),
    /// For one that has none.
    Says(String),
}

impl From<Wrong> for ApiError {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Field(refused) => *refused,
            Wrong::Says(says) => Self::Wrong(clipped_says(&says)),
        }
    }
}

impl From<ApiError> for Wrong {
    fn from(refused: ApiError) -> Self {
        Self::Field(Box::new(refused))
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(refused) => refused.fmt(f),
            Self::Says(says) => says.fmt(f),
        }
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(says: T) -> Self {
        Self::Says(says.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        ApiError::Field { field: field.to_owned(), value: None, says: "missing".to_owned() }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::instant::Instant;
    use crate::metering::overage::Method;
    use crate::metering::units::Bps;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Asked {
        period: Option<Month>,
        from: Option<Instant>,
        method: Option<Method>,
        allowance_bps: Option<Bps>,
        all: bool,
        server: Option<String>,
        some: Vec<String>,
    }

    fn asked(query: &str) -> Result<Asked, String> {
        let uri: Uri = format!("/v1/x?{query}").parse().unwrap();
        read(&uri).map_err(|e| e.to_string())
    }

    #[test]
    fn fields_have_types() {
        let all = "period=2026-10&from=1790780400000&method=sum&allowance_bps=5&all=true&server=web%2F01";
        let asked = asked(all).unwrap();
        assert_eq!(asked.period.unwrap().to_string(), "2026-10");
        assert_eq!(asked.from.unwrap().0.0, 1_790_780_400_000);
        assert_eq!((asked.method, asked.allowance_bps), (Some(Method::Sum), Some(Bps(5))));
        assert!(asked.all && asked.server.as_deref() == Some("web/01"));
        for several in ["a,b%2Fc,d", "a%2Cb%2Fc%2Cd"] {
            let asked = self::asked(&format!("some={several}")).unwrap();
            assert_eq!(asked.some, ["a", "b/c", "d"]);
        }
    }

    #[test]
    fn what_can_not_be_is_named() {
        for (query, says) in [
            (
                "a=1",
                "a: there is no such query field; this takes period, from, method, allowance_bps, all, server, some",
            ),
            ("all=true&all=false", "all: given twice"),
            ("all=yes", "all: \"yes\" is not true or false"),
            ("period=October", "period: \"October\" is not a billing period"),
            ("method=most", "method: \"most\" is not max or in or out or sum"),
            ("from=2026-10-01T00:00:00+09:00", "+ is written %2B"),
            ("allowance_bps=-1", "allowance_bps: \"-1\" is not a whole number"),
        ] {
            let refused = asked(query).unwrap_err();
            assert!(refused.contains(says), "{query}: {refused}");
        }
        let long = format!("server={}", "a".repeat(256));
        assert!(asked(&long).unwrap_err().contains("longer than 255 characters"));
        for (some, says) in [
            (String::new(), "some: a value is empty"),
            ("a,,b".to_owned(), "some: a value is empty"),
            (vec!["a"; 101].join(","), "some: 101 values, and at most 100 may be"),
            (format!("b,{}", "a".repeat(256)), "some: longer than 255 characters"),
        ] {
            let refused = asked(&format!("some={some}")).unwrap_err();
            assert!(refused.contains(says), "{some}: {refused}");
        }
        assert_eq!(asked(&format!("some={}", vec!["a"; 100].join(","))).unwrap().some.len(), 100);
    }
}
