//! Simulated traffic of servers, the same in every benchmark.

use meter95::metering::sample::Rates;
use meter95::metering::units::Bps;

/// A month of a server's traffic: a daily wave, noise, bursts, and nights of backups, different for each server.
pub(crate) fn month(server: u32, slots: i64) -> Vec<Rates> {
    let mut state = u64::from(server) * 0x9e37_79b9_7f4a_7c15 + 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    };
    let base = 20_000 + random() % 900_000;
    let burst_every = 40 + random() % 400;
    (0..slots)
        .map(|slot| {
            let of_day = (slot % 288).unsigned_abs();
            let wave = 288 - of_day.abs_diff(200).min(144);
            let level = base * wave / 288;
            let noise = level * (random() % 400) / 1_000;
            let burst = if random() % burst_every == 0 { base * (5 + random() % 40) } else { 0 };
            let backup = if server.is_multiple_of(5) && (204..228).contains(&of_day) {
                30_000_000 + random() % 2_000_000
            } else {
                0
            };
            let out = level + noise + burst + backup;
            Rates { in_bps: Bps(out / 7 + random() % 3_000), out_bps: Bps(out) }
        })
        .collect()
}
