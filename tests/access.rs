//! Who may do what over the API: every route for every role, and what happens to tokens and sessions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use meter95::access::token::{Minted, Token, mint};
use meter95::access::{Limit, Role};
use meter95::aggregator::intake::{self, Intake};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api::peer::Peer;
use meter95::api::{self, App};
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95_reading::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support;

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
    dir: std::path::PathBuf,
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
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
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
    ("GET /v1/session", "v o b c a vc oc bc cc ac"),
    ("DELETE /v1/session", "v o b c a vc oc bc cc ac"),
    ("GET /metrics", "v o b a"),
    ("GET /v1/servers", "v o b a vc oc bc ac"),
    ("GET /v1/servers/{id}", "v o b a vc oc bc ac"),
    ("GET /v1/servers/{id}/samples", "v o b a vc oc bc ac"),
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
