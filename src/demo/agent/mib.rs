//! Which objects a simulated switch has, and their values.

use async_snmp::handler::OidTable;
use async_snmp::{Oid, Value};
use meter95_reading::Timestamp;

use crate::demo::site::Switch;
use crate::demo::view::View;

/// mib-2, below which all of them are.
pub(super) const ROOT: [u32; 6] = [1, 3, 6, 1, 2, 1];
/// Enterprise 99999 is nobody's; the agent must not pass for a real product.
const SYS_OBJECT_ID: [u32; 9] = [1, 3, 6, 1, 4, 1, 99_999, 95, 1];
/// ethernetCsmacd of IANAifType.
const ETHERNET: i32 = 6;
const UP: i32 = 1;
const DOWN: i32 = 2;
const MTU: i32 = 1_514;
const BPS_PER_MBPS: u64 = 1_000_000;

/// One object instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// Of the system group, or ifNumber.
    Scalar(Scalar),
    /// A column of the port at this position.
    Port(usize, Column),
}

/// The objects that a switch has once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Descr,
    ObjectId,
    UpTime,
    Name,
    Location,
    IfNumber,
}

/// The objects that each port has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Index,
    Descr,
    Type,
    Mtu,
    Speed,
    AdminStatus,
    OperStatus,
    InOctets,
    OutOctets,
    Name,
    HcInOctets,
    HcInUcast,
    HcInMulticast,
    HcInBroadcast,
    HcOutOctets,
    HcOutUcast,
    HcOutMulticast,
    HcOutBroadcast,
    HighSpeed,
    Alias,
    Discontinuity,
}

/// Below mib-2: the scalars with their instance.
const SCALARS: [(&[u32], Scalar); 6] = [
    (&[1, 1, 0], Scalar::Descr),
    (&[1, 2, 0], Scalar::ObjectId),
    (&[1, 3, 0], Scalar::UpTime),
    (&[1, 5, 0], Scalar::Name),
    (&[1, 6, 0], Scalar::Location),
    (&[2, 1, 0], Scalar::IfNumber),
];

/// Below mib-2: the columns of ifTable and ifXTable, without the ifIndex that ends them.
const COLUMNS: [(&[u32], Column); 21] = [
    (&[2, 2, 1, 1], Column::Index),
    (&[2, 2, 1, 2], Column::Descr),
    (&[2, 2, 1, 3], Column::Type),
    (&[2, 2, 1, 4], Column::Mtu),
    (&[2, 2, 1, 5], Column::Speed),
    (&[2, 2, 1, 7], Column::AdminStatus),
    (&[2, 2, 1, 8], Column::OperStatus),
    (&[2, 2, 1, 10], Column::InOctets),
    (&[2, 2, 1, 16], Column::OutOctets),
    (&[31, 1, 1, 1, 1], Column::Name),
    (&[31, 1, 1, 1, 6], Column::HcInOctets),
    (&[31, 1, 1, 1, 7], Column::HcInUcast),
    (&[31, 1, 1, 1, 8], Column::HcInMulticast),
    (&[31, 1, 1, 1, 9], Column::HcInBroadcast),
    (&[31, 1, 1, 1, 10], Column::HcOutOctets),
    (&[31, 1, 1, 1, 11], Column::HcOutUcast),
    (&[31, 1, 1, 1, 12], Column::HcOutMulticast),
    (&[31, 1, 1, 1, 13], Column::HcOutBroadcast),
    (&[31, 1, 1, 1, 15], Column::HighSpeed),
    (&[31, 1, 1, 1, 18], Column::Alias),
    (&[31, 1, 1, 1, 19], Column::Discontinuity),
];

/// Everything that a switch answers.
pub(super) fn cells(switch: &Switch) -> OidTable<Cell> {
    let mut cells = OidTable::with_capacity(SCALARS.len() + COLUMNS.len() * switch.ports.len());
    for (below, scalar) in SCALARS {
        cells.insert(oid(below, None), Cell::Scalar(scalar));
    }
    for (below, column) in COLUMNS {
        for (at, port) in switch.ports.iter().enumerate() {
            cells.insert(oid(below, Some(port.if_index)), Cell::Port(at, column));
        }
    }
    cells
}

/// Whether `oid` is below a column or scalar that switches have, and lacks only this instance.
pub(super) fn is_column(oid: &Oid) -> bool {
    let scalars = SCALARS.iter().map(|(below, _)| &below[..below.len() - 1]);
    let mut known = COLUMNS.iter().map(|(below, _)| *below).chain(scalars);
    oid.arcs().strip_prefix(&ROOT).is_some_and(|rest| known.any(|below| rest.starts_with(below)))
}

fn oid(below: &[u32], instance: Option<u32>) -> Oid {
    Oid::new(ROOT.into_iter().chain(below.iter().copied()).chain(instance))
}

impl Cell {
    /// The value at `at`. Null for a port that does not exist, which no cell names.
    pub(super) fn value(self, view: &mut View, switch: usize, at: Timestamp) -> Value {
        match self {
            Self::Scalar(scalar) => scalar.value(view, switch, at),
            Self::Port(port, column) => column.value(view, (switch, port), at),
        }
    }
}

impl Scalar {
    fn value(self, view: &View, switch: usize, at: Timestamp) -> Value {
        let Some(found) = view.site().switches.get(switch) else {
            return Value::Null;
        };
        match self {
            Self::Descr => text(&format!("meter95 demo switch, {} ports", found.ports.len())),
            Self::ObjectId => Value::ObjectIdentifier(Oid::from_slice(&SYS_OBJECT_ID)),
            Self::UpTime => Value::TimeTicks(view.uptime_cs(switch, at)),
            Self::Name => text(&found.name),
            Self::Location => text(found.region),
            Self::IfNumber => Value::Integer(i32::try_from(found.ports.len()).unwrap_or(i32::MAX)),
        }
    }
}

impl Column {
    fn value(self, view: &mut View, (switch, port): (usize, usize), at: Timestamp) -> Value {
        let site = std::sync::Arc::clone(view.site());
        let Some(found) = site.switches.get(switch).and_then(|switch| switch.ports.get(port)) else {
            return Value::Null;
        };
        let mut moved = || view.moved(switch, port, at);
        match self {
            Self::Index => Value::Integer(i32::try_from(found.if_index).unwrap_or(i32::MAX)),
            Self::Descr | Self::Name => text(found.key.interface()),
            Self::Type => Value::Integer(ETHERNET),
            Self::Mtu => Value::Integer(MTU),
            Self::Speed => Value::Gauge32(u32::try_from(found.speed_bps).unwrap_or(u32::MAX)),
            Self::AdminStatus => Value::Integer(UP),
            Self::OperStatus => Value::Integer(if found.up { UP } else { DOWN }),
            Self::InOctets => Value::Counter32(low_bits(moved().rx)),
            Self::OutOctets => Value::Counter32(low_bits(moved().tx)),
            Self::HcInOctets => Value::Counter64(moved().rx),
            Self::HcInUcast => Value::Counter64(moved().packets().0.unicast),
            Self::HcInMulticast => Value::Counter64(moved().packets().0.multicast),
            Self::HcInBroadcast => Value::Counter64(moved().packets().0.broadcast),
            Self::HcOutOctets => Value::Counter64(moved().tx),
            Self::HcOutUcast => Value::Counter64(moved().packets().1.unicast),
            Self::HcOutMulticast => Value::Counter64(moved().packets().1.multicast),
            Self::HcOutBroadcast => Value::Counter64(moved().packets().1.broadcast),
            Self::HighSpeed => {
                Value::Gauge32(u32::try_from(found.speed_bps / BPS_PER_MBPS).unwrap_or(u32::MAX))
            }
            Self::Alias => text(&found.alias),
            Self::Discontinuity => Value::TimeTicks(0),
        }
    }
}

fn text(text: &str) -> Value {
    Value::OctetString(text.to_owned().into())
}

/// What a Counter32 shows of a count that has wrapped as often as it had to.
fn low_bits(octets: u64) -> u32 {
    u32::try_from(octets & u64::from(u32::MAX)).unwrap_or(0)
}
