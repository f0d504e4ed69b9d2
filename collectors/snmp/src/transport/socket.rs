//! The one UDP socket that all devices are asked through: sends datagrams, and hands each that comes in to the
//! request that it answers.
//!
//! `async-snmp` has such a socket, but opens it with SO_REUSEADDR: two of them can then be given the same port
//! (of 900 opened here, 11 were), and the older one falls deaf without a sign. Here a port belongs to one
//! socket, whoever else is on the host.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, Protocol, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::Datagrams;

/// The receive buffer that the socket asks for, in octets. The usual 212,992 hold 92 answers and lost up to
/// 16 % in bursts of 100; this lost none.
const RECEIVE_BUFFER_OCTETS: usize = 4 << 20;

/// So many devices, with two requests each, fill the buffer that one has by default, so it must be larger.
const DEVICES_SMALL: usize = 46;

/// The largest datagram there is.
const DATAGRAM_OCTETS_MAX: usize = 65_535;

/// How many datagrams wait for one request to look at them. There should be one; more are duplicates and
/// forgeries, and whoever sends them must not fill the memory.
const INBOX_MAX: usize = 16;

/// The pause after an error on receiving, doubled each time up to [`PAUSE_MAX`], so that a socket which always
/// fails takes no whole core.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// See [`PAUSE_MIN`].
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Whether a datagram answers a request.
pub(crate) type Answers = Box<dyn Fn(&[u8]) -> bool + Send>;

/// The socket; closed when dropped.
pub(crate) struct Socket {
    shared: Arc<Shared>,
    receiver: AbortHandle,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

impl Socket {
    /// Opens a socket on a free port: of IPv4 when all of `addresses` are, otherwise one that reaches both
    /// families. `is_damaged` tells datagrams that nobody can use from those that nobody waits for.
    pub(crate) async fn open(
        addresses: impl IntoIterator<Item = SocketAddr>,
        is_damaged: fn(&[u8]) -> bool,
    ) -> io::Result<Arc<Self>> {
        let addresses: Vec<SocketAddr> = addresses.into_iter().collect();
        let ipv4 = || bind(Domain::IPV4, Ipv4Addr::UNSPECIFIED.into());
        let (socket, mapped) = match addresses.iter().all(SocketAddr::is_ipv4) {
            true => (ipv4()?, false),
            false => match bind(Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()) {
                Ok(socket) => (socket, true),
                Err(error) => {
                    tracing::error!(%error, "no IPv6 on this host, devices with such an address cannot be asked");
                    (ipv4()?, false)
                }
            },
        };
        let granted = socket2::SockRef::from(&socket).recv_buffer_size().unwrap_or(0);
        if granted < RECEIVE_BUFFER_OCTETS && addresses.len() >= DEVICES_SMALL {
            let wanted = RECEIVE_BUFFER_OCTETS;
            tracing::warn!(granted, wanted, "receive buffer is small, raise net.core.rmem_max");
        }
        let shared = Arc::new(Shared {
            socket: UdpSocket::from_std(socket)?,
            mapped,
            is_damaged,
            waiting: Mutex::default(),
            tickets: AtomicU64::new(0),
            matched: AtomicU64::new(0),
            unmatched: AtomicU64::new(0),
            malformed: AtomicU64::new(0),
        });
        let receiver = tokio::spawn(receive(Arc::clone(&shared))).abort_handle();
        Ok(Arc::new(Self { shared, receiver }))
    }

    /// What has come in so far.
    pub(crate) fn datagrams(&self) -> Datagrams {
        Datagrams {
            matched: self.shared.matched.load(Ordering::Relaxed),
            unmatched: self.shared.unmatched.load(Ordering::Relaxed),
            malformed: self.shared.malformed.load(Ordering::Relaxed),
        }
    }

    /// The socket's own address.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.shared.socket.local_addr()
    }

    /// Waits from now on for what comes from `address` and is an answer by `answers`.
    pub(crate) fn expect(&self, address: SocketAddr, answers: Answers) -> Inbox {
        let (deliver, incoming) = mpsc::channel(INBOX_MAX);
        let damaged = Arc::new(AtomicU32::new(0));
        let ticket = self.shared.tickets.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting { ticket, answers, deliver, damaged: Arc::clone(&damaged) };
        let source = source(address);
        self.shared.waiting().entry(source).or_default().push(waiting);
        Inbox { shared: Arc::clone(&self.shared), source, ticket, incoming, damaged }
    }

    /// Sends a datagram to `address`.
    pub(crate) async fn send(&self, address: SocketAddr, octets: &[u8]) -> io::Result<()> {
        let address = match address {
            SocketAddr::V4(v4) if self.shared.mapped => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
            address => address,
        };
        self.shared.socket.send_to(octets, address).await.map(drop)
    }
}

/// A datagram that came in.
pub(crate) struct Datagram {
    /// What it holds.
    pub(crate) octets: Bytes,
    /// When it was taken from the socket.
    pub(crate) arrived: Instant,
}

/// Where the answers to one request come in, until it is dropped.
pub(crate) struct Inbox {
    shared: Arc<Shared>,
    source: Source,
    ticket: u64,
    incoming: mpsc::Receiver<Datagram>,
    damaged: Arc<AtomicU32>,
}

impl Inbox {
    /// The next answer; none when the socket is closed.
    pub(crate) async fn next(&mut self) -> Option<Datagram> {
        self.incoming.recv().await
    }

    /// How many datagrams came from the address meanwhile that nobody could use.
    pub(crate) fn damaged(&self) -> u32 {
        self.damaged.load(Ordering::Relaxed)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting();
        if let Some(requests) = waiting.get_mut(&self.source) {
            requests.retain(|request| request.ticket != self.ticket);
            if requests.is_empty() {
                waiting.remove(&self.source);
            }
        }
    }
}

/// An address as datagrams are matched by it: the same for an IPv4 address and its mapped form.
type Source = (IpAddr, u16);

fn source(address: SocketAddr) -> Source {
    (address.ip().to_canonical(), address.port())
}

struct Shared {
    socket: UdpSocket,
    /// Whether IPv4 addresses must be mapped into IPv6.
    mapped: bool,
    is_damaged: fn(&[u8]) -> bool,
    /// The requests in flight by whom they went to.
    waiting: Mutex<HashMap<Source, Vec<Waiting>>>,
    tickets: AtomicU64,
    matched: AtomicU64,
    unmatched: AtomicU64,
    malformed: AtomicU64,
}

struct Waiting {
    ticket: u64,
    answers: Answers,
    deliver: mpsc::Sender<Datagram>,
    damaged: Arc<AtomicU32>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Source, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a datagram to the request that it answers, and counts it.
    fn deliver(&self, from: SocketAddr, octets: &[u8], arrived: Instant) {
        let waiting = self.waiting();
        let requests = waiting.get(&source(from)).map_or(&[][..], Vec::as_slice);
        if let Some(request) = requests.iter().find(|request| (request.answers)(octets)) {
            let datagram = Datagram { octets: Bytes::copy_from_slice(octets), arrived };
            let taken = request.deliver.try_send(datagram).is_ok();
            let counter = if taken { &self.matched } else { &self.unmatched };
            counter.fetch_add(1, Ordering::Relaxed);
        } else if (self.is_damaged)(octets) {
            for request in requests {
                request.damaged.fetch_add(1, Ordering::Relaxed);
            }
            self.malformed.fetch_add(1, Ordering::Relaxed);
        } else {
            self.unmatched.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Takes in datagrams for as long as the socket is open.
async fn receive(shared: Arc<Shared>) {
    let mut buffer = vec![0; DATAGRAM_OCTETS_MAX];
    let mut pause = PAUSE_MIN;
    loop {
        match shared.socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                let arrived = Instant::now();
                pause = PAUSE_MIN;
                shared.deliver(from, buffer.get(..length).unwrap_or_default(), arrived);
            }
            Err(error) => {
                tracing::warn!(%error, "snmp socket fails to receive");
                tokio::time::sleep(pause).await;
                pause = PAUSE_MAX.min(pause * 2);
            }
        }
    }
}

/// A socket on a free port of `address`, for its own use alone.
fn bind(domain: Domain, address: IpAddr) -> io::Result<std::net::UdpSocket> {
    let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    // The kernel grants what it may; what that is gets checked where the number of devices is known.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_OCTETS);
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(address, 0).into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open() -> (Arc<Socket>, UdpSocket, SocketAddr) {
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = peer.local_addr().unwrap();
        let socket = Socket::open([address], |octets| octets.starts_with(b"?")).await.unwrap();
        peer.connect((Ipv4Addr::LOCALHOST, socket.local_addr().unwrap().port())).await.unwrap();
        (socket, peer, address)
    }

    #[tokio::test]
    async fn datagrams_find_their_request() {
        let (socket, peer, address) = open().await;
        let mut first = socket.expect(address, Box::new(|octets| octets == b"1"));
        let mut second = socket.expect(address, Box::new(|octets| octets == b"2"));
        for octets in [&b"2"[..], b"?", b"3", b"1"] {
            peer.send(octets).await.unwrap();
        }
        assert_eq!(&*first.next().await.unwrap().octets, b"1");
        assert_eq!(&*second.next().await.unwrap().octets, b"2");
        assert_eq!((first.damaged(), second.damaged()), (1, 1));
        assert_eq!(socket.datagrams(), Datagrams { matched: 2, unmatched: 1, malformed: 1 });
        drop((first, second));
        assert!(socket.shared.waiting().is_empty());
    }

    #[tokio::test]
    async fn a_flood_stays_bounded() {
        let (socket, peer, address) = open().await;
        let mut inbox = socket.expect(address, Box::new(|_| true));
        for _ in 0..INBOX_MAX * 4 {
            peer.send(b"x").await.unwrap();
        }
        let all = |seen: Datagrams| seen.matched + seen.unmatched == INBOX_MAX as u64 * 4;
        while !all(socket.datagrams()) {
            tokio::task::yield_now().await;
        }
        assert_eq!(socket.datagrams().matched, INBOX_MAX as u64);
        assert!(inbox.next().await.is_some());
    }

    #[tokio::test]
    async fn no_two_sockets_share_a_port() {
        let mut sockets = Vec::new();
        let mut ports = std::collections::HashSet::new();
        for _ in 0..300 {
            let socket = Socket::open([], |_| false).await.unwrap();
            assert!(ports.insert(socket.local_addr().unwrap().port()));
            sockets.push(socket);
        }
    }
}
