//! The shared socket as the library wants it, for one device.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_snmp::{Candidate, Error, RequestRegistration, ResponseIdentity, Transport};
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::usm::Report;
use crate::Failure;
use crate::transport::socket::{Datagram, Socket};

tokio::task_local! {
    /// The call in whose course a request is sent. The client hands back neither when an answer arrived nor
    /// that there were others that it could not use.
    pub(super) static CALL: Arc<Mutex<Call>>;
}

/// What was seen in the course of one call, which in SNMPv3 may take more than one exchange of datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Call {
    /// When the last answer that was taken arrived, and how long after its request was sent.
    pub(super) arrival: Option<(Instant, Duration)>,
    /// Datagrams from the device that could not be used.
    pub(super) rejected: u32,
    /// What the device, or who forges its address, last reported without a valid signature.
    pub(super) report: Option<Failure>,
    /// Whether a report came whose signature is valid.
    pub(super) signed: bool,
}

/// The shared socket, for one device.
pub(crate) struct Link {
    pub(super) socket: Arc<Socket>,
    pub(super) address: SocketAddr,
    /// Whether the device is asked by SNMPv3, where there are reports.
    pub(super) reports: bool,
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
            if let Some(result) = call.consider(&datagram, sent, self.reports, &mut validate, self.address) {
                break result;
            }
        };
        call.rejected += inbox.damaged();
        call.tell();
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

impl Call {
    /// Shows a datagram to the library. Returns what ends the exchange, and nothing where it goes on.
    pub(super) fn consider<T>(
        &mut self,
        datagram: &Datagram,
        sent: Instant,
        reports: bool,
        validate: &mut impl FnMut(Bytes, SocketAddr) -> async_snmp::Result<Candidate<T>>,
        address: SocketAddr,
    ) -> Option<async_snmp::Result<T>> {
        let report = || if reports { Report::read(datagram.octets.clone()) } else { None };
        match validate(datagram.octets.clone(), address) {
            Ok(Candidate::Accept(value)) => {
                self.arrival = Some((datagram.arrived, datagram.arrived.duration_since(sent)));
                self.signed = report().is_some_and(|report| report.signed);
                Some(Ok(value))
            }
            Ok(Candidate::Reject) => {
                match report() {
                    Some(report) => self.report = Some(report.failure),
                    None => self.rejected += 1,
                }
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Tells whoever made the call what one of its exchanges saw; outside of a call there is nobody to tell.
    pub(super) fn tell(self) {
        let _ = CALL.try_with(|call| {
            let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
            call.arrival = self.arrival;
            call.rejected = call.rejected.saturating_add(self.rejected);
            call.report = self.report.or(call.report);
            call.signed |= self.signed;
        });
    }
}
