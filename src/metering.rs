//! SPEC.md as code, in the order in which a figure is made: no I/O, no async, no clock (time is an argument),
//! no logging, no floating point.
//!
//! Two readings make a [`delta`], a delta is spread over [`slot`]s, a server's ports make its [`sample`] of a slot,
//! a [`period`]'s samples are ranked ([`percentile`]) against the [`allowance`], a [`tally`] keeps that up to date
//! while the month runs, [`money`] prices what is over, and a [`statement`] says it all of a month that has ended.
//! Beside that, [`throttle`] tells who is extreme and what to do about it, [`agreement`] whether a server's two
//! meters show the same, and [`habit`] when a server began to behave unlike itself.

pub mod units;

pub mod delta;
pub mod slot;

pub mod meter;

pub mod sample;

pub mod period;

pub mod percentile;
pub mod top_set;

pub mod allowance;
pub mod overage;
pub mod tally;

pub mod money;

pub mod statement;

pub mod throttle;

pub mod agreement;

pub mod habit;
