//! The course of a pass: find out whether the device lives, list its ports where that is needed, read them,
//! and go after those that moved.

use std::collections::HashSet;
use std::time::Duration;

use meter95_reading::{PortKey, Reading, Timestamp, Width};
use tokio::time::Instant;

use crate::batch::{self, Brought, Wanted};
use crate::exchange::Exchange;
use crate::map::PortMap;
use crate::mib;
use crate::row::Row;
use crate::transport::{Ask, Session};
use crate::{Device, Failure, Options, walk};

/// How often the ports of a pass are gone over: once for all, once for those that moved or turn out to have
/// 32-bit counters, once more for those to which both happened.
const ROUNDS_MAX: usize = 3;

/// How many different things are said of one device. More than a chassis has ports; a device that renames its
/// interfaces for ever must not fill the log or the memory.
const SAID_MAX: usize = 10_000;

/// What is known of a device from earlier passes.
#[derive(Debug)]
pub(crate) struct Known {
    /// The ports, once they could be listed.
    pub(crate) map: Option<PortMap>,
    /// When they were listed.
    listed: Instant,
    /// Whether they must be listed again before the next pass.
    stale: bool,
    /// The highest uptime of the last pass, in hundredths of a second.
    uptime_cs: Option<u32>,
    /// How many names an answer of the device can hold.
    oids_per_request: usize,
    /// How many rows a step of a walk can have.
    walk_rows: u32,
    /// What was said already and is not said again; at most [`SAID_MAX`].
    said: HashSet<(&'static str, String)>,
}

impl Known {
    /// Nothing yet.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            map: None,
            listed: Instant::now(),
            stale: true,
            uptime_cs: None,
            oids_per_request: options.oids_per_request,
            walk_rows: options.walk_rows,
            said: HashSet::new(),
        }
    }

    /// Where those of the ports are that `wanted` takes.
    fn find(&self, wanted: impl Fn(&PortKey) -> bool) -> Vec<usize> {
        let ports = self.map.iter().flat_map(|map| map.ports.iter().enumerate());
        ports.filter(|(_, port)| wanted(&port.key)).map(|(place, _)| place).collect()
    }
}

/// One pass under way.
pub(crate) struct Course<'a, S> {
    pub(crate) device: &'a Device,
    pub(crate) clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    pub(crate) exchange: &'a Exchange<'a, S>,
}

impl<S: Session> Course<'_, S> {
    /// Makes the pass and returns its readings; everything else is counted by the exchange. Ports are listed
    /// again after `refresh`. With `probe` a single request decides first whether there is more to be asked.
    pub(crate) async fn run(&self, known: &mut Known, refresh: Duration, probe: bool) -> Vec<Reading> {
        if probe && self.exchange.request(Ask::Get(&[mib::sys_up_time()])).await.is_err() {
            return Vec::new();
        }
        let mut listed = false;
        if known.stale || known.listed.elapsed() >= refresh {
            // Where this fails, the names that come with the counters still tell whether the old list holds.
            listed = self.list(known).await;
        }
        let Some(map) = &known.map else { return Vec::new() };
        self.exchange.count_many(Failure::DuplicateName, map.duplicates.len());
        self.exchange.count_many(Failure::MissingRow, map.missing.len());
        self.exchange.count_many(Failure::Unnamed, map.unnamed);

        let mut readings = Vec::with_capacity(map.ports.len());
        let mut places: Vec<usize> = (0..map.ports.len()).collect();
        let mut uptime_cs = None;
        for _ in 0..ROUNDS_MAX {
            if places.is_empty() || self.exchange.is_silent() {
                break;
            }
            let brought = self.read(known, &places).await;
            known.oids_per_request = brought.oids_per_request;
            uptime_cs = uptime_cs.max(brought.uptime_cs);
            let left = self.sort_out(known, brought, &mut readings);
            if left.gone && !listed && !self.exchange.is_silent() {
                listed = self.list(known).await;
                let read: HashSet<&PortKey> = readings.iter().map(|reading| &reading.port).collect();
                places = known.find(|port| !read.contains(port));
            } else {
                // Gone again behind a fresh list: things are moving; the next pass lists them first.
                known.stale |= left.gone;
                places = known.find(|port| left.ports.contains(port));
            }
        }
        // The device has started again (or its uptime wrapped, after 497 days): ifIndexes may be others, and
        // a name that was unique may not be.
        known.stale |= uptime_cs < known.uptime_cs && uptime_cs.is_some();
        known.uptime_cs = uptime_cs.or(known.uptime_cs);
        readings
    }

    /// Lists the device's ports. Returns whether that went well; otherwise the old list stays.
    async fn list(&self, known: &mut Known) -> bool {
        let Ok(listing) = walk::names(self.exchange, &mut known.walk_rows).await else {
            return false;
        };
        let map = PortMap::new(self.device, &listing, known.map.as_ref());
        let device = self.device.name();
        for name in &map.duplicates {
            if says(&mut known.said, "duplicate", name) {
                tracing::warn!(device, interface = %name, "interfaces share a name and are not metered");
            }
        }
        for name in &map.missing {
            if says(&mut known.said, "missing", name) {
                tracing::warn!(device, interface = %name, "device has no interface of this name");
            }
        }
        if map.names == mib::Column::Descr && says(&mut known.said, "descr", "") {
            tracing::warn!(device, "device has no ifName, interfaces are called by their ifDescr");
        }
        known.map = Some(map);
        known.listed = Instant::now();
        known.stale = false;
        true
    }

    /// Reads the ports at `places` of the map.
    async fn read(&self, known: &Known, places: &[usize]) -> Brought {
        let Some(map) = &known.map else {
            return Brought::default();
        };
        let ports = places.iter().filter_map(|place| Some((*place, map.ports.get(*place)?)));
        let wanted = ports.map(|(place, port)| {
            let columns = port.columns(map.names, self.device.packets());
            Wanted::new(place, port.key.interface(), port.index, columns)
        });
        batch::read(self.exchange, self.clock, wanted.collect(), known.oids_per_request).await
    }

    /// Makes readings of the rows that are whole, and finds out which ports to ask for again.
    fn sort_out(&self, known: &mut Known, brought: Brought, readings: &mut Vec<Reading>) -> Left {
        let mut left = Left { ports: HashSet::new(), gone: false };
        let Some(map) = &mut known.map else { return left };
        for (place, row) in brought.rows {
            let Some(port) = map.ports.get_mut(place) else {
                continue;
            };
            match row {
                Row::Read(counters, absent) => {
                    port.was_read(absent);
                    readings.push(Reading { port: port.key.clone(), counters });
                }
                Row::Narrow if port.lacks_wide() => {
                    debug_assert_eq!(port.width, Width::Bits32);
                    let interface = port.key.interface();
                    if says(&mut known.said, "narrow", interface) {
                        let device = self.device.name();
                        tracing::warn!(device, interface, "interface has 32-bit counters only");
                    }
                    left.ports.insert(port.key.clone());
                }
                Row::Narrow => {
                    self.exchange.count(Failure::MissingColumn);
                }
                Row::Gone(failure) => {
                    self.exchange.count(failure);
                    left.gone = true;
                    left.ports.insert(port.key.clone());
                }
                Row::Failed(failure) => {
                    self.exchange.count(failure);
                }
            }
        }
        left
    }
}

/// The ports of a round that are to be asked for again.
struct Left {
    ports: HashSet<PortKey>,
    /// Whether one of them was no longer where it was.
    gone: bool,
}

/// Whether something about `name` is to be said, which it is once.
fn says(said: &mut HashSet<(&'static str, String)>, what: &'static str, name: &str) -> bool {
    said.len() < SAID_MAX && said.insert((what, name.to_owned()))
}
