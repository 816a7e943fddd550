//! Whole publishes as scripts: handshake, commands, media with every kind of stumble, in chunks of every
//! shape, through the RTMP session, the segmenter and the window, and what must hold of the playlists and
//! segments that come out.
//!
//! The fuzz target `publish` makes scripts of its inputs; `cargo test` plays those of a few thousand seeds
//! and of the kept inputs. Sockets, deadlines and HTTP do not belong here: the end-to-end tests have them.

mod chunks;
mod encoder;
mod flv;
mod follower;
mod house;
mod parts;
mod script;
mod transport;

use arbitrary::{Arbitrary, Unstructured};

pub use script::Script;

/// Plays the script that `input` stands for.
///
/// # Panics
/// Something does not hold.
pub fn fuzz(input: &[u8]) {
    if let Ok(script) = Script::arbitrary_take_rest(Unstructured::new(input)) {
        play(&script);
    }
}

/// Plays a script.
///
/// # Panics
/// Something does not hold.
pub fn play(script: &Script) {
    encoder::Encoder::new(script).play();
}
