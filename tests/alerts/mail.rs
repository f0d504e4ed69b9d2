//! A real mail server, Debian's `python3-aiosmtpd`, which asks for STARTTLS and a password.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use meter95::alerts::alert::AlertKind;
use meter95::alerts::event::{Letter, Recipient};
use meter95::alerts::outbox::Outcome;
use meter95::clock;
use meter95::store::outbox::{Attempt, Fate};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::{PATIENCE, Sender, alert, destinations};
use crate::support;

const USER: &str = "meter95";
pub(super) const PASSWORD: &str = "correct horse";

/// A mail that the server has taken.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Taken {
    from: String,
    pub(super) to: Vec<String>,
    tls: bool,
    user: Option<String>,
    /// The mail as it came, its head by names in lower case, and its text.
    raw: String,
    pub(super) head: BTreeMap<String, String>,
    pub(super) text: String,
}

pub(super) struct Server {
    child: Child,
    port: u16,
    taken: watch::Receiver<Vec<Taken>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// One that shows this certificate.
    pub(super) fn start(certificate: &Path, key: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/smtpd.py");
        // Debian's Python, which has Debian's packages.
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .args([certificate, key])
            .args([USER, PASSWORD])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is needed: apt-get install python3-aiosmtpd");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("aiosmtpd is needed: apt-get install python3-aiosmtpd").unwrap();
        let (send, taken) = watch::channel(Vec::new());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                send.send_modify(|taken: &mut Vec<Taken>| taken.push(serde_json::from_str(&line).unwrap()));
            }
        });
        Self { child, port: port.parse().unwrap(), taken }
    }

    pub(super) async fn taken(&self, count: usize) -> Vec<Taken> {
        self.taken_of(count, |_| true).await
    }

    /// All mails that it has taken, when there are as many that satisfy `is_one`.
    pub(super) async fn taken_of(&self, count: usize, is_one: impl Fn(&Taken) -> bool) -> Vec<Taken> {
        let mut taken = self.taken.clone();
        let enough = taken.wait_for(|taken| taken.iter().filter(|mail| is_one(mail)).count() >= count);
        let enough = tokio::time::timeout(PATIENCE, enough).await;
        enough
            .unwrap_or_else(|_| panic!("waited in vain for {count}: {:#?}", self.taken.borrow()))
            .unwrap()
            .clone()
    }
}

/// A certificate for this machine and its key, as files.
pub(super) fn certificate(dir: &Path, name: &str) -> [std::path::PathBuf; 2] {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = [dir.join(format!("{name}.pem")), dir.join(format!("{name}.key"))];
    std::fs::write(&files[0], made.cert.pem()).unwrap();
    std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
    files
}

pub(super) fn section(server: &Server, authority: &Path, password: &Path, wait_s: u64) -> String {
    format!(
        "[mail]\nserver = 'localhost:{}'\nca_file = '{}'\nuser = '{USER}'\npassword_file = '{}'\n\
         from = 'meter95 <meter95@example.jp>'\nto = ['noc@example.jp', 'ops@example.jp']\nwait_s = {wait_s}\ntimeout_s = 20\n",
        server.port,
        authority.display(),
        password.display(),
    )
}

fn letter(id: &str, address: &str) -> Letter {
    Letter {
        id: id.to_owned(),
        at: clock::now(),
        to: Recipient::Mail { address: address.to_owned() },
        subject: "サーバー web01 の通信量について".to_owned(),
        text: "お世話になっております。\n".to_owned(),
        data: json!({ "case": 1 }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_together_and_letters_alone_under_tls() {
    let store = support::store("alerts-mail").await;
    let dir = tempfile::tempdir().unwrap();
    let [pem, key] = certificate(dir.path(), "server");
    let [other, _] = certificate(dir.path(), "other");
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let server = Server::start(&pem, &key);

    // It answers, without being sent anything; one whose certificate is another's is not spoken to.
    let right = destinations(&section(&server, &pem, &password, 0));
    assert_eq!(right.all[0].way.reach().await.unwrap(), "answers, and lets us in");
    let wrong = destinations(&section(&server, &other, &password, 0));
    let error = wrong.all[0].way.reach().await.unwrap_err();
    assert!(error.contains("certificate"), "{error}");

    let sender = Sender::start(&store, right).await;
    let silent =
        |n: u32| alert(&format!("sw{n}"), AlertKind::DeviceSilent, &format!("スイッチ sw{n} is silent"));
    sender.set("devices", vec![silent(1), silent(2), silent(3)]).await;
    let taken = server.taken(1).await;
    let mail = &taken[0];
    assert_eq!(
        (mail.from.as_str(), mail.tls, mail.user.as_deref()),
        ("meter95@example.jp", true, Some(USER))
    );
    assert_eq!(mail.to, ["noc@example.jp", "ops@example.jp"]);
    assert_eq!(mail.head["auto-submitted"], "auto-generated");
    assert_eq!(mail.head["subject"], "[meter95] 3 raised: スイッチ sw1 is silent");
    for n in 1..=3 {
        assert!(
            mail.text.contains(&format!("  スイッチ sw{n} is silent\n  region: tokyo\n")),
            "{}",
            mail.text
        );
    }
    let lines = store.delivery_log(Some("mail"), 10).await.unwrap();
    let first = sender.alerts.board.raised()[0].raised().id;
    assert_eq!(mail.head["message-id"], format!("<{first}@example.jp>"));

    sender.alerts.outbox.post(letter("letter-1", "tanaka@customer.example"), clock::now()).await.unwrap();
    sender.alerts.outbox.post(letter("letter-2", "nobody@customer.example"), clock::now()).await.unwrap();
    sender.alerts.outbox.post(letter("letter-3", "suzuki@customer.example"), clock::now()).await.unwrap();
    let taken = server.taken(3).await;
    assert_eq!(taken[1].to, ["tanaka@customer.example"]);
    assert_eq!(taken[2].to, ["suzuki@customer.example"], "one that is refused holds nothing up");
    assert_eq!(taken[1].head["message-id"], "<letter-1@example.jp>");
    assert_eq!(taken[1].head["subject"], "サーバー web01 の通信量について");
    assert_eq!(taken[1].text.trim_end(), "お世話になっております。");
    sender.outcome("letter-1", |o| matches!(o, Outcome::Delivered { .. })).await;
    let failed = sender.outcome("letter-2", |o| matches!(o, Outcome::Failed { .. })).await;
    assert!(
        matches!(&failed, Outcome::Failed { attempts: 1, reason, .. } if reason.contains("there is nobody of this name")),
        "{failed:?}"
    );
    sender.stop().await;
    assert_eq!(lines.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_sent_again_is_the_same_mail() {
    let store = support::store("alerts-mail-again").await;
    let dir = tempfile::tempdir().unwrap();
    let [pem, key] = certificate(dir.path(), "server");
    let password = dir.path().join("password");
    std::fs::write(&password, "wrong\n").unwrap();
    let server = Server::start(&pem, &key);
    let silent = |n: u32| alert(&format!("sw{n}"), AlertKind::DeviceSilent, &format!("sw{n} is silent"));

    // With a wrong password nothing goes out, and it is tried again; what goes together is settled.
    let sender = Sender::start(&store, destinations(&section(&server, &pem, &password, 0))).await;
    sender.set("devices", vec![silent(1), silent(2)]).await;
    let first = sender.alerts.board.raised()[0].raised().id;
    let tried =
        |o: &Outcome| matches!(o, Outcome::Pending { attempts: 1.., reason } if reason.contains("535"));
    sender.outcome(&first, tried).await;
    sender.set("devices", vec![silent(1), silent(2), silent(3)]).await;
    sender.stop().await;
    assert!(server.taken.borrow().is_empty());

    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let right = destinations(&section(&server, &pem, &password, 0));
    let sender = Sender::start(&store, right.clone()).await;
    let taken = server.taken(2).await;
    assert!(taken[0].text.starts_with("2 raised.") && !taken[0].text.contains("sw3"), "{}", taken[0].text);
    assert!(taken[1].text.contains("sw3 is silent"), "{}", taken[1].text);
    let noted = sender.outcome(&first, |o| matches!(o, Outcome::Delivered { .. })).await;
    sender
        .outcome(&sender.alerts.board.raised()[2].raised().id, |o| matches!(o, Outcome::Delivered { .. }))
        .await;
    sender.stop().await;

    // As if the process had ended before it was noted that the first was taken: the same goes out once more.
    let Outcome::Delivered { at } = noted else { panic!("{noted:?}") };
    let again = |seq: u64| Attempt {
        destination: "mail".to_owned(),
        seq,
        attempt: 1_000,
        at,
        fate: Fate::Failed,
        answer: String::new(),
        next_at: at,
        lot: first.clone(),
    };
    store.put_attempts(&[again(1), again(2)]).await;
    let sender = Sender::start(&store, right).await;
    let taken = server.taken(3).await;
    assert_eq!(taken[2].head["message-id"], format!("<{first}@example.jp>"));
    assert_eq!(taken[2].raw, taken[0].raw, "to the octet");
    sender.stop().await;
}
