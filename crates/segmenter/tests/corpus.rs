//! Inputs that are, or were, hard on the readers: each file is replayed whole, and cut off after every byte.

use std::path::Path;

fn replay(folder: &str, read: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(folder);
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of the corpus") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file of the corpus");
        for end in 0..=bytes.len() {
            read(&bytes[..end]);
        }
        files += 1;
    }
    assert!(files > 0, "the corpus is empty");
}

#[test]
fn flv_bodies_and_files() {
    replay("flv", segmenter::flv::fuzz);
}

#[test]
fn scte_35_sections() {
    replay("scte35", segmenter::scte35::fuzz);
}

#[test]
fn codec_configurations() {
    replay("codec", media::codec::fuzz);
}
