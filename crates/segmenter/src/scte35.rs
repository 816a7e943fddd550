//! SCTE-35 commands: whether a `splice_info_section` (ANSI/SCTE 35 §9.6) leads into breaks or out of them, of which events
//! and how long.
//!
//! Read without trust: a section is one only with its CRC. What does not belong here: *when* a splice is. Its times are
//! on a transport stream's clock that nobody has here; the message that brought it has a timestamp.

use media::{MediaTime, Side};
use thiserror::Error;

/// One thing that a section commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where it leads.
    pub side: Side,
    /// `splice_event_id` or `segmentation_event_id`: the return from a break has that of its beginning.
    pub event: Option<u32>,
    /// How long the break is to last.
    pub duration: Option<MediaTime>,
    /// It is over then without another command.
    pub auto_return: bool,
}

/// Why bytes are no section. Offsets count from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Another table.
    #[error("its first byte is {0:#04x}, and not 0xfc")]
    Table(u8),
    /// It ends inside a field.
    #[error("it ends inside {0}")]
    Truncated(&'static str),
    /// `section_length` is not that of what is there.
    #[error("it says that it has {said} bytes, and has {there}")]
    Length {
        /// What it says, header included.
        said: usize,
        /// What is there.
        there: usize,
    },
    /// The CRC is another.
    #[error("its CRC is {found:#010x}, and has to be {expected:#010x}")]
    Crc {
        /// What it says.
        found: u32,
        /// What it would have to say.
        expected: u32,
    },
}

const TABLE: u8 = 0xfc;
const SPLICE_NULL: u8 = 0;
const SPLICE_INSERT: u8 = 5;
const TIME_SIGNAL: u8 = 6;
const BANDWIDTH_RESERVATION: u8 = 7;
/// `splice_descriptor_tag` and `identifier` of a segmentation_descriptor (§10.3.3).
const SEGMENTATION: u8 = 2;
const IDENTIFIER: &[u8] = b"CUEI";
const CRC_BYTES: usize = 4;

/// Reads a whole section. A `time_signal` has as many commands as descriptors that say where it leads, in their order: a
/// break may end with the advertisement that is its last. Of a section that is encrypted, or of a kind that is not known
/// here, there is one, a [`Side::Command`]. One that is sent to keep a line in use commands nothing.
///
/// # Errors
/// It is none, is not whole, or has another CRC than it should.
pub fn read(section: &[u8]) -> Result<Vec<Command>, Error> {
    let mut input = Input(section);
    let table = input.u8("table_id")?;
    if table != TABLE {
        return Err(Error::Table(table));
    }
    let said = usize::from(input.u16("section_length")? & 0xfff) + 3;
    let there = section.len();
    if said != there {
        return Err(Error::Length { said, there });
    }
    let (body, found) = section
        .split_last_chunk::<CRC_BYTES>()
        .ok_or(Error::Truncated("CRC_32"))?;
    let (found, expected) = (u32::from_be_bytes(*found), crc(body));
    if found != expected {
        return Err(Error::Crc { found, expected });
    }
    let mut input = Input(body.get(3..).unwrap_or_default());
    // protocol_version, then encryption and the adjustment of its times, cw_index.
    input.u8("protocol_version")?;
    let is_encrypted = input.take(5, "pts_adjustment")?.first() >= Some(&0x80);
    input.u8("cw_index")?;
    // With tier; old encoders leave the length open.
    input.take(3, "splice_command_length")?;
    let kind = input.u8("splice_command_type")?;
    let mut commands = match kind {
        _ if is_encrypted => Vec::new(),
        SPLICE_NULL | BANDWIDTH_RESERVATION => return Ok(Vec::new()),
        SPLICE_INSERT => vec![splice_insert(&mut input)?],
        TIME_SIGNAL => {
            splice_time(&mut input)?;
            time_signal(&mut input)?
        }
        _ => Vec::new(),
    };
    if commands.is_empty() {
        commands.push(Command::UNKNOWN);
    }
    Ok(commands)
}

impl Command {
    const UNKNOWN: Self = Self {
        side: Side::Command,
        event: None,
        duration: None,
        auto_return: false,
    };

    const fn cancel(event: u32) -> Self {
        Self {
            side: Side::Cancel,
            event: Some(event),
            ..Self::UNKNOWN
        }
    }
}

/// §9.7.3.
fn splice_insert(input: &mut Input<'_>) -> Result<Command, Error> {
    let event = input.u32("splice_event_id")?;
    let is_cancelled = input.u8("splice_event_cancel_indicator")? & 0x80 != 0;
    if is_cancelled {
        return Ok(Command::cancel(event));
    }
    let flags = input.u8("out_of_network_indicator")?;
    let (is_out, is_program) = (flags & 0x80 != 0, flags & 0x40 != 0);
    let (has_duration, is_immediate) = (flags & 0x20 != 0, flags & 0x10 != 0);
    if is_program && !is_immediate {
        splice_time(input)?;
    }
    if !is_program {
        for _ in 0..input.u8("component_count")? {
            input.u8("component_tag")?;
            if !is_immediate {
                splice_time(input)?;
            }
        }
    }
    // auto_return and six reserved bits, then 33 bits.
    let said = match has_duration {
        true => Some(input.uint(5, "break_duration")?),
        false => None,
    };
    let said = said.filter(|_| is_out);
    Ok(Command {
        side: if is_out { Side::Out } else { Side::In },
        event: Some(event),
        duration: said.map(|said| ticks(said & ((1 << 33) - 1))),
        auto_return: said.is_some_and(|said| said >> 39 != 0),
    })
}

/// What the descriptors behind a time_signal (§9.7.4) command; of those that lead nowhere, one if that is all there is.
fn time_signal(input: &mut Input<'_>) -> Result<Vec<Command>, Error> {
    let length = input.u16("descriptor_loop_length")?;
    let mut descriptors = Input(input.take(length.into(), "the descriptors")?);
    let mut commands: Vec<Command> = Vec::new();
    while !descriptors.0.is_empty() {
        let tag = descriptors.u8("splice_descriptor_tag")?;
        let length = descriptors.u8("descriptor_length")?;
        let body = descriptors.take(length.into(), "a descriptor")?;
        if tag == SEGMENTATION {
            commands.extend(body.strip_prefix(IDENTIFIER).and_then(segmentation));
        }
    }
    let first = commands.first().copied();
    commands.retain(|command| command.side != Side::Command);
    if commands.is_empty() {
        commands.extend(first);
    }
    Ok(commands)
}

/// A segmentation_descriptor behind its identifier (§10.3.3); `None` if it ends early: the rest of the section is right.
fn segmentation(body: &[u8]) -> Option<Command> {
    let mut input = Input(body);
    let event = input.u32("segmentation_event_id").ok()?;
    let is_cancelled = input.u8("cancel").ok()? & 0x80 != 0;
    if is_cancelled {
        return Some(Command::cancel(event));
    }
    let flags = input.u8("flags").ok()?;
    let (is_program, has_duration) = (flags & 0x80 != 0, flags & 0x40 != 0);
    if !is_program {
        let components = input.u8("component_count").ok()?;
        input.take(6 * usize::from(components), "components").ok()?;
    }
    let duration = match has_duration {
        true => Some(ticks(input.uint(5, "segmentation_duration").ok()?)),
        false => None,
    };
    input.u8("segmentation_upid_type").ok()?;
    let upid = input.u8("segmentation_upid_length").ok()?;
    input.take(upid.into(), "segmentation_upid").ok()?;
    let side = side(input.u8("segmentation_type_id").ok()?);
    Some(Command {
        side,
        event: Some(event),
        duration: duration.filter(|_| side == Side::Out),
        auto_return: false,
    })
}

/// Where a `segmentation_type_id` leads (§10.3.3.1, table 23): breaks, advertisements and placements for them have a
/// beginning and an end, as have promotions and alternate content; programmes and chapters are no breaks, and overlays
/// (0x38 to 0x3b) do not leave the programme.
const fn side(segmentation_type: u8) -> Side {
    match segmentation_type {
        0x22 | 0x30 | 0x32 | 0x34 | 0x36 | 0x3c | 0x3e | 0x42 | 0x44 | 0x46 => Side::Out,
        0x23 | 0x31 | 0x33 | 0x35 | 0x37 | 0x3d | 0x3f | 0x43 | 0x45 | 0x47 => Side::In,
        _ => Side::Command,
    }
}

/// §9.7.5.1: said, in five bytes, or not, in one.
fn splice_time(input: &mut Input<'_>) -> Result<(), Error> {
    let is_specified = input.u8("splice_time")? & 0x80 != 0;
    if is_specified {
        input.take(4, "splice_time")?;
    }
    Ok(())
}

/// Of 90 kHz; at most 40 bits.
fn ticks(count: u64) -> MediaTime {
    MediaTime::from_ticks(i64::try_from(count).unwrap_or(i64::MAX), 90_000)
}

/// CRC-32 of MPEG-2 (ISO/IEC 13818-1 annex A).
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        let crc = crc ^ u32::from(byte) << 24;
        (0..8).fold(crc, |crc, _| {
            let carry = crc & 1 << 31 != 0;
            crc << 1 ^ if carry { 0x04c1_1db7 } else { 0 }
        })
    })
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(Error::Truncated(field))?;
        self.0 = rest;
        Ok(taken)
    }

    fn uint(&mut self, bytes: usize, field: &'static str) -> Result<u64, Error> {
        let bytes = self.take(bytes, field)?.iter();
        Ok(bytes.fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn u8(&mut self, field: &'static str) -> Result<u8, Error> {
        let [byte] = self.array(field)?;
        Ok(byte)
    }

    fn u16(&mut self, field: &'static str) -> Result<u16, Error> {
        self.array(field).map(u16::from_be_bytes)
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        self.array(field).map(u32::from_be_bytes)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Error::Truncated(field))?;
        self.0 = rest;
        Ok(*array)
    }
}

/// Reads `bytes` as a section, and as one whose length and CRC are right, for corpus replay and fuzzing.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let _ = read(bytes);
    let body = bytes.get(..bytes.len().min(4_000)).unwrap_or_default();
    let length = u16::try_from(body.len() + CRC_BYTES).unwrap_or_default();
    let [high, low] = (0x3000 | length).to_be_bytes();
    let mut section = [&[TABLE, high, low], body].concat();
    section.extend_from_slice(&crc(&section).to_be_bytes());
    let read = read(&section);
    assert!(!matches!(
        read,
        Err(Error::Table(_) | Error::Length { .. } | Error::Crc { .. })
    ));
    for command in read.iter().flatten() {
        let lasts = command.duration;
        assert!(lasts.is_none_or(|it| command.side == Side::Out && it >= MediaTime::ZERO));
        assert!(!command.auto_return || lasts.is_some());
    }
}

#[cfg(test)]
mod tests;
