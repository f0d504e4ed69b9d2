//! Reads this host's network interfaces and ships what they counted.
//!
//! In reading order: [`interfaces`] lists what there is and says which of it is hardware, [`Selection`] chooses,
//! [`read_counters`] takes the 64-bit counters of every interface from one dump of the kernel, and a
//! [`Collector`] does all that once an interval. Linux only.
//!
//! A NIC's rx is its server's *in*, its tx the server's *out* (SPEC.md section 1). Octets are those of the
//! Ethernet frame without its 4-octet FCS. Nothing here judges the figures: a counter that fell is shipped as
//! it is, and the service calls it a reset.

mod collector;
mod dump;
mod failure;
mod interface;
mod pass;
mod proc;
mod select;
mod stats;

pub use collector::{
    Collector, INTERVAL_DEFAULT, INTERVAL_MAX, INTERVAL_MIN, Options, OptionsError, host_name,
};
pub use failure::{Failure, FailureKind};
pub use interface::{Address, Interface, Kind, interfaces};
pub use pass::{Pass, Row, Snapshot, Source, read_counters, read_pass};
pub use select::Selection;
