use std::time::{Duration, SystemTime};

use media::{Anchor, MediaTime, TrackKind};
use playlist::{Presentation, PublishStatus, State};
use segmenter::flv::file::{Framing, header};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::config::Config;
use crate::house::raised;
use crate::transcoder::feed::FIRST_MS;
use crate::transcoder::tests::in_time;
use crate::transcoder::trial::SOURCE;
use crate::transcoder::workshop::{Socket, Workshop};

/// Of the source, by the clock.
const DATE: Duration = Duration::from_secs(1_000_000);

/// What the rung has.
const BOTH: [TrackKind; 2] = [TrackKind::Video, TrackKind::Audio];

/// An inlet that runs.
struct Bench {
    house: Arc<House>,
    socket: Socket,
    over: watch::Sender<bool>,
    heard: Arc<AtomicBool>,
    running: JoinHandle<()>,
    /// It has the folder of the socket.
    _workshop: Workshop,
}

impl Bench {
    fn new() -> Self {
        Self::within(Arc::new(House::new(Config::default(), Arc::default())))
    }

    fn within(house: Arc<House>) -> Self {
        let workshop = Workshop::with("ffmpeg".into(), 1).expect("room");
        let (listener, socket) = workshop.socket(360).expect("room");
        let (over, heard) = (watch::Sender::new(false), Arc::default());
        let inlet = Inlet {
            name: name(),
            terms: Terms::default(),
            peer: peer(1),
            origin: Origin {
                sent_ms: FIRST_MS.into(),
                clock: Anchor {
                    at: MediaTime::ZERO,
                    date: SystemTime::UNIX_EPOCH + DATE,
                },
                run: 0,
            },
            house: house.clone(),
            heard: Arc::clone(&heard),
            noted: Arc::default(),
        };
        let running = tokio::spawn(inlet.run(listener, raised(&over)));
        Self {
            house,
            socket,
            over,
            heard,
            running,
            _workshop: workshop,
        }
    }

    async fn connect(&self) -> UnixStream {
        let connected = UnixStream::connect(self.socket.path()).await;
        connected.expect("it listens")
    }

    /// Waits until the name is published by that encoder.
    async fn published_by(&self, peer: SocketAddr) -> Arc<Presentation> {
        let look = async {
            loop {
                if let Some(there) = self.house.registry.directory().find(&name())
                    && there.state() == State::Live
                    && there.status().is_some_and(|status| status.address == peer)
                {
                    return there;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        in_time("its publish", look).await
    }

    /// Waits until something has come, of which all is read at once.
    async fn has_heard(&self) {
        let look = async {
            while !self.heard.swap(false, Ordering::Relaxed) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        in_time("something to come", look).await;
    }

    async fn end(self) {
        let ended = in_time("its end", self.running).await;
        ended.expect("no panic");
    }
}

fn name() -> PresentationName {
    PresentationName::parse("live", "show_360p").expect("valid")
}

/// An encoder: 1 is the source's.
fn peer(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 50_000))
}

/// Another publish of the rung's name, by encoder 2.
fn another(house: &Arc<House>, on_conflict: OnConflict) -> Publish {
    let terms = Terms {
        on_conflict,
        ..Terms::default()
    };
    let begun = Publish::begin(name(), terms, peer(2), None, house.clone());
    begun.map_err(|why| why.to_string()).expect("it may")
}

/// Those of the source: two configurations, a picture, and sound.
fn messages() -> Vec<Message> {
    let mut reader = Reader::new();
    reader.push(SOURCE);
    std::iter::from_fn(|| reader.pull().expect("FLV")).collect()
}

/// What of it is media.
fn media(messages: &[Message]) -> Vec<Message> {
    let media = messages.iter().filter(|it| Role::of(it) == Role::Media);
    media.cloned().collect()
}

fn payloads(messages: &[Message]) -> u64 {
    let all = messages.iter().map(|message| message.payload.len() as u64);
    all.sum()
}

/// As tags, in a run.
fn tags(messages: &[Message]) -> Vec<u8> {
    let tag = |message: &Message| {
        let framing = Framing::of(message, FIRST_MS + message.timestamp_ms).expect("it is short");
        [&framing.before[..], &message.payload, &framing.behind].concat()
    };
    messages.iter().flat_map(tag).collect()
}

fn file(messages: &[Message]) -> Vec<u8> {
    let header = header(&[MessageKind::Video, MessageKind::Audio]);
    [&header[..], &tags(messages)].concat()
}

fn kinds(status: &PublishStatus) -> Vec<TrackKind> {
    let kinds = status.tracks.iter().map(|(track, _)| track.kind());
    kinds.collect()
}

#[tokio::test(start_paused = true)]
async fn what_comes_is_published_to_its_end_and_dated_as_the_source() {
    let bench = Bench::new();
    let presentation = bench.published_by(peer(1)).await;
    assert!(
        !bench.heard.load(Ordering::Relaxed),
        "it has the name before anything comes"
    );
    let messages = messages();
    let mut stream = bench.connect().await;
    for few in file(&messages).chunks(7) {
        stream.write_all(few).await.expect("it reads");
        bench.has_heard().await;
    }
    // What is under way when the run ends is published yet.
    bench.over.send_replace(true);
    sleep(2 * REPORT_EVERY).await;
    assert_eq!(presentation.state(), State::Live);
    drop(stream);
    bench.end().await;
    assert_eq!(presentation.state(), State::Resuming);
    let status = presentation.status().expect("a report");
    assert_eq!(
        (status.address, status.bytes),
        (peer(1), payloads(&messages))
    );
    assert_eq!(kinds(&status), BOTH);
    let window = presentation.window();
    let date = window.listed().next().expect("a segment").segment.date;
    // The picture is that far behind the sound.
    let picture = Duration::from_millis(21);
    assert_eq!(date, SystemTime::UNIX_EPOCH + DATE + picture);
}

#[tokio::test(start_paused = true)]
async fn one_that_nothing_comes_to_ends_with_the_run() {
    let bench = Bench::new();
    let presentation = bench.published_by(peer(1)).await;
    bench.over.send_replace(true);
    bench.end().await;
    assert_ne!(presentation.state(), State::Live);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_flv_ends_it() {
    let bench = Bench::new();
    let presentation = bench.published_by(peer(1)).await;
    let mut stream = bench.connect().await;
    stream.write_all(b"RIFF").await.expect("it reads");
    bench.end().await;
    assert_ne!(presentation.state(), State::Live);
}

/// Whoever has published it on purpose keeps it; what has come meanwhile is left out, but for the configurations.
#[tokio::test(start_paused = true)]
async fn a_name_that_another_has_is_waited_for() {
    let house = Arc::new(House::new(Config::default(), Arc::default()));
    let other = another(&house, OnConflict::Reject);
    let bench = Bench::within(house);
    let messages = messages();
    let mut stream = bench.connect().await;
    let first = file(&messages);
    stream.write_all(&first).await.expect("it reads");
    bench.has_heard().await;
    sleep(3 * REPORT_EVERY).await;
    bench.published_by(peer(2)).await;
    other.end(&Ending::Unpublished);
    let presentation = bench.published_by(peer(1)).await;
    let rest = tags(&media(&messages));
    stream.write_all(&rest).await.expect("it reads");
    drop(stream);
    bench.end().await;
    let status = presentation.status().expect("a report");
    assert_eq!(kinds(&status), BOTH);
    assert_eq!(
        status.bytes,
        payloads(&messages),
        "configurations and media"
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_another_takes_over_is_taken_again_when_that_leaves() {
    let bench = Bench::new();
    bench.published_by(peer(1)).await;
    let messages = messages();
    let mut stream = bench.connect().await;
    let first = file(&messages);
    stream.write_all(&first).await.expect("it reads");
    bench.has_heard().await;
    let other = another(&bench.house, OnConflict::Takeover);
    bench.published_by(peer(2)).await;
    sleep(3 * REPORT_EVERY).await;
    other.end(&Ending::Unpublished);
    let presentation = bench.published_by(peer(1)).await;
    let rest = tags(&media(&messages));
    stream.write_all(&rest).await.expect("it reads");
    drop(stream);
    bench.end().await;
    let status = presentation.status().expect("a report");
    assert_eq!(kinds(&status), BOTH);
}

/// ffmpeg makes the other rungs too, and must not wait.
#[tokio::test(start_paused = true)]
async fn what_comes_to_one_that_an_operator_has_dismissed_is_read_and_left_out() {
    let bench = Bench::new();
    let presentation = bench.published_by(peer(1)).await;
    let mut stream = bench.connect().await;
    assert!(presentation.dismiss(Dismissal::Operator));
    let messages = messages();
    let first = file(&messages);
    stream.write_all(&first).await.expect("it reads");
    let rest = tags(&messages);
    let feed = async {
        // More than any socket holds.
        for _ in 0..(8 << 20) / rest.len() {
            stream.write_all(&rest).await.expect("it reads");
        }
    };
    in_time("it to read", feed).await;
    sleep(3 * REPORT_EVERY).await;
    assert_ne!(presentation.state(), State::Live, "in this run");
    let status = presentation.status().expect("a report");
    assert_eq!(status.bytes, 0);
    drop(stream);
    bench.end().await;
}
