//! What stands after the `?`: known fields only, each once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::Query;
use axum::extract::rejection::PathRejection;
use axum::http::Uri;

use clap::ValueEnum;
use serde::de::DeserializeOwned;

use super::body::clipped_says;
use super::errors::{ApiError, VALUE_CHARS_MAX, clipped};
use crate::metering::period::{Month, MonthError};

/// The fields of a query.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// The fields of `uri`, of which only those in `known` may be there, and each once.
    ///
    /// # Errors
    /// With the field that may not be there.
    pub(super) fn of(uri: &Uri, known: &[&str]) -> Result<Self, ApiError> {
        let unreadable = |_| ApiError::field("query", uri.query().unwrap_or_default(), "this can't be read");
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let says = match known {
                    [] => "there is no such query field; this takes none".to_owned(),
                    _ => format!("there is no such query field; this takes {}", known.join(", ")),
                };
                return Err(ApiError::field(&name, &value, says));
            }
            if let Some(before) = fields.insert(name.clone(), value) {
                return Err(ApiError::field(&name, &before, "given twice"));
            }
        }
        Ok(Self(fields))
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a field.
    ///
    /// # Errors
    /// With field and text where that is no such value.
    pub(super) fn value<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        if text.chars().nth(VALUE_CHARS_MAX).is_some() {
            let says = format!("longer than {VALUE_CHARS_MAX} characters");
            return Err(ApiError::field(name, &clipped(text), says));
        }
        text.parse().map(Some).map_err(|e: T::Err| {
            // What was a + arrives as a space.
            let hint = if text.contains(' ') { " (in an address, + is written %2B)" } else { "" };
            ApiError::field(name, text, format!("{e}{hint}"))
        })
    }

    /// The value of a field that is one of a few words; the default where it is not there.
    ///
    /// # Errors
    /// With field, text and all words where it is another one.
    pub(super) fn choice<T: ValueEnum + Default>(&self, name: &str) -> Result<T, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(T::default());
        };
        T::from_str(text, false).map_err(|_| {
            let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
            ApiError::field(name, text, format!("{:?} is not {}", clipped(text), words.join(" or ")))
        })
    }

    /// The value of a field that is a word as a plan of the inventory has it.
    ///
    /// # Errors
    /// With field and text where it is none.
    pub(super) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let word = |text: &str| {
            serde_json::from_value(text.into())
                .map_err(|e| ApiError::field(name, text, clipped_says(&e.to_string())))
        };
        self.text(name).map(word).transpose()
    }
}

/// A month in a path.
///
/// # Errors
/// When it is none.
pub(super) fn period(text: &str) -> Result<Month, ApiError> {
    let clipped = clipped(text);
    clipped.parse().map_err(|e: MonthError| ApiError::field("period", &clipped, e.to_string()))
}

/// A path whose segments are no text.
pub(super) fn path_error(rejection: &PathRejection) -> ApiError {
    ApiError::Field { field: "path".to_owned(), value: None, says: rejection.body_text() }
}
