#![no_main]

libfuzzer_sys::fuzz_target!(|script: scripted::Script| scripted::play(&script));
