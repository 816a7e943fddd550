//! Codecs, profiles and levels that some players cannot play.

use std::time::Duration;

use media::codec::{Aac, H264, Mp3};
use media::{AdviceKind, Codec, Segment, Severity};

use crate::chart::{Chart, Finding};
use crate::sps;

/// Levels beyond this (5.2) came in 2016, for 8K; hardware decoders end before them.
const HIGHEST_LEVEL: u8 = 52;
/// A level from here on (5.0) is refused by players that could play the picture under this one (4.2).
const HIGH_LEVEL: u8 = 50;
const COMMON_LEVEL: u8 = 42;
/// The highest rate that phones and TVs decode everywhere.
const HIGHEST_RATE: u32 = 48_000;

/// Level, macroblocks per second and macroblocks per picture (H.264 table A-1).
const LEVELS: [(u8, f64, f64); 8] = [
    (21, 19_800.0, 792.0),
    (30, 40_500.0, 1_620.0),
    (31, 108_000.0, 3_600.0),
    (32, 216_000.0, 5_120.0),
    (40, 245_760.0, 8_192.0),
    (42, 522_240.0, 8_704.0),
    (51, 983_040.0, 36_864.0),
    (52, 2_073_600.0, 36_864.0),
];

/// Looks at the configurations of a segment's tracks.
pub(crate) fn examine(segment: &Segment, at: Duration, chart: &mut Chart) {
    for (index, track) in segment.tracks.iter().enumerate() {
        match &track.codec {
            Codec::H264(h264) => {
                let pictures = segment.units.iter().filter(|unit| unit.track == index);
                let pictures = u32::try_from(pictures.count()).unwrap_or(u32::MAX);
                let rate = f64::from(pictures) / segment.duration.as_secs_f64().max(0.1);
                examine_h264(h264, track.codec.profile(), rate, at, chart);
            }
            Codec::Aac(aac) => examine_aac(aac, track.codec.profile(), at, chart),
            Codec::Mp3(mp3) => examine_mp3(mp3, at, chart),
            Codec::H265(_) | Codec::Av1(_) | Codec::Vp9(_) => {
                see_video_codec(&track.codec, at, chart)
            }
            Codec::Opus(_) | Codec::Flac(_) | Codec::Ac3(_) | Codec::Eac3(_) => {
                see_audio_codec(&track.codec, at, chart);
            }
        }
    }
}

/// A better picture for the same bits, for those who have a decoder.
fn see_video_codec(codec: &Codec, at: Duration, chart: &mut Chart) {
    let without = match codec {
        Codec::H265(_) => "most browsers play it only where the device has a decoder in hardware",
        Codec::Av1(_) => "Apple's devices from before 2023 and most older TVs have no decoder",
        _ => "many TVs and Apple's older devices have no decoder, or not for HLS",
    };
    let finding = Finding {
        severity: Severity::Hint,
        text: format!("The video is {}, which does not play everywhere: {without}.", codec.name()),
        remedy: "For viewers with any device publish H.264. OBS: Settings, Output, Video Encoder x264 or any other \
                 H.264; ffmpeg: -c:v libx264."
            .to_owned(),
    };
    chart.see(AdviceKind::VideoCodec, at, 1, finding);
}

fn see_audio_codec(codec: &Codec, at: Duration, chart: &mut Chart) {
    let (severity, without) = match codec {
        Codec::Opus(_) | Codec::Flac(_) => (
            Severity::Hint,
            "Safari and TVs play it in HLS in newer versions only, if at all",
        ),
        _ => (Severity::Warning, "most browsers have no decoder for it"),
    };
    let finding = Finding {
        severity,
        text: format!("The sound is {}, which does not play everywhere: {without}.", codec.name()),
        remedy: "For viewers with any device publish AAC. OBS: Settings, Output, Audio Encoder AAC; ffmpeg: -c:a aac."
            .to_owned(),
    };
    chart.see(AdviceKind::AudioCodec, at, 1, finding);
}

fn examine_h264(h264: &H264, profile: &str, rate: f64, at: Duration, chart: &mut Chart) {
    // 66 Baseline, 77 Main, 100 High: the rest is for studios, or was never used.
    if !matches!(h264.profile, 66 | 77 | 100) {
        let finding = Finding {
            severity: Severity::Problem,
            text: format!(
                "The video profile is {profile} ({}): browsers, phones and TVs decode 4:2:0 with 8 bits only.",
                h264.profile
            ),
            remedy: "Encode 4:2:0 with 8 bits in profile High. OBS: Settings, Advanced, Color Format NV12, and \
                     Settings, Output, Profile high; ffmpeg: -pix_fmt yuv420p -profile:v high (and no lossless \
                     -qp 0)."
                .to_owned(),
        };
        chart.see(AdviceKind::VideoProfile, at, 1, finding);
    }
    if let Some(finding) = examine_level(h264, rate) {
        chart.see(AdviceKind::VideoLevel, at, 2, finding);
    }
    let interlaced = h264.sps.first().and_then(|sps| sps::may_be_interlaced(sps));
    if interlaced == Some(true) {
        let finding = Finding {
            severity: Severity::Warning,
            text: "The video is made of fields (interlaced): browsers show moving edges as combs, and some devices show \
                   nothing."
                .to_owned(),
            remedy: "Deinterlace before encoding. OBS: the source's context menu, Deinterlacing, and a \
                     progressive mode of the capture card; ffmpeg: -vf bwdif, and no -flags +ildct+ilme."
                .to_owned(),
        };
        chart.see(AdviceKind::Interlaced, at, 1, finding);
    }
}

fn examine_level(h264: &H264, rate: f64) -> Option<Finding> {
    let (width, height) = (h264.width, h264.height);
    let declared = format!("{}.{}", h264.level / 10, h264.level % 10);
    let (severity, text) = if h264.level > HIGHEST_LEVEL {
        (
            Severity::Warning,
            format!("The video declares level {declared}; most decoders end at 5.2."),
        )
    } else if h264.level >= HIGH_LEVEL {
        let blocks = f64::from(width.div_ceil(16)) * f64::from(height.div_ceil(16));
        let fits = |(_, per_second, per_picture): &&(u8, f64, f64)| {
            blocks <= *per_picture && blocks * rate <= *per_second
        };
        let (needed, ..) = LEVELS.iter().find(fits)?;
        if *needed > COMMON_LEVEL {
            return None;
        }
        (
            Severity::Hint,
            format!(
                "The video declares level {declared}, and {width}x{height} at {rate:.0} pictures a second need {}.{}: \
                 phones and TVs that end at 4.2 refuse it.",
                needed / 10,
                needed % 10
            ),
        )
    } else {
        return None;
    };
    Some(Finding {
        severity,
        text,
        remedy: "Let the encoder choose the level, or set the one that is needed, and take fewer reference frames. \
                 OBS: x264 Options: level=4.1 ref=4; ffmpeg: -level:v 4.1 -refs 4. For more than 4096x2304, scale \
                 down."
            .to_owned(),
    })
}

fn examine_aac(aac: &Aac, profile: &str, at: Duration, chart: &mut Chart) {
    // 2 LC, 5 HE-AAC, 29 HE-AAC v2: what every player has.
    let (severity, text) = if !matches!(aac.object_type, 2 | 5 | 29) {
        (
            Severity::Warning,
            format!("The sound is AAC {profile}: browsers decode LC and HE-AAC only."),
        )
    } else if aac.sample_rate > HIGHEST_RATE {
        (
            Severity::Hint,
            format!(
                "The sound has {} samples a second; some devices end at {HIGHEST_RATE}.",
                aac.sample_rate
            ),
        )
    } else {
        return;
    };
    let finding = Finding {
        severity,
        text,
        remedy: "Encode AAC LC with 48 kHz. OBS: Settings, Audio, Sample Rate 48 kHz, and Settings, Output, Audio \
                 Encoder AAC; ffmpeg: -c:a aac -profile:a aac_low -ar 48000."
            .to_owned(),
    };
    chart.see(AdviceKind::AudioCodec, at, 1, finding);
}

fn examine_mp3(mp3: &Mp3, at: Duration, chart: &mut Chart) {
    let finding = Finding {
        severity: Severity::Hint,
        text: format!(
            "The sound is MP3 with {} samples a second: some TVs and players have no MP3 in MPEG-TS.",
            mp3.sample_rate
        ),
        remedy: "Encode AAC. OBS: Settings, Output, Audio Encoder AAC; ffmpeg: -c:a aac."
            .to_owned(),
    };
    chart.see(AdviceKind::AudioCodec, at, 1, finding);
}
