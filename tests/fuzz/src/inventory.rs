//! What an inventory file is made into, in TOML and JSON, up to the inventory in force or all that is wrong with it.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    meter95::inventory::file::fuzz::inventory(input);
});
