//! What a body with readings is made into, from its octets, packed or not, to readings and lines that are none.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    meter95::api::fuzz::readings(input);
});
