//! Statements for tests: made of samples as closing makes them, by the same functions.

use meter95_reading::Timestamp;
use rust_decimal::Decimal;

use super::gaps::gaps;
use super::settle::digest;
use super::statement::{AllowanceStep, Gap, Kind, Member, PlanStep, Statement};
use crate::inventory::instant::Instant;
use crate::metering::money::{Currency, Rounding, Tariff, Tier};
use crate::metering::overage::{Method, Missing};
use crate::metering::period::Month;
use crate::metering::sample::{Rates, Sample};
use crate::metering::statement::{RULES_VERSION, Samples};
use crate::metering::units::{Bps, Slot};

/// The first slot of October 2026 in Tokyo.
pub(crate) const OCTOBER: Slot = Slot(1_790_780_400_000 / Slot::MS);

/// One Mbps.
pub(crate) const MBPS: u64 = 1_000_000;

pub(crate) fn sample(in_bps: u64, out_bps: u64) -> Sample {
    Sample { rates: Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) }, partial: false }
}

/// In and out of consecutive slots from the start of October on; `None`: no sample.
pub(crate) fn samples(rates: &[Option<(u64, u64)>]) -> Vec<(Slot, Sample)> {
    let slots = (OCTOBER.0..).map(Slot);
    let found = slots.zip(rates).filter_map(|(slot, rates)| Some((slot, (*rates)?)));
    found.map(|(slot, (i, o))| (slot, sample(i, o))).collect()
}

/// A tariff in units of 0.01 Mbps, rounded up, at `price` per Mbps, the amount rounded down.
pub(crate) fn tariff(currency: &str, price: &str) -> Tariff {
    tiers(currency, &[(0, price)])
}

pub(crate) fn tiers(currency: &str, tiers: &[(u64, &str)]) -> Tariff {
    let currency = Currency::new(currency).unwrap();
    let tier = |(from, price): &(u64, &str)| Tier {
        from: Bps(*from),
        price: price.parse::<Decimal>().unwrap().try_into().unwrap(),
    };
    let tiers = tiers.iter().map(tier).collect();
    Tariff::new(currency, Bps(10_000), Rounding::Up, Rounding::Down, tiers).unwrap()
}

/// A statement over `slots` slots from the start of October on, an allowance of 1 Mbps, not settled.
pub(crate) fn blank(server: &str, members: &[&str], slots: i64) -> Statement {
    let start = Instant(OCTOBER.start());
    let until = Instant(Slot(OCTOBER.0 + slots).start());
    let member = |server: &&str| Member {
        server: (*server).to_owned(),
        from: start,
        until,
        samples: 0,
        p95_bps: None,
        share_in_bps: None,
        share_out_bps: None,
        gaps: Vec::new(),
        revised: Vec::new(),
    };
    Statement {
        rules: RULES_VERSION.to_owned(),
        period: "2026-10".parse::<Month>().unwrap(),
        timezone: "Asia/Tokyo".to_owned(),
        kind: if members.len() == 1 { Kind::Server } else { Kind::Pool },
        server: server.to_owned(),
        customer: "c001".to_owned(),
        region: "tokyo".to_owned(),
        revision: 1,
        reason: None,
        issued_at: Instant(Timestamp(1_793_500_000_000)),
        issued_by: "aiko".to_owned(),
        inventory_version: 7,
        from: start,
        until,
        plan: "jp6".to_owned(),
        plans: vec![PlanStep { from: start, plan: "jp6".to_owned() }],
        method: Method::Max,
        missing: Missing::Zero,
        min_coverage: Decimal::new(95, 2),
        tariff: Some(tariff("JPY", "1500")),
        allowances: vec![AllowanceStep { from: start, bps: Bps(MBPS) }],
        samples: 0,
        expected: 0,
        coverage: None,
        ranked: 0,
        rank: None,
        discarded: 0,
        billable_slot: None,
        p95_bps: None,
        p95_in_bps: None,
        p95_out_bps: None,
        overage_bps: None,
        billable_bps: None,
        amount: None,
        currency: None,
        burst_slots: 0,
        burst_left_slots: 0,
        measured: None,
        exclusions: Vec::new(),
        members: members.iter().map(member).collect(),
        breaks: Vec::new(),
        breaks_total: 0,
        review: None,
        samples_sha256: String::new(),
    }
}

/// The statement with all that its samples say.
pub(crate) fn settled(mut statement: Statement, samples: &[Vec<(Slot, Sample)>]) -> Statement {
    let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
    statement.settle(&slices);
    for (member, samples) in statement.members.iter_mut().zip(samples) {
        let gap = |span: crate::metering::period::SlotSpan| Gap {
            from: Instant(span.from.start()),
            until: Instant(span.until.start()),
            slots: span.len(),
            cause: Some("gap".to_owned()),
        };
        member.gaps = gaps(member.span(), samples).into_iter().map(gap).collect();
    }
    let names: Vec<String> = statement.members.iter().map(|member| member.server.clone()).collect();
    statement.samples_sha256 = digest(names.iter().map(String::as_str).zip(slices));
    statement
}

/// A server of 40 slots whose p95 is `mbps` Mbps: two larger samples are discarded, one slot is missing.
pub(crate) fn small(server: &str, mbps: u64) -> (Statement, Vec<Vec<(Slot, Sample)>>) {
    let mut rates = vec![Some((mbps * MBPS, 5)); 40];
    rates[3] = Some((90 * MBPS, 7));
    rates[7] = Some((1, 80 * MBPS));
    rates[20] = None;
    let samples = vec![samples(&rates)];
    (settled(blank(server, &[server], 40), &samples), samples)
}
