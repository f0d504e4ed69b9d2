//! Who may do what over the API: every route for every role, and what happens to tokens and sessions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use meter95::access::token::{Minted, Proof, Token, mint};
use meter95::access::{Guard, Limit, Role};
use meter95::aggregator::intake::{self, Intake};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api::peer::Peer;
use meter95::api::{self, App};
use meter95::audit::{Act, Audit, Origin};
use meter95::closing::close::Order;
use meter95::closing::desk::Desk;
use meter95::collectors::CollectorName;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::inventory::instant::Instant;
use meter95::metering::throttle::Rule;
use meter95::sources::ship::Shipper;
use meter95::store::connection::Store;
use meter95::store::engine::Secret;
use meter95::throttle::desk::Observation;
use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::cases::recommendation;
use crate::support::{self, complains, prints};

/// 2026-11-26T03:00:00+09:00.
const NOW: Timestamp = Timestamp(1_795_629_600_000);

const INVENTORY: &str = r#"
[[customers]]
id = "c001"

[[customers]]
id = "c002"

[[regions]]
id = "tokyo"

[[plans]]
id = "jp"
allowance_bps = 1000000

[[servers]]
id = "web01"
customer = "c001"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-0/0/1" }]

[[servers]]
id = "web02"
customer = "c002"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-0/0/2" }]
"#;

fn now() -> Timestamp {
    NOW
}

/// An API on a store of its own.
struct Site {
    app: App,
    router: Router,
    dir: PathBuf,
    stop: CancellationToken,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answer {
    fn detail(&self) -> String {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["detail"].as_str().unwrap_or_default().to_owned()
    }

    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Site {
    async fn new(name: &str) -> Self {
        let (store, dir) = support::store_and_dir(name).await;
        let document: Document = toml::from_str(INVENTORY).unwrap();
        store.put_inventory(&changes(&Document::default(), &document), 1, NOW, "test").await.unwrap();
        Self::on(store, dir).await
    }

    async fn on(store: Store, dir: PathBuf) -> Self {
        let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(NOW)).await.unwrap();
        let (intake, queue) = Intake::new();
        let app = support::app(&store, &dir, pipeline.live(), intake, now).await;
        let stop = CancellationToken::new();
        tokio::spawn(intake::run(pipeline, queue, now, stop.clone()));
        Self { router: api::router(app.clone()), app, dir, stop }
    }

    /// Makes a token that is known at once.
    async fn token(&self, name: &str, with: impl FnOnce(&mut Token)) -> Minted {
        let minted = mint();
        let mut token = Token {
            id: minted.id.clone(),
            name: name.to_owned(),
            proof: minted.proof.clone(),
            role: Role::Viewer,
            limit: Limit::default(),
            collector: None,
            created_at: NOW,
            created_by: "test".to_owned(),
            expires_at: None,
            revoked: None,
        };
        with(&mut token);
        self.app.store.put_token(&token).await.unwrap();
        self.app.access.registry.refresh().await.unwrap();
        minted
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.ask_of(&self.router, method, path, headers, body, None).await
    }

    /// The same site at another time.
    fn at(&self, now: fn() -> Timestamp) -> Router {
        let audit = Audit::new(self.app.store.clone(), now);
        api::router(App { now, audit, ..self.app.clone() })
    }

    /// Logs in, and tells the cookie.
    async fn log_in(&self, minted: &Minted) -> String {
        let answer = self.try_log_in(minted.token.expose(), None).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    async fn try_log_in(&self, token: &str, peer: Option<Peer>) -> Answer {
        let body = json!({ "token": token }).to_string();
        let json = [("content-type", "application/json")];
        self.ask_of(&self.router, "POST", "/v1/session", &json, &body, peer).await
    }

    /// What the audit tells an admin.
    async fn audit(&self, admin: &Minted, query: &str) -> Vec<Value> {
        let answer = self.with(admin, "GET", &format!("/v1/audit?{query}")).await.json();
        answer["audit"].as_array().unwrap().clone()
    }

    async fn ask_of(
        &self,
        router: &Router,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
        peer: Option<Peer>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(peer) = peer {
            request = request.extension(peer);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let endless = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let octets = if endless { Body::empty() } else { response.into_body() };
        let body = axum::body::to_bytes(octets, usize::MAX).await.unwrap();
        Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Asks with a token.
    async fn with(&self, minted: &Minted, method: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {}", minted.token.expose());
        self.ask(method, path, &[("authorization", &bearer)], "").await
    }
}

/// Who asks: `-` for nobody, then the roles by their first letters, and `c` after them where limited to a customer.
const ALL: &str = "- v o b c a vc oc bc cc ac";

/// To whom each route is open. A route without a line here is not tested, and that is an error.
const ROUTES: &[(&str, &str)] = &[
    ("GET /healthz", ALL),
    ("GET /readyz", ALL),
    ("POST /v1/session", ALL),
    ("GET /v1/session", ALL),
    ("DELETE /v1/session", "v o b c a vc oc bc cc ac"),
    ("GET /v1/events", "v o b c a vc oc bc cc ac"),
    ("GET /metrics", "v o b a"),
    ("GET /v1/servers", "v o b a vc oc bc ac"),
    ("GET /v1/servers/{id}", "v o b a vc oc bc ac"),
    ("GET /v1/servers/{id}/samples", "v o b a vc oc bc ac"),
    ("GET /v1/recent", "v o b a vc oc bc ac"),
    ("GET /v1/servers/{id}/evidence", "v o b a"),
    ("GET /v1/usage", "v o b a vc oc bc ac"),
    ("GET /v1/cases", "v o b a vc oc bc ac"),
    ("GET /v1/cases/{n}", "v o b a vc oc bc ac"),
    ("GET /v1/cases/{n}/snippet", "v o b a vc oc bc ac"),
    ("POST /v1/cases/{n}/{action}", "o a oc ac"),
    ("POST /v1/cases/{n}/apply", "o a oc ac"),
    ("POST /v1/cases/{n}/snooze", "o a oc ac"),
    ("POST /v1/cases/{n}/attempt", "o a oc ac"),
    ("GET /v1/recommendations", "v o b a vc oc bc ac"),
    ("GET /v1/collectors", "v o b a"),
    ("GET /v1/devices", "v o b a"),
    ("GET /v1/devices/{name}", "v o b a"),
    ("GET /v1/uplinks", "v o b a"),
    ("GET /v1/alerts", "v o b a"),
    ("GET /v1/alerts/deliveries", "v o b a"),
    ("GET /v1/inventory", "v o b a"),
    ("PUT /v1/inventory", "a"),
    ("GET /v1/inventory/history", "v o b a"),
    ("GET /v1/periods/{period}", "v o b a"),
    ("POST /v1/periods/{period}/close", "b a"),
    ("GET /v1/periods/{period}/statements", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/statements/{server}", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/statements/{server}/bundle", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/statements/{server}/explanation", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/reports/{server}", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/reviews", "v o b a"),
    ("POST /v1/periods/{period}/reviews/{server}", "b a"),
    ("POST /v1/periods/{period}/revisions", "b a"),
    ("GET /v1/periods/{period}/export", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/summary", "v o b a vc oc bc ac"),
    ("GET /v1/periods/{period}/what-if", "v o b a"),
    ("GET /v1/exclusions", "v o b a"),
    ("POST /v1/exclusions", "o b a"),
    ("POST /v1/exclusions/{id}/withdraw", "o b a"),
    ("POST /v1/readings", "c a"),
    ("GET /v1/audit", "a"),
];

/// Every route of the document, with its path filled in.
fn routes(document: &Value) -> BTreeMap<String, (String, String)> {
    let mut routes = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let filled = [
            ("{id}", if path.contains("exclusions") { "1" } else { "web01" }),
            ("{n}", "1"),
            ("{action}", "note"),
            ("{period}", "2026-10"),
            ("{server}", "web01"),
            ("{name}", "sw1"),
        ];
        let filled = filled.iter().fold(path.clone(), |path, (name, value)| path.replace(name, value));
        assert!(!filled.contains('{'), "{path}: say in this test what stands for its parts");
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if ["GET", "PUT", "POST", "DELETE", "PATCH"].contains(&&*method) {
                routes.insert(format!("{method} {path}"), (method, filled.clone()));
            }
        }
    }
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_is_open_to_its_roles_and_to_nobody_else() {
    let site = Site::new("access-routes").await;
    let roles = [
        ("v", Role::Viewer),
        ("o", Role::Operator),
        ("b", Role::Billing),
        ("c", Role::Collector),
        ("a", Role::Admin),
    ];
    let mut callers: BTreeMap<String, Option<Minted>> = BTreeMap::from([("-".to_owned(), None)]);
    for (letter, role) in roles {
        for limited in [false, true] {
            let name = format!("{letter}{}", if limited { "c" } else { "" });
            let with = |token: &mut Token| {
                token.role = role;
                token.limit.customer = limited.then(|| "c001".to_owned());
            };
            let minted = site.token(&name, with).await;
            callers.insert(name, Some(minted));
        }
    }
    let document = site.ask("GET", "/openapi.json", &[], "").await.json();
    let routes = routes(&document);
    let tested: BTreeSet<&str> = ROUTES.iter().map(|(route, _)| *route).collect();
    let there: BTreeSet<&str> = routes.keys().map(String::as_str).collect();
    assert_eq!(tested, there, "each route has a line in this test's table, and each line a route");
    for (route, open_to) in ROUTES {
        let (method, path) = &routes[*route];
        let open_to: BTreeSet<&str> = open_to.split(' ').collect();
        for (name, minted) in &callers {
            let answer = match minted {
                Some(minted) => site.with(minted, method, path).await,
                None => site.ask(method, path, &[], "").await,
            };
            let refused = matches!(answer.status, 401 | 403);
            assert_eq!(!refused, open_to.contains(&**name), "{route} for {name:?}: {answer:?}");
            if refused {
                assert_eq!(answer.status, if minted.is_some() { 403 } else { 401 }, "{route} for {name:?}");
            }
            if answer.status == 401 {
                assert_eq!(answer.header("www-authenticate"), "Bearer", "{route}");
            }
        }
    }
    for path in ["/", "/openapi.json"] {
        assert_ne!(site.ask("GET", path, &[], "").await.status, 401, "{path}");
    }
}

/// Two hours, less a second and more, and twelve hours after [`NOW`].
fn almost_two_hours_later() -> Timestamp {
    NOW.plus_ms(2 * 3_600_000 - 1_000)
}
fn almost_four_hours_later() -> Timestamp {
    NOW.plus_ms(4 * 3_600_000 - 2_000)
}
fn six_hours_later() -> Timestamp {
    NOW.plus_ms(6 * 3_600_000)
}
fn a_minute_later() -> Timestamp {
    NOW.plus_ms(60_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_and_say_no_more_than_that() {
    let site = Site::new("access-tokens").await;
    let lasting = site.token("lasting", |_| {}).await;
    let ending = site.token("ending", |token| token.expires_at = Some(a_minute_later())).await;
    let revoked = site.token("revoked", |_| {}).await;
    for minted in [&lasting, &ending, &revoked] {
        assert_eq!(site.with(minted, "GET", "/v1/servers").await.status, 200);
    }
    let mut token = site.app.store.tokens().await.unwrap().into_iter().find(|t| t.name == "revoked").unwrap();
    token.revoked = Some((NOW, "alice".to_owned()));
    site.app.store.put_token(&token).await.unwrap();
    assert_eq!(site.with(&revoked, "GET", "/v1/servers").await.status, 200, "not looked at yet");
    site.app.access.registry.refresh().await.unwrap();
    let later = site.at(a_minute_later);
    let mut says = BTreeSet::new();
    let unknown = mint();
    let wrong = format!("{}0", lasting.token.expose());
    for (what, token) in [
        ("expired", ending.token.expose()),
        ("revoked", revoked.token.expose()),
        ("unknown", unknown.token.expose()),
        ("wrong", &wrong),
        ("nonsense", "x"),
        ("empty", ""),
    ] {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", &*bearer)];
        let answer = site.ask_of(&later, "GET", "/v1/servers", &headers, "", None).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{what}");
        assert!(token.is_empty() || token == "x" || !answer.body.contains(token), "{what}");
        says.insert(answer.detail());
    }
    assert_eq!(says.len(), 1, "one text, whatever the reason: {says:?}");
    assert_eq!(site.with(&lasting, "GET", "/v1/servers").await.status, 200);
    let missing = site.ask("GET", "/v1/servers", &[], "").await;
    assert_eq!(missing.status, 401);
    assert!(missing.detail().contains("Authorization: Bearer"), "{}", missing.detail());
    for stored in site.app.store.tokens().await.unwrap() {
        let text = format!("{stored:?}");
        for minted in [&lasting, &ending, &revoked] {
            assert!(!text.contains(minted.token.expose().rsplit('_').next().unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_token_only_this_machine_may_ask() {
    let site = Site::new("access-open").await;
    let [here, there] = ["127.0.0.1:5000", "192.0.2.7:5000"].map(|a| Peer::plain(a.parse().unwrap()));
    let is_open = site.ask("GET", "/v1/session", &[("host", "localhost:9595")], "").await.json();
    let expected = json!({
        "name": null, "role": "admin", "customer": null, "region": null, "open": true, "expires_at": null,
    });
    assert_eq!(is_open, expected);
    let host = |host: &'static str| vec![("host", host)];
    let post = |more: &[(&'static str, &'static str)]| [&[("host", "localhost")], more].concat();
    for (peer, method, headers, status) in [
        (here, "GET", host("localhost:9595"), 200),
        (here, "GET", host("127.0.0.1:9595"), 200),
        (here, "GET", host("[::1]:9595"), 200),
        (here, "GET", host("meter95.example:9595"), 403),
        (here, "GET", host("localhost.evil.example"), 403),
        (here, "GET", vec![("host", "localhost"), ("x-forwarded-for", "192.0.2.7")], 403),
        (there, "GET", host("localhost:9595"), 401),
        (here, "POST", post(&[]), 200),
        (here, "POST", post(&[("sec-fetch-site", "same-origin")]), 200),
        (here, "POST", post(&[("sec-fetch-site", "cross-site")]), 403),
        (here, "POST", post(&[("sec-fetch-site", "same-site")]), 403),
        (here, "POST", post(&[("origin", "http://localhost")]), 200),
        (here, "POST", post(&[("origin", "http://evil.example")]), 403),
        (here, "GET", vec![("host", "localhost"), ("authorization", "Bearer m95_a_b")], 401),
    ] {
        let path = if method == "GET" { "/v1/servers" } else { "/v1/readings" };
        let answer = site.ask_of(&site.router, method, path, &headers, "", Some(peer)).await;
        assert_eq!(answer.status, status, "{method} {headers:?} from {}: {answer:?}", peer.address);
    }
    let files = site.ask_of(&site.router, "GET", "/openapi.json", &[], "", Some(there)).await;
    assert_eq!(files.status, 200, "what holds no data is told to all");

    // The first token closes it for good.
    let token = site.token("first", |token| token.revoked = Some((NOW, "alice".to_owned()))).await;
    assert!(!site.app.access.registry.is_open());
    let closed = site.ask_of(&site.router, "GET", "/v1/servers", &host("localhost"), "", Some(here)).await;
    assert_eq!(closed.status, 401);
    assert_eq!(site.with(&token, "GET", "/v1/servers").await.status, 401);
    let again = Guard::open(site.app.store.clone(), NonZeroU32::MIN).await.unwrap();
    assert!(!again.registry.is_open(), "after a restart as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_the_browsers_own() {
    let site = Site::new("access-sessions").await;
    let admin = site.token("admin", |token| token.role = Role::Admin).await;
    let billing = site
        .token("desk", |token| {
            token.role = Role::Billing;
            token.limit.customer = Some("c001".to_owned());
        })
        .await;
    let answer = site.try_log_in(billing.token.expose(), None).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("meter95_session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
    let tls = Peer { tls: true, ..Peer::plain("192.0.2.7:1".parse().unwrap()) };
    let over_tls = site.try_log_in(billing.token.expose(), Some(tls)).await;
    let over_tls = over_tls.header("set-cookie").to_owned();
    assert!(over_tls.starts_with("__Host-meter95_session=") && over_tls.ends_with("; Secure"), "{over_tls}");

    let cookie = cookie.split(';').next().unwrap().to_owned();
    let who = site.ask("GET", "/v1/session", &[("cookie", &cookie)], "").await.json();
    let expected = json!({
        "name": "desk", "role": "billing", "customer": "c001", "region": null, "open": false,
        "expires_at": "2026-11-26T06:00:00Z",
    });
    assert_eq!(who, expected);
    for (headers, status) in [
        (vec![], 204),
        (vec![("cookie", "meter95_session=x")], 204),
        (vec![("authorization", "Bearer x")], 401),
    ] {
        let answer = site.ask("GET", "/v1/session", &headers, "").await;
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
    let servers = site.ask("GET", "/v1/servers", &[("cookie", &cookie)], "").await.json();
    assert_eq!(servers["servers"].as_array().unwrap().len(), 1);

    // What changes something comes from the dashboard's own pages.
    let admins = site.log_in(&admin).await;
    let json_body = ("content-type", "application/json");
    for (headers, status) in [
        (vec![], 403),
        (vec![("sec-fetch-site", "same-origin")], 400),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "none")], 403),
        (vec![("origin", "http://meter95.example"), ("host", "meter95.example")], 400),
        (vec![("origin", "http://evil.example"), ("host", "meter95.example")], 403),
        (vec![("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], 403),
    ] {
        let all = [&headers[..], &[("cookie", &*admins), json_body]].concat();
        let answer = site.ask("POST", "/v1/exclusions", &all, "{}").await;
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
    let elsewhere = [("sec-fetch-site", "cross-site"), json_body];
    let body = json!({ "token": admin.token.expose() }).to_string();
    assert_eq!(
        site.ask("POST", "/v1/session", &elsewhere, &body).await.status,
        403,
        "nor is anybody logged in"
    );

    // It ends at the log-out,
    let here = [("cookie", &*admins), ("sec-fetch-site", "same-origin")];
    let out = site.ask("DELETE", "/v1/session", &here, "").await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").starts_with("meter95_session=; Path=/; Max-Age=0;"));
    assert_eq!(site.ask("GET", "/v1/session", &here, "").await.status, 204);
    // when nobody uses it,
    let at = async |now, cookie: &str| {
        site.ask_of(&site.at(now), "GET", "/v1/session", &[("cookie", cookie)], "", None).await.status
    };
    assert_eq!(at(almost_two_hours_later, &cookie).await, 200);
    assert_eq!(at(almost_four_hours_later, &cookie).await, 200);
    assert_eq!(at(six_hours_later, &cookie).await, 204);
    // and with its token.
    let cookie = site.log_in(&billing).await;
    let mut token = site.app.store.tokens().await.unwrap().into_iter().find(|t| t.name == "desk").unwrap();
    token.revoked = Some((NOW, "alice".to_owned()));
    site.app.store.put_token(&token).await.unwrap();
    site.app.access.registry.refresh().await.unwrap();
    assert_eq!(at(now, &cookie).await, 204);

    let acts: Vec<String> = site.audit(&admin, "action=session.").await.iter().rev().map(told).collect();
    let expected =
        ["login desk desk ok", "login desk desk ok", "login admin admin ok", "logout admin admin ok"];
    assert_eq!(acts[..4], expected.map(|act| format!("session.{act}")));
}

/// An act of the audit in a line.
fn told(act: &Value) -> String {
    let word = |field: &str| act[field].as_str().unwrap().to_owned();
    [word("action"), word("target"), word("who"), word("outcome")].join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_that_fail_are_slowed() {
    let site = Site::new("access-failures").await;
    let admin = site.token("admin", |token| token.role = Role::Admin).await;
    let guess = mint();
    let peer = |address: &str| Some(Peer::plain(SocketAddr::new(address.parse().unwrap(), 1)));
    for _ in 0..5 {
        assert_eq!(site.try_log_in(guess.token.expose(), peer("192.0.2.1")).await.status, 401);
    }
    for token in [&guess, &admin] {
        let slowed = site.try_log_in(token.token.expose(), peer("192.0.2.1")).await;
        assert_eq!((slowed.status, slowed.header("retry-after")), (429, "10"), "right or wrong");
    }
    for _ in 0..20 {
        assert_eq!(
            site.try_log_in(admin.token.expose(), peer("192.0.2.2")).await.status,
            204,
            "from elsewhere"
        );
    }
    let refused = site.audit(&admin, "action=session.refused").await;
    assert_eq!(refused.len(), 5);
    assert_eq!(refused[0]["target"], json!(guess.id));
    assert_eq!(refused[0]["from"], json!("192.0.2.1"));
    assert!(!json!(refused).to_string().contains(guess.token.expose()), "no secret is in the audit");
    let collector = site.token("c", |token| token.role = Role::Collector).await;
    assert_eq!(site.try_log_in(collector.token.expose(), peer("192.0.2.3")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_has_its_rate() {
    let site = Site::new("access-rates").await;
    let [one, other] = [site.token("one", |_| {}).await, site.token("other", |_| {}).await];
    let access = Guard::open(site.app.store.clone(), NonZeroU32::MIN).await.unwrap();
    let router = api::router(App { access, ..site.app.clone() });
    let ask = async |minted: &Minted| {
        let bearer = format!("Bearer {}", minted.token.expose());
        site.ask_of(&router, "GET", "/v1/servers", &[("authorization", &bearer)], "", None).await
    };
    let mut refused = 0;
    for _ in 0..20 {
        let answer = ask(&one).await;
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), "1");
            refused += 1;
        }
    }
    assert!(refused > 0, "twenty requests took longer than eighteen seconds");
    assert_eq!(ask(&other).await.status, 200, "it is another's");
    assert_eq!(site.ask_of(&router, "GET", "/healthz", &[], "", None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_audited_before_and_after() {
    let site = Site::new("access-audit").await;
    let admin = site.token("root", |token| token.role = Role::Admin).await;
    let viewer = site.token("eve", |_| {}).await;
    let peer = Some(Peer::plain("192.0.2.9:4000".parse().unwrap()));
    let post = async |minted: &Minted, path: &str, body: Value| {
        let bearer = format!("Bearer {}", minted.token.expose());
        let headers =
            [("authorization", &*bearer), ("content-type", "application/json"), ("x-request-id", "r-17")];
        site.ask_of(&site.router, "POST", path, &headers, &body.to_string(), peer).await
    };
    let incident = json!({
        "server": "web01", "from": "2026-11-20T00:00:00Z", "until": "2026-11-20T01:00:00Z", "why": "a flood",
        "by": "alice",
    });
    assert_eq!(post(&admin, "/v1/exclusions", incident.clone()).await.status, 200);
    let refused = post(&admin, "/v1/exclusions/99/withdraw", json!({ "why": "no such" })).await;
    assert_eq!(refused.status, 404, "{refused:?}");
    assert_eq!(post(&viewer, "/v1/exclusions", incident.clone()).await.status, 403);
    assert_eq!(post(&admin, "/v1/exclusions", json!({ "server": "web01" })).await.status, 400);
    drop(site.app.audit.begin(&Origin::service(), Act::new("rebuild", "2026-10")).await.unwrap());

    let all = site.audit(&admin, "").await;
    let lines: Vec<String> = all.iter().map(told).collect();
    let expected = [
        "rebuild 2026-10 meter95 unknown",
        "request.refused POST /v1/exclusions eve refused",
        "exclusion.withdraw 99 root refused",
        "exclusion.declare web01 root ok",
    ];
    assert_eq!(
        lines.iter().collect::<BTreeSet<_>>(),
        expected.map(str::to_owned).iter().collect::<BTreeSet<_>>()
    );
    let of = |action: &str| all.iter().find(|act| act["action"] == action).unwrap();
    let declared = of("exclusion.declare");
    for (field, value) in [
        ("by", json!("alice")),
        ("who", json!("root")),
        ("through", json!("api")),
        ("from", json!("192.0.2.9")),
        ("request", json!("r-17")),
        ("says", json!("")),
        ("at", json!("2026-11-25T18:00:00Z")),
        ("ended_at", json!("2026-11-25T18:00:00Z")),
    ] {
        assert_eq!(declared[field], value, "{field}: {declared}");
    }
    assert_eq!(declared["before"]["why"], json!("a flood"));
    assert_eq!(declared["after"]["id"], json!(1));
    assert!(of("request.refused")["says"].as_str().unwrap().contains("viewer may not do this"));
    assert_eq!(of("rebuild")["says"], json!("unknown: under way, or broken off"));
    let bearer = format!("Bearer {}", admin.token.expose());
    let later = site.at(six_hours_later);
    let headers = [("authorization", &*bearer)];
    let later = site.ask_of(&later, "GET", "/v1/audit?action=rebuild", &headers, "", None).await.json();
    assert_eq!(later["audit"][0]["says"], json!("unknown: broken off"));

    // Asked for in parts.
    for (query, count) in [
        ("who=alice", 1),
        ("who=root", 2),
        ("action=exclusion.", 2),
        ("action=exclusion", 0),
        ("target=web01", 1),
        ("until=2026-11-25T18:00:00Z", 0),
        ("from=2026-11-25T18:00:00Z", 4),
        ("from=2026-11-25T18:00:00.001Z", 0),
    ] {
        assert_eq!(site.audit(&admin, query).await.len(), count, "{query}");
    }
    let (mut next, mut paged) = ("/v1/audit?limit=3".to_owned(), Vec::new());
    while !next.is_empty() {
        let page = site.with(&admin, "GET", &next).await.json();
        paged.extend(page["audit"].as_array().unwrap().clone());
        next = page["next"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(paged, all);
    for query in ["limit=0", "limit=1001", "limit=x", "when=now"] {
        assert_eq!(site.with(&admin, "GET", &format!("/v1/audit?{query}")).await.status, 400, "{query}");
    }

    // What can't be noted is not done.
    sql(&site.app.store, "RENAME TABLE audit TO audit_away").await;
    let undone = post(&admin, "/v1/exclusions", incident).await;
    sql(&site.app.store, "RENAME TABLE audit_away TO audit").await;
    assert_eq!(undone.status, 503, "{undone:?}");
    let exclusions = site.with(&admin, "GET", "/v1/exclusions").await.json();
    assert_eq!(exclusions["exclusions"].as_array().unwrap().len(), 1);
}

async fn sql(store: &Store, statement: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = store.endpoint().await.unwrap();
    let client = clickhouse::Client::default()
        .with_url(&endpoint.url)
        .with_user(&endpoint.user)
        .with_password(endpoint.password.expose())
        .with_database(store.database_name());
    client.query(statement).execute().await.unwrap();
}

/// The worked month with faults, of three servers of two customers.
fn month() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/months/october-faults"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_one_customer_sees_nothing_of_another() {
    let (store, dir) = support::store_and_dir("access-leaks").await;
    let file = month().join("inventory.json");
    let inventory: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    prints(&dir, &["inventory", "apply", &file.display().to_string()]);
    prints(&dir, &["import", &month().join("readings.ndjson.gz").display().to_string()]);
    let closed_at = Timestamp(1_793_502_000_000);
    let period = "2026-10".parse().unwrap();
    let order = Order { period, by: "aiko".to_owned(), now: closed_at, override_reason: None };
    Desk::new(store.clone(), &dir, Times::default()).close(&order, |_, _| {}).await.unwrap();
    let site = Site::on(store, dir).await;
    let servers: Vec<(String, String)> = inventory["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| [&server["id"], &server["customer"]].map(|text| text.as_str().unwrap().to_owned()))
        .map(|[id, customer]| (id, customer))
        .collect();
    let open = async |server: &str, customer: &str| {
        let mut recommendation = recommendation(server, Rule::Sustained);
        recommendation.customer = customer.to_owned();
        recommendation.region = "tokyo".to_owned();
        for (neighbour, (id, _)) in recommendation.others.servers.iter_mut().zip(&servers) {
            neighbour.server.clone_from(id);
        }
        let mut neighbours = recommendation.others.servers.clone();
        let template = neighbours[0].clone();
        neighbours.extend(servers.iter().map(|(id, _)| {
            let mut neighbour = template.clone();
            neighbour.server.clone_from(id);
            neighbour
        }));
        recommendation.others.servers = neighbours;
        let slot = Instant(Timestamp(NOW.0 - 300_000));
        let observation = Observation::Opens { slot, recommendation };
        site.app.cases.observe(vec![observation], NOW).await.unwrap().pop().unwrap().unwrap();
    };
    let (own, own_customer) = servers[0].clone();
    let (foreign, foreign_customer) = servers.iter().find(|(_, of)| *of != own_customer).unwrap().clone();
    open(&own, &own_customer).await;
    let limited = site
        .token("portal", |token| {
            token.role = Role::Operator;
            token.limit.customer = Some(own_customer.clone());
        })
        .await;
    let all = site.token("all", |token| token.role = Role::Operator).await;
    let paths = |id: &str, customer: &str, case: u64| {
        let month = "/v1/periods/2026-10";
        let mut paths = vec![
            format!("/v1/servers/{id}"),
            format!("/v1/servers/{id}/samples?period=2026-10"),
            format!("/v1/recent?servers={id}"),
            format!("/v1/usage?server={id}"),
            format!("/v1/usage?q={id}"),
            format!("/v1/usage?q={customer}&sort=customer&order=desc&offset=0"),
            format!("/v1/usage?server={id}&period=2026-10"),
            format!("/v1/cases?server={id}"),
            format!("/v1/cases?customer={customer}"),
            format!("/v1/cases/{case}"),
            format!("/v1/cases/{case}/snippet?for=tc"),
        ];
        for part in ["", "/bundle", "/explanation", "/explanation?format=text", "?revision=1", "?revision=9"]
        {
            paths.push(format!("{month}/statements/{id}{part}"));
        }
        for query in ["", "?lang=ja", "?format=html"] {
            paths.push(format!("{month}/reports/{id}{query}"));
        }
        for part in ["statements", "export", "summary"] {
            paths.push(format!("{month}/{part}?server={id}"));
            paths.push(format!("{month}/{part}?customer={customer}"));
        }
        paths
    };
    let lists = [
        "/v1/servers",
        "/v1/usage",
        "/v1/usage?period=2026-10",
        "/v1/cases",
        "/v1/cases?open=true",
        "/v1/cases?region=tokyo",
        "/v1/recommendations",
        "/v1/periods/2026-10/statements",
        "/v1/periods/2026-10/statements?all_revisions=true",
        "/v1/periods/2026-10/export",
        "/v1/periods/2026-10/export?format=json",
        "/v1/periods/2026-10/export?headings=ja",
        "/v1/periods/2026-10/summary",
        "/v1/periods/2026-10/summary?format=json",
    ];
    let own_paths: Vec<String> =
        lists.iter().map(|path| (*path).to_owned()).chain(paths(&own, &own_customer, 1)).collect();

    // What is theirs names nobody else, whose names are there for others,
    let others: Vec<&str> = servers
        .iter()
        .filter(|(_, customer)| *customer != own_customer)
        .flat_map(|(id, customer)| [&**id, &**customer])
        .collect();
    let mut before = Vec::new();
    for path in &own_paths {
        let answer = site.with(&limited, "GET", path).await;
        for name in &others {
            assert!(!answer.body.contains(name), "{path} tells {name:?}: {}", answer.body);
        }
        before.push((answer.status, answer.header("etag").to_owned(), answer.body));
    }
    let everything = site.with(&all, "GET", "/v1/recommendations").await.body;
    assert!(others.iter().any(|name| everything.contains(name)), "{everything}");
    let recommended = site.with(&limited, "GET", "/v1/recommendations").await.json();
    let recommendation = &recommended["recommendations"][0]["recommendation"];
    assert_eq!(recommendation["others"]["more"], json!(0));
    assert_eq!(recommendation["relief"], json!([]));
    let bearer = format!("Bearer {}", limited.token.expose());
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let noted = site.ask("POST", "/v1/cases/1/note", &headers, r#"{"why": "seen"}"#).await;
    assert_eq!(noted.status, 200, "{noted:?}");
    assert!(others.iter().all(|name| !noted.body.contains(name)), "{}", noted.body);

    // and does not change with what happens to others.
    open(&foreign, &foreign_customer).await;
    for (path, (status, tag, body)) in
        own_paths.iter().zip(&before).filter(|(path, _)| !path.contains("cases/1"))
    {
        let after = site.with(&limited, "GET", path).await;
        if path.contains("/v1/cases") {
            // The note took its place among the steps; nothing else is new.
            assert_eq!(after.body.matches("\"id\":").count(), body.matches("\"id\":").count(), "{path}");
            continue;
        }
        assert_eq!((after.status, after.header("etag"), &after.body), (*status, &**tag, body), "{path}");
    }

    // What is another's looks like what is not there.
    let (id, customer) = ("nosuch01", "nosuch");
    for (foreign_path, unknown_path) in
        paths(&foreign, &foreign_customer, 2).iter().zip(paths(id, customer, 99))
    {
        let theirs = site.with(&limited, "GET", foreign_path).await;
        let nobodys = site.with(&limited, "GET", &unknown_path).await;
        let same = |text: &str| {
            let text = text.replace(&foreign, id).replace(&foreign_customer, customer);
            text.replace("case 99", "case 2")
        };
        assert_eq!(theirs.status, nobodys.status, "{foreign_path}");
        assert_eq!(same(&theirs.body), same(&nobodys.body), "{foreign_path}");
        assert_eq!(theirs.header("etag").is_empty(), nobodys.header("etag").is_empty(), "{foreign_path}");
        if !theirs.header("etag").is_empty() {
            assert_eq!(theirs.header("etag"), nobodys.header("etag"), "{foreign_path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collectors_token_ships_as_its_own_collector() {
    let site = Site::new("access-collector").await;
    let any = site.token("any", |token| token.role = Role::Collector).await;
    let bound = site
        .token("bound", |token| {
            token.role = Role::Collector;
            token.collector = Some("tokyo-1".to_owned());
        })
        .await;
    for (minted, name, status) in [
        (&any, Some("osaka-1"), 200),
        (&any, None, 200),
        (&bound, Some("tokyo-1"), 200),
        (&bound, Some("osaka-1"), 403),
        (&bound, None, 403),
    ] {
        let bearer = format!("Bearer {}", minted.token.expose());
        let mut headers = vec![("authorization", &*bearer)];
        if let Some(name) = name {
            headers.extend([("meter95-collector", name), ("meter95-unsent", "0")]);
        }
        let answer = site.ask("POST", "/v1/readings", &headers, "").await;
        assert_eq!(answer.status, status, "{name:?}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_listed_and_revoked_on_the_command_line() {
    let site = Site::new("access-command").await;
    let dir: &Path = &site.dir;
    assert!(prints(dir, &["token", "list"]).contains("No token was ever made"));
    let args = ["token", "create", "alice", "--role", "admin", "--expires", "90d"];
    let output = support::meter95(dir).args(args).output().unwrap();
    let (token, says) = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).into();
    assert!(output.status.success(), "{says}");
    assert!(token.starts_with("m95_") && token.trim_end().len() == 63 && token.ends_with('\n'), "{token}");
    assert!(says.contains("It is this site's first") && !says.contains(token.trim()), "{says}");
    site.app.access.registry.refresh().await.unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let headers = [("authorization", &*bearer)];
    assert_eq!(site.ask("GET", "/v1/servers", &headers, "").await.status, 200);

    let certified = rcgen::generate_simple_self_signed(vec!["tokyo-1".to_owned()]).unwrap();
    let pem = dir.join("client.pem");
    std::fs::write(&pem, certified.cert.pem()).unwrap();
    let pem = pem.display().to_string();
    let made = prints(dir, &["token", "create", "tokyo-1", "--role", "collector", "--certificate", &pem]);
    assert_eq!(made, "", "there is no secret to tell");
    for (args, says) in [
        (
            &["bob", "--role", "viewer", "--customer", "c009"][..],
            "there is no customer \"c009\" in the inventory",
        ),
        (&["bob", "--role", "viewer", "--region", "mars"], "there is no region \"mars\" in the inventory"),
        (&["alice", "--role", "viewer"], "there is a token \"alice\" already"),
        (&["bob", "--role", "king"], "invalid value 'king'"),
        (&["bob", "--role", "viewer", "--expires", "2020-01-01"], "that is over"),
        (&["bob", "--role", "viewer", "--expires", "soon"], "write a date such as 2027-01-01"),
        (
            &["bob", "--role", "collector", "--customer", "c001"],
            "--customer and --region are for other roles",
        ),
        (&["bob", "--role", "collector", "--certificate", &pem], "is proved by this certificate already"),
        (&["bob", "--role", "collector", "--certificate", "Cargo.toml"], "has no certificate in PEM"),
        (&[" bob", "--role", "viewer"], "is no name of a token"),
    ] {
        let error = complains(dir, &[&["token", "create"], args].concat());
        assert!(error.contains(says), "{args:?}: {error}");
    }
    prints(
        dir,
        &["token", "create", "portal", "--role", "viewer", "--customer", "c001", "--region", "tokyo"],
    );
    let list: Vec<Value> =
        serde_json::from_str(&prints(dir, &["token", "list", "--format", "json"])).unwrap();
    let line = |token: &Value| {
        let words =
            ["name", "role", "proof", "state", "customer"].map(|field| token[field].as_str().unwrap_or("-"));
        words.join(" ")
    };
    assert_eq!(
        list.iter().map(line).collect::<Vec<_>>(),
        [
            "alice admin secret in force -",
            "tokyo-1 collector certificate in force -",
            "portal viewer secret in force c001"
        ]
    );
    assert!(!json!(list).to_string().contains(&token.trim()[15..]), "no secret is told again");
    assert!(prints(dir, &["token", "list"]).contains("customer c001, region tokyo"));
    assert!(prints(dir, &["token", "list", "--format", "csv"]).starts_with("name,id,role,"));

    site.app.access.registry.refresh().await.unwrap();
    let tokens = site.app.store.tokens().await.unwrap();
    let Some(Proof::Certificate(sha256)) = tokens.iter().map(|token| token.proof.clone()).nth(1) else {
        panic!("{tokens:?}")
    };
    let peer = Peer { tls: true, certificate: Some(sha256), ..Peer::plain("192.0.2.5:1".parse().unwrap()) };
    let post = async |headers: &[(&str, &str)]| {
        site.ask_of(&site.router, "POST", "/v1/readings", headers, "", Some(peer)).await.status
    };
    assert_eq!(post(&[]).await, 200, "known by the certificate");
    assert_eq!(post(&[("sec-fetch-site", "cross-site")]).await, 403, "which a browser sends along");

    prints(dir, &["token", "revoke", "alice", "--by", "bob"]);
    assert!(complains(dir, &["token", "revoke", "alice"]).contains("no token \"alice\" is in force"));
    site.app.access.registry.refresh().await.unwrap();
    assert_eq!(site.ask("GET", "/v1/servers", &headers, "").await.status, 401);
    prints(dir, &["token", "create", "alice", "--role", "viewer"]);

    let acts = prints(dir, &["audit", "--action", "token.", "--format", "json"]);
    let acts: Vec<Value> = serde_json::from_str(&acts).unwrap();
    let lines: Vec<String> = acts
        .iter()
        .rev()
        .map(|act| ["action", "target", "outcome", "through"].map(|f| act[f].as_str().unwrap()).join(" "))
        .collect();
    let expected = ["create alice", "create tokyo-1", "create portal", "revoke alice", "create alice"];
    assert_eq!(lines, expected.map(|act| format!("token.{act} ok command")));
    assert_eq!(acts[1]["by"], json!("bob"));
    assert!(acts[0]["from"].as_str().unwrap().starts_with("command line on "));
    assert!(!json!(acts).to_string().contains(&token.trim()[15..]));
    assert!(prints(dir, &["audit", "--who", "bob"]).contains("token.revoke"));
    assert!(prints(dir, &["audit", "--since", "2099-01-01T00:00:00Z"]).contains("Nothing of that kind"));
    assert!(prints(dir, &["audit", "--format", "csv", "--limit", "1"]).starts_with("at,ended_at,action,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_says_by_its_token_who_it_is() {
    let site = Site::new("access-ship").await;
    let minted = site.token("tokyo-1", |token| token.role = Role::Collector).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(api::serve(listener, site.app.clone(), site.stop.clone()));
    let counters = Counters {
        time: NOW,
        rx_octets: 1,
        tx_octets: 2,
        width: Width::Bits64,
        uptime_cs: None,
        discontinuity_cs: None,
        rx_packets: None,
        tx_packets: None,
        speed_bps: None,
    };
    let reading = Reading { port: PortKey::new("sw1", "ge-0/0/1").unwrap(), counters };
    let stopped = CancellationToken::new();
    stopped.cancel();
    for (token, waiting) in [
        (None, 1),
        (Some(Secret::new(mint().token.expose().to_owned())), 1),
        (Some(Secret::new(minted.token.expose().to_owned())), 0),
    ] {
        let known = format!("{token:?}");
        let shipper = Shipper::new(&url, CollectorName::new("tokyo-1").unwrap()).with_token(token);
        shipper.add(vec![reading.clone()]);
        // At its end it ships what waits, once.
        shipper.run(stopped.clone()).await.unwrap();
        assert_eq!(shipper.waiting(), waiting, "{known}");
        assert!(!format!("{shipper:?}").contains("m95_"), "no token is printed");
    }
}
