//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::limits::{CONNECTIONS_MAX, CONNECTIONS_OF_ONE_MAX};

/// Connections that were closed at once, for their address has too many.
pub(in crate::api) const REFUSED: &str = "meter95_http_connections_refused_total";

/// Where connections come in. Cheap to clone; clones count the same ones.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    places: Arc<Semaphore>,
    of_each: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Place {
    _free: Option<OwnedSemaphorePermit>,
    entry: Entry,
    from: IpAddr,
}

impl Default for Entry {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(CONNECTIONS_MAX)), of_each: Arc::default() }
    }
}

impl Entry {
    /// Waits until there is a place for anybody.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.places.clone().acquire_owned().await.ok()
    }

    /// Whether one more may come from an address.
    pub(super) fn has_room_for(&self, address: IpAddr) -> bool {
        self.counts().get(&whose(address)).is_none_or(|count| *count < CONNECTIONS_OF_ONE_MAX)
    }

    /// Gives a place that is free to an address.
    pub(super) fn take(&self, free: Option<OwnedSemaphorePermit>, address: IpAddr) -> Place {
        let from = whose(address);
        *self.counts().entry(from).or_default() += 1;
        Place { _free: free, entry: self.clone(), from }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.of_each.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.entry.counts();
        let left = counts.get(&self.from).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            counts.remove(&self.from);
        } else {
            counts.insert(self.from, left);
        }
    }
}

/// By what one other end is told from another: in IPv6 by its network of 64 bits, of which it has every address.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_so_many_places_and_no_more() {
        let entry = Entry::default();
        let of = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut places: Vec<Place> =
            (0..CONNECTIONS_OF_ONE_MAX).map(|_| entry.take(None, of("2001:db8::1"))).collect();
        for (address, room) in [
            ("2001:db8::1", false),
            ("2001:db8::ffff", false),
            ("2001:db8:0:1::1", true),
            ("192.0.2.1", true),
        ] {
            assert_eq!(entry.has_room_for(of(address)), room, "{address}");
        }
        places.pop();
        assert!(entry.has_room_for(of("2001:db8::1")));
        places.clear();
        assert!(entry.counts().is_empty());
        let _v4 = entry.take(None, of("::ffff:192.0.2.1"));
        assert_eq!(entry.counts().get(&of("192.0.2.1")), Some(&1));
    }
}
