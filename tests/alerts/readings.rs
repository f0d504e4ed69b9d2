//! From readings alone to everybody who should know: the real service, a real Alertmanager, a real mail server and a receiver of
//! webhooks that is out of order for a while, during which the service is killed.

use std::collections::BTreeSet;
use std::fmt::Write;

use meter95::clock;
use serde_json::{Value, json};

use super::alertmanager::Alertmanager;
use super::mail::{PASSWORD, Server, certificate, section};
use super::receiver::{Message, Receiver};
use super::secret_file;
use crate::support::{self, Serving, prints};

const INVENTORY: &str = r#"
[[customers]]
id = "c001"
name = "Example K.K."
contacts = [{ name = "Sato", email = "sato@customer.example", language = "ja" }]

[[plans]]
id = "jp"
price_per_mbps = "1500"
currency = "JPY"

[[uplinks]]
id = "up1"
region = "tokyo"
device = "sw1"
interface = "xe-0"
speed_bps = 50000000

[[servers]]
id = "web01"
customer = "c001"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-1" }]

[[servers]]
id = "web02"
customer = "c001"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-2" }]
"#;

/// What a switch counted in each minute of the last 90: web01 takes in 40 Mbps and web02 4 Mbps, over an uplink of 50.
fn readings() -> String {
    let now = clock::now();
    let mut lines = String::new();
    for minute in 0..=90 {
        let time = now.plus_ms((minute - 90) * 60_000).0;
        for (interface, rx_mbps, tx_mbps) in [("ge-1", 1, 40), ("ge-2", 1, 4), ("xe-0", 44, 2)] {
            let octets = |mbps: i64| mbps * 1_000_000 / 8 * 60 * minute;
            let (rx, tx) = (octets(rx_mbps), octets(tx_mbps));
            let reading =
                json!({ "device": "sw1", "interface": interface, "time": time, "rx": rx, "tx": tx });
            writeln!(lines, "{reading}").unwrap();
        }
    }
    lines
}

async fn post(url: String, body: String, json: bool) -> Value {
    let kind = if json { "application/json" } else { "application/x-ndjson" };
    let request = reqwest::Client::new().post(url).header("content-type", kind).body(body);
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}

fn kind(message: &Message) -> &str {
    message.body["type"].as_str().unwrap()
}

/// The kind of the alert that was raised, where one was.
fn raised(message: &Message) -> Option<&str> {
    (kind(message) == "alert.raised").then(|| message.body["data"]["kind"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extreme_server_is_heard_of_by_everybody_once() {
    let (store, data_dir) = support::store_and_dir("alerts-readings").await;
    store.close().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let alertmanager = Alertmanager::start().await;
    let [pem, key] = certificate(dir.path(), "server");
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let mails = Server::start(&pem, &key);
    let mut receiver = Receiver::new();
    let config = dir.path().join("meter95.toml");
    let text = format!(
        "[throttle]\nautomatic = true\nbetween_contacts_s = 1\nanswer_s = 6\n\
         [alerts]\nlongest_pause_s = 1\n\
         [[alerts.webhooks]]\nname = 'hook'\nurl = '{}'\nsecret_file = '{}'\n\
         [alerts.alertmanager]\nurl = '{}'\nrefresh_s = 1\n{}",
        receiver.url(),
        secret_file(dir.path()),
        alertmanager.url,
        section(&mails, &pem, &password, 0).replace("[mail]", "[alerts.mail]"),
    );
    std::fs::write(&config, text).unwrap();
    let inventory = dir.path().join("inventory.toml");
    std::fs::write(&inventory, INVENTORY).unwrap();
    prints(&data_dir, &["inventory", "apply", inventory.to_str().unwrap(), "--by", "test"]);

    // The receiver is down. Alertmanager fires, and the customer is written to in their language.
    let service = Serving::start(&data_dir, Some(&config));
    let url = service.url.clone();
    let taken = post(format!("{url}/v1/readings"), readings(), false).await;
    assert_eq!((&taken["taken"], &taken["refused"]), (&json!(273), &json!(0)));
    alertmanager.told("firing Case web01").await;
    alertmanager.told("firing UplinkTight ").await;
    let to_sato = |mail: &super::mail::Taken| mail.to == ["sato@customer.example"];
    let letters = mails.taken_of(1, to_sato).await;
    let letter = letters.iter().find(|mail| to_sato(mail)).unwrap();
    assert!(letter.head["subject"].contains("web01"), "{:?}", letter.head);
    assert!(letter.text.contains("Sato") && letter.text.contains("40 Mbps"), "{}", letter.text);
    service.kill();

    // It comes back, and so does the service: every step is told once, in order.
    receiver.listen();
    let service = Serving::start(&data_dir, Some(&config));
    let url = service.url.clone();
    let is_tight = |message: &Message| raised(message) == Some("uplink_tight");
    let is_last = |message: &Message| message.taken && (kind(message) == "case.ready" || is_tight(message));
    let messages = receiver.messages(2, is_last).await;
    let cases: Vec<&Message> = messages.iter().filter(|message| kind(message).starts_with("case.")).collect();
    let kinds: Vec<&str> = cases.iter().map(|message| kind(message)).collect();
    assert_eq!(
        kinds,
        ["case.opened", "case.attempted", "case.notified", "case.attempted", "case.ready"],
        "{messages:#?}"
    );
    let recommendation = &cases[0].body["data"]["step"]["recommendation"];
    let rules: Vec<&str> = recommendation["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["sustained", "uplink"]);
    assert_eq!(recommendation["cap"]["cap_bps"], 1_000_000);
    assert_eq!(recommendation["rules"][1]["share_percent"], 90, "40 of 44 Mbps");
    assert_eq!(recommendation["others"]["servers"][0]["server"], "web02");
    assert_eq!(messages.iter().filter_map(raised).collect::<BTreeSet<_>>(), ["case", "uplink_tight"].into());

    // A person ends it: Alertmanager resolves, and the receiver hears of it.
    post(format!("{url}/v1/cases/1/dismiss"), json!({ "by": "alice", "why": "agreed" }).to_string(), true)
        .await;
    alertmanager.told("resolved Case web01").await;
    let dismissed = |message: &Message| message.taken && kind(message) == "case.dismissed";
    let messages = receiver.messages(1, dismissed).await;
    let ids: BTreeSet<&String> = messages.iter().map(|message| &message.id).collect();
    assert_eq!(ids.len(), messages.len(), "each message came once");
    service.stop();
    let mails = mails.taken(0).await;
    assert_eq!(mails.iter().filter(|mail| to_sato(mail)).count(), 2, "a letter a round");
    let ids: BTreeSet<&String> = mails.iter().map(|mail| &mail.head["message-id"]).collect();
    assert_eq!(ids.len(), mails.len(), "each mail came once");
}
