//! ClickHouse, the one store. Only this folder names it.
//!
//! A [`connection`] is to the embedded [`engine`] or to a configured server, brought up to date by [`migrate`]. [`rows`]
//! are the tables' shapes; [`write`] puts them in, [`load`] reads the state back, [`usage`] the figures of a month;
//! [`marks`] say how far something has come. [`inventory`] holds what is sold, every version of it, and [`collectors`] what collectors elsewhere said of
//! themselves. For closing, [`month`] reads months of samples, [`cross_check`] makes the figures a second time, and
//! [`statements`] keeps what was issued, [`statement_sums`] counts it and adds it up; [`proof`] reads what all that can be proved from.
//! [`cases`] are the steps taken about servers that use far too much; [`alerts`] keeps what was raised and cleared, [`outbox`] what is carried out and how far that has come;
//! [`answers`] keeps those to what must not be done twice.
//! [`cases`] are the steps taken about servers that use far too much; [`alerts`] keeps what was raised and cleared, [`outbox`] what is carried out and how far that has come.
//! [`tokens`] are who may do what, and [`audit`] what they did.

pub mod engine;

pub mod connection;
pub mod migrate;

pub mod rows;

pub mod write;

pub mod inventory;
pub mod load;
pub mod marks;
pub mod usage;

pub mod collectors;

pub mod cross_check;
pub mod month;
pub mod proof;
pub mod statement_sums;
pub mod statements;

pub mod alerts;
pub mod answers;
pub mod cases;
pub mod outbox;

pub mod audit;
pub mod tokens;
