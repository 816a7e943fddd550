//! A playlist text as it is sent: rendered once, compressed once, shared by every request.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// An immutable text with its entity tag, and its compressed form once somebody asks for it.
#[derive(Debug, Default)]
pub struct Text {
    plain: Bytes,
    gzip: OnceLock<Bytes>,
    tag: String,
}

impl Text {
    /// `tag` must differ for every text ever served under one URL; it goes into ETag, without quotes.
    pub(crate) fn new(plain: String, tag: String) -> Self {
        Self {
            plain: plain.into(),
            gzip: OnceLock::new(),
            tag,
        }
    }

    /// With a tag that follows from the text: for one that is made of several snapshots.
    pub(crate) fn tagged_by_content(plain: String) -> Self {
        let mut hasher = DefaultHasher::new();
        plain.hash(&mut hasher);
        Self::new(plain, format!("{:016x}", hasher.finish()))
    }

    /// The text itself, UTF-8.
    pub fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// The text in gzip form, made at the first call.
    pub fn gzip(&self) -> Bytes {
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder
                .write_all(&self.plain)
                .and_then(|()| encoder.finish())
                .map(Bytes::from)
                .expect("writing to memory should not fail")
        };
        self.gzip.get_or_init(compress).clone()
    }

    /// The entity tag, without quotes.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_compressed_form_is_the_same_text() {
        let text = Text::new("#EXTM3U\n".repeat(40), "a".into());
        let mut plain = String::new();
        let gzip = text.gzip();
        flate2::read::GzDecoder::new(&*gzip)
            .read_to_string(&mut plain)
            .expect("gzip");
        assert_eq!(plain.as_bytes(), &*text.plain());
        assert!(gzip.len() < text.plain().len());
    }
}
