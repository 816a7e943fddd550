//! The access units in an MPEG-TS segment. Structure is judged by `e2e::transport`; this finds the payloads
//! and their times.

use crate::material::Tag;

const PACKET: usize = 188;
const SYNC: u8 = 0x47;
/// PIDs below are tables' (PAT) or nobody's.
const PMT_PID: u16 = 0x1000;
/// A PES packet of video: stream_id 1110 xxxx; of audio: 110x xxxx (ISO/IEC 13818-1 table 2-22).
const VIDEO_IDS: u8 = 0xe0;
/// H.264 NAL unit types of slices.
const SLICES: [u8; 2] = [1, 5];
/// Sampling rates by sampling_frequency_index (ISO/IEC 14496-3 table 1.18), as far as publishers use them.
const RATES: [(u8, u64); 2] = [(3, 48_000), (4, 44_100)];

/// An access unit as it was found. Times are ticks of 90 kHz, modulo 2^33.
#[derive(Debug)]
pub(crate) struct Found {
    /// A picture.
    pub(crate) video: bool,
    /// Presentation time.
    pub(crate) pts: u64,
    /// Decode time.
    pub(crate) dts: u64,
    /// The slice, or the raw audio frame.
    pub(crate) payload: Vec<u8>,
}

impl Found {
    /// Who it is.
    pub(crate) fn tag(&self) -> Option<Tag> {
        Tag::read(&self.payload)
    }
}

/// Reads all access units, in the order of their first packets.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Found>, String> {
    let mut pending: Vec<(u16, Vec<u8>)> = Vec::new();
    let mut found = Vec::new();
    for (index, packet) in body.chunks(PACKET).enumerate() {
        let wrong = |what: &str| format!("packet {index}: {what}");
        let &[sync, high, low, control, ..] = packet else {
            return Err(wrong("is not whole"));
        };
        if sync != SYNC || packet.len() != PACKET {
            return Err(wrong("is none"));
        }
        let pid = u16::from_be_bytes([high & 0x1f, low]);
        if pid == 0 || pid == PMT_PID || control & 0x10 == 0 {
            continue;
        }
        let mut payload = &packet[4..];
        if control & 0x20 != 0 {
            let length = usize::from(payload[0]);
            payload = payload
                .get(1 + length..)
                .ok_or_else(|| wrong("its adaptation field is too long"))?;
        }
        let at = pending.iter().position(|(of, _)| *of == pid);
        if high & 0x40 != 0 {
            if let Some(at) = at {
                units(&pending.remove(at).1, &mut found)?;
            }
            pending.push((pid, payload.to_vec()));
        } else {
            let at = at.ok_or_else(|| wrong("continues nothing"))?;
            pending[at].1.extend_from_slice(payload);
        }
    }
    for (_, pes) in pending {
        units(&pes, &mut found)?;
    }
    Ok(found)
}

/// The access units of one PES packet (§2.4.3.6).
fn units(pes: &[u8], found: &mut Vec<Found>) -> Result<(), String> {
    let &[0, 0, 1, id, _, _, _, flags, header, ..] = pes else {
        return Err("a PES packet without its start".to_owned());
    };
    let at = 9 + usize::from(header);
    let payload = pes.get(at..).ok_or("a PES header beyond its packet")?;
    let stamp = |at: usize| -> Result<u64, String> {
        let bytes: [u8; 5] = pes
            .get(at..at + 5)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or("a PES packet without its times")?;
        let [a, b, c, d, e] = bytes.map(u64::from);
        Ok(((a >> 1) & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
    };
    if flags & 0x80 == 0 {
        return Err("a PES packet without PTS".to_owned());
    }
    let pts = stamp(9)?;
    let dts = if flags & 0x40 == 0 { pts } else { stamp(14)? };
    if id & 0xf0 == VIDEO_IDS {
        let slices: Vec<&[u8]> = byte_stream(payload)
            .filter(|unit| {
                unit.first()
                    .is_some_and(|one| SLICES.contains(&(one & 0x1f)))
            })
            .collect();
        let [slice] = slices[..] else {
            return Err(format!("{} slices in one picture", slices.len()));
        };
        found.push(Found {
            video: true,
            pts,
            dts,
            payload: slice.to_vec(),
        });
        return Ok(());
    }
    let mut rest = payload;
    let mut at = pts;
    while !rest.is_empty() {
        let &[0xff, _, c, d, e, f, _, ..] = rest else {
            return Err("sound without its ADTS header".to_owned());
        };
        let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        let index = (c >> 2) & 0xf;
        let rate = RATES.iter().find(|(of, _)| *of == index);
        let (_, rate) = rate.ok_or("sound of a rate that nobody publishes")?;
        let frame = rest
            .get(7..length)
            .ok_or("an ADTS frame beyond its packet")?;
        found.push(Found {
            video: false,
            pts: at,
            dts: at,
            payload: frame.to_vec(),
        });
        at = (at + 1_024 * 90_000 / rate) % (1 << 33);
        rest = &rest[length..];
    }
    Ok(())
}

/// The NAL units of a byte stream (H.264 Annex B).
fn byte_stream(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> = bytes
        .windows(3)
        .enumerate()
        .filter(|(_, three)| *three == [0, 0, 1])
        .map(|(at, _)| at)
        .collect();
    let ends = starts.clone().into_iter().skip(1).chain([bytes.len()]);
    starts.into_iter().zip(ends).map(|(start, end)| {
        let unit = &bytes[start + 3..end];
        let last = unit.iter().rposition(|&byte| byte != 0);
        last.map_or(&[][..], |last| &unit[..=last])
    })
}

/// `a` minus `b` on the clock of MPEG-TS, the shorter way round.
pub(crate) fn apart(a: u64, b: u64) -> i64 {
    let forward = a.wrapping_sub(b) & ((1 << 33) - 1);
    let forward = i64::try_from(forward).unwrap_or(0);
    if forward >= 1 << 32 {
        forward - (1 << 33)
    } else {
        forward
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_round() {
        assert_eq!(apart(5, 3), 2);
        assert_eq!(apart(3, 5), -2);
        assert_eq!(apart(1, (1 << 33) - 1), 2);
        assert_eq!(apart((1 << 33) - 1, 1), -2);
    }

    #[test]
    fn what_is_no_transport_stream_is_refused() {
        assert!(read(&[0; 188]).is_err());
        assert!(read(&[0x47; 100]).is_err());
        let mut orphan = vec![0x47, 0x01, 0x00, 0x10];
        orphan.resize(188, 1);
        assert!(read(&orphan).is_err_and(|why| why.contains("continues nothing")));
    }
}
