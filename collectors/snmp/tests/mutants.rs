//! Thousands of damaged answers. Whatever is damaged but the values themselves, a reading is right or is not.

use std::collections::BTreeSet;

use meter95_reading::Counters;
use meter95_snmp::Failure;

use crate::agent::{Agent, Bind, Reply, Request, ber, truth};

/// Damaged answers sent before each good one. The transport keeps at most 16 for a request.
const MUTANTS: usize = 8;

/// Requests that are answered so; with [`MUTANTS`] this makes some 12,000 damaged datagrams.
const REQUESTS_MIN: usize = 1_500;

#[tokio::test]
async fn damage_never_makes_a_wrong_reading() {
    let mut random = Random(0x5eed_0000_0000_0095);
    let agent = Agent::start(3).await;
    agent.behave(move |request: &Request, binds: Vec<Bind>| {
        let (octets, values) = ber::answer_marked(request, 0, &binds);
        let mut replies: Vec<Reply> =
            (0..MUTANTS).map(|_| Reply::Plain(random.mutant(&octets, &values))).collect();
        replies.push(Reply::Plain(octets));
        replies
    });
    let (mut requests, mut readings, mut failures) = (0, 0, 0);
    let mut causes = BTreeSet::new();
    while requests < REQUESTS_MIN {
        // A new visitor every few passes, so that listings meet damage too.
        let mut visitor = agent.visitor().await;
        for _ in 0..20 {
            let pass = visitor.pass().await;
            for reading in &pass.readings {
                let (name, counters) = (reading.port.interface(), reading.counters);
                // Packets may be left out after a forged tooBig.
                let expected = Counters {
                    time: counters.time,
                    rx_packets: counters.rx_packets.and(Some(321)),
                    tx_packets: counters.tx_packets.and(Some(321)),
                    ..truth(name)
                };
                assert!(["eth1", "eth2", "eth3"].contains(&name), "{name}");
                assert_eq!(counters, expected, "{name}");
            }
            assert!(pass.readings.len() <= 3);
            readings += pass.readings.len();
            failures += pass.failures.total();
            causes.extend(pass.failures.iter().map(|(failure, _)| failure));
        }
        requests += agent.requests().len();
    }
    // The damage reaches every layer, and the good answers still come through.
    assert!(readings > 500 && failures > 1_000, "{readings} readings, {failures} failures");
    for failure in [Failure::Malformed, Failure::WrongShape, Failure::WrongType, Failure::AgentError] {
        assert!(causes.contains(&failure), "{failure} in {causes:?}");
    }
}

/// A small generator of even numbers' odds: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(high).unwrap() % limit
    }

    fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// `octets` with one to four changes to what is not the content of a value.
    fn mutant(&mut self, octets: &[u8], values: &[bool]) -> Vec<u8> {
        let mut mutant = octets.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(mutant.len().min(octets.len()));
            if values[place] {
                continue;
            }
            match self.below(8) {
                0..=3 => mutant[place] = self.octet(),
                4 => mutant[place] ^= 1 << self.below(8),
                5 => mutant[place] = mutant[place].wrapping_sub(1),
                6 => {
                    mutant.truncate(place + 1);
                    return mutant;
                }
                _ => {
                    // Inserted or taken out: all behind it shifts, so this is the last change.
                    match self.below(2) {
                        0 => mutant.insert(place, self.octet()),
                        _ => {
                            mutant.remove(place);
                        }
                    }
                    return mutant;
                }
            }
        }
        mutant
    }
}
