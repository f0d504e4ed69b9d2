//! The board and the outbox over restarts and crashes, and how all that is shown.

use axum::body::Body;
use axum::extract::Request;
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::alerts::Alerts;
use meter95::alerts::alert::{AlertKind, Notice, Severity};
use meter95::alerts::destinations::Destinations;
use meter95::api::{self, App};
use meter95::clock;
use meter95::inventory::instant::Instant;
use meter95::store::alerts::Which;
use meter95::store::connection::Store;
use meter95_reading::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::receiver::{Mode, Receiver};
use super::{Sender, alert, destinations, event, secret_file};
use crate::support;

/// 2026-11-21T01:10:00Z, when all of this happens.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

async fn open(store: &Store, now: Timestamp) -> Alerts {
    Alerts::open(store, &Destinations::default(), now).await.unwrap()
}

/// Every event so far, by kind and the alert's key.
async fn events(store: &Store) -> Vec<String> {
    let seqs: Vec<u64> = (1..=store.events_last().await.unwrap()).collect();
    let line = |stored: meter95::store::outbox::Stored| match stored.item {
        meter95::alerts::parcel::Item::Event(event) => {
            format!("{} {}", event.kind, event.data["key"].as_str().unwrap_or_default())
        }
        meter95::alerts::parcel::Item::Letter(letter) => letter.id,
    };
    store.events(&seqs).await.unwrap().into_iter().map(line).collect()
}

#[tokio::test]
async fn a_restart_goes_on_from_what_was_raised() {
    let (store, dir) = support::store_and_dir("alerts-board").await;
    let used = |key: &str| alert(key, AlertKind::BurstUsed, "its burst is used");
    let at = |s: i64| NOW.plus_ms(s * 1_000);
    let alerts = open(&store, at(0)).await;
    alerts.board.set("burst", vec![used("web01"), used("web02")], at(1)).await.unwrap();
    alerts
        .board
        .set("silent", vec![alert("sw1", AlertKind::DeviceSilent, "sw1 is silent")], at(2))
        .await
        .unwrap();
    let before = alerts.board.raised();
    assert_eq!(before.len(), 3);
    drop(alerts);
    store.close().await.unwrap();
    assert!(!support::kill_engine(&dir), "nothing runs on: what is read now was on the disk");

    let store = support::open(&dir).await;
    let alerts = open(&store, at(100)).await;
    assert_eq!(alerts.board.raised(), before);
    // What is still true is not raised again, also with other figures; what is not told any more is over.
    let mut changed = used("web02");
    changed.details = json!({ "excess_slots": 500 });
    alerts.board.set("burst", vec![changed], at(101)).await.unwrap();
    // The clock was set back: the change is later than the one before all the same.
    alerts.board.set("burst", vec![], at(50)).await.unwrap();
    alerts.board.set("burst", vec![used("web02")], at(50)).await.unwrap();
    assert_eq!(
        events(&store).await,
        [
            "alert.raised web01",
            "alert.raised web02",
            "alert.raised sw1",
            "alert.cleared web01",
            "alert.cleared web02",
            "alert.raised web02",
        ]
    );
    let all = store.alerts(Which::Last(10)).await.unwrap();
    let line =
        |n: &Notice| (n.alert.key.clone(), n.raised_at.0.0 - NOW.0, n.cleared_at.map(|at| at.0.0 - NOW.0));
    assert_eq!(
        all.iter().map(line).collect::<Vec<_>>(),
        [
            ("web02".to_owned(), 101_002, None),
            ("sw1".to_owned(), 2_000, None),
            ("web01".to_owned(), 1_000, Some(101_000)),
            ("web02".to_owned(), 1_000, Some(101_001)),
        ]
    );
    assert_eq!(all[3].alert.details["excess_slots"], 500);

    // A crash between an alert and its event: the next start tells it, once.
    let untold = |key: &str| Notice {
        source: "burst".to_owned(),
        alert: used(key),
        raised_at: Instant(at(200)),
        cleared_at: None,
    };
    store.put_alerts(&[untold("web07"), untold("web08")], at(200)).await.unwrap();
    let alerts = open(&store, at(201)).await;
    assert_eq!(alerts.board.raised().len(), 4);
    let told = events(&store).await;
    assert_eq!(told[6..], ["alert.raised web07", "alert.raised web08"]);
    open(&store, at(202)).await;
    assert_eq!(events(&store).await, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_durable_though_the_engine_is_killed() {
    let (store, dir) = support::store_and_dir("alerts-engine").await;
    let files = tempfile::tempdir().unwrap();
    let receiver = Receiver::listening();
    let text = format!(
        "[[webhooks]]\nname = 'hook'\nurl = '{}'\nsecret_file = '{}'\n",
        receiver.url(),
        secret_file(files.path())
    );
    let sender = Sender::start(&store, destinations(&text)).await;
    let mut put = Vec::new();
    for round in 0..3 {
        for n in 0..5 {
            let id = format!("e-{round}-{n}");
            // Whoever is told that it was not taken puts it again.
            while sender
                .alerts
                .outbox
                .put(vec![event(&id, "test", Severity::Info)], clock::now())
                .await
                .is_err()
            {}
            put.push(id);
            if n == 2 {
                support::kill_engine(&dir);
            }
        }
    }
    receiver.answer(Mode::Take);
    let mut taken = receiver.taken(15).await;
    // Where the engine was killed between an answer and its note, a message comes again, with its id.
    taken.dedup();
    assert_eq!(taken, put);
    sender.stop().await;
}

async fn get(router: &axum::Router, uri: &str) -> Value {
    let request = Request::get(uri).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn now() -> Timestamp {
    NOW
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_matter_and_what_was_told_is_shown() {
    let (store, data_dir) = support::store_and_dir("alerts-shown").await;
    let files = tempfile::tempdir().unwrap();
    let receiver = Receiver::listening();
    let section = format!(
        "[[webhooks]]\nname = 'hook'\nurl = '{}'\nsecret_file = '{}'\n",
        receiver.url(),
        secret_file(files.path())
    );
    let sender = Sender::start(&store, destinations(&section)).await;
    let used = |key: &str| alert(key, AlertKind::BurstUsed, &format!("{key} has used its burst"));
    sender.set("burst", vec![used("web01"), used("web02")]).await;
    sender.set("burst", vec![used("web02")]).await;
    receiver.taken(3).await;
    let cleared = sender.alerts.board.last(10).await.unwrap();
    let cleared = cleared.iter().find_map(Notice::cleared).unwrap();
    sender.outcome(&cleared.id, |o| matches!(o, meter95::alerts::outbox::Outcome::Delivered { .. })).await;

    let times = Times::default();
    let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(NOW)).await.unwrap();
    let app = support::app(&store, &data_dir, pipeline.live(), Intake::new().0, now).await;
    let app = App { alerts: sender.alerts.clone(), ..app };
    let router = api::router(app);
    let listed = get(&router, "/v1/alerts").await;
    let web02 = &listed["alerts"][0];
    assert_eq!((listed["alerts"].as_array().unwrap().len(), &web02["key"]), (1, &json!("web02")));
    assert_eq!((&web02["kind"], &web02["labels"]["server"]), (&json!("burst_used"), &json!("web02")));
    assert_eq!(get(&router, "/v1/alerts?all=true").await["alerts"].as_array().unwrap().len(), 2);
    let deliveries = get(&router, "/v1/alerts/deliveries?to=hook&limit=2").await;
    let newest = &deliveries["deliveries"][0];
    assert_eq!(deliveries["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!((&newest["kind"], &newest["outcome"]), (&json!("alert.cleared"), &json!("delivered")));
    assert_eq!((&newest["attempt"], &newest["answer"]), (&json!(1), &json!("204 No Content")));
    assert_eq!(get(&router, "/v1/alerts/deliveries?to=mail").await["deliveries"], json!([]));
    assert_eq!(get(&router, "/v1/alerts?limit=0").await["status"], 400);
    sender.stop().await;

    let list = support::prints(&data_dir, &["alerts", "list"]);
    assert!(list.contains("web02 has used its burst") && !list.contains("web01"), "{list}");
    let all = support::prints(&data_dir, &["alerts", "list", "--all", "--format", "csv"]);
    assert!(all.lines().count() == 3 && all.contains("region=tokyo server=web01"), "{all}");
    let log = support::prints(&data_dir, &["alerts", "log", "--format", "json"]);
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log.as_array().unwrap().len(), 3);

    // A test goes out at once, and what the other side says is printed.
    let config = files.path().join("meter95.toml");
    std::fs::write(&config, section.replace("[[webhooks]]", "[[alerts.webhooks]]")).unwrap();
    let config = config.to_str().unwrap();
    let test = support::prints(&data_dir, &["--config", config, "alerts", "test", "--to", "hook"]);
    assert!(test.contains("ok   hook: 204 No Content"), "{test}");
    assert_eq!(receiver.messages(4, |_| true).await[3].body["type"], "test");
    receiver.answer(Mode::Refuse(503));
    let test = support::complains(&data_dir, &["--config", config, "alerts", "test"]);
    assert!(test.contains("1 destination did not take it"), "{test}");
    let test = support::complains(&data_dir, &["--config", config, "alerts", "test", "--to", "mail"]);
    assert!(test.contains("there is no destination \"mail\"; there are: hook"), "{test}");
    let check = support::prints(&data_dir, &["--config", config, "check"]);
    assert!(check.contains("ok   destination \"hook\" of alerts: answers (HEAD: 405"), "{check}");
    assert_eq!(receiver.messages(5, |_| true).await.len(), 5, "a check sends nothing");
}
