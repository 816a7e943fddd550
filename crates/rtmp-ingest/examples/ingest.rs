//! The smallest server: accepts every publish and says what comes in.
//!
//! `cargo run -p rtmp-ingest --example ingest -- 127.0.0.1:1935 [RECORDING]`; with a recording, it serves one
//! connection, writes the bytes that the client sent to that file, and ends.
#![expect(clippy::print_stdout, reason = "saying what comes in is its purpose")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rtmp_ingest::{Connection, Event, Limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".into());
    let recording = arguments.next().map(PathBuf::from);
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (socket, peer) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let mut tee = Tee {
            socket,
            read: Vec::new(),
        };
        let outcome = serve(Connection::new(&mut tee, peer, Limits::default())).await;
        println!("{peer}: {outcome:?}");
        if let Some(path) = recording {
            std::fs::write(path, tee.read)?;
            return Ok(());
        }
    }
}

async fn serve(mut connection: Connection<&mut Tee>) -> Result<(), rtmp_ingest::Error> {
    let mut counts = BTreeMap::new();
    while let Some(event) = connection.next().await? {
        match event {
            Event::Publish(request) => {
                println!("{request:?}");
                connection.accept(request.stream);
            }
            Event::Media { message, .. } => {
                *counts.entry(format!("{:?}", message.kind)).or_insert(0) += 1;
            }
            Event::Unpublish { stream } => println!("message stream {stream} ended: {counts:?}"),
        }
    }
    println!("{} bytes: {counts:?}", connection.bytes_received());
    Ok(())
}

/// A socket that remembers what was read from it.
struct Tee {
    socket: TcpStream,
    read: Vec<u8>,
}

impl AsyncRead for Tee {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        self.read.extend_from_slice(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tee {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
