//! An evidence pack: what was measured of one server in a [`window`] of time, for the people who investigate an intrusion
//! or an abuse.
//!
//! [`facts`] reads the store; everything after it is a function of what it found. [`traffic`] makes lines of slots,
//! [`hours`] finds those that the server's own weeks before do not explain (when its behaviour changed for good is told by
//! [`habit`](crate::metering::habit)),
//! [`inventory`] what was sold and who changed it; [`records`] are what others have of it, and a [`report`] is all of that in one. [`tables`] writes it for spreadsheets,
//! [`page`] for people, with a [`chart`], in the [`words`] of two languages; [`readme`] says what is what, and [`pack`]
//! puts it into one file.

pub mod window;

pub mod facts;

pub mod traffic;

pub mod hours;

pub mod inventory;

pub mod records;
pub mod report;

pub mod tables;

pub mod chart;
pub mod page;

mod words;

pub mod readme;

pub mod pack;
