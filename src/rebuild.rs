//! A month made again from the readings that are stored.
//!
//! [`derive`] is the pure part: from the readings of ports around some slots to what the ports carried in them and to
//! servers' samples, by the rules by which the live state makes them. [`month`] reads a month chunk by chunk, holds
//! what is stored against it and puts right what differs; [`affected`] tells what other readings would change.

pub mod derive;

mod chunk;

pub mod affected;
pub mod month;
