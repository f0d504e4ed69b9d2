//! The ports of a device, for whoever sets it up.

use std::collections::{BTreeMap, HashMap};

use meter95_reading::Width;
use tokio::time::Instant;

use crate::exchange::Exchange;
use crate::mib::{self, Column, Value};
use crate::transport::Session;
use crate::transport::socket::Socket;
use crate::transport::udp::{self, UdpSession};
use crate::{Device, Failure, Options, OptionsError, SocketError, walk};

/// An interface as its device describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// Its ifIndex at the moment; nothing to remember it by.
    pub index: u32,
    /// Its ifName (its ifDescr on a device without ifName); none where that is empty or no text.
    pub name: Option<String>,
    /// Its ifAlias, which operators set; none where it is empty or no text.
    pub alias: Option<String>,
    /// Its ifType by number, for instance 6 for Ethernet, 24 for a loopback, 161 for a LAG.
    pub kind: Option<u32>,
    /// Its ifHighSpeed in bit/s; none where the device says 0 or nothing.
    pub speed_bps: Option<u64>,
    /// Its ifOperStatus.
    pub status: Option<PortStatus>,
    /// The width of its octet counters; none where it has none.
    pub width: Option<Width>,
    /// Why it cannot be metered: [`Failure::Unnamed`], [`Failure::DuplicateName`] or
    /// [`Failure::MissingColumn`].
    pub problem: Option<Failure>,
}

/// ifOperStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortStatus {
    /// Passes packets.
    Up,
    /// Does not.
    Down,
    /// In a test mode.
    Testing,
    /// The device cannot tell.
    Unknown,
    /// Waits for something from outside.
    Dormant,
    /// A component is missing.
    NotPresent,
    /// Down because of an interface below.
    LowerLayerDown,
}

impl PortStatus {
    /// The status of an ifOperStatus of that number.
    fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            1 => Self::Up,
            2 => Self::Down,
            3 => Self::Testing,
            4 => Self::Unknown,
            5 => Self::Dormant,
            6 => Self::NotPresent,
            7 => Self::LowerLayerDown,
            _ => return None,
        })
    }

    /// The word that the MIB has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Testing => "testing",
            Self::Unknown => "unknown",
            Self::Dormant => "dormant",
            Self::NotPresent => "notPresent",
            Self::LowerLayerDown => "lowerLayerDown",
        }
    }
}

/// Lists all interfaces of `device`, by ascending ifIndex, whatever its filter takes.
///
/// # Errors
/// When an option is out of its range, no socket can be opened, or the device does not answer properly.
pub async fn ports(device: &Device, options: &Options) -> Result<Vec<PortInfo>, PortsError> {
    options.check()?;
    let socket = Socket::open([device.address()], udp::is_damaged).await.map_err(SocketError)?;
    let session = UdpSession::new(socket, device, options);
    let exchange = Exchange::new(&session, options, Instant::now() + options.pass_deadline);
    Ok(list(&exchange, options.walk_rows).await?)
}

/// Lists all interfaces of whom `exchange` asks, at first `rows` at once.
pub(crate) async fn list<S: Session>(
    exchange: &Exchange<'_, S>,
    mut rows: u32,
) -> Result<Vec<PortInfo>, Failure> {
    let listing = walk::names(exchange, &mut rows).await?;
    let mut cells = HashMap::new();
    let columns = [
        Column::Alias,
        Column::Type,
        Column::HighSpeed,
        Column::OperStatus,
        Column::HcInOctets,
        Column::HcOutOctets,
        Column::InOctets,
        Column::OutOctets,
    ];
    for column in columns {
        for (index, value) in walk::column(exchange, column, &mut rows).await? {
            cells.insert((column as u8, index), value);
        }
    }
    let cell = |column: Column, index: u32| cells.get(&(column as u8, index));

    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for name in listing.rows.iter().filter_map(|(_, name)| name.as_deref()) {
        *times.entry(name).or_default() += 1;
    }
    let ports = listing.rows.iter().map(|(index, name)| {
        let index = *index;
        let counts = |column| matches!(cell(column, index), Some(Value::Counter32(_) | Value::Counter64(_)));
        let width = if counts(Column::HcInOctets) && counts(Column::HcOutOctets) {
            Some(Width::Bits64)
        } else if counts(Column::InOctets) && counts(Column::OutOctets) {
            Some(Width::Bits32)
        } else {
            None
        };
        let problem = match name {
            None => Some(Failure::Unnamed),
            Some(name) if times.get(name.as_str()).is_some_and(|times| *times > 1) => {
                Some(Failure::DuplicateName)
            }
            Some(_) => width.is_none().then_some(Failure::MissingColumn),
        };
        PortInfo {
            index,
            name: name.clone(),
            alias: match cell(Column::Alias, index) {
                Some(Value::Octets(octets)) => mib::name(octets).map(str::to_owned),
                _ => None,
            },
            kind: match cell(Column::Type, index) {
                Some(Value::Integer(number)) => u32::try_from(*number).ok(),
                _ => None,
            },
            speed_bps: match cell(Column::HighSpeed, index) {
                Some(Value::Gauge32(speed)) if *speed > 0 => Some(u64::from(*speed) * 1_000_000),
                _ => None,
            },
            status: match cell(Column::OperStatus, index) {
                Some(Value::Integer(number)) => PortStatus::from_number(*number),
                _ => None,
            },
            width,
            problem,
        }
    });
    Ok(ports.collect())
}

/// Why a device's interfaces could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    /// An option is out of its range.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// No socket can be opened.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The device does not answer, or not as it must.
    #[error("{says} ({word})", says = .0.says(), word = .0.as_str())]
    Device(#[from] Failure),
}
