//! Scripts of a few thousand seeds, and of the inputs kept from fuzzing. One that once failed is kept for
//! ever, named after what it did.

use std::panic::catch_unwind;
use std::path::Path;

/// Enough for every kind of step to meet every other; some seconds on a slow machine.
const SEEDS: u64 = 2_000;

/// The bytes that a seed stands for: SplitMix64.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let words = 20 + next() % 150;
    (0..words).flat_map(|_| next().to_le_bytes()).collect()
}

#[test]
fn whatever_an_encoder_does_the_playlists_and_segments_are_right() {
    let fails = |seed: &u64| {
        let input = bytes(*seed);
        catch_unwind(|| scripted::fuzz(&input)).is_err()
    };
    let failed: Vec<_> = (0..SEEDS).filter(fails).collect();
    assert!(failed.is_empty(), "seeds {failed:?}");
}

#[test]
fn kept_inputs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("readable").path();
        let input = std::fs::read(&path).expect("readable");
        assert!(
            catch_unwind(|| scripted::fuzz(&input)).is_ok(),
            "{} fails",
            path.display()
        );
        count += 1;
    }
    assert!(count > 5, "the corpus is empty");
}
