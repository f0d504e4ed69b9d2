//! What is billed in a month, one by one: the servers and pools of the inventory with their terms.

use std::collections::{BTreeMap, BTreeSet};

use meter95_reading::Timestamp;

use super::settle::excluded_slots;
use super::statement::{Exclusion, Kind};
use crate::aggregator::output::ServerId;
use crate::inventory::instant::rfc3339;
use crate::inventory::pool::Pool;
use crate::inventory::{Binding, Inventory, Plan, Server};
use crate::metering::allowance::{Allowance, Grant};
use crate::metering::period::SlotSpan;
use crate::metering::statement::Account;
use crate::metering::tally::Rules;
use crate::metering::units::Slot;
use crate::store::cross_check::{Asked, Question};

/// A server or a pool in a month.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Which of the two.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Who pays.
    pub customer: String,
    /// Where it stands; empty for a pool over several regions.
    pub region: String,
    /// The plan by whose terms it is billed.
    pub plan: Plan,
    /// The plans in force, each from a slot on.
    pub plans: Vec<(Slot, String)>,
    /// What its figures depend on besides samples.
    pub account: Account,
    /// The servers whose samples are summed.
    pub members: Vec<Part>,
    /// Incidents of its servers in the month.
    pub exclusions: Vec<Exclusion>,
    /// What a person should look at, whatever the samples say.
    pub reasons: Vec<String>,
}

/// A server's part in a unit.
#[derive(Debug, Clone)]
pub struct Part {
    /// The server.
    pub server: String,
    /// Its number; `None` where nothing of it was ever stored.
    pub id: Option<ServerId>,
    /// The slots in which it counts.
    pub span: SlotSpan,
    /// Its ports over time.
    pub ports: Vec<Binding>,
}

/// What units are made from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// What is sold.
    pub inventory: &'a Inventory,
    /// What was sold when the month began; `None` where no inventory was written down yet.
    pub before: Option<&'a Inventory>,
    /// Servers that are no longer in the inventory, each with the instant of its removal.
    pub removed: &'a [(Server, Timestamp)],
    /// The servers' numbers in the store.
    pub ids: &'a BTreeMap<String, ServerId>,
    /// Exclusions in force, by server.
    pub exclusions: &'a BTreeMap<String, Vec<Exclusion>>,
}

impl Unit {
    /// Whether one allowance holds in all its slots, and all of them count.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let rules = &self.account.rules;
        self.exclusions.is_empty() && rules.allowance.steps(rules.span).len() == 1
    }

    /// It as if the month ended at `until`; `None` where nothing of it is before that.
    #[must_use]
    pub fn before(mut self, until: Slot) -> Option<Self> {
        let cut = |span: &mut SlotSpan| span.until = span.until.min(until);
        cut(&mut self.account.rules.span);
        self.members.iter_mut().for_each(|part| cut(&mut part.span));
        self.members.retain(|part| !part.span.is_empty());
        self.plans.retain(|(from, _)| *from < until);
        let counts = |exclusion: &Exclusion| Slot::starting_from(exclusion.from.0) < until;
        self.exclusions.retain(counts);
        (!self.account.rules.span.is_empty()).then_some(self)
    }

    /// The question that SQL is asked about it.
    #[must_use]
    pub fn question(&self) -> Question {
        let asked = |part: &Part| {
            let excluded = excluded_slots(self.exclusions.iter().filter(|e| e.server == part.server));
            Some(Asked { server: part.id?, span: part.span, excluded })
        };
        Question { account: self.account.clone(), members: self.members.iter().filter_map(asked).collect() }
    }
}

impl Sources<'_> {
    /// Everything that is billed in `month`, in the order of ids.
    #[must_use]
    pub fn units(&self, month: SlotSpan) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let mut pools: BTreeSet<&str> = BTreeSet::new();
        for server in self.inventory.servers.values() {
            if month.intersect(server.service_slots()).is_empty() {
                continue;
            }
            match self.inventory.pool_of(&server.id, month) {
                Some(pool) if pools.insert(&pool.id) => units.push(self.pool(pool, month)),
                Some(_) => {}
                None => units.push(self.server(server, month)),
            }
        }
        for (server, at) in self.removed.iter().filter(|(s, _)| !self.inventory.servers.contains_key(&s.id)) {
            let service_end = Some(server.service_end.map_or(*at, |end| end.min(*at)));
            let server = Server { service_end, ..server.clone() };
            if !month.intersect(server.service_slots()).is_empty() {
                let mut unit = self.server(&server, month);
                let at = rfc3339(*at);
                unit.reasons.push(format!("the server was removed from the inventory at {at}"));
                let pool = self.before.and_then(|before| before.pool_of(&server.id, month));
                if let Some(pool) = pool {
                    let missing = format!(
                        "server {} was in it when the period began, and was removed at {at}",
                        server.id
                    );
                    unit.reasons.push(format!("it was in pool {} when the period began", pool.id));
                    units.iter_mut().filter(|unit| unit.id == pool.id).for_each(|unit| {
                        unit.reasons.push(missing.clone());
                    });
                }
                units.push(unit);
            }
        }
        units.sort_by(|a, b| a.id.cmp(&b.id));
        units
    }

    fn server(&self, server: &Server, month: SlotSpan) -> Unit {
        let rules = self.inventory.rules_of(server, month);
        let plan = self.inventory.terms_of(server, month);
        let (part, reasons) = self.part(server, rules.span);
        Unit {
            kind: Kind::Server,
            id: server.id.clone(),
            customer: server.customer.clone(),
            region: server.region.clone(),
            plans: plan_steps(self.inventory, server, rules.span),
            account: Account { rules, tariff: plan.tariff.clone() },
            plan,
            exclusions: self.exclusions_of([&part]),
            members: vec![part],
            reasons,
        }
    }

    fn pool(&self, pool: &Pool, month: SlotSpan) -> Unit {
        let mut servers = self.inventory.members_in(pool, month);
        servers.sort_by(|a, b| a.id.cmp(&b.id));
        let plan = self.inventory.terms_of_pool(pool, month);
        let (mut grants, mut members, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        for server in &servers {
            let rules = self.inventory.rules_of(server, month);
            let steps = rules.allowance.steps(rules.span);
            let ends = steps.iter().skip(1).map(|(slot, _)| *slot).chain([rules.span.until]);
            grants.extend(steps.iter().zip(ends).map(|((from, bps), until)| Grant {
                bps: *bps,
                from: Some(from.start()),
                until: Some(until.start()),
            }));
            let (part, strange) = self.part(server, rules.span);
            reasons.extend(strange.into_iter().map(|reason| format!("server {}: {reason}", server.id)));
            members.push(part);
        }
        let from = members.iter().map(|part| part.span.from).min().unwrap_or(month.from);
        let until = members.iter().map(|part| part.span.until).max().unwrap_or(month.from);
        let span = SlotSpan { from, until };
        if !covered(span, members.iter().map(|part| part.span)) {
            reasons.push("no server of the pool was in service for a part of the period".to_owned());
        }
        let regions: BTreeSet<&str> = servers.iter().map(|server| server.region.as_str()).collect();
        let rules =
            Rules { span, method: plan.method, missing: plan.missing, allowance: Allowance::new(grants) };
        Unit {
            kind: Kind::Pool,
            id: pool.id.clone(),
            customer: pool.customer.clone(),
            region: if regions.len() == 1 { regions.into_iter().collect() } else { String::new() },
            plans: vec![(span.from, plan.id.clone())],
            account: Account { rules, tariff: plan.tariff.clone() },
            plan,
            exclusions: self.exclusions_of(&members),
            members,
            reasons,
        }
    }

    /// A server's part, and what of its ports a person should look at.
    fn part(&self, server: &Server, span: SlotSpan) -> (Part, Vec<String>) {
        let id = self.ids.get(&server.id).copied();
        let part = Part { server: server.id.clone(), id, span, ports: server.ports.clone() };
        let mut reasons = Vec::new();
        let (start, end) = (span.from.start(), span.until.start());
        for binding in &server.ports {
            for (edge, what) in
                [(binding.from, "became the server's"), (binding.until, "ceased to be the server's")]
            {
                if let Some(at) = edge.filter(|at| start < *at && *at < end) {
                    let port = &binding.port;
                    let at = rfc3339(at);
                    reasons.push(format!("port {} {} {what} at {at}", port.device(), port.interface()));
                }
            }
        }
        if let Some(before) = self.before {
            reasons.extend(self.changed_without_a_date(before, server, span, reasons.is_empty()));
        }
        (part, reasons)
    }

    /// What the inventory says otherwise of the period's beginning than it did then, since a date would have said from
    /// when it holds.
    fn changed_without_a_date(
        &self,
        before: &Inventory,
        server: &Server,
        span: SlotSpan,
        ports_too: bool,
    ) -> Vec<String> {
        let mut changed = Vec::new();
        if before.timezone_name != self.inventory.timezone_name {
            changed.push(format!("the time zone, which was {}", before.timezone_name));
        }
        let (start, end) = (span.from.start(), span.until.start());
        match before.servers.get(&server.id) {
            None if server.service_start.is_none_or(|from| from < start) => {
                changed.push("the server, which was not there, and has no service_start".to_owned());
            }
            None => {}
            Some(was) => {
                if was.customer != server.customer {
                    changed.push(format!("the customer, who was {:?}", was.customer));
                }
                if was.service_start != server.service_start {
                    changed.push("service_start".to_owned());
                }
                let (plan, then) = (self.inventory.plan_at(server, start), before.plan_at(was, start));
                if plan.id != then.id {
                    changed.push(format!("the plan, which was {:?}", then.id));
                } else if terms(&plan) != terms(&then) {
                    changed.push(format!("the terms of plan {:?}", plan.id));
                }
                if self.inventory.allowance_at(server, start) != before.allowance_at(was, start) {
                    changed.push("what was granted when it began".to_owned());
                }
                if ports_too && !same_ports(&was.ports, &server.ports, start, end) {
                    changed.push("its ports".to_owned());
                }
            }
        }
        let says =
            |what: String| format!("changed in the inventory since the period began, without a date: {what}");
        changed.into_iter().map(says).collect()
    }

    fn exclusions_of<'p>(&self, members: impl IntoIterator<Item = &'p Part>) -> Vec<Exclusion> {
        let of = |part: &Part| {
            let reaches =
                |e: &&Exclusion| !SlotSpan::starting_in(e.from.0, e.until.0).intersect(part.span).is_empty();
            let exclusions = self.exclusions.get(&part.server).into_iter().flatten();
            exclusions.filter(reaches).cloned().collect::<Vec<_>>()
        };
        let mut found: Vec<Exclusion> = members.into_iter().flat_map(of).collect();
        found.sort_by_key(|exclusion| exclusion.id);
        found
    }
}

fn plan_steps(inventory: &Inventory, server: &Server, span: SlotSpan) -> Vec<(Slot, String)> {
    inventory.plan_steps(server, span).into_iter().map(|(slot, plan)| (slot, plan.id)).collect()
}

/// What of a plan is the same in all slots.
fn terms(plan: &Plan) -> impl PartialEq {
    (plan.method, plan.missing, plan.tariff.clone(), plan.min_coverage)
}

/// Whether every slot of `span` is in one of `parts`.
fn covered(span: SlotSpan, parts: impl Iterator<Item = SlotSpan>) -> bool {
    let mut parts: Vec<SlotSpan> = parts.collect();
    parts.sort_unstable_by_key(|part| part.from);
    let reached =
        parts.iter().fold(
            span.from,
            |reached, part| {
                if part.from <= reached { reached.max(part.until) } else { reached }
            },
        );
    reached >= span.until
}

/// Whether two lists of ports say the same of the time from `start` to `end`.
fn same_ports(a: &[Binding], b: &[Binding], start: Timestamp, end: Timestamp) -> bool {
    let within = |ports: &[Binding]| {
        let mut cut: Vec<_> = ports
            .iter()
            .map(|p| (p.port.clone(), p.kind == crate::metering::sample::PortKind::Nic, p.from, p.until))
            .map(|(port, nic, from, until)| {
                (port, nic, from.map_or(start, |t| t.max(start)), until.map_or(end, |t| t.min(end)))
            })
            .filter(|(_, _, from, until)| from < until)
            .collect();
        cut.sort();
        cut
    };
    within(a) == within(b)
}
