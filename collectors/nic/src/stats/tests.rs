//! Dumps as octets: whole ones, cut ones, damaged ones.

use proptest::prelude::*;

use super::*;

const SEQUENCE: u32 = 7;

fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u32::try_from(HEADER_OCTETS + payload.len()).unwrap().to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&flags.to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&4_242_u32.to_ne_bytes());
    bytes.extend_from_slice(payload);
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}

/// The answer for one interface, with `words` of counters.
fn answer(index: u32, words: &[u64]) -> Vec<u8> {
    let mut payload = vec![0, 0, 0, 0];
    payload.extend_from_slice(&index.to_ne_bytes());
    payload.extend_from_slice(&FILTER_LINK_64.to_ne_bytes());
    let value: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    payload.extend(attribute(IFLA_STATS_LINK_64, &value));
    payload
}

/// 25 words, as kernels since 6.0 send: packets, octets, and what nobody here asks for.
fn words(rx_packets: u64, tx_packets: u64, rx_octets: u64, tx_octets: u64) -> Vec<u64> {
    let mut words = vec![rx_packets, tx_packets, rx_octets, tx_octets];
    words.resize(25, 99);
    words
}

fn dump_of_two() -> Vec<u8> {
    let mut bytes = message(RTM_NEWSTATS, 2, SEQUENCE, &answer(1, &words(1, 2, 3, 4)));
    bytes.extend(message(RTM_NEWSTATS, 2, SEQUENCE, &answer(9, &words(5, 6, u64::MAX, 8))));
    bytes.extend(message(NLMSG_DONE, 2, SEQUENCE, &0_i32.to_ne_bytes()));
    bytes
}

fn check(datagram: &[u8]) -> Result<(Progress, Vec<LinkCounters>), StatsError> {
    let mut rows = Vec::new();
    let progress = decode(datagram, SEQUENCE, &mut rows)?;
    check_distinct(&mut rows)?;
    Ok((progress, rows))
}

#[test]
fn the_request_is_28_octets_and_asks_for_all_interfaces() {
    let bytes = request(SEQUENCE);
    let message = NetlinkBuffer::new_checked(&bytes).unwrap();
    assert_eq!((bytes.len(), message.length(), message.message_type()), (28, 28, RTM_GETSTATS));
    assert_eq!((message.flags(), message.sequence_number()), (0x301, SEQUENCE));
    assert_eq!(message.payload(), [0, 0, 0, 0, 0, 0, 0, 0, FILTER_LINK_64.to_ne_bytes()[0], 0, 0, 0]);
}

#[test]
fn a_dump_is_read_whole() {
    let (progress, rows) = check(&dump_of_two()).unwrap();
    assert_eq!(progress, Progress::Done);
    assert_eq!(
        rows,
        [
            LinkCounters { index: 1, rx_octets: 3, tx_octets: 4, rx_packets: 1, tx_packets: 2 },
            LinkCounters { index: 9, rx_octets: u64::MAX, tx_octets: 8, rx_packets: 5, tx_packets: 6 },
        ]
    );
}

#[test]
fn what_the_kernel_may_say_besides() {
    let row = message(RTM_NEWSTATS, 2, SEQUENCE, &answer(1, &words(1, 2, 3, 4)));
    let four = answer(3, &[1, 2, 3, 4]);
    let mut no_counters = vec![0; 12];
    no_counters[4] = 1;
    no_counters[7] = 1;
    let mut other_attribute = no_counters.clone();
    other_attribute.extend(attribute(2, &[0; 200]));
    let garbled = |text| Err(StatsError::Garbled(text));
    for (says, datagram, expected) in [
        ("no datagram, nothing yet", vec![], Ok(Progress::More)),
        ("an answer, more to come", row.clone(), Ok(Progress::More)),
        ("the shortest counters", message(RTM_NEWSTATS, 2, SEQUENCE, &four), Ok(Progress::More)),
        ("nothing to do", message(NLMSG_NOOP, 0, SEQUENCE, &[]), Ok(Progress::More)),
        ("an empty end", message(NLMSG_DONE, 2, SEQUENCE, &[]), Ok(Progress::Done)),
        (
            "an end with an errno",
            message(NLMSG_DONE, 2, SEQUENCE, &(-12_i32).to_ne_bytes()),
            Err(StatsError::Refused(12)),
        ),
        (
            "refused",
            message(NLMSG_ERROR, 0, SEQUENCE, &(-95_i32).to_ne_bytes()),
            Err(StatsError::Refused(95)),
        ),
        (
            "refused with the least errno",
            message(NLMSG_ERROR, 0, SEQUENCE, &i32::MIN.to_ne_bytes()),
            Err(StatsError::Refused(i32::MAX)),
        ),
        (
            "acknowledged",
            message(NLMSG_ERROR, 0, SEQUENCE, &[0; 4]),
            garbled("an acknowledgement that was not asked for"),
        ),
        (
            "an error without a code",
            message(NLMSG_ERROR, 0, SEQUENCE, &[1]),
            garbled("an error without a code"),
        ),
        ("lost", message(NLMSG_OVERRUN, 0, SEQUENCE, &[]), garbled("the kernel reports data lost")),
        (
            "interrupted",
            message(RTM_NEWSTATS, 2 | NLM_F_DUMP_INTR, SEQUENCE, &answer(1, &words(1, 2, 3, 4))),
            Err(StatsError::Interrupted),
        ),
        (
            "interrupted at the end",
            message(NLMSG_DONE, NLM_F_DUMP_INTR, SEQUENCE, &[0; 4]),
            Err(StatsError::Interrupted),
        ),
        (
            "another dump's end",
            message(NLMSG_DONE, NLM_F_DUMP_INTR, SEQUENCE + 1, &[0; 4]),
            Ok(Progress::More),
        ),
        ("another kind", message(16, 2, SEQUENCE, &[0; 16]), garbled("an answer of another kind")),
        (
            "an answer cut",
            message(RTM_NEWSTATS, 2, SEQUENCE, &[0; 11]),
            garbled("an answer shorter than its header"),
        ),
        (
            "index 0",
            message(RTM_NEWSTATS, 2, SEQUENCE, &answer(0, &words(1, 2, 3, 4))),
            garbled("an interface without an index"),
        ),
        (
            "no counters",
            message(RTM_NEWSTATS, 2, SEQUENCE, &no_counters),
            garbled("an answer without counters"),
        ),
        (
            "other figures only",
            message(RTM_NEWSTATS, 2, SEQUENCE, &other_attribute),
            garbled("an answer without counters"),
        ),
        (
            "counters cut short are never zeros",
            message(RTM_NEWSTATS, 2, SEQUENCE, &answer(1, &[1, 2, 3])),
            garbled("counters cut short"),
        ),
        ("twice", [row.clone(), row.clone()].concat(), garbled("an interface appears twice")),
    ] {
        assert_eq!(check(&datagram).map(|(progress, _)| progress), expected, "{says}");
    }
}

#[test]
fn a_cut_is_an_error_or_an_unfinished_dump_never_a_shorter_one() {
    let whole = dump_of_two();
    for length in 0..whole.len() {
        assert_ne!(check(&whole[..length]).map(|(progress, _)| progress), Ok(Progress::Done), "at {length}");
    }
}

proptest! {
    #[test]
    fn mutations_never_panic(changes in prop::collection::vec((0_usize..1_000, any::<u8>()), 1..8), cut in 0_usize..1_000) {
        let mut bytes = dump_of_two();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(bytes.len() - cut % bytes.len() / 2);
        let _ = check(&bytes);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check(&bytes);
    }
}
