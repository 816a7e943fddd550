//! `cc_data()` (ATSC A/53 part 4 §6.2.3, CEA-708): up to 31 constructs of two bytes, which are those of a field of
//! CEA-608 or a piece of a DTVCC packet of CEA-708.
//!
//! Encoders fill what they have no captions for: with constructs that are not valid, with zeros of CEA-608, with null
//! services of CEA-708. None of these is a service, nor are the other things that travel there: a field 2 of
//! programme ratings (XDS) has no captions.

use media::{CaptionService, Captions};

/// `process_cc_data_flag`: the constructs are to be looked at.
const PROCESS: u8 = 0x40;
/// `cc_valid` of a construct.
const VALID: u8 = 0x04;

/// The services of which there is something in a `cc_data()`; one that is cut short has those before the end.
///
/// Nothing is remembered from one picture to the next: a DTVCC packet whose rest is with the next picture has shown its
/// first service, and whoever speaks comes again.
pub(super) fn services(mut bytes: impl Iterator<Item = u8>) -> Captions {
    let mut captions = Captions::NONE;
    let flags = bytes.next().unwrap_or(0);
    if flags & PROCESS == 0 {
        return captions;
    }
    // em_data, which says nothing.
    bytes.next();
    let mut packet = Packet::default();
    for _ in 0..flags & 0x1f {
        let (Some(head), Some(first), Some(second)) = (bytes.next(), bytes.next(), bytes.next())
        else {
            break;
        };
        if head & VALID == 0 {
            continue;
        }
        let found = match head & 0x03 {
            0 => [
                of_field(first, second, [CaptionService::Cc1, CaptionService::Cc2]),
                None,
            ],
            1 => [
                of_field(first, second, [CaptionService::Cc3, CaptionService::Cc4]),
                None,
            ],
            2 => [packet.next(first), packet.next(second)],
            _ => {
                packet = Packet::begin(first);
                [None, packet.next(second)]
            }
        };
        for service in found.into_iter().flatten() {
            captions.insert(service);
        }
    }
    captions
}

/// Which channel a pair of bytes of CEA-608 is for: control codes say so, and no caption comes without. Characters go
/// to the channel of the last code; the codes of XDS are below.
fn of_field(first: u8, second: u8, [one, two]: [CaptionService; 2]) -> Option<CaptionService> {
    // The highest bit is parity.
    match (first & 0x7f, second & 0x7f) {
        (0x10..=0x17, 0x20..) => Some(one),
        (0x18..=0x1f, 0x20..) => Some(two),
        _ => None,
    }
}

/// A DTVCC packet (CEA-708 §5): service blocks (§6) behind one another.
#[derive(Debug, Default)]
struct Packet {
    /// Bytes left of it.
    left: u8,
    /// Bytes left of the service block under way.
    block: u8,
    /// What that is of; `None` of services that are not named.
    service: Option<CaptionService>,
}

impl Packet {
    /// The packet behind a header.
    fn begin(header: u8) -> Self {
        let left = match header & 0x3f {
            0 => 127,
            code => 2 * code - 1,
        };
        Self {
            left,
            ..Self::default()
        }
    }

    /// Takes its next byte; gives the service of which it is one, if it is not null.
    fn next(&mut self, byte: u8) -> Option<CaptionService> {
        self.left = self.left.checked_sub(1)?;
        if let Some(left) = self.block.checked_sub(1) {
            self.block = left;
            return self.service.filter(|_| byte != 0);
        }
        let (number, size) = (byte >> 5, byte & 0x1f);
        match (number, size) {
            // A null block: nothing more comes.
            (_, 0) => self.left = 0,
            // The number is in a byte more.
            (7, _) => (self.service, self.block) = (None, size + 1),
            _ => (self.service, self.block) = (standard(number), size),
        }
        None
    }
}

const fn standard(number: u8) -> Option<CaptionService> {
    match number {
        1 => Some(CaptionService::Service1),
        2 => Some(CaptionService::Service2),
        3 => Some(CaptionService::Service3),
        4 => Some(CaptionService::Service4),
        5 => Some(CaptionService::Service5),
        6 => Some(CaptionService::Service6),
        _ => None,
    }
}
