//! What an encoder says of itself in `onMetaData`: believed only as what it means to send.

/// The properties that something can be held against; `None` where they are missing or make no sense.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Declared {
    /// It means to send sound.
    pub(crate) audio: bool,
    /// It means to send pictures.
    pub(crate) video: bool,
    /// bit/s.
    pub(crate) audio_bit_rate: Option<f64>,
    /// bit/s.
    pub(crate) video_bit_rate: Option<f64>,
    /// Pictures per second.
    pub(crate) frame_rate: Option<f64>,
}

/// Encoders that do not know their frame rate write the tick of their clock.
const MAX_FRAME_RATE: f64 = 240.0;

impl Declared {
    /// Reads properties as text, in any order. FLV 1.0 §E.5; `hasAudio` and `hasVideo` are common beside it.
    pub(crate) fn read(properties: &[(String, String)]) -> Self {
        let text = |name: &str| {
            let found = properties.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        let number = |name: &str| {
            let number: f64 = text(name)?.parse().ok()?;
            (number.is_finite() && number > 0.0).then_some(number)
        };
        // A codec is a number, or a name such as `avc1`; 0 is what stands there for none.
        let announced = |has: &str, codec: &str| match text(has) {
            Some(has) => has == "true",
            None => text(codec).is_some_and(|codec| !codec.is_empty() && codec != "0"),
        };
        Self {
            audio: announced("hasAudio", "audiocodecid"),
            video: announced("hasVideo", "videocodecid"),
            audio_bit_rate: number("audiodatarate").map(|kilobits| kilobits * 1e3),
            video_bit_rate: number("videodatarate").map(|kilobits| kilobits * 1e3),
            frame_rate: number("framerate").filter(|rate| *rate <= MAX_FRAME_RATE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Declared {
        let properties: Vec<(String, String)> = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Declared::read(&properties)
    }

    #[test]
    fn what_ffmpeg_and_obs_write() {
        let both = read(&[
            ("videocodecid", "7"),
            ("videodatarate", "2500"),
            ("framerate", "30"),
            ("audiocodecid", "mp4a"),
            ("audiodatarate", "160"),
        ]);
        let expected = Declared {
            audio: true,
            video: true,
            audio_bit_rate: Some(160_000.0),
            video_bit_rate: Some(2_500_000.0),
            frame_rate: Some(30.0),
        };
        assert_eq!(both, expected);
    }

    #[test]
    fn nothing_is_announced_by_zeros_and_noes() {
        for properties in [
            &[][..],
            &[("audiocodecid", "0"), ("videocodecid", "")],
            &[("hasAudio", "false"), ("audiocodecid", "10")],
            &[("videodatarate", "0"), ("framerate", "1000")],
            &[("videodatarate", "NaN"), ("framerate", "-25")],
        ] {
            assert_eq!(read(properties), Declared::default(), "{properties:?}");
        }
    }
}
