//! [`Session`] over UDP: the only file that names `async_snmp`.
//!
//! The library's own retries are off, since they repeat the request-id; so is its splitting of requests,
//! since all columns of a port must come from one datagram. Decoding is strict: lenient decoding makes a 0 of
//! an empty Counter64. Only the address that was asked can answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_snmp::message::Message;
use async_snmp::{
    Auth, Candidate, Client, ClientBuilder, DecodeConfig, Error, ErrorStatus, RequestRegistration,
    ResponseIdentity, ResponseShapePolicy, Retry, Transport,
};
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use crate::mib::{Oid, Value, Varbind};
use crate::options::OIDS_MAX;
use crate::transport::socket::Socket;
use crate::transport::{Answer, Ask, Session};
use crate::{Credentials, Device, Failure, Options};

/// Whether a datagram is no SNMP message, strictly read.
pub(crate) fn is_damaged(octets: &[u8]) -> bool {
    Message::decode(Bytes::copy_from_slice(octets), DecodeConfig::STRICT).is_err()
}

/// One device, asked over the shared socket.
pub(crate) struct UdpSession {
    /// The library's side of it; none where it refuses the configuration.
    client: Option<Client<Link>>,
}

impl UdpSession {
    /// Prepares to ask `device`; nothing is sent yet.
    pub(crate) fn new(socket: Arc<Socket>, device: &Device, options: &Options) -> Self {
        let auth = match device.credentials() {
            Credentials::V2c { community } => Auth::v2c(community.expose()),
        };
        let client = ClientBuilder::new(auth)
            .request_timeout(options.request_timeout)
            .retry(Retry::none())
            .max_oids_per_request(OIDS_MAX)
            .decode_config(DecodeConfig::STRICT)
            // Strict would compare no more than we do, and hide which of the ways to be wrong it was.
            .response_shape_policy(ResponseShapePolicy::Compatible)
            .build_with_transport(Link { socket, address: device.address() });
        if let Err(error) = &client {
            tracing::error!(device = device.name(), %error, "device cannot be asked");
        }
        Self { client: client.ok() }
    }
}

impl Session for UdpSession {
    async fn ask(&self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let client = self.client.as_ref().ok_or(Failure::Unreachable)?;
        let call = Arc::new(Mutex::new(Call::default()));
        let result = CALL.scope(Arc::clone(&call), send(client, ask)).await;
        let call = *call.lock().unwrap_or_else(PoisonError::into_inner);
        match (result, call.arrival) {
            (Ok(varbinds), Some((arrived, round_trip))) => {
                Ok(Answer { varbinds, arrived, round_trip, rejected: call.rejected })
            }
            (Err(Failure::Timeout), _) if call.rejected > 0 => Err(Failure::Malformed),
            (Err(failure), _) => Err(failure),
            // An answer that no datagram brought: there is none.
            (Ok(_), None) => Err(Failure::Malformed),
        }
    }
}

async fn send(client: &Client<Link>, ask: Ask<'_>) -> Result<Vec<Varbind>, Failure> {
    let varbinds = match ask {
        Ask::Get(oids) => {
            let oids: Vec<async_snmp::Oid> =
                oids.iter().map(|oid| async_snmp::Oid::from_slice(&oid.0)).collect();
            let mut chunks = client.get_many_chunks(&oids).map_err(|error| failure(&error))?;
            match chunks.next().await {
                Some(Ok(chunk)) if chunk.request_range == (0..oids.len()) => chunk.response.varbinds,
                Some(Err(error)) if error.failed_request_range == (0..oids.len()) => {
                    return Err(failure(&error.source));
                }
                // The library has halved the request after a tooBig; halving is ours, at ports' bounds.
                Some(_) => return Err(Failure::TooBig),
                None => return Err(Failure::WrongShape),
            }
        }
        Ask::Next { from, rows } => {
            let from = [async_snmp::Oid::from_slice(&from.0)];
            let answer = client.get_bulk_with_metadata(&from, 0, rows).await;
            answer.map_err(|error| failure(&error))?.varbinds
        }
    };
    Ok(varbinds.into_iter().map(varbind).collect())
}

fn failure(error: &Error) -> Failure {
    match error.exchange_source() {
        Error::Timeout { .. } => Failure::Timeout,
        Error::Snmp { status, .. } => match status {
            ErrorStatus::TooBig => Failure::TooBig,
            ErrorStatus::NoAccess | ErrorStatus::AuthorizationError => Failure::Denied,
            _ => Failure::AgentError,
        },
        Error::OutboundMessageTooLarge { .. } => Failure::TooBig,
        Error::Auth { .. } | Error::Report { .. } => Failure::Denied,
        Error::Decode(_) | Error::MalformedResponse { .. } => Failure::Malformed,
        Error::ResponseShape { .. } => Failure::WrongShape,
        error => {
            tracing::debug!(%error, "snmp request cannot be sent");
            Failure::Unreachable
        }
    }
}

fn varbind(varbind: async_snmp::VarBind) -> Varbind {
    use async_snmp::Value as Wire;
    let value = match varbind.value {
        Wire::Integer(value) => Value::Integer(value),
        Wire::OctetString(octets) => Value::Octets(octets.to_vec()),
        Wire::Counter32(value) => Value::Counter32(value),
        Wire::Gauge32(value) => Value::Gauge32(value),
        Wire::TimeTicks(value) => Value::TimeTicks(value),
        Wire::Counter64(value) => Value::Counter64(value),
        Wire::NoSuchObject => Value::NoSuchObject,
        Wire::NoSuchInstance => Value::NoSuchInstance,
        Wire::EndOfMibView => Value::EndOfMibView,
        _ => Value::Other,
    };
    Varbind { oid: Oid(varbind.oid.arcs().to_vec()), value }
}

tokio::task_local! {
    /// The call in whose course a request is sent. The client hands back neither when an answer arrived nor
    /// that there were others that it could not use.
    static CALL: Arc<Mutex<Call>>;
}

/// What was seen in the course of one call.
#[derive(Debug, Clone, Copy, Default)]
struct Call {
    /// When the answer that was taken arrived, and how long after the request was sent.
    arrival: Option<(Instant, Duration)>,
    /// Datagrams from the device that could not be decoded.
    rejected: u32,
}

/// The shared socket as the library wants it, for one device.
struct Link {
    socket: Arc<Socket>,
    address: SocketAddr,
}

impl Transport for Link {
    async fn send(&self, data: &[u8]) -> async_snmp::Result<()> {
        let network = |source| Error::Network { target: self.address, source }.boxed();
        self.socket.send(self.address, data).await.map_err(network)
    }

    async fn request_with<T, F>(
        &self,
        data: &[u8],
        registration: RequestRegistration,
        mut validate: F,
    ) -> async_snmp::Result<T>
    where
        T: Send,
        F: FnMut(Bytes, SocketAddr) -> async_snmp::Result<Candidate<T>> + Send,
    {
        let deadline = registration.deadline();
        let answers = move |octets: &[u8]| {
            let identity = registration.evaluate_response_identity(octets, true);
            identity == ResponseIdentity::Match
        };
        let mut inbox = self.socket.expect(self.address, Box::new(answers));
        let sent = Instant::now();
        let timeout = || Error::Timeout { target: self.address, elapsed: sent.elapsed(), retries: 0 }.boxed();
        timeout_at(deadline, self.send(data)).await.map_err(|_| timeout())??;
        let mut call = Call::default();
        let result = loop {
            let datagram = match timeout_at(deadline, inbox.next()).await {
                Ok(Some(datagram)) => datagram,
                Ok(None) | Err(_) => break Err(timeout()),
            };
            match validate(datagram.octets, self.address) {
                Ok(Candidate::Accept(value)) => {
                    call.arrival = Some((datagram.arrived, datagram.arrived.duration_since(sent)));
                    break Ok(value);
                }
                Ok(Candidate::Reject) => call.rejected += 1,
                Err(error) => break Err(error),
            }
        };
        call.rejected += inbox.damaged();
        // Outside of a call there is nobody to tell.
        let _ = CALL.try_with(|seen| *seen.lock().unwrap_or_else(PoisonError::into_inner) = call);
        result
    }

    fn peer_addr(&self) -> SocketAddr {
        self.address
    }

    fn local_addr(&self) -> SocketAddr {
        self.socket.local_addr().unwrap_or((Ipv4Addr::UNSPECIFIED, 0).into())
    }

    fn is_reliable(&self) -> bool {
        false
    }
}
