//! One pass: all counters of all interfaces, dated, then the chosen ones as readings.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};

use crate::dump::{self, DumpError};
use crate::stats::{LinkCounters, StatsError};
use crate::{Failure, FailureKind, Interface, Selection, interfaces, proc};

/// How often a dump is tried while interfaces come and go. Container hosts start some a second; three tries of
/// less than a millisecond each all but never meet one each.
const ATTEMPTS_MAX: u32 = 3;

/// Where counters came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// `RTM_GETSTATS` over netlink (kernels since 4.7).
    Netlink,
    /// `/proc/net/dev`, when the dump failed. The same 64-bit counters, read at four times the cost.
    ProcNetDev,
}

/// One interface with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose counters these are.
    pub interface: Interface,
    /// Octets received.
    pub rx_octets: u64,
    /// Octets sent.
    pub tx_octets: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

/// The counters of all interfaces, taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The middle of the call that took the counters.
    pub time: Timestamp,
    /// Hundredths of a second since boot, wrapping at 2^32.
    pub uptime_cs: u32,
    /// Where the counters came from.
    pub source: Source,
    /// Every interface that has counters, by rising index.
    pub rows: Vec<Row>,
    /// What did not work on the way here, when the counters had to come from `/proc`.
    pub failures: Vec<Failure>,
}

/// What one pass has to ship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The middle of the call that took the counters, or the start of a pass that took none.
    pub time: Timestamp,
    /// How long the whole pass took.
    pub took: Duration,
    /// Where the counters came from; `None` when there are none.
    pub source: Option<Source>,
    /// One reading a metered interface.
    pub readings: Vec<Reading>,
    /// Everything that kept this pass from being whole. Count them by kind.
    pub failures: Vec<Failure>,
}

/// The counters of every interface of the calling thread's network namespace, from one dump.
///
/// The kernel names interfaces by index in the dump; names are looked up before and after it, and a dump
/// during which they changed, or that the kernel itself marks as interrupted, is taken again, three times at most.
/// `now` is the wall clock.
///
/// # Errors
/// When neither the dump nor `/proc/net/dev` gave counters, or the time since boot is not known.
pub fn read_counters(now: fn() -> Timestamp) -> Result<Snapshot, Failure> {
    match dump_counters(now) {
        Ok(snapshot) => Ok(snapshot),
        Err(failure) if failure.kind == FailureKind::UptimeUnknown => Err(failure),
        Err(failure) => {
            let mut snapshot = table_counters(now)?;
            snapshot.failures.push(failure);
            Ok(snapshot)
        }
    }
}

/// Reads the interfaces that `selection` takes as ports of `device`. Blocks for about a millisecond.
///
/// Readings carry the interface's index as their discontinuity mark: an interface that was deleted and made
/// again under its name has counters that began anew, and another index. The kernel counts indexes up, so that
/// one returns only after a reboot (which the uptime shows) or where somebody asks for it by number. Nothing is
/// remembered for it, so a collector that is merely restarted marks the same.
pub fn read_pass(device: &str, selection: &Selection, now: fn() -> Timestamp) -> Pass {
    let (start, started) = (now(), Instant::now());
    match read_counters(now) {
        Ok(snapshot) => {
            let (time, source) = (snapshot.time, Some(snapshot.source));
            let (readings, failures) = select(snapshot, device, selection);
            Pass { time, took: started.elapsed(), source, readings, failures }
        }
        Err(failure) => Pass {
            time: start,
            took: started.elapsed(),
            source: None,
            readings: Vec::new(),
            failures: vec![failure],
        },
    }
}

/// The readings of the chosen interfaces, and what is wrong with the choice.
fn select(snapshot: Snapshot, device: &str, selection: &Selection) -> (Vec<Reading>, Vec<Failure>) {
    let Snapshot { time, uptime_cs, rows, mut failures, source: _ } = snapshot;
    for name in selection.missing(rows.iter().map(|row| &row.interface)) {
        failures.push(Failure::new(FailureKind::InterfaceMissing, name));
    }
    let mut readings = Vec::new();
    for row in rows.iter().filter(|row| selection.takes(&row.interface.name, row.interface.kind)) {
        let port = match PortKey::new(device, &row.interface.name) {
            Ok(port) => port,
            Err(error) => {
                failures.push(Failure::new(FailureKind::NameUnusable, error));
                continue;
            }
        };
        let counters = Counters {
            time,
            rx_octets: row.rx_octets,
            tx_octets: row.tx_octets,
            width: Width::Bits64,
            uptime_cs: Some(uptime_cs),
            discontinuity_cs: Some(row.interface.index),
            rx_packets: Some(row.rx_packets),
            tx_packets: Some(row.tx_packets),
            speed_bps: row.interface.speed_bps,
        };
        readings.push(Reading { port, counters });
    }
    (readings, failures)
}

fn dump_counters(now: fn() -> Timestamp) -> Result<Snapshot, Failure> {
    let mut before = interfaces()?;
    for _ in 0..ATTEMPTS_MAX {
        let taken = timed(now, dump::link_counters)?;
        let counters = match taken.value {
            Ok(counters) => Some(counters),
            Err(DumpError::Answer(StatsError::Interrupted)) => None,
            Err(error) => return Err(dump_failure(&error)),
        };
        let after = interfaces()?;
        if let Some(counters) = counters
            && same_names(&before, &after)
        {
            let rows = join(after, &counters);
            let (time, uptime_cs) = (taken.time, taken.uptime_cs);
            return Ok(Snapshot { time, uptime_cs, source: Source::Netlink, rows, failures: Vec::new() });
        }
        before = after;
    }
    let detail = format!("interfaces changed during {ATTEMPTS_MAX} dumps");
    Err(Failure::new(FailureKind::DumpInterrupted, detail))
}

fn table_counters(now: fn() -> Timestamp) -> Result<Snapshot, Failure> {
    let taken = timed(now, || proc::read(Path::new(proc::TABLE_PATH)))?;
    let text = taken.value.map_err(|e| Failure::new(FailureKind::TableUnreadable, e))?;
    let table = proc::parse_table(&text).map_err(|e| Failure::new(FailureKind::TableGarbled, e))?;
    let mut by_name: BTreeMap<String, proc::TableRow> =
        table.into_iter().map(|row| (row.name.clone(), row)).collect();
    let rows = interfaces()?
        .into_iter()
        .filter_map(|interface| {
            let proc::TableRow { rx_octets, tx_octets, rx_packets, tx_packets, .. } =
                by_name.remove(&interface.name)?;
            Some(Row { interface, rx_octets, tx_octets, rx_packets, tx_packets })
        })
        .collect();
    let (time, uptime_cs) = (taken.time, taken.uptime_cs);
    Ok(Snapshot { time, uptime_cs, source: Source::ProcNetDev, rows, failures: Vec::new() })
}

/// What a call gave, and when.
struct Timed<T> {
    time: Timestamp,
    uptime_cs: u32,
    value: T,
}

/// Dates a call with the middle of it, and reads the uptime beside it. A reading without uptime would not show a
/// reboot, so there is none then.
fn timed<T>(now: fn() -> Timestamp, call: impl FnOnce() -> T) -> Result<Timed<T>, Failure> {
    let unknown = |error: &dyn std::fmt::Display| Failure::new(FailureKind::UptimeUnknown, error);
    let text = proc::read(Path::new(proc::UPTIME_PATH)).map_err(|e| unknown(&e))?;
    let uptime_cs = proc::parse_uptime_cs(&text).map_err(|e| unknown(&e))?;
    let start = now();
    let value = call();
    let half_ms = now().ms_since(start) / 2;
    Ok(Timed { time: start.plus_ms(half_ms), uptime_cs, value })
}

fn dump_failure(error: &DumpError) -> Failure {
    match error {
        DumpError::Socket(cause) => Failure::new(FailureKind::DumpRefused, cause),
        DumpError::Answer(StatsError::Refused(_)) => Failure::new(FailureKind::DumpRefused, error),
        DumpError::Answer(StatsError::Interrupted) => Failure::new(FailureKind::DumpInterrupted, error),
        DumpError::Answer(StatsError::Garbled(_)) => Failure::new(FailureKind::DumpGarbled, error),
    }
}

/// Whether both lists, sorted by index, give the same names to the same indexes.
fn same_names(before: &[Interface], after: &[Interface]) -> bool {
    let key = |interface: &Interface| (interface.index, interface.name.clone());
    before.len() == after.len() && before.iter().map(key).eq(after.iter().map(key))
}

/// Gives the counters, sorted by index, to their interfaces; one without the other is left out.
fn join(interfaces: Vec<Interface>, counters: &[LinkCounters]) -> Vec<Row> {
    let find = |index| counters.binary_search_by_key(&index, |row: &LinkCounters| row.index).ok();
    interfaces
        .into_iter()
        .filter_map(|interface| {
            let LinkCounters { rx_octets, tx_octets, rx_packets, tx_packets, .. } =
                *counters.get(find(interface.index)?)?;
            Some(Row { interface, rx_octets, tx_octets, rx_packets, tx_packets })
        })
        .collect()
}

#[cfg(test)]
mod tests;
