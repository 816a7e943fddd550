//! Broken and hostile players against the built gateway: each gets an error or a closed connection, soon,
//! at a bounded price, and the stream beside it does not notice.

use std::time::{Duration, Instant};

use e2e::besieged::Besieged;
use e2e::peer::Peer;
use e2e::raw_rtmp::wire;
use e2e::witness::Witness;
use e2e::{Gateway, http, wait};

/// The gateway's timeouts are one and two seconds here, and the machine may be slow.
const SOON: Duration = Duration::from_secs(30);

/// What a test's connections may cost at a time, KiB.
const A_HUNDRED_CONNECTIONS: u64 = 24 << 10;

/// The HTTP/2 connection preface and empty SETTINGS (RFC 9113 §3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Sends raw bytes on a connection of their own and gives the answer's status, if one came before the end.
fn status_of(besieged: &Besieged, bytes: &[u8]) -> Option<u16> {
    let mut peer = Peer::connect(besieged.gateway.http);
    peer.send(bytes);
    peer.until_closed(SOON);
    http::parse(peer.heard()).map(|answer| answer.status)
}

#[test]
fn paths_that_lead_elsewhere() {
    let besieged = Besieged::start();
    let long = format!("/live/{}/index.m3u8", "x".repeat(10_000));
    let paths: &[(&str, u16)] = &[
        ("/../../../../etc/passwd", 404),
        ("/live/../../../etc/passwd", 404),
        ("/live/witness/../../../etc/passwd", 404),
        ("/live/witness/../witness/index.m3u8", 404),
        ("/live/./witness/index.m3u8", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/live/..%2f..%2fetc/passwd", 404),
        ("/live/%77itness/index.m3u8", 404),
        ("/live/witness%2findex.m3u8", 404),
        ("/live/witness/index.m3u8%00", 404),
        ("/live/witness/index.m3u8%00.ts", 404),
        ("/live/witness/main-%30.ts", 404),
        (
            "/live/witness/main-00000000-99999999999999999999999.ts",
            404,
        ),
        ("/live/witness//index.m3u8", 404),
        ("/live//witness/index.m3u8", 404),
        ("//live/witness/index.m3u8", 404),
        ("/live\\witness\\index.m3u8", 404),
        ("/live/имя/index.m3u8", 404),
        ("/live/witness/", 404),
        ("/assets/../Cargo.toml", 404),
        ("/assets/%2e%2e/%2e%2e/Cargo.toml", 404),
        ("/assets//etc/passwd", 404),
        ("/assets/", 404),
        ("/api/v1/streams/live/..", 404),
        ("/api/v1/streams/../status", 404),
        ("/api/v1/streams/live/%77itness", 404),
        ("/api/v1/streams/live/witness/x/y", 404),
        ("/api/v2/status", 404),
        ("/.git/config", 404),
        (&long, 414),
    ];
    for (path, status) in paths {
        let answer = besieged.gateway.get(path);
        assert_eq!(answer.status, *status, "{path}: {}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{path}"
        );
        assert!(answer.body.len() < 500, "{path}: {}", answer.text());
    }
    for method in ["POST", "PUT", "PATCH", "TRACE", "BREW", "CONNECT"] {
        for path in ["/live/witness/index.m3u8", "/", "/api/v1/status"] {
            let answer = http::request(besieged.gateway.http, method, path, &[]);
            assert!(
                matches!(answer.status, 400 | 405),
                "{method} {path}: {answer:?}"
            );
        }
    }
    // Raw bytes that no path has.
    for path in [
        &b"/live/\0/index.m3u8"[..],
        b"/live/\xff\xfe/index.m3u8",
        b"live/witness",
        b"/a b",
    ] {
        let request = [
            b"GET ",
            path,
            b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        ]
        .concat();
        let status = status_of(&besieged, &request);
        assert!(
            matches!(status, None | Some(400 | 404)),
            "{path:?}: {status:?}"
        );
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn requests_that_are_none() {
    let besieged = Besieged::start();
    let good = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let with = |header: &str| format!("{good}{header}\r\n\r\n").into_bytes();
    assert_eq!(status_of(&besieged, &with("X: y")), Some(200));
    let cases = [
        ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
        ("RTMP", wire::handshake()),
        ("noise", (0..=255).collect()),
        ("line feeds", b"\n".repeat(1_000_000)),
        ("HTTP/0.9", b"GET /healthz\r\n\r\n".to_vec()),
        (
            "HTTP/3.0",
            b"GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n".to_vec(),
        ),
        ("no method", b" /healthz HTTP/1.1\r\n\r\n".to_vec()),
        ("no colon", with("Header")),
        ("a space before the colon", with("Header : x")),
        ("NUL in a value", with("Header: a\0b")),
        ("a folded header", with("Header: a\r\n b")),
        ("a length of minus one", with("Content-Length: -1")),
        ("a length of letters", with("Content-Length: ten")),
        (
            "two lengths",
            with("Content-Length: 1\r\nContent-Length: 2"),
        ),
        ("a strange coding", with("Transfer-Encoding: gzip")),
        (
            "a header of a megabyte",
            with(&format!("X: {}", "x".repeat(1 << 20))),
        ),
        ("ten thousand headers", with(&"X: y\r\n".repeat(10_000))),
        (
            "a path of a megabyte",
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
        ),
        ("a method of a megabyte", b"X".repeat(1 << 20)),
    ];
    for (name, bytes) in cases {
        let begin = Instant::now();
        let status = status_of(&besieged, &bytes);
        println!("{name}: {status:?} after {:?}", begin.elapsed());
        assert!(
            matches!(status, None | Some(400 | 404 | 414 | 431 | 501 | 505)),
            "{name}: {status:?}"
        );
    }
    // Length and coding at once: if it is answered at all, nothing behind it is taken for a request.
    let smuggled = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
                     0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut peer = Peer::connect(besieged.gateway.http);
    peer.send(smuggled);
    peer.until_closed(SOON);
    assert!(!peer.words().contains("200 OK"), "{}", peer.words());
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn requests_and_bodies_that_never_end() {
    let besieged = Besieged::start();
    let at = besieged.gateway.http;
    let half = "GET /live/witness/index.m3u8 HTTP/1.1\r\nHost: x\r\nX-Header: ";
    // Silent after so many bytes.
    let mut stalled: Vec<_> = [0, 1, 10, 40, half.len()]
        .into_iter()
        .map(|length| {
            let mut peer = Peer::connect(at);
            peer.send(&half.as_bytes()[..length]);
            peer
        })
        .collect();
    // A byte now and then does not buy time.
    let mut trickle = Peer::connect(at);
    trickle.send(half.as_bytes());
    let begin = Instant::now();
    wait::until("a trickling request to be cut", SOON, || {
        (trickle.send(b"x") == 0).then_some(())
    });
    println!("cut after {:?}", begin.elapsed());
    for peer in &mut stalled {
        peer.until_closed(SOON);
    }

    // A body is announced, and comes slowly or not at all: the answer does not wait for it, and what
    // follows is bounded.
    let announced = "Host: x\r\nContent-Length: 1000000000000\r\n\r\n";
    let chunked = "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (method, path, header) in [
        ("GET", "/live/witness/index.m3u8", announced),
        ("GET", "/api/v1/status", chunked),
        ("POST", "/live/witness/index.m3u8", chunked),
        ("DELETE", "/api/v1/streams/live/nobody", announced),
        ("PUT", "/", announced),
    ] {
        let mut peer = Peer::connect(at);
        peer.send(format!("{method} {path} HTTP/1.1\r\n{header}").as_bytes());
        peer.until_told("HTTP/1.1 ");
        let begin = Instant::now();
        wait::until("the endless body to be cut", SOON, || {
            (peer.send(b"1\r\nx\r\n") == 0).then_some(())
        });
        println!("{method} {path}: cut after {:?}", begin.elapsed());
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn readers_that_do_not_read() {
    let besieged = Besieged::start();
    let page = besieged.gateway.get("/watch/live/witness").text();
    let script = page
        .split('"')
        .find(|text| text.starts_with("/assets/") && text.ends_with(".js"))
        .expect("the page has a script");
    let size = besieged.gateway.get(script).body.len();
    let request = format!("GET {script} HTTP/1.1\r\nHost: x\r\n\r\n");
    // Far more than all socket buffers together hold.
    let requests = request.repeat(((64 << 20) / size).min(20_000));
    let mut readers: Vec<_> = (0..20)
        .map(|_| Peer::connect(besieged.gateway.http))
        .collect();
    for reader in &mut readers {
        reader.send(requests.as_bytes());
    }
    wait::until("all of them to be here", SOON, || {
        (besieged.count("now/http_connections") > 20).then_some(())
    });
    wait::until("all of them to be cut", SOON, || {
        (besieged.count("now/http_connections") <= 2).then_some(())
    });
    drop(readers);

    // Ranges without end do not multiply a segment.
    let playlist = besieged.gateway.get("/live/witness/main.m3u8").text();
    let segment = playlist
        .lines()
        .find(|line| line.ends_with(".ts"))
        .expect("a segment");
    let path = format!("/live/witness/{segment}");
    let whole = besieged.gateway.get(&path).body.len();
    let ranges = format!("bytes={}", vec!["0-"; 3_000].join(","));
    for range in [
        &ranges,
        "bytes=0-18446744073709551615",
        "bytes=99999999999999999999-",
        "bytes=-0",
        "lines=1-2",
    ] {
        let answer = http::request(besieged.gateway.http, "GET", &path, &[("Range", range)]);
        assert!(
            matches!(answer.status, 200 | 206 | 416),
            "{range}: {}",
            answer.status
        );
        assert!(
            answer.body.len() <= whole,
            "{range}: {} bytes",
            answer.body.len()
        );
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn http2_floods() {
    let besieged = Besieged::start();
    let frame = |kind: u8, flags: u8, stream: u32, body: &[u8]| {
        let length = u32::try_from(body.len())
            .expect("a short frame")
            .to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
    };
    // GET / in HPACK's static table (RFC 7541, appendix A).
    let get = [0x82, 0x86, 0x84];
    let streams = || (0..20_000).map(|n| 2 * n + 1);
    let cases = [
        ("not a frame", vec![0xff; 1 << 20]),
        (
            "a frame of 16 MiB",
            frame(0, 0, 1, &[])
                .into_iter()
                .chain([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])
                .collect(),
        ),
        (
            "requests that are reset",
            streams()
                .flat_map(|id| [frame(1, 5, id, &get), frame(3, 0, id, &[0, 0, 0, 8])].concat())
                .collect(),
        ),
        (
            "requests at once",
            streams().flat_map(|id| frame(1, 5, id, &get)).collect(),
        ),
        (
            "headers without end",
            [
                frame(1, 0, 1, &get),
                frame(9, 0, 1, &[0; 16_000]).repeat(1000),
            ]
            .concat(),
        ),
        (
            "settings",
            frame(4, 0, 0, &[0, 3, 0, 0, 0, 1]).repeat(100_000),
        ),
        ("pings", frame(6, 0, 0, &[0; 8]).repeat(100_000)),
        ("silence", Vec::new()),
    ];
    // All at the same time, none of them reading.
    let mut peers: Vec<_> = cases
        .iter()
        .map(|(name, bytes)| {
            let mut peer = Peer::connect(besieged.gateway.http);
            peer.send(HTTP2);
            let taken = peer.send(bytes);
            println!("{name}: {taken} of {} bytes taken", bytes.len());
            peer
        })
        .collect();
    for (peer, (name, _)) in peers.iter_mut().zip(&cases) {
        println!("{name}: {:?}", peer.until_closed(SOON));
    }
    besieged.survived(A_HUNDRED_CONNECTIONS);
}

#[test]
fn two_thousand_idle_players_beside_twenty_streams() {
    const STREAMS: usize = 20;
    let besieged = Besieged::start_with(&[
        ("FOREBAY__HTTP__HEADER_TIMEOUT", "4s"),
        ("FOREBAY__HTTP__IDLE_TIMEOUT", "4s"),
    ]);
    Peer::room_for(2_000);
    let gateway = &besieged.gateway;
    let start = |n| Witness::start(gateway.rtmp, gateway.http, &format!("one-of-{n}"));
    let streams = at_once((0..STREAMS).map(|n| move || start(n)));
    // One in ten has asked before, one in ten is in the middle of asking.
    let mut idle: Vec<_> = (0..2000)
        .map(|n| {
            let mut peer = Peer::connect(besieged.gateway.http);
            match n % 10 {
                0 => peer.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
                1 => peer.send(b"GET /healthz HTTP/1.1\r\nHost:"),
                _ => 0,
            };
            peer
        })
        .collect();
    wait::until("two thousand connections", Duration::from_secs(30), || {
        (besieged.count("now/http_connections") >= 2000).then_some(())
    });
    assert_eq!(gateway.get("/live/witness/index.m3u8").status, 200);
    // Each gets two more segments, and misses no picture.
    at_once(streams.into_iter().map(|stream| move || stream.stop()));
    for peer in &mut idle {
        peer.until_closed(SOON);
    }
    drop(idle);
    // 20 KiB each, and what streams hold.
    besieged.survived(2000 * 20 + STREAMS as u64 * 4 * 1024);
}

/// Does all of them at the same time.
fn at_once<T: Send, F: FnOnce() -> T + Send>(all: impl Iterator<Item = F>) -> Vec<T> {
    std::thread::scope(|scope| {
        let running: Vec<_> = all.map(|each| scope.spawn(each)).collect();
        let joined = running.into_iter().map(|each| each.join());
        joined.map(|done| done.expect("no panic")).collect()
    })
}

#[test]
fn connections_above_the_limit_are_closed_at_once() {
    let gateway = Gateway::start_with(&[
        ("FOREBAY__HTTP__MAX_CONNECTIONS", "20"),
        // None is closed for anything else.
        ("FOREBAY__HTTP__HEADER_TIMEOUT", "2m"),
        ("FOREBAY__HTTP__IDLE_TIMEOUT", "2m"),
    ]);
    let idle: Vec<_> = (0..20).map(|_| Peer::connect(gateway.http)).collect();
    Peer::connect(gateway.http).until_closed(SOON);
    drop(idle);
    wait::until("a place to be free", SOON, || {
        let answer = http::send(gateway.http, "GET", "/healthz", &[], &[]);
        answer.ok().filter(|answer| answer.status == 200)
    });
    let log = gateway.log();
    assert!(
        log.iter()
            .any(|line| line.contains("too many HTTP connections")),
        "{log:?}"
    );
}
