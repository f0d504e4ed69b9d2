//! Ships readings to a service elsewhere: in order, again and again until it says that they are stored.
//!
//! With each request goes how many still wait, and without readings it is said once a minute that none does: a period
//! is closed when no collector holds readings of it (SPEC.md section 8).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use meter95_reading::Reading;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::collectors::CollectorName;
use crate::collectors::said::Said;
use crate::store::engine::Secret;
use crate::tls::outgoing::{Outgoing, plain_words};

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

/// How long after the last request the service is told that nothing waits.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// How long what still waits is shipped after the stop, and the stop is told.
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
    name: CollectorName,
    token: Option<Secret>,
    tls: Option<Outgoing>,
    say_every: Duration,
}

impl Shipper {
    /// A shipper to the service at `to`, as in `http://meter95.example:9595`, which knows it as `name`.
    #[must_use]
    pub fn new(to: &str, name: CollectorName) -> Self {
        let url = format!("{}/v1/readings", to.trim_end_matches('/'));
        let (waiting, more) = (Arc::default(), Arc::default());
        Self { waiting, more, url: url.into(), name, token: None, tls: None, say_every: SAY_EVERY }
    }

    /// The same, known to the service by a token.
    #[must_use]
    pub fn with_token(self, token: Option<Secret>) -> Self {
        Self { token, ..self }
    }

    /// The same, over TLS as said.
    #[must_use]
    pub fn with_tls(self, tls: Option<Outgoing>) -> Self {
        Self { tls, ..self }
    }

    /// The same, telling the service after `every` without a request that nothing waits, rather than after a minute.
    #[must_use]
    pub fn saying_every(self, every: Duration) -> Self {
        Self { say_every: every, ..self }
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

    /// Ships until `stop`, and a little longer if readings still wait then. Says at the start, and whenever there was
    /// nothing to ship for a minute, that nothing waits; and at the end that it stops, if nothing does.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        // An error is that another part of the process has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT);
        let client = match &self.tls {
            Some(tls) => client.tls_backend_preconfigured(tls.config()),
            None => client,
        };
        let client = client.build().context("no HTTP client")?;
        let mut pause = PAUSE_FIRST;
        let mut say_at = Instant::now();
        while !stop.is_cancelled() {
            if self.waiting() == 0 {
                tokio::select! {
                    () = self.more.notified() => continue,
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep_until(say_at) => {}
                }
            }
            match self.ship_some(&client, false).await {
                Ok(()) => {
                    pause = PAUSE_FIRST;
                    say_at = Instant::now() + self.say_every;
                }
                Err(error) => {
                    metrics::counter!("meter95_ship_retries_total").increment(1);
                    let says = plain_words(&*error).unwrap_or_else(|| format!("{error:#}"));
                    tracing::warn!(
                        url = &*self.url,
                        error = says,
                        waiting = self.waiting(),
                        "service did not take readings, trying again"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                    pause = (pause * 2).min(PAUSE_LONGEST);
                }
            }
        }
        let last_words = async {
            while self.waiting() > 0 {
                self.ship_some(&client, false).await?;
            }
            self.ship_some(&client, true).await
        };
        let told = tokio::time::timeout(LAST_WORDS, last_words).await.is_ok_and(|outcome| outcome.is_ok());
        match self.waiting() {
            0 if told => {}
            0 => tracing::warn!(collector = %self.name, "stopped, but could not tell the service so"),
            waiting => tracing::error!(waiting, "stopped before the service took all readings"),
        }
        Ok(())
    }

    /// Ships the oldest readings; they go on waiting unless the service answers that it has dealt with them. Says what
    /// waits besides, and, when nothing does, whether it is `stopping`.
    async fn ship_some(&self, client: &reqwest::Client, stopping: bool) -> anyhow::Result<()> {
        let (body, count, dropped_before, said) = {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let mut body = String::new();
            for reading in waiting.readings.iter().take(READINGS_AT_ONCE) {
                body.push_str(&serde_json::to_string(reading)?);
                body.push('\n');
            }
            let count = waiting.readings.len().min(READINGS_AT_ONCE);
            (body, count, waiting.dropped, self.said(&waiting.readings, count, stopping))
        };
        let mut request = client.post(&*self.url).header("content-type", "application/x-ndjson").body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        for (name, value) in said.headers() {
            request = request.header(name, value);
        }
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

    /// What a request says that carries the first `count` of the readings that wait.
    fn said(&self, waiting: &VecDeque<Reading>, count: usize, stopping: bool) -> Said {
        let rest = waiting.iter().skip(count);
        Said {
            name: self.name.clone(),
            unsent: rest.len() as u64,
            oldest_unsent: rest.map(|reading| reading.counters.time).min(),
            stopping: stopping && waiting.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use meter95_reading::{Counters, PortKey, Timestamp, Width};

    use super::*;

    fn reading(time: i64) -> Reading {
        let counters = Counters {
            time: Timestamp(time),
            rx_octets: 0,
            tx_octets: 0,
            width: Width::Bits64,
            uptime_cs: None,
            discontinuity_cs: None,
            rx_packets: None,
            tx_packets: None,
            speed_bps: None,
        };
        Reading { port: PortKey::new("sw1", "a").unwrap(), counters }
    }

    #[test]
    fn a_request_says_what_waits_besides() {
        let shipper = Shipper::new("http://here/", CollectorName::new("tokyo-1").unwrap());
        assert_eq!(&*shipper.url, "http://here/v1/readings");
        let me = ("Meter95-Collector", "tokyo-1");
        let (unsent, oldest) = ("Meter95-Unsent", "Meter95-Oldest-Unsent");
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let rows: &[(&[i64], usize, bool, Headers<'_>)] = &[
            (&[], 0, false, &[me, (unsent, "0")]),
            (&[], 0, true, &[me, (unsent, "0"), ("Meter95-Stopping", "true")]),
            (&[1_000, 2_000], 2, false, &[me, (unsent, "0")]),
            (&[1_000, 2_000], 1, false, &[me, (unsent, "1"), (oldest, "2000")]),
            // They wait in the order in which devices answered, not in that of their times.
            (&[5_000, 4_000, 3_000, 3_500], 1, false, &[me, (unsent, "3"), (oldest, "3000")]),
            // It has not stopped in order while anything waits.
            (&[1_000, 2_000], 1, true, &[me, (unsent, "1"), (oldest, "2000")]),
            (&[1_000], 1, true, &[me, (unsent, "0")]),
        ];
        for (times, count, stopping, expected) in rows {
            let waiting = times.iter().copied().map(reading).collect();
            let said = shipper.said(&waiting, *count, *stopping);
            let headers: Vec<(&str, String)> = said.headers().collect();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            assert_eq!(headers, *expected, "{times:?} {count} {stopping}");
        }
    }
}
