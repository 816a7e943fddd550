//! Redundant encoders: `on_conflict = "backup"`.

use std::time::{Duration, Instant};

use e2e::clip::{Clip, VIDEO, Video};
use e2e::reader::Player;
use e2e::scenario::Outcome;
use e2e::scripted::{Ending, Material, Publisher};
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
        let publisher = Publisher::publish(gateway.rtmp, "live", "show");
        publisher.play(Material::of(&clip).endless(), Ending::DeleteStream)
    };
    let first = publish("high");
    let mut player = Player::join(&gateway, "/live/show");
    let second = publish("main");
    // Three GOPs of pictures and sound.
    let warm = 3 * (25 + 47);
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
