//! An agent on loopback whose tables and manners a test decides.

pub(crate) mod ber;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use meter95_reading::{Counters, Timestamp, Width};
use meter95_snmp::{Credentials, Device, Options, Pass, Secret, Visitor};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

pub(crate) use ber::{Bind, Request, Val};

pub(crate) const UPTIME: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 3, 0];
pub(crate) const IF: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1];
pub(crate) const IFX: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1];

/// The name of a cell.
pub(crate) fn cell(table: &[u32], column: u32, index: u32) -> Vec<u32> {
    table.iter().copied().chain([column, index]).collect()
}

/// What an agent sends for an answer.
pub(crate) enum Reply {
    /// From its own address.
    Plain(Vec<u8>),
    /// From another port.
    Elsewhere(Vec<u8>),
}

/// How an agent answers: gets the request and what a good agent would answer.
type Manner = Box<dyn FnMut(&Request, Vec<Bind>) -> Vec<Reply> + Send>;

/// Answers as a good agent does.
pub(crate) fn good(request: &Request, binds: &[Bind]) -> Vec<Reply> {
    vec![Reply::Plain(ber::answer(request, 0, binds))]
}

struct State {
    mib: BTreeMap<Vec<u32>, Val>,
    manner: Manner,
    requests: Vec<Request>,
}

/// An agent, alive until dropped.
pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Agent {
    /// An agent with `ports` ports, `eth1` at ifIndex 1 and so on, that behaves well.
    pub(crate) async fn start(ports: u32) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let manner: Manner = Box::new(|request, binds| good(request, &binds));
        let state = Arc::new(Mutex::new(State { mib: BTreeMap::new(), manner, requests: vec![] }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let replies = shared.lock().unwrap().handle(&buffer[..length]);
                for reply in replies {
                    match reply {
                        Reply::Plain(octets) => socket.send_to(&octets, from).await.unwrap(),
                        Reply::Elsewhere(octets) => elsewhere.send_to(&octets, from).await.unwrap(),
                    };
                }
            }
        });
        let agent = Self { address, state, task: task.abort_handle() };
        agent.set(UPTIME.to_vec(), Val::Ticks(1_000));
        for index in 1..=ports {
            agent.port(index, &format!("eth{index}"));
        }
        agent
    }

    /// Gives the interface `index` that name and the counters of [`truth`].
    pub(crate) fn port(&self, index: u32, name: &str) {
        let truth = truth(name);
        self.set(cell(IFX, 1, index), Val::Text(name.to_owned()));
        self.set(cell(IFX, 6, index), Val::C64(truth.rx_octets));
        self.set(cell(IFX, 10, index), Val::C64(truth.tx_octets));
        for (column, packets) in [(7, 1), (8, 20), (9, 300), (11, 1), (12, 20), (13, 300)] {
            self.set(cell(IFX, column, index), Val::C64(packets));
        }
        self.set(cell(IFX, 15, index), Val::G32(10_000));
        self.set(cell(IFX, 19, index), Val::Ticks(0));
        self.set(cell(IF, 10, index), Val::C32(10));
        self.set(cell(IF, 16, index), Val::C32(16));
    }

    pub(crate) fn set(&self, name: Vec<u32>, value: Val) {
        self.state.lock().unwrap().mib.insert(name, value);
    }

    /// Takes an object away.
    pub(crate) fn remove(&self, name: &[u32]) {
        self.state.lock().unwrap().mib.remove(name);
    }

    /// Takes all of an interface away.
    pub(crate) fn remove_port(&self, index: u32) {
        let tables = [IF, IFX];
        let mut state = self.state.lock().unwrap();
        state.mib.retain(|name, _| !(tables.iter().any(|t| name.starts_with(t)) && name.ends_with(&[index])));
    }

    /// Changes how the agent answers from now on.
    pub(crate) fn behave(&self, manner: impl FnMut(&Request, Vec<Bind>) -> Vec<Reply> + Send + 'static) {
        self.state.lock().unwrap().manner = Box::new(manner);
    }

    /// The requests since this was last asked.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    pub(crate) fn device(&self, name: &str) -> Device {
        let credentials = Credentials::V2c { community: Secret::new("hush").unwrap() };
        Device::new(name, self.address, credentials).unwrap()
    }

    pub(crate) async fn visitor(&self) -> Visitor {
        Visitor::new(self.device("sw1"), quick(), clock).await.unwrap()
    }
}

impl State {
    fn handle(&mut self, datagram: &[u8]) -> Vec<Reply> {
        let request = ber::request(datagram);
        assert_eq!(request.community, b"hush");
        let binds = if request.kind == 0xa5 {
            let behind = (Bound::Excluded(request.oids[0].clone()), Bound::Unbounded);
            let mut binds: Vec<Bind> = self
                .mib
                .range(behind)
                .take(request.repetitions)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            if binds.len() < request.repetitions {
                let last = binds.last().map_or(request.oids[0].clone(), |(name, _)| name.clone());
                binds.push((last, Val::End));
            }
            binds
        } else {
            let value = |name| self.mib.get(name).cloned().unwrap_or(Val::NoSuchInstance);
            request.oids.iter().map(|name| (name.clone(), value(name))).collect()
        };
        let replies = (self.manner)(&request, binds);
        self.requests.push(request);
        replies
    }
}

/// The counters of the port called `name`, but for the instant.
pub(crate) fn truth(name: &str) -> Counters {
    let number = u64::from(name.bytes().fold(0_u32, |sum, octet| sum.wrapping_mul(31) + u32::from(octet)));
    Counters {
        time: Timestamp(0),
        rx_octets: (1 << 40) + number,
        tx_octets: (1 << 50) + number,
        width: Width::Bits64,
        uptime_cs: Some(1_000),
        discontinuity_cs: Some(0),
        rx_packets: Some(321),
        tx_packets: Some(321),
        speed_bps: Some(10_000_000_000),
    }
}

/// The names that were read, in order. Fails when a port was read twice or a figure is not the port's own.
pub(crate) fn names(pass: &Pass) -> Vec<&str> {
    let mut names = Vec::new();
    for reading in &pass.readings {
        let name = reading.port.interface();
        assert_eq!(reading.counters, Counters { time: reading.counters.time, ..truth(name) }, "{name}");
        names.push(name);
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "read twice: {names:?}");
    names
}

/// Time-outs for a loopback: the least that a busy machine keeps.
pub(crate) fn quick() -> Options {
    Options {
        request_timeout: Duration::from_millis(200),
        attempts: 2,
        retry_pause: Duration::from_millis(1),
        exchange_timeout: Duration::from_millis(800),
        ..Options::default()
    }
}

/// Runs from 2026-09-30T14:00:00Z, the start of the tests.
pub(crate) fn clock() -> Timestamp {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Timestamp(1_790_776_800_000).plus_ms(i64::try_from(START.elapsed().as_millis()).unwrap())
}
