//! What opens the devices of a configuration: communities, and users of SNMPv3 with their keys.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use meter95_snmp::{Credentials, Device, InterfaceFilter, User};

use super::address;
use crate::config::snmp::{Snmp, SnmpDevice};
use crate::config::{Config, ConfigError};

/// The users of a configuration. Their keys are made once, when this is.
#[derive(Debug)]
pub struct Users<'a>(BTreeMap<&'a str, Result<User, ConfigError>>);

impl<'a> Users<'a> {
    /// Reads the passwords, and makes keys of them.
    #[must_use]
    pub fn new(snmp: &'a Snmp) -> Self {
        Self(snmp.users.iter().map(|user| (user.name.as_str(), user.user())).collect())
    }

    /// Each by its name in the configuration, or why it can't be used.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Result<User, ConfigError>)> {
        self.0.iter().map(|(name, user)| (*name, user))
    }

    /// What opens a device.
    ///
    /// # Errors
    /// When its community can't be read, or its user can't be used.
    pub fn open(&self, device: &SnmpDevice) -> anyhow::Result<Credentials> {
        if let Some(community) = device.community()? {
            return Ok(Credentials::V2c { community });
        }
        let name = device.user.as_deref().unwrap_or_default();
        match self.0.get(name) {
            Some(Ok(user)) => Ok(Credentials::V3 { user: user.clone() }),
            Some(Err(error)) => Err(anyhow!("its user {name:?} can't be used: {error}")),
            None => Err(anyhow!("there is no user {name:?}")),
        }
    }

    /// A device as it is asked. Its address is looked up here.
    ///
    /// # Errors
    /// When its address, name, interval, patterns or credentials are none.
    pub async fn device(&self, config: &Config, entry: &SnmpDevice) -> anyhow::Result<Device> {
        let credentials = self.open(entry)?;
        let device = Device::new(&entry.name, address(&entry.address).await?, credentials)?;
        let interval_s = config.interval_s(entry.interval_s, config.snmp.interval_s);
        let device = device.with_interval(Duration::from_secs(interval_s))?;
        if entry.interfaces.is_empty() {
            return Ok(device);
        }
        Ok(device.with_interfaces(InterfaceFilter::patterns(&entry.interfaces)?))
    }
}
