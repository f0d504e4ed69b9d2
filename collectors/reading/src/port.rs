//! The identity of a port.

use std::fmt;
use std::sync::Arc;

/// The longest device or interface name that is taken, in octets. ifName is a DisplayString of at most 255
/// (RFC 2863); device names follow the same limit.
const NAME_OCTETS_MAX: usize = 255;

/// The identity of a port: a device and the name that it gives the interface (ifName), never an ifIndex.
///
/// Cheap to clone: both names live in one shared allocation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortKey {
    /// `device` and `interface`, one after the other.
    names: Arc<str>,
    /// Where `device` ends in `names`; at most [`NAME_OCTETS_MAX`].
    device_len: u8,
}

impl PortKey {
    /// Names a port.
    ///
    /// # Errors
    /// When either name is empty, longer than 255 octets, or contains a control character.
    pub fn new(device: &str, interface: &str) -> Result<Self, PortKeyError> {
        check("device", device)?;
        check("interface", interface)?;
        let device_len = u8::try_from(device.len()).map_err(|_| PortKeyError::TooLong("device"))?;
        let mut names = String::with_capacity(device.len() + interface.len());
        names.push_str(device);
        names.push_str(interface);
        Ok(Self { names: names.into(), device_len })
    }

    /// The device's name.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.names[..usize::from(self.device_len)]
    }

    /// The interface's name on that device.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.names[usize::from(self.device_len)..]
    }
}

fn check(field: &'static str, name: &str) -> Result<(), PortKeyError> {
    if name.is_empty() {
        return Err(PortKeyError::Empty(field));
    }
    if name.len() > NAME_OCTETS_MAX {
        return Err(PortKeyError::TooLong(field));
    }
    match name.chars().find(|c| c.is_control()) {
        Some(c) => Err(PortKeyError::Control(field, c)),
        None => Ok(()),
    }
}

impl fmt::Display for PortKey {
    /// `device interface`, for people; names may contain spaces, so it is not meant to be read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.device(), self.interface())
    }
}

impl fmt::Debug for PortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortKey({:?}, {:?})", self.device(), self.interface())
    }
}

/// Why a pair of names is not a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortKeyError {
    /// The named field is the empty string.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The named field is over 255 octets.
    #[error("{0} is longer than 255 octets")]
    TooLong(&'static str),
    /// The named field contains this control character.
    #[error("{0} contains the control character {1:?}")]
    Control(&'static str, char),
}
