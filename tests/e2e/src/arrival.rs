//! The question of most tests here: did everything that was sent arrive, and can players use it?

use crate::ffmpeg_witness::{self, Tracks};
use crate::reader::{Player, Recording};
use crate::received::CLOCK;
use crate::transport::Transport;

/// EXTINF is in whole milliseconds, so that the sum up to any segment is off by one at most; and a tick.
const TOLERANCE_TICKS: u64 = 91;
/// The last unit lasts as long as the one before it, which RTMP rounds to milliseconds.
const LAST_UNIT_US: i64 = 3_000;

/// Checks what a player has fetched of one publish, begin to end, against what went in: every access unit
/// once, in order, at its time; EXTINF true for each segment; every segment decodable by itself.
///
/// # Panics
/// It is not so.
pub fn assert_whole(went_in: &Tracks, player: &Player<'_>) {
    assert_transport(player);
    let recording = player.record();
    went_in.assert_came_out(&Tracks::read(&recording.0));
    let (pictures, _) = ffmpeg_witness::decode(&recording.0);
    assert_eq!(pictures, went_in.video.len(), "decoded pictures");
    let listed_us = i64::try_from(player.duration_ms() * 1_000).expect("small");
    let lasts_us = went_in.lasts_us();
    assert!(
        (listed_us - lasts_us).abs() <= LAST_UNIT_US,
        "{listed_us} us listed of {lasts_us} us"
    );
    if player.playlist.independent {
        for segment in &player.segments {
            ffmpeg_witness::decode(&Recording::of([segment.body.as_slice()]).0);
        }
    }
}

/// Checks the transport stream through all segments, and that each begins where the EXTINF of those before
/// it say.
///
/// # Panics
/// It is not so.
pub fn assert_transport(player: &Player<'_>) {
    let mut transport = Transport::default();
    // Where the next segment must begin, in ticks of 90 kHz.
    let mut expected = None;
    for segment in &player.segments {
        if segment.entry.discontinuity {
            transport.discontinuity();
            expected = None;
        }
        let found = transport.read(&segment.body);
        let begin = *expected.get_or_insert(found.start);
        assert!(
            (found.start + TOLERANCE_TICKS + CLOCK - begin) % CLOCK <= 2 * TOLERANCE_TICKS,
            "{} begins at {}, the EXTINF before it add up to {begin}",
            segment.entry.uri,
            found.start
        );
        expected = Some((begin + segment.entry.duration_ms * 90) % CLOCK);
        assert!(
            found.random_access || !found.has_video() || !player.playlist.independent,
            "{} does not begin with a random access",
            segment.entry.uri
        );
    }
}
