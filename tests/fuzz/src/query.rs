//! What stands after the `?` of an address, and in its path, up to the fields of everything that the API takes.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    meter95::api::fuzz::query(input);
});
