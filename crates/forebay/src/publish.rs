//! One publish: its segmenter, its window, and what is known of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use media::{
    Cadence, Codec, Fault, Faults, MediaTime, Message, MessageKind, PresentationName, Segment,
    Track,
};
use playlist::{Dismissal, PublishStatus, PushError, Refused, Writer};
use segmenter::{Output, Segmenter};
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::house::House;
use crate::metadata;
use crate::meter::Meter;
use crate::pipeline::Ending;
use crate::repeated::Repeated;

/// How often the status API learns something new.
pub(crate) const REPORT_EVERY: Duration = Duration::from_secs(1);

/// A publish that is going on. Dropping it, for whatever reason, vacates its presentation.
pub(crate) struct Publish {
    name: PresentationName,
    peer: SocketAddr,
    encoder: Option<String>,
    /// The last `onMetaData`.
    metadata: Vec<(String, String)>,
    house: Arc<House>,
    since: SystemTime,
    segmenter: Segmenter,
    /// `None` only while it is being dropped.
    writer: Option<Writer>,
    meter: Meter,
    /// Bytes at the last report.
    reported: u64,
    segments: u64,
    duration: MediaTime,
    faults: Faults,
    fault_lines: Repeated,
}

impl Publish {
    /// Takes the name and waits for media.
    pub(crate) fn begin(
        name: PresentationName,
        peer: SocketAddr,
        encoder: Option<String>,
        house: Arc<House>,
        dismissed: Arc<Notify>,
    ) -> Result<Self, Refused> {
        let writer = house
            .registry
            .publish(&name, &house.terms(dismissed), Instant::now())?;
        house.totals.publishes.add(1);
        let mut segmenter = Segmenter::new(house.cutting());
        // A presentation that goes on has fixed its target duration already.
        if let Some(target) = writer.presentation().window().target_duration() {
            segmenter.limit(target.longest_segment());
        }
        let mut publish = Self {
            name,
            peer,
            encoder,
            metadata: Vec::new(),
            since: SystemTime::now(),
            segmenter,
            writer: Some(writer),
            house,
            meter: Meter::new(Instant::now()),
            reported: 0,
            segments: 0,
            duration: MediaTime::ZERO,
            faults: Faults::default(),
            fault_lines: Repeated::default(),
        };
        publish.report();
        Ok(publish)
    }

    /// Why it must end, if it must.
    pub(crate) fn dismissal(&self) -> Option<Dismissal> {
        self.writer.as_ref().and_then(Writer::dismissal)
    }

    /// Takes the next message of the encoder.
    ///
    /// # Errors
    /// Its playlist would hold too much: the publish has to end.
    pub(crate) fn take(&mut self, message: &Message) -> Result<(), PushError> {
        self.meter.add(message.payload.len());
        if message.kind == MessageKind::Data
            && let Some(properties) = metadata::properties(&message.payload)
        {
            let encoder = properties.iter().find(|(name, _)| name == "encoder");
            self.encoder = encoder
                .map(|(_, name)| name.clone())
                .or(self.encoder.take());
            self.metadata = properties;
        }
        self.segmenter.push(message, SystemTime::now());
        self.store()
    }

    /// Ends it in good order: what is still open becomes the last segment.
    pub(crate) fn end(mut self, why: &Ending) {
        self.segmenter.finish();
        if let Err(error) = self.store() {
            warn!(stream = %self.name, "the last segment is lost: {error}");
        }
        self.report();
        info!(
            stream = %self.name,
            peer = %self.peer,
            lasted = %humantime::format_duration(whole_seconds(self.since)),
            media = %self.duration,
            segments = self.segments,
            bytes = self.meter.bytes(),
            faults = self.faults.total(),
            "publish ended: {why}"
        );
    }

    /// Puts what the segmenter has ready into the window.
    fn store(&mut self) -> Result<(), PushError> {
        while let Some(output) = self.segmenter.pull() {
            match output {
                Output::Segment(segment) => self.list(segment)?,
                Output::Fault(fault) => self.record(fault),
            }
        }
        Ok(())
    }

    fn list(&mut self, segment: Segment) -> Result<(), PushError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let duration = segment.duration;
        let target = match writer.push(segment, Instant::now()) {
            // It is about to be dismissed; what it still sends has no place.
            Err(PushError::Replaced(_)) => return Ok(()),
            pushed => pushed?,
        };
        self.segmenter.limit(target.longest_segment());
        self.segments += 1;
        self.duration += duration;
        if self.segments == 1 {
            self.announce();
        }
        Ok(())
    }

    fn announce(&self) {
        let tracks: Vec<String> = self.segmenter.tracks().iter().map(describe).collect();
        info!(
            stream = %self.name,
            peer = %self.peer,
            encoder = self.encoder.as_deref().unwrap_or("unnamed"),
            "publish started: {}",
            tracks.join(", ")
        );
    }

    fn record(&mut self, fault: Fault) {
        self.house.totals.faults.add(1);
        if let Some(times) = self.fault_lines.due(Instant::now()) {
            warn!(stream = %self.name, kind = %fault.kind, faults = times, "{}", fault.text);
        }
        self.faults.record(fault);
    }

    /// Tells the status API how it is doing.
    pub(crate) fn report(&mut self) {
        let bytes = self.meter.bytes();
        self.house.totals.bytes_received.add(bytes - self.reported);
        self.reported = bytes;
        let (bit_rate_current, bit_rate_average) = self.meter.read(Instant::now());
        let status = PublishStatus {
            address: self.peer,
            encoder: self.encoder.clone(),
            metadata: self.metadata.clone(),
            since: self.since,
            bytes,
            bit_rate_current,
            bit_rate_average,
            tracks: self.segmenter.tracks(),
            faults: self.faults.clone(),
        };
        if let Some(writer) = &self.writer {
            // A publish that was taken over has nothing to report to.
            let _ = writer.report(status, Instant::now());
        }
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            tokio::spawn(writer.leave().expire());
        }
    }
}

/// One track as a log line has it: `H.264 High 1280x720 29.97 fps`.
fn describe((track, cadence): &(Track, Cadence)) -> String {
    let (name, profile) = (track.codec.name(), track.codec.profile());
    match &track.codec {
        Codec::H264(h264) => {
            let rate = cadence
                .unit_rate
                .map(|rate| format!(" {rate:.2} fps"))
                .unwrap_or_default();
            format!("{name} {profile} {}x{}{rate}", h264.width, h264.height)
        }
        Codec::Aac(aac) => format!(
            "{name} {profile} {} Hz {} ch",
            aac.sample_rate, aac.channels
        ),
        Codec::Mp3(mp3) => format!(
            "{name} {profile} {} Hz {} ch",
            mp3.sample_rate, mp3.channels
        ),
    }
}

fn whole_seconds(since: SystemTime) -> Duration {
    Duration::from_secs(since.elapsed().unwrap_or_default().as_secs())
}
