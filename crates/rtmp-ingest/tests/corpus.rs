//! Replays the kept fuzzing inputs. An input that once failed is kept for ever, named after what it did.

use std::path::Path;

use proptest::prelude::*;
use rtmp_ingest::fuzzing;

fn replay(target: fn(&[u8]), folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is there") {
        let path = entry.expect("readable").path();
        let input = std::fs::read(&path).expect("readable");
        // Every beginning of an interesting input is one as well.
        let replayed = std::panic::catch_unwind(|| {
            target(&input);
            for end in 0..input.len().min(400) {
                target(&input[..end]);
            }
        });
        assert!(replayed.is_ok(), "{} fails", path.display());
        count += 1;
    }
    assert!(count > 5, "{} is empty", folder.display());
}

#[test]
fn chunk() {
    replay(fuzzing::chunk, "chunk");
}

#[test]
fn amf0() {
    replay(fuzzing::amf0, "amf0");
}

#[test]
fn handshake() {
    replay(fuzzing::handshake, "handshake");
}

#[test]
fn session() {
    replay(fuzzing::session, "session");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn damaged_inputs_are_survived(
        which in any::<proptest::sample::Index>(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (folder, target) in [
            ("chunk", fuzzing::chunk as fn(&[u8])),
            ("amf0", fuzzing::amf0),
            ("handshake", fuzzing::handshake),
            ("session", fuzzing::session),
        ] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
            let mut paths: Vec<_> = std::fs::read_dir(folder)
                .expect("the corpus is there")
                .map(|entry| entry.expect("readable").path())
                .collect();
            paths.sort();
            let mut input = std::fs::read(which.get(&paths)).expect("readable");
            for (place, byte) in &damage {
                let place = place.index(input.len());
                input[place] = *byte;
            }
            target(&input);
        }
    }
}
