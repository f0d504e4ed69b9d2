//! Sessions of browsers: begun with a token, ended after a while, at a log-out, or as soon as the token is worth nothing.
//! They are in memory alone: after a restart everybody logs in again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use meter95_reading::Timestamp;
use sha2::{Digest, Sha256};

use crate::store::engine::Secret;
use crate::store::engine::hash::hex;

/// How long a session lasts, in ms: a working day.
pub const LASTS_MS: i64 = 12 * 3_600_000;

/// How long a session lasts that nobody uses, in ms. A dashboard that is looked at asks every 30 s.
pub const IDLE_MS: i64 = 2 * 3_600_000;

/// Sessions at once: a screen each of everybody of a large hoster. The one that was idle longest makes room.
const SESSIONS_MAX: usize = 10_000;

/// Sessions of one token at once: an office that shares one. The one that was idle longest makes room.
const SESSIONS_OF_TOKEN_MAX: usize = 100;

/// Octets of chance in a session's id: 256 bits, beyond guessing.
const ID_OCTETS: usize = 32;

/// The hash of a session's id. The id itself is with its browser alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id of the token with which it was begun.
    pub token: String,
    /// When.
    pub begun: Timestamp,
    /// When it was used last.
    pub used: Timestamp,
}

/// All sessions. Cheap to clone; clones know the same.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<SessionKey, Session>>>);

impl Session {
    /// When it ends at the latest.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.begun.plus_ms(LASTS_MS)
    }

    /// Whether it still lasts at `now`. Not after the clock was set back by as much either.
    fn lasts(&self, now: Timestamp) -> bool {
        now.ms_since(self.begun).abs() < LASTS_MS && now.ms_since(self.used).abs() < IDLE_MS
    }
}

impl Sessions {
    /// Begins one with the token of this id, and tells its id.
    #[must_use]
    pub fn begin(&self, token: &str, now: Timestamp) -> Secret {
        let id = hex(&rand::random::<[u8; ID_OCTETS]>());
        let mut all = self.all();
        if all.len() >= SESSIONS_MAX {
            all.retain(|_, session| session.lasts(now));
        }
        let own = all.values().filter(|session| session.token == token).count();
        make_room(&mut all, own >= SESSIONS_OF_TOKEN_MAX, |session| session.token == token);
        let full = all.len() >= SESSIONS_MAX;
        make_room(&mut all, full, |_| true);
        all.insert(key(&id), Session { token: token.to_owned(), begun: now, used: now });
        Secret::new(id)
    }

    /// The session of an id, which is used now.
    #[must_use]
    pub fn used(&self, id: &str, now: Timestamp) -> Option<(SessionKey, Session)> {
        let key = key(id);
        let mut all = self.all();
        let session = all.get_mut(&key)?;
        if !session.lasts(now) {
            all.remove(&key);
            return None;
        }
        session.used = now;
        Some((key, session.clone()))
    }

    /// Whether one lasts at `now`; to ask is not to use it.
    #[must_use]
    pub fn lasts(&self, key: SessionKey, now: Timestamp) -> bool {
        self.all().get(&key).is_some_and(|session| session.lasts(now))
    }

    /// Ends one.
    pub fn end(&self, key: SessionKey) {
        self.all().remove(&key);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<SessionKey, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is full, ends the one of some that was idle longest.
fn make_room(all: &mut HashMap<SessionKey, Session>, full: bool, of: impl Fn(&Session) -> bool) {
    let some = all.iter().filter(|(_, session)| full && of(session));
    if let Some(idle) = some.min_by_key(|(_, session)| session.used).map(|(key, _)| *key) {
        all.remove(&idle);
    }
}

fn key(id: &str) -> SessionKey {
    SessionKey(Sha256::digest(id.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_is_idle_or_old() {
        let sessions = Sessions::default();
        let hour = 3_600_000;
        let id = sessions.begin("t1", Timestamp(0));
        assert_eq!(sessions.used(sessions.begin("t2", Timestamp(0)).expose(), Timestamp(IDLE_MS)), None);
        assert_eq!(sessions.used("no such id", Timestamp(0)), None);
        for (at, lasts) in
            [(hour, true), (3 * hour - 1, true), (4 * hour, true), (6 * hour, false), (6 * hour, false)]
        {
            let used = sessions.used(id.expose(), Timestamp(at));
            assert_eq!(used.is_some_and(|(_, session)| session.token == "t1"), lasts, "{at}");
        }
        let id = sessions.begin("t1", Timestamp(0));
        for at in 1..12 {
            assert!(sessions.used(id.expose(), Timestamp(at * hour)).is_some(), "{at}");
        }
        assert_eq!(sessions.used(id.expose(), Timestamp(LASTS_MS)), None, "however much it is used");
    }

    #[test]
    fn there_is_an_end_to_how_many_there_are() {
        let sessions = Sessions::default();
        let first = sessions.begin("t", Timestamp(0));
        for at in 1..=100 {
            drop(sessions.begin("t", Timestamp(at)));
        }
        assert_eq!(sessions.all().len(), SESSIONS_OF_TOKEN_MAX);
        assert_eq!(sessions.used(first.expose(), Timestamp(101)), None);
        for i in 0..SESSIONS_MAX {
            drop(sessions.begin(&format!("t{i}"), Timestamp(1_000)));
        }
        assert_eq!(sessions.all().len(), SESSIONS_MAX);
    }
}
