//! Ships readings to a service elsewhere: in order, again and again until it says that they are stored.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use meter95_reading::Reading;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Readings that wait for a service which does not answer: an hour of 16,000 ports read each minute. Counters go on
/// counting, so what is dropped beyond that, oldest first, costs detail and no octets while gaps stay short.
const WAITING_MAX: usize = 1_000_000;

/// Readings in one request.
const READINGS_AT_ONCE: usize = 20_000;

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The pause after a failed request, and the longest one.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_LONGEST: Duration = Duration::from_secs(30);

/// How long what still waits is shipped after the stop.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What a service says of readings that were posted to it.
#[derive(Debug, Deserialize)]
struct Answer {
    taken: u64,
    stale: u64,
    refused: u64,
}

/// Readings that wait, oldest first.
#[derive(Debug, Default)]
struct Waiting {
    readings: VecDeque<Reading>,
    /// How many were dropped from the front for lack of room.
    dropped: usize,
}

/// Takes readings at any time, and ships them while [`Shipper::run`] runs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shipper {
    waiting: Arc<Mutex<Waiting>>,
    more: Arc<Notify>,
    url: Arc<str>,
}

impl Shipper {
    /// A shipper to the service at `to`, as in `http://meter95.example:9595`.
    #[must_use]
    pub fn new(to: &str) -> Self {
        let url = format!("{}/v1/readings", to.trim_end_matches('/'));
        Self { waiting: Arc::default(), more: Arc::default(), url: url.into() }
    }

    /// Adds readings to those that wait.
    pub fn add(&self, readings: Vec<Reading>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.readings.extend(readings);
        let surplus = waiting.readings.len().saturating_sub(WAITING_MAX);
        if surplus > 0 {
            waiting.readings.drain(..surplus);
            waiting.dropped += surplus;
            metrics::counter!("meter95_ship_dropped_total").increment(surplus as u64);
            tracing::error!(
                dropped = surplus,
                "service did not answer for too long, dropped the oldest readings"
            );
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// How many readings wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).readings.len()
    }

    /// Ships until `stop`, and a little longer if readings still wait then.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        // An error is that another part of the process has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().context("no HTTP client")?;
        let mut pause = PAUSE_FIRST;
        loop {
            if self.waiting() == 0 {
                tokio::select! {
                    () = self.more.notified() => continue,
                    () = stop.cancelled() => return Ok(()),
                }
            }
            match self.ship_some(&client).await {
                Ok(()) => pause = PAUSE_FIRST,
                Err(error) => {
                    metrics::counter!("meter95_ship_retries_total").increment(1);
                    tracing::warn!(url = &*self.url, error = %format!("{error:#}"), waiting = self.waiting(), "service did not take readings, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                    pause = (pause * 2).min(PAUSE_LONGEST);
                }
            }
            if stop.is_cancelled() {
                let rest = async { while self.waiting() > 0 && self.ship_some(&client).await.is_ok() {} };
                if tokio::time::timeout(LAST_WORDS, rest).await.is_err() || self.waiting() > 0 {
                    tracing::error!(waiting = self.waiting(), "stopped before the service took all readings");
                }
                return Ok(());
            }
        }
    }

    /// Ships the oldest readings; they go on waiting unless the service answers that it has dealt with them.
    async fn ship_some(&self, client: &reqwest::Client) -> anyhow::Result<()> {
        let (body, count, dropped_before) = {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let mut body = String::new();
            for reading in waiting.readings.iter().take(READINGS_AT_ONCE) {
                body.push_str(&serde_json::to_string(reading)?);
                body.push('\n');
            }
            (body, waiting.readings.len().min(READINGS_AT_ONCE), waiting.dropped)
        };
        let request = client.post(&*self.url).header("content-type", "application/x-ndjson").body(body);
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // What was dropped meanwhile for lack of room was dropped from the same end.
        let dropped = waiting.dropped - dropped_before;
        let shipped = count.saturating_sub(dropped).min(waiting.readings.len());
        waiting.readings.drain(..shipped);
        drop(waiting);
        metrics::counter!("meter95_ship_readings_total").increment(answer.taken);
        if answer.refused > 0 {
            tracing::warn!(
                refused = answer.refused,
                taken = answer.taken,
                stale = answer.stale,
                "service refused readings"
            );
        }
        Ok(())
    }
}
