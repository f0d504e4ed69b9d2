//! meter95: from the counter on a switch port to the line on an invoice.
//!
//! The folders are the flow: the collectors that [`sources`] runs ship readings, [`aggregator`] makes them slots, samples
//! and live figures by the rules of [`metering`] for what [`inventory`] says is sold, [`store`] keeps all of it, [`usage`]
//! tells a month's figures, [`rebuild`] proves them from readings, [`closing`] makes statements of them, [`throttle`] watches
//! for servers that use far more than they should and keeps their cases, [`alerts`] carries out what somebody should know,
//! [`evidence`] packs what an investigation needs, a [`report`] is what a customer gets with the invoice, and [`api`] and [`cli`]
//! show all that; [`service`] is how the parts run together. [`collectors`] is what is known of those elsewhere, [`access`] who may
//! do what, [`audit`] what they did, [`tls`] how each side shows who it is, [`signal`] how a part says that it has changed,
//! [`embedded`] the files of the dashboard.

pub mod cli;
pub mod clock;
pub mod config;
pub mod signal;

pub mod metering;

pub mod inventory;

pub mod sources;

pub mod collectors;

pub mod ndjson;

pub mod aggregator;

pub mod store;

pub mod usage;

pub mod rebuild;

pub mod closing;

pub mod throttle;

pub mod alerts;

mod axis;
mod html;

pub mod evidence;

pub mod report;

pub mod access;

pub mod tls;

pub mod audit;

pub mod embedded;

pub mod api;

pub mod service;

pub mod demo;
