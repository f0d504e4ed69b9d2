//! A receiver of webhooks on a real socket: it checks signatures, remembers what it has taken, and can be out of order
//! in several ways.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use meter95::clock;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpSocket;
use tokio::sync::watch;

/// The secret that it shares with whoever sends.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As it should.
    Take,
    /// With this status.
    Refuse(u16),
    /// Not at all.
    Hang,
    /// As it should until it has taken so many, then not at all.
    HangAfter(usize),
}

/// A message that it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: Value,
    /// Whether it said that it has taken it.
    pub(super) taken: bool,
}

/// A receiver. While it does not listen, connections to its address are refused.
pub(super) struct Receiver {
    address: SocketAddr,
    socket: Option<TcpSocket>,
    state: Arc<Shared>,
}

struct Shared {
    mode: watch::Sender<Mode>,
    messages: watch::Sender<Vec<Message>>,
}

impl Receiver {
    /// One that does not listen yet; nobody else can have its address.
    pub(super) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let state = Arc::new(Shared {
            mode: watch::Sender::new(Mode::Take),
            messages: watch::Sender::new(Vec::new()),
        });
        Self { address, socket: Some(socket), state }
    }

    /// One that listens.
    pub(super) fn listening() -> Self {
        let mut receiver = Self::new();
        receiver.listen();
        receiver
    }

    pub(super) fn listen(&mut self) {
        let listener = self.socket.take().unwrap().listen(16).unwrap();
        let router = Router::new().route("/hook", post(take)).with_state(self.state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(super) fn answer(&self, mode: Mode) {
        self.state.mode.send_replace(mode);
    }

    /// All messages that came, when there are as many as asked for that satisfy `is_one`.
    pub(super) async fn messages(&self, count: usize, is_one: impl Fn(&Message) -> bool) -> Vec<Message> {
        let mut messages = self.state.messages.subscribe();
        let enough = messages.wait_for(|all| all.iter().filter(|message| is_one(message)).count() >= count);
        let enough = tokio::time::timeout(super::PATIENCE, enough).await;
        enough
            .unwrap_or_else(|_| panic!("waited in vain for {count}: {:#?}", self.state.messages.borrow()))
            .unwrap()
            .clone()
    }

    /// The ids that it has taken, in the order in which they came, when there are as many.
    pub(super) async fn taken(&self, count: usize) -> Vec<String> {
        let messages = self.messages(count, |message| message.taken).await;
        messages.into_iter().filter(|message| message.taken).map(|message| message.id).collect()
    }
}

async fn take(
    State(state): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if !is_signed(&headers, &body) {
        return (StatusCode::UNAUTHORIZED, "the signature is wrong");
    }
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let mut answer = None;
    state.messages.send_modify(|messages| {
        let so_far = messages.iter().filter(|message| message.taken).count();
        let taken = match *state.mode.borrow() {
            Mode::Take => true,
            Mode::HangAfter(count) => so_far < count,
            Mode::Refuse(_) | Mode::Hang => false,
        };
        answer = match *state.mode.borrow() {
            Mode::Refuse(status) => Some(StatusCode::from_u16(status).unwrap()),
            Mode::Take | Mode::Hang | Mode::HangAfter(_) => taken.then_some(StatusCode::NO_CONTENT),
        };
        messages.push(Message { id, body: serde_json::from_slice(&body).unwrap(), taken });
    });
    match answer {
        Some(status) => (status, "as told"),
        None => std::future::pending().await,
    }
}

/// Whether a request is signed with the secret, as the specification says that a receiver finds out.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let (Some(id), Some(timestamp), Some(signatures)) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
    else {
        return false;
    };
    let age_s = clock::now().0 / 1_000 - timestamp.parse::<i64>().unwrap();
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    signatures.split(' ').any(|signature| {
        let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.verify_slice(&signature).is_ok() && age_s.abs() <= 300
    })
}
