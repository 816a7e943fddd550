#![no_main]

use bytes::Bytes;
use media::codec::{Aac, H264, Mp3};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = H264::parse(Bytes::copy_from_slice(input));
    let _ = Aac::parse(Bytes::copy_from_slice(input));
    let _ = Mp3::parse(input);
});
