//! [`Session`] over UDP: only this file and its folder name `async_snmp`.
//!
//! The library's own retries are off, since they repeat the request-id; so is its splitting of requests,
//! since all columns of a port must come from one datagram. Decoding is strict: lenient decoding makes a 0 of
//! an empty Counter64. Only the address that was asked can answer.
//!
//! SNMPv3 needs more than one exchange where the device's engine is not known yet, or its clock runs otherwise than we
//! thought: the library asks for what is missing, and a request that it then repeats is a new one with ids of its own.

#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod canned;
mod engine;
mod link;
pub(crate) mod usm;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_snmp::message::Message;
use async_snmp::{
    Auth, Client, ClientBuilder, DecodeConfig, Error, ErrorStatus, ResponseShapePolicy, Retry, Transport,
};
use bytes::Bytes;
use tokio::sync::RwLock;

use crate::mib::{Oid, Value, Varbind};
use crate::options::OIDS_MAX;
use crate::transport::socket::Socket;
use crate::transport::{Answer, Ask, Session};
use crate::{Credentials, Device, Failure, Options};
use engine::Engine;
use link::{CALL, Call, Link};

/// Whether a datagram is no SNMP message, strictly read.
pub(crate) fn is_damaged(octets: &[u8]) -> bool {
    Message::decode(Bytes::copy_from_slice(octets), DecodeConfig::STRICT).is_err()
}

/// One device, asked over the shared socket.
pub(crate) struct UdpSession<T: Transport + 'static = Link> {
    /// The library's side of it; none where it refuses the configuration.
    client: Option<Client<T>>,
    /// What is known of the device's engine; none where it is not asked by SNMPv3.
    engine: Option<Mutex<Engine>>,
    /// Whether requests are encrypted.
    encrypts: bool,
    /// Held by requests while they are in flight, and alone by who asks the engine for its identity: an answer cannot
    /// be verified once the keys are others.
    identity: RwLock<()>,
}

impl UdpSession {
    /// Prepares to ask `device`; nothing is sent yet.
    pub(crate) fn new(socket: Arc<Socket>, device: &Device, options: &Options) -> Self {
        let reports = matches!(device.credentials(), Credentials::V3 { .. });
        Self::over(Link { socket, address: device.address(), reports }, device, options)
    }
}

impl<T: Transport + 'static> UdpSession<T> {
    fn over(link: T, device: &Device, options: &Options) -> Self {
        let (auth, engine, encrypts) = match device.credentials() {
            Credentials::V2c { community } => (Some(Auth::v2c(community.expose())), None, false),
            Credentials::V3 { user } => (usm::auth(user), Some(Mutex::default()), user.privacy().is_some()),
        };
        let client = auth.and_then(|auth| client(auth, link, options));
        if client.is_none() {
            tracing::error!(device = device.name(), "device cannot be asked");
        }
        Self { client, engine, encrypts, identity: RwLock::default() }
    }

    /// What is known of the engine, in SNMPv3.
    fn engine(&self) -> Option<MutexGuard<'_, Engine>> {
        self.engine.as_ref().map(|engine| engine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_stale(&self) -> bool {
        self.engine().is_some_and(|engine| engine.is_stale())
    }

    /// Asks the engine for its identity where that is needed. What was known stays until there is an answer.
    async fn identify(&self, client: &Client<impl Transport + 'static>) -> Result<(), Failure> {
        if !self.is_stale() {
            return Ok(());
        }
        let _alone = self.identity.write().await;
        // Another request may have asked while this one waited.
        if self.is_stale() {
            client.rediscover_engine().await.map_err(|error| failure(&error))?;
            if let Some(mut engine) = self.engine() {
                engine.identified();
            }
        }
        Ok(())
    }
}

fn client<T: Transport + 'static>(auth: Auth, link: T, options: &Options) -> Option<Client<T>> {
    let client = ClientBuilder::new(auth)
        .request_timeout(options.request_timeout)
        .retry(Retry::none())
        .max_oids_per_request(OIDS_MAX)
        .decode_config(DecodeConfig::STRICT)
        // Strict would compare no more than we do, and hide which of the ways to be wrong it was.
        .response_shape_policy(ResponseShapePolicy::Compatible)
        .build_with_transport(link);
    client.inspect_err(|error| tracing::error!(%error, "snmp client is refused")).ok()
}

impl<T: Transport + 'static> Session for UdpSession<T> {
    async fn ask(&self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let client = self.client.as_ref().ok_or(Failure::Unreachable)?;
        self.identify(client).await?;
        let call = Arc::new(Mutex::new(Call::default()));
        let result = {
            let _identity = self.identity.read().await;
            CALL.scope(Arc::clone(&call), send(client, ask)).await
        };
        let mut call = *call.lock().unwrap_or_else(PoisonError::into_inner);
        call.signed &= self.encrypts;
        let failure = result.as_ref().err().copied();
        let failure = self.engine().map_or(failure, |mut engine| engine.settle(failure, &call));
        match (result, failure, call.arrival) {
            (Ok(varbinds), None, Some((arrived, round_trip))) => {
                Ok(Answer { varbinds, arrived, round_trip, rejected: call.rejected })
            }
            (_, Some(Failure::Timeout), _) if call.rejected > 0 => Err(Failure::Malformed),
            (_, Some(failure), _) => Err(failure),
            // An answer that no datagram brought: there is none.
            (_, None, _) => Err(Failure::Malformed),
        }
    }
}

async fn send(client: &Client<impl Transport + 'static>, ask: Ask<'_>) -> Result<Vec<Varbind>, Failure> {
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
        Error::Report { status, .. } => usm::failure(status),
        // The engine's identity or clock is another than when the request was sent.
        Error::Auth { .. } => Failure::NotInTime,
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
