use super::*;
use proptest::prelude::*;

/// Samples of the standard (ANSI/SCTE 35 §14).
const PLACEMENT_START: &[u8] = include_bytes!("../../corpus/scte35/placement-start");
const SPLICE_INSERT: &[u8] = include_bytes!("../../corpus/scte35/splice-insert-out");
const PLACEMENT_END: &[u8] = include_bytes!("../../corpus/scte35/placement-end");

/// A section with this behind `section_length`.
fn section(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).expect("short");
    let mut section = [&[0xfc][..], &(0x3000 | length).to_be_bytes(), body].concat();
    section.extend_from_slice(&crc(&section).to_be_bytes());
    section
}

/// A section with this command, its type first, and an empty loop of descriptors.
fn command(command: &[u8]) -> Vec<u8> {
    let head = [0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff];
    section(&[&head, command, &[0, 0]].concat())
}

fn one(side: Side, event: u32, ticks: Option<i64>) -> Command {
    Command {
        side,
        event: Some(event),
        duration: ticks.map(|ticks| MediaTime::from_ticks(ticks, 90_000)),
        auto_return: false,
    }
}

fn found(side: Side, event: u32, ticks: Option<i64>) -> Result<Vec<Command>, Error> {
    Ok(vec![one(side, event, ticks)])
}

/// Of a break that ends by itself.
fn returning(event: u32, ticks: i64) -> Result<Vec<Command>, Error> {
    Ok(vec![Command {
        auto_return: true,
        ..one(Side::Out, event, Some(ticks))
    }])
}

/// A segmentation_descriptor with its tag, of the whole programme.
fn descriptor(event: u8, kind: u8, seconds: Option<u32>) -> Vec<u8> {
    let flags = if seconds.is_some() { 0xff } else { 0xbf };
    let ticks = seconds.map(|seconds| [&[0][..], &(seconds * 90_000).to_be_bytes()].concat());
    let head = [&b"CUEI\0\0\0"[..], &[event, 0x7f, flags]].concat();
    let body = [head, ticks.unwrap_or_default(), vec![0, 0, kind, 1, 1]].concat();
    [&[2, u8::try_from(body.len()).expect("short")][..], &body].concat()
}

/// A time_signal with these descriptors.
fn time_signal_with(descriptors: &[Vec<u8>]) -> Vec<u8> {
    let descriptors = descriptors.concat();
    let length = u16::try_from(descriptors.len()).expect("short");
    let head = [0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 6, 0x7f];
    section(&[&head[..], &length.to_be_bytes(), &descriptors].concat())
}

#[test]
fn each_descriptor_that_leads_somewhere_is_a_command() {
    // The last advertisement ends, and the break with it; what follows is a programme, which is no break.
    let ends = time_signal_with(&[
        descriptor(5, 0x31, None),
        descriptor(4, 0x23, None),
        descriptor(3, 0x10, None),
    ]);
    let expected = [one(Side::In, 5, None), one(Side::In, 4, None)];
    assert_eq!(read(&ends), Ok(expected.to_vec()));
    let begins = time_signal_with(&[descriptor(4, 0x22, Some(60)), descriptor(5, 0x30, Some(30))]);
    let expected = [
        one(Side::Out, 4, Some(60 * 90_000)),
        one(Side::Out, 5, Some(30 * 90_000)),
    ];
    assert_eq!(read(&begins), Ok(expected.to_vec()));
    let programmes = time_signal_with(&[descriptor(3, 0x11, None), descriptor(2, 0x10, None)]);
    assert_eq!(read(&programmes), found(Side::Command, 3, None));
}

#[test]
fn samples_of_the_standard() {
    for (name, sample, expected) in [
        (
            "14.1 time_signal, placement opportunity start",
            PLACEMENT_START,
            found(Side::Out, 0x4800_008e, Some(0x01_a599b0)),
        ),
        (
            "14.2 splice_insert",
            SPLICE_INSERT,
            returning(0x4800_008f, 0x52_ccf5),
        ),
        (
            "14.3 time_signal, placement opportunity end",
            PLACEMENT_END,
            found(Side::In, 0x4800_008e, None),
        ),
    ] {
        assert_eq!(read(sample), expected, "{name}");
    }
}

#[test]
fn commands() {
    let insert = |behind: &[u8]| command(&[&[5, 0, 0, 0, 9], behind].concat());
    let unknown = || Ok(vec![Command::UNKNOWN]);
    let cancelled = found(Side::Cancel, 9, None);
    let tail = [0, 1, 0, 0];
    let cases = [
        ("splice_null", command(&[0]), Ok(Vec::new())),
        ("bandwidth_reservation", command(&[7]), Ok(Vec::new())),
        (
            "time_signal without descriptors",
            command(&[6, 0x7f]),
            unknown(),
        ),
        ("cancelled", insert(&[0xff]), cancelled),
        (
            "in, at once",
            insert(&[&[0x7f, 0x5f][..], &tail].concat()),
            found(Side::In, 9, None),
        ),
        (
            "in, with a duration that is for nothing",
            insert(&[&[0x7f, 0x7f, 0xfe, 0, 0, 0, 1][..], &tail].concat()),
            found(Side::In, 9, None),
        ),
        (
            "out, as long as can be said",
            insert(&[&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &tail].concat()),
            returning(9, (1 << 33) - 1),
        ),
        (
            "out, by components",
            section(include_bytes!("../../corpus/scte35/components-body")),
            returning(9, 0x52_ccf5),
        ),
        (
            "behind another descriptor",
            section(include_bytes!("../../corpus/scte35/descriptors-body")),
            found(Side::Out, 7, Some(0x52_ccf5)),
        ),
    ];
    for (name, section, expected) in cases {
        assert_eq!(read(&section), expected, "{name}");
    }
    let mut encrypted = SPLICE_INSERT[3..SPLICE_INSERT.len() - 4].to_vec();
    encrypted[1] |= 0x80;
    assert_eq!(read(&section(&encrypted)), unknown());
}

#[test]
fn what_is_no_section() {
    let mut table = SPLICE_INSERT.to_vec();
    table[0] = 0;
    let mut crc = SPLICE_INSERT.to_vec();
    crc[20] ^= 1;
    let longer = [SPLICE_INSERT, &[0]].concat();
    for (bytes, expected) in [
        (&[][..], "it ends inside table_id"),
        (&[0xfc, 0x30], "it ends inside section_length"),
        (&[0xfc, 0x30, 0], "it ends inside CRC_32"),
        (&table, "its first byte is 0x00, and not 0xfc"),
        (&longer, "it says that it has 50 bytes, and has 51"),
        (&crc, "its CRC is 0x62dba30a, and has to be 0x82c80040"),
        (
            &command(&[5, 0, 0, 0, 9, 0x7f, 0xff]),
            "it ends inside break_duration",
        ),
    ] {
        let error = read(bytes).expect_err("no section");
        assert_eq!(error.to_string(), expected);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz(&bytes);
    }

    #[test]
    fn a_bit_that_is_wrong_is_seen(bit in 0..SPLICE_INSERT.len() * 8) {
        let mut section = SPLICE_INSERT.to_vec();
        section[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(read(&section).is_err());
    }
}
