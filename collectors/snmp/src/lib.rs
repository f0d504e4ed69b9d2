//! Reads switch ports over SNMP: a pass asks a device for the counters of its ports and makes a
//! [`Reading`](meter95_reading::Reading) of every row that came back whole.
//!
//! - A port is a device and what the device calls the interface (ifName); ifIndex is only how to ask for it
//!   today. The name travels in the same datagram as the counters, so figures never go to another port.
//! - All columns of a port and sysUpTime.0 come from one datagram, dated at the middle of its round trip.
//! - A failed, partial or odd answer gives no reading and is counted by cause ([`Failure`]); it is never a 0.
//! - Each device is visited by a task of its own, at most two requests in flight, so that one which does not
//!   answer delays no other.
//!
//! ```no_run
//! # async fn example(clock: impl Fn() -> meter95_reading::Timestamp + Send + Sync + 'static)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use meter95_snmp::{Credentials, Device, Options, Poller, Secret};
//!
//! let credentials = Credentials::V2c { community: Secret::new("hosting-ro")? };
//! let device = Device::new("sw1", "192.0.2.1:161".parse()?, credentials)?;
//! let poller = Poller::new(vec![device], Options::default(), clock)?;
//! let (out, mut passes) = tokio::sync::mpsc::channel(64);
//! tokio::spawn(poller.run(out, tokio_util::sync::CancellationToken::new()));
//! while let Some(pass) = passes.recv().await {
//!     println!("{}: {} readings, {}", pass.device, pass.readings.len(), pass.failures);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A device is asked by SNMPv2c with a community or by SNMPv3 with a [`User`], authenticated always and encrypted unless
//! said otherwise. In SNMPv3 a device's engine is found, and found again when it has another identity or clock, within
//! the pass that meets it. Reports that are not signed, which anybody can forge, end no request; they only say why there
//! was no answer.
//!
//! The receive buffer asked for is 4 MiB; the kernel grants at most `net.core.rmem_max`. The log target
//! `async_snmp` repeats what is counted here, also at `warn` where a device or a forger sends what cannot be verified:
//! keep it at `error`.

mod batch;
mod course;
mod device;
mod exchange;
mod failure;
mod filter;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod health;
mod map;
mod mib;
mod options;
mod pass;
mod poller;
mod ports;
mod row;
mod schedule;
mod transport;
mod user;
mod visit;
mod walk;

pub use device::{Credentials, Device, DeviceError, Secret};
pub use failure::{Failure, FailureCounts};
pub use filter::{FilterError, InterfaceFilter};
pub use health::{Board, Datagrams, Health};
pub use options::{Options, OptionsError};
pub use pass::{Outcome, Pass};
pub use poller::{Poller, PollerError, SocketError};
pub use ports::{PortInfo, PortStatus, PortsError, ports};
pub use user::{AuthProtocol, PrivacyProtocol, User, UserError};
pub use visit::{Visitor, VisitorError};
