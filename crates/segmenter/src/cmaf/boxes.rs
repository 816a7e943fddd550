//! Boxes (ISO/IEC 14496-12 §4.2): written in one buffer, each size filled in when its content is there.

/// A buffer of boxes.
#[derive(Debug, Default)]
pub(super) struct Boxes(Vec<u8>);

impl Boxes {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A box of `kind` with what `content` writes.
    pub(super) fn put(&mut self, kind: &[u8; 4], content: impl FnOnce(&mut Self)) {
        let begin = self.0.len();
        self.u32(0);
        self.bytes(kind);
        content(self);
        let size = u32::try_from(self.0.len() - begin).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(begin..begin + 4) {
            place.copy_from_slice(&size.to_be_bytes());
        }
    }

    /// A full box: one with a version and flags.
    pub(super) fn full(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        content: impl FnOnce(&mut Self),
    ) {
        self.put(kind, |boxes| {
            boxes.u32(u32::from(version) << 24 | flags);
            content(boxes);
        });
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn zeros(&mut self, count: usize) {
        self.0.resize(self.0.len() + count, 0);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }
}
