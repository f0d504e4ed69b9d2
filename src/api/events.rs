//! `/v1/events`: that something has changed, as it happens, so that nobody need ask again and again. What has changed is told
//! by its name alone, and no figure: those are asked for where they are, by whoever may see them.
//!
//! [`pending`] is when something is told, [`streams`] how many listen.

mod pending;
pub mod streams;

use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::future::select_all;
use futures::{FutureExt, Stream, stream};
use meter95_reading::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant as Moment, Interval, MissedTickBehavior, interval, sleep_until};
use utoipa::ToSchema;

use super::App;
use super::access::Identity;
use super::errors::ApiError;
use super::limits::{HEARTBEAT_EVERY, STREAM_LOOK_EVERY};
use super::query::{Nothing, Query};
use crate::inventory::instant::Instant;
use pending::Pending;
use streams::Place;

/// What changes: the resources of this API, by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EventTopic)]
pub(super) enum Topic {
    /// Figures of the running month, or of one gone by that late readings changed.
    Usage,
    /// A case was opened, or a step of one taken.
    Cases,
    /// Uplinks' load.
    Uplinks,
    /// Readings came in.
    Devices,
    /// A collector told how it does.
    Collectors,
    /// An alert was raised or cleared.
    Alerts,
    /// A period was closed, a statement approved or corrected, an incident declared or withdrawn.
    Periods,
    /// Another version of the inventory is in force.
    Inventory,
}

impl Topic {
    /// All of them.
    const ALL: [Self; 8] = [
        Self::Usage,
        Self::Cases,
        Self::Uplinks,
        Self::Devices,
        Self::Collectors,
        Self::Alerts,
        Self::Periods,
        Self::Inventory,
    ];
}

/// The data of the event `hello`, the first one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventHello)]
pub(super) struct Hello {
    /// The service's version.
    version: &'static str,
}

/// The data of the event `changed`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventChanged)]
pub(super) struct Changed {
    /// What has changed since the last event.
    of: Vec<Topic>,
    /// Now.
    as_of: Instant,
}

/// A signal, and what has changed when it is raised.
struct Source {
    signal: watch::Receiver<u64>,
    topics: &'static [Topic],
}

/// What is sent.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Hello,
    Changed(Vec<Topic>),
}

/// One who listens.
struct Listener {
    greeted: bool,
    sources: Vec<Source>,
    pending: Pending,
    place: Place,
    look: Interval,
    /// Whether they are still known.
    is_known: Box<dyn Fn() -> bool + Send + Sync>,
}

/// What has changed, as it happens
///
/// A stream of server-sent events that goes on until the service stops, or the token or session by which it was asked for
/// ends. First comes the event `hello` with the service's version; ask for everything anew then, since nobody knows what
/// was missed before. After that an event `changed` names what has changed since the last one, at most one in two
/// seconds. What is asked for at an event has the change in it: an event comes two seconds after what it tells of, and
/// once more after that while changes go on. A comment every 15 s shows that the connection lives.
///
/// No event has figures or names in it, nor of whose servers it is: whoever sees only a part of the site learns that
/// something has changed somewhere, and what they may know of it where they ask for it.
///
/// Up to 128 streams may be open, 32 of them by one token; more are refused with 429.
#[utoipa::path(
    get, path = "/v1/events", tag = "Operation",
    responses((
        status = 200, description = "Events `hello` (EventHello) and `changed` (EventChanged)",
        content((String = "text/event-stream"))
    ))
)]
pub(super) async fn listen(
    State(app): State<App>,
    identity: Identity,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let place = app.streams.take(&identity.caller.token).map_err(ApiError::TooManyStreams)?;
    let (now, listener) = (app.now, Listener::new(sources(&app), place, is_known(app, identity)));
    let mut response = Sse::new(events(listener, now))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT_EVERY))
        .into_response();
    // What stands in between is not to gather events before it passes them on.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.headers_mut().extend([unbuffered]);
    Ok(response)
}

/// Whether whoever began to listen is still known, at each moment.
fn is_known(app: App, identity: Identity) -> impl Fn() -> bool + Send + Sync {
    move || {
        let (access, now) = (&app.access, (app.now)());
        let by_token = match &identity.caller.token {
            Some(token) => access.registry.in_force(token, now).is_some(),
            None => access.registry.is_open(),
        };
        by_token && identity.session.is_none_or(|session| access.sessions.lasts(session, now))
    }
}

/// Everything that changes.
fn sources(app: &App) -> Vec<Source> {
    use Topic::{Alerts, Cases, Collectors, Devices, Inventory, Periods, Uplinks, Usage};
    let source = |signal: &crate::signal::Signal, topics| Source { signal: signal.listen(), topics };
    vec![
        source(app.live.figures_changed(), &[Usage]),
        source(app.live.readings_came(), &[Uplinks, Devices]),
        source(app.live.inventory_changed(), &[Usage, Uplinks, Devices, Inventory]),
        source(app.cases.changed(), &[Cases]),
        source(app.collectors.changed(), &[Collectors]),
        source(app.alerts.board.changed(), &[Alerts]),
        source(app.desk.changed(), &[Periods]),
    ]
}

fn events(listener: Listener, now: fn() -> Timestamp) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listener, move |mut listener| async move {
        let event = match listener.next().await? {
            Said::Hello => event("hello", &Hello { version: env!("CARGO_PKG_VERSION") }),
            Said::Changed(of) => event("changed", &Changed { of, as_of: Instant(now()) }),
        };
        Some((Ok(event), listener))
    })
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Made of words and numbers, it can be written, and on one line.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

impl Listener {
    fn new(sources: Vec<Source>, place: Place, is_known: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let mut look = interval(STREAM_LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (pending, is_known) = (Pending::default(), Box::new(is_known));
        Self { greeted: false, sources, pending, place, look, is_known }
    }

    /// The next that is to be said; `None` at the end.
    async fn next(&mut self) -> Option<Said> {
        if !self.greeted {
            self.greeted = true;
            return Some(Said::Hello);
        }
        loop {
            let due = self.pending.due();
            let (now, is_due) = (Moment::now(), due.is_some());
            tokio::select! {
                biased;
                () = self.place.ended() => return None,
                _ = self.look.tick() => {
                    if !(self.is_known)() {
                        return None;
                    }
                }
                () = sleep_until(due.unwrap_or(now)), if is_due => {
                    let told = self.pending.take(Moment::now());
                    return (self.is_known)().then_some(Said::Changed(told));
                }
                topics = changed(&mut self.sources) => self.pending.note(topics?, Moment::now()),
            }
        }
    }
}

/// What the next signal says; `None` when a part is gone, which only an end of the service does.
async fn changed(sources: &mut [Source]) -> Option<&'static [Topic]> {
    let all = sources.iter_mut().map(|Source { signal, topics }| {
        let topics = *topics;
        async move { signal.changed().await.ok().map(|()| topics) }.boxed()
    });
    select_all(all).await.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::streams::Streams;
    use super::*;
    use crate::signal::Signal;

    /// A listener to two signals, who is known as long as the flag says so.
    struct Heard {
        streams: Streams,
        usage: Signal,
        cases: Signal,
        known: Arc<AtomicBool>,
        listener: Listener,
        begun: Moment,
    }

    impl Heard {
        async fn new() -> Self {
            let (streams, known) = (Streams::default(), Arc::new(AtomicBool::new(true)));
            let (usage, cases) = (Signal::default(), Signal::default());
            let sources = vec![
                Source { signal: usage.listen(), topics: &[Topic::Usage] },
                Source { signal: cases.listen(), topics: &[Topic::Cases] },
            ];
            let place = streams.take(&None).unwrap();
            let is_known = known.clone();
            let mut listener = Listener::new(sources, place, move || is_known.load(Ordering::SeqCst));
            let begun = Moment::now();
            assert_eq!(listener.next().await, Some(Said::Hello));
            Self { streams, usage, cases, known, listener, begun }
        }

        /// What is said next, and after how many ms since the beginning.
        async fn next(&mut self) -> (Option<Said>, u128) {
            let said = self.listener.next().await;
            (said, self.begun.elapsed().as_millis())
        }

        /// Listens until then, in ms since the beginning; nothing is said.
        async fn nothing_until(&mut self, ms: u64) {
            let end = self.begun + Duration::from_millis(ms);
            assert!(tokio::time::timeout_at(end, self.listener.next()).await.is_err());
        }
    }

    fn said(topics: &[Topic]) -> Option<Said> {
        Some(Said::Changed(topics.to_vec()))
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_told_together_and_once_more_while_they_go_on() {
        let mut heard = Heard::new().await;
        heard.nothing_until(10_000).await;
        heard.cases.raise();
        heard.usage.raise();
        heard.nothing_until(11_900).await;
        heard.usage.raise();
        assert_eq!(heard.next().await, (said(&[Topic::Usage, Topic::Cases]), 12_000));
        // The last one was less than two seconds ago.
        assert_eq!(heard.next().await, (said(&[Topic::Usage]), 14_000));
        heard.nothing_until(60_000).await;
        heard.cases.raise();
        assert_eq!(heard.next().await, (said(&[Topic::Cases]), 62_000));
        heard.nothing_until(90_000).await;
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_two_seconds_between_events_however_much_changes() {
        let mut heard = Heard::new().await;
        let mut last = 0;
        for _ in 0..5 {
            heard.usage.raise();
            let (told, at) = heard.next().await;
            assert_eq!(told, said(&[Topic::Usage]));
            assert!(at >= last + 2_000, "{last} {at}");
            last = at;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_known_any_more_hears_no_more() {
        let mut heard = Heard::new().await;
        heard.nothing_until(5_000).await;
        heard.known.store(false, Ordering::SeqCst);
        let (end, at) = heard.next().await;
        assert!(end.is_none() && at <= 7_000, "{at}");

        // Nor what is due before the next look.
        let mut heard = Heard::new().await;
        heard.nothing_until(3_000).await;
        heard.usage.raise();
        heard.nothing_until(4_500).await;
        heard.known.store(false, Ordering::SeqCst);
        assert_eq!(heard.next().await, (None, 5_000));
    }

    #[tokio::test(start_paused = true)]
    async fn all_end_with_the_service() {
        let mut heard = Heard::new().await;
        heard.usage.raise();
        heard.streams.end();
        assert_eq!(heard.next().await, (None, 0));
        assert!(heard.streams.take(&None).is_ok_and(|place| place.ended().now_or_never().is_some()));
    }

    #[test]
    fn topics_are_called_as_their_resources() {
        let names = serde_json::to_value(Topic::ALL).unwrap();
        let told = ["usage", "cases", "uplinks", "devices", "collectors", "alerts", "periods", "inventory"];
        assert_eq!(names, serde_json::json!(told));
    }
}
