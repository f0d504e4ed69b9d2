//! A bundle is believed only where nothing in it was changed, and where every figure follows.

use proptest::prelude::*;

use super::*;
use crate::closing::example::{MBPS, blank, sample, samples, settled, small};
use crate::closing::statement::Exclusion;
use crate::metering::overage::{Method, Missing};

fn bundle(statement: &Statement, samples: &[Vec<(Slot, Sample)>]) -> String {
    let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
    write(&serde_json::to_string(statement).unwrap(), &statement.members, &slices)
}

/// The contents under a first line that is true of them.
fn sealed(contents: &str) -> String {
    format!("{MAGIC}{}\n{contents}", hex(&Sha256::digest(contents.as_bytes())))
}

/// A pool of two servers, one with a name for which CSV needs quotes, and an exclusion.
fn pool() -> (Statement, Vec<Vec<(Slot, Sample)>>) {
    let mut first = samples(&[Some((3 * MBPS, MBPS)); 60]);
    first.retain(|(slot, _)| !(10..14).contains(&(slot.0 % 60)));
    let mut second = samples(&[Some((MBPS, 2 * MBPS)); 60]);
    second[5].1 = sample(70 * MBPS, 1);
    second[6].1.partial = true;
    let samples = vec![first, second];
    let mut statement = blank("rack \"a\", b", &["a", "b, \"2\""], 60);
    let member = &statement.members[1];
    statement.exclusions = vec![Exclusion {
        id: 4,
        server: member.server.clone(),
        from: Instant(samples[1][20].0.start()),
        until: Instant(samples[1][30].0.start()),
        why: "mirrored by mistake".to_owned(),
        by: "aiko".to_owned(),
        at: statement.issued_at,
    }];
    (settled(statement, &samples), samples)
}

#[test]
fn what_was_written_is_verified() {
    let empty = settled(blank("empty", &["empty"], 40), &[Vec::new()]);
    for (statement, samples) in [small("web01", 6), pool(), (empty, vec![Vec::new()])] {
        let text = bundle(&statement, &samples);
        let verified = verify(text.as_bytes()).unwrap();
        assert_eq!((&verified.statement, &verified.samples), (&statement, &samples));
        assert_eq!(text.lines().count(), 3 + samples.iter().map(Vec::len).sum::<usize>());
        assert_eq!(text.lines().next().unwrap(), format!("{MAGIC}{}", verified.sha256));
        assert!(text.ends_with('\n') && text.is_ascii());
    }
    let (statement, samples) = small("web01", 6);
    let text = bundle(&statement, &samples);
    let lines: Vec<&str> = text.lines().skip(2).take(2).collect();
    assert_eq!(lines, [HEADING, "web01,2026-09-30T15:00:00Z,6000000,5,0"]);
}

#[test]
fn no_octet_can_be_changed() {
    let (statement, samples) = small("web01", 6);
    let text = bundle(&statement, &samples);
    let mut octets = text.clone().into_bytes();
    for at in 0..octets.len() {
        for flip in [1, 0x20, 0x80] {
            octets[at] ^= flip;
            assert!(verify(&octets).is_err(), "octet {at}");
            octets[at] ^= flip;
        }
        assert!(verify(&octets[..at]).is_err(), "cut at {at}");
    }
    for changed in [format!("{text}\n"), format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
        assert!(verify(changed.as_bytes()).is_err());
    }
    assert!(verify(&octets).is_ok());
}

#[test]
fn no_octet_of_a_whole_month_can_be_changed() {
    let rates: Vec<_> =
        (0..8_928u64).map(|i| (i % 97 != 0).then_some((i * 7_919 % 9_000_000, i * 31))).collect();
    let samples = vec![samples(&rates)];
    let statement = settled(blank("web01", &["web01"], 8_928), &samples);
    let mut octets = bundle(&statement, &samples).into_bytes();
    assert!(verify(&octets).is_ok());
    for at in (0..octets.len()).step_by(4_999) {
        octets[at] ^= 1;
        assert!(verify(&octets).is_err(), "octet {at}");
        octets[at] ^= 1;
    }
}

/// Whoever changes a statement and its hash too must also find samples that make its figures.
#[test]
fn every_figure_is_made_again() {
    let (honest, samples) = pool();
    let (json, nobody) = (serde_json::to_value(&honest).unwrap(), Value::Null);
    let untouched = bundle(&honest, &samples);
    let mut fields: Vec<(String, Value)> = [
        "samples",
        "expected",
        "ranked",
        "rank",
        "discarded",
        "p95_bps",
        "p95_in_bps",
        "p95_out_bps",
        "overage_bps",
        "billable_bps",
        "burst_slots",
        "burst_left_slots",
    ]
    .map(|field| (format!("/{field}"), (json[field].as_u64().unwrap() + 1).into()))
    .into();
    for (field, value) in [
        ("/amount", "1".into()),
        ("/currency", "USD".into()),
        ("/coverage", "0.5000".into()),
        ("/billable_slot", "2026-09-30T15:05:00Z".into()),
        ("/measured", nobody.clone()),
        ("/measured/p95_bps", 1.into()),
        ("/members/0/samples", 1.into()),
        ("/members/1/p95_bps", 1.into()),
        ("/members/0/share_in_bps", nobody.clone()),
        ("/members/1/share_out_bps", 1.into()),
        ("/members/0/gaps/0/slots", 1.into()),
        ("/members/0/gaps/0/from", "2026-09-30T15:05:00Z".into()),
        ("/members/0/gaps", Value::Array(Vec::new())),
        ("/p95_bps", nobody),
    ] {
        fields.push((field.to_owned(), value));
    }
    let body = serde_json::to_string(&honest).unwrap();
    for (pointer, value) in fields {
        let mut json = json.clone();
        *json.pointer_mut(&pointer).unwrap() = value;
        let contents = untouched.split_once('\n').unwrap().1.replacen(&body, &json.to_string(), 1);
        let error = verify(sealed(&contents).as_bytes()).unwrap_err();
        let BundleError::Figure { field, .. } = &error else { panic!("{pointer}: {error}") };
        let path: String = field.replace("[", "/").replace(".", "/").replace("]", "");
        let named = format!("/{path}");
        assert!(named.starts_with(&pointer) || pointer.starts_with(&named), "{pointer}: {error}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let (statement, samples) = small("web01", 6);
    let text = bundle(&statement, &samples);
    let contents = text.split_once('\n').unwrap().1;
    let swapped = |a: &str, b: &str| {
        assert!(contents.contains(a), "{a}");
        sealed(&contents.replacen(a, b, 1))
    };
    let other_rules = format!("it was made by the rules \"meter95-9\"; this program has {RULES_VERSION:?}");
    for (bundle, said) in [
        (String::new(), "its first line is not"),
        (text.replacen("bundle 1", "bundle 2", 1), "its first line is not"),
        (text.replacen(",5,0\n", ",6,0\n", 1), "the SHA-256 of its contents is"),
        (swapped(RULES_VERSION, "meter95-9"), other_rules.as_str()),
        (swapped("{\"rules\"", "{\"new\":1,\"rules\""), "line 2: not a statement: unknown field `new`"),
        (swapped(HEADING, "server,slot"), "line 3: it is not the heading"),
        (swapped(",5,0\n", ",6,0\n"), "the SHA-256 of its samples is"),
        (
            swapped("web01,2026", "web02,2026"),
            "line 4: \"web02,2026-09-30T15:00:00Z,6000000,5,0\" is of no member",
        ),
        (swapped("web01,2026-09-30T15:00:00Z", "web01,2026-09-30T15:00:01Z"), "line 4:"),
        (swapped("web01,2026-09-30T15:00:00Z", "web01,2026-09-30T14:55:00Z"), "line 4:"),
        (swapped(",5,0\n", ",05,0\n"), "line 4:"),
        (swapped(",5,0\n", ",5,2\n"), "line 4:"),
        (swapped(",5,0\n", ",5\n"), "line 4:"),
        (swapped("web01,2026-09-30T15:05:00Z", "web01,2026-09-30T15:00:00Z"), "line 5:"),
        (sealed(contents.trim_end()), "line 42: it is not a whole line"),
        (sealed(&format!("{contents}\n")), "line 43:"),
    ] {
        let error = verify(bundle.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}\n{said}");
    }
    let long = vec![b' '; BUNDLE_OCTETS_MAX + 1];
    assert_eq!(verify(&long), Err(BundleError::TooLarge(BUNDLE_OCTETS_MAX + 1)));
}

#[test]
fn file_names_are_safe_anywhere_and_no_two_are_the_same() {
    let named = |id: &str| file_name(&blank(id, &[id], 1));
    assert_eq!(named("web01.tky"), "2026-10_web01.tky_r1.meter95");
    assert_eq!(named("../a b%\u{65e5}"), "2026-10_..%2Fa%20b%25%E6%97%A5_r1.meter95");
    let long = "\u{65e5}".repeat(85);
    let longer = format!("{}x", &long[..252]);
    for id in [&long, &longer] {
        assert!(named(id).len() <= 255, "{}", named(id).len());
    }
    assert_ne!(named(&long), named(&longer));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is billed by whatever rules, its bundle is verified.
    #[test]
    fn every_statement_s_bundle_is_verified(
        rates in prop::collection::vec(prop::option::weighted(0.9, (0u64..9, 0u64..9)), 0..80),
        method in prop::sample::select(vec![Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate]),
        exclude in any::<bool>(),
    ) {
        let rates: Vec<_> = rates.into_iter().map(|r| r.map(|(i, o)| (i * MBPS, o * MBPS))).collect();
        let samples = vec![samples(&rates)];
        let missing = if exclude { Missing::Exclude } else { Missing::Zero };
        let statement = Statement { method, missing, ..blank("a", &["a"], 80) };
        let statement = settled(statement, &samples);
        prop_assert!(verify(bundle(&statement, &samples).as_bytes()).is_ok());
    }

    /// Pieces that are moved, doubled, lost or replaced under a hash that is right: refused or verified, no panic.
    #[test]
    fn hostile_files_do_no_harm(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..4), 1..6),
        digits in "[0-9]{1,25}|null|\"\"|-1|\\[\\]|9998-12-31",
    ) {
        let (statement, samples) = pool();
        let text = bundle(&statement, &samples);
        let mut contents = text.split_once('\n').unwrap().1.to_owned();
        for (a, b, what) in cuts {
            // The text is ASCII: every place is one between characters.
            let (a, b) = (a.index(contents.len()), b.index(contents.len()));
            let (a, b) = (a.min(b), a.max(b));
            match what {
                0 => contents.replace_range(a..b.min(a + 9), ""),
                1 => contents.insert_str(a, &digits),
                2 => {
                    let piece = contents[a..b.min(a + 200)].to_owned();
                    contents.insert_str(b, &piece);
                }
                _ => {
                    let number = contents[a..].find(|c: char| c.is_ascii_digit()).map(|at| a + at);
                    if let Some(at) = number {
                        let len = contents[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(1);
                        contents.replace_range(at..at + len, &digits);
                    }
                }
            }
        }
        if let Ok(verified) = verify(sealed(&contents).as_bytes()) {
            prop_assert_eq!(verified.statement.samples_sha256, statement.samples_sha256);
        }
    }

    #[test]
    fn noise_is_no_bundle(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(verify(&noise), Err(BundleError::NotABundle));
    }
}
