//! The simulated site behind `meter95 demo`.
//!
//! [`habit`] says what a server does with its line, as one continuous curve from [`habit::EPOCH`] to any instant;
//! [`site`] is the plain description of who is connected where; [`plan`] draws it from a seed; [`view`] reads the
//! counters of its switches at an instant; [`history`] is the past as readings, and [`agent`] answers SNMP for
//! the present. The past and the present come from the same view, so the one goes on where the other ends.

pub mod agent;
pub mod habit;
pub mod history;
pub mod plan;
pub mod site;
pub mod view;
