//! From rules that hold to a limit on a port, and back (SPEC.md section 9): a case a server, with everybody's steps.
//!
//! [`evaluate`] watches every server by the pure rules of [`crate::metering::throttle`], with what shared [`uplinks`] carried, and goes
//! on from how servers are [`standing`] after a restart. It makes a [`recommendation`] ([`recommend`]), which says why and what;
//! a [`step`] is what somebody did about it, and a [`case`] is what follows from its steps. The [`desk`] is the one door to what is
//! written, a [`view`] how it is shown, and [`announce`] tells it to others. [`contact`] says whom to tell next, a [`letter`]
//! what, in the words of [`templates`]; [`rounds`] carry that out. A [`snippet`] is the configuration that a person puts into a
//! device: the software never touches one by itself.

pub mod uplinks;

pub mod evaluate;
pub mod standing;

pub mod recommend;
pub mod recommendation;

pub mod step;

pub mod case;

pub mod desk;
pub mod view;

pub mod announce;

pub mod contact;

pub mod letter;
pub mod templates;

pub mod rounds;

pub mod snippet;
