//! From rules that hold to a limit on a port, and back (SPEC.md section 9): a case a server, with everybody's steps.
//!
//! A [`recommendation`] says why and what; a [`step`] is what somebody did about it, and a [`case`] is what follows from
//! its steps. The [`desk`] is the one door to what is written. [`contact`] says whom to tell next, a [`letter`] what, in the words of
//! [`templates`], and a [`snippet`] is the configuration that a person puts into a device: the software never touches one by itself.

pub mod recommendation;

pub mod step;

pub mod case;

pub mod desk;
pub mod view;

pub mod contact;

pub mod letter;
pub mod templates;

pub mod snippet;
