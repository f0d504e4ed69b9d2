//! What the cells of one port, from one datagram, say. Pure.

use meter95_reading::{Counters, Timestamp, Width};

use crate::Failure;
use crate::mib::{self, Column, Columns, RX_PACKETS, TX_PACKETS, Value, Varbind};

/// 1,000,000 bit/s, the unit of ifHighSpeed.
const BPS_PER_HIGH_SPEED: u64 = 1_000_000;

/// When a datagram's values were true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The middle of the round trip.
    pub(crate) time: Timestamp,
    /// sysUpTime.0 of the same datagram.
    pub(crate) uptime_cs: u32,
}

/// What became of one port's cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    /// All that a reading needs. With it the columns that the device does not have for this port.
    Read(Counters, Columns),
    /// The port is there, its 64-bit octet counters are not.
    Narrow,
    /// The interface of that name is no longer under this ifIndex: [`Failure::Moved`] or
    /// [`Failure::MissingRow`].
    Gone(Failure),
    /// The cells cannot be used.
    Failed(Failure),
}

/// Reads the cells of `columns` (the column of names first) for the port called `name`. The names of
/// `varbinds` have been compared with those asked for.
pub(crate) fn read(name: &str, columns: &[Column], varbinds: &[Varbind], stamp: Stamp) -> Row {
    let Some((names, varbinds)) = varbinds.split_first() else {
        return Row::Failed(Failure::WrongShape);
    };
    match &names.value {
        Value::Octets(octets) if mib::name(octets) == Some(name) => {}
        Value::Octets(_) => return Row::Gone(Failure::Moved),
        value if value.is_absent() => return Row::Gone(Failure::MissingRow),
        Value::EndOfMibView => return Row::Failed(Failure::EndOfMib),
        _ => return Row::Failed(Failure::WrongType),
    }
    let mut cells = Cells { values: [None; Cells::LEN], absent: Columns::default() };
    for (column, varbind) in columns.iter().skip(1).zip(varbinds) {
        match number(*column, &varbind.value) {
            Ok(Some(value)) => cells.values[*column as usize] = Some(value),
            Ok(None) => cells.absent.insert(*column),
            Err(failure) => return Row::Failed(failure),
        }
    }
    cells.row(columns.contains(&Column::HcInOctets), stamp)
}

/// The number in a cell; none where the device has no such cell.
fn number(column: Column, value: &Value) -> Result<Option<u64>, Failure> {
    match (column, value) {
        (_, Value::NoSuchObject | Value::NoSuchInstance) => Ok(None),
        (_, Value::EndOfMibView) => Err(Failure::EndOfMib),
        (Column::InOctets | Column::OutOctets, Value::Counter32(value))
        | (Column::HighSpeed, Value::Gauge32(value))
        | (Column::Discontinuity, Value::TimeTicks(value)) => Ok(Some(u64::from(*value))),
        (
            Column::HcInOctets
            | Column::HcInUcast
            | Column::HcInMulticast
            | Column::HcInBroadcast
            | Column::HcOutOctets
            | Column::HcOutUcast
            | Column::HcOutMulticast
            | Column::HcOutBroadcast,
            Value::Counter64(value),
        ) => Ok(Some(*value)),
        _ => Err(Failure::WrongType),
    }
}

/// The numbers in a row, by column.
struct Cells {
    values: [Option<u64>; Cells::LEN],
    absent: Columns,
}

impl Cells {
    const LEN: usize = Column::Discontinuity as usize + 1;

    fn get(&self, column: Column) -> Option<u64> {
        self.values[column as usize]
    }

    /// The sum over `columns`, where all of them are there and it is a number that a counter can show.
    fn sum(&self, columns: [Column; 3]) -> Option<u64> {
        columns.into_iter().try_fold(0_u64, |sum, column| sum.checked_add(self.get(column)?))
    }

    fn row(&self, wide: bool, stamp: Stamp) -> Row {
        let (rx, tx, width) = match wide {
            true => (Column::HcInOctets, Column::HcOutOctets, Width::Bits64),
            false => (Column::InOctets, Column::OutOctets, Width::Bits32),
        };
        let (Some(rx_octets), Some(tx_octets)) = (self.get(rx), self.get(tx)) else {
            return if wide { Row::Narrow } else { Row::Failed(Failure::MissingColumn) };
        };
        let counters = Counters {
            time: stamp.time,
            rx_octets,
            tx_octets,
            width,
            uptime_cs: Some(stamp.uptime_cs),
            discontinuity_cs: self.get(Column::Discontinuity).and_then(|value| u32::try_from(value).ok()),
            rx_packets: self.sum(RX_PACKETS),
            tx_packets: self.sum(TX_PACKETS),
            speed_bps: self
                .get(Column::HighSpeed)
                .filter(|speed| *speed > 0)
                .and_then(|speed| speed.checked_mul(BPS_PER_HIGH_SPEED)),
        };
        Row::Read(counters, self.absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { time: Timestamp(1_790_780_132_298), uptime_cs: 77 };
    const WIDE: [Column; 5] =
        [Column::Name, Column::HcInOctets, Column::HcOutOctets, Column::HighSpeed, Column::Discontinuity];

    fn row(columns: &[Column], values: Vec<Value>) -> Row {
        let varbinds: Vec<Varbind> = columns
            .iter()
            .zip(values)
            .map(|(column, value)| Varbind { oid: column.cell(1), value })
            .collect();
        read("eth0", columns, &varbinds, STAMP)
    }

    fn good() -> Vec<Value> {
        vec![
            Value::Octets(b"eth0".to_vec()),
            Value::Counter64(u64::MAX),
            Value::Counter64(0),
            Value::Gauge32(100_000),
            Value::TimeTicks(0),
        ]
    }

    fn with(place: usize, value: Value) -> Vec<Value> {
        let mut values = good();
        values[place] = value;
        values
    }

    #[test]
    fn a_whole_row_is_a_reading() {
        let Row::Read(counters, absent) = row(&WIDE, good()) else { panic!("not read") };
        let expected = Counters {
            time: STAMP.time,
            rx_octets: u64::MAX,
            tx_octets: 0,
            width: Width::Bits64,
            uptime_cs: Some(77),
            discontinuity_cs: Some(0),
            rx_packets: None,
            tx_packets: None,
            speed_bps: Some(100_000_000_000),
        };
        assert_eq!((counters, absent), (expected, Columns::default()));
    }

    #[test]
    fn anything_less_is_none() {
        for (place, value, expected) in [
            (0, Value::Octets(b"eth1".to_vec()), Row::Gone(Failure::Moved)),
            (0, Value::Octets(vec![]), Row::Gone(Failure::Moved)),
            (0, Value::NoSuchInstance, Row::Gone(Failure::MissingRow)),
            (0, Value::EndOfMibView, Row::Failed(Failure::EndOfMib)),
            (0, Value::Integer(1), Row::Failed(Failure::WrongType)),
            (1, Value::NoSuchInstance, Row::Narrow),
            (2, Value::NoSuchObject, Row::Narrow),
            (1, Value::Counter32(7), Row::Failed(Failure::WrongType)),
            (1, Value::Other, Row::Failed(Failure::WrongType)),
            (2, Value::EndOfMibView, Row::Failed(Failure::EndOfMib)),
            (3, Value::Counter32(7), Row::Failed(Failure::WrongType)),
            (4, Value::Gauge32(7), Row::Failed(Failure::WrongType)),
        ] {
            assert_eq!(row(&WIDE, with(place, value.clone())), expected, "{value:?} at {place}");
        }
        assert_eq!(row(&WIDE, vec![]), Row::Failed(Failure::WrongShape));
    }

    #[test]
    fn what_is_optional_may_be_absent() {
        let Row::Read(counters, absent) = row(&WIDE, with(4, Value::NoSuchInstance)) else {
            panic!("not read")
        };
        assert_eq!(counters.discontinuity_cs, None);
        assert!(absent.contains(Column::Discontinuity) && !absent.contains(Column::HighSpeed));
        let Row::Read(counters, _) = row(&WIDE, with(3, Value::Gauge32(0))) else { panic!("not read") };
        assert_eq!(counters.speed_bps, None);
    }

    #[test]
    fn packets_are_the_sum_of_all_kinds_or_none() {
        let columns: Vec<Column> = WIDE.into_iter().chain(RX_PACKETS).chain(TX_PACKETS).collect();
        let mut values = good();
        values.extend([1, 20, 300].map(Value::Counter64));
        values.extend([Value::Counter64(1), Value::NoSuchInstance, Value::Counter64(3)]);
        let Row::Read(counters, _) = row(&columns, values.clone()) else { panic!("not read") };
        assert_eq!((counters.rx_packets, counters.tx_packets), (Some(321), None));
        values[5] = Value::Counter64(u64::MAX);
        let Row::Read(counters, _) = row(&columns, values) else { panic!("not read") };
        assert_eq!(counters.rx_packets, None);
    }

    #[test]
    fn narrow_counters_are_32_bits() {
        let columns = [Column::Name, Column::InOctets, Column::OutOctets];
        let name = Value::Octets(b"eth0\0".to_vec());
        let values = vec![name.clone(), Value::Counter32(u32::MAX), Value::Counter32(5)];
        let Row::Read(counters, _) = row(&columns, values) else { panic!("not read") };
        assert_eq!((counters.rx_octets, counters.width), (u64::from(u32::MAX), Width::Bits32));
        let values = vec![name, Value::NoSuchInstance, Value::Counter32(5)];
        assert_eq!(row(&columns, values), Row::Failed(Failure::MissingColumn));
    }
}
