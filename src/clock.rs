//! The only door to the clock: everything else takes time as an argument.

use meter95_reading::Timestamp;

/// The present instant by this machine's clock, to the millisecond.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    let now = jiff::Timestamp::now();
    Timestamp(now.as_millisecond())
}
