//! What a collector says of itself with a request, and the headers in which it says so.

use meter95_reading::Timestamp;

use super::{CollectorName, CollectorReport};

/// The header with the collector's name.
pub const COLLECTOR: &str = "Meter95-Collector";

/// The header with the number of readings that wait after those of the request.
pub const UNSENT: &str = "Meter95-Unsent";

/// The header with the time of the oldest of those, in Unix ms; there only if some wait.
pub const OLDEST_UNSENT: &str = "Meter95-Oldest-Unsent";

/// The header of a collector that stops in order and holds nothing: `true`.
pub const STOPPING: &str = "Meter95-Stopping";

/// What a collector says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its name.
    pub name: CollectorName,
    /// Readings that wait after those of the request.
    pub unsent: u64,
    /// The time of the oldest of them; `None` if and only if none waits.
    pub oldest_unsent: Option<Timestamp>,
    /// Whether it stops; none waits then.
    pub stopping: bool,
}

impl Said {
    /// As headers of a request, by name and value.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let always = [(COLLECTOR, self.name.to_string()), (UNSENT, self.unsent.to_string())];
        let oldest = self.oldest_unsent.map(|oldest| (OLDEST_UNSENT, oldest.to_string()));
        let stopping = self.stopping.then(|| (STOPPING, "true".to_owned()));
        always.into_iter().chain(oldest).chain(stopping)
    }

    /// As a report that was received at `at`.
    #[must_use]
    pub fn received(self, at: Timestamp) -> CollectorReport {
        let Self { name, unsent, oldest_unsent, stopping } = self;
        CollectorReport { name, at, unsent, oldest_unsent, stopped: stopping }
    }
}
