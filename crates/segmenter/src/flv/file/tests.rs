use proptest::prelude::*;

use super::*;

const FILE: &[u8] = b"FLV\x01\x05\0\0\0\x09\0\0\0\0\
    \x12\0\0\x02\0\0\0\0\0\0\0\x02\0\0\0\0\x0d\
    \x0f\0\0\x01\0\0\0\0\0\0\0!\0\0\0\x0c\
    \x09\0\0\x03\x34\x56\x78\x12\0\0\0abc\0\0\0\x0e\
    \x08\0\0\0\0\0\x17\0\0\0\0\xff\xff\xff\xff";

fn messages(pieces: &[&[u8]]) -> Result<Vec<(MessageKind, u32, Vec<u8>)>, Error> {
    let mut reader = Reader::new();
    let mut messages = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(message) = reader.pull()? {
            messages.push((message.kind, message.timestamp_ms, message.payload.to_vec()));
        }
    }
    Ok(messages)
}

fn expected() -> Vec<(MessageKind, u32, Vec<u8>)> {
    vec![
        (MessageKind::Data, 0, b"\x02\0".to_vec()),
        (MessageKind::Video, 0x1234_5678, b"abc".to_vec()),
        (MessageKind::Audio, 0x17, Vec::new()),
    ]
}

#[test]
fn tags_become_messages_and_wrong_sizes_behind_them_do_not_matter() {
    assert_eq!(messages(&[FILE]), Ok(expected()));
}

#[test]
fn a_long_header_is_skipped_without_being_held() {
    let mut reader = Reader::new();
    reader.push(b"FLV\x01\x05\xff\xff\xff\xff");
    for _ in 0..100 {
        assert_eq!(reader.pull(), Ok(None));
        assert_eq!(reader.unread(), 0);
        reader.push(&[0; 1_000]);
    }
}

#[test]
fn what_is_no_flv_file_is_refused() {
    let cases: [(&[u8], &str); 3] = [
        (
            b"RIFF",
            "not an FLV file: it begins with [52, 49, 46, 46] instead of 46 4c 56 01",
        ),
        (
            b"FLV\x01\x05\0\0\0\x08",
            "the FLV header gives its own length as 8 bytes; it has at least 9",
        ),
        (
            b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x29\0\0\0\0\0\0\0\0\0\0",
            "the FLV tag at byte 13 is encrypted, which this gateway does not carry",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(
            messages(&[bytes]).expect_err(expected).to_string(),
            expected
        );
    }
}

#[test]
fn what_is_cut_off_stays_unread() {
    let mut reader = Reader::new();
    reader.push(&FILE[..FILE.len() - 20]);
    while let Ok(Some(_)) = reader.pull() {}
    assert!(reader.unread() > 0);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_messages(at in 0..=FILE.len(), then in 0..=FILE.len()) {
        let (first, second) = (at.min(then), at.max(then));
        let pieces = [&FILE[..first], &FILE[first..second], &FILE[second..]];
        prop_assert_eq!(messages(&pieces), Ok(expected()));
    }

    #[test]
    fn any_bytes_are_messages_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = messages(&[&[b"FLV\x01\x05\0\0\0\x09\0\0\0\0", &bytes[..]].concat()]);
    }
}
