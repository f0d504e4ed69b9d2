//! What simulated servers do with their lines: cumulative octets at any instant, from a seed and nothing else.
//!
//! Days are counted in JST, which knows no summer time. A day's total is known in closed form (a nominal total for
//! its day of the week, plus a swing that telescopes from day to day), and the day's 288 slots share it by the
//! habit's shape. So any instant costs the same, however far it is from the epoch. Floats are used for shapes
//! only; octets are whole numbers, and never fall.

use std::sync::LazyLock;

use meter95_reading::Timestamp;

/// Where every curve begins with 0 octets: Monday, 2024-01-01T00:00+09:00.
pub const EPOCH: Timestamp = Timestamp(1_704_034_800_000);
/// Milliseconds in a slot (SPEC.md section 1).
pub const SLOT_MS: i64 = 300_000;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// Slots in a day.
pub const DAY_SLOTS: usize = 288;
/// Slots in an hour.
const HOUR_SLOTS: f64 = 12.0;
/// Octets that 1 bit/s moves in a slot.
const SLOT_OCTETS_PER_BPS: f64 = 300.0 / 8.0;
/// How far a day's total swings above its nominal total, as a share of the smallest nominal day.
const SWING: f64 = 0.08;
/// Slots of one burst.
const BURST_SLOTS: usize = 3;

/// How a server uses its line. Rates are those of its busier direction, in bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Next to nothing, day and night.
    Quiet {
        /// The mean rate.
        mean_bps: u32,
    },
    /// Follows people: least at 04:30 JST, most at 21:00, some more at noon.
    Diurnal {
        /// The rate of the evening peak.
        peak_bps: u32,
        /// Saturday and Sunday, in hundredths of a working day.
        weekend_percent: u32,
    },
    /// A low base with bursts of a quarter of an hour, at other times each day.
    Bursty {
        /// The rate between bursts.
        base_bps: u32,
        /// The rate in a burst.
        burst_bps: u32,
        /// Bursts a day. At most 4 fill no more than 12 of the day's 14.4 discarded slots, so they are not billed.
        bursts: u32,
    },
    /// A low base, and a backup each night from 02:00 JST.
    NightBackup {
        /// The rate by day.
        base_bps: u32,
        /// The rate of the backup.
        backup_bps: u32,
        /// How many slots it lasts: 24 end at 04:00 JST.
        slots: u32,
    },
    /// The same high rate, always.
    Extreme {
        /// The mean rate.
        mean_bps: u32,
    },
    /// No link: no octets.
    Down,
}

/// The cumulative octets of one direction of one port.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    habit: Habit,
    /// What makes this server's days its own; both directions and all ports of a server share it.
    server_seed: u64,
    /// What makes this direction's noise its own.
    noise_seed: u64,
    /// The share of the habit's rate that goes this way.
    share: f64,
    /// Octets of a day of each kind, Monday first, without swing.
    nominal: [u64; 7],
    /// The most octets that the swing adds.
    swing: u64,
}

/// Slots of one day of a curve, ready to be asked for any of their instants.
#[derive(Debug, Clone)]
pub struct Part {
    /// The day, 0 being the epoch's.
    day: i64,
    /// The first of the slots, within the day.
    first: usize,
    /// Octets from the epoch to the day's start.
    base: u64,
    /// Octets from the day's start to each slot's start, and to the end of the last.
    prefix: Box<[u64]>,
}

impl Curve {
    /// The curve of `habit` for a server, of which `share_percent` goes this way (0 for none, 100 for the
    /// habit's own rate).
    #[must_use]
    pub fn new(habit: Habit, server_seed: u64, direction: u64, share_percent: u32) -> Self {
        let mut curve = Self {
            habit,
            server_seed,
            noise_seed: mix(server_seed, direction.wrapping_add(0xD1)),
            share: f64::from(share_percent) / 100.0,
            nominal: [0; 7],
            swing: 0,
        };
        let nominal = |weekday: i64| {
            let total: f64 = curve.rates(weekday, false).iter().sum();
            whole(total * SLOT_OCTETS_PER_BPS)
        };
        // Most habits know one day, or two.
        curve.nominal = match habit {
            Habit::Bursty { .. } => [0, 1, 2, 3, 4, 5, 6].map(nominal),
            Habit::Diurnal { .. } => {
                let (work, rest) = (nominal(0), nominal(5));
                [work, work, work, work, work, rest, rest]
            }
            Habit::Quiet { .. } | Habit::NightBackup { .. } | Habit::Extreme { .. } | Habit::Down => {
                [nominal(0); 7]
            }
        };
        let least = curve.nominal.iter().copied().min().unwrap_or(0);
        curve.swing = least / 100 * whole(SWING * 100.0);
        curve
    }

    /// Octets from [`EPOCH`] to `at`; 0 before it. Builds the day, so ask a [`Part`] when asking often.
    #[must_use]
    pub fn octets(&self, at: Timestamp) -> u64 {
        self.part(at, DAY_SLOTS).octets(at)
    }

    /// The part of the day of `at` that holds it, where days are cut into parts of so many slots (1 to
    /// [`DAY_SLOTS`]). All parts of a day take the same time to build, and as much memory as they have slots.
    #[must_use]
    pub fn part(&self, at: Timestamp, slots: usize) -> Part {
        let (day, slots) = (day_of(at), slots.clamp(1, DAY_SLOTS));
        let first = slot_of_day(at) / slots * slots;
        let until = (first + slots).min(DAY_SLOTS);
        let (base, end) = (self.octets_before(day), self.octets_before(day.saturating_add(1)));
        let total = end.saturating_sub(base);
        let rates = self.rates(day, true);
        let sum: f64 = rates.iter().sum();
        let upto = |so_far: f64| {
            if sum > 0.0 { whole(approximate(total) * (so_far / sum)).min(total) } else { 0 }
        };
        let mut so_far: f64 = rates.iter().take(first).sum();
        let mut prefix = Vec::with_capacity(until - first + 1);
        prefix.push(if first == 0 { 0 } else { upto(so_far) });
        for rate in &rates[first..until] {
            so_far += rate;
            prefix.push(upto(so_far));
        }
        if until == DAY_SLOTS
            && let Some(last) = prefix.last_mut()
        {
            *last = total;
        }
        Part { day, first, base, prefix: prefix.into() }
    }

    /// Octets from the epoch to the start of the day of this number.
    fn octets_before(&self, number: i64) -> u64 {
        let Ok(days) = u64::try_from(number) else { return 0 };
        let week: u64 = self.nominal.iter().sum();
        let rest: u64 = self.nominal.iter().take(usize::try_from(days % 7).unwrap_or(0)).sum();
        let swing = match self.swing {
            0 => 0,
            swing => mix(self.noise_seed, days) % swing,
        };
        // At the epoch itself the swing is left out, so that curves begin with 0.
        let swing = if days == 0 { 0 } else { swing };
        (days / 7).saturating_mul(week).saturating_add(rest).saturating_add(swing)
    }

    /// The rates of a day's slots in bit/s; without noise, those of a nominal day.
    fn rates(&self, number: i64, noisy: bool) -> [f64; DAY_SLOTS] {
        let day = u64::try_from(number).unwrap_or(0);
        let day_seed = mix(self.server_seed, day);
        let mut rates = *PEOPLE;
        for (slot, rate) in (0_u32..).zip(rates.iter_mut()) {
            let people = *rate;
            *rate = match self.habit {
                Habit::Quiet { mean_bps } => f64::from(mean_bps) * (0.7 + 0.3 * people),
                Habit::Diurnal { peak_bps, weekend_percent } => {
                    let percent = if day % 7 >= 5 { weekend_percent } else { 100 };
                    f64::from(peak_bps) * people * f64::from(percent) / 100.0
                }
                Habit::Bursty { base_bps, .. } => f64::from(base_bps) * (0.5 + 0.5 * people),
                Habit::NightBackup { base_bps, backup_bps, slots } => {
                    let backup = (24..24_u32.saturating_add(slots)).contains(&slot);
                    f64::from(base_bps) * people + if backup { f64::from(backup_bps) } else { 0.0 }
                }
                Habit::Extreme { mean_bps } => f64::from(mean_bps) * (0.9 + 0.1 * people),
                Habit::Down => 0.0,
            };
        }
        if let Habit::Bursty { burst_bps, bursts, .. } = self.habit {
            for burst in 0..bursts {
                let at = mix(day_seed, u64::from(burst)) % spread(DAY_SLOTS - BURST_SLOTS);
                let at = usize::try_from(at).unwrap_or(0);
                for rate in rates.iter_mut().skip(at).take(BURST_SLOTS) {
                    *rate = f64::from(burst_bps); // two bursts at once are one
                }
            }
        }
        for (slot, rate) in (0_u64..).zip(rates.iter_mut()) {
            let noise = if noisy { 0.88 + 0.24 * unit(mix(mix(self.noise_seed, day), slot)) } else { 1.0 };
            *rate *= self.share * noise;
        }
        rates
    }
}

impl Part {
    /// Whether `at` lies in it.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        let slots = self.first..self.first + self.slots();
        day_of(at) == self.day && slots.contains(&slot_of_day(at))
    }

    /// Octets from [`EPOCH`] to `at`, evenly within a slot. Before the part it answers for its start, after it for its
    /// end.
    #[must_use]
    pub fn octets(&self, at: Timestamp) -> u64 {
        let first_ms = i64::try_from(self.first).unwrap_or(0) * SLOT_MS;
        let span_ms = i64::try_from(self.slots()).unwrap_or(0) * SLOT_MS;
        let since = at.ms_since(EPOCH).saturating_sub(self.day.saturating_mul(DAY_MS));
        let since = since.saturating_sub(first_ms).clamp(0, span_ms);
        let slot = usize::try_from(since / SLOT_MS).unwrap_or(0).min(self.slots().saturating_sub(1));
        let within = u64::try_from(since).unwrap_or(0) - (slot as u64) * SLOT_MS.unsigned_abs();
        let (start, end) = (self.prefix[slot], self.prefix[slot + 1]);
        let part = u128::from(end - start) * u128::from(within) / u128::from(SLOT_MS.unsigned_abs());
        self.base + start + u64::try_from(part).unwrap_or(0)
    }

    fn slots(&self) -> usize {
        self.prefix.len() - 1
    }
}

/// The number of the JST day that holds `at`, 0 being the epoch's.
#[must_use]
pub fn day_of(at: Timestamp) -> i64 {
    at.ms_since(EPOCH).div_euclid(DAY_MS)
}

/// The slot that holds `at` in its JST day, from 0.
fn slot_of_day(at: Timestamp) -> usize {
    usize::try_from(at.ms_since(EPOCH).rem_euclid(DAY_MS) / SLOT_MS).unwrap_or(0)
}

/// A number that depends on both and looks like chance (splitmix64).
#[must_use]
pub fn mix(seed: u64, salt: u64) -> u64 {
    let mut z = seed.wrapping_add(salt.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// How awake Japan is in each slot of its day.
static PEOPLE: LazyLock<[f64; DAY_SLOTS]> = LazyLock::new(|| {
    std::array::from_fn(|slot| people(f64::from(u16::try_from(slot).unwrap_or(0)) / HOUR_SLOTS))
});

/// How awake Japan is at an hour of its day, from about 0.2 to 1.0: least at 04:30, most at 21:00.
fn people(hour: f64) -> f64 {
    let near = |centre: f64, width: f64| {
        let apart = (hour - centre).abs();
        let apart = apart.min(24.0 - apart) / width;
        (-apart * apart).exp()
    };
    (0.2 + 0.5 * near(15.5, 6.5) + 0.55 * near(21.0, 2.6) + 0.12 * near(12.3, 0.9)).min(1.0)
}

fn spread(slots: usize) -> u64 {
    u64::try_from(slots).unwrap_or(1).max(1)
}

/// From 0 to 1, of the upper 32 bits.
fn unit(bits: u64) -> f64 {
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "shapes need no more than 53 bits")]
fn approximate(octets: u64) -> f64 {
    octets as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounds down, and `as` stays within u64"
)]
fn whole(octets: f64) -> u64 {
    octets as u64
}

#[cfg(test)]
mod tests;
