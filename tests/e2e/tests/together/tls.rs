//! RTMPS and HTTPS: what real encoders and clients do, certificates by name and their renewal, and what is said
//! to those who come the wrong way.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use e2e::arrival::assert_whole;
use e2e::certificate::Certificate;
use e2e::clip::Clip;
use e2e::encoder::{Encoder, Pace};
use e2e::ffmpeg_witness::Tracks;
use e2e::gateway::{Gateway, binary, scratch};
use e2e::low_latency::{self, Load, Stepwise};
use e2e::peer::Peer;
use e2e::reader::{Player, Recording};
use e2e::scripted::Material;
use e2e::secure::Secure;
use e2e::{http, wait};

/// From the encoder's end to that of the playlist.
const END: Duration = Duration::from_secs(20);
/// No encoder here takes longer.
const ENCODING: Duration = Duration::from_secs(30);
/// Whatever the gateway does of its own accord, the renewal of a certificate included.
const SOON: Duration = Duration::from_secs(30);
/// The playlist ends soon after its publisher.
const SHORT_RESUME: (&str, &str) = ("FOREBAY__HLS__RESUME", "1s");

fn rtmps(gateway: &Gateway) -> SocketAddr {
    gateway.rtmps.expect("the ready file names it")
}

fn https(gateway: &Gateway) -> SocketAddr {
    gateway.https.expect("the ready file names it")
}

fn faults(gateway: &Gateway, which: &str) -> u64 {
    let status = gateway.get("/api/v1/status").json();
    status["totals"][which].as_u64().expect("a number")
}

/// Waits for the first segment of `live/show`.
fn until_listed(gateway: &Gateway) {
    wait::until("a playlist", SOON, || {
        (gateway.get("/live/show/main.m3u8").status == 200).then_some(())
    });
}

/// ffmpeg, as it comes with Debian, looks at no certificate unless it is told to.
#[test]
fn ffmpeg_publishes_to_the_port_of_rtmps_and_to_that_of_both() {
    let gateway = Gateway::start_self_signed(&[SHORT_RESUME]);
    let file = Clip::usual(6).file();
    let cases = [
        ("rtmps", rtmps(&gateway), "alone"),
        ("rtmps", gateway.rtmp, "sniffed"),
        ("rtmp", gateway.rtmp, "plain"),
    ];
    for (scheme, at, name) in cases {
        let url = format!("{scheme}://{at}/live/{name}");
        let mut encoder = Encoder::send(&file, Pace::Burst, &url);
        let mut player = Player::join(&gateway, &format!("/live/{name}"));
        player.follow_to_the_end(END);
        encoder.succeeds(ENCODING);
        assert_whole(&Tracks::read(&file), &player);
    }
    assert_eq!(faults(&gateway, "faults"), 0, "{:?}", gateway.log());
}

#[test]
fn gstreamer_publishes_over_rtmps() {
    let record = Recording(scratch("flv"));
    let gateway = Gateway::start_self_signed(&[SHORT_RESUME]);
    let (at, file) = (rtmps(&gateway), record.0.display());
    let mut encoder = Encoder::gstreamer(&format!(
        "flvmux name=mux streamable=true ! tee name=both \
         videotestsrc num-buffers=100 ! video/x-raw,format=I420,width=320,height=180,framerate=25/1 ! \
         x264enc key-int-max=50 ! h264parse ! mux. \
         audiotestsrc num-buffers=172 samplesperbuffer=1024 ! audio/x-raw,rate=44100,channels=2 ! \
         avenc_aac ! aacparse ! mux. \
         both. ! queue ! rtmp2sink sync=false tls-validation-flags=0 location=rtmps://{at}/live/show \
         both. ! queue ! filesink location={file}"
    ));
    let mut player = Player::join(&gateway, "/live/show");
    player.follow_to_the_end(END);
    encoder.succeeds(ENCODING);
    assert_whole(&Tracks::read(&record.0), &player);
}

/// curl says which version of HTTP it came to.
#[test]
fn a_playlist_is_fetched_over_http2_and_over_http1() {
    let gateway = Gateway::start_self_signed(&[]);
    let url = format!("rtmps://{}/live/show", rtmps(&gateway));
    let _encoder = Encoder::send(&Clip::usual(6).file(), Pace::Live, &url);
    until_listed(&gateway);
    let url = format!("https://{}/live/show/index.m3u8", https(&gateway));
    for (wanted, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--insecure", wanted]);
        curl.args(["--write-out", "%{http_version} %{response_code}", &url]);
        let output = curl.output().expect("curl is there");
        let said = String::from_utf8_lossy(&output.stdout);
        let (playlist, end) = said.rsplit_once('\n').expect("a playlist and a line");
        assert_eq!(end, format!("{version} 200"), "{output:?}");
        assert!(playlist.starts_with("#EXTM3U\n"), "{output:?}");
    }
}

/// As players do: the reload and the part that is hinted at wait side by side on one connection. curl says how many
/// connections each took.
#[test]
fn low_latency_is_followed_over_http2() {
    let gateway = Gateway::start_self_signed(&[("FOREBAY__HLS__SEGMENT", "1s")]);
    let script = Material::of(&Clip::usual(8)).endless();
    let mut publisher = Stepwise::publish(&gateway, script);
    publisher.send_until(2_500);
    let two = |load: &Load| load.segments.len() == 3 && load.edge().1 == 1;
    let mut load = low_latency::until_listed(&gateway, "video.m3u8", "two parts", two);
    let folder = format!("https://{}/live/show", https(&gateway));
    // Over the end of a segment.
    for until_ms in [2_700, 2_900, 3_100, 3_300] {
        let (msn, part) = load.next();
        let reload = format!("{folder}/video.m3u8?_HLS_msn={msn}&_HLS_part={part}");
        let hint = format!("{folder}/{}", load.hints[0].0);
        let [text, body] = ["m3u8", "mp4"].map(|suffix| Recording(scratch(suffix)));
        let before = faults(&gateway, "http_requests");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--insecure", "--http2"]);
        curl.args(["--parallel", "--max-time", "30"]);
        let said = "%{http_version} %{response_code} %{num_connects}\n";
        curl.args(["--write-out", said]);
        for (url, file) in [(&reload, &text), (&hint, &body)] {
            curl.args([url, "--output"]).arg(&file.0);
        }
        curl.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut curl = curl.spawn().expect("curl is there");
        // Looking counts as well.
        let mut looks = 0;
        wait::until("both to be asked for", SOON, || {
            looks += 1;
            let requests = faults(&gateway, "http_requests") - before;
            (requests == looks + 2).then_some(())
        });
        assert_eq!(curl.try_wait().expect("it can be asked"), None);
        publisher.send_until(until_ms);
        let output = curl.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        let mut said: Vec<_> = said.lines().collect();
        said.sort_unstable();
        assert_eq!(said, ["2 200 0", "2 200 1"], "{output:?}");
        let read = std::fs::read_to_string(&text.0).expect("a playlist");
        let after = Load::read(&read);
        after.assert_follows(&load);
        assert_eq!(after.edge(), (msn, part));
        let part = gateway.get(&format!("/live/show/{}", load.hints[0].0));
        let body = std::fs::read(&body.0).expect("a part");
        assert!(!body.is_empty() && body == part.body, "{hint}");
        load = after;
    }
    assert_eq!(faults(&gateway, "http_faults"), 0, "{:?}", gateway.log());
}

#[test]
fn the_protocol_is_agreed_on_and_the_name_chooses_the_certificate() {
    let [a, b] = ["a.example", "b.example"].map(Certificate::new);
    let gateway = Gateway::start_secure(&[&a, &b], &[]);
    let at = https(&gateway);
    let offers = [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ];
    for (offered, expected) in offers {
        for (name, certificate) in [("a.example", &a), ("b.example", &b)] {
            let client = Secure::connect(at, name, &certificate.der, offered);
            let client = client.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(client.protocol(), expected);
        }
    }
    assert!(Secure::connect(at, "b.example", &a.der, &[]).is_err());
}

#[test]
fn a_certificate_is_renewed_and_nobody_is_dropped() {
    let mut certificate = Certificate::new("a.example");
    let gateway = Gateway::start_secure(&[&certificate], &[]);
    let url = format!("rtmps://{}/live/show", rtmps(&gateway));
    let _encoder = Encoder::send(&Clip::usual(60).file(), Pace::Live, &url);
    until_listed(&gateway);
    let connect = |trusted: &_| Secure::connect(https(&gateway), "a.example", trusted, &[]);
    let mut player = connect(&certificate.der).expect("the first certificate");
    assert_eq!(player.get("/live/show/main.m3u8").status, 200);

    let first = certificate.der.clone();
    std::fs::write(&certificate.file, "no certificate").expect("written");
    wait::until("a word about the broken file", SOON, || {
        let path = certificate.file.display().to_string();
        let about =
            |line: &String| line.contains(&path) && line.contains("has no certificate in it");
        gateway.log().iter().any(about).then_some(())
    });
    connect(&first).expect("the first certificate still");

    certificate.renew("a.example");
    wait::until("the new certificate", SOON, || {
        connect(&certificate.der).ok()
    });
    assert!(connect(&first).is_err());
    assert_eq!(player.get("/live/show/main.m3u8").status, 200);
    let streams = gateway.get("/api/v1/streams").json();
    assert_eq!(streams["streams"][0]["state"], "live", "{streams:#}");
    assert_eq!(faults(&gateway, "rtmp_connections"), 1);
}

/// What `forebay COMMAND` with these certificates comes to.
fn forebay(command: &str, certificates: &[&Certificate]) -> Output {
    let mut forebay = Command::new(binary());
    forebay.arg(command);
    forebay.env(
        "FOREBAY__TLS__CERTIFICATES",
        Certificate::as_key(certificates),
    );
    forebay.output().expect("it can be started")
}

#[test]
fn a_key_of_another_certificate_keeps_it_from_starting() {
    let [mut certificate, other] = ["a.example", "b.example"].map(Certificate::new);
    std::fs::copy(&other.key, &certificate.key).expect("copied");
    let expected = format!(
        "forebay: tls.certificates: the private key in {} does not belong to the certificate in {}",
        certificate.key.display(),
        certificate.file.display()
    );
    for command in ["serve", "check"] {
        let output = forebay(command, &[&other, &certificate]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{output:?}");
        assert!(said.starts_with(&expected), "{said}");
    }
    certificate.renew("a.example");
    assert!(forebay("check", &[&other, &certificate]).status.success());
}

#[test]
fn an_expired_certificate_is_warned_of() {
    let certificate = Certificate::expired("a.example");
    let expected = format!(
        "the certificate in {} has expired on ",
        certificate.file.display()
    );
    let output = forebay("check", &[&certificate]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains(&format!("warning: {expected}")), "{said}");

    let gateway = Gateway::start_secure(&[&certificate], &[]);
    wait::until("the warning", SOON, || {
        let about = |line: &String| line.contains("WARN") && line.contains(&expected);
        gateway.log().iter().any(about).then_some(())
    });
}

#[test]
fn plain_http_on_the_port_of_https_is_answered_in_words() {
    let gateway = Gateway::start_self_signed(&[]);
    let answer = http::get(https(&gateway), "/live/show/index.m3u8");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("https:// instead of http://"), "{detail}");
    assert_eq!(faults(&gateway, "http_faults"), 1);
}

/// A handshake is given no longer than RTMP's own, and those who come the wrong way are named once.
#[test]
fn those_who_do_not_shake_hands_are_let_go() {
    let gateway = Gateway::start_self_signed(&[("FOREBAY__RTMP__HANDSHAKE_TIMEOUT", "1s")]);
    // Bytes, and where they are wrong.
    let cases: [(&[u8], SocketAddr); 6] = [
        // The version of RTMP.
        (b"\x03", rtmps(&gateway)),
        // The head of a ClientHello, and no more.
        (b"\x16\x03\x01\x02\x00", rtmps(&gateway)),
        (b"\x16\x03\x01\x02\x00", gateway.rtmp),
        // A handshake record with no handshake in it.
        (b"\x16\x03\x01\x00\x04\xff\xff\xff\xff", gateway.rtmp),
        // Neither TLS nor RTMP.
        (b"\x80\x2e\x01", rtmps(&gateway)),
        // Nothing.
        (b"", gateway.rtmp),
    ];
    for (at, (bytes, address)) in (1..).zip(cases) {
        let mut peer = Peer::connect(address);
        peer.send(bytes);
        peer.until_closed(SOON);
        wait::until("the fault to be counted", SOON, || {
            (faults(&gateway, "faults") == at).then_some(())
        });
    }
    let log = gateway.log();
    let named = |line: &&String| line.contains("plain RTMP on the port of RTMPS");
    assert_eq!(log.iter().filter(named).count(), 1, "{log:?}");
}

#[test]
fn without_certificates_rtmps_is_refused_in_words() {
    let gateway = Gateway::start();
    assert_eq!((gateway.rtmps, gateway.https), (None, None));
    let mut peer = Peer::connect(gateway.rtmp);
    peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    peer.until_closed(SOON);
    wait::until("a word about it", SOON, || {
        let about = |line: &String| line.contains("begins TLS: this port speaks plain RTMP");
        gateway.log().iter().any(about).then_some(())
    });
}
