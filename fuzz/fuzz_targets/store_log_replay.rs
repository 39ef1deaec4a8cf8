#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| simplex_stores::testing::fuzz::store_log_replay(input));
