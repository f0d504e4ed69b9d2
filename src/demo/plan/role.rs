//! Which part each server plays: the special ones by number, the many by chance.

use meter95_reading::Timestamp;

use super::{NAGOYA, TOKYO, month_start};
use crate::demo::habit::{DAY_MS, EPOCH, Habit, SLOT_MS, mix};
use crate::demo::site::{Addon, Surge};

/// What a server is before it is connected.
pub(super) struct Role {
    /// What its curves are drawn from.
    pub(super) seed: u64,
    /// Where it stands.
    pub(super) region: &'static str,
    /// What it does.
    pub(super) habit: Habit,
    /// What it does on top of that for a while.
    pub(super) surge: Option<Surge>,
    /// Whether it is connected yet.
    pub(super) connected: bool,
    /// Whether it has a NIC on each switch of a pair.
    pub(super) dual: bool,
    /// What it pays.
    pub(super) plan: &'static str,
    /// What was bought beyond the plan.
    pub(super) addons: Vec<Addon>,
    /// What goes in the less busy direction, in percent of the busier.
    pub(super) other_percent: u32,
    /// Whether in is the busier direction.
    pub(super) inbound: bool,
}

impl Role {
    /// The same in this region, with one NIC.
    pub(super) fn single_in(self, region: &'static str) -> Self {
        Self { region, dual: false, connected: true, ..self }
    }
}

/// Servers whose part is not left to chance.
const CROWDS_NAGOYA: usize = 0;
const EXTREME_TOKYO: usize = 1;
const DOWN: usize = 2;
pub(super) const NEW: usize = 3;
const DUAL: usize = 4;
const BACKUP: usize = 5;
const SURGES: usize = 6;
const FLOODS: usize = 7;
const SPENT: usize = 8;
pub(super) const UNREAD: usize = 9;

/// How long before now the one that surges began: long enough for every slot that a rule looks at.
const SURGES_FOR_MS: i64 = 2 * 3_600_000;
/// How long before now the one that floods began.
const FLOODS_FOR_MS: i64 = 30 * 60_000;

/// The part of the server of this number, as it is at `now`.
pub(super) fn role(seed: u64, number: usize, now: Timestamp) -> Role {
    let seed = mix(seed, number as u64);
    let draw = |salt: u64, least: u32, most: u32| -> u32 {
        let span = u64::from(most.saturating_sub(least)) + 1;
        least.saturating_add(u32::try_from(mix(seed, 0x50 + salt) % span).unwrap_or(0))
    };
    let nagoya = matches!(draw(0, 0, 99), 70..);
    let region = match number {
        CROWDS_NAGOYA => NAGOYA,
        EXTREME_TOKYO | DOWN | NEW | DUAL | BACKUP | SURGES | FLOODS | SPENT => TOKYO,
        _ if nagoya => NAGOYA,
        _ => TOKYO,
    };
    let habit = match number {
        CROWDS_NAGOYA => Habit::Extreme { mean_bps: 185_000_000 },
        EXTREME_TOKYO => Habit::Extreme { mean_bps: draw(1, 60_000_000, 100_000_000) },
        DOWN => Habit::Down,
        NEW => Habit::Diurnal { peak_bps: 2_400_000, weekend_percent: 90 },
        DUAL => Habit::Diurnal { peak_bps: 3_500_000, weekend_percent: 110 },
        BACKUP => Habit::NightBackup { base_bps: 250_000, backup_bps: 12_000_000, slots: 24 },
        SURGES | FLOODS | SPENT => Habit::Quiet { mean_bps: draw(12, 30_000, 90_000) },
        _ => habit(&draw),
    };
    let plain = number > SPENT;
    let addons = if plain && draw(2, 0, 99) < 5 {
        vec![Addon { bps: 2_000_000, from: EPOCH, until: None }]
    } else {
        Vec::new()
    };
    Role {
        seed,
        region,
        habit,
        surge: surge(number, now),
        // One in a hundred is sold and still in its box.
        connected: number <= UNREAD || draw(7, 0, 99) != 0,
        dual: region == TOKYO && (number == DUAL || plain && draw(3, 0, 99) < 22),
        plan: match draw(4, 0, 99) {
            // What it does is much for others on the line, and not for what it has paid for.
            _ if number == CROWDS_NAGOYA => "line-100m",
            _ if number == FLOODS => "biz-5m",
            0..=6 if plain => "biz-5m",
            7..=14 if plain => "intl-1m",
            _ => "std-1m",
        },
        addons,
        other_percent: draw(5, 8, 45),
        inbound: number != CROWDS_NAGOYA && draw(6, 0, 99) < 15,
    }
}

/// What the server of this number does on top of its habit; from and until whole slots.
fn surge(number: usize, now: Timestamp) -> Option<Surge> {
    let now = Timestamp(now.0.div_euclid(SLOT_MS) * SLOT_MS);
    match number {
        // A service that has become popular this afternoon.
        SURGES => Some(Surge {
            from: now.plus_ms(-SURGES_FOR_MS),
            until: None,
            rx_bps: 24_000_000,
            tx_bps: 3_000_000,
            packet_octets: 1_100,
        }),
        // Someone else sends small packets from it.
        FLOODS => Some(Surge {
            from: now.plus_ms(-FLOODS_FOR_MS),
            until: None,
            rx_bps: 80_000_000,
            tx_bps: 400_000,
            packet_octets: 70,
        }),
        // It has used up far more than the month forgives, and has been quiet since yesterday.
        SPENT => Some(Surge {
            from: month_start(now),
            until: Some(now.plus_ms(-DAY_MS)),
            rx_bps: 22_000_000,
            tx_bps: 2_000_000,
            packet_octets: 1_200,
        }),
        _ => None,
    }
}

/// The habits of the many: most stay far below 1 Mbps, about one in six is billed.
fn habit(draw: &impl Fn(u64, u32, u32) -> u32) -> Habit {
    let heavy = draw(10, 0, 99);
    match draw(11, 0, 99) {
        0..=41 => Habit::Quiet { mean_bps: draw(12, 3_000, 90_000) },
        42..=73 => Habit::Diurnal {
            peak_bps: if heavy < 25 { draw(13, 1_300_000, 6_000_000) } else { draw(13, 120_000, 800_000) },
            weekend_percent: draw(14, 50, 125),
        },
        74..=87 => Habit::Bursty {
            base_bps: draw(15, 30_000, 250_000),
            burst_bps: draw(16, 3_000_000, 40_000_000),
            bursts: if heavy < 25 { draw(17, 7, 14) } else { draw(17, 1, 4) },
        },
        // One that lasts two hours is no more than is billed: at ten times the allowance it would be a case each night.
        _ if heavy < 40 => Habit::NightBackup {
            base_bps: draw(18, 30_000, 300_000),
            backup_bps: draw(19, 2_000_000, 8_000_000),
            slots: 24,
        },
        _ => Habit::NightBackup {
            base_bps: draw(18, 30_000, 300_000),
            backup_bps: draw(19, 2_000_000, 25_000_000),
            slots: 9,
        },
    }
}
