//! The live state of every port and server: readings in; slots, samples and live figures out.
//!
//! [`state`] is the whole of it without I/O: what it is told, it takes in ([`port`], [`server`]), and what follows
//! from that it lays down in an [`output`]. [`pipeline`] is the shell around it that makes readings durable before they count and writes what comes out, [`intake`] the door to it; [`recovery`]
//! puts the state back together from what is stored. [`vitals`] tells how all of that does.

pub mod output;
pub mod port;
pub mod server;
pub mod state;

pub mod recovery;

pub mod pipeline;

pub mod intake;

pub mod vitals;
