//! ClickHouse, the one store. Only this folder names it.
//!
//! A [`connection`] is to the embedded [`engine`] or to a configured server, brought up to date by [`migrate`]. [`rows`]
//! are the tables' shapes; [`write`] puts them in, [`load`] reads the state back, [`usage`] the figures of a month;
//! [`inventory`] holds what is sold, every version of it.

pub mod engine;

pub mod connection;
pub mod migrate;

pub mod rows;

pub mod write;

pub mod inventory;
pub mod load;
pub mod usage;
