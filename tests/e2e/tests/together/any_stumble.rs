//! Whatever an encoder does, the playlists of its name keep the rules: any sequence of stumbles, reconnects,
//! takeovers, expiries and restarts is played through segmenter and playlist in simulated time, and the playlist
//! read strictly after every segment (rfc8216bis §4.4.3, §6.2.1, §6.2.2).

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

use e2e::media_playlist::{Entry, MediaPlaylist};
use e2e::transport::Transport;
use media::{MediaTime, Message, MessageKind, PresentationName, Segment, TrackKind};
use playlist::{Presentation, PushError, Registry, Terms, Writer};
use proptest::prelude::*;
use segmenter::{Output, Segmenter, ts};

/// H.264: Baseline, 128×96; the same with another picture parameter set.
const AVC: [&[u8]; 2] = [
    &[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80,
    ],
    &[
        1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0b, 0xda, 0x10, 0x1a, 0x6c,
        0x80, 1, 0, 4, 0x68, 0xce, 0x3c, 0x81,
    ],
];
/// AAC LC, 48 kHz: stereo, mono.
const AAC: [&[u8]; 2] = [&[0x11, 0x90], &[0x11, 0x88]];
/// From one picture to the next, ms.
const PICTURE: i64 = 40;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// The encoder sends so many milliseconds of media.
    Send { ms: i64, how: How, pace: Pace },
    /// Its clock jumps.
    Jump(i64),
    /// Its clock stands shortly before the end of its 32 bits.
    NearlyWrap,
    /// Nothing arrives for so long (ms); what the encoder had to send meanwhile is lost.
    Silence(i64),
    /// New sequence headers: which video configuration, which audio configuration.
    Configure(usize, usize),
    /// The connection breaks, and the encoder is back so many milliseconds later, its clock at zero.
    Reconnect(i64),
    /// Another connection takes the name, then the first one ends.
    TakeOver,
    /// The encoder leaves and the resume time passes; it comes back for a new presentation.
    Expire,
    /// The gateway begins anew with what it remembers.
    Restart,
}

/// How a stretch of media is made.
#[derive(Clone, Copy, Debug)]
enum How {
    /// A key frame every so many pictures.
    Well {
        gop: i64,
    },
    /// The same with two B-pictures between the others.
    Reordered {
        gop: i64,
    },
    NoKeyFrame,
    NoVideo,
    NoAudio,
    /// Every fifth timestamp is that of the one before, or a little less.
    Disorder,
    /// All timestamps are the same.
    StandingStill,
    /// Audio arrives so much later than its pictures (ms).
    LateAudio(i64),
    /// Composition times that cannot be.
    Composed,
}

/// How fast it arrives: milliseconds for each picture.
#[derive(Clone, Copy, Debug)]
struct Pace(i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let how = prop_oneof![
        6 => (1_i64..150).prop_map(|gop| How::Well { gop }),
        2 => (1_i64..150).prop_map(|gop| How::Reordered { gop }),
        1 => Just(How::NoKeyFrame),
        1 => Just(How::NoVideo),
        1 => Just(How::NoAudio),
        1 => Just(How::Disorder),
        1 => Just(How::StandingStill),
        1 => (0_i64..9_000).prop_map(How::LateAudio),
        1 => Just(How::Composed),
    ];
    let pace =
        prop_oneof![4 => Just(Pace(PICTURE)), 1 => Just(Pace(1)), 1 => Just(Pace(3 * PICTURE))];
    let step = prop_oneof![
        12 => (100_i64..12_000, how, pace).prop_map(|(ms, how, pace)| Step::Send { ms, how, pace }),
        2 => prop_oneof![-20_000_i64..20_000, any::<i32>().prop_map(i64::from)].prop_map(Step::Jump),
        1 => Just(Step::NearlyWrap),
        1 => (100_i64..40_000).prop_map(Step::Silence),
        1 => (0_usize..2, 0_usize..2).prop_map(|(video, audio)| Step::Configure(video, audio)),
        1 => (0_i64..20_000).prop_map(Step::Reconnect),
        1 => Just(Step::TakeOver),
        1 => Just(Step::Expire),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..30)
}

/// A publish, and the encoder behind it.
struct Publish {
    segmenter: Segmenter,
    writer: Writer,
    /// What its clock shows when the next picture is due, ms.
    clock: i64,
    pictures: i64,
    sounds: i64,
}

/// The gateway from its pure parts, its publisher, and one player that never misses a load.
struct House {
    registry: Registry,
    name: PresentationName,
    runtime: tokio::runtime::Runtime,
    began: Instant,
    /// Simulated time, ms.
    now: i64,
    publish: Option<Publish>,
    player: Player,
}

impl House {
    fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let mut house = Self {
            registry: Registry::new(settings()),
            name: PresentationName::parse("live", "show").expect("a name"),
            runtime: runtime.enable_time().build().expect("a runtime"),
            began: Instant::now(),
            now: 0,
            publish: None,
            player: Player::default(),
        };
        house.begin();
        house
    }

    fn instant(&self) -> Instant {
        self.began + Duration::from_millis(self.now.unsigned_abs())
    }

    fn date(&self) -> SystemTime {
        let since = Duration::from_millis(self.now.unsigned_abs());
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + since
    }

    /// Publishes the name, if it may; an active publish is taken over.
    fn begin(&mut self) -> Option<Publish> {
        let terms = Terms {
            resume: Duration::ZERO,
            ..Terms::default()
        };
        let writer = self.registry.publish(&self.name, &terms, self.instant());
        let writer = writer.ok()?;
        let mut segmenter = Segmenter::new(segmenter::Settings::default());
        if let Some(target) = writer.presentation().window().target_duration() {
            segmenter.limit(target.longest_segment());
        }
        let publish = Publish {
            segmenter,
            writer,
            clock: 0,
            pictures: 0,
            sounds: 0,
        };
        let before = self.publish.replace(publish);
        self.configure(0, 0);
        before
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Send { ms, how, pace } => self.send(ms, how, pace),
            Step::Jump(by) => self.turn(|clock| clock + by),
            Step::NearlyWrap => self.turn(|_| (1 << 32) - 2_000),
            Step::Silence(ms) => {
                self.now += ms;
                self.turn(|clock| clock + ms / PICTURE * PICTURE);
            }
            Step::Configure(video, audio) => self.configure(video, audio),
            Step::Reconnect(ms) => {
                drop(self.leave());
                self.now += ms;
                self.begin();
            }
            Step::TakeOver => {
                if let Some(mut replaced) = self.begin() {
                    // What it still holds comes in as long as its successor has listed nothing.
                    replaced.segmenter.finish();
                    self.store(&mut replaced);
                }
            }
            Step::Expire => {
                let presentation = self.presentation();
                let vacancy = self.leave().expect("somebody publishes");
                self.runtime.block_on(vacancy.expire());
                self.player.ended(&presentation);
                self.begin();
            }
            Step::Restart => {
                // Written before the last segments, as a crash would find it, unless it had to be written anew.
                let mut remembered = self.registry.remember().ahead(10);
                drop(self.leave());
                let now = self.registry.remember();
                if !remembered.covers(&now) {
                    remembered = now.ahead(10);
                }
                self.registry = Registry::new(settings());
                drop(self.registry.restore(&remembered, |_| Duration::ZERO));
                self.player.goes_on_anew = !remembered.target_durations.is_empty();
                self.begin();
            }
        }
    }

    fn presentation(&self) -> std::sync::Arc<Presentation> {
        let publish = self.publish.as_ref().expect("somebody publishes");
        publish.writer.presentation().clone()
    }

    fn leave(&mut self) -> Option<playlist::Vacancy> {
        let mut publish = self.publish.take()?;
        publish.segmenter.finish();
        self.store(&mut publish);
        Some(publish.writer.leave())
    }

    fn turn(&mut self, clock: impl Fn(i64) -> i64) {
        let publish = self.publish.as_mut().expect("somebody publishes");
        publish.clock = clock(publish.clock);
    }

    fn configure(&mut self, video: usize, audio: usize) {
        let clock = self.publish.as_ref().map_or(0, |publish| publish.clock);
        let header = [&[0x17, 0, 0, 0, 0], AVC[video]].concat();
        self.message(MessageKind::Video, clock, header);
        self.message(MessageKind::Audio, clock, [&[0xaf, 0], AAC[audio]].concat());
    }

    fn send(&mut self, ms: i64, how: How, Pace(pace): Pace) {
        let mut held: Vec<(i64, i64)> = Vec::new();
        let from = self.publish.as_ref().expect("somebody publishes").clock;
        for n in 0..ms / PICTURE {
            let publish = self.publish.as_mut().expect("somebody publishes");
            let (picture, clock) = (publish.pictures, publish.clock);
            publish.pictures += 1;
            publish.clock += PICTURE;
            let stamp = |at: i64| match how {
                How::StandingStill => from,
                How::Disorder if n % 5 == 2 => at - PICTURE - n % 3 * 10,
                _ => at,
            };
            let (key, composition) = match how {
                How::Well { gop } => (n % gop == 0, 0),
                How::Reordered { gop } => (
                    n % gop == 0,
                    [1, 3, 0]
                        [usize::from(n % gop > 0) * usize::try_from(n % gop % 3).expect("below 3")]
                        * PICTURE,
                ),
                How::NoKeyFrame => (false, 0),
                How::Composed => (n % 50 == 0, if n % 7 == 3 { 8_000_000 } else { 0 }),
                _ => (n % 50 == 0, 0),
            };
            if !matches!(how, How::NoVideo) {
                self.message(
                    MessageKind::Video,
                    stamp(clock),
                    video(key, composition, picture),
                );
            }
            // 46.875 frames a second: the programme's sounds that begin with this picture or before the next.
            let publish = self.publish.as_mut().expect("somebody publishes");
            while publish.sounds * 64 / 3 < publish.pictures * PICTURE {
                let within = publish.sounds * 64 / 3 - picture * PICTURE;
                publish.sounds += 1;
                held.push((clock, within));
            }
            self.now += pace;
            let late = if let How::LateAudio(late) = how {
                late
            } else {
                0
            };
            while let Some(&(at, within)) = held.first()
                && at + late <= clock
            {
                held.remove(0);
                if !matches!(how, How::NoAudio) {
                    self.message(
                        MessageKind::Audio,
                        stamp(at + within),
                        vec![0xaf, 1, 0x21, 0x10],
                    );
                }
            }
        }
    }

    fn message(&mut self, kind: MessageKind, at: i64, body: Vec<u8>) {
        let message = Message {
            kind,
            timestamp_ms: u32::try_from(at.rem_euclid(1 << 32)).expect("32 bits"),
            payload: body.into(),
        };
        let date = self.date();
        let mut publish = self.publish.take().expect("somebody publishes");
        publish.segmenter.push(&message, date);
        self.store(&mut publish);
        self.publish = Some(publish);
    }

    /// As the gateway does it.
    fn store(&mut self, publish: &mut Publish) {
        while let Some(output) = publish.segmenter.pull() {
            let Output::Segment(segment) = output else {
                continue;
            };
            match publish.writer.push(segment, self.instant()) {
                Ok(target) => {
                    publish.segmenter.limit(target.longest_segment());
                    self.player.load(publish.writer.presentation());
                }
                Err(PushError::Replaced(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn settings() -> playlist::Settings {
    playlist::Settings {
        linger: Duration::ZERO,
        ..playlist::Settings::default()
    }
}

fn video(key: bool, composition: i64, n: i64) -> Vec<u8> {
    let composition = i32::try_from(composition).expect("24 bits");
    let [_, composition @ ..] = composition.to_be_bytes();
    let slice = if key { 0x65 } else { 0x41 };
    let mut body = vec![if key { 0x17 } else { 0x27 }, 1];
    body.extend_from_slice(&composition);
    body.extend_from_slice(&[0, 0, 0, 3, slice, 0x88, 0x80 | n.to_le_bytes()[0]]);
    body
}

/// A player that loads the playlist after every change.
#[derive(Default)]
struct Player {
    /// The last load, and the number of the presentation it was of.
    last: Option<(u32, MediaPlaylist)>,
    /// The gateway was started again after the last load, and remembers the presentation.
    goes_on_anew: bool,
    uris: HashSet<String>,
    /// The greatest numbers listed so far, of media and of discontinuities.
    numbers: Option<(u64, u64)>,
    /// Since the last discontinuity: where it began, and what EXTINF sums up to.
    run: Option<(MediaTime, u64)>,
    transport: Transport,
    segments: usize,
}

impl Player {
    fn load(&mut self, presentation: &Presentation) {
        let window = presentation.window();
        let text = String::from_utf8(window.playlist().plain().to_vec()).expect("UTF-8");
        let playlist = MediaPlaylist::parse(&text);
        if self
            .last
            .as_ref()
            .is_none_or(|(epoch, _)| *epoch != presentation.epoch())
        {
            self.run = None;
        }
        if let Some((epoch, before)) = &self.last {
            if *epoch == presentation.epoch() {
                playlist.assert_follows(before);
                // What has just been removed can still be fetched.
                for (sequence, ..) in before.numbered() {
                    assert!(
                        window.entry(sequence).is_some(),
                        "{sequence} is gone in\n{text}"
                    );
                }
            } else if self.goes_on_anew {
                assert_eq!(playlist.target, before.target, "constant over a restart");
                let first = playlist.entries.first();
                assert!(first.is_some_and(|entry| entry.discontinuity), "{text}");
            }
        }
        for (sequence, discontinuity, entry) in playlist.numbered() {
            let held = window
                .entry(sequence)
                .expect("what is listed can be fetched");
            assert_eq!(held.uri, entry.uri);
            assert_eq!(held.discontinuity_sequence, discontinuity, "{text}");
            assert!(
                held.segment.independent || !playlist.independent,
                "{} is not independent in\n{text}",
                entry.uri
            );
            if self.uris.insert(entry.uri.clone()) {
                self.number(presentation.epoch(), sequence, discontinuity);
                self.fetch(&held.segment, &held.mpeg_ts(ts::mux), entry);
            }
        }
        self.last = Some((presentation.epoch(), playlist));
        self.goes_on_anew = false;
    }

    /// The resume time has passed.
    fn ended(&mut self, presentation: &Presentation) {
        if presentation.window().is_ready() {
            self.load(presentation);
            let ended = self
                .last
                .as_ref()
                .is_some_and(|(_, playlist)| playlist.ended);
            assert!(ended, "EXT-X-ENDLIST");
        }
        self.goes_on_anew = false;
    }

    /// Numbers rise: by one within a presentation, past all there were in the next.
    fn number(&mut self, epoch: u32, sequence: u64, discontinuity: u64) {
        let same = self.last.as_ref().is_some_and(|(last, _)| *last == epoch);
        if let Some((last, breaks)) = self.numbers {
            assert!(if same {
                sequence == last + 1
            } else {
                sequence > last
            });
            assert!(if same {
                discontinuity - breaks <= 1
            } else {
                discontinuity > breaks
            });
        }
        self.numbers = Some((sequence, discontinuity));
    }

    /// A segment that is listed for the first time.
    fn fetch(&mut self, segment: &Segment, body: &[u8], entry: &Entry) {
        self.segments += 1;
        assert_eq!(body.len() as u64, segment.ts.bytes);
        let same = self.run.is_some() && !entry.discontinuity;
        if !same {
            self.transport.discontinuity();
            self.run = Some((segment.start, 0));
        }
        let (start, sum) = self.run.as_mut().expect("a run");
        *sum += entry.duration_ms;
        let media = segment.start + segment.duration - *start;
        let off = media - MediaTime::from_millis(i64::try_from(*sum).expect("small"));
        assert!(
            off.abs() <= MediaTime::from_millis(1),
            "EXTINF is {off:?} off the media"
        );
        assert!(
            (segment.duration
                - MediaTime::from_millis(i64::try_from(entry.duration_ms).expect("small")))
            .abs()
                <= MediaTime::from_millis(1)
        );

        let read = self.transport.read(body);
        let leading = &segment.tracks[segment.leading_track()];
        assert_eq!(read.has_video(), leading.kind() == TrackKind::Video);
        if read.has_video() {
            assert_eq!(
                read.random_access, segment.independent,
                "begins with an IDR picture"
            );
        }
        let mut last = BTreeMap::new();
        for unit in &segment.units {
            let before = last.insert(unit.track, unit.dts);
            assert!(before.is_none_or(|before| before < unit.dts));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_stumbles_keeps_the_rules_of_playlists(steps in steps()) {
        let mut house = House::new();
        for step in &steps {
            house.play(step);
        }
        house.play(&Step::Expire);
    }
}

#[test]
fn a_publish_without_stumbles_is_a_playlist() {
    let mut house = House::new();
    house.send(60_000, How::Well { gop: 50 }, Pace(PICTURE));
    house.play(&Step::Expire);
    assert_eq!(house.player.segments, 30);
}
