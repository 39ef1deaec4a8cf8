#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| simplex_stores::testing::fuzz::ntf_file(input));
