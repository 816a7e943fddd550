//! The steps by which a peer becomes an RTMP publisher, and the bytes they are made of.

pub mod wire;

use std::net::SocketAddr;

pub use crate::peer::Peer;

impl Peer {
    /// Connects, shakes hands, and announces chunks so long that each message is one.
    pub fn shaken(at: SocketAddr) -> Self {
        let mut peer = Self::connect(at);
        peer.wordless = wire::ANSWER_BYTES;
        peer.send(&wire::handshake());
        peer.send(&wire::set_chunk_size(0xff_ffff));
        peer
    }

    /// Is connected to the application.
    pub fn connected(at: SocketAddr, app: &str) -> Self {
        let mut peer = Self::shaken(at);
        peer.send(&wire::connect(app));
        peer.until_told("NetConnection.Connect.Success");
        peer
    }

    /// Publishes on message stream 1, as a client that waits for every answer.
    pub fn publishing(at: SocketAddr, app: &str, name: &str) -> Self {
        let mut peer = Self::connected(at, app);
        peer.send(&wire::create_stream());
        peer.send(&wire::publish(1, name));
        peer.until_told("NetStream.Publish.Start");
        peer
    }
}
