//! The rules over a live state: slots that close, lines that are shared, servers that are late, and a restart.

use meter95_reading::{Counters, PortKey, Width};

use super::*;
use crate::aggregator::state::Times;
use crate::inventory::Inventory;
use crate::metering::throttle::standing::Standing;

/// The start of a slot.
const START: Timestamp = Timestamp(1_795_223_400_000);

const INVENTORY: &str = "
    plans = [{ id = 'large', allowance_bps = 100000000 }]
    uplinks = [{ id = 'up1', region = 'tokyo', device = 'sw1', interface = 'xe0', speed_bps = 50000000, devices = ['sw1'] }]
    exemptions = [{ id = 'e', server = 'exempt', reason = 'agreed', until = '2027-01-01T00:00:00Z' }]
    [[servers]]
    id = 'heavy'
    region = 'tokyo'
    ports = [{ device = 'sw1', interface = 'ge1' }]
    [[servers]]
    id = 'light'
    region = 'tokyo'
    ports = [{ device = 'sw1', interface = 'ge2' }]
    [[servers]]
    id = 'exempt'
    region = 'tokyo'
    ports = [{ device = 'sw2', interface = 'ge1' }]
    [[servers]]
    id = 'flooding'
    region = 'nagoya'
    plan = 'large'
    ports = [{ device = 'sw3', interface = 'ge1' }]
";

/// A live state and the rules that watch it, minute by minute.
struct Site {
    state: Aggregator,
    round: Round,
    minute: i64,
    /// What each port has sent, in octets and packets, by interface.
    sent: HashMap<(&'static str, &'static str), (u64, u64)>,
}

impl Site {
    fn new() -> Self {
        let mut state = Aggregator::new(Times::default(), START);
        state.set_inventory(Inventory::from_document(&toml::from_str(INVENTORY).unwrap()).unwrap());
        Self { state, round: Round::new(None), minute: 0, sent: HashMap::new() }
    }

    /// One more minute in which ports send so many bit/s in packets of so many octets; tells what happened, as words.
    fn minute(&mut self, ports: &[(&'static str, &'static str, u64, u64)]) -> Vec<String> {
        let now = START.plus_ms(self.minute * 60_000);
        self.minute += 1;
        for (device, interface, bps, packet_octets) in ports.iter().copied() {
            let sent = self.sent.entry((device, interface)).or_default();
            let id = self.state.port_id(&PortKey::new(device, interface).unwrap());
            let counters = Counters {
                time: now,
                rx_octets: sent.0,
                tx_octets: sent.0,
                width: Width::Bits64,
                uptime_cs: None,
                discontinuity_cs: None,
                rx_packets: Some(sent.1),
                tx_packets: Some(sent.1),
                speed_bps: None,
            };
            assert!(self.state.accept(id, now));
            self.state.observe(id, &counters);
            let octets = bps / 8 * 60;
            *sent = (sent.0 + octets, sent.1 + octets / packet_octets);
        }
        self.state.advance(now);
        self.words()
    }

    /// Everything that the rules find now.
    fn words(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        loop {
            let happened = self.round.look(&self.state);
            if happened.is_empty() {
                return words;
            }
            for Happened { server, events, .. } in happened {
                let name = &self.state.servers()[server.index()].name;
                words.extend(events.iter().map(|event| format!("{name} {event:?}")));
            }
        }
    }

    /// So many minutes alike; tells in which minute what happened.
    fn minutes(
        &mut self,
        count: i64,
        ports: &[(&'static str, &'static str, u64, u64)],
    ) -> Vec<(i64, String)> {
        let mut told = Vec::new();
        for _ in 0..count {
            let minute = self.minute;
            told.extend(self.minute(ports).into_iter().map(|words| (minute, words)));
        }
        told
    }
}

#[test]
fn each_rule_opens_its_case_when_its_slots_have_closed() {
    let mut site = Site::new();
    let busy = [
        ("sw1", "ge1", 20_000_000, 1_000),
        ("sw1", "ge2", 500_000, 1_000),
        ("sw1", "xe0", 20_500_000, 1_000),
        ("sw2", "ge1", 90_000_000, 1_000),
        ("sw3", "ge1", 80_000_000, 64),
    ];
    let told = site.minutes(60, &busy);
    let expected = [
        // 156,250 packets a second, in two slots.
        (10, "flooding Opened".to_owned()),
        (10, "flooding Began(Flood)".to_owned()),
        // Ten slots have closed with the eleventh slot's first reading.
        (50, "heavy Opened".to_owned()),
        (50, "heavy Began(Sustained)".to_owned()),
    ];
    assert_eq!(told, expected, "the exempt one is left alone, and the line is at 41 %");

    // The line is nearly full, mostly by one server.
    let full = [
        ("sw1", "ge1", 40_000_000, 1_000),
        ("sw1", "ge2", 500_000, 1_000),
        ("sw1", "xe0", 40_500_000, 1_000),
        ("sw2", "ge1", 90_000_000, 1_000),
        ("sw3", "ge1", 1_000_000, 1_000),
    ];
    let told = site.minutes(10, &full);
    assert!(told.contains(&(65, "heavy Began(Uplink)".to_owned())), "{told:?}");
    assert!(told.contains(&(65, "flooding LetGo(Flood)".to_owned())), "{told:?}");
    let heavy = site.state.server("heavy").unwrap().id;
    let loads = &site.round.loads.back().unwrap().1;
    let group = loads.of_server(heavy).next().unwrap();
    assert_eq!((group.members.len(), group.shared.used_permille()), (2, 810));
    let exempt = site.state.server("exempt").unwrap().id;
    assert!(loads.of_server(exempt).next().is_none(), "it is on another device");
}

#[test]
fn a_recommendation_says_what_was_found() {
    let mut site = Site::new();
    let mut found = None;
    for _ in 0..60 {
        let now = START.plus_ms(site.minute * 60_000);
        site.minute += 1;
        for (interface, bps) in [("ge1", 45_000_000), ("ge2", 3_000_000), ("xe0", 48_000_000)] {
            let sent = site.sent.entry(("sw1", interface)).or_default();
            let id = site.state.port_id(&PortKey::new("sw1", interface).unwrap());
            let counters = Counters {
                time: now,
                rx_octets: sent.0,
                tx_octets: sent.0,
                width: Width::Bits64,
                uptime_cs: None,
                discontinuity_cs: None,
                rx_packets: None,
                tx_packets: None,
                speed_bps: None,
            };
            assert!(site.state.accept(id, now));
            site.state.observe(id, &counters);
            sent.0 += bps / 8 * 60;
        }
        site.state.advance(now);
        found = found.or(site.round.look(&site.state).into_iter().next());
    }
    let recommendation = found.unwrap().recommendation.unwrap();
    assert!(recommendation.held().eq([Rule::Uplink]), "one slot suffices for that rule");
    assert_eq!((recommendation.server.as_str(), recommendation.in_bps.0), ("heavy", 45_000_000));
    // 45 - (48 - 32) x 48 / 48 Mbps: then the line is below 64 % of its 50 Mbps.
    assert_eq!(recommendation.cap.cap_bps.0, 28_999_000);
    assert_eq!(recommendation.relief[0].freed_bps.0, 45_000_000 - 28_999_000);
    assert_eq!(recommendation.relief[0].load_bps.0, 48_000_000);
    assert_eq!(recommendation.others.servers[0].server, "light");
    assert_eq!(recommendation.outlook.with.p95_bps.unwrap().0, 28_999_000);
    assert!(recommendation.outlook.without.p95_bps > recommendation.outlook.with.p95_bps);
}

#[test]
fn a_silent_device_delays_others_by_two_minutes_only() {
    let mut site = Site::new();
    let busy = [("sw1", "ge1", 20_000_000, 1_000), ("sw3", "ge1", 1_000, 100), ("sw1", "ge2", 0, 1)];
    site.minutes(40, &busy);
    // From now on sw3 is silent.
    let told = site.minutes(20, &busy[..1]);
    assert_eq!(told[0], (52, "heavy Opened".to_owned()), "two minutes after the tenth slot's end");
}

#[test]
fn whoever_goes_on_from_the_log_finds_the_same() {
    let busy = [("sw1", "ge1", 20_000_000, 1_000), ("sw3", "ge1", 80_000_000, 64)];
    let quiet = [("sw1", "ge1", 100_000, 1_000), ("sw3", "ge1", 100_000, 1_000)];
    let mut site = Site::new();
    site.minutes(70, &busy);
    let heavy = site.state.server("heavy").unwrap().id;
    let flooding = site.state.server("flooding").unwrap().id;
    let mut again = Round::new(site.round.mark(&site.state));
    for id in [heavy, flooding] {
        let standing: Standing = site.round.watches[id.index()].standing().clone();
        assert!(standing.open);
        let server = &site.state.servers()[id.index()];
        again.resume(id, Watch::resume(standing, server.tally.rules(), []), None);
    }
    let mut told = Vec::new();
    for _ in 0..200 {
        let words = site.minute(&quiet);
        std::mem::swap(&mut site.round, &mut again);
        assert_eq!(site.words(), words, "minute {}", site.minute);
        std::mem::swap(&mut site.round, &mut again);
        told.extend(words);
    }
    let expected = ["flooding LetGo(Flood)", "heavy LetGo(Sustained)", "flooding Resolved", "heavy Resolved"];
    assert_eq!(told, expected);
}
