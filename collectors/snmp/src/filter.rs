//! Which interfaces of a device are read.

use std::fmt;

/// The longest list of patterns that a device may have. A 1,000-port chassis named port by port fits.
const PATTERNS_MAX: usize = 4096;

/// The longest pattern, in octets; no interface's name is longer than 255.
const PATTERN_OCTETS_MAX: usize = 255;

/// Which interfaces of a device are metered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum InterfaceFilter {
    /// All that have a name.
    #[default]
    All,
    /// Those whose name one of the patterns matches. Made by [`InterfaceFilter::patterns`].
    Matching(Vec<Pattern>),
}

/// A pattern over whole names: `*` stands for any run of characters, also none, `?` for any one; everything
/// else, also case, is literal.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl InterfaceFilter {
    /// The filter that takes the names which one of `patterns` matches, such as `ge-0/0/*` or `eth0`.
    ///
    /// # Errors
    /// When there is no pattern, or over 4,096, or one is empty or longer than 255 octets.
    pub fn patterns<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, FilterError> {
        let mut taken = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if pattern.is_empty() {
                return Err(FilterError::Empty);
            }
            if pattern.len() > PATTERN_OCTETS_MAX {
                return Err(FilterError::TooLong(pattern.len()));
            }
            if taken.len() == PATTERNS_MAX {
                return Err(FilterError::TooMany);
            }
            taken.push(Pattern(pattern.to_owned()));
        }
        if taken.is_empty() {
            return Err(FilterError::None);
        }
        Ok(Self::Matching(taken))
    }

    /// Whether the interface called `name` is metered.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Matching(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        }
    }

    /// The patterns without `*` and `?`: interfaces that must be there.
    pub(crate) fn exact(&self) -> impl Iterator<Item = &str> {
        let patterns = match self {
            Self::All => &[][..],
            Self::Matching(patterns) => patterns,
        };
        patterns.iter().map(|pattern| pattern.0.as_str()).filter(|text| !text.contains(['*', '?']))
    }
}

impl Pattern {
    /// Whether the pattern matches all of `name`. At worst the product of both lengths in steps.
    fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut p, mut n) = (0, 0);
        // Where to go on after a mismatch: behind the last star, one more character of the name given to it.
        let mut star: Option<(usize, usize)> = None;
        while n < name.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p + 1, n));
                    p += 1;
                }
                Some(c) if *c == '?' || *c == name[n] => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((behind, taken)) = star else { return false };
                    star = Some((behind, taken + 1));
                    p = behind;
                    n = taken + 1;
                }
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a list of patterns is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The list is empty, so that nothing would be metered.
    #[error("the list of interfaces is empty")]
    None,
    /// The list is too long.
    #[error("the list of interfaces has over {PATTERNS_MAX} patterns")]
    TooMany,
    /// A pattern is the empty string, which no name matches.
    #[error("an interface pattern is empty")]
    Empty,
    /// A pattern is longer than any name.
    #[error("an interface pattern has {0} octets, over {PATTERN_OCTETS_MAX}")]
    TooLong(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("eth0", "Eth0", false),
            ("ge-0/0/*", "ge-0/0/1", true),
            ("ge-0/0/*", "ge-0/0/", true),
            ("ge-0/0/*", "ge-0/1/1", false),
            ("*", "anything", true),
            ("*/1", "a/1/1", true),
            ("*/1", "a/1/2", false),
            ("e?h*", "eth", true),
            ("e?h", "eh", false),
            ("**a**", "bab", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c*", "xxaxxcxxbxx", false),
            ("?", "\u{e9}", true),
        ] {
            let filter = InterfaceFilter::patterns([pattern]).unwrap();
            assert_eq!(filter.takes(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn only_plain_names_must_be_there() {
        let filter = InterfaceFilter::patterns(["eth0", "ge-*", "eth?"]).unwrap();
        assert_eq!(filter.exact().collect::<Vec<_>>(), ["eth0"]);
    }

    #[test]
    fn bad_lists_are_refused() {
        assert_eq!(InterfaceFilter::patterns([""; 0]), Err(FilterError::None));
        assert_eq!(InterfaceFilter::patterns([""]), Err(FilterError::Empty));
        assert_eq!(InterfaceFilter::patterns(["x".repeat(256)]), Err(FilterError::TooLong(256)));
        assert_eq!(InterfaceFilter::patterns(vec!["x"; 4097]), Err(FilterError::TooMany));
    }
}
