//! Timed metadata of a publish: its data messages, for its viewers and those of the rungs beside it.
//!
//! What does not belong here: what a message says (`data_message.rs`).

use std::sync::Arc;

use media::Message;

use super::Publish;
use crate::data_message::{self, Heard};

impl Publish {
    /// Hears what a data message says.
    pub(super) fn hear(&mut self, message: &Message) {
        let at = message.timestamp_ms;
        let Heard { event, fault } = data_message::read(&message.payload, at, &mut self.cues);
        if let Some((event, at)) = event {
            let event = Arc::new(event);
            for rung in self.rungs.all() {
                rung.segmenter.note(event.clone(), at);
            }
            self.segmenter.note(event, at);
        }
        if let Some(fault) = fault {
            self.record(fault);
        }
    }
}
