//! What ffmpeg is told: FLV from its standard input, and an H.264 rung to each socket, with the key frames and the
//! timestamps of the source.

use std::ffi::OsString;
use std::path::Path;

use super::MOST_PIXELS;
use super::preamble::Sound;
use crate::config::Rendition;

/// Pictures are decoded by so many threads at most: each holds one back.
const DECODERS: &str = "4";
/// How much media ffmpeg looks at before it begins, microseconds. By itself it waits for 90 s of a track that the
/// header announces and that never comes.
const ANALYSED_US: &str = "2000000";
/// How long pictures wait for sound that does not come, microseconds; by itself 10 s.
const INTERLEAVED_US: &str = "500000";
/// Pictures from one key frame to the next that x264 would put in itself: never. It is an hour at 30 a second.
const OWN_KEY_FRAMES: &str = "108000";

/// The arguments for `renditions`, each with the socket it goes to.
pub(super) fn arguments(renditions: &[(Rendition, &Path)], sound: Sound) -> Vec<OsString> {
    let mut all = words("-hide_banner -nostdin -loglevel error -copyts");
    all.extend(words("-threads"));
    all.push(DECODERS.into());
    // A header in the stream may say another size than the one that was looked at.
    all.extend(words(&format!("-max_pixels {MOST_PIXELS}")));
    all.push("-analyzeduration".into());
    all.push(ANALYSED_US.into());
    all.extend(words("-f flv -i pipe:0"));
    for (rendition, socket) in renditions {
        all.extend(words("-map 0:v:0"));
        all.extend(match sound {
            Sound::None => Vec::new(),
            Sound::Copied => words("-map 0:a:0 -c:a copy"),
            Sound::Encoded => words("-map 0:a:0 -c:a aac -b:a 128k"),
        });
        all.extend(encoder(*rendition));
        all.push("-max_interleave_delta".into());
        all.push(INTERLEAVED_US.into());
        all.extend(words("-avoid_negative_ts disabled -flush_packets 1 -f flv"));
        let mut url = OsString::from("unix:");
        url.push(socket);
        all.push(url);
    }
    all
}

/// How the pictures are encoded.
///
/// `zerolatency` looks at no later picture: rungs are hardly later than the source, so that a player of low latency
/// that goes down finds its media there. Without B-pictures, times stay as they are.
fn encoder(
    Rendition {
        height,
        bit_rate,
        preset,
    }: Rendition,
) -> Vec<OsString> {
    words(&format!(
        "-vf scale=-2:{height} -pix_fmt yuv420p -c:v libx264 -preset {preset} -tune zerolatency -b:v {bit_rate} \
         -maxrate {bit_rate} -bufsize {bit_rate} -g {OWN_KEY_FRAMES} -sc_threshold 0 -force_key_frames source \
         -forced-idr 1 -fps_mode passthrough -enc_time_base 1:1000"
    ))
}

fn words(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;

    fn rendition(height: u32, bit_rate: u32) -> Rendition {
        Rendition {
            height,
            bit_rate,
            preset: Preset::Fast,
        }
    }

    #[test]
    fn a_rung_has_the_key_frames_and_times_of_the_source() {
        let path = Path::new("/tmp/a folder/1");
        let all = arguments(&[(rendition(360, 800_000), path)], Sound::Copied);
        let shown: Vec<_> = all.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(
            shown.join(" "),
            "-hide_banner -nostdin -loglevel error -copyts -threads 4 -max_pixels 9437184 -analyzeduration 2000000 -f flv -i pipe:0 \
             -map 0:v:0 -map 0:a:0 -c:a copy \
             -vf scale=-2:360 -pix_fmt yuv420p -c:v libx264 -preset fast -tune zerolatency -b:v 800000 \
             -maxrate 800000 -bufsize 800000 -g 108000 -sc_threshold 0 -force_key_frames source \
             -forced-idr 1 -fps_mode passthrough -enc_time_base 1:1000 \
             -max_interleave_delta 500000 -avoid_negative_ts disabled -flush_packets 1 -f flv unix:/tmp/a folder/1"
        );
        assert_eq!(all.last(), Some(&"unix:/tmp/a folder/1".into()), "one word");
    }

    #[test]
    fn all_rungs_are_made_by_one_ffmpeg_of_one_decoded_source() {
        let (a, b) = (Path::new("/a"), Path::new("/b"));
        let renditions = [(rendition(720, 2_500_000), a), (rendition(360, 800_000), b)];
        let count = |sound, word: &str| {
            let all = arguments(&renditions, sound);
            all.iter().filter(|it| *it == word).count()
        };
        assert_eq!(count(Sound::None, "-i"), 1);
        assert_eq!(count(Sound::None, "libx264"), 2);
        assert_eq!(count(Sound::None, "0:a:0"), 0);
        assert_eq!(count(Sound::Encoded, "aac"), 2);
    }
}
