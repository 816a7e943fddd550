//! One publish: its segmenter, its window, and what is known of it. Further video tracks of its connection are
//! publishes beside it (`publish/rungs.rs`), and so is what a transcoder makes of it (`publish/transcoding.rs`).

mod arriving;
mod events;
mod fitting;
mod rungs;
mod seat;
mod transcoding;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use doctor::Doctor;
use media::{
    Cadence, Fault, FaultKind, Faults, MediaTime, Message, MessageKind, Part, PresentationName,
    Segment, Track,
};
use playlist::{Dismissal, Label, OnConflict, PublishStatus, PushError, Refused, Terms};
use segmenter::flv::{Demuxer, Role};
use segmenter::{Output, Segmenter};
use tracing::{info, warn};

use crate::colour;
use crate::data_message::Cues;
use crate::entrance::Entrance;
use crate::house::House;
use crate::metadata;
use crate::meter::Meter;
use crate::pipeline::Ending;
use crate::repeated::Repeated;
use crate::transcoder::{Preamble, Transcoder};
use arriving::Arriving;
use fitting::Misfits;
use rungs::Rungs;
use seat::Seat;

/// How often the status API learns something new.
pub(crate) const REPORT_EVERY: Duration = Duration::from_secs(1);

/// The least that a segment has which ends early so that those behind it begin where the others of a ladder do.
const SHORTEST_BEFORE: MediaTime = MediaTime::from_millis(200);

/// Where the media of a publish come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// From a connection, message by message.
    Connection,
    /// From another publish of the connection, as a track beside its first.
    Track,
    /// From a transcoder, which has made them of another publish.
    Transcoder,
}

/// A publish that is going on. Dropping it, for whatever reason, vacates its presentation.
pub(crate) struct Publish {
    name: PresentationName,
    peer: SocketAddr,
    encoder: Option<String>,
    /// The last `onMetaData`.
    metadata: Vec<(String, String)>,
    /// What its sound is called.
    label: Label,
    house: Arc<House>,
    since: SystemTime,
    terms: Terms,
    source: Source,
    demuxer: Demuxer,
    segmenter: Segmenter,
    rungs: Rungs,
    /// Where it is to be transcoded: what a transcoder has to know before it begins.
    preamble: Option<Preamble>,
    cues: Cues,
    /// While it writes a presentation that is to be transcoded.
    transcoder: Option<Transcoder>,
    /// `None` only while it is being dropped.
    seat: Option<Seat>,
    entrance: Entrance,
    /// The same for low latency.
    entrance_of_parts: Entrance,
    /// How often others had been refused its name at the last report.
    contests: u64,
    meter: Meter,
    /// Bytes at the last report.
    reported: u64,
    /// For how long nothing has come, in whole reports; `None` if something came since the last.
    silent: Option<Duration>,
    segments: u64,
    /// The segments in a row that did not fit its ladder.
    misfits: Misfits,
    arriving: Arriving,
    duration: MediaTime,
    faults: Faults,
    /// Of each kind, so that none hides another.
    fault_lines: HashMap<FaultKind, Repeated>,
    doctor: Doctor,
    /// What the doctor's times are counted from.
    began: Instant,
}

impl Publish {
    /// Takes the name, or stands by for it, and waits for media.
    pub(crate) fn begin(
        name: PresentationName,
        terms: Terms,
        peer: SocketAddr,
        encoder: Option<String>,
        house: Arc<House>,
    ) -> Result<Self, Refused> {
        Self::begin_as(Source::Connection, name, terms, peer, encoder, house)
    }

    fn begin_as(
        source: Source,
        name: PresentationName,
        terms: Terms,
        peer: SocketAddr,
        encoder: Option<String>,
        house: Arc<House>,
    ) -> Result<Self, Refused> {
        // No rung has a transcoder, or there would be no end of them.
        let is_transcoded = source == Source::Connection && house.ladder_of(&name).is_some();
        let terms = Terms {
            leads: is_transcoded,
            ..terms
        };
        let seat = Seat::find(&name, &terms, &house)?;
        house.totals.publishes.add(1);
        let since = SystemTime::now();
        let preamble = is_transcoded.then(Preamble::default);
        let mut publish = Self {
            peer,
            encoder,
            metadata: Vec::new(),
            label: house.label(&name),
            name,
            since,
            source,
            demuxer: Demuxer::new().reading_colours(colour::read),
            segmenter: Segmenter::new(house.cutting()),
            rungs: Rungs::default(),
            preamble,
            cues: Cues::default(),
            transcoder: None,
            terms,
            seat: None,
            entrance: Entrance::open(),
            entrance_of_parts: Entrance::open(),
            contests: 0,
            doctor: Doctor::new(house.fitting(), since),
            began: Instant::now(),
            house,
            meter: Meter::new(Instant::now()),
            reported: 0,
            silent: None,
            segments: 0,
            misfits: Misfits::default(),
            arriving: Arriving::default(),
            duration: MediaTime::ZERO,
            faults: Faults::default(),
            fault_lines: HashMap::new(),
        };
        publish.sit_down(seat);
        publish.report();
        Ok(publish)
    }

    /// Why it must end, if it must. One that may stand by does, if another has taken its place.
    pub(crate) fn dismissal(&mut self) -> Option<Dismissal> {
        if let Some(why) = self.dismissed_rung() {
            return Some(why);
        }
        let Some(Seat::Writing(writer)) = &self.seat else {
            return None;
        };
        let why = writer.dismissal()?;
        if why == Dismissal::Takeover
            && self.terms.on_conflict == OnConflict::Backup
            && let Some(seat) = Seat::behind(&self.name, &self.house)
        {
            info!(stream = %self.name, peer = %self.peer, "stalled: it stands by, and another has its place");
            // What it had open still comes before what the other lists, where that goes on.
            self.segmenter.finish();
            if let Err(error) = self.store() {
                warn!(stream = %self.name, "its last segment is lost: {error}");
            }
            self.sit_down(seat);
            return None;
        }
        Some(why)
    }

    /// What is to be done every [`REPORT_EVERY`].
    pub(crate) fn tick(&mut self) {
        let sends = self.meter.bytes() > self.reported;
        // Counted, not measured: a process that was stopped has not heard what its encoders sent meanwhile.
        self.silent = match self.silent {
            _ if sends => None,
            None => Some(Duration::ZERO),
            Some(so_far) => Some(so_far + REPORT_EVERY),
        };
        if sends {
            self.measure_arrivals();
        }
        if self.seat.is_none() {
            // It was to begin anew, and could not at that moment.
            self.begin_anew();
        }
        self.hear_of_transcoder();
        self.report();
        self.tick_rungs();
        if sends {
            self.end_lost_rungs();
        }
        // One that stands by and stalls itself is no help.
        if sends && let Some(Seat::StandingBy(_)) = self.seat {
            self.look_for_a_place();
        }
    }

    /// Takes the place that it stands by for, if that is free.
    fn look_for_a_place(&mut self) {
        let Ok(seat) = Seat::find(&self.name, &self.terms, &self.house) else {
            return;
        };
        if let Seat::StandingBy(_) = seat {
            // Another presentation may have the name by now.
            self.seat = Some(seat);
            return;
        }
        info!(stream = %self.name, peer = %self.peer, "the encoder that stood by takes the place");
        let patience = self.house.config.hls.max_segment;
        [self.entrance, self.entrance_of_parts] = seat.listed_until().map(|listed| {
            let listed = listed.unwrap_or(SystemTime::UNIX_EPOCH);
            Entrance::behind(listed, SystemTime::now(), patience)
        });
        self.sit_down(seat);
        self.report();
    }

    /// It has sent nothing for as long as a publish may: the connection cannot tell, if others go on there.
    pub(crate) fn is_idle(&self) -> bool {
        let idle_timeout = self.house.config.rtmp.idle_timeout;
        self.silent.is_some_and(|silent| silent >= idle_timeout)
    }

    fn sit_down(&mut self, seat: Seat) {
        if let Seat::Writing(writer) = &seat {
            // A presentation that goes on has fixed its target duration already.
            if let Some(target) = writer.target_duration() {
                self.segmenter.limit(target.longest_segment());
            }
            if let Some(target) = writer.presentation().low_latency_window().part_target() {
                self.segmenter.limit_parts(target);
            }
            self.contests = writer.contests();
        }
        self.vacate();
        self.transcoder = match &seat {
            Seat::Writing(_) => self.begin_transcoder(),
            Seat::StandingBy(_) => None,
        };
        let grid = match &seat {
            Seat::Writing(writer) if self.has_own_clock() => writer.ladder_grid(),
            _ => None,
        };
        self.seat = Some(seat);
        self.show_label();
        if let Some(grid) = grid {
            self.join(grid);
        }
    }

    fn show_label(&self) {
        if let Some(Seat::Writing(writer)) = &self.seat {
            // One that was taken over has nothing to say.
            let _ = writer.label(self.label.clone());
        }
    }

    /// Gives up the presentation, if it has it; somebody else's place is not touched.
    fn vacate(&mut self) {
        if let Some(Seat::Writing(writer)) = self.seat.take() {
            tokio::spawn(writer.leave().expire());
        }
    }

    /// Takes the next message of the encoder.
    ///
    /// # Errors
    /// Its playlist would hold too much: the publish has to end.
    pub(crate) fn take(&mut self, message: &Message) -> Result<(), PushError> {
        self.meter.add(message.payload.len(), Instant::now());
        // When a configuration is sent says nothing of when media are.
        if Role::of(message) != Role::Configuration {
            self.doctor
                .arrival(message.kind, message.timestamp_ms, self.began.elapsed());
        }
        if message.kind == MessageKind::Data
            && let Some(properties) = metadata::properties(&message.payload)
        {
            let encoder = properties.iter().find(|(name, _)| name == "encoder");
            self.encoder = encoder
                .map(|(_, name)| name.clone())
                .or(self.encoder.take());
            self.doctor.metadata(&properties);
            self.metadata = properties;
            self.call_sounds();
        }
        if message.kind == MessageKind::Data {
            self.hear(message);
        }
        let placed = self.take_apart(message)?;
        self.transcode(message, placed.as_ref());
        Ok(())
    }

    /// Ends it in good order: what is still open becomes the last segment.
    pub(crate) fn end(mut self, why: &Ending) {
        self.end_rungs(why);
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
                Output::Segment(segment) => {
                    self.doctor.segment(&segment, self.began.elapsed());
                    self.list(segment)?;
                }
                Output::Part(part) => self.list_part(part)?,
                Output::Closed => self.close_segment()?,
                Output::Event(event) => self.pass_on(&event),
                Output::Fault(fault) => self.record(fault),
            }
        }
        Ok(())
    }

    fn list(&mut self, segment: Segment) -> Result<(), PushError> {
        let Some(Seat::Writing(writer)) = &mut self.seat else {
            return Ok(());
        };
        if !self.entrance.admits(segment.date, segment.independent) {
            return Ok(());
        }
        self.entrance = Entrance::open();
        let (start, duration) = (segment.start, segment.duration);
        let end = start + duration;
        // Else it is there for the doctor, and players have the parts.
        if self.segmenter.is_for_ts(&segment) {
            let target = match writer.push(segment, Instant::now()) {
                // It is about to be dismissed; what it still sends has no place.
                Err(PushError::Replaced(_)) => return Ok(()),
                pushed => pushed?,
            };
            self.segmenter.limit(target.longest_segment());
        }
        let window = writer.presentation().window();
        let adjustment = writer.adjustment(end + SHORTEST_BEFORE);
        self.segments += 1;
        self.duration += duration;
        // What stands against one that is over was mended with the run that goes on.
        if !self.segmenter.is_over(start) {
            self.adjust(adjustment, duration);
        }
        if self.segments == 1 {
            self.announce();
        }
        if window.is_shortened() {
            self.record(Fault {
                kind: FaultKind::WindowShortened,
                text: format!(
                    "the playlist lists {} segments and no more, since {} bytes are all that hls.listed_bytes \
                     allows; lower the bit rate",
                    window.listed().len(),
                    self.house.config.hls.listed_bytes
                ),
            });
        }
        Ok(())
    }

    fn list_part(&mut self, part: Part) -> Result<(), PushError> {
        let Some(Seat::Writing(writer)) = &mut self.seat else {
            return Ok(());
        };
        if let Some(head) = &part.head
            && !self.entrance_of_parts.admits(head.date, head.independent)
        {
            return Ok(());
        }
        match writer.push_part(part, Instant::now()) {
            // It is about to be dismissed, or the beginning of the segment was not listed.
            Err(PushError::Replaced(_)) => return Ok(()),
            pushed => self.segmenter.limit_parts(pushed?),
        }
        self.entrance_of_parts = Entrance::open();
        Ok(())
    }

    fn close_segment(&mut self) -> Result<(), PushError> {
        let Some(Seat::Writing(writer)) = &mut self.seat else {
            return Ok(());
        };
        match writer.close_segment(Instant::now()) {
            Err(PushError::Replaced(_)) => Ok(()),
            closed => closed,
        }
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
        if let Some(rung) = self.house.nearly_a_rung(&self.name) {
            info!(stream = %self.name, "it is a stream of its own; as a rung of a ladder it would be called {rung}");
        }
    }

    fn record(&mut self, fault: Fault) {
        self.house.totals.faults.add(1);
        let lines = self.fault_lines.entry(fault.kind).or_default();
        if let Some(times) = lines.due(Instant::now()) {
            warn!(stream = %self.name, kind = %fault.kind, faults = times, "{}", fault.text);
        }
        self.doctor.fault(&fault, self.began.elapsed());
        self.faults.record(fault);
    }

    /// Tells the status API how it is doing.
    pub(crate) fn report(&mut self) {
        let bytes = self.meter.bytes();
        // What others have came in messages of the connection.
        if self.source == Source::Connection {
            self.house.totals.bytes_received.add(bytes - self.reported);
        }
        self.reported = bytes;
        if !self.segmenter.is_shift_noticed() {
            self.doctor.in_place();
        }
        let (bit_rate_current, bit_rate_average) = self.meter.read(Instant::now());
        let status = PublishStatus {
            address: self.peer,
            encoder: self.encoder.clone(),
            metadata: self.metadata.clone(),
            since: self.since,
            bytes,
            bit_rate_current,
            bit_rate_average,
            arrivals: self.arrivals(),
            tracks: self.segmenter.tracks(),
            faults: self.faults.clone(),
            advice: self.doctor.advice(self.began.elapsed()),
            transcoding: self.transcoder.as_ref().map(Transcoder::status),
        };
        let Some(Seat::Writing(writer)) = &self.seat else {
            return;
        };
        // A publish that was taken over has nothing to report to.
        let _ = writer.report(status, self.meter.last());
        let contests = writer.contests();
        if contests > std::mem::replace(&mut self.contests, contests) {
            self.record(Fault {
                kind: FaultKind::NameContested,
                text: "another encoder wants this name again and again, and is refused for now; \
                       stop it or give it a name of its own"
                    .to_owned(),
            });
        }
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        self.vacate();
    }
}

/// One track as a log line has it: `H.264 High 1280x720 29.97 fps`.
fn describe((track, cadence): &(Track, Cadence)) -> String {
    let (name, profile) = (track.codec.name(), track.codec.profile());
    let mut text = format!("{name} {profile}");
    if let Some((width, height)) = track.codec.size() {
        text.push_str(&format!(" {width}x{height}"));
        if let Some(rate) = cadence.unit_rate {
            text.push_str(&format!(" {rate:.2} fps"));
        }
    }
    if let (Some(rate), Some(channels)) = (track.codec.sample_rate(), track.codec.channels()) {
        text.push_str(&format!(" {rate} Hz {channels} ch"));
    }
    text
}

fn whole_seconds(since: SystemTime) -> Duration {
    Duration::from_secs(since.elapsed().unwrap_or_default().as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use playlist::State;

    fn name() -> PresentationName {
        PresentationName::parse("live", "show").expect("valid")
    }

    fn begin(house: &Arc<House>, on_conflict: OnConflict) -> Result<Publish, Refused> {
        let terms = Terms {
            on_conflict,
            ..Terms::default()
        };
        let peer = SocketAddr::from(([192, 0, 2, 1], 50_000));
        Publish::begin(name(), terms, peer, None, house.clone())
    }

    #[tokio::test]
    async fn a_panic_ends_one_publish_and_vacates_its_presentation() {
        let house = Arc::new(House::new(Config::default(), Arc::default()));
        let failing = {
            let house = house.clone();
            tokio::spawn(async move {
                let _publish = begin(&house, OnConflict::Reject).expect("free");
                panic!("a test's own");
            })
        };
        assert!(failing.await.expect_err("it panicked").is_panic());
        let again = begin(&house, OnConflict::Reject).expect("free again");
        drop(again);
    }

    #[tokio::test]
    async fn a_publish_that_stands_by_takes_the_place_of_one_that_leaves() {
        let house = Arc::new(House::new(Config::default(), Arc::default()));
        let first = begin(&house, OnConflict::Backup).expect("free");
        let mut second = begin(&house, OnConflict::Backup).expect("it stands by");
        let there = house.registry.directory().find(&name()).expect("live");
        assert_eq!(there.backups(), 1);
        second.meter.add(1_000, Instant::now());
        second.tick();
        assert_eq!(there.backups(), 1, "the first is active");
        drop(first);
        assert_eq!(there.state(), State::Resuming);
        second.tick();
        assert_eq!(
            there.state(),
            State::Resuming,
            "the second sends nothing now"
        );
        second.meter.add(1_000, Instant::now());
        second.tick();
        assert_eq!((there.state(), there.backups()), (State::Live, 0));
    }

    #[tokio::test]
    async fn a_publish_is_idle_after_the_timeout_without_a_message_of_its_own() {
        let mut config = Config::default();
        config.rtmp.idle_timeout = 2 * REPORT_EVERY;
        let house = Arc::new(House::new(config, Arc::default()));
        let mut publish = begin(&house, OnConflict::Reject).expect("free");
        let mut idle_at_last = |messages: &[usize]| {
            for &bytes in messages {
                if bytes > 0 {
                    publish.meter.add(bytes, Instant::now());
                }
                publish.tick();
            }
            publish.is_idle()
        };
        assert!(!idle_at_last(&[0, 0]), "a second for sure, not yet two");
        assert!(!idle_at_last(&[1, 0, 0]), "it has sent something");
        assert!(idle_at_last(&[0]));
    }

    #[tokio::test]
    async fn a_publish_is_stalled_from_its_last_message_and_not_from_a_report() {
        let house = Arc::new(House::new(Config::default(), Arc::default()));
        let mut first = begin(&house, OnConflict::Reject).expect("free");
        let message = Message {
            kind: MessageKind::Audio,
            timestamp_ms: 0,
            payload: vec![0xaf, 0, 0x11, 0x90].into(),
        };
        first.take(&message).expect("room for it");
        let last = Instant::now();
        tokio::time::sleep(Duration::from_millis(50)).await;
        first.tick();
        let terms = Terms {
            on_conflict: OnConflict::Reject,
            ..Terms::default()
        };
        let publish = |at| house.registry.publish(&name(), &terms, at);
        let stalled_after = house.config.rtmp.stalled_after;
        let early = publish(last + stalled_after / 2);
        assert_eq!(early.err(), Some(Refused::Occupied));
        assert!(publish(last + stalled_after).is_ok());
    }

    #[tokio::test]
    async fn a_publish_that_stalls_stands_by_for_the_one_that_took_its_place() {
        let mut config = Config::default();
        config.rtmp.stalled_after = Duration::ZERO;
        let house = Arc::new(House::new(config, Arc::default()));
        let mut first = begin(&house, OnConflict::Backup).expect("free");
        let mut second = begin(&house, OnConflict::Backup).expect("the first is stalled");
        assert_eq!(first.dismissal(), None);
        assert_eq!(second.dismissal(), None);
        let there = house.registry.directory().find(&name()).expect("live");
        assert_eq!((there.state(), there.backups()), (State::Live, 1));
    }
}
