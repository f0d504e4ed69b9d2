//! TLS: the certificates with which this service and its collectors show who they are.
//!
//! A [`pair`] is a certificate with its key, read from files; [`server`] has the service's and looks whether there are new
//! ones. [`holder`] lets clients show a certificate of theirs, [`outgoing`] is how a collector trusts the service, and
//! [`dates`] are those between which a certificate counts.

pub mod dates;

pub mod pair;

pub mod server;

mod holder;

pub mod outgoing;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// What does the arithmetic, everywhere in meter95.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
