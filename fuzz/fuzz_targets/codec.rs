#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| media::codec::fuzz(input));
