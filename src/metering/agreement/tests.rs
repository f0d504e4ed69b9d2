//! Two meters of one server: what they may be apart, why they probably are, and when that is raised.

use super::*;
use crate::metering::units::Bps;

/// Octets and packets of a full slot at `mbps` in and out of a server, in packets of `size` octets.
fn port(meter: Meter, in_mbps: u64, out_mbps: u64, size: u64) -> Carried {
    let octets = |mbps: u64| mbps * 1_000_000 * 300 / 8;
    let slot = PortSlot {
        rx_octets: octets(in_mbps),
        tx_octets: octets(out_mbps),
        rx_packets: octets(in_mbps) / size,
        tx_packets: octets(out_mbps) / size,
        covered_ms: 300_000,
    };
    let turned = PortSlot {
        rx_octets: slot.tx_octets,
        tx_octets: slot.rx_octets,
        rx_packets: slot.tx_packets,
        tx_packets: slot.rx_packets,
        ..slot
    };
    let slot = if meter == Meter::Nic { slot } else { turned };
    Carried { slot, width: Width::Bits64 }
}

fn switch(in_mbps: u64, out_mbps: u64) -> Option<Carried> {
    Some(port(Meter::Switch, in_mbps, out_mbps, 1_000))
}

fn nic(in_mbps: u64, out_mbps: u64) -> Option<Carried> {
    Some(port(Meter::Nic, in_mbps, out_mbps, 1_000))
}

fn narrow(port: Option<Carried>, lost_in: u64) -> Option<Carried> {
    port.map(|mut port| {
        port.width = Width::Bits32;
        port.slot.rx_octets -= lost_in;
        port
    })
}

fn with_octets(port: Option<Carried>, change: impl Fn(&mut PortSlot)) -> Option<Carried> {
    port.map(|mut port| {
        change(&mut port.slot);
        port
    })
}

fn first(switch: &[Option<Carried>], nic: &[Option<Carried>]) -> Option<Result<(), Reason>> {
    let verdict = Agreement::default().observe(Slot(0), Both { switch, nic }).verdict?;
    Some(match verdict {
        Verdict::Agree => Ok(()),
        Verdict::Disagree(disagreement) => Err(disagreement.reason),
    })
}

#[test]
fn the_likely_reason_is_told() {
    use Meter::{Nic, Switch};
    let check =
        |switch: &[Option<Carried>], nic: &[Option<Carried>], expected: Option<Result<(), Reason>>| {
            assert_eq!(first(switch, nic), expected, "{switch:?} {nic:?}");
        };
    check(&[switch(100, 10)], &[nic(100, 10)], Some(Ok(())));
    check(&[switch(0, 0)], &[nic(0, 0)], Some(Ok(())));
    check(&[switch(101, 10)], &[nic(100, 10)], Some(Ok(())));
    check(&[switch(60, 5), switch(40, 5)], &[nic(100, 10)], Some(Ok(())));
    check(&[switch(105, 10)], &[nic(100, 10)], Some(Err(Reason::Unexplained)));

    check(&[None], &[None], None);
    check(&[switch(1, 1)], &[], None);
    check(&[None], &[nic(1, 1)], Some(Err(Reason::AgentDown(Switch))));
    check(&[switch(1, 1)], &[None, None], Some(Err(Reason::AgentDown(Nic))));

    check(&[switch(0, 0)], &[nic(100, 10)], Some(Err(Reason::WrongPort(Switch))));
    check(&[switch(0, 3)], &[nic(0, 0)], Some(Err(Reason::WrongPort(Nic))));
    check(&[switch(40, 4)], &[nic(100, 10)], Some(Err(Reason::WrongPort(Switch))));
    check(&[switch(10, 100)], &[nic(100, 10)], Some(Err(Reason::Swapped)));

    check(&[switch(50, 5)], &[nic(50, 5), nic(50, 5)], Some(Err(Reason::MissingMember(Switch))));
    check(&[switch(20, 5)], &[nic(50, 5), nic(50, 5)], Some(Err(Reason::MissingMember(Switch))));
    check(&[switch(70, 5)], &[nic(50, 5), nic(50, 5)], Some(Err(Reason::Unexplained)));
    check(
        &[switch(50, 5), switch(50, 5), switch(50, 5)],
        &[nic(100, 10)],
        Some(Err(Reason::MissingMember(Nic))),
    );
    check(&[switch(50, 5), None], &[nic(100, 10)], Some(Err(Reason::MissingMember(Switch))));
    check(&[switch(0, 0)], &[nic(50, 5), nic(50, 5)], Some(Err(Reason::WrongPort(Switch))));

    // 500 Mbit/s are 18.75 GB a slot; 2^32 octets are 114.5 Mbit/s of one.
    let wrap = Some(Err(Reason::Wrap(Direction::In)));
    check(&[switch(500, 10)], &[narrow(nic(500, 10), 1 << 32)], wrap);
    check(&[switch(500, 10)], &[narrow(nic(500, 10), 3 << 32)], wrap);
    check(&[switch(500, 10)], &[narrow(nic(500, 10), 3 << 31)], Some(Err(Reason::Unexplained)));
    let wide = with_octets(nic(500, 10), |slot| slot.rx_octets -= 1 << 32);
    check(&[switch(500, 10)], &[wide], Some(Err(Reason::Unexplained)));

    let half_covered = with_octets(nic(100, 10), |slot| slot.covered_ms = 149_999);
    check(&[switch(100, 10)], &[half_covered], Some(Err(Reason::AgentDown(Nic))));
    let rates_count = with_octets(nic(50, 5), |slot| slot.covered_ms = 150_000);
    check(&[switch(100, 10)], &[rates_count], Some(Ok(())));
}

#[test]
fn framing_is_allowed_by_the_packet() {
    // 100 Mbit/s of packets of 64 octets on the server's side; the switch counts so many octets more of each.
    for (more, packets_known, expected) in [
        (0, true, Some(Ok(()))),
        (4, true, Some(Ok(()))),
        (8, true, Some(Ok(()))),
        // 2 % of the larger are allowed besides: 1.5 octets of each 76.
        (12, true, Some(Err(Reason::Unexplained))),
        (8, false, Some(Ok(()))),
        (12, false, Some(Err(Reason::Unexplained))),
    ] {
        let size = |meter: Meter, add: u64| {
            let mut port = port(meter, 100, 100, 64);
            let packets = port.slot.rx_packets;
            port.slot.rx_octets += packets * add;
            port.slot.tx_octets += packets * add;
            if !packets_known {
                (port.slot.rx_packets, port.slot.tx_packets) = (0, 0);
            }
            Some(port)
        };
        let found = first(&[size(Meter::Switch, more)], &[size(Meter::Nic, 0)]);
        assert_eq!(found, expected, "{more} {packets_known}");
    }
}

/// What `observe` says of a run of slots: `a` agrees, `d` does not, `-` has no figures; upper case where it raises
/// or clears.
fn said(slots: &str) -> String {
    let mut agreement = Agreement::default();
    let say = |(at, what): (usize, char)| {
        let (a, b) = match what {
            'a' => ([switch(10, 10)], [nic(10, 10)]),
            'd' => ([switch(0, 0)], [nic(10, 10)]),
            _ => ([None], [None]),
        };
        let outcome = agreement.observe(Slot(i64::try_from(at).unwrap()), Both { switch: &a, nic: &b });
        let verdict = match outcome.verdict {
            Some(Verdict::Agree) => 'a',
            Some(Verdict::Disagree(_)) => 'd',
            None => '-',
        };
        if outcome.change.is_some() { verdict.to_ascii_uppercase() } else { verdict }
    };
    slots.chars().enumerate().map(say).collect()
}

#[test]
fn it_is_raised_by_three_of_four_and_cleared_by_six_in_a_row() {
    for (slots, expected) in [
        ("aaaa", "aaaa"),
        ("ddd", "ddD"),
        ("dadd", "dadD"),
        ("adadad", "adadad"),
        ("dd--d", "dd--D"),
        ("dddddd", "ddDddd"),
        ("dddaaaaaa", "ddDaaaaaA"),
        ("dddaaaaadaaaaaa", "ddDaaaaadaaaaaA"),
        ("dddaaa-aaadd", "ddDaaa-aaAdd"),
    ] {
        assert_eq!(said(slots), expected, "{slots}");
    }
}

#[test]
fn one_that_goes_on_after_a_stop_clears_what_was_raised() {
    let mut agreement = Agreement::resume(true);
    for slot in 0..6 {
        assert!(agreement.disagrees(), "{slot}");
        let both = Both { switch: &[switch(1, 1)], nic: &[nic(1, 1)] };
        let change = agreement.observe(Slot(slot), both).change;
        assert_eq!(change, (slot == 5).then_some(Change::Cleared));
    }
    assert!(!agreement.disagrees());
}

#[test]
fn what_one_dates_a_slot_earlier_is_no_disagreement() {
    // A burst of 100 Mbit/s across a boundary: the switch dates 10 Mbit/s of it into the slot before, again and
    // again.
    let mut agreement = Agreement::default();
    let mut disagreed = 0;
    for slot in 0..100 {
        let (early, late) = if slot % 2 == 0 { (30, 20) } else { (90, 100) };
        let both = Both { switch: &[switch(early, 5)], nic: &[nic(late, 5)] };
        let outcome = agreement.observe(Slot(slot), both);
        assert_eq!(outcome.change, None, "{slot}");
        disagreed += u32::from(matches!(outcome.verdict, Some(Verdict::Disagree(_))));
    }
    assert!(disagreed <= 50);
}

#[test]
fn the_figures_are_those_that_a_person_sees() {
    let mut agreement = Agreement::default();
    let both = Both { switch: &[switch(100, 10)], nic: &[nic(50, 10)] };
    let verdict = agreement.observe(Slot(7), both).verdict.unwrap();
    // 12,500 packets a second of 8 octets, 2 % and 20 kbit/s; out 1,250.
    let expected = Verdict::Disagree(Disagreement {
        slot: Slot(7),
        reason: Reason::Unexplained,
        switch: Some(Rates { in_bps: Bps(100_000_000), out_bps: Bps(10_000_000) }),
        nic: Some(Rates { in_bps: Bps(50_000_000), out_bps: Bps(10_000_000) }),
        allowed: Rates { in_bps: Bps(800_000 + 2_000_000 + 20_000), out_bps: Bps(80_000 + 200_000 + 20_000) },
    });
    assert_eq!(verdict, expected);
    let json = serde_json::to_string(&verdict).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict, "{json}");
}
