//! Long lists, page by page: `limit` lines after the `cursor`.
//!
//! A cursor holds by what its list is ordered, and the key and the id of the last line before it. So pages may be asked for
//! while the list changes: no line comes twice and none is left out, but one whose key changes across the cursor
//! meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::errors::ApiError;

/// The lines of a page unless a limit is given.
pub(super) const LIMIT_DEFAULT: usize = 100;

/// The most lines of a page: some 1 MB.
pub(super) const LIMIT_MAX: u32 = 1_000;

/// How many lines are wished, 1 to [`LIMIT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Limit(u32);

impl TryFrom<u32> for Limit {
    type Error = String;

    fn try_from(limit: u32) -> Result<Self, String> {
        match limit {
            1..=LIMIT_MAX => Ok(Self(limit)),
            _ => Err(format!("{limit} is not 1 to {LIMIT_MAX}")),
        }
    }
}

impl Limit {
    /// As a number of lines.
    pub(super) fn lines(self) -> usize {
        usize::try_from(self.0).unwrap_or(LIMIT_DEFAULT)
    }
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
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

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let parts = || {
            let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(&text).ok()?).ok()?;
            let (list, rest) = plain.split_once('\n')?;
            let (key, id) = rest.split_once('\n')?;
            let key = u128::from_str_radix(key, 16).ok()?;
            Some(Self { list: list.to_owned(), key, id: id.to_owned() })
        };
        parts().ok_or("it is no cursor; take next as it is answered")
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
            assert_eq!(Cursor::try_from(text), Ok(cursor.clone()));
            assert!(cursor.of("usage overage").is_ok() && cursor.of("usage p95").is_err());
        }
        for text in ["", "?", "abc", "YQ", "YQpiCmM=", "_w"] {
            assert!(Cursor::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_has_limits() {
        for (limit, good) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
            assert_eq!(Limit::try_from(limit).is_ok(), good, "{limit}");
        }
    }
}
