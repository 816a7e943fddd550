//! Publishes that are transcoded, and those that are made of others so.

use std::net::SocketAddr;
use std::sync::Arc;

use media::{Message, PresentationName};
use playlist::{Refused, Terms};
use segmenter::Origin;

use super::{Publish, Source};
use crate::house::House;
use crate::transcoder::{Making, Transcoder};

impl Publish {
    /// A rung that comes back from a transcoder; `origin` is what its timestamps mean.
    pub(crate) fn begin_transcoded(
        name: PresentationName,
        terms: Terms,
        peer: SocketAddr,
        origin: Origin,
        house: Arc<House>,
    ) -> Result<Self, Refused> {
        Self::begin_as(Source::Transcoder(origin), name, terms, peer, None, house)
    }

    /// A transcoder for a publish that has got its place, if it is to have one: no rung has, or there would be no end
    /// of them.
    pub(super) fn begin_transcoder(&self) -> Option<Transcoder> {
        if self.source != Source::Connection {
            return None;
        }
        let (ladder, workshop) = self.house.ladder_of(&self.name)?;
        Some(Transcoder::begin(Making {
            ladder: ladder.clone(),
            source: self.name.clone(),
            terms: self.terms.clone(),
            peer: self.peer,
            workshop,
            house: self.house.clone(),
        }))
    }

    /// Others of its ladder have its timestamps, or it has theirs.
    pub(super) fn shares_clock(&self) -> bool {
        self.transcoder.is_some() || matches!(self.source, Source::Transcoder(_))
    }

    /// Gives a message to the transcoder, when it has been taken here.
    pub(super) fn transcode(&mut self, message: &Message) {
        let Some(transcoder) = &self.transcoder else {
            return;
        };
        let source = || {
            let origin = self.segmenter.origin()?;
            // Nothing of the message was placed.
            if origin.sent_ms.rem_euclid(1 << 32) != i64::from(message.timestamp_ms) {
                return None;
            }
            let tracks = self.segmenter.tracks();
            let (_, height) = tracks.iter().find_map(|(track, _)| track.codec.size())?;
            Some((origin, Some(height.into())))
        };
        if let Some(fault) = transcoder.take(message, source) {
            self.record(fault);
        }
    }

    /// Records what has become of the transcoder.
    pub(super) fn hear_of_transcoder(&mut self) {
        if let Some(fault) = self.transcoder.as_ref().and_then(Transcoder::news) {
            self.record(fault);
        }
    }
}
