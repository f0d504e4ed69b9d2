//! What every collector produces: a [`Reading`] of one port at one instant, and its wire form.
//!
//! Nothing here does I/O or asks for the time. Figures are as the interface itself counts them: `rx` is what
//! the interface received, `tx` what it sent. Which of the two is a server's *in* depends on whose interface
//! it is, and is decided later (SPEC.md section 1).

mod port;
mod reading;
mod time;

pub use port::{PortKey, PortKeyError};
pub use reading::{Counters, Reading, Width};
pub use time::Timestamp;
