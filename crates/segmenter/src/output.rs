//! What comes out of a segmenter, and the queue it waits in between a push and the pulls that follow.

use std::collections::VecDeque;

use media::{Fault, FaultKind, Part, Segment, TimedEvent};

/// One thing a publish has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A segment, complete and never to change.
    Segment(Segment),
    /// The next part of a segment that is cut for low latency.
    Part(Part),
    /// The segment of the parts so far is complete with those: all that it has is out already.
    Closed,
    /// An event has got its time: it is in a segment or part to come, and belongs to publishes that follow this one too.
    Event(TimedEvent),
    /// Something that had to be worked around.
    Fault(Fault),
}

/// Outputs in the order they came about. One push adds a handful at most.
#[derive(Debug, Default)]
pub(crate) struct Outputs(VecDeque<Output>);

impl Outputs {
    pub(crate) fn segment(&mut self, segment: Segment) {
        self.0.push_back(Output::Segment(segment));
    }

    pub(crate) fn part(&mut self, part: Part) {
        self.0.push_back(Output::Part(part));
    }

    pub(crate) fn closed(&mut self) {
        self.0.push_back(Output::Closed);
    }

    pub(crate) fn fault(&mut self, kind: FaultKind, text: String) {
        self.0.push_back(Output::Fault(Fault { kind, text }));
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    /// Takes the media of `others`, and not their faults.
    pub(crate) fn take_media(&mut self, others: &mut Self) {
        let media = others.0.drain(..);
        self.0
            .extend(media.filter(|output| !matches!(output, Output::Fault(_))));
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.0.pop_front()
    }
}
