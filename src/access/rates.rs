//! How often anybody may ask: so many requests a second a token, and few log-ins that fail.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use meter95_reading::Timestamp;

/// How many times as much as in a second may come at once: the dashboard's questions come together.
const BURST_FACTOR: u32 = 2;

/// Keys that are remembered before those are forgotten that have all they may again.
const KEYS_MAX: usize = 4_096;

/// Log-ins of one address that may fail at once, and after how many ms another one may: people mistype, programs guess.
const OF_ADDRESS: Bucket = Bucket { most: 5, every_ms: 10_000 };

/// Log-ins of all addresses together that may fail at once, and after how many ms another one may.
const OF_ALL: Bucket = Bucket { most: 50, every_ms: 1_000 };

/// So much at once, and one more after so long.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    most: i64,
    every_ms: i64,
}

/// So many requests a second for each key. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Rates<K: Hash + Eq + Clone> {
    limiter: Arc<RateLimiter<K, HashMapStateStore<K>, DefaultClock>>,
}

impl<K: Hash + Eq + Clone> Rates<K> {
    /// So many a second, and twice as many at once.
    #[must_use]
    pub fn per_second(requests: NonZeroU32) -> Self {
        let quota = Quota::per_second(requests).allow_burst(requests.saturating_mul(BURST));
        Self {
            limiter: Arc::new(RateLimiter::new(quota, HashMapStateStore::default(), DefaultClock::default())),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// With after how many s there is another one, where there is none now.
    pub fn take(&self, key: &K) -> Result<(), u64> {
        if self.limiter.len() > KEYS_MAX {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
        })
    }
}

const BURST: NonZeroU32 = match NonZeroU32::new(BURST_FACTOR) {
    Some(factor) => factor,
    None => NonZeroU32::MIN,
};

/// Log-ins that failed. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Failures(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    all: Used,
    by_address: HashMap<IpAddr, Used>,
}

/// How much of a bucket is used up: until when it would take to be full again.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    /// In Unix ms.
    full_at: i64,
}

impl Used {
    /// What is still missing at `now`, in ms.
    fn missing_ms(self, bucket: Bucket, now: i64) -> i64 {
        // After the clock was set back it is no more than all of it.
        self.full_at.saturating_sub(now).clamp(0, bucket.most * bucket.every_ms)
    }

    /// After how many ms one may be taken; 0: now.
    fn wait_ms(self, bucket: Bucket, now: i64) -> i64 {
        (self.missing_ms(bucket, now) - (bucket.most - 1) * bucket.every_ms).max(0)
    }

    fn take(&mut self, bucket: Bucket, now: i64) {
        self.full_at = now + self.missing_ms(bucket, now) + bucket.every_ms;
    }

    fn give_back(&mut self, bucket: Bucket) {
        self.full_at -= bucket.every_ms;
    }
}

impl Failures {
    /// Before a log-in from `address` is looked at: counts it as one that fails.
    ///
    /// # Errors
    /// With after how many s another one may be tried, where too many failed.
    pub fn begin(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = &mut *counted;
        let own = counted.by_address.get(&network(address)).copied().unwrap_or_default();
        let wait_ms = own.wait_ms(OF_ADDRESS, now.0).max(counted.all.wait_ms(OF_ALL, now.0));
        if wait_ms > 0 {
            return Err(wait_ms.unsigned_abs().div_ceil(1_000));
        }
        if counted.by_address.len() >= KEYS_MAX {
            counted.by_address.retain(|_, used| used.missing_ms(OF_ADDRESS, now.0) > 0);
        }
        counted.all.take(OF_ALL, now.0);
        counted.by_address.entry(network(address)).or_default().take(OF_ADDRESS, now.0);
        Ok(())
    }

    /// That the log-in did not fail.
    pub fn succeeded(&self, address: IpAddr) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.all.give_back(OF_ALL);
        if let Some(own) = counted.by_address.get_mut(&network(address)) {
            own.give_back(OF_ADDRESS);
        }
    }
}

/// What one customer of a provider has: of IPv6 a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_slowed_by_address_and_altogether() {
        let failures = Failures::default();
        let at = |ms: i64| Timestamp(1_000_000_000 + ms);
        let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|a| a.parse().unwrap());
        for _ in 0..5 {
            assert_eq!(failures.begin(one, at(0)), Ok(()));
        }
        assert_eq!(failures.begin(one, at(0)), Err(10));
        assert_eq!(failures.begin(one, at(9_001)), Err(1));
        assert_eq!(failures.begin(one, at(10_000)), Ok(()));
        assert_eq!(failures.begin(one, at(10_000)), Err(10));
        for _ in 0..100 {
            assert_eq!(failures.begin(other, at(10_000)), Ok(()));
            failures.succeeded(other);
        }
        for i in 0..50 {
            let address: IpAddr = format!("2001:db8:0:{i:x}::{i:x}").parse().unwrap();
            let _ = failures.begin(address, at(20_000));
        }
        assert_eq!(failures.begin(other, at(20_000)), Err(1), "altogether");
        assert_eq!(failures.begin(other, at(21_000)), Ok(()));
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        for (a, b, same) in [
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("2001:db8::1", "2001:db8::2:3:4:5", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let [a, b]: [IpAddr; 2] = [a, b].map(|address| address.parse().unwrap());
            assert_eq!(network(a) == network(b), same, "{a} {b}");
        }
    }

    #[test]
    fn each_key_has_its_own_rate() {
        let rates = Rates::per_second(NonZeroU32::new(1).unwrap());
        let taken = |key: &str| (0..10).filter(|_| rates.take(&key.to_owned()).is_ok()).count();
        assert!((2..10).contains(&taken("a")));
        assert!((2..10).contains(&taken("b")));
        assert_eq!(rates.take(&"a".to_owned()), Err(1));
    }
}
