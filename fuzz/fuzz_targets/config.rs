//! Tries the laws of `config` on whatever the fuzzer thinks of.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| widget_fuzz::config(data));
