//! Recommendations through JSON, and in the words of two languages.

use meter95_reading::Timestamp;

use super::*;
use crate::inventory::Language;
use crate::metering::throttle::cap::By;
use crate::metering::throttle::evidence;
use crate::metering::top_set::AtOrOver;
use crate::metering::units::Slot;

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn evidence(rule: Rule) -> Evidence {
    let slot = |ago: i64| Slot(Slot::of(instant("2026-11-26T02:55:00+09:00").0).0 - ago);
    let fired = |ago: i64| evidence::Fired {
        slot: slot(ago),
        value_bps: Bps(94_200_000 - ago.unsigned_abs()),
        allowance_bps: Bps(1_000_000),
        threshold_bps: Bps(10_000_000),
    };
    match rule {
        Rule::Sustained => Evidence::Sustained(evidence::Sustained {
            factor: 10,
            at_percent: 100,
            slots: 10,
            of: 12,
            sampled: 12,
            fired: (0..11).rev().map(fired).collect(),
        }),
        Rule::LockedIn => Evidence::LockedIn(evidence::LockedIn {
            factor: 10,
            at_percent: 100,
            locked_in_p95_bps: Bps(12_000_000),
            allowance_bps: Bps(1_000_000),
            threshold_bps: Bps(10_000_000),
            expected: 8_640,
            burst_slots: 432,
            slots_at_or_over: AtOrOver::Exactly(433),
            since: Some(slot(500)),
        }),
        Rule::Uplink => Evidence::Uplink(evidence::Uplink {
            slot: slot(0),
            direction: Direction::Out,
            at_percent: 100,
            uplink: Some("tokyo-up1".to_owned()),
            group: vec!["tokyo-up1".to_owned()],
            speed_bps: Bps(1_000_000_000),
            by_port_bps: Some(Bps(820_000_000)),
            by_servers_bps: Bps(819_000_000),
            measured: evidence::Measured::Port,
            load_bps: Bps(820_000_000),
            load_percent: 82,
            load_threshold_bps: Bps(800_000_000),
            total_bps: Bps(820_000_000),
            rate_bps: Bps(205_000_000),
            share_percent: 25,
            share_threshold_bps: Bps(164_000_000),
        }),
        Rule::Flood => {
            let flooded =
                |ago| evidence::Flooded { slot: slot(ago), packets_per_second: 140_000, mean_octets: 64 };
            Evidence::Flood(evidence::Flood {
                direction: Direction::Out,
                at_percent: 100,
                packets_per_second_threshold: 100_000,
                mean_octets_limit: 128,
                slots: vec![flooded(1), flooded(0)],
            })
        }
    }
}

/// A recommendation for web01 by these rules.
pub(crate) fn recommendation(rules: &[Rule]) -> Recommendation {
    let slot = instant("2026-11-26T02:55:00+09:00");
    let outcome = |p95: u64, amount: i64| Outcome {
        p95_bps: Some(Bps(p95)),
        overage_bps: Some(Bps(p95).above(Bps(1_000_000))),
        billable_bps: Some(Bps(p95).above(Bps(1_000_000))),
        amount: Some(Decimal::from(amount)),
        currency: Some("JPY".to_owned()),
    };
    let finding = |rule: &Rule| Finding { began: slot, evidence: evidence(*rule) };
    Recommendation {
        server: "web01".to_owned(),
        customer: "c001".to_owned(),
        region: "tokyo".to_owned(),
        plan: "jp".to_owned(),
        at: instant("2026-11-26T03:00:00+09:00"),
        timezone: "Asia/Tokyo".to_owned(),
        allowance_bps: Bps(1_000_000),
        in_bps: Bps(12_345_678),
        out_bps: Bps(94_100_000),
        rules: rules.iter().map(finding).collect(),
        slots: [-600_000, -300_000, 0]
            .map(|ms| Instant(Timestamp(slot.0.0 + ms)))
            .map(|slot| Fired { slot, in_bps: Bps(12_000_000), out_bps: Bps(94_000_000) })
            .to_vec(),
        cap: cap(
            1_000_000,
            1_000_000,
            By::Allowance { allowance_bps: Bps(1_000_000), slots_to_come: 1_404, burst_left_slots: 30 },
        ),
        until: instant("2026-12-01T00:00:00+09:00"),
        outlook: Outlook {
            period: "2026-11".to_owned(),
            assumption: Assumption::AsInTheLastHour,
            without: outcome(94_100_000, 83_790),
            with: outcome(1_000_000, 0),
        },
        relief: vec![Relief {
            uplinks: vec!["tokyo-up1".to_owned()],
            direction: Direction::Out,
            freed_bps: Bps(93_100_000),
            load_bps: Bps(820_000_000),
            speed_bps: Bps(1_000_000_000),
        }],
        others: Others {
            servers: vec![Neighbour { server: "web02".to_owned(), in_bps: Bps(1), out_bps: Bps(40_000_000) }],
            more: 23,
        },
    }
}

#[test]
fn it_survives_its_json_and_says_its_rules() {
    let all = [Rule::Sustained, Rule::LockedIn, Rule::Uplink, Rule::Flood];
    let recommendation = recommendation(&all);
    let json = serde_json::to_value(&recommendation).unwrap();
    assert_eq!(json["rules"][0]["rule"], "sustained");
    assert_eq!(json["rules"][0]["fired"][10]["value_bps"], 94_200_000);
    assert_eq!(json["cap"]["by"]["by"], "allowance");
    assert_eq!(json["outlook"]["without"]["amount"], "83790");
    assert_eq!(json["outlook"]["assumption"], "as_in_the_last_hour");
    assert_eq!(serde_json::from_value::<Recommendation>(json).unwrap(), recommendation);
    assert!(recommendation.held().eq(all));
}

#[test]
fn a_paragraph_convinces_in_english() {
    assert_eq!(
        recommendation(&[Rule::Sustained]).paragraph(Language::En),
        "Limit server web01 of customer c001 to 1 Mbps until 2026-12-01 00:00 (Asia/Tokyo). In the hour up to 2026-11-26 03:00 \
         (Asia/Tokyo) it took in 12.345 Mbps and sent 94.1 Mbps on average; plan jp and its add-ons include 1 Mbps. In 11 of \
         the last 12 slots of five minutes it was at or over 10 Mbps, which is 10 times what is included; the highest was \
         94.2 Mbps. The limit is what is included, 1 Mbps: bursts may go on for 2.5 h and 117 h of the month are left, so at \
         any higher rate more would be billed. If it goes on as in the last hour, 2026-11 ends with a 95th percentile of 94.1 \
         Mbps and an overage of 93.1 Mbps, 83,790 JPY. With the limit it ends with a 95th percentile of 1 Mbps and an \
         overage of 0 Mbps, 0 JPY. It relieves uplink tokyo-up1 of 93.1 Mbps: from 82 % to 72 % of its 1,000 Mbps. On the \
         same uplink are web02 (40 Mbps) and 23 more."
    );
}

#[test]
fn a_paragraph_convinces_in_japanese() {
    assert_eq!(
        recommendation(&[Rule::Sustained]).paragraph(Language::Ja),
        "サーバー web01 (お客様: c001) を 2026-12-01 00:00 (Asia/Tokyo) まで 1 Mbps に制限することを推奨します。\
         2026-11-26 03:00 (Asia/Tokyo) までの1時間の平均は受信 12.345 Mbps、送信 94.1 Mbps で、プラン jp と追加帯域に\
         含まれる帯域は 1 Mbps です。直近 12 スロット (1スロット5分) のうち 11 スロットで、含まれる帯域の 10 倍にあたる 10 Mbps \
         以上でした (最大 94.2 Mbps)。制限値は含まれる帯域の 1 Mbps です。バーストの残りは 2.5 時間、当月の残りは 117 時間で、\
         これを超える帯域では超過料金が増えます。直近1時間の状態が続いた場合、2026-11 は 95パーセンタイル 94.1 Mbps、\
         超過 93.1 Mbps (83,790 JPY) となります。制限した場合は 95パーセンタイル 1 Mbps、超過 0 Mbps (0 JPY) となります。\
         回線 tokyo-up1 (1,000 Mbps) の使用率は 93.1 Mbps 分下がり、82 % から 72 % になります。\
         同じ回線を共有するサーバーは web02 (40 Mbps)ほか 23 台です。"
    );
}

#[test]
fn every_rule_and_every_limit_has_its_words() {
    for (rule, en, ja) in [
        (Rule::LockedIn, "ends with a 95th percentile of 12 Mbps, at or over 10 Mbps", "12 Mbps となり"),
        (
            Rule::Uplink,
            "Uplink tokyo-up1 is at 820 Mbps, 82 % of its 1,000 Mbps (tight from 800 Mbps)",
            "その 25 % を占めています",
        ),
        (Rule::Flood, "It sends 140,000 packets a second of 64 octets", "毎秒 140,000 個送信しています"),
    ] {
        for (lang, says) in [(Language::En, en), (Language::Ja, ja)] {
            let words = evidence(rule).words(lang);
            assert!(words.contains(says), "{words}");
        }
    }
    let allowance_bps = Bps(1_000_000);
    let extreme = By::Extreme {
        slots_to_come: 20,
        burst_left_slots: 30,
        factor: 10,
        release_percent: 80,
        allowance_bps,
        threshold_bps: Bps(8_000_000),
    };
    let uplink = By::Uplink {
        rate_bps: Bps(205_000_000),
        load_bps: Bps(820_000_000),
        total_bps: Bps(820_000_000),
        threshold_bps: Bps(640_000_000),
        reduction_bps: Bps(180_000_000),
    };
    let locked_in = By::LockedIn {
        slots_to_come: 24,
        allowance_bps,
        locked_in_p95_bps: Bps(12_000_000),
        locked_in_overage_bps: Bps(11_000_000),
    };
    let nothing = By::Allowance { allowance_bps: Bps(0), slots_to_come: 2, burst_left_slots: 0 };
    let flood = By::Flood { packets_per_second: 80_000, mean_octets: 64 };
    for (cap, en, ja) in [
        (
            cap(7_999_000, 7_999_000, extreme),
            "7.999 Mbps, just below 10 x 1 Mbps x 80 %",
            "10 × 1 Mbps × 80 %",
        ),
        (
            cap(24_999_000, 24_999_000, uplink),
            "24.999 Mbps, just below 205 Mbps - 180 Mbps",
            "24.999 Mbps です",
        ),
        (
            cap(1_000_000, 1_000_000, locked_in),
            "can no longer end below 12 Mbps, an overage of 11 Mbps",
            "(超過 11 Mbps)",
        ),
        (
            cap(1_000_000, 0, nothing),
            "below the 1 Mbps that were promised nothing is limited",
            "1 Mbps とします",
        ),
        (
            cap(40_959_000, 40_959_000, flood),
            "just below 80,000 packets a second of 64 octets",
            "80,000 個 × 64",
        ),
    ] {
        for (lang, says) in [(Language::En, en), (Language::Ja, ja)] {
            let words = cap.words(lang);
            assert!(words.contains(says), "{words}");
        }
    }
}

/// A cap of which at least 1 Mbps is left.
fn cap(cap_bps: u64, computed_bps: u64, by: By) -> Cap {
    Cap { cap_bps: Bps(cap_bps), computed_bps: Bps(computed_bps), floor_bps: Bps(1_000_000), by }
}

#[test]
fn slots_are_told_by_their_ends() {
    let mut recommendation = recommendation(&[Rule::Sustained]);
    let says = |of: &Recommendation| of.slots_words(Language::En);
    let from_to = "The 3 slots run from 2026-11-26 02:45 (Asia/Tokyo) to 2026-11-26 02:55 (Asia/Tokyo)";
    assert_eq!(says(&recommendation).as_deref(), Some(from_to));
    recommendation.slots.truncate(1);
    assert_eq!(says(&recommendation).as_deref(), Some("The slot is that of 2026-11-26 02:45 (Asia/Tokyo)"));
    recommendation.slots.clear();
    assert_eq!(says(&recommendation), None);
}
