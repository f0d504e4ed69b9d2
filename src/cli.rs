//! The command line, one file a command.
//!
//! [`site`] is what most commands begin with: the configuration, the store and who may write to it; [`show`] is how
//! they print, [`files`] how they write files, [`stop`] when those that run on end.

pub mod files;
pub mod show;
pub mod site;
pub mod stop;

pub mod affected;
pub mod alerts;
pub mod audit;
pub mod cases;
pub mod check;
pub mod close;
pub mod collect;
pub mod collectors;
pub mod demo;
pub mod discover;
pub mod engine;
pub mod evidence;
pub mod exclusions;
pub mod explain;
pub mod export;
pub mod import;
pub mod inventory;
pub mod rebuild;
pub mod report;
pub mod review;
pub mod revise;
pub mod serve;
pub mod statements;
pub mod token;
pub mod usage;
pub mod verify;
pub mod what_if;
