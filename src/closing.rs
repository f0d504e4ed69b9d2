//! From a month's samples to statements that can be proved, corrected and exported (SPEC.md section 8).
//!
//! [`facts`] are what is sold and declared, [`unit`] says what of it is billed as one, a [`draft`] is the statement that
//! it makes as things stand ([`gaps`]: what was not measured, and why). The [`desk`] is the one door to what is written:
//! [`close`] issues statements or holds them, [`review`] lets a held one go, [`revise`] corrects an issued one,
//! [`exclusions`] declare incidents; [`standing`] is how far a month is, and the [`schedule`] closes it when it is due.
//! [`acts`] is the trail of all that, a [`statement`] what stays, [`settle`] how its figures come out of samples. [`what_if`]
//! asks the same samples under other terms. Out of statements come a [`listing`], the lines of an [`export`], the [`bundle`]
//! and [`proof`] by which one can be recomputed, and what [`explain`] tells a customer.

pub mod statement;

pub mod settle;

pub mod acts;

pub mod facts;
pub mod gaps;
pub mod unit;

pub mod draft;

pub mod close;
pub mod exclusions;
pub mod review;
pub mod revise;

pub mod desk;

pub mod standing;

pub mod schedule;

pub mod what_if;

pub mod table;

pub mod export;

pub mod listing;

pub mod bundle;

pub mod proof;

pub mod explain;

#[cfg(test)]
pub(crate) mod example;
