//! A ladder of encoders that know nothing of each other, and its variants.

use std::time::Duration;

use crate::encoder::Encoder;
use crate::gateway::Gateway;
use crate::wait;

/// The heights of the rungs of `show`, pixels.
pub const HEIGHTS: [u32; 3] = [360, 270, 180];
/// What encoders and players may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(40);

/// The bit rate of a rung's picture, kbit/s.
pub const fn kilobits(height: u32) -> u32 {
    height * height / 90
}

/// One rung as an encoder of its own.
#[must_use]
pub fn rung(gateway: &Gateway, height: u32, gop: u32) -> Encoder {
    let url = gateway.rtmp_url(&format!("live/show_{height}p"));
    let (size, gop) = (format!("scale=-2:{height}"), gop.to_string());
    let rate = format!("{}k", kilobits(height));
    let words = "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i \
         sine=frequency=440:sample_rate=48000 -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 \
         -pix_fmt yuv420p -sc_threshold 0 -c:a aac -f flv";
    let mut arguments: Vec<&str> = words.split_whitespace().collect();
    arguments.extend(["-vf", &size, "-g", &gop, "-b:v", &rate]);
    arguments.extend(["-maxrate", &rate, "-bufsize", &rate, &url]);
    Encoder::start("ffmpeg", &arguments)
}

/// The URIs of the variants with pictures, once there are `count` of them.
///
/// # Panics
/// There are never as many.
pub fn variants(gateway: &Gateway, path: &str, count: usize) -> Vec<String> {
    wait::until("the variants", SOON, || {
        let answer = gateway.get(path);
        let text = answer.text();
        let lines: Vec<_> = text.lines().collect();
        let pictures = lines.windows(2).filter(|pair| {
            pair[0].starts_with("#EXT-X-STREAM-INF:") && pair[0].contains("RESOLUTION=")
        });
        let uris: Vec<String> = pictures.map(|pair| pair[1].to_owned()).collect();
        (answer.status == 200 && uris.len() == count).then_some(uris)
    })
}
