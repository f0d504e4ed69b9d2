//! Alerts on their way out: real receivers of webhooks, a real Alertmanager and a real mail server, which come and go,
//! while meter95 is killed in between.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod alertmanager;
mod board;
mod mail;
mod readings;
mod receiver;
mod webhooks;

use std::time::{Duration, Instant};

use meter95::alerts::Alerts;
use meter95::alerts::alert::{Alert, AlertKind, Severity};
use meter95::alerts::deliver::Deliverer;
use meter95::alerts::destinations::Destinations;
use meter95::alerts::event::Event;
use meter95::alerts::outbox::Outcome;
use meter95::clock;
use meter95::store::connection::Store;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often is looked whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The destinations of the section `[alerts]` of a configuration, tried again after a second at most.
fn destinations(alerts: &str) -> Destinations {
    Destinations::new(&toml::from_str(&format!("longest_pause_s = 1\n{alerts}")).unwrap()).unwrap()
}

/// A part of the service: what delivers, in this process.
struct Sender {
    alerts: Alerts,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sender {
    async fn start(store: &Store, destinations: Destinations) -> Self {
        let alerts = Alerts::open(store, &destinations, clock::now()).await.unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(Deliverer::new(&alerts, destinations).run(clock::now, stop.clone()));
        Self { alerts, stop, task }
    }

    /// Ends it in order.
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    async fn put(&self, events: Vec<Event>) {
        self.alerts.outbox.put(events, clock::now()).await.unwrap();
    }

    async fn set(&self, source: &str, alerts: Vec<Alert>) {
        self.alerts.board.set(source, alerts, clock::now()).await.unwrap();
    }

    /// What became of an event, when that is as it should be.
    async fn outcome(&self, id: &str, is_right: impl Fn(&Outcome) -> bool) -> Outcome {
        until(&format!("the right outcome of {id}"), async || {
            self.alerts.outbox.outcome(id).await.unwrap().filter(&is_right)
        })
        .await
    }
}

/// Waits until there is something.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let since = Instant::now();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain for {what}");
        looks.tick().await;
    }
}

fn event(id: &str, kind: &str, severity: Severity) -> Event {
    Event {
        id: id.to_owned(),
        at: clock::now(),
        kind: kind.to_owned(),
        severity,
        region: Some("tokyo".to_owned()),
        summary: format!("this is {id}"),
        data: json!({ "number": id }),
    }
}

fn alert(key: &str, kind: AlertKind, summary: &str) -> Alert {
    Alert {
        key: key.to_owned(),
        kind,
        severity: Severity::Warning,
        labels: [("server", key), ("region", "tokyo")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        summary: summary.to_owned(),
        details: json!({ "excess_slots": 432 }),
    }
}

/// A secret of webhooks, as the configuration has it in a file.
fn secret_file(dir: &std::path::Path) -> String {
    let path = dir.join("secret");
    std::fs::write(&path, format!("{}\n", receiver::SECRET)).unwrap();
    path.display().to_string()
}
