//! Redundant encoders: `on_conflict = "backup"`.

use std::time::{Duration, Instant};

use e2e::clip::{Clip, VIDEO, Video};
use e2e::reader::Player;
use e2e::scenario::Outcome;
use e2e::scripted::{Ending, Kind, Material, Playing, Publisher};
use e2e::{Gateway, wait};

const PATIENCE: Duration = Duration::from_secs(30);
const CONFIGURATION: &str = r#"
[rtmp]
stalled_after = "2s"
[hls]
segment = "1s"
resume = "5s"
[[app]]
name = "live"
on_conflict = "backup"
"#;
/// The key frames of the clip.
const GOP: Duration = Duration::from_secs(1);
/// Pictures and sound.
const PER_SECOND: usize = 25 + 47;
/// What a busy machine may take to notice.
const BUSY: Duration = Duration::from_secs(3);

#[test]
fn a_backup_takes_the_place_of_an_encoder_that_leaves() {
    takes_its_place(Ending::DeleteStream, GOP + BUSY);
    takes_its_place(Ending::Reset, GOP + BUSY);
}

#[test]
fn a_backup_takes_the_place_of_an_encoder_that_stalls() {
    takes_its_place(Ending::Silence, Duration::from_secs(2) + GOP + BUSY);
}

#[test]
fn a_backup_with_long_gops_begins_with_a_key_frame() {
    let gateway = Gateway::start_on(CONFIGURATION);
    let publish = |seconds: u32| {
        let video = Video {
            gop: Some(seconds * 25),
            ..VIDEO
        };
        // Long enough that nothing comes twice: what is passed over must not be taken for what follows.
        let clip = Clip {
            video: Some(video),
            ..Clip::usual(60)
        };
        play(&gateway, &clip)
    };
    let first = publish(2);
    let mut player = Player::join(&gateway, "/live/show");
    let second = publish(8);
    // Three seconds into its second GOP: the segments of two seconds that it is cut into begin with nothing
    // that can be decoded.
    wait::until("the middle of a GOP", PATIENCE, || {
        player.look();
        (second.count() > 11 * PER_SECOND).then_some(())
    });
    let first = first.stop(Ending::DeleteStream);
    let seen = player.segments.len();
    wait::until("segments of the second", PATIENCE, || {
        player.look();
        let mut new = player.segments[seen..].iter();
        new.any(|one| one.entry.discontinuity).then_some(())
    });
    let low_latency = gateway.get("/live/show/video.m3u8").text();
    let behind = low_latency.split_once("#EXT-X-DISCONTINUITY\n");
    let (_, behind) = behind.expect("the second is listed there as well");
    let mut lines = behind.lines();
    let part = lines.find(|line| line.starts_with("#EXT-X-PART:"));
    assert!(
        part.is_some_and(|part| part.contains("INDEPENDENT=YES")),
        "{low_latency}"
    );
    let second = second.stop(Ending::DeleteStream);
    player.follow_to_the_end(PATIENCE);

    let border = first.sent.len();
    let sent = [first.sent.as_slice(), &second.sent].concat();
    // That all of it decodes is checked there.
    let outcome = Outcome::of(sent, &player, &gateway, |_| false);
    outcome.assert_discontinuities_inside(1);
    let came = outcome.delivery.came.iter().map(|one| one.index);
    let pictures = came.filter(|at| *at >= border && outcome.sent[*at].kind == Kind::Video);
    let begins = pictures.min().expect("pictures of the second came out");
    assert!(outcome.sent[begins].random_access);
}

fn play(gateway: &Gateway, clip: &Clip) -> Playing {
    let publisher = Publisher::publish(gateway.rtmp, "live", "show");
    publisher.play(Material::of(clip).endless(), Ending::DeleteStream)
}

/// The second sends the same programme all the time, as redundant encoders do; it encodes it another way,
/// so that one can tell whose the access units are.
fn takes_its_place(ending: Ending, within: Duration) {
    let gateway = Gateway::start_on(CONFIGURATION);
    let publish = |profile| {
        let video = Video { profile, ..VIDEO };
        let clip = Clip {
            video: Some(video),
            ..Clip::usual(8)
        };
        play(&gateway, &clip)
    };
    let first = publish("high");
    let mut player = Player::join(&gateway, "/live/show");
    let second = publish("main");
    let warm = 3 * PER_SECOND;
    wait::until("both to be under way", PATIENCE, || {
        player.look();
        (second.count() > warm && player.segments.len() > 3).then_some(())
    });
    let first = first.stop(ending);
    let gone = Instant::now();
    let seen = player.segments.len();
    wait::until("segments of the second", PATIENCE, || {
        player.look();
        let mut new = player.segments[seen..].iter();
        new.any(|one| one.entry.discontinuity).then_some(())
    });
    let second = second.stop(Ending::DeleteStream);
    assert!(!second.cut_off, "{}", second.words);
    player.follow_to_the_end(PATIENCE);

    let border = first.sent.len();
    let sent = [first.sent.as_slice(), &second.sent].concat();
    let outcome = Outcome::of(sent, &player, &gateway, |_| false);
    outcome.assert_faultless().assert_discontinuities_inside(1);
    let mut came: Vec<usize> = outcome.delivery.came.iter().map(|one| one.index).collect();
    came.sort_unstable();
    let from = came.iter().copied().find(|index| *index >= border);
    let from = from.expect("units of the second came out");
    let began = outcome.sent[from].when;
    assert!(began <= gone + within, "{:?} later", began - gone);
    // Of the second nothing is lost from then on; of the first no more than a last segment that was open.
    let last_of_first = came.iter().rfind(|index| **index < border);
    let last_of_first = outcome.sent[*last_of_first.expect("units of the first came out")].when;
    let holes = outcome.delivery.lost.iter();
    let mut holes = holes.filter(|one| {
        let of_first = first.sent.contains(one);
        (of_first && one.when < last_of_first) || (!of_first && one.when > began)
    });
    assert_eq!(holes.next(), None);
}
