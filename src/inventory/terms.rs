//! Which plan holds for a server at which time, and what follows from that for a month.
//!
//! The allowance follows the plan slot by slot, since SPEC.md section 6 compares every slot with what is granted in it.
//! One p95 is one figure, so what there is one of for a period (method, missing, unit, rounding, price) is the plan's
//! that is in force in its last slot.

use meter95_reading::Timestamp;

use super::pool::Pool;
use super::{Inventory, PLAN_DEFAULT, Plan, PlanChange, Server};
use crate::metering::allowance::{Allowance, Grant};
use crate::metering::period::SlotSpan;
use crate::metering::tally::Rules;
use crate::metering::units::{Bps, Slot};

impl Inventory {
    /// The plan of `server` at `time`: the last of its own changes, and whatever has taken that plan's place by then.
    #[must_use]
    pub fn plan_at(&self, server: &Server, time: Timestamp) -> Plan {
        self.in_force(chosen(server, time), time)
    }

    /// The id of the plan of `server` at `time`, as [`Inventory::plan_at`].
    #[must_use]
    pub fn plan_id_at<'a>(&'a self, server: &'a Server, time: Timestamp) -> &'a str {
        self.listed_in_force(chosen(server, time), time).map_or(PLAN_DEFAULT, |plan| &plan.id)
    }

    /// The plan that counts for whoever is on plan `id` at `time`.
    #[must_use]
    pub fn in_force(&self, id: &str, time: Timestamp) -> Plan {
        self.listed_in_force(id, time).cloned().unwrap_or_default()
    }

    /// The plan that counts for whoever is on plan `id` at `time`; `None` where it is the default one, unlisted.
    fn listed_in_force(&self, id: &str, time: Timestamp) -> Option<&Plan> {
        let mut plan = self.plans.get(id);
        // A circle has been refused; to go on for longer than there are plans would be one.
        for _ in 0..self.plans.len() {
            let replaced = plan.and_then(|plan| plan.replaced_by.as_ref()).filter(|to| to.from <= time);
            let Some(to) = replaced else { break };
            plan = self.plans.get(&to.plan);
        }
        plan
    }

    /// The plans of `server` over `span`: the slot from which on each holds, in order, the first at its start. Empty
    /// for an empty span.
    #[must_use]
    pub fn plan_steps(&self, server: &Server, span: SlotSpan) -> Vec<(Slot, Plan)> {
        let replaced = self.plans.values().filter_map(|plan| plan.replaced_by.as_ref());
        let edges = server.plan_changes.iter().chain(replaced).map(|change| Slot::starting_from(change.from));
        let mut slots: Vec<Slot> = edges.chain([span.from]).filter(|slot| span.contains(*slot)).collect();
        slots.sort_unstable();
        slots.dedup();
        let plan = |slot: Slot| (slot, self.plan_at(server, slot.start()));
        let mut steps: Vec<(Slot, Plan)> = slots.into_iter().map(plan).collect();
        steps.dedup_by(|(_, later), (_, earlier)| later.id == earlier.id);
        steps
    }

    /// What is granted to `server` over the slots of `span`: its plan's of each slot, and its add-ons.
    #[must_use]
    pub fn allowance_of(&self, server: &Server, span: SlotSpan) -> Allowance {
        let steps = self.plan_steps(server, span);
        let ends = steps.iter().skip(1).map(|(slot, _)| Some(slot.start())).chain([None]);
        let granted = steps.iter().zip(ends).enumerate().map(|(i, ((slot, plan), until))| Grant {
            bps: plan.allowance,
            // Nothing is asked of it before its span; so a plan that never changes is one grant without ends.
            from: (i > 0).then(|| slot.start()),
            until,
        });
        Allowance::new(granted.chain(server.addons.iter().copied()).collect())
    }

    /// The plan whose method, missing, unit, rounding and price count for `server` in `month`: the one in force in the
    /// last of its slots in service. Without any, the month's last slot.
    #[must_use]
    pub fn terms_of(&self, server: &Server, month: SlotSpan) -> Plan {
        self.plan_at(server, last_slot(month, month.intersect(server.service_slots())))
    }

    /// The id of the plan of [`Inventory::terms_of`].
    #[must_use]
    pub fn terms_id_of<'a>(&'a self, server: &'a Server, month: SlotSpan) -> &'a str {
        self.plan_id_at(server, last_slot(month, month.intersect(server.service_slots())))
    }

    /// The plan by whose terms `pool` is billed for `month`: the one in force in its last slot. Its own allowance does
    /// not count: those of the members add up.
    #[must_use]
    pub fn terms_of_pool(&self, pool: &Pool, month: SlotSpan) -> Plan {
        self.in_force(&pool.plan, last_slot(month, month))
    }

    /// What the figures of `server` depend on besides its samples, over the slots of `month`.
    #[must_use]
    pub fn rules_of(&self, server: &Server, month: SlotSpan) -> Rules {
        let terms = self.terms_of(server, month);
        Rules {
            span: month.intersect(server.service_slots()),
            method: terms.method,
            missing: terms.missing,
            allowance: self.allowance_of(server, month),
        }
    }

    /// What is granted to `server` at `time`.
    #[must_use]
    pub fn allowance_at(&self, server: &Server, time: Timestamp) -> Bps {
        let granted = server.addons.iter().filter(|addon| addon.holds_at(time));
        granted.fold(self.plan_at(server, time).allowance, |sum, addon| sum.plus(addon.bps))
    }

    /// The plan from which one comes back to itself by what replaces it, if there is one.
    pub(super) fn circle<'a>(
        id: &'a str,
        replaced_by: impl Fn(&'a str) -> Option<&'a PlanChange>,
    ) -> Option<Vec<&'a str>> {
        let mut way = vec![id];
        while let Some(change) = replaced_by(way[way.len() - 1]) {
            way.push(&change.plan);
            if change.plan == id {
                return Some(way);
            }
            if way[1..way.len() - 1].contains(&change.plan.as_str()) {
                // A circle that others make, and are told of.
                return None;
            }
        }
        None
    }
}

/// The id of the plan that the server's own changes name for `time`.
fn chosen(server: &Server, time: Timestamp) -> &str {
    let changed = server.plan_changes.iter().rev().find(|change| change.from <= time);
    changed.map_or(&server.plan, |change| &change.plan)
}

/// The first instant of the last slot of `span`, or of `month` where that is empty.
fn last_slot(month: SlotSpan, span: SlotSpan) -> Timestamp {
    let span = if span.is_empty() { month } else { span };
    span.until.previous().max(span.from).start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::document::Document;
    use crate::metering::overage::Method;

    /// Plans that follow each other: a is b from slot 10 on, and b is c from slot 20 on.
    const PLANS: &str = "\
        plans = [\n\
          { id = 'a', allowance_bps = 1, replaced_by = { plan = 'b', from = 3000000 } },\n\
          { id = 'b', allowance_bps = 2, method = 'sum', replaced_by = { plan = 'c', from = 6000000 } },\n\
          { id = 'c', allowance_bps = 3, method = 'in' },\n\
          { id = 'z', allowance_bps = 9, method = 'out' },\n\
        ]\n";

    fn inventory(server: &str) -> Inventory {
        let document: Document = toml::from_str(&format!("{PLANS}[[servers]]\nid = 's'\n{server}")).unwrap();
        Inventory::from_document(&document).unwrap()
    }

    /// The plans of the server over slots 0 to before 30, and the method and the last slot's allowance.
    fn check(server: &str, steps: &[(i64, &str)], method: Method, allowance: u64) {
        let inventory = inventory(server);
        let server = &inventory.servers["s"];
        let span = SlotSpan { from: Slot(0), until: Slot(30) };
        let found = inventory.plan_steps(server, span);
        let found: Vec<(i64, &str)> = found.iter().map(|(slot, plan)| (slot.0, plan.id.as_str())).collect();
        assert_eq!(found, steps);
        let rules = inventory.rules_of(server, span);
        assert_eq!(rules.method, method);
        for slot in 0..30 {
            let time = Slot(slot).start();
            let at = inventory.allowance_at(server, time);
            assert_eq!(inventory.plan_id_at(server, time), inventory.plan_at(server, time).id);
            assert_eq!(rules.allowance.in_slot(Slot(slot)), at, "slot {slot}");
        }
        assert_eq!(inventory.allowance_at(server, Slot(29).start()), Bps(allowance));
    }

    #[test]
    fn plans_follow_each_other_by_date() {
        check("plan = 'z'", &[(0, "z")], Method::Out, 9);
        check("", &[(0, PLAN_DEFAULT)], Method::Max, 1_000_000);
        check("plan = 'a'", &[(0, "a"), (10, "b"), (20, "c")], Method::In, 3);
        check("plan = 'b'", &[(0, "b"), (20, "c")], Method::In, 3);
        // On a for five slots only, and not on time: the slot that has begun is still z's.
        let there_and_back =
            "plan = 'z'\nplan_changes = [{ plan = 'z', from = 4500000 }, { plan = 'a', from = 2999999 }]";
        check(there_and_back, &[(0, "z"), (10, "b"), (15, "z")], Method::Out, 9);
        // A change to what it counts as already is none.
        check(
            "plan = 'a'\nplan_changes = [{ plan = 'b', from = 3600000 }]\naddons = [{ bps = 5, from = 3000000 }]",
            &[(0, "a"), (10, "b"), (20, "c")],
            Method::In,
            8,
        );
        // What there is one of is the plan's at the end of service.
        check("plan = 'a'\nservice_end = 5700000", &[(0, "a"), (10, "b"), (20, "c")], Method::Sum, 3);
        check("plan = 'a'\nservice_start = 99000000", &[(0, "a"), (10, "b"), (20, "c")], Method::In, 3);
    }

    #[test]
    fn a_plan_that_never_changes_is_one_grant() {
        let inventory = inventory("plan = 'z'");
        let span = SlotSpan { from: Slot(5), until: Slot(30) };
        let granted = Grant { bps: Bps(9), from: None, until: None };
        assert_eq!(inventory.allowance_of(&inventory.servers["s"], span), Allowance::new(vec![granted]));
        let nothing = SlotSpan { from: Slot(5), until: Slot(5) };
        assert!(inventory.plan_steps(&inventory.servers["s"], nothing).is_empty());
    }
}
