//! What a customer reads, line by line.

use super::steps::Step;
use super::text::{Lang, text};
use super::*;
use crate::closing::example::{MBPS, blank, sample, samples, settled, small, tiers};
use crate::closing::statement::{AllowanceStep, BreakLine, Exclusion, PlanStep};
use crate::metering::overage::Missing;

fn at(slot: i64) -> Instant {
    Instant(Slot(crate::closing::example::OCTOBER.0 + slot).start())
}

/// Each of the lines stands in the text, in this order.
fn check(text: &str, lines: &[&str]) {
    let mut rest = text.lines();
    for line in lines {
        assert!(rest.any(|found| found.trim() == *line), "{line:?} is missing or out of order in\n{text}");
    }
    assert!(text.lines().all(|line| line == line.trim_end()), "blanks at the end of a line");
}

fn explained(statement: &Statement, samples: &[Vec<(Slot, Sample)>]) -> Explanation {
    Explanation::new(&Filed::new(State::Issued, statement.clone()), samples, &[])
}

#[test]
fn a_customer_can_follow_every_step() {
    let (statement, samples) = small("web01", 6);
    let explanation = explained(&statement, &samples);
    check(
        &text(&explanation, Lang::En),
        &[
            "Bandwidth of server web01 in 2026-10, customer c001",
            "Revision 1, issued at 2026-11-01 11:26:40.",
            "95th percentile: 6 Mbps",
            "To pay: 7,500 JPY for 5 Mbps above the allowance",
            "Period: 2026-10-01 00:00 to 2026-10-01 03:20",
            "Slots: 40 expected, 39 with a sample that counts",
            "Coverage: 97.50 % (below 95.00 % a person reviews the statement)",
            "Plan jp6: the larger of in and out counts in each slot.",
            "Place  Slot                      In         Out       Value  Allowance    Above it",
            "1  2026-10-01 00:15  90,000,000           7  90,000,000  1,000,000  89,000,000  discarded",
            "2  2026-10-01 00:35           1  80,000,000  80,000,000  1,000,000  79,000,000  discarded",
            "3  2026-10-01 00:00   6,000,000           5   6,000,000  1,000,000   5,000,000  <- decides",
            "4  2026-10-01 00:05   6,000,000           5   6,000,000  1,000,000   5,000,000",
            "2026-10-01      2       90,000,000",
            "All             2       90,000,000",
            "2026-10-01 00:00          1,000,000",
            "web01   2026-10-01 01:40 to 2026-10-01 01:45      1  no readings arrived",
            "1. 40 values / 20 = 2: 2 are discarded, number 3 decides",
            "2. Its value less the allowance: 6,000,000 - 1,000,000 = 5,000,000 bit/s of overage",
            "3. In units of 10,000 bit/s: 5,000,000 / 10,000 = 500: 500 x 10,000 = 5,000,000 bit/s = 5 Mbps billable",
            "4. 5 Mbps x 1,500 JPY per Mbps = 7,500 JPY",
            "5. 7,500 JPY, rounded down to a multiple of 1 JPY: 7,500 JPY to pay",
        ],
    );
    check(
        &text(&explanation, Lang::Ja),
        &[
            "2026-10 帯域利用明細  サーバー: web01  お客様: c001",
            "第1版  発行日時: 2026-11-01 11:26:40",
            "ご請求額: 7,500 JPY(課金対象の超過帯域 5 Mbps)",
            "1. 40 個 ÷ 20 = 2 → 上位 2 個を除外し、3 番目で決定",
            "4. 5 Mbps × 単価 1,500 JPY = 7,500 JPY",
            "5. 7,500 JPY、1 JPY 未満は切り捨て: ご請求額 7,500 JPY",
        ],
    );
    assert_eq!(explanation.neighbours.len(), 8, "two above, itself, five below");
}

#[test]
fn tiers_and_roundings_are_told() {
    let (mut statement, samples) = small("web01", 6);
    statement.tariff = Some(tiers("USD", &[(0, "10.005"), (2_000_000, "1.5"), (100_000_000, "1")]));
    statement.allowances[0].bps = Bps(1_234_567);
    let statement = settled(statement, &samples);
    check(
        &text(&explained(&statement, &samples), Lang::En),
        &[
            "To pay: 24.16 USD for 4.77 Mbps above the allowance",
            "2. Its value less the allowance: 6,000,000 - 1,234,567 = 4,765,433 bit/s of overage",
            "3. In units of 10,000 bit/s: 4,765,433 / 10,000 = 476.5433, rounded up: 477 x 10,000 = 4,770,000 bit/s \
             = 4.77 Mbps billable",
            "4. From 0 to 2 Mbps: 2 Mbps x 10.005 USD per Mbps = 20.01 USD",
            "5. From 2 to 100 Mbps: 2.77 Mbps x 1.5 USD per Mbps = 4.155 USD",
            "6. Together 20.01 + 4.155 = 24.165 USD, rounded down to a multiple of 0.01 USD: 24.16 USD to pay",
        ],
    );
    let ja = text(&explained(&statement, &samples), Lang::Ja);
    check(&ja, &["6. 合計 20.01 + 4.155 = 24.165 USD、0.01 USD 未満は切り捨て: ご請求額 24.16 USD"]);
}

/// The steps by themselves end in the statement's amount, whatever is billed by whatever method.
#[test]
fn steps_end_in_the_amount() {
    let rates: Vec<_> =
        (0..200u64).map(|i| (i % 11 != 0).then_some((i * 77_773 % 9_000_000, i * 50_021))).collect();
    let samples = vec![samples(&rates)];
    for method in [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate] {
        for missing in [Missing::Zero, Missing::Exclude] {
            let mut statement = Statement { method, missing, ..blank("a", &["a"], 200) };
            statement.allowances.push(AllowanceStep { from: at(90), bps: Bps(2 * MBPS) });
            let statement = settled(statement, &samples);
            let explanation = explained(&statement, &samples);
            let decides = explanation.neighbours.iter().find(|n| n.decides).unwrap();
            assert_eq!(decides.slot, statement.billable_slot, "{method:?}");
            assert_eq!(Some(decides.excess_bps), statement.overage_bps, "{method:?}");
            assert_eq!(explanation.neighbours.len(), 11);
            let forgiven: u64 = explanation.discarded.iter().map(|day| day.slots).sum();
            assert_eq!(forgiven, statement.discarded);
            let [Step::Rank { .. }, Step::Overage { value_bps, allowance_bps, overage_bps }, .., last] =
                explanation.steps.as_slice()
            else {
                panic!("{:?}", explanation.steps)
            };
            assert_eq!(value_bps.above(*allowance_bps), *overage_bps);
            let Step::Amount { cost, amount, .. } = last else { panic!("{last:?}") };
            assert_eq!(Some(*amount), statement.amount);
            assert!(cost.to_string().parse::<Decimal>().unwrap() >= *amount, "rounded down");
            assert_eq!(explanation.direction.is_some(), method == Method::Separate);
            for lang in [Lang::En, Lang::Ja] {
                let shown = super::layout::money(*amount);
                assert!(text(&explanation, lang).contains(&format!("{shown} JPY")));
            }
        }
    }
}

#[test]
fn no_data_and_no_price_are_told() {
    let empty = settled(blank("empty", &["empty"], 40), &[Vec::new()]);
    let explanation = explained(&empty, &[Vec::new()]);
    assert!(explanation.steps.is_empty() && explanation.neighbours.is_empty());
    let en = text(&explanation, Lang::En);
    check(&en, &["No data: nothing was measured, so there is no 95th percentile and nothing to pay."]);
    check(&en, &["Slots: 40 expected, 0 with a sample that counts"]);
    check(
        &text(&explanation, Lang::Ja),
        &["計測データがないため、95パーセンタイル値はなく、ご請求はありません。"],
    );

    let (mut free, of_free) = small("free", 6);
    free.tariff = None;
    let free = settled(free, &of_free);
    let en = text(&explained(&free, &of_free), Lang::En);
    check(&en, &["Above the allowance: 5 Mbps. The plan has no price for it."]);
    assert!(!en.contains("JPY"), "{en}");
}

#[test]
fn a_slot_without_a_sample_may_decide() {
    let few = vec![samples(&[Some((5 * MBPS, 0)), Some((4 * MBPS, 0))])];
    let statement = settled(blank("new", &["new"], 60), &few);
    let explanation = explained(&statement, &few);
    check(
        &text(&explanation, Lang::En),
        &[
            "To pay: 0 JPY for 0 Mbps above the allowance",
            "2  2026-10-01 00:05  4,000,000    0  4,000,000  1,000,000  3,000,000  discarded",
            "3  no sample                 -    -          0          -          0  discarded",
            "4  no sample                 -    -          0          -          0  <- decides",
            "The other 1 discarded values are slots without a sample, which count as 0.",
            "2. Its value 0 bit/s is not above the allowance of 1,000,000 bit/s: 0 bit/s of overage",
        ],
    );
}

type MembersSamples = Vec<Vec<(Slot, Sample)>>;

/// A pool with everything that can happen to one.
fn eventful() -> (Statement, MembersSamples, Vec<Filed>) {
    let mut first = samples(&[Some((3 * MBPS, MBPS)); 60]);
    first[2].1 = sample(50 * MBPS, 1);
    let mut second = samples(&[Some((MBPS, 2 * MBPS)); 60]);
    second.retain(|(slot, _)| !(at(10)..at(14)).contains(&Instant(slot.start())));
    let samples = vec![first, second];
    let mut statement = blank("rack-a", &["web01", "web02"], 60);
    statement.plans.push(PlanStep { from: at(30), plan: "jp8".to_owned() });
    statement.plan = "jp8".to_owned();
    statement.allowances.push(AllowanceStep { from: at(30), bps: Bps(2 * MBPS) });
    statement.breaks_total = 43;
    statement.breaks = vec![BreakLine {
        at: at(14),
        after: at(10),
        device: "sw1".to_owned(),
        interface: "ge-0/0/1".to_owned(),
        kind: "reset".to_owned(),
        cause: "uptime".to_owned(),
        rx_octets_left_out: None,
        tx_octets_left_out: None,
    }];
    let first_issued = settled(statement.clone(), &samples);
    statement.exclusions = vec![Exclusion {
        id: 4,
        server: "web01".to_owned(),
        from: at(1),
        until: at(59),
        why: "a backup ran over the public port by our mistake".to_owned(),
        by: "aiko".to_owned(),
        at: statement.issued_at,
    }];
    statement.revision = 2;
    statement.reason = Some("the backup of 1 October is not counted".to_owned());
    let mut statement = settled(statement, &samples);
    statement.members[1].gaps[0].cause = Some("gap+reset".to_owned());
    let filed = [&first_issued, &statement].map(|s| Filed::new(State::Issued, s.clone()));
    (statement, samples, filed.to_vec())
}

#[test]
fn what_happened_is_told() {
    let (statement, samples, filed) = eventful();
    let explanation = Explanation::new(&filed[1], &samples, &filed);
    check(
        &text(&explanation, Lang::En),
        &[
            "Bandwidth of pool rack-a in 2026-10, customer c001",
            "Excluded slots were measured too; they are in the coverage, but do not count.",
            "Values are put in order by how far they are above the allowance in force in their slot.",
            "They are summed slot by slot before anything is ranked.",
            "Server  Samples  Own p95 (bit/s)  Part of in  Part of out",
            "web01        60        3,000,000    excluded     excluded",
            "web02        56        2,000,000   1,000,000    2,000,000",
            "Plan from 2026-10-01 02:30 on: jp8",
            "The whole period is billed by the terms of jp8, the plan at its end.",
            "web01, 2026-10-01 00:05 to 2026-10-01 04:55: a backup ran over the public port by our mistake",
            "With the exclusion: 2 Mbps, 1,500 JPY",
            "Without it: 4 Mbps, 4,500 JPY",
            "web02   2026-10-01 00:50 to 2026-10-01 01:10      4  no readings arrived; the port's counters started again",
            "sw1 ge-0/0/1  2026-10-01 00:50 to 2026-10-01 01:10  the port's counters started again",
            "and 42 more",
            "1  2026-11-01 11:26:40                3  4,500 JPY",
            "2  2026-11-01 11:26:40                1  1,500 JPY  the backup of 1 October is not counted",
        ],
    );
    check(&text(&explanation, Lang::Ja), &["カウンターの不連続", "ほか42件", "訂正の履歴"]);
    let held = Filed::new(State::Held, statement);
    let held = text(&Explanation::new(&held, &samples, &[]), Lang::En);
    check(&held, &["Revision 2, not issued yet: it waits for a review, and figures may change."]);
    check(&held, &["Why it was corrected", "the backup of 1 October is not counted"]);
}

#[test]
fn an_explanation_is_data_too() {
    let (_, samples, filed) = eventful();
    let json = serde_json::to_value(Explanation::new(&filed[1], &samples, &filed)).unwrap();
    assert_eq!(json["state"], "issued");
    assert_eq!(json["statement"]["server"], "rack-a");
    assert_eq!(json["revisions"][1]["revision"], 2);
    assert_eq!(json["discarded"][0]["day"], "2026-10-01");
    assert_eq!(
        json["steps"][0],
        serde_json::json!({"step": "rank", "ranked": 60, "discarded": 3, "from_top": 4})
    );
    assert_eq!(json["steps"][3]["cost"], "1500");
    assert_eq!(json["neighbours"][3]["decides"], true);
}
