//! The gateway as it would be had it been built without Node.js: its plain pages in front of everything
//! else it serves. Which pages a binary has is decided when it is built, and only one is built for tests.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use crate::http;

const LIST: &[u8] = include_bytes!("../../../web/fallback/index.html");
const WATCH: &[u8] = include_bytes!("../../../web/fallback/watch.html");
const SCRIPT: &[u8] = include_bytes!("../../../web/fallback/fallback.js");

/// Serves until the test's process ends; gives the address.
///
/// # Panics
/// No port is free.
pub fn serve(gateway: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let at = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // A browser that leaves in the middle is no fault.
            std::thread::spawn(move || answer(socket, gateway));
        }
    });
    at
}

/// One request a connection. Headers, the content security policy among them, are the gateway's own.
fn answer(mut socket: TcpStream, gateway: SocketAddr) -> io::Result<()> {
    let path = requested(&mut socket)?;
    let mut answer = http::send(gateway, "GET", &path, &[], &[])?;
    let page = match path.as_str() {
        "/" => Some(LIST),
        "/assets/fallback.js" => Some(SCRIPT),
        _ if path.starts_with("/watch/") => Some(WATCH),
        _ => None,
    };
    if let Some(page) = page {
        answer.status = 200;
        answer.body = page.to_vec();
    }
    let mut head = format!("HTTP/1.1 {} .\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        match name.as_str() {
            "connection" | "content-length" | "transfer-encoding" => {}
            "content-type" if path.ends_with(".js") => {
                head.push_str("Content-Type: text/javascript\r\n")
            }
            _ => head.push_str(&format!("{name}: {value}\r\n")),
        }
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    socket.write_all(&[head.as_bytes(), &answer.body].concat())
}

/// The path of the request that comes on `socket`.
pub(crate) fn requested(socket: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let count = socket.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&buffer[..count]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/");
    Ok(path.to_owned())
}
