//! The bytes of an `RTM_GETSTATS` dump: the request, and its answers decoded without trust.
//!
//! The envelope is read with `netlink-packet-core`. The counters are decoded here, because the decoder of
//! `netlink-packet-route` 0.34 fills a short `rtnl_link_stats64` with zeros, and a zero that nobody counted is a
//! false reset on somebody's bill.

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN,
    NetlinkBuffer, NlasIterator,
};

/// `RTM_NEWSTATS` of linux/rtnetlink.h: one interface's answer.
const RTM_NEWSTATS: u16 = 92;
/// `RTM_GETSTATS` of linux/rtnetlink.h: the question.
const RTM_GETSTATS: u16 = 94;
/// `IFLA_STATS_LINK_64` of linux/if_link.h: the attribute that holds `rtnl_link_stats64`.
const IFLA_STATS_LINK_64: u16 = 1;
/// The filter bit of that attribute, `1 << (IFLA_STATS_LINK_64 - 1)`: the kernel sends nothing else.
const FILTER_LINK_64: u32 = 1;
/// `struct nlmsghdr`: length, type, flags, sequence, port.
const HEADER_OCTETS: usize = 16;
/// `struct if_stats_msg`: family, padding, ifindex, filter mask.
const STATS_HEADER_OCTETS: usize = 12;
/// The request: both headers and no attributes.
const REQUEST_OCTETS: u32 = 28;
/// Netlink messages start on multiples of this.
const ALIGNMENT: usize = 4;
/// The most interfaces taken from a dump: a thousand times a hoster's server, and 3 MB at worst.
pub(crate) const INTERFACES_MAX: usize = 65_536;

/// One interface's counters, known by the kernel's index only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkCounters {
    /// The kernel's number of the interface, above 0.
    pub(crate) index: u32,
    /// Octets received.
    pub(crate) rx_octets: u64,
    /// Octets sent.
    pub(crate) tx_octets: u64,
    /// Packets received.
    pub(crate) rx_packets: u64,
    /// Packets sent.
    pub(crate) tx_packets: u64,
}

/// Whether a dump goes on after a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More datagrams follow.
    More,
    /// This was the last.
    Done,
}

/// Why a datagram is no part of a good dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StatsError {
    /// The set of interfaces changed during the dump: ask again.
    #[error("interfaces changed during the dump")]
    Interrupted,
    /// The kernel answered with this errno.
    #[error("the kernel answered with errno {0}")]
    Refused(i32),
    /// The bytes break the format in the way that the text says.
    #[error("{0}")]
    Garbled(&'static str),
}

/// The request for the 64-bit counters of all interfaces.
pub(crate) fn request(sequence: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_OCTETS + STATS_HEADER_OCTETS);
    bytes.extend_from_slice(&REQUEST_OCTETS.to_ne_bytes());
    bytes.extend_from_slice(&RTM_GETSTATS.to_ne_bytes());
    bytes.extend_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&0_u32.to_ne_bytes()); // port 0: the kernel fills in ours
    bytes.extend_from_slice(&0_u32.to_ne_bytes()); // family and padding
    bytes.extend_from_slice(&0_u32.to_ne_bytes()); // ifindex 0: all
    bytes.extend_from_slice(&FILTER_LINK_64.to_ne_bytes());
    bytes
}

/// Adds what one datagram of the dump says to `rows`.
///
/// Messages of another sequence number are left alone. After an error `rows` holds part of a dump and is of no
/// use.
///
/// # Errors
/// [`StatsError::Interrupted`] when the kernel marks the dump so, [`StatsError::Refused`] when it sends an
/// error, [`StatsError::Garbled`] for anything that the format does not allow: a message, attribute or counter
/// cut short, an answer without counters, an interface twice, more than [`INTERFACES_MAX`] of them.
pub(crate) fn decode(
    datagram: &[u8],
    sequence: u32,
    rows: &mut Vec<LinkCounters>,
) -> Result<Progress, StatsError> {
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkBuffer::new_checked(rest)
            .map_err(|_| StatsError::Garbled("a message is shorter than its header says"))?;
        let length = usize::try_from(message.length()).unwrap_or(rest.len());
        let (kind, flags) = (message.message_type(), message.flags());
        let payload = message.payload();
        if message.sequence_number() == sequence {
            if flags & NLM_F_DUMP_INTR != 0 {
                return Err(StatsError::Interrupted);
            }
            match kind {
                NLMSG_NOOP => {}
                NLMSG_DONE => return done(payload),
                NLMSG_ERROR => return Err(error(payload)),
                NLMSG_OVERRUN => return Err(StatsError::Garbled("the kernel reports data lost")),
                RTM_NEWSTATS => {
                    if rows.len() >= INTERFACES_MAX {
                        return Err(StatsError::Garbled("more interfaces than 65,536"));
                    }
                    rows.push(link(payload)?);
                }
                _ => return Err(StatsError::Garbled("an answer of another kind")),
            }
        }
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    Ok(Progress::More)
}

/// Refuses a dump that shows an interface twice: one of the two must be wrong.
pub(crate) fn check_distinct(rows: &mut [LinkCounters]) -> Result<(), StatsError> {
    rows.sort_unstable_by_key(|row| row.index);
    match rows.windows(2).any(|pair| pair[0].index == pair[1].index) {
        true => Err(StatsError::Garbled("an interface appears twice")),
        false => Ok(()),
    }
}

/// The end of a dump carries 0 or, below 0, an errno; old kernels leave it empty.
fn done(payload: &[u8]) -> Result<Progress, StatsError> {
    match payload.first_chunk().map(|code| i32::from_ne_bytes(*code)) {
        None | Some(0) => Ok(Progress::Done),
        Some(code) => Err(StatsError::Refused(code.saturating_abs())),
    }
}

fn error(payload: &[u8]) -> StatsError {
    match payload.first_chunk().map(|code| i32::from_ne_bytes(*code)) {
        None => StatsError::Garbled("an error without a code"),
        Some(0) => StatsError::Garbled("an acknowledgement that was not asked for"),
        Some(code) => StatsError::Refused(code.saturating_abs()),
    }
}

fn link(payload: &[u8]) -> Result<LinkCounters, StatsError> {
    let short = StatsError::Garbled("an answer shorter than its header");
    let (header, attributes) = payload.split_at_checked(STATS_HEADER_OCTETS).ok_or(short)?;
    let index =
        header.get(4..8).and_then(<[u8]>::first_chunk).map(|b| u32::from_ne_bytes(*b)).ok_or(short)?;
    if index == 0 {
        return Err(StatsError::Garbled("an interface without an index"));
    }
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute.map_err(|_| StatsError::Garbled("an attribute cut short"))?;
        if attribute.kind() == IFLA_STATS_LINK_64 {
            return counters(index, attribute.value());
        }
    }
    Err(StatsError::Garbled("an answer without counters"))
}

/// `rtnl_link_stats64` begins with rx_packets, tx_packets, rx_bytes, tx_bytes; it grows at its end only.
fn counters(index: u32, value: &[u8]) -> Result<LinkCounters, StatsError> {
    let mut words = value.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word));
    let mut next = || words.next().ok_or(StatsError::Garbled("counters cut short"));
    let (rx_packets, tx_packets) = (next()?, next()?);
    let (rx_octets, tx_octets) = (next()?, next()?);
    Ok(LinkCounters { index, rx_octets, tx_octets, rx_packets, tx_packets })
}

#[cfg(test)]
mod tests;
