//! Asks the kernel for the counters of all interfaces over a netlink socket.

use std::io;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use crate::stats::{self, LinkCounters, Progress, StatsError};

/// The buffer for one datagram. The kernel fills at most 32 KiB, whatever is offered; twice that can never cut.
const DATAGRAM_OCTETS_MAX: usize = 65_536;
/// The most datagrams taken for one dump. An answer is about 232 octets and a datagram at least 4 KiB of them,
/// so that 65,536 interfaces fit into 4,096.
const DATAGRAMS_MAX: usize = 4_096;
/// `MSG_TRUNC` of linux/socket.h: report the length that a datagram really had, so that a cut shows.
const MSG_TRUNC: i32 = 0x20;
/// The sequence number of the only request that a socket ever sends here.
const SEQUENCE: u32 = 1;

/// Why there is no dump.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    /// The socket failed.
    #[error("netlink socket")]
    Socket(#[from] io::Error),
    /// The kernel's answer cannot be used.
    #[error(transparent)]
    Answer(#[from] StatsError),
}

/// The counters of all interfaces of the calling thread's network namespace, from one dump, by rising index.
///
/// Every dump has a socket of its own: nothing of an earlier one that was given up can be waiting in it.
/// It never blocks, since the kernel has a datagram ready before it lets the one before it be taken.
pub(crate) fn link_counters() -> Result<Vec<LinkCounters>, DumpError> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    let kernel = SocketAddr::new(0, 0);
    socket.send_to(&stats::request(SEQUENCE), &kernel, 0)?;
    let mut rows = Vec::new();
    let mut datagram = Vec::with_capacity(DATAGRAM_OCTETS_MAX);
    for _ in 0..DATAGRAMS_MAX {
        datagram.clear();
        let (length, sender) = socket.recv_from(&mut datagram, MSG_TRUNC)?;
        if sender.port_number() != 0 {
            continue; // any process may send to our port; only the kernel is believed
        }
        if length > datagram.len() {
            return Err(StatsError::Garbled("a datagram longer than the buffer").into());
        }
        if stats::decode(&datagram, SEQUENCE, &mut rows)? == Progress::Done {
            stats::check_distinct(&mut rows)?;
            return Ok(rows);
        }
    }
    Err(StatsError::Garbled("a dump without an end").into())
}
