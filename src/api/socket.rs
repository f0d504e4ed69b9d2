//! The router on a socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::limits::{CONNECTIONS_MAX, HEAD_TIME_MAX, STOPPING_TIME_MAX};
use super::metrics::UPKEEP_EVERY;
use super::peer::Peer;
use super::{App, router};

/// The pause after a connection could not be accepted, as when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// As [`super::serve`].
pub(super) async fn serve(listener: TcpListener, app: App, stop: CancellationToken) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let metrics = app.metrics.clone();
    let service = TowerToHyperService::new(router(app));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut upkeep = tokio::time::interval(UPKEEP_EVERY);
    // Dropped at the end, and with it every connection that is still open.
    let mut connections = JoinSet::new();
    loop {
        let ((stream, address), place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = upkeep.tick() => {
                if let Some(metrics) = &metrics {
                    metrics.run_upkeep();
                }
                while connections.try_join_next().is_some() {}
                continue;
            }
            () = stop.cancelled() => break,
        };
        let peer = Peer::plain(address);
        let service = service.clone();
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            service.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(STOPPING_TIME_MAX, graceful.shutdown()).await.is_err() {
        let open = connections.len();
        tracing::warn!(open, "connections did not end in time");
    }
    Ok(())
}

/// The next connection, when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> ((TcpStream, SocketAddr), Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Without it an answer may wait for the client's acknowledgement; it works either way.
                let _ = stream.set_nodelay(true);
                return ((stream, address), place);
            }
            Err(error) => {
                tracing::warn!(error = %error, "connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
