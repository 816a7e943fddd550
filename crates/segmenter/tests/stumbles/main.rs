//! Encoders stumble: each test is one way in which they do, played in simulated time. What must hold of every
//! publish is in `published.rs`: segments that follow each other, within the limit, lasting as long as their media,
//! audio and video in step within 20 ms of what was sent, and the same in MPEG-TS, read back by the mpeg2ts crate.

mod clock;
mod configuration;

mod feed;
mod pace;
mod parts;

mod published;
#[expect(dead_code, reason = "the crate's own tests look at more of it")]
#[path = "../../src/ts/tests/read.rs"]
mod read;
mod tracks;
