//! Timed metadata of a publish: its data messages, for its viewers and those of the rungs beside it.
//!
//! What does not belong here: what a message says (`data_message.rs`).

use std::sync::Arc;

use media::{Message, TimedEvent};

use super::Publish;
use crate::data_message::{self, Heard};

impl Publish {
    /// Hears what a data message says.
    pub(super) fn hear(&mut self, message: &Message) {
        let at = message.timestamp_ms;
        let Heard { event, fault } = data_message::read(&message.payload, at, &mut self.cues);
        if let Some((event, at)) = event {
            self.segmenter.note(Arc::new(event), at);
        }
        if let Some(fault) = fault {
            self.record(fault);
        }
    }

    /// Tells the publishes that follow this one of an event that has got its time here.
    pub(super) fn pass_on(&mut self, event: &TimedEvent) {
        for rung in self.rungs.all() {
            rung.place_event(event.clone());
        }
        if let Some(transcoder) = &self.transcoder {
            transcoder.note(event.clone());
        }
    }

    /// Takes an event of the publish that this one follows.
    pub(crate) fn place_event(&mut self, event: TimedEvent) {
        self.segmenter.place(event);
    }
}
