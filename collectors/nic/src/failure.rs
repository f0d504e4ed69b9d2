//! What can go wrong in a pass: a small enum, to be counted.

use std::fmt;

/// What kept a pass from being whole; small, so that it can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The list of interfaces could not be had.
    ListUnreadable,
    /// The kernel refused the dump of counters, or the socket failed; `/proc` was asked instead.
    DumpRefused,
    /// Interfaces came, went or changed names during every attempt at the dump; `/proc` was asked instead.
    DumpInterrupted,
    /// The dump was not what its format says; `/proc` was asked instead.
    DumpGarbled,
    /// `/proc/net/dev` could not be read.
    TableUnreadable,
    /// `/proc/net/dev` was not what its format says.
    TableGarbled,
    /// The time since boot is not known, so that no reading could be dated.
    UptimeUnknown,
    /// An interface that the operator named does not exist, or has no counters.
    InterfaceMissing,
    /// An interface's name cannot be part of a port's identity.
    NameUnusable,
}

impl FailureKind {
    /// Every kind, for registering counters before the first failure.
    pub const ALL: [Self; 9] = [
        Self::ListUnreadable,
        Self::DumpRefused,
        Self::DumpInterrupted,
        Self::DumpGarbled,
        Self::TableUnreadable,
        Self::TableGarbled,
        Self::UptimeUnknown,
        Self::InterfaceMissing,
        Self::NameUnusable,
    ];

    /// A constant lower-case word for logs and metric labels.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ListUnreadable => "list_unreadable",
            Self::DumpRefused => "dump_refused",
            Self::DumpInterrupted => "dump_interrupted",
            Self::DumpGarbled => "dump_garbled",
            Self::TableUnreadable => "table_unreadable",
            Self::TableGarbled => "table_garbled",
            Self::UptimeUnknown => "uptime_unknown",
            Self::InterfaceMissing => "interface_missing",
            Self::NameUnusable => "name_unusable",
        }
    }
}

/// One failure with what a person needs to look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What to count.
    pub kind: FailureKind,
    /// The value or the cause behind it.
    pub detail: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, detail: impl fmt::Display) -> Self {
        Self { kind, detail: detail.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.label(), self.detail)
    }
}

impl std::error::Error for Failure {}
