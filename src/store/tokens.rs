//! Tokens as they are stored: never their secrets, and never one less.

use clickhouse::Row;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use serde_repr::{Deserialize_repr, Serialize_repr};

use super::connection::{Store, StoreError};
use super::engine::hash::hex;
use crate::access::token::{Proof, Token};
use crate::access::{Limit, Role};

#[derive(Debug, Clone, Copy, Serialize_repr, Deserialize_repr)]
#[repr(i8)]
enum ProofKind {
    Secret = 1,
    Certificate = 2,
}

#[derive(Debug, Row, Serialize, Deserialize)]
struct TokenRow {
    id: String,
    name: String,
    proof: ProofKind,
    sha256: String,
    role: String,
    customer: String,
    region: String,
    collector: String,
    created_at: i64,
    created_by: String,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: String,
    version: u64,
}

impl Store {
    /// Every token that was ever made, in the order in which they were.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or one can't be understood.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.tokens_where("1").await
    }

    /// The tokens that are not revoked, in the order in which they were made, and whether there was ever any.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or one can't be understood.
    pub async fn tokens_left(&self) -> Result<(Vec<Token>, bool), StoreError> {
        let ever: u64 = self
            .read("reading whether there are tokens", |client| async move {
                client.query("SELECT count() FROM tokens").fetch_one().await
            })
            .await?;
        if ever == 0 {
            return Ok((Vec::new(), false));
        }
        Ok((self.tokens_where("revoked_at IS NULL").await?, true))
    }

    async fn tokens_where(&self, condition: &'static str) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<TokenRow> = self
            .read("reading tokens", |client| async move {
                let sql =
                    format!("SELECT ?fields FROM tokens FINAL WHERE {condition} ORDER BY created_at, id");
                client.query(&sql).fetch_all().await
            })
            .await?;
        rows.into_iter().map(token).collect()
    }

    /// Stores a token as it is now; when it returns that is durable.
    ///
    /// # Errors
    /// When ClickHouse does not take it.
    pub async fn put_token(&self, token: &Token) -> Result<(), StoreError> {
        let (proof, sha256) = match &token.proof {
            Proof::Secret(sha256) => (ProofKind::Secret, sha256),
            Proof::Certificate(sha256) => (ProofKind::Certificate, sha256),
        };
        let row = TokenRow {
            id: token.id.clone(),
            name: token.name.clone(),
            proof,
            sha256: hex(sha256),
            role: token.role.name().to_owned(),
            customer: token.limit.customer.clone().unwrap_or_default(),
            region: token.limit.region.clone().unwrap_or_default(),
            collector: token.collector.clone().unwrap_or_default(),
            created_at: token.created_at.0,
            created_by: token.created_by.clone(),
            expires_at: token.expires_at.map(|at| at.0),
            revoked_at: token.revoked.as_ref().map(|(at, _)| at.0),
            revoked_by: token.revoked.as_ref().map(|(_, by)| by.clone()).unwrap_or_default(),
            // What is revoked stays so.
            version: if token.revoked.is_some() { 2 } else { 1 },
        };
        self.try_put("storing a token", "tokens", &[row]).await
    }
}

fn token(row: TokenRow) -> Result<Token, StoreError> {
    let contents = |says: &str| StoreError::Contents(format!("token {:?}: {says}", row.name));
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let sha256 = unhex(&row.sha256).ok_or_else(|| contents("its hash is none"))?;
    Ok(Token {
        proof: match row.proof {
            ProofKind::Secret => Proof::Secret(sha256),
            ProofKind::Certificate => Proof::Certificate(sha256),
        },
        role: Role::of(&row.role).ok_or_else(|| contents("its role is not known; use a newer meter95"))?,
        limit: Limit { customer: some(&row.customer), region: some(&row.region) },
        collector: some(&row.collector),
        created_at: Timestamp(row.created_at),
        expires_at: row.expires_at.map(Timestamp),
        revoked: row.revoked_at.map(|at| (Timestamp(at), row.revoked_by)),
        id: row.id,
        name: row.name,
        created_by: row.created_by,
    })
}

/// 32 octets of 64 hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (octet, at) in octets.iter_mut().zip((0..64).step_by(2)) {
        *octet = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_they_are_written() {
        let octets: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8 % 256).unwrap());
        assert_eq!(unhex(&hex(&octets)), Some(octets));
        for text in ["", "00", &"g".repeat(64), &"ä".repeat(32), &"0".repeat(65)] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
