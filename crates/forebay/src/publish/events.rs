//! Timed metadata of a publish: its data messages, for its viewers and those of the rungs beside it.
//!
//! What does not belong here: what a message says (`data_message.rs`).

use std::sync::Arc;

use media::Message;

use super::Publish;
use crate::data_message;

impl Publish {
    /// Hears what a data message says.
    pub(super) fn hear(&mut self, message: &Message) {
        match data_message::read(&message.payload) {
            Ok(None) => {}
            Ok(Some(event)) => {
                let event = Arc::new(event);
                for rung in self.rungs.all() {
                    rung.segmenter.note(event.clone(), message.timestamp_ms);
                }
                self.segmenter.note(event, message.timestamp_ms);
            }
            Err(fault) => self.record(fault),
        }
    }
}
