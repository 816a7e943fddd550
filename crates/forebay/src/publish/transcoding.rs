//! Publishes that are transcoded, and those that are made of others so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use media::{Message, PresentationName};
use playlist::{Refused, Terms};
use segmenter::Origin;

use super::{Publish, Source};
use crate::house::House;
use crate::transcoder::{Making, Placed, Transcoder};

impl Publish {
    /// A rung that comes back from a transcoder; `origin` is what its timestamps mean.
    pub(crate) fn begin_transcoded(
        name: PresentationName,
        terms: Terms,
        peer: SocketAddr,
        origin: Origin,
        house: Arc<House>,
    ) -> Result<Self, Refused> {
        let mut publish = Self::begin_as(Source::Transcoder, name, terms, peer, None, house)?;
        publish.segmenter.follow(origin);
        Ok(publish)
    }

    /// A transcoder for a publish that has got its place, if it is to have one.
    pub(super) fn begin_transcoder(&self) -> Option<Transcoder> {
        self.preamble.as_ref()?;
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

    /// It neither follows another publish nor do rungs follow it: it goes by the clock of its ladder.
    pub(super) fn has_own_clock(&self) -> bool {
        self.source == Source::Connection && self.transcoder.is_none()
    }

    /// Gives a message to the transcoder, once it has been taken here.
    pub(super) fn transcode(&mut self, message: &Message, placed: Option<&Placed>) {
        let Some(preamble) = &mut self.preamble else {
            return;
        };
        let now = Instant::now();
        preamble.push(message, placed, now);
        let Some(transcoder) = &self.transcoder else {
            return;
        };
        if let Some(fault) = transcoder.take(message, placed, preamble, now) {
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
