//! How a connection over TLS begins.

use std::io;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::api::limits::HANDSHAKE_TIME_MAX;

/// The first octet of every TLS connection: a record with a handshake.
const HANDSHAKE: u8 = 22;

/// What is answered to whoever speaks HTTP in the clear.
const IN_THE_CLEAR: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 48\r\n\
                              Connection: close\r\n\r\nthis port speaks HTTPS; use https:// as address\n";

/// Octets that are read of whoever does, so that the answer gets there before the connection ends, and how long.
const REST_OCTETS_MAX: u64 = 64 << 10;
const REST_TIME_MAX: Duration = Duration::from_secs(1);

/// Begins TLS, in time. Tells the SHA-256 of the certificate that the client has proved to be its own, if any.
///
/// # Errors
/// When the client takes too long, or speaks something else.
pub(super) async fn shake(
    tls: &TlsAcceptor,
    stream: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Option<[u8; 32]>)> {
    let shaken = tokio::time::timeout(HANDSHAKE_TIME_MAX, begin(tls, stream)).await;
    let stream = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(|chain| chain.first());
    let certificate = shown.map(|der| Sha256::digest(der).into());
    Ok((stream, certificate))
}

async fn begin(tls: &TlsAcceptor, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ if first[0] == HANDSHAKE => tls.accept(stream).await,
        _ => {
            // A method begins with a capital.
            if first[0].is_ascii_uppercase() {
                stream.write_all(IN_THE_CLEAR).await?;
                stream.shutdown().await?;
                let mut rest = stream.take(REST_OCTETS_MAX);
                let mut sink = tokio::io::sink();
                let _ = tokio::time::timeout(REST_TIME_MAX, tokio::io::copy(&mut rest, &mut sink)).await;
            }
            Err(io::Error::other("the other side does not speak TLS"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_in_the_clear_says_how_long_it_is() {
        let text = std::str::from_utf8(IN_THE_CLEAR).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
