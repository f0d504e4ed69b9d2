//! Lines add up to the final amounts, whatever was corrected.

use proptest::prelude::*;

use super::*;
use crate::closing::example::{small, tariff, tiers};
use crate::closing::table::{Cell, Headings, csv, json};

fn issued_as(statement: Statement) -> Filed {
    Filed::new(State::Issued, statement)
}

/// A revision of a server whose p95 is so many Mbps.
fn revision(server: &str, revision: u32, mbps: u64) -> Statement {
    let reason = (revision > 1).then(|| format!("correction {revision}"));
    Statement { revision, reason, ..small(server, mbps).0 }
}

fn priced(mut statement: Statement, tariff: Option<crate::metering::money::Tariff>) -> Statement {
    statement.billable_bps = tariff.as_ref().zip(statement.overage_bps).map(|(t, bps)| t.billable(bps));
    statement.amount = tariff.as_ref().zip(statement.billable_bps).map(|(t, bps)| t.amount(bps));
    statement.currency = tariff.as_ref().map(|t| t.currency().to_string());
    Statement { tariff, ..statement }
}

/// Kind, customer, change of billable bit/s, amount and currency of every line.
fn shown(filed: &[Filed], filter: &Filter) -> Vec<String> {
    let show = |line: &Line<'_>| {
        let cells = columns::row(line);
        let cell = |name: &str| {
            let at = columns::COLUMNS.iter().position(|column| column.name == name).unwrap();
            match &cells[at] {
                Cell::Text(text) | Cell::Word(text) => text.clone(),
                Cell::Whole(number) => number.to_string(),
                Cell::Exact(figure) => figure.to_string(),
                Cell::Nothing => "-".to_owned(),
            }
        };
        let names =
            ["server", "revision", "corrects_revision", "line", "customer", "billable_delta_bps", "amount"];
        names.iter().chain(["currency", "price"].iter()).map(|name| cell(name)).collect::<Vec<_>>().join(" ")
    };
    lines(filed, filter).iter().map(show).collect()
}

#[test]
fn the_first_is_charged_and_later_ones_are_differences() {
    let filed = [
        issued_as(revision("web01", 3, 6)),
        issued_as(revision("web01", 1, 6)),
        issued_as(revision("web01", 2, 4)),
        issued_as(revision("web01", 4, 6)),
        issued_as(revision("idle", 1, 1)),
        Filed::new(State::Held, revision("held", 1, 9)),
    ];
    let web = [
        "web01 1 - charge c001 5000000 7500 JPY 1500",
        "web01 2 1 credit c001 -2000000 -3000 JPY 1500",
        "web01 3 2 debit c001 2000000 3000 JPY 1500",
        "web01 4 3 correction c001 0 0 JPY 1500",
    ];
    let idle = "idle 1 - charge c001 0 0 JPY 1500";
    assert_eq!(shown(&filed, &Filter::default()), [&[idle], &web[..]].concat());
    for (filter, left) in [
        (Filter { only_overage: true, ..Filter::default() }, &web[..]),
        (Filter { since_revision: 2, ..Filter::default() }, &web[2..]),
        (Filter { server: Some("idle".to_owned()), ..Filter::default() }, &[idle]),
        (Filter { customer: Some("c002".to_owned()), ..Filter::default() }, &[]),
        (Filter { region: Some("osaka".to_owned()), ..Filter::default() }, &[]),
    ] {
        assert_eq!(shown(&filed, &filter), left, "{filter:?}");
    }
}

#[test]
fn another_currency_or_customer_takes_all_back() {
    let first = revision("web01", 1, 6);
    let usd = priced(revision("web01", 2, 6), Some(tariff("USD", "10.005")));
    let free = priced(revision("web01", 3, 6), None);
    let tiered = priced(revision("web01", 4, 6), Some(tiers("JPY", &[(0, "1500"), (2_000_000, "1000")])));
    let moved = Statement { customer: "c002".to_owned(), revision: 5, ..tiered.clone() };
    let filed = [first, usd, free, tiered, moved].map(issued_as);
    let all = [
        "web01 1 - charge c001 5000000 7500 JPY 1500",
        "web01 2 1 credit c001 -5000000 -7500 JPY 1500",
        "web01 2 1 debit c001 5000000 50.02 USD 10.005",
        "web01 3 2 credit c001 -5000000 -50.02 USD 10.005",
        "web01 4 3 debit c001 5000000 6000 JPY -",
        "web01 5 4 credit c001 -5000000 -6000 JPY -",
        "web01 5 4 debit c002 5000000 6000 JPY -",
    ];
    assert_eq!(shown(&filed, &Filter::default()), all);
    let of = |customer: &str| Filter { customer: Some(customer.to_owned()), ..Filter::default() };
    assert_eq!(shown(&filed, &of("c001")), all[..6], "the old customer is told what is taken back");
    assert_eq!(shown(&filed, &of("c002")), all[6..]);
}

#[test]
fn without_data_nothing_is_charged_and_without_a_price_there_is_no_amount() {
    let empty = crate::closing::example::blank("empty", &["empty"], 40);
    let empty = crate::closing::example::settled(empty, &[Vec::new()]);
    let free = priced(revision("free", 1, 6), None);
    let free_again = Statement { revision: 2, ..free.clone() };
    let filed = [empty, free, free_again].map(issued_as);
    let all = [
        "empty 1 - charge c001 0 0 JPY 1500",
        "free 1 - charge c001 0 - - -",
        "free 2 1 correction c001 0 - - -",
    ];
    assert_eq!(shown(&filed, &Filter::default()), all);
}

#[test]
fn it_is_the_same_octet_for_octet_and_says_every_column() {
    let filed = [issued_as(revision("=cmd", 2, 6)), issued_as(revision("=cmd", 1, 4))];
    let rows = || lines(&filed, &Filter::default()).iter().map(columns::row).collect::<Vec<_>>();
    let text = csv(&columns::COLUMNS, Headings::Plain, &rows());
    let expected = "period,kind,server,customer,region,plan,revision,corrects_revision,line,reason,method,samples,\
        expected,coverage,p95_bps,allowance_bps,overage_bps,billable_bps,billable_delta_bps,unit_bps,price,\
        amount_before,amount_after,amount,currency,issued_at\r\n\
        2026-10,server,'=cmd,c001,tokyo,jp6,1,,charge,,max,39,40,0.9750,4000000,1000000,3000000,3000000,3000000,\
        10000,1500,,4500,4500,JPY,2026-11-01T02:26:40Z\r\n\
        2026-10,server,'=cmd,c001,tokyo,jp6,2,1,debit,correction 2,max,39,40,0.9750,6000000,1000000,5000000,\
        5000000,2000000,10000,1500,4500,7500,3000,JPY,2026-11-01T02:26:40Z\r\n";
    assert_eq!(text, expected);
    let json = json(&columns::COLUMNS, &rows()).unwrap();
    let list: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&json).unwrap();
    assert_eq!(list[1]["server"], "=cmd", "JSON is no spreadsheet");
    assert_eq!((&list[1]["amount"], &list[1]["billable_delta_bps"]), (&"3000".into(), &2_000_000.into()));
    let mut at = 0;
    for column in columns::COLUMNS {
        at += json[at..].find(&format!("\"{}\":", column.name)).unwrap();
    }
}

#[test]
fn a_summary_has_the_final_amounts() {
    let usd = priced(revision("b", 1, 3), Some(tariff("USD", "10")));
    let other = Statement { customer: "c000".to_owned(), ..revision("c", 1, 2) };
    let free = priced(revision("d", 1, 6), None);
    let filed = [
        issued_as(revision("a", 1, 9)),
        issued_as(revision("a", 2, 6)),
        issued_as(usd),
        issued_as(other),
        issued_as(free),
        Filed::new(State::Held, revision("e", 1, 9)),
    ];
    let sums = summary::summary(&filed, &Filter::default()).unwrap();
    let rows: Vec<_> = sums.iter().map(summary::row).collect();
    let text = csv(&summary::COLUMNS, Headings::Plain, &rows);
    let expected = "period,line,customer,statements,servers,billable_bps,amount,currency\r\n\
        2026-10,customer,c000,1,1,1000000,1500,JPY\r\n\
        2026-10,customer,c001,1,1,0,,\r\n\
        2026-10,customer,c001,1,1,5000000,7500,JPY\r\n\
        2026-10,customer,c001,1,1,2000000,20.00,USD\r\n\
        2026-10,total,,1,1,0,,\r\n\
        2026-10,total,,2,2,6000000,9000,JPY\r\n\
        2026-10,total,,1,1,2000000,20.00,USD\r\n";
    assert_eq!(text, expected);
}

proptest! {
    #[test]
    fn lines_add_up_to_the_final_amounts(steps in prop::collection::vec((1u64..9, 0usize..4, 0u8..2), 1..8)) {
        let tariffs = [None, Some(tariff("JPY", "1500")), Some(tariff("USD", "9.99")), Some(tariff("KWD", "0.1234"))];
        let filed: Vec<Filed> = steps.iter().zip(1..).map(|((mbps, tariff, customer), number)| {
            let statement = priced(revision("a", number, *mbps), tariffs[*tariff].clone());
            issued_as(Statement { customer: format!("c{customer}"), ..statement })
        }).collect();
        let last = &filed.last().unwrap().statement;
        let lines = lines(&filed, &Filter::default());
        for customer in ["c0", "c1"] {
            for currency in ["JPY", "USD", "KWD"] {
                let of = |line: &&Line<'_>| line.terms.customer == customer && line.terms.currency.as_deref() == Some(currency);
                let sum: Decimal = lines.iter().filter(of).filter_map(|line| line.amount).sum();
                let is_last = last.customer == customer && last.currency.as_deref() == Some(currency);
                prop_assert_eq!(sum, if is_last { last.amount.unwrap() } else { Decimal::ZERO });
            }
        }
        let delta: i128 = lines.iter().map(|line| line.billable_delta_bps).sum();
        prop_assert_eq!(delta, billable(last));
    }
}
