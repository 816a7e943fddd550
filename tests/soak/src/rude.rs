//! Viewers on bad lines: slow ones, ones that go away in the middle, ones that fall silent. What comes whole
//! must be what everybody gets.

use std::time::{Duration, Instant};

use e2e::http;
use e2e::media_playlist::MediaPlaylist;

use crate::checked::checked;
use crate::connection::APP;
use crate::dice::Dice;
use crate::link::{Hazards, Link};
use crate::report::count;
use crate::wait::sleep;
use crate::world::World;

/// Whoever reads on gets all of it within so long, over the worst line.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);
/// A segment that was just listed is there for so long at least.
const FRESH: Duration = Duration::from_secs(2);
/// Between two requests.
const PAUSE_MS: std::ops::RangeInclusive<i64> = 50..=1_000;

/// A viewer that is no pattern for others.
pub(crate) struct Rude<'a> {
    world: &'a World,
    dice: Dice,
}

impl<'a> Rude<'a> {
    pub(crate) fn new(world: &'a World, index: usize) -> Self {
        Self {
            world,
            dice: Dice::new(world.seed).fork(0x20de_0000 + index as u64),
        }
    }

    /// Looks here and there until the soak is over.
    pub(crate) fn run(mut self) {
        while !self.world.is_closed() {
            sleep(self.dice.millis(PAUSE_MS));
            if self.world.gateway.life().is_up() {
                self.look();
            }
        }
    }

    fn look(&mut self) {
        let life = self.world.gateway.life().number;
        let publisher = self.dice.size(&(0..=self.world.books.len() - 1));
        let folder = format!("/{APP}/{}", World::name(publisher));
        let file = if self.dice.chance(30) {
            "index.m3u8"
        } else {
            "main.m3u8"
        };
        let Some((200, body)) = self.get(publisher, &format!("{folder}/{file}")) else {
            return;
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        if file == "index.m3u8" {
            if !text.starts_with("#EXTM3U\n") || !text.contains("\nmain.m3u8\n") {
                self.violation(publisher, &format!("a multivariant playlist: {text}"));
            }
            return;
        }
        let playlist = match checked(|| MediaPlaylist::parse(&text)) {
            Ok(playlist) => playlist,
            Err(why) => return self.violation(publisher, &format!("a playlist: {why}")),
        };
        let read = Instant::now();
        let newest = playlist.entries.len() - 1;
        let entry = &playlist.entries[self.dice.size(&(newest / 2..=newest))];
        let path = format!("{folder}/{}", entry.uri);
        match self.get(publisher, &path) {
            Some((200, body)) if self.world.same_body(&path, &body) => {}
            Some((200, _)) => self.violation(publisher, &format!("{path} is another body")),
            Some((404, _)) if read.elapsed() > FRESH || playlist.ended => {}
            // It was of another life.
            Some((404, _)) if self.world.gateway.life().number != life => {}
            Some((status, _)) => self.violation(publisher, &format!("{path}: {status}")),
            None => {}
        }
    }

    fn violation(&self, publisher: usize, what: &str) {
        self.world
            .report
            .violation(Some(publisher), format!("on a bad line: {what}"));
    }

    /// Status and body, if all of it came.
    fn get(&mut self, publisher: usize, path: &str) -> Option<(u16, Vec<u8>)> {
        let life = self.world.gateway.life();
        let excused = || self.world.gateway.life().number != life.number || !life.is_up();
        let hazards = Hazards::any(&mut self.dice);
        let link = match Link::open(self.world.gateway.http, &hazards, &mut self.dice) {
            Ok(link) => link,
            Err(_) if excused() => return None,
            Err(error) => {
                self.violation(publisher, &format!("{path}: {error}"));
                return None;
            }
        };
        let host = self.world.gateway.http;
        link.send(
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        // After so many bytes this viewer has had enough.
        let enough = self.dice.chance(40).then(|| self.dice.size(&(0..=40_000)));
        let deadline = Instant::now() + WHOLE_WITHIN;
        let mut heard = Vec::new();
        loop {
            link.hears_within(Duration::from_millis(500));
            heard.extend(link.take_heard());
            if let Some(answer) = http::parse(&heard)
                && let Some(length) = answer.header("content-length")
                && length.parse() == Ok(answer.body.len())
            {
                count(&self.world.report.counts.rude);
                let (pieces, late) = link.carried();
                self.world.report.carried(pieces, late);
                return Some((answer.status, answer.body));
            }
            if self.world.is_closed() || enough.is_some_and(|enough| heard.len() >= enough) {
                self.give_up(&link);
                return None;
            }
            let over = link.has_ended() && !link.hears_within(Duration::ZERO);
            if link.has_ended() || over || Instant::now() > deadline {
                heard.extend(link.take_heard());
                let whole = http::parse(&heard).is_some_and(|answer| {
                    answer
                        .header("content-length")
                        .and_then(|it| it.parse().ok())
                        == Some(answer.body.len())
                });
                if whole {
                    continue;
                }
                if !excused() {
                    let count = heard.len();
                    self.violation(publisher, &format!("{path}: cut short after {count} bytes"));
                }
                return None;
            }
        }
    }

    fn give_up(&mut self, link: &Link) {
        count(&self.world.report.counts.given_up);
        match self.dice.within(0..=2) {
            0 => {
                link.cut();
            }
            1 => {
                link.reset();
            }
            _ => {
                link.freeze();
                sleep(self.dice.millis(100..=3_000));
            }
        }
    }
}
