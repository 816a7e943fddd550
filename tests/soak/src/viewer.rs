//! A viewer that looks at everything: each playlist must be a lawful successor of the one before, also over
//! a restart, and each segment is fetched, taken apart and entered in the ledger.

mod media;
mod succession;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use e2e::http::{self, Answer};
use e2e::media_playlist::{Entry, MediaPlaylist};

use crate::checked::checked;
use crate::connection::APP;
use crate::dice::Dice;
use crate::gateway::{Life, lock};
use crate::report::count;
use crate::segment;
use crate::wait::sleep;
use crate::wilful::Wilful;
use crate::world::World;

use media::Media;
use succession::Succession;

/// Between two looks, milliseconds.
const LOOK_EVERY: std::ops::RangeInclusive<i64> = 250..=700;
/// While the gateway is away.
const AWAY: Duration = Duration::from_millis(30);
/// One segment of so many is fetched twice at once, in percent; and later, while it is listed.
const AGAIN_PERCENT: u64 = 20;
/// Which segment or playlist a wilful fault happens to.
const EVERY: u64 = 5;

/// The viewer of one publisher.
pub(crate) struct Viewer<'a> {
    world: &'a World,
    publisher: usize,
    folder: String,
    dice: Dice,
    succession: Succession,
    media: Media,
    /// When the last look began after which all that was listed had been fetched.
    looked: Option<Instant>,
    life: u64,
    fetched: u64,
}

impl<'a> Viewer<'a> {
    pub(crate) fn new(world: &'a World, publisher: usize) -> Self {
        Self {
            world,
            publisher,
            folder: format!("/{APP}/{}", World::name(publisher)),
            dice: Dice::new(world.seed).fork(0x7ee7_0000 + publisher as u64),
            succession: Succession::default(),
            media: Media::default(),
            looked: None,
            life: 0,
            fetched: 0,
        }
    }

    /// Looks until the soak is over.
    pub(crate) fn run(mut self) {
        while !self.world.is_closed() {
            let life = self.world.gateway.life();
            if life.number != self.life {
                self.begin_life(life);
            }
            if !life.is_up() {
                sleep(AWAY);
                continue;
            }
            self.look(life);
            self.settle(false);
            sleep(self.dice.millis(LOOK_EVERY));
        }
        self.settle(true);
    }

    fn begin_life(&mut self, life: Life) {
        if !life.is_up() || life.number > self.life + 1 {
            let looked = self.looked.take();
            if self.life > 0 {
                let looked = match self.world.wilful {
                    Some(Wilful::NothingDies) => Some(Instant::now()),
                    _ => looked,
                };
                lock(&self.world.books[self.publisher]).killed(life.since, looked);
            }
        }
        self.life = life.number;
    }

    fn violation(&self, what: impl Into<String>) {
        self.world.report.violation(Some(self.publisher), what);
    }

    fn settle(&self, all: bool) {
        let lost = lock(&self.world.books[self.publisher]).settle(all);
        for what in lost {
            let report = &self.world.report;
            report.violation_after(Some(self.publisher), what.after, what.to_string());
        }
    }

    /// Loads the playlist and fetches what is new in it.
    fn look(&mut self, life: Life) {
        let began = Instant::now();
        let Some(answer) = self.get("main.m3u8", life) else {
            return;
        };
        match answer.status {
            200 => {}
            404 => {
                if let Err(why) = self.succession.absent(life, Instant::now()) {
                    self.violation(why);
                }
                return;
            }
            status => return self.violation(format!("main.m3u8: {status}: {}", answer.text())),
        }
        count(&self.world.report.counts.playlists);
        let text = answer.text();
        let playlist = match checked(|| MediaPlaylist::parse(&text)) {
            Ok(playlist) => playlist,
            Err(why) => return self.violation(format!("a playlist: {why}")),
        };
        let playlist = self.wilfully(playlist);
        let before = self.succession.next();
        let follows = checked(AssertUnwindSafe(|| {
            self.succession.follow(&playlist, life, began)
        }));
        match follows {
            Ok(Ok(step)) => {
                if step.broken {
                    self.media.begin_again();
                }
                if step.ended {
                    count(&self.world.report.counts.endings);
                }
                if step.restarted {
                    count(&self.world.report.counts.restarts);
                }
            }
            Ok(Err(why)) | Err(why) => {
                self.violation(format!("{why}\nas text:\n{text}"));
                self.succession.accept(&playlist, life, began);
                self.media.begin_again();
            }
        }
        let mut whole = true;
        let numbered: Vec<(u64, Entry)> = playlist
            .numbered()
            .map(|(sequence, _, entry)| (sequence, entry.clone()))
            .collect();
        for (sequence, entry) in &numbered {
            if before.is_none_or(|next| *sequence >= next) {
                whole &= self.fetch(entry, playlist.independent, life);
            }
        }
        if whole {
            self.looked = Some(began);
        }
        if self.dice.chance(AGAIN_PERCENT) {
            let index = self.dice.size(&(0..=numbered.len() - 1));
            self.fetch_again(&numbered[index].1, life);
        }
    }

    /// Fetches and judges a segment; false if that could not be done.
    fn fetch(&mut self, entry: &Entry, independent: bool, life: Life) -> bool {
        let Some(answer) = self.get(&entry.uri, life) else {
            return false;
        };
        self.fetched += 1;
        let mut body = answer.body.clone();
        let wilful = self.fetched.is_multiple_of(EVERY);
        match self.world.wilful.filter(|_| wilful) {
            Some(Wilful::DropByte) => {
                body.pop();
            }
            Some(Wilful::SkipSegment) => return true,
            Some(Wilful::RepeatSegment) => self.take(entry, independent, &body),
            _ => {}
        }
        if answer.status != 200 || answer.header("content-type") != Some("video/mp2t") {
            let what = answer.text();
            self.violation(format!("{}: {}: {what:.200}", entry.uri, answer.status));
            return true;
        }
        count(&self.world.report.counts.segments);
        let path = format!("{}/{}", self.folder, entry.uri);
        if !self.world.same_body(&path, &body) {
            self.violation(format!("{} is not what another viewer got", entry.uri));
        }
        self.take(entry, independent, &body);
        if self.dice.chance(AGAIN_PERCENT) {
            self.fetch_again(entry, life);
        }
        true
    }

    fn take(&mut self, entry: &Entry, independent: bool, body: &[u8]) {
        let mut book = lock(&self.world.books[self.publisher]);
        let slack = |unit: &segment::Found| book.slack_ms(unit);
        let mut found = self.media.judge(entry, independent, body, slack);
        for unit in &found.units {
            if let Err(why) = book.note(unit) {
                found.violations.push(why);
            }
        }
        drop(book);
        for why in found.violations {
            self.violation(format!("{}: {why}", entry.uri));
        }
    }

    /// A body never changes.
    fn fetch_again(&mut self, entry: &Entry, life: Life) {
        let Some(answer) = self.get(&entry.uri, life) else {
            return;
        };
        count(&self.world.report.counts.again);
        let path = format!("{}/{}", self.folder, entry.uri);
        if answer.status != 200 || !self.world.same_body(&path, &answer.body) {
            self.violation(format!(
                "{} is not the same when it is fetched again: {}, {} bytes",
                entry.uri,
                answer.status,
                answer.body.len()
            ));
        }
    }

    /// An answer, whole; `None` if there is none because the gateway was killed.
    fn get(&self, file: &str, life: Life) -> Option<Answer> {
        let path = format!("{}/{file}", self.folder);
        let answer = http::send(self.world.gateway.http, "GET", &path, &[], &[]);
        let whole = |answer: &Answer| {
            let length = answer.header("content-length");
            length.and_then(|length| length.parse().ok()) == Some(answer.body.len())
        };
        match answer {
            // What came of another life is judged by the next look.
            _ if self.world.gateway.life().number != life.number => {}
            Ok(answer) if whole(&answer) => return Some(answer),
            Ok(answer) => self.violation(format!(
                "{file}: {} of {:?} bytes",
                answer.body.len(),
                answer.header("content-length")
            )),
            Err(error) => self.violation(format!("{file}: {error}")),
        }
        None
    }

    fn wilfully(&mut self, playlist: MediaPlaylist) -> MediaPlaylist {
        let due = self.world.wilful == Some(Wilful::OldPlaylist)
            && self.dice.roll().is_multiple_of(EVERY);
        match self.succession.before() {
            Some(before) if due && before.entries.len() > 1 => {
                let mut older = before.clone();
                older.entries.pop();
                older
            }
            _ => playlist,
        }
    }
}
