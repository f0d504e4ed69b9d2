//! ClickHouse, the one store. Only this folder names it.
//!
//! A [`connection`] is to the embedded [`engine`] or to a configured server, brought up to date by [`migrate`]. [`rows`]
//! are the tables' shapes; [`write`] puts them in, [`load`] reads the state back, [`usage`] the figures of a month, and
//! [`proof`] what these can be proved from.

pub mod engine;

pub mod connection;
pub mod migrate;

pub mod rows;

pub mod write;

pub mod load;
pub mod usage;

pub mod proof;
