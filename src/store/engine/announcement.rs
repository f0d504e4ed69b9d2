//! `DIR/engine/endpoint.json`: how other commands on the same data directory reach the running engine.

use serde::{Deserialize, Serialize};

use super::layout::{self, Layout};
use super::{Endpoint, EngineError, Secret};

/// What the owner tells. It stays after the owner's end, so that the next one keeps the port and the password and
/// clients that are still there need not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announcement {
    /// Where the engine answers.
    pub(super) url: String,
    /// The service's own user.
    pub(super) user: String,
    /// That user's password.
    pub(super) password: Secret,
    /// The process that supervises the engine.
    pub(super) pid: u32,
    /// Whether the engine answered when this was written.
    pub(super) ready: bool,
}

impl Announcement {
    /// `endpoint` as this process announces it.
    pub(super) fn new(endpoint: &Endpoint, ready: bool) -> Announcement {
        Announcement {
            url: endpoint.url.clone(),
            user: endpoint.user.clone(),
            password: endpoint.password.clone(),
            pid: std::process::id(),
            ready,
        }
    }

    /// The last announcement, `None` if there is none that can be read.
    pub(super) fn read(layout: &Layout) -> Option<Announcement> {
        serde_json::from_slice(&std::fs::read(layout.announcement()).ok()?).ok()
    }

    /// Writes it in one step, for the owner's eyes only.
    pub(super) fn write(&self, layout: &Layout) -> Result<(), EngineError> {
        let path = layout.announcement();
        let text = serde_json::to_string(self).map_err(|e| EngineError::io("write", &path, e.into()))?;
        layout::replace(&path, &text)
    }

    /// As the caller needs it.
    pub(super) fn endpoint(self) -> Endpoint {
        Endpoint { url: self.url, user: self.user, password: self.password }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        assert_eq!(Announcement::read(&layout), None);
        let endpoint = Endpoint::local(4711, Secret::random());
        let told = Announcement::new(&endpoint, true);
        told.write(&layout).unwrap();
        assert_eq!(Announcement::read(&layout), Some(told.clone()));
        assert_eq!(told.endpoint().port(), Some(4711));
    }
}
