//! ClickHouse's version numbers, and which engine may open which data.

use std::fmt;

use super::EngineError;
use super::layout::{self, Layout};

/// A ClickHouse release: year and month tell what it can read, the rest are repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number, the year.
    pub year: u32,
    /// The second number, the release in that year.
    pub release: u32,
}

/// The oldest `clickhouse` that is started: the oldest whose SQL and formats the store was written for.
pub const SERVER_VERSION_MIN: Version = Version { year: 24, release: 8 };

impl Version {
    /// The first `NN.NN` in `text`, as `clickhouse --version` prints it amid other words.
    ///
    /// `"ClickHouse local version 24.8.4.13 (official build)."` is 24.8.
    #[must_use]
    pub fn find(text: &str) -> Option<Version> {
        text.split(|c: char| c.is_whitespace() || c == 'v').find_map(|word| {
            let mut numbers = word.split('.');
            let year = numbers.next()?.parse().ok()?;
            let release = numbers.next()?.parse().ok()?;
            Some(Version { year, release })
        })
    }

    /// The version of the newest engine that opened the data, `None` for data that no engine has opened yet.
    pub(super) fn of_data(layout: &Layout) -> Result<Option<Version>, EngineError> {
        let path = layout.version();
        match std::fs::read_to_string(&path) {
            Ok(text) => Version::find(&text).map(Some).ok_or_else(|| {
                let e =
                    std::io::Error::new(std::io::ErrorKind::InvalidData, format!("no version in {text:?}"));
                EngineError::io("read", &path, e)
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(EngineError::io("read", &path, e)),
        }
    }

    /// Refuses data that a newer engine has opened: an older one may not know its formats, and would set parts aside
    /// as broken.
    pub(super) fn may_open(self, layout: &Layout) -> Result<(), EngineError> {
        match Version::of_data(layout)? {
            Some(data) if data > self => {
                Err(EngineError::DataIsNewer { dir: layout.data_dir.clone(), data, engine: self })
            }
            _ => Ok(()),
        }
    }

    /// Notes that this engine has opened the data.
    pub(super) fn note(self, layout: &Layout) -> Result<(), EngineError> {
        if Version::of_data(layout)? == Some(self) {
            return Ok(());
        }
        layout::replace(&layout.version(), &self.to_string())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.year, self.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let check = |text: &str, want: Option<(u32, u32)>| {
            assert_eq!(Version::find(text).map(|v| (v.year, v.release)), want, "{text}");
        };
        check("ClickHouse local version 24.8.4.13 (official build).", Some((24, 8)));
        check("ClickHouse client version 18.16.1.", Some((18, 16)));
        check("ClickHouse server version 25.10.1.3832", Some((25, 10)));
        check("v26.7.3-stable", Some((26, 7)));
        check("26.7.2.1\n", Some((26, 7)));
        check("no such command", None);
        check("", None);
        assert!(Version { year: 25, release: 10 } > Version { year: 25, release: 9 });
    }

    #[test]
    fn data_of_a_newer_engine_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        let (old, new) = (Version { year: 25, release: 3 }, Version { year: 26, release: 7 });
        old.may_open(&layout).unwrap();
        new.note(&layout).unwrap();
        new.may_open(&layout).unwrap();
        let error = old.may_open(&layout).unwrap_err();
        assert!(error.to_string().contains("26.7") && error.to_string().contains("25.3"), "{error}");
    }
}
