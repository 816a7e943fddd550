//! What comes out of a segmenter, and the queue it waits in between a push and the pulls that follow.

use std::collections::VecDeque;

use media::{Fault, FaultKind, Segment};

/// One thing a publish has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A segment, complete and never to change.
    Segment(Segment),
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

    pub(crate) fn fault(&mut self, kind: FaultKind, text: String) {
        self.0.push_back(Output::Fault(Fault { kind, text }));
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.0.pop_front()
    }
}
