//! The router on a socket, in the clear or over TLS; [`entry`] holds how many come in, [`handshake`] is how TLS begins.

pub(super) mod entry;
mod handshake;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::limits::{HEAD_OCTETS_MAX, HEAD_TIME_MAX, HEADERS_MAX, STOPPING_TIME_MAX};
use super::metrics::UPKEEP_EVERY;
use super::peer::Peer;
use super::{App, router};
use crate::tls::server::Server;
use entry::Entry;

/// The pause after a connection could not be accepted, as when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// As [`super::serve`], and over TLS with a certificate.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Server>,
    app: App,
    stop: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, tls = tls.is_some(), "listening");
    let (metrics, streams) = (app.metrics.clone(), app.streams.clone());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_OCTETS_MAX)
        .max_headers(HEADERS_MAX);
    let tls = tls.map(|server| TlsAcceptor::from(server.config()));
    let door = Door { http, tls, service: TowerToHyperService::new(router(app)), stop: stop.clone() };
    let door = Arc::new(door);
    let graceful = GracefulShutdown::new();
    let entry = Entry::default();
    let mut upkeep = tokio::time::interval(UPKEEP_EVERY);
    // Dropped at the end, and with it every connection that is still open.
    let mut connections = JoinSet::new();
    loop {
        let (stream, address, place) = tokio::select! {
            (stream, address, place) = accept(&listener, &entry) => (stream, address, place),
            _ = upkeep.tick() => {
                if let Some(metrics) = &metrics {
                    metrics.run_upkeep();
                }
                while connections.try_join_next().is_some() {}
                continue;
            }
            () = stop.cancelled() => break,
        };
        let (door, watcher) = (door.clone(), graceful.watcher());
        connections.spawn(async move {
            door.answer(stream, address, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    streams.end();
    if tokio::time::timeout(STOPPING_TIME_MAX, graceful.shutdown()).await.is_err() {
        let open = connections.len();
        tracing::warn!(open, "connections did not end in time");
    }
    Ok(())
}

/// What every connection is answered with.
struct Door {
    http: http1::Builder,
    tls: Option<TlsAcceptor>,
    service: TowerToHyperService<Router>,
    stop: CancellationToken,
}

impl Door {
    /// Answers the requests of a connection until its end.
    async fn answer(&self, stream: TcpStream, address: SocketAddr, watcher: Watcher) {
        let Some(tls) = &self.tls else {
            return self.requests(stream, Peer::plain(address), watcher).await;
        };
        let shaken = tokio::select! {
            shaken = handshake::shake(tls, stream) => shaken,
            () = self.stop.cancelled() => return,
        };
        match shaken {
            Ok((stream, certificate)) => {
                self.requests(stream, Peer { address, tls: true, certificate }, watcher).await;
            }
            Err(error) => tracing::debug!(%address, error = %error, "no TLS handshake"),
        }
    }

    /// Answers requests whose other end is known.
    async fn requests<S>(&self, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = self.service.clone();
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            service.call(request)
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), answer);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error = %error, "connection ended early");
        }
    }
}

/// The next connection, when there is a place for it. One of an address that has too many is closed at once.
async fn accept(listener: &TcpListener, entry: &Entry) -> (TcpStream, SocketAddr, entry::Place) {
    let free = entry.free().await;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if !entry.has_room_for(address.ip()) {
                    ::metrics::counter!(entry::REFUSED).increment(1);
                    tracing::debug!(%address, "too many connections of one address");
                    continue;
                }
                // Without it an answer may wait for the client's acknowledgement; it works either way.
                let _ = stream.set_nodelay(true);
                return (stream, address, entry.take(free, address.ip()));
            }
            Err(error) => {
                tracing::warn!(error = %error, "connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
