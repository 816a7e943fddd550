//! A stumble of an encoder, from its messages to its viewer: what a publisher sends by script, a strict
//! player follows from the first to the last, and both are compared.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::arrival::assert_transport;
use crate::delivery::Delivery;
use crate::reader::{Player, Segment};
use crate::scripted::{Ending, Kind, Publisher, Sent, Unit};
use crate::{Gateway, ffmpeg_witness};

/// From the last message to the end of the playlist.
const END: Duration = Duration::from_secs(90);

/// The playlist ends soon after its publisher.
pub const SHORT_RESUME: (&str, &str) = ("FOREBAY__HLS__RESUME", "1s");
/// Nothing leaves the playlist: what is sent at once is faster than any player.
pub const ALL_LISTED: (&str, &str) = ("FOREBAY__HLS__WINDOW", "10000");

/// What came of a scenario.
pub struct Outcome {
    /// What was sent.
    pub sent: Vec<Sent>,
    /// What was fetched.
    pub segments: Vec<Segment>,
    /// The one held against the other.
    pub delivery: Delivery,
    /// The faults that the status API counts, by kind.
    pub faults: BTreeMap<String, u64>,
    /// The last of them in words.
    pub last_fault: String,
    /// EXT-X-TARGETDURATION, which has not changed.
    pub target: u64,
    /// EXT-X-INDEPENDENT-SEGMENTS stands in the last load: each segment begins with a random access.
    pub independent: bool,
}

/// Publishes a script, all of it at once, and follows it from the first segment to EXT-X-ENDLIST.
///
/// # Panics
/// What came out does not decode, is out of step, is listed with wrong durations, or breaks a rule of
/// playlists or of transport streams.
pub fn at_once<Script>(script: Script) -> Outcome
where
    Script: IntoIterator<Item = Unit>,
    Script::IntoIter: Send + 'static,
{
    at_once_but(script, |_| false)
}

/// The same where the times of some units cannot be true.
///
/// # Panics
/// Like [`at_once`].
pub fn at_once_but<Script>(script: Script, untrue: impl Fn(&Sent) -> bool) -> Outcome
where
    Script: IntoIterator<Item = Unit>,
    Script::IntoIter: Send + 'static,
{
    let script = script.into_iter().map(Unit::now);
    publish(
        script,
        &[SHORT_RESUME, ALL_LISTED],
        |player| player.follow_to_the_end(END),
        untrue,
    )
}

/// Publishes a script in its own time, with keys of the configuration overridden. The player is as lazy as
/// players may be.
///
/// # Panics
/// Like [`at_once`].
pub fn play<Script>(script: Script, environment: &[(&str, &str)]) -> Outcome
where
    Script: IntoIterator<Item = Unit>,
    Script::IntoIter: Send + 'static,
{
    publish(
        script,
        environment,
        |player| player.follow_lazily_to_the_end(END),
        |_| false,
    )
}

fn publish<Script>(
    script: Script,
    environment: &[(&str, &str)],
    follow: impl Fn(&mut Player<'_>),
    untrue: impl Fn(&Sent) -> bool,
) -> Outcome
where
    Script: IntoIterator<Item = Unit>,
    Script::IntoIter: Send + 'static,
{
    let gateway = Gateway::start_with(environment);
    let publisher = Publisher::publish(gateway.rtmp, "live", "show");
    let playing = publisher.play(script, Ending::DeleteStream);
    let mut player = Player::join(&gateway, "/live/show");
    follow(&mut player);
    let left = playing.join();
    assert!(!left.cut_off, "the publisher was cut off: {}", left.words);
    Outcome::of(left.sent, &player, &gateway, untrue)
}

impl Outcome {
    /// Compares what one publisher has sent, or several one behind the other, with what a player has
    /// fetched; some were sent with times that cannot be true.
    ///
    /// # Panics
    /// Like [`at_once`].
    pub fn of(
        sent: Vec<Sent>,
        player: &Player<'_>,
        gateway: &Gateway,
        untrue: impl Fn(&Sent) -> bool,
    ) -> Self {
        assert_transport(player);
        let delivery = Delivery::of(&sent, &player.segments);
        delivery.assert_in_step(untrue);
        delivery.assert_extinf(&player.segments);
        let came = delivery.came.iter();
        let came = came.filter(|one| one.sent.kind == Kind::Video).count();
        let (pictures, _) = ffmpeg_witness::decode(&player.record().0);
        assert_eq!(pictures, came, "decoded pictures");
        let faults = gateway.get("/api/v1/streams/live/show").json()["faults"].take();
        let kinds = faults["kinds"].as_object().expect("counts by kind");
        Self {
            faults: kinds
                .iter()
                .map(|(kind, count)| (kind.clone(), count.as_u64().expect("a count")))
                .collect(),
            last_fault: faults["last"].as_str().unwrap_or_default().to_owned(),
            target: player.playlist.target,
            independent: player.playlist.independent,
            segments: player.segments.clone(),
            sent,
            delivery,
        }
    }

    /// Checks that no fault was counted.
    ///
    /// # Panics
    /// One was.
    pub fn assert_faultless(&self) -> &Self {
        assert!(
            self.faults.is_empty(),
            "{:?}: {}",
            self.faults,
            self.last_fault
        );
        self
    }

    /// Checks that faults of this kind were counted, so many, and none of another.
    ///
    /// # Panics
    /// It is not so.
    pub fn assert_faults(&self, kind: &str, count: impl std::ops::RangeBounds<u64>) -> &Self {
        let kinds: Vec<_> = self.faults.keys().collect();
        assert_eq!(kinds, [kind], "{:?}: {}", self.faults, self.last_fault);
        assert!(count.contains(&self.faults[kind]), "{:?}", self.faults);
        assert!(!self.last_fault.is_empty(), "a fault is put in words");
        self
    }

    /// Checks that all that was sent came out.
    ///
    /// # Panics
    /// It did not.
    pub fn assert_nothing_lost(&self) -> &Self {
        let lost = &self.delivery.lost;
        let first = lost.first();
        assert!(lost.is_empty(), "{} are lost, first {first:?}", lost.len());
        self
    }

    /// Checks that nothing is lost but what was sent within these times, in milliseconds of the
    /// sender's clock.
    ///
    /// # Panics
    /// Something is.
    pub fn assert_lost_only(&self, within_ms: impl std::ops::RangeBounds<i64>) -> &Self {
        let mut lost = self.delivery.lost.iter();
        let other = lost.find(|one| !within_ms.contains(&one.dts_ms));
        assert!(
            other.is_none(),
            "{other:?} is lost, of {}",
            self.delivery.lost.len()
        );
        self
    }

    /// Checks how often the timeline is broken.
    ///
    /// # Panics
    /// More often, or less.
    pub fn assert_discontinuities(&self, count: usize) -> &Self {
        let found = breaks(&self.segments);
        assert_eq!(found, count, "discontinuities; faults {:?}", self.faults);
        self
    }

    /// The same where a publish was ended at any moment: what was left for a last segment may be a picture
    /// without sound, and that is a break.
    ///
    /// # Panics
    /// More often, or less.
    pub fn assert_discontinuities_inside(&self, count: usize) -> &Self {
        let found = breaks(&self.segments[..self.segments.len() - 1]);
        assert_eq!(found, count, "discontinuities; faults {:?}", self.faults);
        self
    }
}

/// How many segments are listed behind EXT-X-DISCONTINUITY.
fn breaks(segments: &[Segment]) -> usize {
    let segments = segments.iter();
    segments.filter(|one| one.entry.discontinuity).count()
}
