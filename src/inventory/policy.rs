//! By which limits a server is extreme at a time, and whether that is held against it (SPEC.md section 9).
//!
//! Policies lie over each other: SPEC.md's defaults, then those for all servers, for the plan, for the region, and for
//! the server. What a layer does not say is as in the one below. A rule that a layer switches off is on again in a later
//! one that says something of it, from the defaults on.

use std::collections::BTreeMap;

use meter95_reading::Timestamp;

use super::document::throttle::{FloodEntry, LockedInEntry, SustainedEntry, UplinkShareEntry};
use super::{Inventory, Server, holds_at};
use crate::metering::throttle::policy::{Flood, LockedIn, Policy, Sustained, UplinkShare};
use crate::metering::throttle::{Rule, RuleSet};

/// The policies by whom they are for. Of one scope there is one at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    all: Vec<Layer>,
    plans: ByName,
    regions: ByName,
    servers: ByName,
}

/// Policies by the plan, region or server that they are for.
type ByName = BTreeMap<String, Vec<Layer>>;

/// Whom a policy is for; a later one lies over the ones before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All servers.
    All,
    /// The servers on a plan.
    Plan(String),
    /// The servers of a region.
    Region(String),
    /// A server.
    Server(String),
}

/// What a policy says, free of contradictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub id: String,
    /// Whom it is for.
    pub scope: Scope,
    /// From when; `None` since ever.
    pub from: Option<Timestamp>,
    /// Until before when; `None` without end.
    pub until: Option<Timestamp>,
    /// Rules that are off.
    pub off: RuleSet,
    /// What it says of *sustained*.
    pub sustained: Option<SustainedEntry>,
    /// What it says of *locked-in*.
    pub locked_in: Option<LockedInEntry>,
    /// What it says of *uplink*.
    pub uplink: Option<UplinkShareEntry>,
    /// What it says of *flood*.
    pub flood: Option<FloodEntry>,
    /// Down to which part of its limit a rule goes on holding, in percent.
    pub release_percent: Option<u32>,
    /// After how many quiet slots a case is resolved.
    pub quiet_slots: Option<u32>,
}

/// The exemptions by whom they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exemptions {
    servers: BTreeMap<String, Vec<Exemption>>,
    customers: BTreeMap<String, Vec<Exemption>>,
}

/// For whom which rules do not count for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// Its name.
    pub id: String,
    /// Whose.
    pub of: Exempt,
    /// Which rules.
    pub rules: RuleSet,
    /// Why.
    pub reason: String,
    /// From when; `None` since ever.
    pub from: Option<Timestamp>,
    /// Until before when.
    pub until: Timestamp,
}

/// Who is exempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exempt {
    /// A server.
    Server(String),
    /// All servers of a customer.
    Customer(String),
}

impl Layer {
    /// Whether it is in force at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        holds_at(self.from, self.until, time)
    }

    /// Puts what it says over `policy`.
    fn put_over(&self, policy: &mut Policy) {
        if let Some(says) = self.sustained {
            let below = policy.sustained.unwrap_or_default();
            policy.sustained = Some(Sustained {
                factor: says.factor.unwrap_or(below.factor),
                slots: says.slots.unwrap_or(below.slots),
                of: says.of.unwrap_or(below.of),
            });
        }
        if let Some(says) = self.locked_in {
            let below = policy.locked_in.unwrap_or_default();
            policy.locked_in = Some(LockedIn { factor: says.factor.unwrap_or(below.factor) });
        }
        if let Some(says) = self.uplink {
            let below = policy.uplink.unwrap_or_default();
            policy.uplink = Some(UplinkShare {
                load_percent: says.load_percent.unwrap_or(below.load_percent),
                share_percent: says.share_percent.unwrap_or(below.share_percent),
            });
        }
        if let Some(says) = self.flood {
            let below = policy.flood.unwrap_or_default();
            policy.flood = Some(Flood {
                packets_per_second: says.packets_per_second.unwrap_or(below.packets_per_second),
                mean_octets: says.mean_octets.unwrap_or(below.mean_octets),
                slots: says.slots.unwrap_or(below.slots),
            });
        }
        *policy = self.off.iter().fold(*policy, Policy::without);
        policy.release_percent = self.release_percent.unwrap_or(policy.release_percent);
        policy.quiet_slots = self.quiet_slots.unwrap_or(policy.quiet_slots);
    }
}

impl Policies {
    /// Adds a policy; that no other one of its scope is in force at the same time has been looked at.
    pub(super) fn add(&mut self, layer: Layer) {
        self.of_mut(&layer.scope).push(layer);
    }

    /// Every policy, those for more servers before those that lie over them.
    pub fn iter(&self) -> impl Iterator<Item = &Layer> {
        let named = [&self.plans, &self.regions, &self.servers];
        self.all.iter().chain(named.into_iter().flat_map(BTreeMap::values).flatten())
    }

    /// The policies of a scope.
    pub(super) fn of(&self, scope: &Scope) -> &[Layer] {
        match scope {
            Scope::All => &self.all,
            Scope::Plan(name) => named(&self.plans, name),
            Scope::Region(name) => named(&self.regions, name),
            Scope::Server(name) => named(&self.servers, name),
        }
    }

    fn of_mut(&mut self, scope: &Scope) -> &mut Vec<Layer> {
        match scope {
            Scope::All => &mut self.all,
            Scope::Plan(name) => self.plans.entry(name.clone()).or_default(),
            Scope::Region(name) => self.regions.entry(name.clone()).or_default(),
            Scope::Server(name) => self.servers.entry(name.clone()).or_default(),
        }
    }
}

fn named<'a>(policies: &'a ByName, name: &str) -> &'a [Layer] {
    policies.get(name).map(Vec::as_slice).unwrap_or_default()
}

impl Exemption {
    /// Whether it is in force at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        holds_at(self.from, Some(self.until), time)
    }
}

impl Exemptions {
    /// Adds an exemption.
    pub(super) fn add(&mut self, exemption: Exemption) {
        let of = match &exemption.of {
            Exempt::Server(id) => self.servers.entry(id.clone()),
            Exempt::Customer(id) => self.customers.entry(id.clone()),
        };
        of.or_default().push(exemption);
    }

    /// Every exemption.
    pub fn iter(&self) -> impl Iterator<Item = &Exemption> {
        self.servers.values().chain(self.customers.values()).flatten()
    }
}

impl Inventory {
    /// By which limits `server` is extreme at `time`.
    #[must_use]
    pub fn policy_of(&self, server: &Server, time: Timestamp) -> Policy {
        let mut policy = Policy::default();
        let Policies { all, plans, regions, servers } = &self.policies;
        // Who is on which plan is looked up only where that matters.
        let plan = if plans.is_empty() { "" } else { self.plan_id_at(server, time) };
        let scopes = [all, named(plans, plan), named(regions, &server.region), named(servers, &server.id)];
        for scope in scopes {
            if let Some(layer) = scope.iter().find(|layer| layer.holds_at(time)) {
                layer.put_over(&mut policy);
            }
        }
        policy
    }

    /// The exemption by which `rule` does not count for `server` at `time`: of several the one that lasts longest.
    #[must_use]
    pub fn exemption_of(&self, server: &Server, rule: Rule, time: Timestamp) -> Option<&Exemption> {
        let of_server = self.exemptions.servers.get(&server.id);
        let of_customer = self.exemptions.customers.get(&server.customer);
        let all = of_server.into_iter().chain(of_customer).flatten();
        let holding = all.filter(|exemption| exemption.holds_at(time) && exemption.rules.contains(rule));
        holding.max_by_key(|exemption| exemption.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::document::Document;

    const SERVERS: &str = "\
        plans = [{ id = 'p' }, { id = 'q' }]\n\
        servers = [\n\
          { id = 'a', plan = 'p', plan_changes = [{ plan = 'q', from = 1000 }], region = 'tokyo', customer = 'c1' },\n\
          { id = 'b', plan = 'q', region = 'nagoya', customer = 'c1' },\n\
          { id = 'c', customer = 'c2' }]\n";

    fn inventory(toml: &str) -> Inventory {
        let document: Document = toml::from_str(&format!("{SERVERS}{toml}")).unwrap();
        Inventory::from_document(&document).unwrap()
    }

    /// The factor of *sustained* and *locked-in* of a, b and c at two instants, 0 where the rule is off.
    fn check(toml: &str, factors: [[(u64, u64); 3]; 2]) {
        let inventory = inventory(toml);
        let found = [0, 1_000].map(|time| {
            ["a", "b", "c"].map(|id| {
                let policy = inventory.policy_of(&inventory.servers[id], Timestamp(time));
                let factor = policy.sustained.map_or(0, |rule| rule.factor);
                (factor, policy.locked_in.map_or(0, |rule| rule.factor))
            })
        });
        assert_eq!(found, factors, "{toml}");
    }

    #[test]
    fn a_policy_lies_over_those_of_more_servers() {
        let usual = (10, 10);
        check("", [[usual; 3]; 2]);
        check("policies = [{ id = 'x', sustained = { factor = 8 } }]", [[(8, 10); 3]; 2]);
        check(
            "policies = [{ id = 'x', until = 1000, sustained = { factor = 8 } }, { id = 'y', from = 1000, off = ['sustained'] }]",
            [[(8, 10); 3], [(0, 10); 3]],
        );
        check(
            "policies = [{ id = 'x', plan = 'p', locked_in = { factor = 3 } }]",
            [[(10, 3), usual, usual], [usual; 3]],
        );
        check(
            "policies = [{ id = 's', server = 'a', sustained = { factor = 1 } },\n\
             { id = 'r', region = 'tokyo', sustained = { factor = 2 }, locked_in = { factor = 2 } },\n\
             { id = 'p', plan = 'q', sustained = { factor = 3 }, locked_in = { factor = 3 } },\n\
             { id = 'all', sustained = { factor = 4 }, locked_in = { factor = 4 } }]",
            [[(1, 2), (3, 3), (4, 4)], [(1, 2), (3, 3), (4, 4)]],
        );
        // Switched on again for one server, from the defaults on.
        check(
            "policies = [{ id = 'all', off = ['sustained', 'locked_in'] }, { id = 's', server = 'b', sustained = {} }]",
            [[(0, 0), (10, 0), (0, 0)]; 2],
        );
    }

    #[test]
    fn what_a_policy_does_not_say_is_as_below() {
        let inventory = inventory(
            "policies = [{ id = 'x', quiet_slots = 6, flood = { slots = 3 }, uplink = { load_percent = 90 } },\n\
             { id = 'y', server = 'a', release_percent = 70, sustained = { slots = 20, of = 24 }, \
             flood = { mean_octets = 100 }, uplink = { share_percent = 5 } }]",
        );
        let policy = inventory.policy_of(&inventory.servers["a"], Timestamp(0));
        let expected = Policy {
            sustained: Some(Sustained { factor: 10, slots: 20, of: 24 }),
            locked_in: Some(LockedIn { factor: 10 }),
            uplink: Some(UplinkShare { load_percent: 90, share_percent: 5 }),
            flood: Some(Flood { packets_per_second: 100_000, mean_octets: 100, slots: 3 }),
            release_percent: 70,
            quiet_slots: 6,
        };
        assert_eq!(policy, expected);
        assert_eq!(policy.checked(), Ok(policy));
        let order: Vec<&str> = inventory.policies.iter().map(|layer| layer.id.as_str()).collect();
        assert_eq!(order, ["x", "y"]);
    }

    #[test]
    fn an_exemption_holds_for_its_rules_and_its_time() {
        let inventory = inventory(
            "exemptions = [\n\
             { id = 'test', server = 'a', reason = 'load test', from = 500, until = 1000 },\n\
             { id = 'cdn', customer = 'c1', rules = ['sustained', 'locked_in'], reason = 'agreed', until = 2000 }]",
        );
        let found = |id: &str, rule, time| {
            let exemption = inventory.exemption_of(&inventory.servers[id], rule, Timestamp(time));
            exemption.map_or("", |exemption| exemption.id.as_str())
        };
        for (id, rule, expected) in [
            ("a", Rule::Sustained, ["cdn", "cdn", "cdn", ""]),
            ("a", Rule::Flood, ["", "test", "", ""]),
            ("b", Rule::LockedIn, ["cdn", "cdn", "cdn", ""]),
            ("b", Rule::Uplink, [""; 4]),
            ("c", Rule::Sustained, [""; 4]),
        ] {
            assert_eq!([499, 500, 1_000, 2_000].map(|time| found(id, rule, time)), expected, "{id} {rule:?}");
        }
        assert_eq!(inventory.exemptions.iter().count(), 2);
    }
}
