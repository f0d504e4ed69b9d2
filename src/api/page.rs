//! Long lists, page by page: `limit` lines after the `cursor`, or where any place of a list may be looked at after the
//! first `offset` ones.
//!
//! A cursor holds by what its list is ordered, and the key and the id of the last line before it. So pages may be asked for
//! while the list changes: no line comes twice and none is left out, but one whose key changes across the cursor
//! meanwhile.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::errors::ApiError;

/// The lines of a page unless a limit is given.
pub(super) const LIMIT_DEFAULT: usize = 100;

/// The most lines of a page: some 1 MB.
pub(super) const LIMIT_MAX: u32 = 1_000;

/// The most lines that are left out before a page: more than any list has.
pub(super) const OFFSET_MAX: u32 = 10_000_000;

/// How many lines are wished, 1 to [`LIMIT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit(u32);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<u32>() {
            Ok(limit @ 1..=LIMIT_MAX) => Ok(Self(limit)),
            Ok(limit) => Err(format!("{limit} is not 1 to {LIMIT_MAX}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Limit {
    /// As a number of lines.
    fn lines(self) -> usize {
        usize::try_from(self.0).unwrap_or(LIMIT_DEFAULT)
    }
}

/// How many lines are left out before the page, 0 to [`OFFSET_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset(u32);

impl FromStr for Offset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<u32>() {
            Ok(offset @ 0..=OFFSET_MAX) => Ok(Self(offset)),
            Ok(offset) => Err(format!("{offset} is not 0 to {OFFSET_MAX}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Offset {
    /// As a number of lines.
    ///
    /// # Errors
    /// Together with a cursor, which says itself where the page begins.
    pub(super) fn lines(self, cursor: Option<&Cursor>) -> Result<usize, ApiError> {
        if cursor.is_some() {
            let says = "a cursor says where the page begins; give either offset or cursor";
            return Err(ApiError::field("offset", &self.0.to_string(), says));
        }
        Ok(usize::try_from(self.0).unwrap_or(usize::MAX))
    }
}

/// A page of a short list, which is in the order of `id`, and where it ended if more follows. All of it where there is
/// no `limit` and `all` is wished.
///
/// # Errors
/// When the cursor is of another list.
pub(super) fn of_sorted<T>(
    mut sorted: Vec<T>,
    id: impl Fn(&T) -> &str,
    list: &str,
    cursor: Option<&Cursor>,
    limit: Option<Limit>,
    all: bool,
) -> Result<(Vec<T>, Option<Cursor>), ApiError> {
    if let Some(cursor) = cursor {
        let after = &cursor.of(list)?.id;
        let passed = sorted.partition_point(|line| id(line) <= after.as_str());
        sorted.drain(..passed);
    }
    let limit = lines(limit, all);
    let more = sorted.len() > limit;
    sorted.truncate(limit);
    let last = sorted.last().filter(|_| more).map(|line| Cursor::new(list, 0, id(line)));
    Ok((sorted, last))
}

/// How many lines are told: as many as wished, or else all or [`LIMIT_DEFAULT`].
pub(super) fn lines(limit: Option<Limit>, all: bool) -> usize {
    match limit {
        Some(limit) => limit.lines(),
        None if all => usize::MAX,
        None => LIMIT_DEFAULT,
    }
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Which list it is of, and in which order.
    list: String,
    /// The key of the last line.
    pub(super) key: u128,
    /// Its id.
    pub(super) id: String,
}

impl Cursor {
    /// After the line `id` with this key.
    pub(super) fn new(list: &str, key: u128, id: &str) -> Self {
        Self { list: list.to_owned(), key, id: id.to_owned() }
    }

    /// As it stands in an address, where nothing of it must be escaped.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{:x}\n{}", self.list, self.key, self.id))
    }

    /// Itself, where it is of this list.
    ///
    /// # Errors
    /// When it is of another list or order.
    pub(super) fn of(&self, list: &str) -> Result<&Self, ApiError> {
        if self.list == list {
            return Ok(self);
        }
        let says = "it is of another list or another order; take next as it is answered";
        Err(ApiError::field("cursor", &self.text(), says))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let parts = || {
            let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (list, rest) = plain.split_once('\n')?;
            let (key, id) = rest.split_once('\n')?;
            let key = u128::from_str_radix(key, 16).ok()?;
            Some(Self { list: list.to_owned(), key, id: id.to_owned() })
        };
        parts().ok_or("it is no cursor; take next as it is answered")
    }
}

/// What a text of a query becomes.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_it_was() {
        for id in ["web01", "", "東京\n1", "a b&c=d/e"] {
            let cursor = Cursor::new("usage overage", u128::MAX - 7, id);
            let text = cursor.text();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
            assert_eq!(text.parse(), Ok(cursor.clone()));
            assert!(cursor.of("usage overage").is_ok() && cursor.of("usage p95").is_err());
        }
        for text in ["", "?", "abc", "YQ", "YQpiCmM=", "_w"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_has_limits() {
        for (limit, good) in
            [("0", false), ("1", true), ("1000", true), ("1001", false), ("-1", false), ("", false)]
        {
            assert_eq!(limit.parse::<Limit>().is_ok(), good, "{limit}");
        }
        for (offset, good) in
            [("0", true), ("10000000", true), ("10000001", false), ("-1", false), ("1.0", false), ("", false)]
        {
            assert_eq!(offset.parse::<Offset>().is_ok(), good, "{offset}");
        }
    }
}
