//! Policies and exemptions: limits that can be, for somebody who is there, one policy of a scope at a time.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::servers::Known;
use super::{Problems, overlap, plans};
use crate::inventory::Server;
use crate::inventory::document::Document;
use crate::inventory::document::throttle::{ExemptionEntry, PolicyEntry, SustainedEntry};
use crate::inventory::place::{Kind, Place};
use crate::inventory::policy::{Exempt, Exemption, Exemptions, Layer, Policies, Scope};
use crate::metering::throttle::policy::{QUIET_SLOTS_MAX, WINDOW_SLOTS_MAX};
use crate::metering::throttle::{Rule, RuleSet};

/// The longest reason, in octets: it is shown wherever the exemption is.
const REASON_OCTETS_MAX: usize = 1_000;

/// The policies of `document`.
pub(super) fn policies(
    problems: &mut Problems,
    document: &Document,
    known: &Known<'_>,
    servers: &BTreeMap<String, Server>,
) -> Policies {
    let mut policies = Policies::default();
    let mut ids = BTreeMap::new();
    for (i, entry) in document.policies.iter().enumerate() {
        let at = Place::entry(Kind::Policy, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        problems.insert(&at, &mut ids, ());
        let Some(scope) = scope(problems, &at, entry, known, servers) else { continue };
        let layer = layer(problems, &at, entry, scope);
        let span = (layer.from, layer.until);
        let others = policies.of(&layer.scope);
        if let Some(other) = others.iter().find(|other| overlap((other.from, other.until), span)) {
            let says = format!("policy {:?} is for the same servers at the same time", other.id);
            problems.add(&at, says);
        }
        policies.add(layer);
    }
    policies
}

/// Whom a policy is for; `None` where it says so twice.
fn scope(
    problems: &mut Problems,
    at: &Place,
    entry: &PolicyEntry,
    known: &Known<'_>,
    servers: &BTreeMap<String, Server>,
) -> Option<Scope> {
    let scope = match (&entry.region, &entry.plan, &entry.server) {
        (None, None, None) => Scope::All,
        (Some(region), None, None) => {
            there(problems, at, ("region", Kind::Region), region, known.regions, |region| {
                servers.values().any(|server| server.region == region)
            });
            Scope::Region(region.clone())
        }
        (None, Some(plan), None) => {
            plans::known(problems, &at.on("plan"), plan, known.plans);
            Scope::Plan(plan.clone())
        }
        (None, None, Some(server)) => {
            known_server(problems, at, server, servers);
            Scope::Server(server.clone())
        }
        _ => {
            problems.add(at, "is for a region, a plan or a server: write one of them, or a policy for each");
            return None;
        }
    };
    Some(scope)
}

/// Says where there is no server `id`.
fn known_server(problems: &mut Problems, at: &Place, id: &str, servers: &BTreeMap<String, Server>) {
    if !servers.contains_key(id) {
        problems.add(&at.on("server"), format!("there is no server {id:?}"));
    }
}

/// Says where nothing of this kind has the id: where such things are not listed, servers tell which there are.
fn there<T>(
    problems: &mut Problems,
    at: &Place,
    (field, kind): (&'static str, Kind),
    id: &str,
    listed: &BTreeMap<String, T>,
    named: impl Fn(&str) -> bool,
) {
    if listed.is_empty() && !named(id) {
        problems.add(&at.on(field), format!("{field}: no server is of {kind} {id:?}"));
    } else {
        problems.listed(at, field, kind, id, listed);
    }
}

fn layer(problems: &mut Problems, at: &Place, entry: &PolicyEntry, scope: Scope) -> Layer {
    let (from, until) = problems.span(at, ["from", "until"], entry.from, entry.until);
    let &PolicyEntry { sustained, locked_in, uplink, flood, release_percent, quiet_slots, .. } = entry;
    let window = 1..=WINDOW_SLOTS_MAX;
    if let Some(rule) = sustained {
        let at = at.field("sustained");
        within(problems, &at, "factor", rule.factor, 1..=u64::MAX);
        slots_of(problems, &at, rule);
    }
    if let Some(rule) = locked_in {
        within(problems, &at.field("locked_in"), "factor", rule.factor, 1..=u64::MAX);
    }
    if let Some(rule) = uplink {
        let at = at.field("uplink");
        within(problems, &at, "load_percent", rule.load_percent, 1..=100);
        within(problems, &at, "share_percent", rule.share_percent, 1..=100);
    }
    if let Some(rule) = flood {
        let at = at.field("flood");
        within(problems, &at, "packets_per_second", rule.packets_per_second, 1..=u64::MAX);
        within(problems, &at, "mean_octets", rule.mean_octets, 1..=u64::MAX);
        within(problems, &at, "slots", rule.slots, window);
    }
    within(problems, at, "release_percent", release_percent, 1..=100);
    within(problems, at, "quiet_slots", quiet_slots, 1..=QUIET_SLOTS_MAX);
    once(problems, at, "off", &entry.off);
    let said = [
        (Rule::Sustained, sustained.is_some()),
        (Rule::LockedIn, locked_in.is_some()),
        (Rule::Uplink, uplink.is_some()),
        (Rule::Flood, flood.is_some()),
    ];
    for (i, rule) in entry.off.iter().enumerate() {
        if said.contains(&(*rule, true)) {
            let rule = rule.name();
            problems.add(&at.item("off", i), format!("{rule} is off, and has limits in the same policy"));
        }
    }
    let (id, off) = (entry.id.clone(), entry.off.iter().copied().collect());
    Layer { id, scope, from, until, off, sustained, locked_in, uplink, flood, release_percent, quiet_slots }
}

/// Says where a number is not one of those that it may be.
fn within<N: PartialOrd + Display>(
    problems: &mut Problems,
    at: &Place,
    field: &'static str,
    number: Option<N>,
    may: RangeInclusive<N>,
) {
    if let Some(number) = number
        && !may.contains(&number)
    {
        let says = format!("{field} of {number} is not from {} to {}", may.start(), may.end());
        problems.add(&at.on(field), says);
    }
}

/// So many of so many slots: both are written or neither, so that what fits together stands together.
fn slots_of(problems: &mut Problems, at: &Place, rule: SustainedEntry) {
    match (rule.slots, rule.of) {
        (None, None) => {}
        (Some(slots), Some(of)) => {
            within(problems, at, "of", Some(of), 1..=WINDOW_SLOTS_MAX);
            if slots == 0 || slots > of {
                problems.add(&at.on("slots"), format!("slots of {slots} is not from 1 to of, which is {of}"));
            }
        }
        (Some(_), None) => problems.add(&at.on("slots"), "slots goes together with of; write both"),
        (None, Some(_)) => problems.add(&at.on("of"), "of goes together with slots; write both"),
    }
}

/// Says where a rule is listed twice.
fn once(problems: &mut Problems, at: &Place, field: &str, rules: &[Rule]) {
    let mut seen = HashSet::new();
    for (i, rule) in rules.iter().enumerate() {
        if !seen.insert(rule) {
            problems.add(&at.item(field, i), format!("{} is listed twice", rule.name()));
        }
    }
}

/// The exemptions of `document`.
pub(super) fn exemptions(
    problems: &mut Problems,
    document: &Document,
    known: &Known<'_>,
    servers: &BTreeMap<String, Server>,
) -> Exemptions {
    let mut exemptions = Exemptions::default();
    let mut ids = BTreeMap::new();
    for (i, entry) in document.exemptions.iter().enumerate() {
        let at = Place::entry(Kind::Exemption, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        problems.insert(&at, &mut ids, ());
        let of = exempt(problems, &at, entry, known, servers);
        let (from, _) = problems.span(&at, ["from", "until"], entry.from, Some(entry.until));
        let rules = rules(problems, &at, entry);
        reason(problems, &at, &entry.reason);
        if let Some(of) = of {
            let (id, reason, until) = (entry.id.clone(), entry.reason.clone(), entry.until.0);
            exemptions.add(Exemption { id, of, rules, reason, from, until });
        }
    }
    exemptions
}

fn exempt(
    problems: &mut Problems,
    at: &Place,
    entry: &ExemptionEntry,
    known: &Known<'_>,
    servers: &BTreeMap<String, Server>,
) -> Option<Exempt> {
    match (&entry.server, &entry.customer) {
        (Some(server), None) => {
            known_server(problems, at, server, servers);
            Some(Exempt::Server(server.clone()))
        }
        (None, Some(customer)) => {
            there(problems, at, ("customer", Kind::Customer), customer, known.customers, |customer| {
                servers.values().any(|server| server.customer == customer)
            });
            Some(Exempt::Customer(customer.clone()))
        }
        _ => {
            problems.add(at, "is for a server or for a customer: write one of them");
            None
        }
    }
}

fn rules(problems: &mut Problems, at: &Place, entry: &ExemptionEntry) -> RuleSet {
    let Some(rules) = &entry.rules else { return Rule::ALL.into_iter().collect() };
    if rules.is_empty() {
        problems.add(&at.on("rules"), "rules is empty; leave it out for all rules");
    }
    once(problems, at, "rules", rules);
    rules.iter().copied().collect()
}

fn reason(problems: &mut Problems, at: &Place, reason: &str) {
    let at = &at.on("reason");
    if reason.trim().is_empty() {
        problems.add(at, "reason is empty");
    } else if reason.len() > REASON_OCTETS_MAX {
        problems.add(at, format!("reason is longer than {REASON_OCTETS_MAX} octets"));
    }
}
