//! A device, and how to reach it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{InterfaceFilter, User};

/// How often a device is visited unless said otherwise: five readings in each 300 s slot.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(60);

/// No device is visited more often: agents refresh their counters every few seconds at best.
const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// A slot is 300 s long, and at longer intervals some would have no reading of their own.
const INTERVAL_MAX: Duration = Duration::from_secs(300);

/// The longest name of a device, in octets, as a port's identity takes it.
const NAME_OCTETS_MAX: usize = 255;

/// The longest secret, in octets. Real agents stop far below.
const SECRET_OCTETS_MAX: usize = 255;

/// A switch or server whose ports are metered, and how to ask it.
#[derive(Debug, Clone)]
pub struct Device {
    /// What readings call it.
    name: String,
    /// Where its agent listens.
    address: SocketAddr,
    /// What opens it.
    credentials: Credentials,
    /// From one pass to the next.
    interval: Duration,
    /// Which of its interfaces are metered.
    interfaces: InterfaceFilter,
    /// Whether packet counters are asked for.
    packets: bool,
}

impl Device {
    /// A device visited every 60 s, all of whose interfaces are metered, with their packet counters.
    ///
    /// # Errors
    /// When the name is empty, longer than 255 octets or has a control character, or the address has no port
    /// or is none of a single host.
    pub fn new(name: &str, address: SocketAddr, credentials: Credentials) -> Result<Self, DeviceError> {
        if name.is_empty() {
            return Err(DeviceError::NameEmpty);
        }
        if name.len() > NAME_OCTETS_MAX {
            return Err(DeviceError::NameTooLong(name.len()));
        }
        if let Some(c) = name.chars().find(|c| c.is_control()) {
            return Err(DeviceError::NameControl(c));
        }
        let ip = address.ip();
        if address.port() == 0 || ip.is_unspecified() || ip.is_multicast() {
            return Err(DeviceError::Address(address));
        }
        Ok(Self {
            name: name.to_owned(),
            address,
            credentials,
            interval: INTERVAL_DEFAULT,
            interfaces: InterfaceFilter::All,
            packets: true,
        })
    }

    /// The same device, visited every `interval`.
    ///
    /// # Errors
    /// Unless the interval is 1 s to 300 s.
    pub fn with_interval(mut self, interval: Duration) -> Result<Self, DeviceError> {
        if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) {
            return Err(DeviceError::Interval(interval));
        }
        self.interval = interval;
        Ok(self)
    }

    /// The same device, of which only these interfaces are metered.
    #[must_use]
    pub fn with_interfaces(mut self, interfaces: InterfaceFilter) -> Self {
        self.interfaces = interfaces;
        self
    }

    /// The same device, with or without packet counters. They are six of eleven columns, and an answer holds
    /// a fixed number: without them a pass takes less than half the requests.
    #[must_use]
    pub fn with_packets(mut self, packets: bool) -> Self {
        self.packets = packets;
        self
    }

    /// What readings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its agent listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What opens it.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// From one pass to the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Which of its interfaces are metered.
    #[must_use]
    pub fn interfaces(&self) -> &InterfaceFilter {
        &self.interfaces
    }

    /// Whether packet counters are asked for.
    #[must_use]
    pub fn packets(&self) -> bool {
        self.packets
    }
}

/// What opens a device.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// SNMPv2c.
    V2c {
        /// The community, which travels in clear.
        community: Secret,
    },
    /// SNMPv3 with the User-based Security Model (RFC 3414).
    V3 {
        /// Who asks, with the keys.
        user: User,
    },
}

/// Octets that are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a secret.
    ///
    /// # Errors
    /// When it is empty or longer than 255 octets.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, DeviceError> {
        let secret = secret.into();
        match secret.len() {
            1..=SECRET_OCTETS_MAX => Ok(Self(secret)),
            octets => Err(DeviceError::Secret(octets)),
        }
    }

    /// The octets themselves, for the wire alone.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a device cannot be visited as described.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The name is the empty string.
    #[error("the device's name is empty")]
    NameEmpty,
    /// The name is too long.
    #[error("the device's name has {0} octets, over {NAME_OCTETS_MAX}")]
    NameTooLong(usize),
    /// The name contains this control character.
    #[error("the device's name contains the control character {0:?}")]
    NameControl(char),
    /// The address is not one that a request can be sent to.
    #[error("{0} is not the address and port of one host")]
    Address(SocketAddr),
    /// The interval is out of range.
    #[error("the interval {0:?} is not within {INTERVAL_MIN:?} and {INTERVAL_MAX:?}")]
    Interval(Duration),
    /// The secret's length is out of range.
    #[error("a secret of {0} octets is not within 1 and {SECRET_OCTETS_MAX}")]
    Secret(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, address: &str) -> Result<Device, DeviceError> {
        let community = Secret::new("hush")?;
        Device::new(name, address.parse().unwrap(), Credentials::V2c { community })
    }

    #[test]
    fn bad_devices_are_refused() {
        for (name, address, says) in [
            ("", "192.0.2.1:161", "name is empty"),
            ("a\u{7}", "192.0.2.1:161", "control character"),
            ("a", "192.0.2.1:0", "192.0.2.1:0 is not the address"),
            ("a", "0.0.0.0:161", "0.0.0.0:161 is not the address"),
            ("a", "224.0.0.1:161", "224.0.0.1:161 is not the address"),
        ] {
            let error = device(name, address).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let sw1 = device("sw1", "[2001:db8::1]:161").unwrap();
        for interval_ms in [0, 999, 300_001] {
            let interval = Duration::from_millis(interval_ms);
            assert_eq!(sw1.clone().with_interval(interval).unwrap_err(), DeviceError::Interval(interval));
        }
        assert_eq!(Secret::new(""), Err(DeviceError::Secret(0)));
    }

    #[test]
    fn secrets_are_not_printed() {
        let sw1 = device("sw1", "192.0.2.1:161").unwrap();
        let printed = format!("{sw1:?}");
        assert!(printed.contains("***") && !printed.contains("hush"), "{printed}");
    }
}
