//! Tokens: what one says of its holder, and how it is made, written and recognised.
//!
//! Written it is `m95_<id>_<secret>`. Only the hash of that is kept, so nobody who reads the store can use it; with 192
//! random bits a plain hash is as good as a slow one.

use meter95_reading::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Caller, Limit, Role};
use crate::store::engine::Secret;
use crate::store::engine::hash::hex;

/// What every token begins with, so that one that leaked is found by a search.
const PREFIX: &str = "m95_";

/// Octets of chance in a token's id: no two of a site's are the same.
const ID_OCTETS: usize = 5;

/// Octets of chance in a secret: 192 bits, beyond guessing.
const SECRET_OCTETS: usize = 24;

/// The longest text that is looked at as a token, in octets; those that are made have 63.
const TOKEN_OCTETS_MAX: usize = 128;

/// By what a holder is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The SHA-256 of the token as it is written.
    Secret([u8; 32]),
    /// The SHA-256 of a client certificate, as it goes over the line (DER).
    Certificate([u8; 32]),
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its own, for good.
    pub id: String,
    /// How people call it; among those in force each has its own.
    pub name: String,
    /// By what its holder is known.
    pub proof: Proof,
    /// What its holder is there for.
    pub role: Role,
    /// What its holder sees.
    pub limit: Limit,
    /// The only collector as which its holder may ship; any unless given.
    pub collector: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Timestamp, String)>,
}

/// A new secret: what is told once, and what is kept of it.
#[derive(Debug)]
pub struct Minted {
    /// The token's id.
    pub id: String,
    /// The token as it is written.
    pub token: Secret,
    /// What is kept.
    pub proof: Proof,
}

impl Token {
    /// Whether it is worth anything at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// Whether `presented` is this very token. Takes as long whether it is or not.
    #[must_use]
    pub fn is_proved_by(&self, presented: &str) -> bool {
        match &self.proof {
            Proof::Secret(sha256) => sha256[..].ct_eq(&hash(presented)[..]).into(),
            Proof::Certificate(_) => false,
        }
    }

    /// Whoever holds it.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller {
            name: Some(self.name.clone()),
            token: Some(self.id.clone()),
            role: self.role,
            limit: self.limit.clone(),
            collector: self.collector.clone(),
        }
    }
}

/// Makes a secret token from the system's randomness.
#[must_use]
pub fn mint() -> Minted {
    let id = new_id();
    let secret = hex(&rand::random::<[u8; SECRET_OCTETS]>());
    let token = format!("{PREFIX}{id}_{secret}");
    let proof = Proof::Secret(hash(&token));
    Minted { id, token: Secret::new(token), proof }
}

/// A new id.
#[must_use]
pub fn new_id() -> String {
    hex(&rand::random::<[u8; ID_OCTETS]>())
}

/// The id in a text that looks like a token.
#[must_use]
pub fn id_of(presented: &str) -> Option<&str> {
    if presented.len() > TOKEN_OCTETS_MAX {
        return None;
    }
    let (id, _) = presented.strip_prefix(PREFIX)?.split_once('_')?;
    Some(id)
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::access) fn of(minted: &Minted, name: &str) -> Token {
        Token {
            id: minted.id.clone(),
            name: name.to_owned(),
            proof: minted.proof.clone(),
            role: Role::Viewer,
            limit: Limit::default(),
            collector: None,
            created_at: Timestamp(1_000),
            created_by: "alice".to_owned(),
            expires_at: None,
            revoked: None,
        }
    }

    #[test]
    fn a_token_is_recognised_and_not_printed() {
        let minted = mint();
        let written = minted.token.expose().to_owned();
        let token = of(&minted, "grafana");
        assert_eq!((written.len(), id_of(&written)), (63, Some(&*minted.id)));
        assert!(token.is_proved_by(&written));
        for other in
            [&written[..62], &format!("{written}0"), &written.to_uppercase(), "", mint().token.expose()]
        {
            assert!(!token.is_proved_by(other), "{other}");
        }
        let secret = written.rsplit('_').next().unwrap();
        assert!(!format!("{minted:?}{token:?}").contains(secret));
    }

    #[test]
    fn what_is_no_token_has_no_id() {
        for text in ["", "m95_", "m95_abc", "x95_abc_def", &format!("m95_{}_b", "a".repeat(200))] {
            assert_eq!(id_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_is_in_force_until_it_expires_or_is_revoked() {
        let token = of(&mint(), "a");
        let until = Token { expires_at: Some(Timestamp(2_000)), ..token.clone() };
        let revoked = Token { revoked: Some((Timestamp(1_500), "bob".to_owned())), ..token.clone() };
        for (token, at, in_force) in [
            (&token, i64::MAX, true),
            (&until, 1_999, true),
            (&until, 2_000, false),
            (&revoked, 1_400, false),
        ] {
            assert_eq!(token.is_in_force(Timestamp(at)), in_force, "{token:?} {at}");
        }
    }
}
