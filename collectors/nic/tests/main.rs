//! The NIC collector against the kernel itself, one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should say so and stop"
)]

mod namespace;
mod octets;
