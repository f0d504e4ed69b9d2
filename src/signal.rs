//! How a part says that something of it is another one than before, to whoever listens, without saying what.

use std::sync::Arc;

use tokio::sync::watch;

/// A number that is another one after each change. Cheap to clone; clones are one signal. Whoever looks seldom sees the
/// last of many changes, so nothing waits and nothing is kept for those who don't look.
#[derive(Debug, Clone)]
pub struct Signal(Arc<watch::Sender<u64>>);

impl Default for Signal {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Signal {
    /// Says that something has changed.
    pub fn raise(&self) {
        self.0.send_modify(|number| *number = number.wrapping_add(1));
    }

    /// Says that all changes up to this number are there; nothing where that is known.
    pub fn reach(&self, changes: u64) {
        self.0.send_if_modified(|number| std::mem::replace(number, changes) != changes);
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_heard_once() {
        let signal = Signal::default();
        signal.raise();
        let mut heard = signal.listen();
        let mut hears =
            || std::mem::take(&mut heard.has_changed().unwrap()) && *heard.borrow_and_update() < u64::MAX;
        assert!(!hears(), "it was before");
        for (act, is_heard) in [
            (Signal::raise as fn(&Signal), true),
            (|_| (), false),
            (|signal| signal.reach(7), true),
            (|signal| signal.reach(7), false),
            (|signal| signal.reach(8), true),
        ] {
            act(&signal);
            assert_eq!(hears(), is_heard);
        }
    }
}
