//! What stands after the `?` and in the path: the fields of a type, each once, each with a value that can be.

use std::collections::BTreeSet;
use std::fmt::Display;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use utoipa::IntoParams;

use super::body::clipped_says;
use super::errors::{ApiError, clipped};
use crate::metering::period::Month;

/// The longest value of a field, in characters: longer than any name.
const VALUE_CHARS_MAX: usize = 1_000;

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
    T::deserialize(Pairs(&pairs)).map_err(|wrong| match wrong {
        Wrong::Field(refused) => *refused,
        Wrong::Says(says) => ApiError::Wrong(clipped_says(&says)),
    })
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
        let found = Path::<T>::from_request_parts(parts, state).await;
        found.map(|Path(value)| Self(value)).map_err(|rejection| path_error(&rejection))
    }
}

fn path_error(rejection: &PathRejection) -> ApiError {
    let (field, value, says) = match rejection {
        PathRejection::FailedToDeserializePathParams(failed) => match failed.kind() {
            ErrorKind::ParseErrorAtKey { key, value, .. } => (
                key.as_str(),
                Some(value),
                format!("{:?} is not a number of the kind that stands here", clipped(value)),
            ),
            ErrorKind::DeserializeError { key, value, message } => {
                (key.as_str(), Some(value), message.replace(value.as_str(), &clipped(value)))
            }
            ErrorKind::InvalidUtf8InPathParam { key } => (key.as_str(), None, "this is not UTF-8".to_owned()),
            _ => ("path", None, failed.body_text()),
        },
        other => ("path", None, other.body_text()),
    };
    ApiError::Field { field: field.to_owned(), value: value.cloned(), says: clipped_says(&says) }
}

/// The pairs of a query, to be read as a struct.
struct Pairs<'a>(&'a [(String, String)]);

impl<'de> de::Deserializer<'de> for Pairs<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let values = self.0.iter().map(|(name, text)| (name.as_str(), Value { name, text }));
        visitor.visit_map(MapDeserializer::new(values))
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

/// The text of a query field.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    name: &'a str,
    text: &'a str,
}

impl Value<'_> {
    fn parse<T: std::str::FromStr<Err: Display>>(self) -> Result<T, Wrong> {
        self.text.parse().map_err(|e: T::Err| self.wrong(&e))
    }

    fn wrong(self, says: &dyn Display) -> Wrong {
        // What was a + arrives as a space.
        let hint = if self.text.contains(' ') { " (in an address, + is written %2B)" } else { "" };
        ApiError::field(self.name, self.text, format!("{}{hint}", clipped_says(&says.to_string()))).into()
    }

    /// What a reader that takes text makes of it.
    fn read<'de, T>(
        self,
        read: impl FnOnce(StrDeserializer<'_, de::value::Error>) -> Result<T, de::value::Error>,
    ) -> Result<T, Wrong> {
        if self.text.chars().nth(VALUE_CHARS_MAX).is_some() {
            return Err(self.wrong(&format!("longer than {VALUE_CHARS_MAX} characters")));
        }
        read(self.text.into_deserializer()).map_err(|e| self.wrong(&e))
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(self.parse()?)
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

    parsed! {
        deserialize_bool visit_bool,
        deserialize_u8 visit_u8,
        deserialize_u16 visit_u16,
        deserialize_u32 visit_u32,
        deserialize_u64 visit_u64,
        deserialize_i64 visit_i64,
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
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
    }

    #[test]
    fn what_can_not_be_is_named() {
        for (query, says) in [
            (
                "a=1",
                "a: there is no such query field; this takes period, from, method, allowance_bps, all, server",
            ),
            ("all=true&all=false", "all: given twice"),
            ("all=yes", "all: provided string was not `true` or `false`"),
            ("period=October", "period: \"October\" is not a billing period"),
            ("method=most", "method: \"most\" is not max or sum or"),
            ("from=2026-10-01T00:00:00+09:00", "+ is written %2B"),
            ("allowance_bps=-1", "allowance_bps: invalid digit found in string"),
        ] {
            let refused = asked(query).unwrap_err();
            assert!(refused.contains(says), "{query}: {refused}");
        }
        let long = format!("server={}", "a".repeat(1_001));
        assert!(asked(&long).unwrap_err().contains("longer than 1000 characters"));
    }
}
