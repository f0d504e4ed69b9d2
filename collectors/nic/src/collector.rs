//! Reads this host once an interval and hands the passes on.

use std::time::Duration;

use meter95_reading::{PortKey, PortKeyError, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{Pass, Selection, read_pass};

/// How often a host is read unless told otherwise.
pub const INTERVAL_DEFAULT: Duration = Duration::from_secs(60);
/// The shortest interval: counters of many drivers move once a second.
pub const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The longest interval, one slot: beyond it slots would be filled from their neighbours (SPEC.md section 3).
pub const INTERVAL_MAX: Duration = Duration::from_secs(300);

/// How to read this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The device that readings name; `None` for [`host_name`].
    pub device: Option<String>,
    /// The time from one pass to the next, from [`INTERVAL_MIN`] to [`INTERVAL_MAX`].
    pub interval: Duration,
    /// Which interfaces are metered.
    pub interfaces: Selection,
}

impl Default for Options {
    fn default() -> Self {
        Self { device: None, interval: INTERVAL_DEFAULT, interfaces: Selection::default() }
    }
}

/// Why options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The interval is out of range.
    #[error("interval of {0:?} is not between {INTERVAL_MIN:?} and {INTERVAL_MAX:?}")]
    Interval(Duration),
    /// The device's name, given or the host's, cannot identify a port.
    #[error("device name {0:?} cannot be used")]
    Device(String, #[source] PortKeyError),
    /// A named interface cannot identify a port.
    #[error("interface name {0:?} cannot be used")]
    Interface(String, #[source] PortKeyError),
    /// Interfaces are to be taken by name, and there is no name.
    #[error("no interface is named")]
    NoInterface,
}

/// The NIC collector of one host.
#[derive(Debug)]
pub struct Collector {
    device: String,
    interval: Duration,
    interfaces: Selection,
    now: fn() -> Timestamp,
}

impl Collector {
    /// A collector that does nothing yet. `now` is the wall clock.
    ///
    /// # Errors
    /// When an option is out of its range.
    pub fn new(options: Options, now: fn() -> Timestamp) -> Result<Self, OptionsError> {
        let Options { device, interval, interfaces } = options;
        if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) {
            return Err(OptionsError::Interval(interval));
        }
        let device = device.unwrap_or_else(host_name);
        PortKey::new(&device, "any").map_err(|e| OptionsError::Device(device.clone(), e))?;
        if let Selection::Named(names) = &interfaces {
            if names.is_empty() {
                return Err(OptionsError::NoInterface);
            }
            for name in names {
                PortKey::new(&device, name).map_err(|e| OptionsError::Interface(name.clone(), e))?;
            }
        }
        Ok(Self { device, interval, interfaces, now })
    }

    /// The device that readings name.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Reads until `stop` is cancelled or `out` has no receiver. The first pass is at once.
    ///
    /// When `out` is full it waits, and the passes that it misses meanwhile are left out: counters lose
    /// nothing by being read later. A pass goes out even when it failed, with its failures and no readings.
    pub async fn run(self, out: mpsc::Sender<Pass>, stop: CancellationToken) {
        info!(device = self.device, interval_s = self.interval.as_secs(), "nic collector starts");
        let mut ticks = interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shipping = async {
            loop {
                ticks.tick().await;
                let Some(pass) = self.pass().await else { return };
                for failure in &pass.failures {
                    warn!(kind = failure.kind.label(), detail = failure.detail, "nic pass not whole");
                }
                if out.send(pass).await.is_err() {
                    return;
                }
            }
        };
        stop.run_until_cancelled(shipping).await;
    }

    /// One pass, on a thread that may block. `None` when the runtime is shutting down.
    async fn pass(&self) -> Option<Pass> {
        let (device, interfaces, now) = (self.device.clone(), self.interfaces.clone(), self.now);
        tokio::task::spawn_blocking(move || read_pass(&device, &interfaces, now)).await.ok()
    }
}

/// This host's name, as the kernel has it; not UTF-8 in part, that part is replaced.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        Timestamp(1_790_780_132_298)
    }

    fn loopback() -> Options {
        Options {
            device: Some("srv1".to_owned()),
            interfaces: Selection::Named(["lo".to_owned()].into()),
            ..Options::default()
        }
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let check = |change: fn(&mut Options)| {
            let mut options = loopback();
            change(&mut options);
            Collector::new(options, noon).map(drop)
        };
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|options| options.device = None), Ok(()));
        assert_eq!(
            check(|options| options.interval = Duration::from_millis(999)),
            Err(OptionsError::Interval(Duration::from_millis(999)))
        );
        assert_eq!(
            check(|options| options.interval = Duration::from_secs(301)),
            Err(OptionsError::Interval(Duration::from_secs(301)))
        );
        assert!(matches!(
            check(|options| options.device = Some(String::new())),
            Err(OptionsError::Device(..))
        ));
        assert_eq!(
            check(|options| options.interfaces = Selection::Named([].into())),
            Err(OptionsError::NoInterface)
        );
        assert!(matches!(
            check(|options| options.interfaces = Selection::Named([String::new()].into())),
            Err(OptionsError::Interface(..))
        ));
    }

    #[tokio::test]
    async fn it_ships_at_once_and_stops_when_told() {
        let (out, mut passes) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let collector = Collector::new(loopback(), noon).unwrap();
        let running = tokio::spawn(collector.run(out, stop.clone()));
        let pass = passes.recv().await.unwrap();
        assert_eq!(pass.failures, []);
        assert_eq!(pass.readings.len(), 1);
        assert_eq!(pass.time, noon());
        stop.cancel();
        running.await.unwrap();
        assert!(passes.recv().await.is_none());
    }

    #[tokio::test]
    async fn it_ends_with_its_receiver() {
        let (out, passes) = mpsc::channel(1);
        drop(passes);
        Collector::new(loopback(), noon).unwrap().run(out, CancellationToken::new()).await;
    }
}
