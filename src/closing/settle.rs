//! How a statement's figures come out of its samples, and the hash that ties them to it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::statement::{Exclusion, Measured, Member, Statement};
use crate::inventory::instant::Instant;
use crate::metering::allowance::{Allowance, Grant};
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Rates, Sample};
use crate::metering::statement::{Account, Closed, Samples};
use crate::metering::tally::Rules;
use crate::metering::units::Slot;
use crate::store::engine::hash::hex;
use crate::usage::coverage;

impl Statement {
    /// What its figures depend on besides the samples.
    #[must_use]
    pub fn account(&self) -> Account {
        let ends = self.allowances.iter().skip(1).map(|step| Some(step.from.0)).chain([None]);
        let grants = self.allowances.iter().zip(ends).map(|(step, until)| Grant {
            bps: step.bps,
            from: Some(step.from.0),
            until,
        });
        let rules = Rules {
            span: self.span(),
            method: self.method,
            missing: self.missing,
            allowance: Allowance::new(grants.collect()),
        };
        Account { rules, tariff: self.tariff.clone() }
    }

    /// Writes down every figure that follows from the account and from the samples of each member, in the order of
    /// [`Statement::members`].
    pub fn settle(&mut self, samples: &[&Samples]) {
        let account = self.account();
        let counting: Vec<Cow<'_, Samples>> = self
            .members
            .iter()
            .zip(samples)
            .map(|(member, samples)| self.counting(member, samples))
            .collect();
        let spans = || self.members.iter().map(Member::span);
        let all: Vec<(SlotSpan, &Samples)> = spans().zip(samples.iter().copied()).collect();
        let measured = account.close(&summed(&all));
        let closed = if self.exclusions.is_empty() {
            measured
        } else {
            let left: Vec<(SlotSpan, &Samples)> = spans().zip(counting.iter().map(|left| &**left)).collect();
            account.close(&summed(&left))
        };
        let tariff = self.tariff.as_ref();
        self.samples = closed.samples;
        self.expected = closed.expected;
        self.coverage = coverage(measured.samples, measured.expected);
        self.ranked = closed.rank.map_or(0, |rank| rank.ranked);
        self.rank = closed.rank.map(|rank| rank.rank);
        self.discarded = closed.rank.map_or(0, |rank| rank.discarded);
        self.billable_slot = closed.billable_slot.map(|slot| Instant(slot.start()));
        self.p95_bps = closed.p95;
        self.p95_in_bps = closed.p95_in;
        self.p95_out_bps = closed.p95_out;
        self.overage_bps = closed.overage;
        self.billable_bps = closed.billable;
        self.amount = closed.amount;
        self.currency = tariff.map(|tariff| tariff.currency().to_string());
        self.burst_slots = closed.burst_slots;
        self.burst_left_slots = closed.burst_slots.saturating_sub(closed.over_slots);
        self.measured = (!self.exclusions.is_empty()).then(|| Measured::of(&measured));
        let alone = self.members.len() == 1;
        for ((member, samples), counting) in self.members.iter_mut().zip(samples).zip(&counting) {
            member.samples = samples.len() as u64;
            member.p95_bps = if alone {
                closed.p95
            } else {
                let Rules { method, missing, .. } = account.rules;
                let (span, allowance) = (member.span(), Allowance::default());
                let rules = Rules { span, method, missing, allowance };
                Account { rules, tariff: None }.close(samples).p95
            };
            let decisive = closed.billable_slot.and_then(|slot| sample_in(counting, slot));
            member.share_in_bps = decisive.map(|sample| sample.rates.in_bps);
            member.share_out_bps = decisive.map(|sample| sample.rates.out_bps);
        }
    }

    /// The samples that are ranked: those of all members summed, without what incidents exclude.
    #[must_use]
    pub fn counted(&self, samples: &[&Samples]) -> Vec<(Slot, Sample)> {
        let counting: Vec<Cow<'_, Samples>> = self
            .members
            .iter()
            .zip(samples)
            .map(|(member, samples)| self.counting(member, samples))
            .collect();
        let spans = self.members.iter().map(Member::span);
        let members: Vec<(SlotSpan, &Samples)> = spans.zip(counting.iter().map(|left| &**left)).collect();
        summed(&members).into_owned()
    }

    /// A member's samples without what incidents exclude.
    fn counting<'s>(&self, member: &Member, samples: &'s Samples) -> Cow<'s, Samples> {
        let excluded = excluded_slots(self.exclusions.iter().filter(|e| e.server == member.server));
        if excluded.is_empty() {
            return Cow::Borrowed(samples);
        }
        let counts = |slot: Slot| !excluded.iter().any(|span| span.contains(slot));
        Cow::Owned(samples.iter().filter(|(slot, _)| counts(*slot)).copied().collect())
    }

    /// The correction that takes everything back, for what is no longer billed by itself.
    #[must_use]
    pub fn void(&self) -> Self {
        let mut void = Self {
            until: self.from,
            plans: Vec::new(),
            allowances: Vec::new(),
            exclusions: Vec::new(),
            members: Vec::new(),
            breaks: Vec::new(),
            breaks_total: 0,
            review: None,
            ..self.clone()
        };
        void.settle(&[]);
        void.samples_sha256 = digest([]);
        void
    }
}

impl Measured {
    fn of(closed: &Closed) -> Self {
        Self {
            samples: closed.samples,
            p95_bps: closed.p95,
            overage_bps: closed.overage,
            billable_bps: closed.billable,
            amount: closed.amount,
        }
    }
}

/// The slots that `exclusions` leave out, in order and none twice.
#[must_use]
pub fn excluded_slots<'a>(exclusions: impl IntoIterator<Item = &'a Exclusion>) -> Vec<SlotSpan> {
    let spans = exclusions.into_iter().map(|e| SlotSpan::starting_in(e.from.0, e.until.0));
    let mut spans: Vec<SlotSpan> = spans.filter(|span| !span.is_empty()).collect();
    spans.sort_unstable_by_key(|span| (span.from, span.until));
    let mut merged: Vec<SlotSpan> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

/// Several servers' samples summed slot by slot: a slot has a sample where one of them has, and is partial where one
/// of them has none or only a part, though it counts there.
#[must_use]
pub fn summed<'s>(members: &[(SlotSpan, &'s Samples)]) -> Cow<'s, Samples> {
    if let [(_, samples)] = members {
        return Cow::Borrowed(samples);
    }
    let mut sum: BTreeMap<Slot, (Sample, usize)> = BTreeMap::new();
    for (_, samples) in members {
        for (slot, sample) in *samples {
            let nothing = Sample { rates: Rates::default(), partial: false };
            let (so_far, count) = sum.entry(*slot).or_insert((nothing, 0));
            so_far.rates.in_bps = so_far.rates.in_bps.plus(sample.rates.in_bps);
            so_far.rates.out_bps = so_far.rates.out_bps.plus(sample.rates.out_bps);
            so_far.partial |= sample.partial;
            *count += 1;
        }
    }
    let expected = |slot: Slot| members.iter().filter(|(span, _)| span.contains(slot)).count();
    let whole = |(slot, (sample, count)): (Slot, (Sample, usize))| {
        (slot, Sample { partial: sample.partial || count < expected(slot), ..sample })
    };
    Cow::Owned(sum.into_iter().map(whole).collect())
}

fn sample_in(samples: &Samples, slot: Slot) -> Option<Sample> {
    let at = samples.partition_point(|(s, _)| *s < slot);
    samples.get(at).filter(|(s, _)| *s == slot).map(|(_, sample)| *sample)
}

/// The SHA-256 of samples, in lower-case hexadecimal digits: of every server in the order of their ids its id and a
/// line feed, then of each sample in the order of slots 21 octets: the slot's start in Unix seconds (4 octets), in and
/// out in bit/s (8 each), most significant octet first, and 1 where it is partial, else 0.
#[must_use]
pub fn digest<'a>(members: impl IntoIterator<Item = (&'a str, &'a Samples)>) -> String {
    let mut hash = Sha256::new();
    let mut block = Vec::new();
    for (server, samples) in members {
        block.clear();
        block.extend_from_slice(server.as_bytes());
        block.push(b'\n');
        for (slot, sample) in samples {
            let seconds = u32::try_from(slot.start().0 / 1_000).unwrap_or(u32::MAX);
            block.extend_from_slice(&seconds.to_be_bytes());
            block.extend_from_slice(&sample.rates.in_bps.0.to_be_bytes());
            block.extend_from_slice(&sample.rates.out_bps.0.to_be_bytes());
            block.push(u8::from(sample.partial));
        }
        hash.update(&block);
    }
    hex(&hash.finalize())
}
