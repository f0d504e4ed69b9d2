//! What a device answers over SNMP, v2c and v3, up to the readings that are made of it.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    meter95_snmp::fuzz::answer(input);
});
