//! The rules by rows of data, one server's watch by hand, and both over a simulated year.

mod caps;
mod figures;
mod story;
mod year;

use super::*;
use crate::metering::allowance::{Allowance, Grant};
use crate::metering::overage::{Method, Missing};
use crate::metering::period::SlotSpan;
use crate::metering::sample::Rates;
use crate::metering::tally::{Rules, Tally};
use crate::metering::units::{Bps, Slot};
use rules::{Ask, Seen, Shared, Uplink};

const M: u64 = 1_000_000;

/// Asks for the plain thresholds, of all there is.
const PLAIN: Ask = Ask { at_percent: 100, from: Slot(i64::MIN) };

/// Asks for 80 % of the thresholds, of all there is.
const RELEASE: Ask = Ask { at_percent: 80, from: Slot(i64::MIN) };

fn bps(in_bps: u64, out_bps: u64) -> Rates {
    Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) }
}

fn seen(slot: i64, rates: Rates, allowance: u64) -> Seen {
    Seen { slot: Slot(slot), rates, allowance: Bps(allowance) }
}

/// A period of `slots` slots under an allowance that never changes.
fn period(slots: i64, method: Method, allowance: u64) -> Rules {
    let grants = vec![Grant { bps: Bps(allowance), from: None, until: None }];
    let span = SlotSpan { from: Slot(0), until: Slot(slots) };
    Rules { span, method, missing: Missing::Zero, allowance: Allowance::new(grants) }
}

/// The period with a sample in each of its first slots.
fn filled(rules: Rules, samples: impl IntoIterator<Item = Rates>) -> Tally {
    let mut tally = Tally::new(rules);
    for (slot, rates) in (0..).zip(samples) {
        tally.change(Slot(slot), None, Some(rates));
    }
    tally
}

#[test]
fn a_set_of_rules_is_a_list_of_names() {
    let some: RuleSet = [Rule::Flood, Rule::LockedIn].into_iter().collect();
    assert_eq!(serde_json::to_string(&some).unwrap(), r#"["locked_in","flood"]"#);
    assert_eq!(serde_json::from_str::<RuleSet>(r#"["flood","locked_in"]"#).unwrap(), some);
    assert!(some.contains(Rule::Flood) && !some.contains(Rule::Uplink) && !some.is_empty());
    assert_eq!(some.without(Rule::Flood).iter().collect::<Vec<_>>(), [Rule::LockedIn]);
    assert_eq!(some.minus(some), RuleSet::NONE);
    for rule in Rule::ALL {
        assert_eq!(serde_json::to_string(&rule).unwrap(), format!("\"{}\"", rule.name()));
    }
}
