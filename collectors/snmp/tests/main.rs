//! The collector against a real agent and against agents that lie.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod agent;
mod fleet;
mod hostile;
mod moves;
mod mutants;
mod relay;
mod snmpd;
mod v3;
