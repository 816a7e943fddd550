//! A page with dash.js and Shaka, at another origin than the gateway: what a site that embeds a stream has.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;

/// The players are development dependencies of the pages: `npm ci` in `web/`.
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/node_modules");

/// Paths of the site, and the files behind them.
const SCRIPTS: [(&str, &str); 2] = [
    ("/dash.js", "dashjs/dist/modern/umd/dash.all.min.js"),
    ("/shaka.js", "shaka-player/dist/shaka-player.compiled.js"),
];

/// `dashJs(url)` and `shakaPlayer(url)` add a player; `states()` says how each is, and `showRung(height)` has all of them
/// change to that rung when they have shown what they have in hand; `hear(language)` and `read(service)` are for Shaka.
/// Nothing is configured but low latency: Shaka's own target is 0.5 s from the end of what can be sought, and what a
/// manifest says would count twice there, as suggestedPresentationDelay and as Latency. And Shaka 5.2 must not look for
/// captions in segments of HLS that are still open.
const PAGE: &str = "<!doctype html><title>DASH</title><link rel=icon href=data:,>
<script src=/dash.js></script><script src=/shaka.js></script><body><script>
    const players = [];
    const add = (kind) => {
        const video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const player = { kind, video, fatal: [], latency: () => null, heights: () => [], sounds: () => [], captions: () => [], waits: [], said: [] };
        video.addEventListener('waiting', () => player.waits.push([video.currentTime, player.buffered?.()]));
        players.push(player);
        return player;
    };
    const ID3 = 'https://aomedia.org/emsg/ID3';
    const text = (bytes) => new TextDecoder().decode(bytes);
    window.dashJs = (url) => {
        const shown = add(`dash.js ${url}`);
        const player = dashjs.MediaPlayer().create();
        player.initialize();
        player.on('error', ({ error }) => shown.fatal.push(`${error?.code} ${error?.message}`));
        player.on(ID3, ({ event }) => shown.said.push(text(event.messageData)));
        player.attachView(shown.video);
        player.setAutoPlay(true);
        player.attachSource(url);
        shown.latency = () => player.getCurrentLiveLatency();
        shown.heights = () => player.getRepresentationsByType('video').map(({ height }) => height);
        shown.show = (height) => {
            player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
            const wanted = player.getRepresentationsByType('video').find((it) => it.height === height);
            player.setRepresentationForTypeById('video', wanted.id);
        };
        shown.buffered = () => ['video', 'audio'].map((kind) => player.getBufferLength(kind));
    };
    window.shakaPlayer = async (url) => {
        shaka.polyfill.installAll();
        const shown = add(`Shaka ${url}`);
        const player = new shaka.Player();
        player.addEventListener('error', ({ detail }) => {
            if (detail.severity === 2) shown.fatal.push(`${detail.code} ${detail.data}`);
        });
        player.addEventListener('emsg', ({ detail }) => shown.said.push(text(detail.messageData)));
        await player.attach(shown.video);
        player.configure({ manifest: { hls: { disableClosedCaptionsDetection: true } },
            streaming: { lowLatencyMode: true, liveSync: { enabled: true } } });
        shown.latency = () => player.getStats().liveLatency;
        shown.heights = () => player.getVariantTracks().map(({ height }) => height);
        shown.sounds = () => player.getAudioTracks().map(({ language, label, active }) => ({ language, label, active }));
        shown.captions = () => player.getTextTracks().map(({ originalTextId }) => originalTextId);
        shown.read = (service) => player.selectTextTrack(
            player.getTextTracks().find(({ originalTextId }) => originalTextId === service));
        shown.hear = (language) => player.selectAudioTrack(player.getAudioTracks().find((it) => it.language === language));
        shown.show = (height) => {
            player.configure({ abr: { enabled: false } });
            const wanted = player.getVariantTracks().find((it) => it.height === height);
            player.selectVariantTrack(wanted, false);
        };
        const ahead = (ranges) => Math.max(0, ...ranges.map(({ end }) => end)) - shown.video.currentTime;
        shown.buffered = () => {
            const { video, audio } = player.getBufferedInfo();
            return [ahead(video), ahead(audio)];
        };
        await player.load(url).catch((error) => shown.fatal.push(`${error.code} ${error.data} ${error.stack}`));
        shown.video.play().catch(() => undefined);
    };
    window.showRung = (height) => players.forEach(({ show }) => show(height));
    window.read = (service) => players.forEach(({ read }) => read?.(service));
    window.hear = (language) => players.forEach(({ hear }) => hear(language));
    window.states = () => players.map(({ kind, video, fatal, latency, buffered, waits, heights, sounds, captions, said }) => ({
        kind, fatal, waits, said, heights: heights(), sounds: sounds(), captions: captions(),
        cues: [...video.textTracks].flatMap(({ cues }) => [...cues ?? []].map(({ text }) => text)), height: video.videoHeight, error: video.error?.message ?? null, time: video.currentTime, latency: latency(),
        buffered: buffered?.() ?? [], pictures: video.getVideoPlaybackQuality().totalVideoFrames,
        sound: video.webkitAudioDecodedByteCount,
    }));
    </script>";

/// Serves until the test's process ends; gives the address.
///
/// # Panics
/// No port is free.
pub fn serve() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let at = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // A browser that leaves in the middle is no fault.
            std::thread::spawn(move || answer(&socket));
        }
    });
    at
}

/// One request a connection.
fn answer(mut socket: &TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(socket).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or("/");
    let script = SCRIPTS.iter().find(|(at, _)| *at == path);
    let (kind, body) = match script {
        Some((_, file)) => ("text/javascript", fs::read(Path::new(MODULES).join(file))?),
        None => ("text/html", PAGE.as_bytes().to_vec()),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(&[head.as_bytes(), &body].concat())
}
