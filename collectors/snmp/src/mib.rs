//! The objects that are asked for: sysUpTime and the columns of ifTable and ifXTable (RFC 2863), and the few
//! kinds of values that they have.

/// An object identifier, ordered as SNMP orders them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Oid(pub(crate) Vec<u32>);

/// sysUpTime.0, hundredths of a second since the agent started, TimeTicks.
pub(crate) const SYS_UP_TIME: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 3, 0];

/// sysUpTime.0 as an [`Oid`].
pub(crate) fn sys_up_time() -> Oid {
    Oid(SYS_UP_TIME.to_vec())
}

/// A name with the value that an agent gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Varbind {
    /// What the value belongs to.
    pub(crate) oid: Oid,
    /// The value or why there is none.
    pub(crate) value: Value,
}

/// The values that the columns can have; everything else is [`Value::Other`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// INTEGER, for enumerations.
    Integer(i32),
    /// OCTET STRING, for names.
    Octets(Vec<u8>),
    /// Counter32.
    Counter32(u32),
    /// Gauge32.
    Gauge32(u32),
    /// TimeTicks, hundredths of a second.
    TimeTicks(u32),
    /// Counter64.
    Counter64(u64),
    /// The agent has no such object at all.
    NoSuchObject,
    /// The agent has the object, but not for this index.
    NoSuchInstance,
    /// There is nothing after the name that was asked for.
    EndOfMibView,
    /// A value of a type that no column here has.
    Other,
}

impl Value {
    /// Whether the agent says that it has no value under that name.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::NoSuchObject | Self::NoSuchInstance)
    }
}

/// A column of ifTable or ifXTable, indexed by ifIndex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Column {
    /// ifDescr, DisplayString.
    Descr,
    /// ifType, IANAifType.
    Type,
    /// ifOperStatus, INTEGER.
    OperStatus,
    /// ifInOctets, Counter32.
    InOctets,
    /// ifOutOctets, Counter32.
    OutOctets,
    /// ifName, DisplayString.
    Name,
    /// ifHCInOctets, Counter64.
    HcInOctets,
    /// ifHCInUcastPkts, Counter64.
    HcInUcast,
    /// ifHCInMulticastPkts, Counter64.
    HcInMulticast,
    /// ifHCInBroadcastPkts, Counter64.
    HcInBroadcast,
    /// ifHCOutOctets, Counter64.
    HcOutOctets,
    /// ifHCOutUcastPkts, Counter64.
    HcOutUcast,
    /// ifHCOutMulticastPkts, Counter64.
    HcOutMulticast,
    /// ifHCOutBroadcastPkts, Counter64.
    HcOutBroadcast,
    /// ifHighSpeed, Gauge32, in 1,000,000 bit/s.
    HighSpeed,
    /// ifAlias, DisplayString.
    Alias,
    /// ifCounterDiscontinuityTime, TimeStamp: the sysUpTime of the last disturbance, 0 for none.
    Discontinuity,
}

impl Column {
    /// The name of the column, without an index.
    pub(crate) fn prefix(self) -> &'static [u32] {
        match self {
            Self::Descr => &[1, 3, 6, 1, 2, 1, 2, 2, 1, 2],
            Self::Type => &[1, 3, 6, 1, 2, 1, 2, 2, 1, 3],
            Self::OperStatus => &[1, 3, 6, 1, 2, 1, 2, 2, 1, 8],
            Self::InOctets => &[1, 3, 6, 1, 2, 1, 2, 2, 1, 10],
            Self::OutOctets => &[1, 3, 6, 1, 2, 1, 2, 2, 1, 16],
            Self::Name => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1],
            Self::HcInOctets => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6],
            Self::HcInUcast => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7],
            Self::HcInMulticast => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 8],
            Self::HcInBroadcast => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 9],
            Self::HcOutOctets => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10],
            Self::HcOutUcast => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 11],
            Self::HcOutMulticast => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 12],
            Self::HcOutBroadcast => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 13],
            Self::HighSpeed => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15],
            Self::Alias => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18],
            Self::Discontinuity => &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 19],
        }
    }

    /// The name of the column itself, where a walk of it begins.
    pub(crate) fn oid(self) -> Oid {
        Oid(self.prefix().to_vec())
    }

    /// The name of the column's cell for the interface `index`.
    pub(crate) fn cell(self, index: u32) -> Oid {
        let prefix = self.prefix();
        let mut arcs = Vec::with_capacity(prefix.len() + 1);
        arcs.extend_from_slice(prefix);
        arcs.push(index);
        Oid(arcs)
    }
}

/// A set of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Columns(u32);

impl Columns {
    /// Adds `column`.
    pub(crate) fn insert(&mut self, column: Column) {
        self.0 |= 1 << (column as u8);
    }

    /// Adds all of `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether `column` is in the set.
    pub(crate) fn contains(self, column: Column) -> bool {
        self.0 & (1 << (column as u8)) != 0
    }
}

/// The columns that make up the count of packets received.
pub(crate) const RX_PACKETS: [Column; 3] = [Column::HcInUcast, Column::HcInMulticast, Column::HcInBroadcast];

/// The columns that make up the count of packets sent.
pub(crate) const TX_PACKETS: [Column; 3] =
    [Column::HcOutUcast, Column::HcOutMulticast, Column::HcOutBroadcast];

/// The longest name of an interface that is taken, in octets: ifName is a DisplayString (SIZE (0..255)).
const NAME_OCTETS_MAX: usize = 255;

/// The text of a DisplayString as a name: without the NULs that some agents end it with, in UTF-8, without
/// control characters, 1 to 255 octets. `None` for anything else, since two different strings of octets must
/// never become one name.
pub(crate) fn name(octets: &[u8]) -> Option<&str> {
    let end = octets.iter().rposition(|octet| *octet != 0)? + 1;
    let text = std::str::from_utf8(&octets[..end]).ok()?;
    (text.len() <= NAME_OCTETS_MAX && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_or_nothing() {
        for (octets, expected) in [
            (&b"ge-0/0/1"[..], Some("ge-0/0/1")),
            (b"Vlan 7", Some("Vlan 7")),
            (b"eth0\0", Some("eth0")),
            ("prt\u{e9}".as_bytes(), Some("prt\u{e9}")),
            (b"", None),
            (b"\0\0", None),
            (b"a\0b", None),
            (b"a\nb", None),
            (b"\xff\xfe", None),
            (&[b'x'; 256], None),
            (&[b'x'; 255], Some(std::str::from_utf8(&[b'x'; 255]).unwrap())),
        ] {
            assert_eq!(name(octets), expected, "{octets:?}");
        }
    }

    #[test]
    fn cells_follow_their_column() {
        assert_eq!(Column::HcInOctets.cell(7).0, [1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 7]);
        assert!(Column::HcInOctets.oid() < Column::HcInOctets.cell(0));
        assert!(Column::HcInOctets.cell(u32::MAX) < Column::HcInUcast.oid());
    }
}
