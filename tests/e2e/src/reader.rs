//! A player that takes everything: it follows the playlist, fetches each segment as it is listed, and holds
//! each load against the one before.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::gateway::scratch;
use crate::media_playlist::{Entry, MediaPlaylist};
use crate::{Gateway, received, wait};

/// A player at one presentation.
pub struct Player<'a> {
    gateway: &'a Gateway,
    /// `/live/show`
    folder: String,
    /// The multivariant playlist as it was at the start.
    pub multivariant: String,
    /// The URI of the media playlist in it.
    rendition: String,
    /// The last load.
    pub playlist: MediaPlaylist,
    /// All segments so far.
    pub segments: Vec<Segment>,
}

/// A segment that was fetched.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Media sequence number.
    pub sequence: u64,
    /// Discontinuity sequence number.
    pub discontinuity_sequence: u64,
    /// How it was listed.
    pub entry: Entry,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl<'a> Player<'a> {
    /// Asks for `/live/show` at the moment when its publish begins: the answer must be the playlist, and
    /// never 404.
    ///
    /// # Panics
    /// Nobody publishes within 30 s, or the answer is another one.
    pub fn join(gateway: &'a Gateway, folder: &str) -> Self {
        wait::until("a publish", Duration::from_secs(30), || {
            let answer = gateway.get(&format!("/api/v1/streams{folder}"));
            (answer.status == 200).then_some(())
        });
        let answer = gateway.get(&format!("{folder}/index.m3u8"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let multivariant = answer.text();
        let mut lines = multivariant.lines();
        let rendition = lines.find(|line| !line.starts_with('#'));
        let rendition = rendition.unwrap_or_default().to_owned();
        let mut player = Self {
            gateway,
            folder: folder.to_owned(),
            multivariant,
            rendition,
            playlist: MediaPlaylist::default(),
            segments: Vec::new(),
        };
        player.playlist = player.load();
        player.fetch();
        player
    }

    /// Reloads the playlist and fetches what is new.
    ///
    /// # Panics
    /// The playlist breaks a rule, or a listed segment is not there.
    pub fn look(&mut self) -> &MediaPlaylist {
        let playlist = self.load();
        playlist.assert_follows(&self.playlist);
        self.playlist = playlist;
        self.fetch();
        &self.playlist
    }

    /// The first look after the gateway was killed and started again: what is there now is new, and continues
    /// in numbers.
    ///
    /// # Panics
    /// It does not.
    pub fn look_after_restart(&mut self) -> &MediaPlaylist {
        let playlist = self.load();
        playlist.assert_resumes(&self.playlist);
        self.playlist = playlist;
        self.fetch();
        &self.playlist
    }

    /// Follows until there are so many access units in what was fetched.
    ///
    /// # Panics
    /// They do not come within `limit`; and like [`Player::look`].
    pub fn follow_until(&mut self, count: usize, limit: Duration) {
        wait::until("the access units that were sent", limit, || {
            self.look();
            let units = self.segments.iter();
            let units = units.map(|one| received::units(&one.body).len());
            (units.sum::<usize>() >= count).then_some(())
        });
    }

    /// Follows until EXT-X-ENDLIST.
    ///
    /// # Panics
    /// It does not come within `limit`; and like [`Player::look`].
    pub fn follow_to_the_end(&mut self, limit: Duration) {
        wait::until("the end of the playlist", limit, || {
            self.look().ended.then_some(())
        });
        self.look();
    }

    /// The same as lazily as a player may: it looks once in a target duration (rfc8216bis §6.3.4).
    ///
    /// # Panics
    /// Like [`Player::follow_to_the_end`].
    pub fn follow_lazily_to_the_end(&mut self, limit: Duration) {
        let every = Duration::from_secs(self.playlist.target);
        let mut next = Instant::now() + every;
        wait::until("the end of the playlist", limit, || {
            if Instant::now() < next {
                return None;
            }
            next += every;
            self.look().ended.then_some(())
        });
    }

    /// What has been listed so far, in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        let durations = self.segments.iter().map(|one| one.entry.duration_ms);
        durations.sum()
    }

    /// All segments so far, end to end, as a file; a player that joins at a discontinuity gets it apart.
    pub fn record(&self) -> Recording {
        Recording::of(self.segments.iter().map(|one| one.body.as_slice()))
    }

    fn load(&self) -> MediaPlaylist {
        let path = format!("{}/{}", self.folder, self.rendition);
        let answer = self.gateway.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        MediaPlaylist::parse(&answer.text())
    }

    fn fetch(&mut self) {
        let next = self.segments.last().map_or(0, |last| last.sequence + 1);
        for (sequence, discontinuity_sequence, entry) in self.playlist.numbered() {
            if sequence < next {
                continue;
            }
            let path = format!("{}/{}", self.folder, entry.uri);
            let answer = self.gateway.get(&path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_eq!(answer.header("content-type"), Some("video/mp2t"), "{path}");
            self.segments.push(Segment {
                sequence,
                discontinuity_sequence,
                entry: entry.clone(),
                body: answer.body,
            });
        }
    }
}

/// A file of its own; removed when dropped.
pub struct Recording(pub PathBuf);

impl Recording {
    /// These bodies end to end.
    ///
    /// # Panics
    /// The temporary folder takes no files.
    pub fn of<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let file = scratch("ts");
        let bytes: Vec<u8> = bodies.into_iter().flatten().copied().collect();
        fs::write(&file, bytes).expect("the temporary folder takes files");
        Self(file)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // A test that failed early may have moved it.
        let _ = fs::remove_file(&self.0);
    }
}
