//! One session's media, at the pace of the clock but for its stumbles.

use std::time::Instant;

use crate::connection::Connection;
use crate::dice::Dice;
use crate::gateway::lock;
use crate::ledger::Sent;
use crate::material::{
    AUDIO, GOP, Kind, PICTURE_MS, Tag, VIDEO, Variant, audio_header, audio_ms, video_header,
};
use crate::stumble::Stumble;
use crate::wilful::Wilful;
use crate::world::World;

/// A step of the clock outside this is a jump; what is near its ends is nobody's to judge.
const NO_JUMP_MS: std::ops::RangeInclusive<i64> = -1_500..=10_500;
/// Timestamps stumble by up to this much without jumping.
const DISORDER_MS: i64 = 30;
/// So long audio may take to be where its timestamps are again.
const AFTER_DISORDER_MS: i64 = 5_000;

/// Which unit a wilful fault happens to.
const WILFUL_EVERY: usize = 150;

/// Which tracks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tracks {
    Both,
    VideoOnly,
    AudioOnly,
}

/// What is going wrong at the moment, and until when in milliseconds of media time.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    what: Stumble,
    until: i64,
}

/// The media of a session.
pub(crate) struct Playing<'a> {
    world: &'a World,
    publisher: usize,
    session: usize,
    begin: Instant,
    tracks: Tracks,
    reorders: bool,
    /// Next picture, and how many before it the first one was in its GOP.
    picture: i64,
    gop_phase: i64,
    /// Next audio frame, counted from the moment when its configuration began.
    sound: i64,
    sound_since: i64,
    video: Variant,
    audio: Variant,
    /// The header in force has not been sent.
    video_changes: bool,
    /// Timestamp minus media time.
    shift: i64,
    run: u32,
    last_dts: i64,
    trouble: Option<Trouble>,
    next_trouble: i64,
    next_header: i64,
    /// When timestamps were last wrong on purpose.
    disorder_until: i64,
}

impl<'a> Playing<'a> {
    pub(crate) fn new(world: &'a World, publisher: usize, session: usize, dice: &mut Dice) -> Self {
        let tracks = match dice.within(0..=9) {
            0 => Tracks::VideoOnly,
            1 => Tracks::AudioOnly,
            _ => Tracks::Both,
        };
        let mut playing = Self {
            world,
            publisher,
            session,
            begin: Instant::now(),
            tracks,
            reorders: dice.chance(50),
            picture: 0,
            gop_phase: 0,
            sound: 0,
            sound_since: 0,
            video: dice.pick(&[Variant::First, Variant::Second]),
            audio: dice.pick(&[Variant::First, Variant::Second]),
            video_changes: false,
            shift: dice.pick(&[0, 0, 1_000, 0xff_ff00, (1 << 32) - 5_000, 1 << 31]),
            run: 0,
            last_dts: 0,
            trouble: None,
            next_trouble: dice.within(2_000..=8_000),
            next_header: 0,
            disorder_until: i64::MIN / 2,
        };
        if tracks == Tracks::Both && dice.chance(20) {
            let what = dice.pick(&[Stumble::AudioPause, Stumble::VideoPause]);
            let until = dice.within(300..=4_000);
            playing.trouble = Some(Trouble { what, until });
            world.stumble(publisher, Stumble::StartsApart);
        } else if tracks != Tracks::AudioOnly && dice.chance(20) {
            playing.gop_phase = dice.within(1..=GOP - 1);
            world.stumble(publisher, Stumble::StartsMidGop);
        }
        playing
    }

    /// Nothing is going wrong, nor has just been.
    pub(crate) fn is_steady(&self) -> bool {
        self.trouble.is_none()
    }

    /// Hands over what is due, with the trouble that is on.
    pub(crate) fn send_due(&mut self, connection: &mut Connection, dice: &mut Dice) {
        let now = i64::try_from(self.begin.elapsed().as_millis()).unwrap_or(0);
        if self.trouble.is_some_and(|trouble| now >= trouble.until) {
            self.trouble = None;
            self.next_trouble = now + dice.within(3_500..=9_000);
        }
        if self.trouble.is_none() && now >= self.next_trouble {
            self.stumble(now, dice);
        }
        if self.is(Stumble::Stall) {
            return;
        }
        let mut bytes = Vec::new();
        if self.last_dts == 0 && self.picture == 0 && self.sound == 0 {
            self.headers(&mut bytes);
        }
        if self.is(Stumble::SameHeaders) && now >= self.next_header {
            self.headers(&mut bytes);
            self.next_header = now + 200;
        }
        let so_far = connection.bytes;
        loop {
            let (picture, sound) = (self.picture_at(), self.sound_at());
            if picture.min(sound) > now {
                break;
            }
            if picture <= sound {
                self.send_picture(picture, so_far, &mut bytes, dice);
            } else {
                self.send_sound(sound, so_far, &mut bytes, dice);
            }
        }
        if !bytes.is_empty() {
            connection.send(&bytes);
        }
    }

    fn is(&self, what: Stumble) -> bool {
        self.trouble.is_some_and(|trouble| trouble.what == what)
    }

    fn picture_at(&self) -> i64 {
        self.picture * PICTURE_MS
    }

    fn sound_at(&self) -> i64 {
        self.sound_since + audio_ms(self.audio, self.sound)
    }

    /// Begins the next stumble.
    fn stumble(&mut self, now: i64, dice: &mut Dice) {
        let what = dice.pick(&Stumble::ON_THE_WAY);
        let single = match self.tracks {
            Tracks::Both => &[][..],
            Tracks::VideoOnly => &[
                Stumble::AudioHeader,
                Stumble::AudioPause,
                Stumble::VideoPause,
            ],
            Tracks::AudioOnly => &[
                Stumble::VideoHeader,
                Stumble::VideoPause,
                Stumble::AudioPause,
                Stumble::NoKeyFrames,
            ],
        };
        if single.contains(&what) {
            return;
        }
        let lasts = match what {
            Stumble::Stall => 1_000..=4_000,
            Stumble::NoKeyFrames => 3_000..=10_000,
            Stumble::SameHeaders => 1_000..=5_000,
            Stumble::AudioPause | Stumble::VideoPause => 500..=8_000,
            Stumble::Disorder => 200..=2_000,
            Stumble::Wrap => 5_000..=6_000,
            _ => 0..=0,
        };
        self.world.stumble(self.publisher, what);
        self.trouble = Some(Trouble {
            what,
            until: now + dice.within(lasts),
        });
        // The clock of the next unit before and after.
        let next = self.picture_at().min(self.sound_at());
        let clock = next + self.shift;
        match what {
            Stumble::JumpForward => self.jump(next, clock + dice.within(11_000..=200_000)),
            Stumble::JumpBack => self.jump(next, clock - dice.within(2_000..=200_000)),
            Stumble::JumpToZero => self.jump(next, 0),
            Stumble::JumpAnywhere => self.jump(next, dice.within(0..=u32::MAX.into())),
            Stumble::Wrap => self.jump(next, (1 << 32) - 3_000),
            Stumble::VideoHeader => {
                self.video = self.video.other();
                self.video_changes = true;
            }
            Stumble::AudioHeader => {
                self.sound_since = self.sound_at();
                self.sound = 0;
                self.audio = self.audio.other();
                self.next_header = now;
            }
            _ => {}
        }
    }

    /// The clock of the unit at media time `next` becomes `to`.
    fn jump(&mut self, next: i64, to: i64) {
        let step = i64::from(
            wrapped(to)
                .wrapping_sub(wrapped(self.last_dts))
                .cast_signed(),
        );
        // What is no jump for the gateway is none here.
        let to = if NO_JUMP_MS.contains(&step) {
            to + 60_000
        } else {
            to
        };
        self.shift = to - next;
        self.run += 1;
    }

    fn headers(&mut self, bytes: &mut Vec<u8>) {
        let dts = self.picture_at().min(self.sound_at()) + self.shift;
        if self.tracks != Tracks::AudioOnly && !self.video_changes {
            bytes.extend(Connection::message(VIDEO, dts, &video_header(self.video)));
        }
        if self.tracks != Tracks::VideoOnly {
            bytes.extend(Connection::message(AUDIO, dts, &audio_header(self.audio)));
        }
    }

    fn send_picture(&mut self, at: i64, so_far: u64, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let in_gop = (self.picture + self.gop_phase) % GOP;
        self.picture += 1;
        if self.tracks == Tracks::AudioOnly || self.is(Stumble::VideoPause) {
            return;
        }
        let kind = if in_gop == 0 && !self.is(Stumble::NoKeyFrames) {
            Kind::Key
        } else {
            Kind::Picture
        };
        if kind == Kind::Key && self.video_changes {
            self.video_changes = false;
            let header = video_header(self.video);
            bytes.extend(Connection::message(VIDEO, at + self.shift, &header));
        }
        // I P B B, decoded a picture before they are shown, so that none is shown before it is decoded.
        let composition = match in_gop {
            _ if !self.reorders => 0,
            0 => PICTURE_MS,
            n if n % 3 == 1 => 3 * PICTURE_MS,
            _ => 0,
        };
        self.hand_over(kind, at, composition, so_far, bytes, dice);
    }

    fn send_sound(&mut self, at: i64, so_far: u64, bytes: &mut Vec<u8>, dice: &mut Dice) {
        self.sound += 1;
        if self.tracks == Tracks::VideoOnly || self.is(Stumble::AudioPause) {
            return;
        }
        if self.sound == 1 && self.sound_since > 0 {
            let header = audio_header(self.audio);
            bytes.extend(Connection::message(AUDIO, at + self.shift, &header));
        }
        self.hand_over(Kind::Sound, at, 0, so_far, bytes, dice);
    }

    fn hand_over(
        &mut self,
        kind: Kind,
        at: i64,
        composition: i64,
        so_far: u64,
        bytes: &mut Vec<u8>,
        dice: &mut Dice,
    ) {
        let mut dts_ms = at + self.shift;
        let mut slack_ms = 0;
        if self.is(Stumble::Disorder) {
            // Some stand still, some step back; sound wavers less.
            let most = if kind.is_video() { DISORDER_MS } else { 10 };
            dts_ms -= dice.within(0..=most);
            if kind.is_video() && dice.chance(30) {
                dts_ms = self.last_dts;
            }
            self.disorder_until = at + AFTER_DISORDER_MS;
            slack_ms = 2 * PICTURE_MS + DISORDER_MS;
        } else if !kind.is_video() && at < self.disorder_until {
            slack_ms = DISORDER_MS;
        }
        self.last_dts = dts_ms;
        let mut book = lock(&self.world.books[self.publisher]);
        let tag = Tag {
            publisher: self.publisher,
            session: self.session,
            number: book.next(),
            kind,
        };
        let kind_of_message = if kind.is_video() { VIDEO } else { AUDIO };
        let wilful = self
            .world
            .wilful
            .filter(|_| tag.number % WILFUL_EVERY == WILFUL_EVERY - 1);
        let other = Tag {
            number: tag.number - usize::from(wilful == Some(Wilful::WrongUnit)),
            ..tag
        };
        let late = if wilful == Some(Wilful::LateUnit) {
            50
        } else {
            0
        };
        if wilful != Some(Wilful::LoseUnit) {
            let body = other.body(composition);
            bytes.extend(Connection::message(kind_of_message, dts_ms + late, &body));
        }
        book.enter(Sent {
            kind,
            run: self.run,
            dts_ms,
            pts_ms: dts_ms + composition,
            changed: kind == Kind::Sound && self.sound == 1 && self.sound_since > 0,
            slack_ms,
            end: so_far + bytes.len() as u64,
        });
    }
}

/// RTMP's clock has 32 bits.
fn wrapped(ms: i64) -> u32 {
    u32::try_from(ms.rem_euclid(1 << 32)).unwrap_or(0)
}
