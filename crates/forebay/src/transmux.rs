//! The pipeline offline: an FLV file to a folder of HLS.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use media::{Faults, MediaTime, Message, MessageKind, Segment};
use playlist::Vod;
use segmenter::{Output, Segmenter, Settings, flv, ts};

use crate::data_message::{self, Cues, Heard};

/// Read and cut in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;

/// What became of a file.
pub(crate) struct Report {
    segments: u64,
    duration: MediaTime,
    bytes: u64,
    faults: Faults,
    /// Bytes of a last tag that is not whole.
    cut_off: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} segment(s), {}, {} bytes",
            self.segments, self.duration, self.bytes
        )?;
        for (kind, count) in self.faults.counted() {
            write!(f, "\n{count} × {kind}")?;
        }
        if let Some(last) = self.faults.last() {
            write!(f, ", the last: {}", last.text)?;
        }
        if self.cut_off > 0 {
            write!(
                f,
                "\nthe file ends inside a tag: its last {} bytes are lost",
                self.cut_off
            )?;
        }
        Ok(())
    }
}

/// Cuts `input` (`-`: standard input) into `output`.
pub(crate) fn run(input: &Path, output: &Path, segment: Duration) -> Result<Report> {
    let mut source: Box<dyn Read> = if input == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(input).with_context(|| format!("cannot read {}", input.display()))?)
    };
    fs::create_dir_all(output).with_context(|| format!("cannot make {}", output.display()))?;

    forget(output)?;

    let target = MediaTime::from(segment);
    let defaults = Settings::default();
    let mut folder = Folder {
        output,
        vod: Vod::new(target),
        segmenter: Segmenter::new(Settings {
            segment_target: target,
            max_segment: defaults.max_segment.max(target + target),
            ..defaults
        }),
        cues: Cues::default(),
        report: Report {
            segments: 0,
            duration: MediaTime::ZERO,
            bytes: 0,
            faults: Faults::default(),
            cut_off: 0,
        },
    };
    let mut reader = flv::file::Reader::new();
    let mut piece = vec![0; PIECE_BYTES];
    let now = SystemTime::now();
    loop {
        let length = source
            .read(&mut piece)
            .with_context(|| format!("cannot read {}", input.display()))?;
        if length == 0 {
            break;
        }
        reader.push(&piece[..length]);
        while let Some(message) = reader.pull().with_context(|| input.display().to_string())? {
            folder.hear(&message);
            folder.segmenter.push(&message, now);
            folder.store()?;
        }
    }
    folder.report.cut_off = reader.unread();
    folder.segmenter.finish();
    folder.store()?;
    folder.close()
}

/// Removes what an earlier run has left in `output`: its segments would lie there for ever, listed nowhere.
fn forget(output: &Path) -> Result<()> {
    let context = || format!("cannot clear {}", output.display());
    for entry in fs::read_dir(output).with_context(context)? {
        let entry = entry.with_context(context)?;
        if entry.file_name().to_str().is_some_and(Vod::is_its) {
            fs::remove_file(entry.path()).with_context(context)?;
        }
    }
    Ok(())
}

struct Folder<'a> {
    output: &'a Path,
    vod: Vod,
    segmenter: Segmenter,
    /// They begin segments; a playlist without dates has nothing else of them.
    cues: Cues,
    report: Report,
}

impl Folder<'_> {
    /// A folder is written in MPEG-TS; one with some of the tracks would be half.
    fn check_codecs(&self, segment: &Segment) -> Result<()> {
        let tracks = self.segmenter.tracks();
        let codecs = tracks.iter().map(|(track, _)| &track.codec);
        let beyond = codecs.filter(|codec| !codec.belongs_in_ts(false));
        let beyond: Vec<_> = beyond.map(media::Codec::name).collect();
        ensure!(
            self.segmenter.is_for_ts(segment),
            "{} has no place in MPEG-TS, which is what is written here; publish the file to the gateway, which serves \
             it in CMAF",
            beyond.join(" and ")
        );
        Ok(())
    }

    /// Hears what a data message says.
    fn hear(&mut self, message: &Message) {
        if message.kind != MessageKind::Data {
            return;
        }
        let at = message.timestamp_ms;
        let Heard { event, fault } = data_message::read(&message.payload, at, &mut self.cues);
        if let Some((event, at)) = event {
            self.segmenter.note(event.into(), at);
        }
        if let Some(fault) = fault {
            self.report.faults.record(fault);
        }
    }

    /// Writes out what the segmenter has ready.
    fn store(&mut self) -> Result<()> {
        while let Some(output) = self.segmenter.pull() {
            match output {
                Output::Segment(segment) => {
                    self.check_codecs(&segment)?;
                    let body = ts::mux(&segment);
                    let name = self.vod.push(&segment);
                    self.report.segments += 1;
                    self.report.duration += segment.duration;
                    self.report.bytes += body.len() as u64;
                    self.write(&name, &body)?;
                }
                Output::Fault(fault) => self.report.faults.record(fault),
                // A file is cut for players that have time.
                Output::Part(_) | Output::Closed | Output::Event(_) => {}
            }
        }
        Ok(())
    }

    /// Writes the playlists, last, so that they never name what is not there.
    fn close(mut self) -> Result<Report> {
        let vod = std::mem::replace(&mut self.vod, Vod::new(MediaTime::ZERO));
        let texts = vod.finish();
        ensure!(
            texts.is_some(),
            "no picture and no sound in it that could be cut\n{}",
            self.report
        );
        if let Some(texts) = texts {
            self.write("main.m3u8", texts.playlist.as_bytes())?;
            self.write("index.m3u8", texts.multivariant.as_bytes())?;
        }
        Ok(self.report)
    }

    fn write(&self, name: &str, body: &[u8]) -> Result<()> {
        let path = self.output.join(name);
        fs::write(&path, body).with_context(|| format!("cannot write {}", path.display()))
    }
}
