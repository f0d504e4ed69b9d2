//! Recommendations through JSON, and in the words of two languages.

use meter95_reading::Timestamp;

use super::*;
use crate::inventory::Language;

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn figures(rule: Rule) -> Figures {
    let [threshold_bps, highest_bps] = [Bps(10_000_000), Bps(94_200_000)];
    match rule {
        Rule::Sustained => Figures::Sustained { factor: 10, threshold_bps, slots: 11, of: 12, highest_bps },
        Rule::LockedIn => Figures::LockedIn { factor: 10, threshold_bps, p95_bps: Bps(12_000_000) },
        Rule::Uplink => Figures::Uplink {
            uplink: "tokyo-up1".to_owned(),
            direction: Direction::Out,
            load_bps: Bps(820_000_000),
            speed_bps: Bps(1_000_000_000),
            rate_bps: Bps(205_000_000),
            load_percent: 80,
            share_percent: 20,
        },
        Rule::Flood => Figures::Flood {
            direction: Direction::Out,
            packets_per_second: 140_000,
            limit: 100_000,
            mean_octets: 64,
            mean_octets_limit: 128,
            slots: 2,
        },
    }
}

/// A recommendation for web01 by these rules.
pub(crate) fn recommendation(rules: &[Rule]) -> Recommendation {
    let slot = instant("2026-11-26T02:55:00+09:00");
    let outcome = |p95: u64, amount: i64| Outcome {
        p95_bps: Some(Bps(p95)),
        overage_bps: Bps(p95).above(Bps(1_000_000)),
        billable_bps: Some(Bps(p95).above(Bps(1_000_000))),
        amount: Some(Decimal::from(amount)),
        currency: Some("JPY".to_owned()),
    };
    let finding = |rule: &Rule| Finding {
        figures: figures(*rule),
        since: slot,
        evidence: serde_json::json!({"slots": [1, 2]}),
    };
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
        cap: Cap {
            cap_bps: Bps(1_000_000),
            computed_bps: Bps(1_000_000),
            floor_bps: Bps(1_000_000),
            by: CapBy::Allowance {
                slots_to_come: 1_404,
                burst_left_slots: 30,
                allowance_bps: Bps(1_000_000),
            },
        },
        until: instant("2026-12-01T00:00:00+09:00"),
        outlook: Outlook {
            period: "2026-11".to_owned(),
            assumption: Assumption::AsInTheLastHour,
            without: outcome(94_100_000, 83_790),
            with: outcome(1_000_000, 0),
        },
        relief: vec![Relief {
            uplink: "tokyo-up1".to_owned(),
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
    assert_eq!(json["rules"][0]["evidence"]["slots"][1], 2);
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
        (Rule::Uplink, "Uplink tokyo-up1 is at 820 Mbps, 82 % of its 1,000 Mbps", "その 25 % を占めています"),
        (Rule::Flood, "It sends 140,000 packets a second of 64 octets", "毎秒 140,000 個送信しています"),
    ] {
        for (lang, says) in [(Language::En, en), (Language::Ja, ja)] {
            let words = figures(rule).words(lang);
            assert!(words.contains(says), "{words}");
        }
    }
    let cap = |computed_bps, floor_bps, by| {
        let [computed_bps, floor_bps] = [computed_bps, floor_bps].map(Bps);
        Cap { cap_bps: computed_bps.max(floor_bps), computed_bps, floor_bps, by }
    };
    let allowance_bps = Bps(1_000_000);
    let extreme = CapBy::Extreme {
        slots_to_come: 20,
        burst_left_slots: 30,
        factor: 10,
        release_percent: 80,
        allowance_bps,
        threshold_bps: Bps(8_000_000),
    };
    let locked_in = CapBy::LockedIn {
        slots_to_come: 12,
        allowance_bps,
        locked_in_p95_bps: Bps(12_000_000),
        locked_in_overage_bps: Bps(11_000_000),
    };
    let uplink = CapBy::Uplink {
        rate_bps: Bps(205_000_000),
        load_bps: Bps(820_000_000),
        total_bps: Bps(820_000_000),
        threshold_bps: Bps(640_000_000),
        reduction_bps: Bps(180_000_000),
    };
    let flood = CapBy::Flood { packets_per_second: 80_000, mean_octets: 64 };
    let nothing = CapBy::Allowance { slots_to_come: 2, burst_left_slots: 0, allowance_bps: Bps(0) };
    for (cap, en, ja) in [
        (
            cap(7_999_000, 1_000_000, extreme),
            "The limit is 7.999 Mbps, just below 10 x 1 Mbps x 80 % = 8 Mbps",
            "10 × 1 Mbps × 80 % = 8 Mbps をわずかに下回る 7.999 Mbps",
        ),
        (
            cap(1_000_000, 1_000_000, locked_in),
            "a 95th percentile of 12 Mbps and an overage of 11 Mbps at least, and with 1 h left",
            "95パーセンタイル 12 Mbps、超過 11 Mbps",
        ),
        (
            cap(24_999_000, 1_000_000, uplink),
            "24.999 Mbps, just below 205 Mbps - 180 Mbps: giving up 180 Mbps brings the uplink from 820 Mbps",
            "205 Mbps - 180 Mbps をわずかに下回る 24.999 Mbps",
        ),
        (
            cap(40_959_000, 1_000_000, flood),
            "just below 80,000 packets a second x 64 octets x 8",
            "40.959 Mbps",
        ),
        (
            cap(0, 1_000_000, nothing),
            "what is included, 0 Mbps: bursts may go on for 0 h",
            "ただし 1 Mbps を下回る制限は行わないため、1 Mbps とします",
        ),
    ] {
        for (lang, says) in [(Language::En, en), (Language::Ja, ja)] {
            let words = cap.words(lang);
            assert!(words.contains(says), "{words}");
        }
    }
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
