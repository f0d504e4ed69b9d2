//! Connects servers to switches, and switches to the core.

use meter95_reading::{PortKey, PortKeyError, Timestamp};

use super::role::Role;
use super::{NAGOYA, TOKYO};
use crate::demo::habit::{Curve, EPOCH, Habit, mix};
use crate::demo::site::{FarEnd, Since, Switch, SwitchPort, Uplink};

/// Ports for servers on a switch.
const PORTS_MAX: usize = 48;
/// ifIndex of a switch's first port; those of Juniper's begin thereabouts.
const IF_INDEX_FIRST: u32 = 513;
/// ifIndex of a switch's first uplink.
const IF_INDEX_CORE: u32 = 645;
const SERVER_PORT_BPS: u64 = 1_000_000_000;
const CORE_PORT_BPS: u64 = 10_000_000_000;
/// Switches that share a line of Nagoya's; more than these are chained to another.
const CHAIN_SWITCHES_MAX: usize = 12;
/// What is bought of such a line, and more for each of its servers: little enough that one of them can crowd it.
const NAGOYA_LINE_BPS: u64 = 195_000_000;
const NAGOYA_LINE_BPS_PER_SERVER: u64 = 700_000;

/// Switches while servers are being connected to them.
#[derive(Default)]
pub(super) struct Wiring {
    /// Tokyo's, in pairs.
    pairs: Vec<[Vec<SwitchPort>; 2]>,
    /// Nagoya's, the first of each [`CHAIN_SWITCHES_MAX`] of which has a line.
    chain: Vec<Vec<SwitchPort>>,
    /// So many pairs and switches of the chain, from the first on, have no port left.
    full: (usize, usize),
}

impl Wiring {
    /// Connects a server to one or two ports, on new switches when those there are full.
    pub(super) fn connect(
        &mut self,
        role: &Role,
        alias: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<PortKey>, PortKeyError> {
        // At least two pairs and two switches, filled evenly.
        self.pairs.resize_with(self.pairs.len().max(2), Default::default);
        self.chain.resize_with(self.chain.len().max(2), Default::default);
        if role.region == NAGOYA {
            let all_full = |ports: &&Vec<SwitchPort>| ports.len() >= PORTS_MAX;
            self.full.1 += self.chain.iter().skip(self.full.1).take_while(all_full).count();
            let at = emptiest(self.chain.iter().map(Vec::len), self.full.1);
            if at == self.chain.len() {
                self.chain.push(Vec::new());
            }
            let name = format!("ngo-sw{}", at + 1);
            let Some(ports) = self.chain.get_mut(at) else {
                return Ok(Vec::new());
            };
            return Ok(vec![attach(ports, &name, role, 0, 100, alias, since)?]);
        }
        // A pair is as full as its fuller switch, so that both halves of a dual-homed server find room.
        let both_full = |[a, b]: &&[Vec<SwitchPort>; 2]| a.len().min(b.len()) >= PORTS_MAX;
        self.full.0 += self.pairs.iter().skip(self.full.0).take_while(both_full).count();
        let fuller = self
            .pairs
            .iter()
            .map(|[a, b]| if role.dual { a.len().max(b.len()) } else { a.len().min(b.len()) });
        let at = emptiest(fuller, self.full.0);
        if at == self.pairs.len() {
            self.pairs.push(Default::default());
        }
        let Some([a, b]) = self.pairs.get_mut(at) else {
            return Ok(Vec::new());
        };
        let (name_a, name_b) = (format!("tky-sw{}a", at + 1), format!("tky-sw{}b", at + 1));
        if role.dual {
            let first = attach(a, &name_a, role, 0, 60, alias, since)?;
            return Ok(vec![first, attach(b, &name_b, role, 1, 40, alias, since)?]);
        }
        let (ports, name) = if a.len() <= b.len() { (a, &name_a) } else { (b, &name_b) };
        Ok(vec![attach(ports, name, role, 0, 100, alias, since)?])
    }

    /// Adds the ports towards the core.
    pub(super) fn finish(self, seed: u64) -> Result<(Vec<Switch>, Vec<Uplink>), PortKeyError> {
        let (mut switches, mut uplinks) = (Vec::new(), Vec::new());
        for (pair, halves) in self.pairs.into_iter().enumerate() {
            for (letter, ports) in ['a', 'b'].into_iter().zip(halves) {
                let mut switch = switch(seed, format!("tky-sw{}{letter}", pair + 1), TOKYO, ports);
                for (part, core) in [(0, "a"), (1, "b")] {
                    let far_end = FarEnd::Core { switches: vec![switches.len()], part, parts: 2 };
                    let port = trunk(&mut switch, &format!("core: tky-core-{core}"), far_end)?;
                    let carries = vec![switch.name.clone()];
                    uplinks.push(Uplink { region: TOKYO, port, speed_bps: CORE_PORT_BPS, carries });
                }
                switches.push(switch);
            }
        }
        let (mut chained, mut left) = (0, self.chain);
        while !left.is_empty() {
            let after = left.split_off(left.len().min(CHAIN_SWITCHES_MAX));
            chained +=
                chain_up(seed, chained, std::mem::replace(&mut left, after), &mut switches, &mut uplinks)?;
        }
        Ok((switches, uplinks))
    }
}

/// Connects switches of Nagoya, of which `before` come before these, to each other and the first of them to a line.
/// Returns how many they are.
fn chain_up(
    seed: u64,
    before: usize,
    chain: Vec<Vec<SwitchPort>>,
    switches: &mut Vec<Switch>,
    uplinks: &mut Vec<Uplink>,
) -> Result<usize, PortKeyError> {
    let (first, count) = (switches.len(), chain.len());
    let name = |at: usize| format!("ngo-sw{}", before + at + 1);
    let servers = u64::try_from(chain.iter().map(Vec::len).sum::<usize>()).unwrap_or(0);
    let line_bps = NAGOYA_LINE_BPS + NAGOYA_LINE_BPS_PER_SERVER * servers;
    for (at, ports) in chain.into_iter().enumerate() {
        let mut switch = switch(seed, name(at), NAGOYA, ports);
        let towards = if at == 0 { (first..first + count).collect() } else { vec![first + at] };
        let alias = if at == 0 { "line: nagoya".to_owned() } else { format!("trunk: {}", name(0)) };
        let far_end = FarEnd::Core { switches: towards, part: 0, parts: 1 };
        let port = trunk(&mut switch, &alias, far_end)?;
        if at == 0 {
            let carries = (0..count).map(name).collect();
            uplinks.push(Uplink { region: NAGOYA, port, speed_bps: line_bps, carries });
            for next in 1..count {
                let far_end = FarEnd::Downstream { switch: first + next };
                trunk(&mut switch, &format!("trunk: {}", name(next)), far_end)?;
            }
        }
        switches.push(switch);
    }
    Ok(count)
}

/// The position of the least of `used` with room, or the one after the last; the first `full` have none.
fn emptiest(used: impl ExactSizeIterator<Item = usize>, full: usize) -> usize {
    let next = used.len();
    let room = used.enumerate().skip(full).filter(|(_, used)| *used < PORTS_MAX);
    room.min_by_key(|(_, used)| *used).map_or(next, |(at, _)| at)
}

/// A switch that booted some time in the month before the epoch.
fn switch(seed: u64, name: String, region: &'static str, ports: Vec<SwitchPort>) -> Switch {
    let salt = name.bytes().fold(0, |salt, byte| mix(salt, u64::from(byte)));
    let ago_ms = i64::try_from(mix(seed, salt) % (30 * 86_400_000)).unwrap_or(0);
    Switch { name, region, booted: EPOCH.plus_ms(-ago_ms), ports }
}

/// Connects a server to the next free port, which carries `percent` of its traffic.
fn attach(
    ports: &mut Vec<SwitchPort>,
    switch: &str,
    role: &Role,
    link: u64,
    percent: u32,
    alias: &str,
    since: Option<Timestamp>,
) -> Result<PortKey, PortKeyError> {
    let key = PortKey::new(switch, &format!("ge-0/0/{}", ports.len()))?;
    let less = percent * role.other_percent / 100;
    let (out, into) = if role.inbound { (less, percent) } else { (percent, less) };
    let rx = Curve::new(role.habit, role.seed, 2 * link, out);
    let tx = Curve::new(role.habit, role.seed, 2 * link + 1, into);
    let since = since.map(|at| Since { at, rx_octets: rx.octets(at), tx_octets: tx.octets(at) });
    // Of two NICs it is the first that surges.
    let surge = role.surge.filter(|_| link == 0).map(Box::new);
    ports.push(SwitchPort {
        key: key.clone(),
        if_index: IF_INDEX_FIRST + u32::try_from(ports.len()).unwrap_or(0),
        alias: alias.to_owned(),
        speed_bps: SERVER_PORT_BPS,
        up: role.habit != Habit::Down,
        far_end: FarEnd::Server { rx, tx, since, surge },
    });
    Ok(key)
}

/// Adds a port towards another switch.
fn trunk(switch: &mut Switch, alias: &str, far_end: FarEnd) -> Result<PortKey, PortKeyError> {
    let servers = |port: &&SwitchPort| matches!(port.far_end, FarEnd::Server { .. });
    let number = switch.ports.len() - switch.ports.iter().filter(servers).count();
    let key = PortKey::new(&switch.name, &format!("xe-0/1/{number}"))?;
    switch.ports.push(SwitchPort {
        key: key.clone(),
        if_index: IF_INDEX_CORE + u32::try_from(number).unwrap_or(0),
        alias: alias.to_owned(),
        speed_bps: CORE_PORT_BPS,
        up: true,
        far_end,
    });
    Ok(key)
}
