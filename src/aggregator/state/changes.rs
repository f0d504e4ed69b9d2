//! Which servers' figures have changed since when: each change has a number, and each server the number of its last one.
//!
//! Who keeps figures asks for the servers with a higher number than he has seen. What changes all servers alike is not
//! numbered here: another inventory, another month, and a slot whose grace is over, which counts for servers that were
//! never read.

use meter95_reading::Timestamp;

use crate::aggregator::output::ServerId;

/// The numbers of changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// The number of the last change.
    count: u64,
    /// By server: the number of its last change; 0 for one that never changed, also where it is left out.
    by_server: Vec<u64>,
    /// How many of them changed samples of months gone by.
    gone_by: u64,
    /// When the last of those was.
    gone_by_at: Option<Timestamp>,
}

impl Changes {
    /// Notes a change of a server's figures; of a month gone by where it says `gone_by`, then.
    pub(super) fn note(&mut self, id: ServerId, gone_by: Option<Timestamp>) {
        self.count += 1;
        if self.by_server.len() <= id.index() {
            self.by_server.resize(id.index() + 1, 0);
        }
        if let Some(number) = self.by_server.get_mut(id.index()) {
            *number = self.count;
        }
        if gone_by.is_some() {
            self.gone_by += 1;
            self.gone_by_at = gone_by;
        }
    }

    /// The number of the last change.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number of the last change of a server; 0 before the first.
    #[must_use]
    pub fn of(&self, id: ServerId) -> u64 {
        self.by_server.get(id.index()).copied().unwrap_or(0)
    }

    /// How many changes there were of samples of months gone by, and when the last one was.
    #[must_use]
    pub fn gone_by(&self) -> (u64, Option<Timestamp>) {
        (self.gone_by, self.gone_by_at)
    }
}
