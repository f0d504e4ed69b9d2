//! Who is connected where in the simulated site: plain data, drawn by [`super::plan`].

use meter95_reading::{PortKey, Timestamp};

use super::habit::{Curve, Habit};

/// The simulated site.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// What it was drawn from.
    pub seed: u64,
    /// The places.
    pub regions: Vec<Region>,
    /// What can be bought.
    pub plans: Vec<Plan>,
    /// Who buys.
    pub customers: Vec<Customer>,
    /// What is sold and metered.
    pub servers: Vec<Server>,
    /// The switches, by name.
    pub switches: Vec<Switch>,
    /// The ports that lead out of a region.
    pub uplinks: Vec<Uplink>,
    /// What was not read of the past.
    pub unread: Vec<Unread>,
}

/// A place with switches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// `tokyo` or `nagoya`.
    pub id: &'static str,
    /// Whether switches come in pairs with two uplinks each.
    pub redundant: bool,
}

/// What a server pays. The method is `max` and missing slots count as zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub id: &'static str,
    /// What is included, in bit/s.
    pub allowance_bps: u64,
    /// What 1 Mbps of overage costs, a decimal.
    pub price_per_mbps: &'static str,
    /// `JPY` or `USD`.
    pub currency: &'static str,
}

/// Who owns servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `c001` and so on.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Where to write; under `.example`, which nobody owns.
    pub email: String,
    /// Whether Japanese is read there, or else English.
    pub japanese: bool,
}

/// What is sold and metered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `tky-0001` and so on.
    pub id: String,
    /// [`Customer::id`].
    pub customer: String,
    /// [`Region::id`].
    pub region: &'static str,
    /// [`Plan::id`].
    pub plan: &'static str,
    /// When its service began; `None` when it was always there.
    pub service_start: Option<Timestamp>,
    /// Bought beyond the plan.
    pub addons: Vec<Addon>,
    /// The switch ports that it is connected to: one, two of a dual-homed server, or none yet.
    pub ports: Vec<PortKey>,
    /// What it does with them.
    pub habit: Habit,
    /// What it does on top of that for a while.
    pub surge: Option<Surge>,
}

/// Bandwidth bought beyond the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addon {
    /// How much, in bit/s.
    pub bps: u64,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` for good.
    pub until: Option<Timestamp>,
}

/// A switch, whose agent [`super::agent`] runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Switch {
    /// Its sysName, and the device of its ports.
    pub name: String,
    /// [`Region::id`].
    pub region: &'static str,
    /// When its sysUpTime was 0; before [`super::habit::EPOCH`].
    pub booted: Timestamp,
    /// Its ports, by rising ifIndex.
    pub ports: Vec<SwitchPort>,
}

/// A port of a switch.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchPort {
    /// Its identity.
    pub key: PortKey,
    /// Its ifIndex.
    pub if_index: u32,
    /// Its ifAlias.
    pub alias: String,
    /// Its ifHighSpeed, in bit/s.
    pub speed_bps: u64,
    /// Its ifOperStatus.
    pub up: bool,
    /// What it is connected to.
    pub far_end: FarEnd,
}

/// What a switch port is connected to, and so what it counts.
#[expect(clippy::large_enum_variant, reason = "most are the large one, and there are some thousand of them")]
#[derive(Debug, Clone, PartialEq)]
pub enum FarEnd {
    /// A server.
    Server {
        /// What the switch receives: the server's out.
        rx: Curve,
        /// What the switch sends: the server's in.
        tx: Curve,
        /// When the server was connected, where it was not always; nothing is counted before.
        since: Option<Since>,
        /// What it does on top of its habit for a while.
        surge: Option<Box<Surge>>,
    },
    /// The core, or the next switch towards it: carries the servers of `switches` out, and a share of them only
    /// where several such ports do it together.
    Core {
        /// Positions in [`Site::switches`].
        switches: Vec<usize>,
        /// Which of the ports that share the load this is, from 0.
        part: u64,
        /// How many share it.
        parts: u64,
    },
    /// A switch further from the core, whose servers it carries.
    Downstream {
        /// Position in [`Site::switches`].
        switch: usize,
    },
}

/// Traffic on top of a habit, at one rate: an attack, or a customer's success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surge {
    /// From when.
    pub from: Timestamp,
    /// Until before when; `None` without end.
    pub until: Option<Timestamp>,
    /// What the switch receives of it, in bit/s.
    pub rx_bps: u64,
    /// What the switch sends of it, in bit/s.
    pub tx_bps: u64,
    /// How long its packets are, in octets.
    pub packet_octets: u64,
}

impl Surge {
    /// The octets of a surge of `bps` until `at`.
    #[must_use]
    pub fn octets(&self, bps: u64, at: Timestamp) -> u64 {
        let until = self.until.map_or(at, |until| at.min(until));
        let ms = u64::try_from(until.ms_since(self.from)).unwrap_or(0);
        u64::try_from(u128::from(bps) * u128::from(ms) / 8_000).unwrap_or(u64::MAX)
    }
}

/// When a server was connected, and where its curves were then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The instant.
    pub at: Timestamp,
    /// What the curve of rx says of it.
    pub rx_octets: u64,
    /// What the curve of tx says of it.
    pub tx_octets: u64,
}

/// A port that was not read for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The port.
    pub port: PortKey,
    /// From when.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
}

/// A port that leads out of a region, with what may go through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// [`Region::id`].
    pub region: &'static str,
    /// The port; its tx leaves the region.
    pub port: PortKey,
    /// What was bought of it, in bit/s; the port itself may be faster.
    pub speed_bps: u64,
    /// The names of the switches whose servers share it.
    pub carries: Vec<String>,
}
