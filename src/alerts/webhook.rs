//! A webhook by the Standard Webhooks specification, version 1.0.0: a POST of JSON, signed.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use meter95_reading::Timestamp;
use reqwest::Client;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::event::{Event, Letter};
use super::http;
use super::parcel::{Item, Parcel, Verdict};
use crate::inventory::instant::Instant;

/// How a secret begins in its written form.
const SECRET_PREFIX: &str = "whsec_";

/// How long a secret is, in octets, by the specification.
const SECRET_OCTETS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret with which messages are signed. `Debug` shows that there is one and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

/// Why a text is no secret; it does not show the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It begins with something else.
    #[error("a secret begins with whsec_")]
    Prefix,
    /// The rest is no base64.
    #[error("a secret is whsec_ and base64, and this is no base64")]
    Base64,
    /// Too few octets, or too many.
    #[error("a secret has 24 to 64 octets (32 to 88 characters of base64), and this has {0}")]
    Length(usize),
}

/// A program that is told over HTTP.
#[derive(Debug, Clone)]
pub struct Webhook {
    client: Client,
    url: String,
    keys: Vec<Key>,
}

/// The body of a message.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    data: &'a Value,
}

impl Key {
    /// The secret that is written so.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let base64 = text.trim().strip_prefix(SECRET_PREFIX).ok_or(KeyError::Prefix)?;
        let octets = STANDARD.decode(base64).map_err(|_| KeyError::Base64)?;
        if !SECRET_OCTETS.contains(&octets.len()) {
            return Err(KeyError::Length(octets.len()));
        }
        Ok(Self(octets))
    }

    /// HMAC-SHA256 of `id.timestamp.body`, as `v1,` and base64.
    fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> Option<String> {
        // It takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What stands in `webhook-signature`: a signature by each key, so that a receiver knows one of them while secrets are
/// exchanged.
#[must_use]
pub fn signatures(keys: &[Key], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = keys.iter().filter_map(|key| key.sign(id, timestamp_s, body)).collect();
    signatures.join(" ")
}

/// The body that says this.
#[must_use]
pub fn body(item: &Item) -> Vec<u8> {
    let timestamp = Instant(item.at());
    let letter;
    let (summary, data) = match item {
        Item::Event(Event { summary, data, .. }) => (Some(summary.as_str()), data),
        Item::Letter(Letter { subject, text, data, .. }) => {
            letter = json!({ "subject": subject, "text": text, "about": data });
            (None, &letter)
        }
    };
    serde_json::to_vec(&Body { r#type: item.kind(), timestamp, summary, data }).unwrap_or_default()
}

impl Webhook {
    /// A webhook at `url`, which may take so long to answer; messages are signed with each of `keys`.
    ///
    /// # Errors
    /// When this system has no TLS to be used.
    pub fn new(url: String, keys: Vec<Key>, timeout: Duration) -> reqwest::Result<Self> {
        Ok(Self { client: http::client(timeout)?, url, keys })
    }

    /// Sends a message; it is of one item.
    pub async fn send(&self, parcel: &Parcel, now: Timestamp) -> Verdict {
        let Some(item) = parcel.items.first() else {
            return Verdict::Refused("there is nothing in it".to_owned());
        };
        let (body, timestamp_s) = (body(item), now.0.div_euclid(1_000));
        let signature = signatures(&self.keys, &parcel.id, timestamp_s, &body);
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &parcel.id)
            .header("webhook-timestamp", timestamp_s.to_string())
            .header("webhook-signature", signature)
            .body(body);
        http::send(request).await
    }

    /// Whether anything answers there, by a request that carries nothing.
    ///
    /// # Errors
    /// With what is in the way.
    pub async fn reach(&self) -> Result<String, String> {
        let status = http::reach(self.client.head(&self.url)).await?;
        Ok(format!("answers (HEAD: {status})"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert::Severity;
    use super::super::event::Recipient;
    use super::*;

    /// The example of the specification's reference implementations.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_example_is_signed_as_published() {
        let key = Key::parse(SECRET).unwrap();
        let sign = |keys: &[Key]| {
            signatures(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#)
        };
        assert_eq!(sign(std::slice::from_ref(&key)), SIGNATURE);
        let other = Key::parse(&format!("whsec_{}", STANDARD.encode([7; 32]))).unwrap();
        let both = sign(&[other, key.clone()]);
        let (first, second) = both.split_once(' ').unwrap();
        assert_ne!(first, SIGNATURE);
        assert_eq!(second, SIGNATURE, "the old secret still signs while both are in use");
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    #[test]
    fn secrets_are_checked_and_not_shown() {
        let of = |octets: usize| format!("whsec_{}", STANDARD.encode(vec![1; octets]));
        for (text, error) in [
            (of(24), None),
            (of(64), None),
            (format!(" {}\n", of(32)), None),
            (of(23), Some(KeyError::Length(23))),
            (of(65), Some(KeyError::Length(65))),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), Some(KeyError::Prefix)),
            ("whsec_***".to_owned(), Some(KeyError::Base64)),
            (String::new(), Some(KeyError::Prefix)),
        ] {
            assert_eq!(Key::parse(&text).err(), error, "{text}");
        }
    }

    #[test]
    fn bodies_say_what_when_and_all_of_it() {
        let event = Event {
            id: "case-12-3".to_owned(),
            at: Timestamp(1_795_223_400_000),
            kind: "case.approved".to_owned(),
            severity: Severity::Warning,
            region: None,
            summary: "web01 may be limited".to_owned(),
            data: json!({ "case": 12 }),
        };
        let text = String::from_utf8(body(&Item::Event(event))).unwrap();
        assert_eq!(
            text,
            r#"{"type":"case.approved","timestamp":"2026-11-21T01:10:00Z","summary":"web01 may be limited","data":{"case":12}}"#
        );
        let letter = Letter {
            id: "letter-1".to_owned(),
            at: Timestamp(1_795_223_400_000),
            to: Recipient::Webhook { name: "c001".to_owned() },
            subject: "Your server web01".to_owned(),
            text: "Dear customer".to_owned(),
            data: json!({ "case": 12 }),
        };
        let said: Value = serde_json::from_slice(&body(&Item::Letter(letter))).unwrap();
        assert_eq!(said["type"], "letter");
        let data =
            json!({ "subject": "Your server web01", "text": "Dear customer", "about": { "case": 12 } });
        assert_eq!(said["data"], data);
    }
}
