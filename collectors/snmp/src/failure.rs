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
    /// The device refuses these credentials what was asked (noAccess, authorizationError, a report of SNMPv3 that none
    /// of those below stands for).
    Denied,
    /// The device reports that it has no such user of SNMPv3 (usmStatsUnknownUserNames, RFC 3414).
    UnknownUser,
    /// The device reports that a message's signature is wrong (usmStatsWrongDigests): another authentication password
    /// or protocol.
    WrongAuth,
    /// The device takes signatures but cannot read what is encrypted: it reports so (usmStatsDecryptionErrors), or is
    /// silent, which is what most do. Another privacy password or protocol.
    WrongPrivacy,
    /// The device reports that it does not have this user with such protection (usmStatsUnsupportedSecLevels).
    SecurityLevel,
    /// The device reports that a message is out of its time window (usmStatsNotInTimeWindows), and goes on doing so:
    /// its clock or its count of boots went back. It is asked for its identity afresh.
    NotInTime,
    /// The device reports that its engine ID is another one (usmStatsUnknownEngineIDs): it was replaced, or set up
    /// anew. It is asked for its identity afresh.
    UnknownEngine,
    /// The device answers with any other error-status, such as genErr.
    AgentError,
    /// The request could not be sent: no route, not permitted, or no such address family on this host.
    Unreachable,
}

impl Failure {
    /// All of them, in order of declaration.
    pub const ALL: [Self; 24] = [
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
        Self::UnknownUser,
        Self::WrongAuth,
        Self::WrongPrivacy,
        Self::SecurityLevel,
        Self::NotInTime,
        Self::UnknownEngine,
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
            Self::UnknownUser => "unknown_user",
            Self::WrongAuth => "wrong_auth",
            Self::WrongPrivacy => "wrong_privacy",
            Self::SecurityLevel => "security_level",
            Self::NotInTime => "not_in_time",
            Self::UnknownEngine => "unknown_engine",
            Self::AgentError => "agent_error",
            Self::Unreachable => "unreachable",
        }
    }

    /// What it means, for people who ask one device.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Timeout => {
                "no answer came; the address, the community or the version of SNMP may be wrong, or the device allows \
                 nobody from here"
            }
            Self::Malformed => "what came is no SNMP message",
            Self::Deadline => "it takes too long",
            Self::WrongShape => "the device answers with other names than those that were asked for",
            Self::WrongType => "the device answers with a value of another type than its MIB has",
            Self::MissingRow => "the device has no such interface",
            Self::MissingColumn => "the device has no octet counters for the interface",
            Self::Moved => "another interface has the interface's number now",
            Self::DuplicateName => "interfaces of the device share a name",
            Self::Unnamed => "the interface has no name",
            Self::TooBig => "the device cannot fit one row into an answer",
            Self::EndOfMib => "the device ends its MIB where it cannot end",
            Self::Loop => "the device's table does not go forward",
            Self::TableTooLong => "the device's table has no end",
            Self::EmptyTable => "the device lists no interface with a name",
            Self::Denied => "the device refuses what was asked; allow the user or community to read IF-MIB",
            Self::UnknownUser => "the device knows no user of this name",
            Self::WrongAuth => "the authentication password or protocol is wrong",
            Self::WrongPrivacy => "the privacy password or protocol is wrong",
            Self::SecurityLevel => "the device has this user without the protection that was asked for",
            Self::NotInTime => "the device's clock or count of boots went back",
            Self::UnknownEngine => "the device's engine ID is another one than it was",
            Self::AgentError => "the device answers with an error",
            Self::Unreachable => "the request cannot be sent",
        }
    }

    /// Whether asking again at once may help: the datagram, not the device, is what failed, or what is known of the
    /// device's engine.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Timeout | Self::Malformed | Self::NotInTime | Self::UnknownEngine)
    }

    /// Whether the user or its keys are refused, so that nothing else can be asked either.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::UnknownUser | Self::WrongAuth | Self::WrongPrivacy | Self::SecurityLevel)
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
