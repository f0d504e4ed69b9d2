//! Carries out what happens: to machines by signed webhooks and Alertmanager, to people by mail.
//!
//! [`alert`] is a condition that is true now, and the [`board`] what is known of all of them: it makes an [`event`] of
//! each that is raised or cleared. The [`outbox`] keeps events and letters until they are where they belong, as
//! [`route`] says who gets what and [`backoff`] when comes the next try; a [`parcel`] is what goes out at once. The
//! [`destinations`] are those of the configuration, [`webhook`], [`alertmanager`] (both over [`http`]) and [`mail`] (whose
//! words are made in [`digest`]); [`deliver`] brings one to the other. [`log`] is how all that is shown.
//!
//! # What is promised
//! An event that [`outbox::Outbox::put`] has taken is durable, and is sent to each of its destinations until that has
//! taken it, has refused it for good, or three days have passed. Its delivery is durable before the next one is sent. So
//! none is lost, and none is sent twice, with one exception that no sender can avoid: where the process or the store ends
//! between the other side's answer and the note of it, the same message is sent once more, with the same `webhook-id`
//! or `Message-ID`, by which the receiver knows it.

pub mod alert;
pub mod board;

pub mod lookout;

pub mod event;
pub mod outbox;
pub mod route;

pub mod backoff;
pub mod deliver;
pub mod parcel;

pub mod destinations;

pub mod alertmanager;
pub mod digest;
pub mod http;
pub mod mail;
pub mod webhook;

pub mod log;

use meter95_reading::Timestamp;

use crate::store::connection::Store;
use board::Board;
use destinations::Destinations;
use outbox::{Outbox, OutboxError};

/// What raises alerts and sends events, for the other parts of the service. Cheap to clone.
#[derive(Clone)]
pub struct Alerts {
    /// The alerts that are raised.
    pub board: Board,
    /// Events and letters on their way.
    pub outbox: Outbox,
}

impl Alerts {
    /// Goes on from what is stored, at `now`, for these destinations.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn open(
        store: &Store,
        destinations: &Destinations,
        now: Timestamp,
    ) -> Result<Self, OutboxError> {
        let outbox = Outbox::open(store.clone(), destinations.routes()).await?;
        let board = Board::open(store.clone(), outbox.clone(), now).await?;
        Ok(Self { board, outbox })
    }
}
