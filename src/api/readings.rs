//! `/v1/readings`: what collectors ship, line by line.
//!
//! A body is taken as it comes: [`unpack`] makes text of it, [`lines`] makes readings of that, and whenever there are
//! enough they are handed in together. So a body of any length takes little memory, and an answer says of every line
//! what became of it. What a collector says of itself in the headers ([`report`]) counts after that.

pub(super) mod lines;
mod report;
pub(super) mod unpack;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::access::By;
use super::errors::{ApiError, SoFar};
use super::limits::{BODY_OCTETS_MAX, LOT_READINGS, TEXT_OCTETS_MAX};
use super::query::{Nothing, Query};
use crate::collectors::registry::RegistryError;
use crate::collectors::said::{self, Said};
use crate::ndjson::LineError;
use lines::{Lines, News};
use unpack::Unpacker;

/// Where readings come from that no collector ships.
const NOBODY: &str = "a request without a collector's name";

/// The answer: what became of the lines.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Taken {
    #[serde(flatten)]
    counts: SoFar,
    /// The first of the refused lines.
    errors: Vec<LineError>,
}

/// Takes readings in
///
/// NDJSON, plain or packed with gzip or zstd as `Content-Encoding` says.
/// Answers when all that was taken is on the disk. Lines that are no readings are refused one by one, all others are
/// taken. Where a body is refused amid, the answer tells what had been taken; to send all of it again does no harm.
/// What a collector says of itself counts only when all of its body has been taken.
#[utoipa::path(
    post, path = "/v1/readings", tag = "Metering",
    request_body(content = Option<serde_json::Value>, content_type = "application/x-ndjson", description = "A reading a line"),
    responses((status = 200, body = Taken))
)]
pub(super) async fn take(
    State(app): State<App>,
    By(caller): By,
    Query(Nothing {}): Query<Nothing>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Taken>, ApiError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > BODY_OCTETS_MAX) {
        return Err(too_long(SoFar::default()));
    }
    // What it says was so when the request was made; while a long body is on its way more may come to wait.
    let heard_at = (app.now)();
    let said = report::said(&headers)?;
    if let Some(only) = &caller.collector
        && said.as_ref().is_none_or(|said| said.name.as_str() != only)
    {
        return Err(ApiError::Untrusted("this token ships as one collector only, and this is not that one"));
    }
    if let Some(said) = &said {
        admit(&app, said).await?;
    }
    let mut taking = Taking {
        app: app.clone(),
        unpacker: Unpacker::of(&headers)?,
        lines: Lines::default(),
        from: said.as_ref().map_or_else(|| NOBODY.to_owned(), |said| format!("collector {}", said.name)),
        counts: SoFar::default(),
        body_octets: 0,
        text_octets: 0,
    };
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| taking.broken("the body broke off"))?;
        taking.piece(&piece).await?;
    }
    let taken = taking.end().await?;
    if let Some(said) = said {
        app.collectors.take(said, heard_at).await?;
    }
    Ok(taken)
}

/// Refuses a collector of which no account can be kept, before anything of it is taken.
async fn admit(app: &App, said: &Said) -> Result<(), ApiError> {
    app.collectors.admit(&said.name).await.map_err(|error| match error {
        RegistryError::Full => ApiError::field(said::COLLECTOR, said.name.as_str(), error.to_string()),
        RegistryError::Store(error) => error.into(),
    })
}

/// A body on its way.
struct Taking {
    app: App,
    unpacker: Unpacker,
    lines: Lines,
    /// Whose they are, for whoever looks for the cause of a refusal.
    from: String,
    counts: SoFar,
    body_octets: u64,
    text_octets: u64,
}

impl Taking {
    /// Takes in the next piece of the body.
    async fn piece(&mut self, mut piece: &[u8]) -> Result<(), ApiError> {
        self.body_octets += piece.len() as u64;
        if self.body_octets > BODY_OCTETS_MAX {
            return Err(too_long(self.so_far()));
        }
        let mut text = Vec::new();
        loop {
            text.clear();
            let step = self
                .unpacker
                .step(piece, &mut text)
                .map_err(|_| self.broken("the body is not what Content-Encoding says, or damaged"))?;
            piece = &piece[step.used..];
            self.text(&text).await?;
            if piece.is_empty() && !step.more {
                return Ok(());
            }
            // A piece may hold a lot of text: let others have their turn.
            tokio::task::consume_budget().await;
        }
    }

    /// Takes in the next piece of the text.
    async fn text(&mut self, text: &[u8]) -> Result<(), ApiError> {
        self.text_octets += text.len() as u64;
        if self.text_octets > TEXT_OCTETS_MAX {
            let mib = TEXT_OCTETS_MAX >> 20;
            return Err(ApiError::TooLarge {
                says: format!("the body unpacks to more than {mib} MiB; send it in parts"),
                so_far: self.so_far(),
            });
        }
        self.lines.push(text, (self.app.now)());
        self.tell();
        if self.lines.readings() >= LOT_READINGS {
            self.hand_in().await?;
        }
        Ok(())
    }

    /// Takes in the end of the body.
    async fn end(mut self) -> Result<Json<Taken>, ApiError> {
        let mut text = Vec::new();
        self.unpacker
            .end(&mut text)
            .map_err(|_| self.broken("the packed body is damaged, or not complete"))?;
        self.text(&text).await?;
        self.lines.end((self.app.now)());
        self.tell();
        self.hand_in().await?;
        let counts = self.so_far();
        Ok(Json(Taken { counts, errors: self.lines.refused.errors }))
    }

    /// Hands the readings in that have come together.
    async fn hand_in(&mut self) -> Result<(), ApiError> {
        let readings = self.lines.take_readings();
        if readings.is_empty() {
            return Ok(());
        }
        let receipt = self.app.intake.try_submit(readings).await;
        let receipt = receipt.map_err(|e| ApiError::not_taken(e, self.so_far()))?;
        self.counts.taken += receipt.taken;
        self.counts.stale += receipt.stale;
        self.counts.refused += receipt.refused;
        Ok(())
    }

    /// Tells how metering does of lines that were refused.
    fn tell(&mut self) {
        let News { refused, says, ahead } = self.lines.take_news();
        if refused == 0 {
            return;
        }
        let (vitals, now) = (self.app.live.vitals(), (self.app.now)());
        vitals.refused(refused, &self.from, &says, now);
        if let Some((device, ahead)) = ahead {
            vitals.ahead(&device, ahead.time, now);
        }
    }

    fn so_far(&self) -> SoFar {
        let mut counts = self.counts;
        counts.refused += self.lines.refused.count;
        counts
    }

    fn broken(&self, says: &str) -> ApiError {
        ApiError::Body { says: says.to_owned(), so_far: self.so_far() }
    }
}

fn too_long(so_far: SoFar) -> ApiError {
    let mib = BODY_OCTETS_MAX >> 20;
    ApiError::TooLarge {
        says: format!("the body is longer than {mib} MiB; send it in parts, or packed"),
        so_far,
    }
}
