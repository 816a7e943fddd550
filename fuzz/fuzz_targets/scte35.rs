#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| segmenter::scte35::fuzz(input));
