use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use media::codec::Vp9;
use media::{Anchor, Codec, MediaTime, MessageKind};
use segmenter::Origin;
use segmenter::flv::Entry;
use tokio::time::sleep;

use super::*;
use crate::config::{Config, Preset};

/// More than a pipe holds.
const LARGE: usize = 1 << 20;

/// What a child has not done by then it will not do.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits with a deadline of the wall clock: where a test's own clock is paused, that runs ahead of the children.
pub(super) async fn in_time<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    let deadline = Instant::now() + LIMIT;
    let mut waiting = pin!(waiting);
    loop {
        tokio::select! {
            biased;
            done = &mut waiting => return done,
            () = sleep(Duration::from_millis(10)) => {}
        }
        assert!(
            Instant::now() < deadline,
            "waited {LIMIT:?} in vain for {what}"
        );
    }
}

/// VP9's configuration says no size: its key frames do.
fn pictures_of((width, height): (u16, u16)) -> Arc<Codec> {
    Arc::new(Codec::Vp9(Vp9 {
        record: Bytes::new(),
        profile: 0,
        level: 31,
        bit_depth: 8,
        chroma: 1,
        width,
        height,
        colour: None,
    }))
}

/// A transcoder whose ffmpeg is a script.
struct Bench {
    transcoder: Transcoder,
    workshop: Arc<Workshop>,
    script: PathBuf,
}

impl Bench {
    fn new(name: &str, text: &str) -> Self {
        Self::of(name, text, 1)
    }

    fn of(name: &str, text: &str, max_processes: usize) -> Self {
        Self::with_source("show", name, text, max_processes)
    }

    fn with_source(source: &str, name: &str, text: &str, max_processes: usize) -> Self {
        let file = format!("forebay-script-{}-{name}", std::process::id());
        let script = std::env::temp_dir().join(file);
        // By another process: what this one has open for writing, children that other tests begin have open too, and it
        // could not be executed.
        let writing = "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$0\" && chmod 700 \"$0\"";
        let mut sh = std::process::Command::new("sh");
        let written = sh.args(["-c", writing]).arg(&script).arg(text).status();
        assert!(written.expect("sh is there").success());
        let workshop = Workshop::with(script.clone(), max_processes).expect("room");
        let rendition = |height| Rendition {
            height,
            bit_rate: 500_000,
            preset: Preset::Veryfast,
        };
        let workshop = Arc::new(workshop);
        let transcoder = Transcoder::begin(Making {
            ladder: Ladder {
                name: "mobile".to_owned(),
                renditions: [720, 360].map(rendition).into(),
            },
            source: PresentationName::parse("live", source).expect("valid"),
            terms: Terms::default(),
            peer: SocketAddr::from(([192, 0, 2, 1], 50_000)),
            workshop: workshop.clone(),
            house: Arc::new(House::new(Config::default(), Arc::default())),
        });
        Self {
            transcoder,
            workshop,
            script,
        }
    }

    /// A large key frame of a source of that size.
    fn key_frame(&self, size: (u16, u16)) {
        self.key_frame_of(size, LARGE);
    }

    fn key_frame_of(&self, size: (u16, u16), bytes: usize) {
        let message = Message {
            kind: MessageKind::Video,
            timestamp_ms: 0,
            payload: [&[0x17, 1, 0, 0, 0][..], &vec![0; bytes]].concat().into(),
        };
        let clock = Anchor {
            at: MediaTime::ZERO,
            date: SystemTime::UNIX_EPOCH,
        };
        let placed = Placed {
            origin: Origin {
                sent_ms: 0,
                clock,
                run: 0,
            },
            entry: Entry::RandomAccess,
            codec: pictures_of(size),
        };
        let (preamble, now) = (Preamble::default(), Instant::now());
        let taken = self
            .transcoder
            .take(&message, Some(&placed), &preamble, now);
        assert_eq!(taken, None);
    }

    async fn until(&self, state: TranscoderState) -> Transcoding {
        let look = async {
            loop {
                let status = self.transcoder.status();
                if status.state == state {
                    return status;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        in_time(&format!("{state:?}"), look).await
    }

    async fn end(self) {
        drop(self.transcoder);
        in_time("its end", self.workshop.empty()).await;
        fs::remove_file(self.script).expect("it is there");
    }
}

#[tokio::test]
async fn an_ffmpeg_that_fails_is_told_with_its_last_words_and_started_again() {
    let bench = Bench::new("fails", "echo 'no such encoder' >&2; exit 3");
    bench.until(TranscoderState::Waiting).await;
    for restarts in 0..2 {
        bench.key_frame((256, 1080));
        let status = bench.until(TranscoderState::Pausing).await;
        assert_eq!(status.restarts, restarts);
        let why = "ffmpeg ended with exit status: 3: no such encoder";
        assert_eq!(status.last_error.as_deref(), Some(why));
        assert_eq!(bench.transcoder.news().map(|it| it.text), Some(why.into()));
        assert_eq!(bench.transcoder.news(), None, "once");
        bench.until(TranscoderState::Waiting).await;
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_ffmpeg_that_takes_nothing_is_killed() {
    let bench = Bench::new("hangs", "exec sleep 1000");
    bench.key_frame((256, 720));
    let status = bench.until(TranscoderState::Pausing).await;
    let why = status.last_error.expect("words");
    assert_eq!(why, "ffmpeg took nothing for 10s");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_ffmpeg_that_takes_all_and_gives_nothing_is_killed() {
    let bench = Bench::new("mute", "exec cat >/dev/null");
    let feed = async {
        loop {
            bench.key_frame_of((256, 720), 10);
            sleep(Duration::from_secs(1)).await;
            if let Some(why) = bench.transcoder.status().last_error {
                return why;
            }
        }
    };
    let why = in_time("words", feed).await;
    assert_eq!(why, "ffmpeg gave nothing for 20s");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn where_as_many_run_as_may_it_waits_for_its_turn() {
    let bench = Bench::of("full", "exit 1", 0);
    bench.key_frame((256, 720));
    let status = bench.until(TranscoderState::Pausing).await;
    let why = status.last_error.expect("words");
    assert!(
        why.ends_with("transcoder.max_processes allows no more"),
        "{why}"
    );
    assert_eq!(status.restarts, 0);
    bench.until(TranscoderState::Waiting).await;
    bench.end().await;
}

#[tokio::test]
async fn nothing_is_made_of_a_source_that_is_smaller_than_all_renditions() {
    let bench = Bench::new("idle", "exit 1");
    bench.key_frame((256, 240));
    let status = bench.until(TranscoderState::Idle).await;
    assert_eq!((status.rungs, status.last_error), (Vec::new(), None));
    bench.end().await;
}

/// `_720p` is five bytes.
#[tokio::test]
async fn rungs_whose_names_would_be_too_long_are_told() {
    let why = |heights, bytes| {
        format!(
            "no rung of {heights} is made: behind the name of {bytes} bytes, theirs would have more than the \
             128 allowed; publish under a shorter name"
        )
    };
    let cases = [
        (123, None, 2),
        (124, Some(why("720p, 360p", 124)), 0),
        (128, Some(why("720p, 360p", 128)), 0),
    ];
    for (bytes, expected, rungs) in cases {
        let bench = Bench::with_source(&"x".repeat(bytes), "nameless", "exit 1", 1);
        let status = bench.transcoder.status();
        assert_eq!(status.rungs.len(), rungs);
        assert_eq!(status.last_error, expected);
        assert_eq!(bench.transcoder.news().map(|it| it.text), expected);
        if expected.is_some() {
            bench.key_frame((256, 720));
            bench.until(TranscoderState::Idle).await;
            assert_eq!(bench.transcoder.status().last_error, expected);
            assert_eq!(bench.transcoder.news(), None, "once");
        }
        bench.end().await;
    }
}

#[tokio::test]
async fn it_ends_with_its_publish_even_if_it_does_not_want_to() {
    let bench = Bench::new("stubborn", "cat >/dev/null; exec sleep 1000");
    bench.key_frame((256, 720));
    let status = bench.until(TranscoderState::Running).await;
    let names: Vec<_> = status.rungs.iter().map(Name::as_str).collect();
    assert_eq!(names, ["show_720p", "show_360p"]);
    bench.end().await;
}

#[tokio::test]
async fn what_is_too_large_to_be_decoded_is_not_transcoded() {
    let bench = Bench::new("large", "exit 1");
    bench.key_frame((8_192, 8_192));
    let status = bench.until(TranscoderState::Idle).await;
    let why = status.last_error.expect("words");
    assert!(
        why.starts_with("pictures of 8192x8192 are too large"),
        "{why}"
    );
    bench.end().await;
}

/// What is encoded can be late, what comes in cannot.
#[tokio::test]
async fn it_is_nicer_than_the_gateway() {
    let said = std::env::temp_dir().join(format!("forebay-nice-{}", std::process::id()));
    let text = format!("nice >'{}'; exec cat >/dev/null", said.display());
    let bench = Bench::new("nice", &text);
    bench.key_frame((256, 720));
    let theirs: u32 = in_time("its niceness", number_in(&said)).await;
    fs::remove_file(&said).expect("it is there");
    let ours = std::process::Command::new("nice").output();
    let ours = String::from_utf8(ours.expect("nice is there").stdout).expect("a number");
    let ours: u32 = ours.trim().parse().expect("a number");
    assert_eq!(theirs, (ours + 5).min(19));
    bench.end().await;
}

/// The number that is the first line of a file, once it is there.
async fn number_in<T: FromStr<Err: Debug>>(file: &Path) -> T {
    loop {
        let said = fs::read_to_string(file).unwrap_or_default();
        if let Some(number) = said.strip_suffix('\n') {
            return number.parse().expect("a number");
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// As `timeout 3600 ffmpeg "$@"` in a script without `exec` is.
#[tokio::test]
async fn what_a_script_has_started_ends_with_it() {
    let said = std::env::temp_dir().join(format!("forebay-child-{}", std::process::id()));
    let text = format!("sleep 1000 & echo $! >'{}'; wait", said.display());
    let bench = Bench::new("wrapper", &text);
    bench.key_frame((256, 720));
    let child: u32 = in_time("a child", number_in(&said)).await;
    fs::remove_file(&said).expect("it is there");
    tokio::time::pause();
    bench.until(TranscoderState::Pausing).await;
    let gone = async {
        // It is a zombie for as long as nobody has asked for it, which is init's work.
        let is_alive = |state: &str| !state.is_empty() && !state.contains(") Z ");
        let state = || fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        while is_alive(&state()) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    in_time("its child's end", gone).await;
    bench.end().await;
}
