//! TLS on a real socket: certificates of the service and of collectors, new ones without a restart, and what guards the
//! port.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use meter95::access::token::{Proof, Token, mint, new_id};
use meter95::access::{Limit, Role};
use meter95::aggregator::intake::{self, Intake};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api::{self, App};
use meter95::collectors::CollectorName;
use meter95::sources::ship::Shipper;
use meter95::tls::outgoing::{Outgoing, plain_words};
use meter95::tls::pair::{Pair, Places};
use meter95::tls::server::{Look, Seen, Server};
use meter95_reading::{Reading, Timestamp};
use reqwest::{Client, Response};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support;

/// 2026-11-21T01:10:00Z, when all of this happens.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

/// How long anything may take that is waited for.
const SOON: Duration = Duration::from_secs(20);

fn now() -> Timestamp {
    NOW
}

/// An API over TLS on a store of its own.
struct Site {
    app: App,
    server: Server,
    seen: Seen,
    places: Places,
    address: SocketAddr,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A certificate for this machine, with its key in a folder, that is as `with` says.
fn make(folder: &Path, name: &str, with: impl FnOnce(&mut rcgen::CertificateParams)) -> Places {
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    with(&mut params);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let places =
        Places { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    std::fs::write(&places.certificate, certificate.pem()).unwrap();
    std::fs::write(&places.key, key.serialize_pem()).unwrap();
    places
}

impl Site {
    async fn new(name: &str) -> Self {
        let (store, dir) = support::store_and_dir(name).await;
        let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(NOW)).await.unwrap();
        let (intake, queue) = Intake::new();
        let app = support::app(&store, &dir, pipeline.live(), intake, now).await;
        let stop = CancellationToken::new();
        tokio::spawn(intake::run(pipeline, queue, now, stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        let places = make(folder.path(), "service", |_| {});
        let (server, seen) = Server::open(places.clone(), true).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(api::serve_over_tls(listener, server.clone(), app.clone(), stop.clone()));
        Self { app, server, seen, places, address, stop, folder }
    }

    /// A certificate and key of somebody else.
    fn pair(&self, name: &str) -> Pair {
        make(self.folder.path(), name, |_| {}).read().unwrap()
    }

    async fn token(&self, name: &str, role: Role, proof: Proof, id: String) -> Token {
        let token = Token {
            id,
            name: name.to_owned(),
            proof,
            role,
            limit: Limit::default(),
            collector: None,
            created_at: NOW,
            created_by: "test".to_owned(),
            expires_at: None,
            revoked: None,
        };
        self.put(&token).await;
        token
    }

    async fn put(&self, token: &Token) {
        self.app.store.put_token(token).await.unwrap();
        self.app.access.registry.refresh().await.unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// A client that trusts the service's certificate as it is now, known by one of its own.
    fn client(&self, own: Option<&Pair>) -> Client {
        client(Outgoing::new(Some(&self.places.certificate), own).unwrap().config())
    }

    /// Trusts the service's certificate, as others than a collector do it.
    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.places.certificate).unwrap()).unwrap();
        Arc::new(roots)
    }
}

fn client(config: ClientConfig) -> Client {
    Client::builder().tls_backend_preconfigured(config).timeout(SOON).build().unwrap()
}

fn line(rx: u64) -> String {
    format!(
        r#"{{"device":"sw1","interface":"a","time":{},"rx":{rx},"tx":1}}"#,
        NOW.0 + i64::try_from(rx).unwrap()
    )
}

async fn ship(client: &Client, site: &Site, rx: u64) -> Response {
    client.post(site.url("/v1/readings")).body(line(rx)).send().await.unwrap()
}

/// Waits until something is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(SOON, async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within {SOON:?}"));
}

/// Shows a certificate and signs with whatever key it is given.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_known_by_its_certificate() {
    let site = Site::new("tls-collectors").await;
    let admin = mint();
    site.token("admin", Role::Admin, admin.proof.clone(), admin.id.clone()).await;
    let (tokyo, stranger) = (site.pair("tokyo"), site.pair("stranger"));
    let token = site.token("tokyo-1", Role::Collector, Proof::Certificate(tokyo.sha256), new_id()).await;

    // Whoever shows none, or one that nobody named, is nobody.
    let known = site.client(Some(&tokyo));
    for (client, status) in
        [(site.client(None), 401), (site.client(Some(&stranger)), 401), (known.clone(), 200)]
    {
        let answer = ship(&client, &site, 1).await;
        assert_eq!(answer.status(), status);
        assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
    }
    // A collector sees nothing, however it is known; a token wins over the certificate, and a bad one is refused.
    let ask = |token: &str| {
        let ask = known.get(site.url("/v1/servers"));
        if token.is_empty() { ask } else { ask.bearer_auth(token) }
    };
    for (token, status) in [("", 403), (admin.token.expose(), 200), ("m95_0000000000_0", 401)] {
        assert_eq!(ask(token).send().await.unwrap().status(), status, "{token}");
    }
    // A cookie that is given over TLS stays there.
    let login = serde_json::json!({ "token": admin.token.expose() });
    let answer = site.client(None).post(site.url("/v1/session")).json(&login).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");

    // Both versions, and in neither is it enough to show a certificate of which one has no key.
    let provider = || Arc::new(ring::default_provider());
    let signing = |key: &str| {
        let key = PrivateKeyDer::from_pem_file(site.folder.path().join(key)).unwrap();
        ring::sign::any_supported_type(&key).unwrap()
    };
    let chain = vec![CertificateDer::from_pem_file(site.folder.path().join("tokyo.pem")).unwrap()];
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (key, status) in [("tokyo.key", Some(200)), ("stranger.key", None)] {
            let config = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[version]);
            let shown = Arc::new(CertifiedKey::new(chain.clone(), signing(key)));
            let config = config.unwrap().with_root_certificates(site.roots());
            let config = config.with_client_cert_resolver(Arc::new(Shows(shown)));
            let answer = client(config).post(site.url("/v1/readings")).body(line(2)).send().await;
            assert_eq!(answer.ok().map(|answer| answer.status().as_u16()), status, "{version:?} {key}");
        }
    }

    // The collector itself.
    let outgoing = Outgoing::new(Some(&site.places.certificate), Some(&tokyo)).unwrap();
    let shipper =
        Shipper::new(&site.url(""), CollectorName::new("tokyo-1").unwrap()).with_tls(Some(outgoing));
    assert!(!format!("{shipper:?}").contains("key"), "{shipper:?}");
    let reading: Reading = serde_json::from_str(&line(3)).unwrap();
    shipper.add(vec![reading]);
    let stop = CancellationToken::new();
    let shipping = tokio::spawn({
        let (shipper, stop) = (shipper.clone(), stop.clone());
        async move { shipper.run(stop).await }
    });
    until(async || shipper.waiting() == 0).await;
    stop.cancel();
    shipping.await.unwrap().unwrap();

    // What is revoked is worth nothing, on connections that are open too.
    assert_eq!(ship(&known, &site, 4).await.status(), 200);
    site.put(&Token { revoked: Some((NOW, "test".to_owned())), ..token }).await;
    assert_eq!(ship(&known, &site, 5).await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_count_without_a_restart() {
    let mut site = Site::new("tls-reload").await;
    let healthy = async |client: &Client| match client.get(site.url("/healthz")).send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(error) => Err(plain_words(&error).unwrap_or_else(|| error.to_string())),
    };
    let old = site.client(None);
    let status = healthy(&old).await;
    let path = if status == Ok(200) { "/healthz" } else { panic!("{status:?}") };

    // A key that is not the certificate's: the old pair stays.
    let text = std::fs::read(&site.places.key).unwrap();
    std::fs::write(&site.places.key, "-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n").unwrap();
    assert!(matches!(site.server.look(&mut site.seen), Look::Unusable(_)));
    assert_eq!(site.server.look(&mut site.seen), Look::Same);
    let again = client(Outgoing::new(Some(&site.places.certificate), None).unwrap().config());
    assert_eq!(again.get(site.url(path)).send().await.unwrap().status(), 200);
    std::fs::write(&site.places.key, text).unwrap();
    assert_eq!(site.server.look(&mut site.seen), Look::Same);

    // What is wrong with the service's certificate is told in plain words.
    let ymd = rcgen::date_time_ymd;
    type Change<'a> = &'a dyn Fn(&mut rcgen::CertificateParams);
    let rows: [(Change<'_>, &str); 5] = [
        (&|p| p.not_after = ymd(2020, 1, 1), "the service's certificate has expired"),
        (&|p| p.not_before = ymd(2090, 1, 1), "does not count yet"),
        (&|p| p.subject_alt_names.truncate(1), "certificate is not for 127.0.0.1, but for"),
        (&|p| p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained), ""),
        (&|_| {}, ""),
    ];
    for (with, says) in rows {
        make(site.folder.path(), "service", |params| {
            params.not_before = ymd(2019, 1, 1);
            with(params);
        });
        assert_eq!(site.server.look(&mut site.seen), Look::Renewed);
        let client = site.client(None);
        let answer = client.get(site.url(path)).send().await;
        match answer {
            Ok(answer) => assert_eq!((answer.status().as_u16(), says), (200, "")),
            Err(error) => {
                let told = plain_words(&error).unwrap_or_else(|| panic!("{error:?}"));
                assert!(!says.is_empty() && told.contains(says), "{told}");
            }
        }
    }

    // Those who trusted the first certificate alone trust this one no longer; a CA's file is trusted for what it signed.
    let foreign = make(site.folder.path(), "foreign", |_| {});
    let stranger = client(Outgoing::new(Some(&foreign.certificate), None).unwrap().config());
    let error = stranger.get(site.url(path)).send().await.unwrap_err();
    assert!(plain_words(&error).unwrap().contains("nobody who is trusted here"), "{error:?}");
    let ca = signed(site.folder.path());
    assert_eq!(site.server.look(&mut site.seen), Look::Renewed);
    let trusting = client(Outgoing::new(Some(&ca), None).unwrap().config());
    assert_eq!(trusting.get(site.url(path)).send().await.unwrap().status(), 200);

    // And all that by itself.
    let stop = site.stop.child_token();
    let seen = std::mem::replace(&mut site.seen, Server::open(site.places.clone(), true).unwrap().1);
    tokio::spawn(site.server.clone().run(seen, Duration::from_millis(20), now, stop));
    let before = site.server.pair().sha256;
    make(site.folder.path(), "service", |_| {});
    until(async || site.server.pair().sha256 != before).await;
    assert_eq!(site.client(None).get(site.url(path)).send().await.unwrap().status(), 200);
}

/// Puts a certificate for the service that a CA has signed where the service's is. Tells the CA's file.
fn signed(folder: &Path) -> PathBuf {
    let mut params = rcgen::CertificateParams::new([]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "our CA");
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, params.self_signed(&ca_key).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("service.pem"), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(folder.join("service.key"), key.serialize_pem()).unwrap();
    ca
}

#[tokio::test]
async fn events_come_over_tls_until_the_service_stops() {
    let site = Site::new("tls-events").await;
    let mut answer = site.client(None).get(site.url("/v1/events")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(answer.headers().contains_key("strict-transport-security"));
    let first = answer.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: hello\n"), "{}", String::from_utf8_lossy(&first));
    ship(&site.client(None), &site, 1).await.error_for_status().unwrap();
    let next = answer.chunk().await.unwrap().unwrap();
    assert!(next.starts_with(b"event: changed\n"), "{}", String::from_utf8_lossy(&next));
    site.stop.cancel();
    assert_eq!(answer.chunk().await.unwrap(), None);
}

/// What comes on a connection until its end, after this was sent.
async fn raw(mut stream: TcpStream, send: &str) -> String {
    stream.write_all(send.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut text)).await;
    read.unwrap_or_else(|_| panic!("no end within {SOON:?}")).unwrap();
    String::from_utf8(text).unwrap()
}

/// A connection from an address of this machine.
async fn from(local: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(local.parse().unwrap(), 0)).unwrap();
    socket.connect(to).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_misbehaves_hurts_nobody_else() {
    let site = Site::new("tls-guards").await;
    let client = site.client(None);
    let healthy =
        async || client.get(site.url("/healthz")).send().await.map(|answer| answer.status().as_u16());

    // Who speaks HTTP is told what to do.
    let told = raw(from("127.0.0.1", site.address).await, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 400 ") && told.ends_with("use https:// as address\n"), "{told}");

    // Handshakes that never go on.
    let mut slow = Vec::new();
    for n in 0..40 {
        let mut stream = from("127.0.0.3", site.address).await;
        if n % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        slow.push(stream);
    }
    assert_eq!(healthy().await.unwrap(), 200);

    // Heads that are too long, or hold too many headers.
    // What is read at once may be some more than the limit.
    let long = "a".repeat(300 << 10);
    match client.get(site.url("/healthz")).header("x-long", long).send().await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        // Where the rest of the head is still on its way, the connection ends and the answer may be lost with it.
        Err(error) => assert!(error.is_request(), "{error:?}"),
    }
    let many = (0..101).fold(client.get(site.url("/healthz")), |ask, n| ask.header(format!("x-{n}"), "a"));
    assert_eq!(many.send().await.unwrap().status(), 431);
    assert_eq!(healthy().await.unwrap(), 200);

    // One address has so many connections and no more; others are let in, and so is it when one of them has ended.
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(from("127.0.0.4", site.address).await);
    }
    let mut over = from("127.0.0.4", site.address).await;
    let closed = tokio::time::timeout(SOON, over.read(&mut [0])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    assert_eq!(healthy().await.unwrap(), 200);
    held.pop();
    until(async || {
        let mut stream = from("127.0.0.4", site.address).await;
        let mut first = [0];
        let sent = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.is_ok();
        sent && matches!(stream.read(&mut first).await, Ok(1)) && first[0] == b'H'
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_guards_stand_in_the_clear() {
    let site = Site::new("tls-none").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(api::serve(listener, site.app.clone(), site.stop.clone()));
    let long = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "a".repeat(300 << 10));
    // The answer may be lost where the rest of a long head is still on its way.
    let mut stream = from("127.0.0.1", address).await;
    let _ = stream.write_all(long.as_bytes()).await;
    let mut text = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut text)).await.unwrap();
    assert!(text.is_empty() || text.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&text));
    let ask = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = raw(from("127.0.0.1", address).await, ask).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("strict-transport-security"), "{answer}");

    // A collector that speaks TLS to it is told so.
    let outgoing = Outgoing::new(Some(&site.places.certificate), None).unwrap();
    let error = client(outgoing.config()).get(format!("https://{address}/")).send().await.unwrap_err();
    let told = plain_words(&error).unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(told, "the other side does not speak HTTPS at this port");
}

#[test]
fn check_looks_at_certificates() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meter95.toml");
    let ymd = rcgen::date_time_ymd;
    let service = make(folder.path(), "service", |params| params.not_after = ymd(2020, 1, 1));
    let own = make(folder.path(), "own", |_| {});
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&service.key, 0o644);
    mode(&own.key, 0o600);
    let config = |key: &Path| {
        let show = |path: &Path| path.display().to_string();
        let text = format!(
            "[http.tls]\ncertificate = '{}'\nkey = '{}'\n[ship]\nto = 'https://a'\nca_file = '{}'\ncertificate = \
             '{}'\nkey = '{}'\n",
            show(&service.certificate),
            show(key),
            show(&service.certificate),
            show(&own.certificate),
            show(&own.key)
        );
        std::fs::write(&file, text).unwrap();
    };
    let check = |how: &str| {
        let output =
            support::meter95(folder.path()).arg("--config").arg(&file).args(["check", how]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    config(&service.key);
    let (good, says) = check("--offline");
    assert!(good, "{says}");
    for line in [
        "certificate of the service: expired at 2020-01-01T00:00:00Z",
        "key of the service: everybody on this machine may read",
        "ok   certificate of the collector: ",
        "ok   certificates that the collector trusts: ",
    ] {
        assert!(says.contains(line), "{line}\n{says}");
    }
    assert!(!says.contains("key of the collector"), "{says}");
    let (good, dumped) = check("--dump");
    assert!(good && dumped.contains("service.key") && !dumped.contains("PRIVATE"), "{dumped}");
    config(&own.key);
    let (good, says) = check("--offline");
    assert!(!good && says.contains("FAIL  certificate of the service: the key in "), "{says}");
}
