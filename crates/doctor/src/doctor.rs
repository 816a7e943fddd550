//! The doctor of one publish: tells each observer what it needs, and asks all of them.

use std::time::{Duration, SystemTime};

use media::{Advice, Fault, FaultKind, MediaTime, MessageKind, Segment};

use crate::audio_clock::AudioClock;
use crate::bit_rate::BitRate;
use crate::chart::Chart;
use crate::codecs;
use crate::declared::Declared;
use crate::key_frames::{Cut, KeyFrames};
use crate::offset::Offset;
use crate::pictures::Pictures;
use crate::presence::Presence;
use crate::repairs::Repairs;

use crate::uplink::Uplink;

/// Advice goes away so long after it was last seen, or after three segments.
const KEPT: Duration = Duration::from_secs(30);

/// What the gateway is set to, as far as an encoder has to fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Segment length aimed at.
    pub segment: MediaTime,
    /// The longest that a segment may last.
    pub longest_segment: MediaTime,
    /// Whether every tenth of a second counts.
    pub latency: Latency,
}

/// What viewers expect of the delay between camera and picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Several seconds are what HLS takes anyway.
    Usual,
    /// Segments of a second and less, or partial segments.
    Low,
}

/// Watches one publish. Times are counted from its beginning by a clock that never goes back.
#[derive(Debug)]
pub struct Doctor {
    started: SystemTime,
    declared: Declared,
    chart: Chart,
    uplink: Uplink,
    offset: Offset,
    key_frames: KeyFrames,
    pictures: Pictures,
    bit_rate: BitRate,
    audio_clock: AudioClock,
    presence: Presence,
    repairs: Repairs,
}

impl Doctor {
    /// For a publish that begins at `started`, the origin of all times that follow.
    pub fn new(settings: Settings, started: SystemTime) -> Self {
        Self {
            started,
            declared: Declared::default(),
            chart: Chart::new(KEPT.max(3 * settings.segment.to_duration())),
            uplink: Uplink::new(settings.segment),
            offset: Offset::default(),
            key_frames: KeyFrames::new(settings),
            pictures: Pictures::new(settings.latency),
            bit_rate: BitRate::default(),
            audio_clock: AudioClock::default(),
            presence: Presence::default(),
            repairs: Repairs::default(),
        }
    }

    /// A message arrived at `at` with this timestamp. Constant time, no allocation.
    pub fn arrival(&mut self, kind: MessageKind, timestamp_ms: u32, at: Duration) {
        if kind == MessageKind::Data {
            return;
        }
        self.presence.arrival(kind);
        self.uplink.arrival(kind, timestamp_ms, at, &mut self.chart);
        self.offset.arrival(kind, timestamp_ms, at, &mut self.chart);
        if kind == MessageKind::Video {
            self.key_frames.arrival(timestamp_ms);
        }
    }

    /// The properties of an `onMetaData`, as text: the last one counts.
    pub fn metadata(&mut self, properties: &[(String, String)]) {
        self.declared = Declared::read(properties);
    }

    /// A segment was cut at `at`. Its faults are to be told before it, those of the next one after it.
    pub fn segment(&mut self, segment: &Segment, at: Duration) {
        let (chart, declared) = (&mut self.chart, &self.declared);
        codecs::examine(segment, at, chart);
        self.key_frames.segment(segment, at, chart);
        self.pictures.segment(segment, declared, at, chart);
        self.bit_rate.segment(segment, declared, at, chart);
        self.audio_clock.segment(segment, at, chart);
        self.presence.segment(segment, declared, at, chart);
    }

    /// Something was worked around at `at`.
    pub fn fault(&mut self, fault: &Fault, at: Duration) {
        match fault.kind {
            FaultKind::ForcedCut => self.key_frames.cut(Cut::ForTime),
            FaultKind::SegmentTooLarge => {
                self.key_frames.cut(Cut::ForSize);
                self.bit_rate.too_large(fault, at, &mut self.chart);
            }
            FaultKind::LateMedia => self.offset.late_media(fault, at, &mut self.chart),
            _ => self.repairs.fault(fault, at),
        }
    }

    /// Its media are where they came: what was told of another place is over.
    pub fn in_place(&mut self) {
        self.repairs.in_place();
    }

    /// What advice is due at `at`, the gravest first. To be asked about once a second.
    pub fn advice(&mut self, at: Duration) -> Vec<Advice> {
        self.uplink.look(at, &mut self.chart);
        self.key_frames.look(at, &mut self.chart);
        self.repairs.look(&mut self.chart, at);
        self.chart.advice(at, self.started)
    }
}

#[cfg(test)]
mod tests;
