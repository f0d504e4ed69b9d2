//! From a month's samples to statements that can be proved, corrected and exported (SPEC.md section 8).
//!
//! [`unit`] says what is billed, a [`draft`] is the statement that it makes as things stand ([`gaps`]: what was not
//! measured, and why), [`close`] issues or holds it, [`review`] lets a held one go, [`revise`] corrects an issued one.
//! [`acts`] is the trail of all that; a [`statement`] is what stays.

pub mod statement;

pub mod acts;

pub mod gaps;

pub mod table;

pub mod export;

pub mod listing;

pub mod bundle;

pub mod proof;

pub mod explain;

#[cfg(test)]
mod example;
