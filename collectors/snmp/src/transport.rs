//! The seam to SNMP itself. Everything else asks through [`Session`] and never sees the library, so that the
//! library, or the version of SNMP, can be changed in [`udp`] alone.

pub(crate) mod socket;
pub(crate) mod udp;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;
use crate::mib::{Oid, Varbind};

/// One request, which is one datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// The values of exactly these names.
    Get(&'a [Oid]),
    /// Up to `rows` values after the name `from`.
    Next {
        /// Where to go on from.
        from: &'a Oid,
        /// How many at most.
        rows: u32,
    },
}

/// What a device answered to one request, in one datagram. Nothing about it is checked but that it is well
/// formed, comes from the device's address and carries the request's id.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The names and values, as the device put them.
    pub(crate) varbinds: Vec<Varbind>,
    /// When the datagram was taken up, before it was decoded.
    pub(crate) arrived: Instant,
    /// From sending the request to `arrived`.
    pub(crate) round_trip: Duration,
    /// Answers to the same request that came before and could not be decoded.
    pub(crate) rejected: u32,
}

/// A device that can be asked.
pub(crate) trait Session: Send + Sync {
    /// Sends one request once and waits for its answer. Every call has a request-id of its own, so an answer
    /// that comes too late is never taken for that of a later attempt, and round trips are what they seem.
    fn ask(&self, ask: Ask<'_>) -> impl Future<Output = Result<Answer, Failure>> + Send;
}
