//! NetStream commands (RTMP 1.0 §7.2.2): `publish` and the three ways to end it.

use super::command::Command;
use super::{Session, address};
use crate::{Error, Event, MessageStreamId, PublishMode, PublishRequest, Rejection, StreamKey};

/// The message streams of a connection.
#[derive(Debug)]
pub(super) struct NetStreams {
    streams: Vec<NetStream>,
    limit: u32,
}

#[derive(Debug)]
struct NetStream {
    id: u32,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Idle,
    Pending(StreamKey),
    Publishing(StreamKey),
}

impl NetStreams {
    pub(super) const fn new(limit: u32) -> Self {
        Self {
            streams: Vec::new(),
            limit,
        }
    }

    /// A message stream with the lowest free number, from 1; `None` at the limit.
    pub(super) fn create(&mut self) -> Option<u32> {
        let id = (1..=self.limit).find(|&id| self.streams.iter().all(|stream| stream.id != id))?;
        self.streams.push(NetStream {
            id,
            state: State::Idle,
        });
        Some(id)
    }

    pub(super) fn accept(&mut self, id: MessageStreamId) -> bool {
        self.decide(id, State::Publishing)
    }

    pub(super) fn reject(&mut self, id: MessageStreamId) -> bool {
        self.decide(id, |_| State::Idle)
    }

    fn decide(&mut self, id: MessageStreamId, next: impl FnOnce(StreamKey) -> State) -> bool {
        let Some(stream) = self.find(id) else {
            return false;
        };
        match std::mem::replace(&mut stream.state, State::Idle) {
            State::Pending(key) => {
                stream.state = next(key);
                true
            }
            other => {
                stream.state = other;
                false
            }
        }
    }

    /// Whether the stream published, which it does no more.
    pub(super) fn end(&mut self, id: MessageStreamId) -> bool {
        let Some(stream) = self.find(id) else {
            return false;
        };
        let published = matches!(stream.state, State::Publishing(_));
        if published {
            stream.state = State::Idle;
        }
        published
    }

    pub(super) fn pending(&self) -> Option<u32> {
        self.streams
            .iter()
            .find_map(|stream| matches!(stream.state, State::Pending(_)).then_some(stream.id))
    }

    pub(super) fn publishing(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.streams
            .iter()
            .filter(|stream| matches!(stream.state, State::Publishing(_)))
            .map(|stream| stream.id)
    }

    pub(super) fn is_publishing(&self, id: MessageStreamId) -> bool {
        self.publishing().any(|publishing| publishing == id.0)
    }

    fn find(&mut self, id: MessageStreamId) -> Option<&mut NetStream> {
        self.streams.iter_mut().find(|stream| stream.id == id.0)
    }
}

impl Session {
    /// A publish that cannot be is answered with a status. A name that cannot exist also ends the session.
    pub(super) fn publish(&mut self, command: &Command, at: u64) -> Result<(), Error> {
        let stream = MessageStreamId(command.stream);
        let Some(application) = &self.application else {
            self.refuse(stream, "connect before publishing");
            return Ok(());
        };
        match self.streams.find(stream).map(|stream| &stream.state) {
            Some(State::Idle) => {}
            Some(State::Pending(_) | State::Publishing(_)) => {
                self.refuse(stream, "this message stream publishes already");
                return Ok(());
            }
            None => {
                self.refuse(stream, "create a message stream before publishing on it");
                return Ok(());
            }
        }
        let (name, query) = address::cut_query(command.text(0).unwrap_or_default());
        let (app, key) = match address::resolve(&application.path, name) {
            Ok(resolved) => resolved,
            Err(source) => {
                self.refuse(stream, &source.to_string());
                return Err(Error::Name { at, source });
            }
        };
        self.check_query(query.as_ref(), at)?;
        let request = PublishRequest {
            stream,
            app,
            key: key.clone(),
            query,
            connect_query: application.query.clone(),
            tc_url: application
                .tc_url
                .as_deref()
                .map(|url| address::without_key(url, &key)),
            encoder: application.encoder.clone(),
            mode: mode(command.text(1)),
        };
        if let Some(stream) = self.streams.find(stream) {
            stream.state = State::Pending(key);
        }
        self.events.push_back(Event::Publish(Box::new(request)));
        Ok(())
    }

    /// Ends the publish of the name it carries; without a name, the only one.
    pub(super) fn fc_unpublish(&mut self, command: &Command) {
        let path = self.application.as_ref().map(|known| known.path.as_str());
        let key = command.text(0).and_then(|name| {
            address::resolve(path.unwrap_or_default(), address::cut_query(name).0).ok()
        });
        let mut publishing = self.streams.streams.iter().filter_map(|stream| {
            let State::Publishing(own) = &stream.state else {
                return None;
            };
            let meant = key.as_ref().is_none_or(|(_, key)| key == own);
            meant.then_some(stream.id)
        });
        if let (Some(stream), None) = (publishing.next(), publishing.next()) {
            self.close_stream(MessageStreamId(stream));
        }
        self.replies.fc_unpublish(command);
    }

    /// Ends what the message stream publishes; the stream itself stays.
    pub(super) fn close_stream(&mut self, id: MessageStreamId) {
        if self.finish_publish(id) {
            self.replies.unpublished(id.0, "the publish has ended");
        }
    }

    /// Ends a message stream. Its number is the argument; the command itself comes on stream 0, or on
    /// the stream without an argument.
    pub(super) fn delete_stream(&mut self, command: &Command) {
        let meant = match command.arguments.first() {
            Some(argument) => argument.as_number(),
            None => Some(command.stream.into()),
        };
        let Some(position) = meant.and_then(|meant| {
            self.streams
                .streams
                .iter()
                .position(|stream| f64::from(stream.id) == meant)
        }) else {
            return;
        };
        if let Some(stream) = self.streams.streams.get(position) {
            self.finish_publish(MessageStreamId(stream.id));
        }
        self.streams.streams.swap_remove(position);
    }

    fn finish_publish(&mut self, id: MessageStreamId) -> bool {
        let ended = self.streams.end(id);
        if ended {
            self.events.push_back(Event::Unpublish { stream: id });
        }
        ended
    }

    fn refuse(&mut self, stream: MessageStreamId, why: &str) {
        self.replies
            .publish_rejected(stream.0, &Rejection::BadName(why.to_owned()));
    }
}

fn mode(text: Option<&str>) -> PublishMode {
    match text.map(str::to_ascii_lowercase).as_deref() {
        Some("record") => PublishMode::Record,
        Some("append") => PublishMode::Append,
        _ => PublishMode::Live,
    }
}
