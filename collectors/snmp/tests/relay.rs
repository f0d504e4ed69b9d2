//! Stands between a visitor and an agent, and forges answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use crate::agent::{Reply, ber};

/// What is sent to the visitor in front of the agent's own answer: gets each request, and each answer (`true`).
type Forge = Box<dyn FnMut(&[u8], bool) -> Vec<Reply> + Send>;

struct State {
    agent: SocketAddr,
    forge: Forge,
    passed: usize,
    boots: i64,
}

/// A relay, alive until dropped.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// A relay to the agent at `agent` that forges nothing.
    pub(crate) async fn start(agent: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = near.local_addr().unwrap();
        let forge: Forge = Box::new(|_, _| vec![]);
        let state = Arc::new(Mutex::new(State { agent, forge, passed: 0, boots: 0 }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut visitor = None;
            let (mut asked, mut answered) = ([0; 4096], [0; 65_535]);
            loop {
                let (octets, is_answer) = tokio::select! {
                    received = near.recv_from(&mut asked) => {
                        let (length, from) = received.unwrap();
                        visitor = Some(from);
                        (&asked[..length], false)
                    }
                    received = far.recv_from(&mut answered) => (&answered[..received.unwrap().0], true),
                };
                let (forged, agent) = shared.lock().unwrap().take(octets, is_answer);
                let visitor = visitor.unwrap();
                for reply in forged {
                    match reply {
                        Reply::Plain(octets) => near.send_to(&octets, visitor).await.unwrap(),
                        Reply::Elsewhere(octets) => elsewhere.send_to(&octets, visitor).await.unwrap(),
                    };
                }
                // An agent that was killed refuses, which the next answer then says; it is not one.
                let _ = match is_answer {
                    true => near.send_to(octets, visitor).await,
                    false => far.send_to(octets, agent).await,
                };
            }
        });
        Self { address, state, task: task.abort_handle() }
    }

    /// Puts another agent in the place of the one before.
    pub(crate) fn replace(&self, agent: SocketAddr) {
        self.state.lock().unwrap().agent = agent;
    }

    /// Forges from now on.
    pub(crate) fn forge(&self, forge: impl FnMut(&[u8], bool) -> Vec<Reply> + Send + 'static) {
        self.state.lock().unwrap().forge = Box::new(forge);
    }

    /// How often the agent says that it was started.
    pub(crate) fn boots(&self) -> i64 {
        self.state.lock().unwrap().boots
    }

    /// How many datagrams passed, both ways.
    pub(crate) fn passed(&self) -> usize {
        self.state.lock().unwrap().passed
    }
}

impl State {
    fn take(&mut self, octets: &[u8], is_answer: bool) -> (Vec<Reply>, SocketAddr) {
        self.passed += 1;
        if is_answer {
            self.boots = ber::head(octets).boots;
        }
        ((self.forge)(octets, is_answer), self.agent)
    }
}
