#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| {
    let _ = http_server::request_path::parse(input);
});
