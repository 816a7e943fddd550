//! What a client speaks, by its first byte.

use std::io;

use tokio::net::TcpStream;

/// What TLS begins with: a handshake record (RFC 8446 §5.1). RTMP begins with its version, 3, HTTP with a
/// letter.
pub const CLIENT_HELLO: u8 = 22;

/// Waits for the first byte and leaves it where it is; `None` if the client went without one. How long that
/// may take is the caller's business.
///
/// # Errors
/// The connection broke.
pub async fn first_byte(socket: &TcpStream) -> io::Result<Option<u8>> {
    let mut byte = [0];
    let count = socket.peek(&mut byte).await?;
    Ok(byte.first().copied().filter(|_| count > 0))
}
