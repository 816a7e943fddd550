//! CMAF without the gateway between: what an encoder sends becomes an init section and parts, and these, one behind
//! the other, are the same to ffmpeg as the file that went in.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use e2e::clip::{AUDIO, Audio, Clip, VIDEO, Video};
use e2e::ffmpeg_witness::{Tracks, decode};
use e2e::gateway::scratch;
use media::{MediaTime, Part, Rendition, Track};
use segmenter::cmaf::{Fragment, init};
use segmenter::flv::file::Reader;
use segmenter::{Output, Segmenter, Settings};

/// As long as the gateway's own parts are.
const PART: MediaTime = MediaTime::from_millis(200);

/// What comes out of a publish for low latency.
struct Published {
    tracks: Vec<Track>,
    parts: Vec<Part>,
}

/// A file in a folder for such, deleted when it is dropped.
struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Published {
    /// The clip, published.
    fn new(clip: &Clip) -> Self {
        let mut reader = Reader::new();
        reader.push(&std::fs::read(clip.file()).expect("the clip"));
        let mut segmenter = Segmenter::new(Settings {
            part: Some(PART),
            ..Settings::default()
        });
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000);
        let mut parts = Vec::new();
        while let Some(message) = reader.pull().expect("an FLV file") {
            segmenter.push(&message, now);
            take_parts(&mut segmenter, &mut parts);
        }
        segmenter.finish();
        take_parts(&mut segmenter, &mut parts);

        let mut heads = parts.iter().filter_map(|part| part.head.as_ref());
        let tracks = heads.next().expect("a first part").tracks.to_vec();
        assert!(heads.all(|head| !head.discontinuity && *head.tracks == *tracks));
        Self { tracks, parts }
    }

    /// The init section and the fragments of `rendition`, in one file.
    fn write(&self, rendition: Rendition) -> Written {
        let mut bytes = init(&self.tracks, rendition).to_vec();
        let mut date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000);
        for (sequence, part) in (1..).zip(&self.parts) {
            let fragment = Fragment {
                part,
                tracks: &self.tracks,
                rendition,
            };
            if let Some(size) = fragment.size() {
                let before = bytes.len() as u64;
                bytes.extend_from_slice(&fragment.header(sequence, date));
                fragment
                    .payloads()
                    .for_each(|payload| bytes.extend_from_slice(payload));
                assert_eq!(bytes.len() as u64 - before, size);
            }
            date += part.duration.to_duration();
        }
        let written = Written(scratch("mp4"));
        std::fs::write(&written.0, bytes).expect("a scratch file");
        written
    }
}

fn take_parts(segmenter: &mut Segmenter, parts: &mut Vec<Part>) {
    while let Some(output) = segmenter.pull() {
        match output {
            Output::Part(part) => parts.push(part),
            Output::Segment(_) | Output::Closed | Output::Event(_) => {}
            Output::Fault(fault) => panic!("{fault:?}"),
        }
    }
}

/// `rendition` of `clip` has each of its access units once, at its time, and all of them can be decoded.
fn comes_out(clip: &Clip, published: &Published, rendition: Rendition) {
    let mut went_in = Tracks::read(clip.file());
    let (pictures, sounds) = decode(clip.file());
    assert_eq!(pictures, went_in.video.len());
    if rendition == Rendition::Video {
        went_in.audio.clear();
        went_in.codecs.retain(|codec| codec == "h264");
    }
    if rendition == Rendition::Audio {
        went_in.video.clear();
        went_in.codecs.retain(|codec| codec != "h264");
    }
    let file = published.write(rendition);
    let came_out = Tracks::read(&file.0);
    went_in.assert_came_out(&came_out);
    let expected = match rendition {
        Rendition::Video => (pictures, 0),
        Rendition::Audio => (0, sounds),
        Rendition::Muxed => (pictures, sounds),
    };
    assert_eq!(decode(&file.0), expected, "{rendition:?}");
    assert_clean(&file);
}

/// ffmpeg decodes it and finds nothing to stop at.
fn assert_clean(file: &Written) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-xerror", "-i"]).arg(&file.0);
    ffmpeg.args(["-map", "0", "-fps_mode", "passthrough", "-f", "null", "-"]);
    let output = ffmpeg.output().expect("ffmpeg is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
}

#[test]
fn pictures_and_sound_alone_and_together() {
    let clip = Clip::usual(5);
    let published = Published::new(&clip);
    assert!(published.parts.len() >= 5 * 1_000 / 218, "many parts");
    for rendition in [Rendition::Video, Rendition::Audio, Rendition::Muxed] {
        comes_out(&clip, &published, rendition);
    }
}

#[test]
fn rates_that_no_millisecond_holds() {
    let clip = Clip {
        seconds: 5,
        video: Some(Video {
            rate: "30000/1001",
            gop: Some(60),
            ..VIDEO
        }),
        audio: Some(Audio {
            sample_rate: 44_100,
            channels: 1,
            ..AUDIO
        }),
    };
    let published = Published::new(&clip);
    for rendition in [Rendition::Video, Rendition::Audio, Rendition::Muxed] {
        comes_out(&clip, &published, rendition);
    }
}

#[test]
fn pictures_alone() {
    let clip = Clip {
        audio: None,
        ..Clip::usual(5)
    };
    comes_out(&clip, &Published::new(&clip), Rendition::Video);
}

#[test]
fn sound_alone() {
    for encoder in ["aac", "libmp3lame"] {
        let clip = Clip {
            video: None,
            audio: Some(Audio {
                encoder,
                sample_rate: 44_100,
                ..AUDIO
            }),
            ..Clip::usual(5)
        };
        comes_out(&clip, &Published::new(&clip), Rendition::Audio);
    }
}
