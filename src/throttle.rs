//! From rules that hold to a limit on a port, and back (SPEC.md section 9): a case a server, with everybody's steps.
//!
//! A [`recommendation`] says why and what; a [`step`] is what somebody did about it, and a [`case`] is what follows from
//! its steps. The [`desk`] is the one door to what is written. [`contact`] says whom to tell next, [`templates`] how, and
//! a [`snippet`] is the configuration that a person puts into a device: the software never touches one by itself.

pub mod recommendation;

pub mod step;

pub mod case;

pub mod desk;

pub mod contact;

pub mod templates;

pub mod snippet;
