//! Which interface has which ifIndex today, and what is known of each port. Pure.

use std::collections::HashMap;

use meter95_reading::{PortKey, Width};

use crate::Device;
use crate::mib::{Column, Columns, RX_PACKETS, TX_PACKETS};
use crate::walk::Listing;

/// A port that showed 64-bit counters before must lack them in so many passes in a row before its 32-bit ones
/// are taken: the two cannot be compared, so a single odd answer must not cost two stretches of traffic.
const WIDE_MISSES_MAX: u8 = 3;

/// One port that is metered.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    /// Its identity.
    pub(crate) key: PortKey,
    /// Its ifIndex for now.
    pub(crate) index: u32,
    /// The counters that are asked for.
    pub(crate) width: Width,
    /// Columns that the device has shown not to have for it; not asked for until the next listing.
    pub(crate) absent: Columns,
    /// Whether it ever showed 64-bit counters.
    wide_seen: bool,
    /// In how many passes in a row it has lacked them.
    wide_misses: u8,
}

impl Port {
    /// The columns to ask for, that of names first.
    pub(crate) fn columns(&self, names: Column, packets: bool) -> Vec<Column> {
        let mut columns = Vec::with_capacity(11);
        columns.push(names);
        match self.width {
            Width::Bits64 => columns.extend([Column::HcInOctets, Column::HcOutOctets]),
            Width::Bits32 => columns.extend([Column::InOctets, Column::OutOctets]),
        }
        let optional = [Column::HighSpeed, Column::Discontinuity].into_iter();
        let packets = RX_PACKETS.into_iter().chain(TX_PACKETS).filter(|_| packets);
        columns.extend(optional.chain(packets).filter(|column| !self.absent.contains(*column)));
        columns
    }

    /// Notes a row that was read.
    pub(crate) fn was_read(&mut self, absent: Columns) {
        self.absent.extend(absent);
        if self.width == Width::Bits64 {
            self.wide_seen = true;
            self.wide_misses = 0;
        }
    }

    /// Notes that 64-bit counters are lacking. Returns whether the 32-bit ones are to be asked for now.
    pub(crate) fn lacks_wide(&mut self) -> bool {
        self.wide_misses = self.wide_misses.saturating_add(1);
        let narrow = !self.wide_seen || self.wide_misses >= WIDE_MISSES_MAX;
        if narrow {
            self.width = Width::Bits32;
        }
        narrow
    }
}

/// The metered ports of a device.
#[derive(Debug, Clone)]
pub(crate) struct PortMap {
    /// The column that names come from.
    pub(crate) names: Column,
    /// The ports by ascending ifIndex; no two have the same name or index.
    pub(crate) ports: Vec<Port>,
    /// Names that would be metered but that several interfaces have.
    pub(crate) duplicates: Vec<String>,
    /// Interfaces that are to be metered by name and that the device does not have.
    pub(crate) missing: Vec<String>,
    /// How many interfaces have no usable name. Not counted where only some interfaces are metered.
    pub(crate) unnamed: usize,
}

impl PortMap {
    /// Makes the map of `device` from a listing. What was learnt of ports `before` is kept, but each is asked
    /// for all columns afresh.
    pub(crate) fn new(device: &Device, listing: &Listing, before: Option<&Self>) -> Self {
        let mut times: HashMap<&str, u32> = HashMap::new();
        for name in listing.rows.iter().filter_map(|(_, name)| name.as_deref()) {
            *times.entry(name).or_default() += 1;
        }
        let before: HashMap<&PortKey, &Port> =
            before.iter().flat_map(|map| &map.ports).map(|port| (&port.key, port)).collect();

        let all = matches!(device.interfaces(), crate::InterfaceFilter::All);
        let mut map =
            Self { names: listing.column, ports: vec![], duplicates: vec![], missing: vec![], unnamed: 0 };
        for (index, name) in &listing.rows {
            let key = name.as_deref().and_then(|name| PortKey::new(device.name(), name).ok());
            let Some(key) = key else {
                map.unnamed += usize::from(all);
                continue;
            };
            if !device.interfaces().takes(key.interface()) {
                continue;
            }
            if times.get(key.interface()).is_some_and(|times| *times > 1) {
                map.duplicates.push(key.interface().to_owned());
                continue;
            }
            let known = before.get(&key);
            map.ports.push(Port {
                index: *index,
                width: Width::Bits64,
                absent: Columns::default(),
                wide_seen: known.is_some_and(|port| port.wide_seen),
                wide_misses: known.map_or(0, |port| port.wide_misses),
                key,
            });
        }
        map.duplicates.sort_unstable();
        map.duplicates.dedup();
        let missing = device.interfaces().exact().filter(|name| !times.contains_key(name));
        map.missing = missing.map(str::to_owned).collect();
        map
    }

    /// How many ports ought to give a reading.
    pub(crate) fn expected(&self) -> usize {
        self.ports.len() + self.duplicates.len() + self.missing.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, InterfaceFilter, Secret};

    fn device(patterns: &[&str]) -> Device {
        let credentials = Credentials::V2c { community: Secret::new("c").unwrap() };
        let device = Device::new("sw1", "192.0.2.1:161".parse().unwrap(), credentials).unwrap();
        match patterns {
            [] => device,
            patterns => device.with_interfaces(InterfaceFilter::patterns(patterns).unwrap()),
        }
    }

    fn listing(rows: &[(u32, &str)]) -> Listing {
        let rows = rows.iter().map(|(index, name)| (*index, (!name.is_empty()).then(|| (*name).to_owned())));
        Listing { column: Column::Name, rows: rows.collect() }
    }

    fn ports(map: &PortMap) -> Vec<(u32, &str)> {
        map.ports.iter().map(|port| (port.index, port.key.interface())).collect()
    }

    #[test]
    fn names_that_are_not_unique_are_not_metered() {
        let listing = listing(&[(1, "a"), (2, "b"), (3, "a"), (4, ""), (5, "a")]);
        let map = PortMap::new(&device(&[]), &listing, None);
        assert_eq!(ports(&map), [(2, "b")]);
        assert_eq!((map.duplicates.as_slice(), map.unnamed, map.expected()), (&["a".to_owned()][..], 1, 2));
        let map = PortMap::new(&device(&["b", "c", "x*"]), &listing, None);
        assert_eq!(ports(&map), [(2, "b")]);
        assert_eq!(
            (map.duplicates.len(), map.unnamed, map.missing.as_slice()),
            (0, 0, &["c".to_owned()][..])
        );
    }

    #[test]
    fn a_port_that_had_wide_counters_falls_back_late() {
        let listing = listing(&[(1, "a")]);
        let mut map = PortMap::new(&device(&[]), &listing, None);
        assert!(map.ports[0].lacks_wide(), "never had any");
        assert_eq!(map.ports[0].columns(Column::Name, false)[1], Column::InOctets);

        let mut map = PortMap::new(&device(&[]), &listing, None);
        map.ports[0].was_read(Columns::default());
        assert!(!map.ports[0].lacks_wide());
        assert!(!map.ports[0].lacks_wide());
        let mut map = PortMap::new(&device(&[]), &listing, Some(&map));
        assert!(map.ports[0].lacks_wide(), "a new listing does not start the count again");
    }

    #[test]
    fn absent_columns_are_not_asked_for_again() {
        let mut map = PortMap::new(&device(&[]), &listing(&[(1, "a")]), None);
        assert_eq!(map.ports[0].columns(Column::Name, true).len(), 11);
        let mut absent = Columns::default();
        absent.insert(Column::HcInMulticast);
        map.ports[0].was_read(absent);
        assert_eq!(map.ports[0].columns(Column::Name, true).len(), 10);
        assert_eq!(map.ports[0].columns(Column::Name, false).len(), 5);
    }
}
