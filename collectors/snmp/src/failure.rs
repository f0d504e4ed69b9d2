//! What can go wrong in a pass: a small enum, to be counted.

use std::fmt;

/// Why something that was asked of a device gave no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// No answer came in time. That is also what a wrong community looks like, and a device that answers from
    /// another address than the one asked: configure the address that it answers from.
    Timeout,
    /// Datagrams came from the device that are no SNMP message, strictly read.
    Malformed,
    /// The pass's deadline came before the answer.
    Deadline,
    /// An answer whose names or number of values are not those that were asked for.
    WrongShape,
    /// A value of another type than its MIB object has.
    WrongType,
    /// The device has no row for the interface any more (or has no interface of that name).
    MissingRow,
    /// The row has no octet counters, or lacks the 64-bit ones that it had before.
    MissingColumn,
    /// Another interface is now under the ifIndex. Counted even where the port was found again and read.
    Moved,
    /// Two or more interfaces of the device have this name, so none of them is metered.
    DuplicateName,
    /// An interface whose name is empty, or no text; it cannot be told from others, so it is not metered.
    Unnamed,
    /// The device cannot fit one port's columns, or one row of a walk, into an answer.
    TooBig,
    /// The device ends its MIB where it cannot end.
    EndOfMib,
    /// A walk does not go forward.
    Loop,
    /// A walk goes on beyond every plausible number of interfaces.
    TableTooLong,
    /// The device lists no interface with a name.
    EmptyTable,
    /// The device refuses these credentials what was asked (noAccess, authorizationError, a v3 report).
    Denied,
    /// The device answers with any other error-status, such as genErr.
    AgentError,
    /// The request could not be sent: no route, not permitted, or no such address family on this host.
    Unreachable,
}

impl Failure {
    /// All of them, in order of declaration.
    pub const ALL: [Self; 18] = [
        Self::Timeout,
        Self::Malformed,
        Self::Deadline,
        Self::WrongShape,
        Self::WrongType,
        Self::MissingRow,
        Self::MissingColumn,
        Self::Moved,
        Self::DuplicateName,
        Self::Unnamed,
        Self::TooBig,
        Self::EndOfMib,
        Self::Loop,
        Self::TableTooLong,
        Self::EmptyTable,
        Self::Denied,
        Self::AgentError,
        Self::Unreachable,
    ];

    /// The word for it in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Malformed => "malformed",
            Self::Deadline => "deadline",
            Self::WrongShape => "wrong_shape",
            Self::WrongType => "wrong_type",
            Self::MissingRow => "missing_row",
            Self::MissingColumn => "missing_column",
            Self::Moved => "moved",
            Self::DuplicateName => "duplicate_name",
            Self::Unnamed => "unnamed",
            Self::TooBig => "too_big",
            Self::EndOfMib => "end_of_mib",
            Self::Loop => "loop",
            Self::TableTooLong => "table_too_long",
            Self::EmptyTable => "empty_table",
            Self::Denied => "denied",
            Self::AgentError => "agent_error",
            Self::Unreachable => "unreachable",
        }
    }

    /// Whether asking again at once may help: the datagram, not the device, is what failed.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Timeout | Self::Malformed)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Failure {}

/// How often each [`Failure`] happened: one count a request that failed or a row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailureCounts([u64; Failure::ALL.len()]);

impl FailureCounts {
    /// How often `failure` happened.
    #[must_use]
    pub fn get(&self, failure: Failure) -> u64 {
        self.0[failure as usize]
    }

    /// How many failures there were of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Those that happened, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Failure, u64)> {
        Failure::ALL.into_iter().map(|failure| (failure, self.get(failure))).filter(|(_, count)| *count > 0)
    }

    /// Counts one `failure`.
    pub(crate) fn add(&mut self, failure: Failure) {
        self.add_many(failure, 1);
    }

    /// Counts `count` times `failure`.
    pub(crate) fn add_many(&mut self, failure: Failure, count: u64) {
        let slot = &mut self.0[failure as usize];
        *slot = slot.saturating_add(count);
    }

    /// Counts all of `other`.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (failure, count) in other.iter() {
            self.add_many(failure, count);
        }
    }
}

impl fmt::Display for FailureCounts {
    /// `timeout 2, moved 1`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (failure, count) in self.iter() {
            write!(f, "{separator}{failure} {count}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_each_once_at_its_own_place() {
        for (place, failure) in Failure::ALL.into_iter().enumerate() {
            assert_eq!(failure as usize, place);
        }
    }

    #[test]
    fn counts_add_up() {
        let mut counts = FailureCounts::default();
        assert_eq!(counts.to_string(), "none");
        counts.add(Failure::Moved);
        counts.add_many(Failure::Timeout, 2);
        let mut all = counts.clone();
        all.extend(&counts);
        assert_eq!((all.get(Failure::Timeout), all.total()), (4, 6));
        assert_eq!(counts.to_string(), "timeout 2, moved 1");
    }
}
