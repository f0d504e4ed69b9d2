//! A reading of a port, and its wire form.

use serde::{Deserialize, Serialize};

use crate::{PortKey, Timestamp};

/// How wide an interface's octet counters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// ifInOctets and ifOutOctets: Counter32, wraps at 2^32.
    Bits32,
    /// ifHCInOctets and ifHCOutOctets: Counter64, taken never to wrap.
    Bits64,
}

impl Width {
    /// 32 or 64.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// The width of `bits` bits; `None` unless 32 or 64.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            32 => Some(Self::Bits32),
            64 => Some(Self::Bits64),
            _ => None,
        }
    }
}

/// What one port's counters showed at one instant, and what dates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// When the counters had these values.
    pub time: Timestamp,
    /// Octets received by the interface.
    pub rx_octets: u64,
    /// Octets sent by the interface.
    pub tx_octets: u64,
    /// Width of the octet counters.
    pub width: Width,
    /// sysUpTime in hundredths of a second; wraps at 2^32.
    pub uptime_cs: Option<u32>,
    /// ifCounterDiscontinuityTime, the sysUpTime at which the counters were last disturbed, in hundredths of a second.
    pub discontinuity_cs: Option<u32>,
    /// Packets received by the interface, of every kind.
    pub rx_packets: Option<u64>,
    /// Packets sent by the interface, of every kind.
    pub tx_packets: Option<u64>,
    /// What the device says the port can do, in bit/s (ifHighSpeed x 1,000,000), where it says so.
    pub speed_bps: Option<u64>,
}

/// What a collector saw of one port at one instant (SPEC.md section 1).
///
/// Its JSON form is a line of the NDJSON that collectors ship, with times in Unix milliseconds:
/// `{"device":"sw1","interface":"ge-0/0/1","time":1790780132298,"rx":496195623,"tx":423048774,"width":64,"uptime":10000000}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Reading {
    /// Whose counters these are.
    pub port: PortKey,
    /// What they showed.
    pub counters: Counters,
}

/// The JSON form of a [`Reading`], before its rules are checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a reading as a JSON object")]
struct Wire {
    device: String,
    interface: String,
    time: i64,
    rx: u64,
    tx: u64,
    #[serde(default = "default_width")]
    width: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uptime: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discontinuity: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rx_packets: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tx_packets: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    speed_bps: Option<u64>,
}

fn default_width() -> u8 {
    64
}

impl TryFrom<Wire> for Reading {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let port = PortKey::new(&wire.device, &wire.interface).map_err(|e| e.to_string())?;
        let width =
            Width::from_bits(wire.width).ok_or_else(|| format!("width is {}, not 32 or 64", wire.width))?;
        if wire.time < 0 {
            return Err(format!("time is {}, before 1970", wire.time));
        }
        if width == Width::Bits32 {
            for (field, octets) in [("rx", wire.rx), ("tx", wire.tx)] {
                if octets > u64::from(u32::MAX) {
                    return Err(format!("{field} is {octets}, which no 32-bit counter can show"));
                }
            }
        }
        Ok(Self {
            port,
            counters: Counters {
                time: Timestamp(wire.time),
                rx_octets: wire.rx,
                tx_octets: wire.tx,
                width,
                uptime_cs: wire.uptime,
                discontinuity_cs: wire.discontinuity,
                rx_packets: wire.rx_packets,
                tx_packets: wire.tx_packets,
                // ifHighSpeed is 0 where the device does not know.
                speed_bps: wire.speed_bps.filter(|bps| *bps > 0),
            },
        })
    }
}

impl From<Reading> for Wire {
    fn from(reading: Reading) -> Self {
        let Reading { port, counters } = reading;
        Self {
            device: port.device().to_owned(),
            interface: port.interface().to_owned(),
            time: counters.time.0,
            rx: counters.rx_octets,
            tx: counters.tx_octets,
            width: counters.width.bits(),
            uptime: counters.uptime_cs,
            discontinuity: counters.discontinuity_cs,
            rx_packets: counters.rx_packets,
            tx_packets: counters.tx_packets,
            speed_bps: counters.speed_bps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<Reading, String> {
        serde_json::from_str(line).map_err(|e| e.to_string())
    }

    #[test]
    fn a_line_is_read_and_written_back() {
        let line = r#"{"device":"sw1","interface":"ge-0/0/1","time":1790780132298,"rx":496195623,"tx":423048774,"width":64,"uptime":10000000,"discontinuity":0}"#;
        let reading = check(line).unwrap();
        assert_eq!((reading.port.device(), reading.port.interface()), ("sw1", "ge-0/0/1"));
        assert_eq!(serde_json::to_string(&reading).unwrap(), line);
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        for (line, says) in [
            (r#"{"device":"","interface":"a","time":1,"rx":0,"tx":0}"#, "device is empty"),
            (r#"{"device":"a\u0000","interface":"a","time":1,"rx":0,"tx":0}"#, "control character"),
            (r#"{"device":"a","interface":"a","time":1,"rx":0,"tx":0,"width":16}"#, "width is 16"),
            (r#"{"device":"a","interface":"a","time":-1,"rx":0,"tx":0}"#, "time is -1"),
            (
                r#"{"device":"a","interface":"a","time":1,"rx":4294967296,"tx":0,"width":32}"#,
                "rx is 4294967296",
            ),
            (r#"{"device":"a","interface":"a","time":1,"rx":0}"#, "missing field `tx`"),
            (r#"{"device":"a","interface":"a","time":1,"rx":-1,"tx":0}"#, "-1"),
            (r#""device""#, "expected a reading as a JSON object"),
            (r#"{"device":"a","interface":"a","time":1,"rx":0,"tx":0,"colour":1}"#, "unknown field `colour`"),
        ] {
            let error = check(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
