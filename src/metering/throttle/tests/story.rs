//! One server's watch, slot by slot, by hand.

use super::*;
use policy::Policy;
use standing::{Event, Standing};
use watch::{Facts, Watch};

/// A server with an allowance of 1 Mbit/s and what has happened to it.
struct Server {
    policy: Policy,
    exempt: RuleSet,
    watch: Watch,
    tally: Tally,
    seen: Vec<Seen>,
    shared: Option<Shared>,
    log: Vec<(i64, Event)>,
    /// The next slot to close.
    next: i64,
}

impl Server {
    /// With nothing but `sustained` on.
    fn new() -> Self {
        let policy =
            [Rule::LockedIn, Rule::Uplink, Rule::Flood].into_iter().fold(Policy::default(), Policy::without);
        Self {
            policy,
            exempt: RuleSet::NONE,
            watch: Watch::default(),
            tally: Tally::new(period(8_640, Method::Max, M)),
            seen: Vec::new(),
            shared: None,
            log: Vec::new(),
            next: 0,
        }
    }

    /// Closes slots with `mbps` in each.
    fn close(&mut self, slots: i64, mbps: u64) {
        for _ in 0..slots {
            let (slot, rates) = (Slot(self.next), bps(mbps * M, 0));
            self.next += 1;
            self.tally.change(slot, None, Some(rates));
            self.seen.push(Seen { slot, rates, allowance: Bps(M) });
            self.seen.drain(..self.seen.len().saturating_sub(24));
            let facts = Facts {
                slot,
                allowance: Bps(M),
                seen: &self.seen,
                tally: &self.tally,
                shared: self.shared.as_ref(),
                packets: &[],
            };
            let change = self.watch.observe(&self.policy, self.exempt, &facts);
            self.log.extend(change.events.iter().map(|event| (slot.0, *event)));
        }
    }

    /// Something that a person does while the next slot fills.
    fn act(&mut self, event: Event) {
        self.watch.take(Slot(self.next), event);
    }

    /// What happened since this was asked last.
    fn happened(&mut self) -> Vec<(i64, Event)> {
        std::mem::take(&mut self.log)
    }
}

const BEGAN: Event = Event::Began(Rule::Sustained);
const LET_GO: Event = Event::LetGo(Rule::Sustained);

#[test]
fn a_case_opens_lingers_and_resolves() {
    let mut server = Server::new();
    server.close(9, 10);
    assert_eq!(server.happened(), []);
    server.close(1, 10);
    assert_eq!(server.happened(), [(9, Event::Opened), (9, BEGAN)]);
    // At 8 Mbit/s it goes on holding: that is 80 % of the threshold.
    server.close(100, 8);
    assert_eq!(server.happened(), []);
    // Three of twelve slots below, and the rule lets go.
    server.close(3, 7);
    assert_eq!(server.happened(), [(112, LET_GO)]);
    // What lingers begins nothing, so it is quiet: slots 112 to 135 are 24.
    server.close(22, 9);
    assert_eq!(server.happened(), []);
    server.close(1, 9);
    assert_eq!(server.happened(), [(135, Event::Resolved)]);
}

#[test]
fn how_a_calm_server_stands_can_be_written_down() {
    let json = serde_json::to_string(&Standing::CALM).unwrap();
    assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), Standing::CALM, "{json}");
}

#[test]
fn what_lingers_does_not_begin() {
    let mut server = Server::new();
    server.close(50, 9);
    assert_eq!(server.happened(), []);
}

#[test]
fn quiet_is_counted_from_the_slot_in_which_the_last_rule_let_go() {
    let mut server = Server::new();
    server.close(12, 10);
    server.close(3, 0);
    server.close(22, 0);
    assert_eq!(server.happened(), [(9, Event::Opened), (9, BEGAN), (14, LET_GO)]);
    server.close(1, 0);
    assert_eq!(server.happened(), [(37, Event::Resolved)]);
    // Slots 14 to 37 are 24.
    assert!(!server.watch.standing().open);
}

#[test]
fn a_rule_that_begins_again_ends_the_quiet() {
    let mut server = Server::new();
    server.close(12, 10);
    server.close(10, 0);
    server.happened();
    server.close(12, 10);
    assert_eq!(server.happened(), [(31, BEGAN)]);
    server.close(3 + 22, 0);
    assert_eq!(server.happened(), [(36, LET_GO)]);
    server.close(1, 0);
    assert_eq!(server.happened(), [(59, Event::Resolved)]);
}

#[test]
fn a_third_resolution_waits_until_the_first_is_a_day_old() {
    let mut server = Server::new();
    let mut resolved = Vec::new();
    for _ in 0..20 {
        server.close(10, 10);
        server.close(27, 0);
        resolved.extend(server.happened().into_iter().filter(|(_, event)| *event == Event::Resolved));
    }
    let slots: Vec<i64> = resolved.iter().map(|(slot, _)| *slot).collect();
    assert_eq!(slots[..2], [35, 72]);
    assert!(slots.windows(3).all(|three| three[2] - three[0] >= 288), "{slots:?}");
    assert!(slots.len() >= 4, "{slots:?}");
}

#[test]
fn a_case_whose_cap_is_in_force_does_not_resolve() {
    let mut server = Server::new();
    server.close(12, 10);
    server.act(Event::Applied);
    server.close(500, 0);
    assert_eq!(server.happened(), [(9, Event::Opened), (9, BEGAN), (14, LET_GO)]);
    server.act(Event::Lifted);
    server.close(100, 0);
    assert_eq!(server.happened(), []);
    assert!(!server.watch.standing().open);
}

#[test]
fn after_a_lift_only_later_slots_are_evidence() {
    let mut server = Server::new();
    server.close(12, 10);
    server.act(Event::Applied);
    server.act(Event::Lifted);
    server.happened();
    // Slot 12 was filling when it was lifted; ten later ones are 13 to 22.
    server.close(10, 10);
    assert_eq!(server.happened(), []);
    server.close(1, 10);
    assert_eq!(server.happened(), [(22, Event::Opened), (22, BEGAN)]);
}

#[test]
fn what_a_person_dismissed_is_not_back_while_it_lasts() {
    let mut server = Server::new();
    server.close(12, 10);
    server.act(Event::Dismissed);
    server.happened();
    // At 8 Mbit/s it lasts, however long; at 0 it is over, and what comes after is new.
    server.close(100, 10);
    server.close(100, 8);
    assert_eq!(server.happened(), []);
    server.close(12, 0);
    assert_eq!(server.happened(), [(214, Event::Freed(Rule::Sustained))]);
    server.close(10, 10);
    assert_eq!(server.happened(), [(233, Event::Opened), (233, BEGAN)]);
}

#[test]
fn another_rule_may_open_a_case_after_a_dismissal() {
    let mut server = Server::new();
    server.policy.uplink = Some(policy::UplinkShare::default());
    server.close(12, 10);
    server.act(Event::Dismissed);
    server.happened();
    let load = Some(bps(45 * M, 0));
    let uplinks = vec![Uplink { id: "u1".to_owned(), speed: Bps(50 * M), by_port: load }];
    server.shared = Some(Shared { uplinks, by_servers: Rates::default() });
    // Slot 12 was filling when the case was dismissed.
    server.close(1, 10);
    assert_eq!(server.happened(), []);
    server.close(1, 10);
    assert_eq!(server.happened(), [(13, Event::Opened), (13, Event::Began(Rule::Uplink))]);
    assert_eq!(server.watch.standing().spent.iter().collect::<Vec<_>>(), [Rule::Sustained]);
}

#[test]
fn reopening_makes_every_rule_count_again() {
    let mut server = Server::new();
    server.close(12, 10);
    server.act(Event::Dismissed);
    server.act(Event::Reopened);
    server.happened();
    server.close(11, 10);
    assert_eq!(server.happened(), [(22, BEGAN)]);
    assert!(server.watch.standing().open);
}

#[test]
fn an_exempt_rule_lets_go() {
    let mut server = Server::new();
    server.close(12, 10);
    server.happened();
    server.exempt = server.exempt.with(Rule::Sustained);
    server.close(30, 10);
    assert_eq!(server.happened(), [(12, LET_GO), (35, Event::Resolved)]);
}

#[test]
fn locked_in_counts_what_is_later_than_a_lift() {
    let mut server = Server::new();
    server.policy = server.policy.without(Rule::Sustained);
    server.policy.locked_in = Some(policy::LockedIn::default());
    server.close(432, 10);
    assert_eq!(server.happened(), []);
    server.close(1, 10);
    assert_eq!(server.happened(), [(432, Event::Opened), (432, Event::Began(Rule::LockedIn))]);
    server.act(Event::Applied);
    server.act(Event::Lifted);
    // Slot 433 does not count, then more than 432 are needed anew.
    server.close(1 + 432, 10);
    assert_eq!(server.happened(), []);
    let mut restarted = Server { watch: restarted(&server), ..Server::new() };
    (restarted.tally, restarted.seen, restarted.policy) =
        (server.tally.clone(), server.seen.clone(), server.policy);
    restarted.next = server.next;
    for server in [&mut server, &mut restarted] {
        server.close(1, 10);
        let slot = 433 + 433;
        assert_eq!(server.happened(), [(slot, Event::Opened), (slot, Event::Began(Rule::LockedIn))]);
    }
}

#[test]
fn a_revision_counts_after_a_lift_too() {
    let mut server = Server::new();
    server.policy = server.policy.without(Rule::Sustained);
    server.policy.locked_in = Some(policy::LockedIn::default());
    server.close(10, 0);
    server.act(Event::Reopened);
    server.act(Event::Lifted);
    server.close(432, 10);
    server.close(10, 0);
    assert_eq!(server.happened(), []);
    let (slot, old, new) = (Slot(445), Some(bps(0, 0)), Some(bps(10 * M, 0)));
    server.tally.change(slot, old, new);
    let rules = server.tally.rules().clone();
    server.watch.revise(&rules, slot, old, new);
    server.close(1, 0);
    // 431 of the 432, for slot 10 was filling at the lift, and the revised one.
    assert_eq!(server.happened(), []);
    server.close(1, 10);
    assert_eq!(server.happened(), [(453, Event::Opened), (453, Event::Began(Rule::LockedIn))]);
}

/// The watch as it is put together again.
fn restarted(server: &Server) -> Watch {
    let standing: Standing =
        serde_json::from_str(&serde_json::to_string(server.watch.standing()).unwrap()).unwrap();
    let rules = server.tally.rules();
    let from = standing.counts_from(rules).unwrap_or(Slot(server.next));
    let samples = (from.0..server.next).map(|slot| (Slot(slot), bps(10 * M, 0)));
    Watch::resume(standing, rules, samples)
}
