//! The integration tests: one binary, a file a theme.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "../collectors/nic/tests/namespace.rs"]
mod namespace;
mod support;

mod access;
mod aggregator;
mod alerts;
mod api;
mod browser;
mod cases;
mod closing;
mod collectors;
mod commands;
mod contract;
mod conventions;
mod engine;
mod events;
mod evidence;
mod figures;
mod grafana;
mod inventory;
mod limit;
mod meters;
mod months;
mod periods;
mod rebuild;
mod recovery;
mod report;
mod statements;
mod tidy;
mod tls;
mod vectors;
