//! A month's report for a customer: an A4 page a server (or pool), to be sent with the invoice, as HTML that prints and as PDF.
//!
//! [`source`] reads a month's statements and the samples of which they were made; of what is not issued yet it makes
//! preliminary ones. A [`sheet`] is one of them with what its page shows. The [`page`] is laid out once, as a [`drawing`] of
//! texts and paths whose widths are measured in [`fonts`]; [`svg`] and [`pdf`] say the same drawing, and a [`document`] is
//! all pages in one file. The same statement makes the same octets.

pub mod source;

pub mod sheet;

mod drawing;
pub mod fonts;

mod page;

mod pdf;
mod svg;

pub mod document;
