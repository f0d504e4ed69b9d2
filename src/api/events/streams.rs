//! How many streams of events are open, and how all of them end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::api::limits::{STREAMS_MAX, STREAMS_OF_TOKEN_MAX};

/// Streams that are open.
pub(in crate::api) const OPEN: &str = "meter95_event_streams";

/// Who may not open another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// There are too many.
    #[error(
        "{STREAMS_MAX} streams of events are open, and no more may be; ask for figures from time to time instead"
    )]
    All,
    /// This token has too many.
    #[error("{STREAMS_OF_TOKEN_MAX} streams of events are open by this token, and no more may be; close one")]
    OfToken,
}

/// The streams that are open. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Streams(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By the token's id; those of a site without tokens are one's.
    open: Mutex<HashMap<Option<String>, usize>>,
    end: CancellationToken,
}

/// A place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Streams,
    token: Option<String>,
}

impl Streams {
    /// Ends all that are open, and those to come at once.
    pub fn end(&self) {
        self.0.end.cancel();
    }

    /// Takes a place.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn take(&self, token: &Option<String>) -> Result<Place, Full> {
        let mut open = self.open();
        if open.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Full::All);
        }
        let own = open.entry(token.clone()).or_default();
        if *own >= STREAMS_OF_TOKEN_MAX {
            return Err(Full::OfToken);
        }
        *own += 1;
        metrics::gauge!(OPEN).increment(1);
        Ok(Place { streams: self.clone(), token: token.clone() })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Option<String>, usize>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Returns when all streams end.
    pub(super) async fn ended(&self) {
        self.streams.0.end.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(own) = open.get_mut(&self.token) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.token);
            }
        }
        metrics::gauge!(OPEN).decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end_to_how_many_there_are() {
        let streams = Streams::default();
        let token = |number: usize| Some(format!("t{number}"));
        let mut places: Vec<Place> = (0..STREAMS_MAX)
            .map(|number| streams.take(&token(number / STREAMS_OF_TOKEN_MAX)).unwrap())
            .collect();
        assert_eq!(streams.take(&token(99)).err(), Some(Full::All));
        drop(places.split_off(STREAMS_MAX - 2));
        assert_eq!(streams.take(&token(0)).err(), Some(Full::OfToken));
        places.push(streams.take(&None).unwrap());
        places.push(streams.take(&token(99)).unwrap());
        assert_eq!(streams.take(&token(99)).err(), Some(Full::All));
        drop(places);
        assert!(streams.open().is_empty());
    }
}
