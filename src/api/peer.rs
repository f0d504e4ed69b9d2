//! The other side of a connection, as the socket knows it.

use std::net::SocketAddr;

/// Who is at the other end; the socket puts it into every request's extensions. A request without it was made within
/// this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Their address.
    pub address: SocketAddr,
    /// Whether nobody in between can read along.
    pub tls: bool,
    /// The SHA-256 of the client certificate that they have proved to be theirs.
    pub certificate: Option<[u8; 32]>,
}

impl Peer {
    /// The other end of a connection in the clear.
    #[must_use]
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: false, certificate: None }
    }
}
