//! A page of the tests' own with players by others, at another origin than the gateway: what a site that embeds a
//! stream has.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use crate::fallback_site::requested;

/// The players are dependencies of the pages: `npm ci` in `web/`.
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/node_modules");

/// Paths of the site, and the files behind them.
const SCRIPTS: [(&str, &str); 2] = [
    ("/hls.js", "hls.js/dist/hls.min.js"),
    ("/shaka.js", "shaka-player/dist/shaka-player.compiled.js"),
];

/// Serves this page, and the players' scripts, until the test's process ends; gives the address.
///
/// # Panics
/// No port is free.
pub fn serve(page: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let at = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // A browser that leaves in the middle is no fault.
            std::thread::spawn(move || answer(socket, page));
        }
    });
    at
}

/// One request a connection.
fn answer(mut socket: TcpStream, page: &str) -> io::Result<()> {
    let path = requested(&mut socket)?;
    let script = SCRIPTS.iter().find(|(at, _)| *at == path);
    let (status, kind, body) = match script {
        Some((_, file)) => {
            let script = fs::read(Path::new(MODULES).join(file))?;
            ("200 OK", "text/javascript", script)
        }
        None if path == "/" => ("200 OK", "text/html", page.as_bytes().to_vec()),
        None => ("404 Not Found", "text/plain", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(&[head.as_bytes(), &body].concat())
}
