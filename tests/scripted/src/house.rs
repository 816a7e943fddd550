//! The gateway's side: what `forebay` does with a connection, without its socket and clock, and every
//! check on the way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use media::{MediaTime, MessageKind, PresentationName};
use playlist::{PushError, Registry, Terms, Writer};
use rtmp_ingest::{Event, Limits, MessageStreamId, PublishRequest, Rejection, Session};
use segmenter::{Output, Segmenter};

use crate::chunks::Message;
use crate::follower::Follower;
use crate::parts::PartFollower;
use crate::script::Settings;
use crate::transport::Stream;

pub(crate) struct House {
    registry: Registry,
    cutting: segmenter::Settings,
    keeps_removed: bool,
    session: Option<Session>,
    publishes: BTreeMap<MessageStreamId, Publish>,
    followers: BTreeMap<PresentationName, (Follower, PartFollower)>,
    /// Messages sent and not arrived; `None` where nobody can say what will arrive.
    expected: Option<Vec<Message>>,
    any_order: bool,
    began: Instant,
    elapsed: Duration,
}

struct Publish {
    segmenter: Segmenter,
    writer: Writer,
    name: PresentationName,
    stream: Stream,
    /// What arrived is what was sent.
    exact: bool,
}

impl House {
    pub(crate) fn new(settings: &Settings) -> Self {
        let segment = MediaTime::from_millis(500 + 20 * i64::from(settings.segment));
        let defaults = segmenter::Settings::default();
        let cutting = segmenter::Settings {
            segment_target: segment,
            max_segment_bytes: settings
                .segment_bytes
                .map_or(defaults.max_segment_bytes, |bytes| 1_000 + u64::from(bytes)),
            part: Some(MediaTime::from_millis(200)),
            ..defaults
        };
        let defaults = playlist::Settings::default();
        let kept = playlist::Settings {
            segment,
            window: usize::from(settings.window % 8) + 1,
            removed_bytes: settings
                .removed_kib
                .map_or(defaults.removed_bytes, |kib| u64::from(kib) << 10),
            listed_bytes: settings
                .listed_kib
                .map_or(defaults.listed_bytes, |kib| (32 + u64::from(kib)) << 10),
            ..defaults
        };
        Self {
            registry: Registry::new(kept),
            cutting,
            keeps_removed: settings.removed_kib.is_none(),
            session: None,
            publishes: BTreeMap::new(),
            followers: BTreeMap::new(),
            expected: None,
            any_order: false,
            began: Instant::now(),
            elapsed: Duration::ZERO,
        }
    }

    pub(crate) fn connect(&mut self) {
        self.session = Some(Session::new(Limits::default()));
        self.expected = Some(Vec::new());
    }

    /// The connection is gone; what is still open becomes last segments.
    pub(crate) fn disconnect(&mut self) {
        self.session = None;
        self.expected = None;
        for (_, publish) in std::mem::take(&mut self.publishes) {
            self.end(publish);
        }
    }

    pub(crate) fn wait(&mut self, ms: u16) {
        self.elapsed += Duration::from_millis(ms.into());
    }

    /// From here on nobody can say which messages arrive.
    pub(crate) fn expect_anything(&mut self) {
        self.expected = None;
        self.expect_overtaking();
    }

    /// Messages whose chunks are interleaved overtake one another: what arrives first was not sent first.
    pub(crate) fn expect_overtaking(&mut self) {
        for publish in self.publishes.values_mut() {
            publish.exact = false;
        }
    }

    /// These arrive next, in this order.
    pub(crate) fn expect(&mut self, messages: Vec<Message>) {
        self.any_order = false;
        if let Some(expected) = &mut self.expected {
            expected.extend(messages.into_iter().filter(arrives));
        }
    }

    /// These arrive next, in some order.
    pub(crate) fn expect_in_any_order(&mut self, messages: Vec<Message>) {
        self.expect(messages);
        self.any_order = true;
    }

    pub(crate) fn expect_nothing_more(&self) {
        if let Some(expected) = &self.expected {
            assert!(expected.is_empty(), "{} messages are lost", expected.len());
        }
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        let Some(session) = &mut self.session else {
            return;
        };
        session.push(bytes);
        session.sent(usize::MAX);
        loop {
            let Some(session) = &mut self.session else {
                return;
            };
            match session.pull() {
                Ok(Some(event)) => self.take(event),
                Ok(None) => return,
                Err(error) => {
                    assert!(
                        self.expected.is_none(),
                        "nothing was wrong, and yet: {error}"
                    );
                    return self.disconnect();
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Publish(request) => self.begin(&request),
            Event::Media { stream, message } => {
                self.compare(&message);
                let Some(publish) = self.publishes.get_mut(&stream) else {
                    return;
                };
                publish
                    .segmenter
                    .push(&message, SystemTime::UNIX_EPOCH + self.elapsed);
                if self.store(stream).is_err() {
                    // As the gateway does: told why, and over.
                    self.expected = None;
                    if let Some(publish) = self.publishes.remove(&stream) {
                        self.end(publish);
                    }
                    if let Some(session) = &mut self.session {
                        session.end_publish(stream, "too large");
                    }
                }
            }
            Event::Unpublish { stream } => {
                let publish = self
                    .publishes
                    .remove(&stream)
                    .expect("only what was begun ends");
                self.end(publish);
            }
        }
    }

    fn begin(&mut self, request: &PublishRequest) {
        let name = PresentationName {
            app: request.app.clone(),
            name: request.key.reveal().clone(),
        };
        let session = self.session.as_mut().expect("it has just asked");
        let now = self.began + self.elapsed;
        match self.registry.publish(&name, &Terms::default(), now) {
            Ok(writer) => {
                let mut segmenter = Segmenter::new(self.cutting);
                if let Some(target) = writer.presentation().window().target_duration() {
                    segmenter.limit(target.longest_segment());
                }
                if let Some(target) = writer.presentation().low_latency_window().part_target() {
                    segmenter.limit_parts(target);
                }
                let publish = Publish {
                    segmenter,
                    writer,
                    name,
                    stream: Stream::default(),
                    exact: self.expected.is_some(),
                };
                let before = self.publishes.insert(request.stream, publish);
                assert!(before.is_none(), "two publishes on one message stream");
                session.accept(request.stream);
            }
            Err(refused) => {
                self.expected = None;
                session.reject(request.stream, &Rejection::BadName(refused.to_string()));
            }
        }
    }

    /// What came out of the session is what went in.
    fn compare(&mut self, message: &media::Message) {
        let kind = match message.kind {
            MessageKind::Audio => 8,
            MessageKind::Video => 9,
            MessageKind::Data => return,
        };
        let Some(expected) = &mut self.expected else {
            return;
        };
        let is_it = |sent: &Message| {
            sent.kind == kind
                && sent.timestamp_ms == message.timestamp_ms
                && sent.body == message.payload
        };
        let at = expected.iter().position(is_it);
        let at = at.unwrap_or_else(|| panic!("nobody sent {message:?}"));
        assert!(self.any_order || at == 0, "{at} messages were overtaken");
        expected.remove(at);
        if at > 0 {
            self.expect_overtaking();
        }
    }

    fn store(&mut self, stream: MessageStreamId) -> Result<(), PushError> {
        let Some(publish) = self.publishes.get_mut(&stream) else {
            return Ok(());
        };
        let follower = self.followers.entry(publish.name.clone()).or_default();
        let now = self.began + self.elapsed;
        drain(publish, follower, now, self.keeps_removed)
    }

    /// Its last segment is listed, unless it is one too many.
    fn end(&mut self, mut publish: Publish) {
        publish.segmenter.finish();
        let follower = self.followers.entry(publish.name.clone()).or_default();
        let now = self.began + self.elapsed;
        let _ = drain(&mut publish, follower, now, self.keeps_removed);
        drop(publish.writer.leave());
    }
}

fn drain(
    publish: &mut Publish,
    (follower, part_follower): &mut (Follower, PartFollower),
    now: Instant,
    keeps_removed: bool,
) -> Result<(), PushError> {
    while let Some(output) = publish.segmenter.pull() {
        let segment = match output {
            Output::Segment(segment) => segment,
            Output::Fault(_) | Output::Event(_) => continue,
            Output::Part(_) | Output::Closed => {
                let pushed = match output {
                    Output::Part(part) => publish.writer.push_part(part, now).map(Some),
                    _ => publish.writer.close_segment(now).map(|()| None),
                };
                match pushed {
                    Err(PushError::Replaced(_)) => {}
                    Err(too_large) => return Err(too_large),
                    Ok(target) => {
                        if let Some(target) = target {
                            publish.segmenter.limit_parts(target);
                        }
                        part_follower.look(&publish.writer.presentation().low_latency_window());
                    }
                }
                continue;
            }
        };
        publish.stream.check(&segment, publish.exact);
        let window = match publish.writer.push(segment.clone(), now) {
            Err(PushError::Replaced(_)) => return Ok(()),
            Err(too_large) => return Err(too_large),
            Ok(target) => {
                publish.segmenter.limit(target.longest_segment());
                publish.writer.presentation().window()
            }
        };
        follower.look(&window, &segment, keeps_removed);
    }
    Ok(())
}

/// Audio and video with a body, on the message stream that is published, are given on.
fn arrives(message: &Message) -> bool {
    matches!(message.kind, 8 | 9) && message.stream == 1 && !message.body.is_empty()
}
