#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rtmp_ingest::fuzzing::handshake(input));
