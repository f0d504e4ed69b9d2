//! What somebody types to find a line: words, each of which is to be found in one of the line's texts, in letters of either
//! case. Every list that can be searched goes by this.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

/// Words of a search at most: as many as a query field has room for.
pub const WORDS_MAX: usize = 128;

/// Searches of a catalog of which it is kept what they find: some people who scroll, each through a list of their own. Of
/// 100,000 servers each is 100 kB.
const KEPT_MAX: usize = 16;

/// Words to be found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Search {
    /// In small letters.
    words: Vec<String>,
}

/// Which words of a search were found: a bit a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found(u128);

/// Too many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} words to be found, and at most {WORDS_MAX} may be")]
pub struct TooMany(usize);

impl TryFrom<String> for Search {
    type Error = TooMany;

    fn try_from(text: String) -> Result<Self, TooMany> {
        let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        if words.len() > WORDS_MAX {
            return Err(TooMany(words.len()));
        }
        Ok(Self { words })
    }
}

impl Search {
    /// Whether nothing is to be found, which every line has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words that were `found`, and those that `text` has in it.
    #[must_use]
    pub fn found_in(&self, text: &str, found: Found) -> Found {
        if self.is_all(found) {
            return found;
        }
        let text = text.to_lowercase();
        let bits = self.bits().filter(|(bit, word)| found.0 & bit != 0 || text.contains(*word));
        Found(bits.fold(0, |all, (bit, _)| all | bit))
    }

    /// Whether those are all of them.
    #[must_use]
    pub fn is_all(&self, found: Found) -> bool {
        self.bits().all(|(bit, _)| found.0 & bit != 0)
    }

    /// Whether each word is in one of the `texts`, of which none is made that need not be looked at.
    pub fn fits<'a>(&self, texts: impl IntoIterator<Item = Cow<'a, str>>) -> bool {
        let mut found = Found::default();
        let mut texts = texts.into_iter();
        while !self.is_all(found) {
            let Some(text) = texts.next() else { return false };
            found = self.found_in(&text, found);
        }
        true
    }

    fn bits(&self) -> impl Iterator<Item = (u128, &str)> {
        self.words.iter().enumerate().map(|(place, word)| (1 << place, word.as_str()))
    }
}

impl Found {
    /// What was found in the one or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What the last searches of a catalog found: whoever scrolls asks for the same again and again.
#[derive(Debug, Default)]
pub(super) struct Searches(Mutex<VecDeque<(Search, Arc<[bool]>)>>);

impl Searches {
    /// What `search` finds, by row: as it is kept, or else as `look` finds it.
    pub(super) fn found(&self, search: &Search, look: impl FnOnce() -> Arc<[bool]>) -> Arc<[bool]> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = lock().iter().find(|(kept, _)| kept == search) {
            return Arc::clone(found);
        }
        // Others are not kept waiting meanwhile.
        let found = look();
        let mut kept = lock();
        kept.retain(|(other, _)| other != search);
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((search.clone(), Arc::clone(&found)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str) -> Search {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn each_word_is_in_one_of_the_texts() {
        let texts = ["web01", "C001", "東京 Tōkyō", "JP-1"];
        for (asked, fits) in [
            ("", true),
            ("  ", true),
            ("web", true),
            ("WEB01", true),
            ("c001 eb0", true),
            ("eb0 c001 jp 東京 TŌKYŌ", true),
            ("web c001 osaka", false),
            ("web 01", true),
            ("web02", false),
            ("web01c001", false),
        ] {
            assert_eq!(search(asked).fits(texts.map(Cow::Borrowed)), fits, "{asked:?}");
        }
    }

    #[test]
    fn there_is_an_end_to_words() {
        let words = |count: usize| Search::try_from("a ".repeat(count));
        assert!(words(WORDS_MAX).unwrap().fits(["a".into()]));
        assert_eq!(words(WORDS_MAX + 1), Err(TooMany(WORDS_MAX + 1)));
    }

    #[test]
    fn a_search_is_made_once_while_it_is_kept() {
        let searches = Searches::default();
        let looked = std::cell::Cell::new(0);
        let ask = |text: &str| {
            let look = || {
                looked.set(looked.get() + 1);
                Arc::from([true])
            };
            searches.found(&search(text), look)
        };
        for (text, times) in [("a", 1), ("A", 1), ("b", 2), ("a", 2)] {
            assert_eq!(*ask(text), [true]);
            assert_eq!(looked.get(), times, "{text}");
        }
        for other in 0..KEPT_MAX {
            let _ = ask(&format!("other {other}"));
        }
        let before = looked.get();
        let _ = ask("a");
        assert_eq!(looked.get(), before + 1, "others came after it");
    }
}
