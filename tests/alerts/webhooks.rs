//! Webhooks: signed, to whom they are for, in order, each once whatever happens in between.

use meter95::alerts::Alerts;
use meter95::alerts::alert::Severity;
use meter95::alerts::event::{Letter, Recipient};
use meter95::alerts::outbox::{OutboxError, Outcome};
use meter95::clock;
use serde_json::json;

use super::receiver::{Mode, Receiver};
use super::{Sender, destinations, event, secret_file, until};
use crate::support::{self, Serving};

fn is_delivered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Delivered { .. })
}

fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_what_it_asked_for_in_order_and_once() {
    let store = support::store("alerts-webhooks").await;
    let dir = tempfile::tempdir().unwrap();
    let (all, cases) = (Receiver::listening(), Receiver::listening());
    let other_secret = dir.path().join("other");
    std::fs::write(&other_secret, "whsec_bmV3IHNlY3JldCBvZiAyNCBvY3RldHMgb3IgbW9yZQ==\n").unwrap();
    let secret = secret_file(dir.path());
    let sender = Sender::start(
        &store,
        // The second exchanges its secret, and knows the old one still.
        destinations(&format!(
            "[[webhooks]]\nname = 'all'\nurl = '{}'\nsecret_file = '{secret}'\n\
             [[webhooks]]\nname = 'cases'\nurl = '{}'\nsecret_file = '{}'\nold_secret_file = '{secret}'\n\
             events = ['case.*']\nseverity = 'warning'\n",
            all.url(),
            cases.url(),
            other_secret.display(),
        )),
    )
    .await;
    let events = vec![
        event("case-1-1", "case.opened", Severity::Warning),
        event("case-1-2", "case.note", Severity::Info),
        event("raised-a-1", "alert.raised", Severity::Critical),
        event("case-1-3", "case.approved", Severity::Critical),
    ];
    sender.put(events.clone()).await;
    // Putting them again, together with another, is the same as putting the other.
    sender.put([events, vec![event("case-1-4", "case.applied", Severity::Info)]].concat()).await;
    let letter = Letter {
        id: "letter-1".to_owned(),
        at: clock::now(),
        to: Recipient::Webhook { name: "cases".to_owned() },
        subject: "Your server web01".to_owned(),
        text: "Dear customer".to_owned(),
        data: json!({ "case": 1 }),
    };
    sender.alerts.outbox.post(letter.clone(), clock::now()).await.unwrap();
    sender.alerts.outbox.post(letter.clone(), clock::now()).await.unwrap();
    assert_eq!(all.taken(5).await, ["case-1-1", "case-1-2", "raised-a-1", "case-1-3", "case-1-4"]);
    assert_eq!(cases.taken(3).await, ["case-1-1", "case-1-3", "letter-1"]);
    for id in ["case-1-1", "case-1-4", "letter-1"] {
        sender.outcome(id, is_delivered).await;
    }
    let first = &all.messages(1, |_| true).await[0];
    assert_eq!(first.body["type"], "case.opened");
    assert_eq!(first.body["data"], json!({ "number": "case-1-1" }));

    assert_eq!(sender.alerts.outbox.outcome("case-9-9").await.unwrap(), None);
    let nowhere =
        Letter { id: "letter-2".to_owned(), to: Recipient::Mail { address: "a@b".to_owned() }, ..letter };
    let error = sender.alerts.outbox.post(nowhere, clock::now()).await.unwrap_err();
    assert!(matches!(&error, OutboxError::NoWay(way) if way == "mail"), "{error}");
    let error =
        sender.alerts.outbox.put(vec![event("a.b", "test", Severity::Info)], clock::now()).await.unwrap_err();
    assert!(error.to_string().contains("\"a.b\" can't be an event's id"), "{error}");
    sender.stop().await;
    assert_eq!((all.taken(5).await.len(), cases.taken(3).await.len()), (5, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_out_of_order_gets_each_once_and_delays_no_other() {
    let store = support::store("alerts-out-of-order").await;
    let dir = tempfile::tempdir().unwrap();
    let (mut bad, good) = (Receiver::new(), Receiver::listening());
    let secret = secret_file(dir.path());
    let hook = |name: &str, url: &str| {
        format!("[[webhooks]]\nname = '{name}'\nurl = '{url}'\nsecret_file = '{secret}'\ntimeout_s = 1\n")
    };
    let text = [hook("bad", &bad.url()), hook("good", &good.url())].concat();
    let sender = Sender::start(&store, destinations(&text)).await;
    let all = ids("e", 6);
    sender.put(all[..3].iter().map(|id| event(id, "test", Severity::Info)).collect()).await;
    assert_eq!(good.taken(3).await, all[..3], "one that is not there does not delay the other");
    let tried =
        |least: u32| move |o: &Outcome| matches!(o, Outcome::Pending { attempts, .. } if *attempts >= least);
    let outcome = sender.outcome("e-0", tried(2)).await;
    assert!(format!("{outcome:?}").contains("refused"), "{outcome:?}");
    let Some(Outcome::Pending { attempts, .. }) = sender.alerts.outbox.outcome("e-2").await.unwrap() else {
        panic!("e-2 waits");
    };
    assert_eq!(attempts, 0, "where nobody is there the first is tried, and the others wait behind it");

    bad.answer(Mode::Refuse(500));
    bad.listen();
    bad.messages(2, |_| true).await;
    sender.put(all[3..].iter().map(|id| event(id, "test", Severity::Info)).collect()).await;
    bad.answer(Mode::Hang);
    let before = bad.messages(0, |_| true).await.len();
    bad.messages(before + 2, |_| true).await;
    bad.answer(Mode::Take);
    let mut taken = bad.taken(6).await;
    taken.sort();
    assert_eq!(taken, all);
    for id in &all {
        sender.outcome(id, is_delivered).await;
    }
    assert_eq!(good.taken(6).await, all);
    let log = store.delivery_log(Some("bad"), 1_000).await.unwrap();
    let answers: Vec<&str> = log.iter().map(|line| line.answer.as_str()).collect();
    for said in ["onnection refused", "500 Internal Server Error as told", "timed out", "204 No Content"] {
        assert!(answers.iter().any(|answer| answer.contains(said)), "{said}: {answers:#?}");
    }
    sender.stop().await;
    assert_eq!(bad.taken(6).await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_steps_aside_and_who_is_gone_is_left_alone() {
    let store = support::store("alerts-refused").await;
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::listening();
    let text = format!(
        "[[webhooks]]\nname = 'hook'\nurl = '{}'\nsecret_file = '{}'\n",
        receiver.url(),
        secret_file(dir.path())
    );
    let sender = Sender::start(&store, destinations(&text)).await;
    receiver.answer(Mode::Refuse(410));
    sender.put(vec![event("a", "test", Severity::Info)]).await;
    sender
        .outcome("a", |o| matches!(o, Outcome::Pending { attempts: 1, reason } if reason.starts_with("410")))
        .await;
    receiver.answer(Mode::Take);
    sender.put(vec![event("b", "test", Severity::Info)]).await;
    sender.stop().await;
    assert_eq!(receiver.taken(0).await, Vec::<String>::new(), "it wanted nothing any more");

    // The next start tries again. What is too old by then is given up, but not before it was tried once more.
    let mut days_later = destinations(&text);
    days_later.give_up_ms = 0;
    receiver.answer(Mode::Refuse(422));
    let sender = Sender::start(&store, days_later).await;
    let failed = |o: &Outcome| matches!(o, Outcome::Failed { .. });
    for id in ["a", "b"] {
        let outcome = sender.outcome(id, failed).await;
        assert!(
            matches!(&outcome, Outcome::Failed { reason, .. } if reason == "tried for too long"),
            "{outcome:?}"
        );
    }
    assert!(!receiver.messages(2, |_| true).await.is_empty());
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_loses_nothing_and_repeats_nothing() {
    let (store, data_dir) = support::store_and_dir("alerts-killed").await;
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::listening();
    let section = format!(
        "[[webhooks]]\nname = 'hook'\nurl = '{}'\nsecret_file = '{}'\n",
        receiver.url(),
        secret_file(dir.path())
    );
    let config = dir.path().join("meter95.toml");
    std::fs::write(&config, section.replace("[[webhooks]]", "[[alerts.webhooks]]")).unwrap();
    // Nobody delivers yet.
    let alerts = Alerts::open(&store, &destinations(&section), clock::now()).await.unwrap();
    let all = ids("e", 40);
    let events = all.iter().map(|id| event(id, "test", Severity::Info)).collect();
    alerts.outbox.put(events, clock::now()).await.unwrap();

    // Killed while the receiver has a message in its hands and has not said that it takes it.
    for taken in [0, 7, 20] {
        receiver.answer(Mode::HangAfter(taken));
        let in_hands = receiver.messages(0, |_| true).await.len();
        let service = Serving::start(&data_dir, Some(&config));
        receiver.taken(taken).await;
        let hangs = |message: &super::receiver::Message| !message.taken;
        let before = receiver.messages(0, |_| true).await[..in_hands].iter().filter(|m| hangs(m)).count();
        receiver.messages(before + 1, hangs).await;
        service.kill();
    }
    receiver.answer(Mode::Take);
    let service = Serving::start(&data_dir, Some(&config));
    let taken = receiver.taken(40).await;
    assert_eq!(taken, all, "each once, and in order");
    until("all of them to be noted", async || {
        let outcome = alerts.outbox.outcome("e-39").await.unwrap().unwrap();
        is_delivered(&outcome).then_some(())
    })
    .await;
    service.stop();
    let seen = receiver.messages(40, |message| message.taken).await;
    assert_eq!(seen.len(), 43, "three were in the receiver's hands, and came again with their ids");

    // What is put while it does not run goes out when it does.
    alerts.outbox.put(vec![event("more", "test", Severity::Info)], clock::now()).await.unwrap();
    let service = Serving::start(&data_dir, Some(&config));
    assert_eq!(receiver.taken(41).await.last().unwrap(), "more");
    service.stop();
    assert_eq!(receiver.messages(0, |_| true).await.len(), 44);
}
