//! A real Alertmanager, Debian's `prometheus-alertmanager`, which tells a receiver of its own what it makes of alerts.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use meter95::alerts::alert::{AlertKind, Severity};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{PATIENCE, Sender, alert, destinations, until};
use crate::support;

/// Ports that are tried: another process may take one between our look and Alertmanager's.
const TRIES: usize = 10;

pub(super) struct Alertmanager {
    child: Child,
    pub(super) url: String,
    /// What it has told its receiver: an alert by status and name each.
    told: watch::Receiver<Vec<String>>,
    _dir: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn receive(State(told): State<watch::Sender<Vec<String>>>, Json(message): Json<Value>) {
    let line = |alert: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!(
            "{} {} {}",
            text(&alert["status"]),
            text(&alert["labels"]["alertname"]),
            text(&alert["labels"]["server"])
        )
    };
    let lines: Vec<String> = message["alerts"].as_array().unwrap().iter().map(line).collect();
    told.send_modify(|told| told.extend(lines));
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Alertmanager {
    pub(super) async fn start() -> Self {
        let (send, told) = watch::channel(Vec::new());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(receive)).with_state(send);
        tokio::spawn(axum::serve(listener, router).into_future());
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..TRIES {
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let mut child = spawn(dir.path(), receiver, address);
            let url = format!("http://{address}");
            if answers(&mut child, &url).await {
                return Self { child, url, told, _dir: dir };
            }
        }
        panic!("prometheus-alertmanager could not be started on any of {TRIES} ports");
    }

    /// The alerts that it has as active, by name and server.
    async fn active(&self) -> Vec<Value> {
        let url = format!("{}/api/v2/alerts?active=true", self.url);
        reqwest::get(url).await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// What it has told its receiver, when that is among it.
    pub(super) async fn told(&self, line: &str) -> Vec<String> {
        let mut told = self.told.clone();
        let is_there = told.wait_for(|told| told.iter().any(|l| l == line));
        let is_there = tokio::time::timeout(PATIENCE, is_there).await;
        is_there.unwrap_or_else(|_| panic!("never told {line:?}: {:#?}", self.told.borrow())).unwrap().clone()
    }
}

fn spawn(dir: &Path, receiver: SocketAddr, address: SocketAddr) -> Child {
    let config = dir.join("alertmanager.yml");
    let text = format!(
        "route: {{ receiver: here, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\n\
         receivers: [{{ name: here, webhook_configs: [{{ url: 'http://{receiver}/', send_resolved: true }}] }}]\n"
    );
    std::fs::write(&config, text).unwrap();
    Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", dir.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus-alertmanager is needed: apt-get install prometheus-alertmanager")
}

/// Whether it has come up; otherwise it has ended.
async fn answers(child: &mut Child, url: &str) -> bool {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let since = Instant::now();
    let mut looks = tokio::time::interval(super::LOOK_EVERY);
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let ready = reqwest::get(format!("{url}/-/ready")).await;
        if ready.is_ok_and(|answer| answer.status().is_success()) && child.try_wait().unwrap().is_none() {
            return true;
        }
        assert!(since.elapsed() < PATIENCE, "prometheus-alertmanager does not answer");
        looks.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alertmanager_fires_refreshes_and_resolves() {
    let store = support::store("alerts-alertmanager").await;
    let alertmanager = Alertmanager::start().await;
    let text = format!(
        "public_url = 'https://meter95.example'\n[alertmanager]\nurl = '{}'\nseverity = 'warning'\nrefresh_s = 1\n",
        alertmanager.url
    );
    let sender = Sender::start(&store, destinations(&text)).await;
    let mut small = alert("web03", AlertKind::BurstHalf, "half of the burst of web03 is used");
    small.severity = Severity::Info;
    let burst = |key: &str| alert(key, AlertKind::BurstUsed, &format!("{key} has used its burst"));
    sender.set("burst", vec![burst("web01"), burst("web02"), small]).await;
    alertmanager.told("firing BurstUsed web01").await;
    alertmanager.told("firing BurstUsed web02").await;
    let active = alertmanager.active().await;
    assert_eq!(active.len(), 2, "what does not matter enough is not sent: {active:#?}");
    let web01 = active.iter().find(|alert| alert["labels"]["server"] == "web01").unwrap();
    assert_eq!(
        web01["labels"],
        json!({ "alertname": "BurstUsed", "severity": "warning", "server": "web01", "region": "tokyo" })
    );
    assert_eq!(
        web01["annotations"],
        json!({ "summary": "web01 has used its burst", "description": "excess_slots: 432" })
    );
    assert_eq!(web01["generatorURL"], "https://meter95.example");
    let raised = sender.alerts.board.raised();
    let started: jiff::Timestamp = web01["startsAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(started.as_millisecond(), raised[0].raised_at.0.0);

    // It is told again and again: its end moves on while nothing changes.
    let ends = web01["endsAt"].as_str().unwrap().to_owned();
    until("a refresh", async || {
        let active = alertmanager.active().await;
        let web01 = active.iter().find(|alert| alert["labels"]["server"] == "web01")?;
        (web01["endsAt"].as_str()? > ends.as_str()).then_some(())
    })
    .await;

    sender.set("burst", vec![burst("web02")]).await;
    alertmanager.told("resolved BurstUsed web01").await;
    sender.stop().await;

    // While nobody delivers one is cleared and one is raised; after a start both are told, and what stays is not told twice.
    let idle =
        meter95::alerts::Alerts::open(&store, &destinations(&text), meter95::clock::now()).await.unwrap();
    idle.board.set("burst", vec![burst("web04")], meter95::clock::now()).await.unwrap();
    drop(idle);
    let sender = Sender::start(&store, destinations(&text)).await;
    alertmanager.told("resolved BurstUsed web02").await;
    let told = alertmanager.told("firing BurstUsed web04").await;
    let count = |line: &str| told.iter().filter(|l| *l == line).count();
    assert_eq!(count("firing BurstUsed web01"), 1, "{told:#?}");
    assert_eq!(count("firing BurstUsed web02"), 1, "{told:#?}");
    sender.stop().await;
}
