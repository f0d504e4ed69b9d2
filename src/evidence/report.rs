//! Everything that a pack says, in one: what `evidence.json` is, and what the other files are made of.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::facts::{Facts, PortFacts};
use super::hours::{Hour, flow, unusual};
use super::inventory::{PortPart, Sold, sold};
use super::traffic::{Line, PortLine, State, lines, port_lines};
use crate::inventory::instant::Instant;
use crate::metering::habit::{Change, Compared, compare};
use crate::metering::sample::{Direction, PortKind, Rates};
use crate::metering::statement::RULES_VERSION;
use crate::metering::units::{Bps, Slot};
use crate::store::proof::{Counted, StoredBreak};

/// By this a program knows the file.
pub const FORMAT: &str = "meter95-evidence";

/// The version of the form. It changes when a field goes or means something else; fields may be added.
pub const VERSION: u32 = 1;

/// What others have on record of the server; lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    /// Its cases.
    pub cases: Value,
    /// Its alerts in the window.
    pub alerts: Value,
}

impl Default for Records {
    /// Nothing on record.
    fn default() -> Self {
        Self { cases: Value::Array(Vec::new()), alerts: Value::Array(Vec::new()) }
    }
}

/// Everything that is known of a server over a window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// [`VERSION`].
    pub version: u32,
    /// By which rules the figures were made.
    pub rules: &'static str,
    /// The server.
    pub server: String,
    /// Where the window begins.
    pub from: Instant,
    /// Where it ends; not itself in it.
    pub until: Instant,
    /// The billing time zone.
    pub timezone: String,
    /// The length of a slot in seconds.
    pub slot_s: i64,
    /// The window in figures.
    pub summary: Summary,
    /// When the behaviour changed for good, by direction.
    pub habit: [Compared; 2],
    /// The hours that stand out most.
    pub hours: Vec<Hour>,
    /// What was sold, and what was changed of it.
    pub inventory: Sold,
    /// Breaks of the counters, in the order of time.
    pub breaks: Vec<BreakPart>,
    /// Cases of the server.
    pub cases: Value,
    /// Alerts in the window.
    pub alerts: Value,
    /// Every slot of the window.
    pub slots: Vec<Line>,
    /// The same by port.
    pub ports: Vec<PortReport>,
}

/// A port and its slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortReport {
    /// The port.
    #[serde(flatten)]
    pub port: PortPart,
    /// Its slots while it was the server's; those of which nothing is known are absent.
    pub slots: Vec<PortLine>,
}

/// A window in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Its slots.
    pub slots: u64,
    /// How many of them are in which state.
    pub states: BTreeMap<&'static str, u64>,
    /// Towards the server.
    pub r#in: Total,
    /// From the server.
    pub out: Total,
    /// How many breaks there are of which kind.
    pub breaks: BTreeMap<String, u64>,
}

/// A direction over the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Octets, as far as they are known.
    pub octets: u64,
    /// Packets; `None` where they are not known of every slot with octets.
    pub packets: Option<u64>,
    /// The largest sample, the first of equal ones; `None` without any.
    pub largest: Option<Peak>,
    /// The slot with the most packets in a second, the first of equal ones.
    pub most_packets: Option<PacketPeak>,
}

/// A slot with the largest rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The slot.
    pub slot: Slot,
    /// Its rate.
    pub bps: Bps,
}

/// A slot with the most packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PacketPeak {
    /// The slot.
    pub slot: Slot,
    /// Packets in a second.
    pub packets_per_second: u64,
    /// Their size on average.
    pub mean_packet_octets: Option<u64>,
}

/// A break of a port's counters: two readings between which nothing is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BreakPart {
    /// The port's device.
    pub device: String,
    /// The port's interface.
    pub interface: String,
    /// Whose interface it is: what a switch sends is the server's in.
    pub port_kind: PortKind,
    /// `reset`, `gap` or `implausible`.
    pub kind: String,
    /// What showed it, for a reset; empty for the others.
    pub cause: String,
    /// The earlier reading.
    pub before: CountedPart,
    /// The later reading.
    pub after: CountedPart,
    /// Octets received in between by the counters that are not counted, where the counters tell them.
    pub rx_octets_left_out: Option<u64>,
    /// Octets sent in between by the counters that are not counted, where the counters tell them.
    pub tx_octets_left_out: Option<u64>,
}

/// What an interface had counted at an instant, as it counts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CountedPart {
    /// When.
    pub at: Instant,
    /// Octets received.
    pub rx_octets: u64,
    /// Octets sent.
    pub tx_octets: u64,
}

impl From<Counted> for CountedPart {
    fn from(counted: Counted) -> Self {
        let Counted { at, rx_octets, tx_octets } = counted;
        Self { at: Instant(at), rx_octets, tx_octets }
    }
}

impl Report {
    /// The lasting changes of behaviour, each with its direction.
    pub fn changes(&self) -> impl Iterator<Item = (Direction, Change)> {
        self.habit.iter().filter_map(|compared| Some((compared.direction, compared.change?)))
    }

    /// Whether anything of the window could be compared with the weeks before.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.habit.iter().any(|compared| compared.slots > 0)
    }
}

/// The report of `facts` and of what others have on record.
#[must_use]
pub fn report(facts: &Facts, records: Records) -> Report {
    let port_slots: Vec<Vec<PortLine>> = facts.ports.iter().map(port_lines).collect();
    let slots = lines(facts, &port_slots);
    let breaks = breaks(&facts.ports);
    let ports = facts.ports.iter().zip(port_slots);
    let rates = facts.samples.iter().filter_map(|(slot, revised)| Some((*slot, revised.rates()?)));
    let rates: Vec<(Slot, Rates)> = rates.collect();
    Report {
        format: FORMAT,
        version: VERSION,
        rules: RULES_VERSION,
        server: facts.server.id.clone(),
        from: Instant(facts.window.from()),
        until: Instant(facts.window.until()),
        timezone: facts.inventory.timezone_name.clone(),
        slot_s: Slot::MS / 1_000,
        summary: summary(&slots, &breaks),
        habit: compare(&rates, facts.window.slots()),
        hours: unusual(&slots, &facts.samples),
        inventory: sold(facts),
        breaks,
        cases: records.cases,
        alerts: records.alerts,
        slots,
        ports: ports.map(|(port, slots)| PortReport { port: PortPart::new(&port.binding), slots }).collect(),
    }
}

/// All breaks, in the order of time. A port that is the server's for two spans may have one in both.
fn breaks(ports: &[PortFacts]) -> Vec<BreakPart> {
    let of_port = |port: &PortFacts| {
        let part = |found: &StoredBreak| BreakPart {
            device: port.binding.port.device().to_owned(),
            interface: port.binding.port.interface().to_owned(),
            port_kind: port.binding.kind,
            kind: found.kind.clone(),
            cause: found.cause.clone(),
            before: found.before.into(),
            after: found.after.into(),
            rx_octets_left_out: found.left_out.map(|(rx, _)| rx),
            tx_octets_left_out: found.left_out.map(|(_, tx)| tx),
        };
        port.breaks.iter().map(part).collect::<Vec<_>>()
    };
    let mut breaks: Vec<BreakPart> = ports.iter().flat_map(of_port).collect();
    let key = |found: &BreakPart| (found.after.at, found.device.clone(), found.interface.clone());
    breaks.sort_by_key(key);
    breaks.dedup();
    breaks
}

fn summary(lines: &[Line], breaks: &[BreakPart]) -> Summary {
    let mut states = BTreeMap::new();
    for state in [State::Full, State::Partial, State::Missing, State::Open, State::OutOfService] {
        states.insert(state.name(), lines.iter().filter(|line| line.state == state).count() as u64);
    }
    let mut kinds = BTreeMap::new();
    for found in breaks {
        *kinds.entry(found.kind.clone()).or_default() += 1;
    }
    Summary {
        slots: lines.len() as u64,
        states,
        r#in: total(lines, Direction::In),
        out: total(lines, Direction::Out),
        breaks: kinds,
    }
}

fn total(lines: &[Line], direction: Direction) -> Total {
    let mut total = Total { octets: 0, packets: Some(0), largest: None, most_packets: None };
    for line in lines {
        let flow = flow(line, direction);
        total.octets = total.octets.saturating_add(flow.octets);
        let packets = flow.packets.or((flow.octets == 0).then_some(0));
        total.packets = total.packets.zip(packets).map(|(a, b)| a.saturating_add(b));
        if let Some(bps) = flow.bps
            && total.largest.is_none_or(|largest| largest.bps < bps)
        {
            total.largest = Some(Peak { slot: line.slot, bps });
        }
        if let Some(packets_per_second) = flow.packets_per_second
            && total.most_packets.is_none_or(|most| most.packets_per_second < packets_per_second)
        {
            let mean_packet_octets = flow.mean_packet_octets;
            total.most_packets = Some(PacketPeak { slot: line.slot, packets_per_second, mean_packet_octets });
        }
    }
    total
}
