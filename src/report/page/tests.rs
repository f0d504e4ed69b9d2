//! Pages of every kind of statement: nothing leaves the page, and no text stands on another one.

use meter95_reading::Timestamp;
use rust_decimal::Decimal;

use super::*;
use crate::closing::example::{MBPS, OCTOBER, blank, sample, samples, settled, small, tariff, tiers};
use crate::closing::statement::{AllowanceStep, BreakLine, Exclusion, PlanStep, Review};
use crate::inventory::instant::Instant;
use crate::metering::overage::{Method, Missing};
use crate::metering::sample::Sample;
use crate::metering::units::{Bps, Slot};
use crate::report::drawing::{Item, Len, Step, Text};
use crate::store::statements::{Filed, State};

type Samples = Vec<Vec<(Slot, Sample)>>;

/// Slots of October.
const SLOTS: i64 = 8_928;

/// A name as long as one may be.
fn long() -> String {
    "株式会社 Long-Name_".repeat(9)
}

fn slot(at: i64) -> Instant {
    Instant(Slot(OCTOBER.0 + at).start())
}

/// A month whose rates rise and fall in `steps` of `bps`, with holes.
fn course(steps: u64, bps: u64) -> Vec<(Slot, Sample)> {
    let holes = |i: u64| i % 977 < 20 || (4_000..4_300).contains(&i);
    let rates: Vec<Option<(u64, u64)>> = (0..SLOTS.unsigned_abs())
        .map(|i| (!holes(i)).then_some((i * 7_919 % steps * bps, i * 104_729 % steps * bps / 3)))
        .collect();
    samples(&rates)
}

/// The sheet of a statement that says all that its samples say.
fn sheet(mut statement: Statement, samples: &Samples, standing: Standing, customer: Option<String>) -> Sheet {
    statement = settled(statement, samples);
    let filed = Filed::new(State::Issued, statement);
    Sheet::new(&filed, samples, std::slice::from_ref(&filed), standing, customer)
}

/// Everything that can be otherwise, in one statement.
fn strange() -> (Statement, Samples) {
    let names: Vec<String> = (0..60).map(|i| format!("{}{i:03}", long())).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut statement = blank(&long(), &members, SLOTS);
    statement.customer = long();
    statement.region = long();
    statement.plan = long();
    statement.tariff = Some(tiers(
        "JPY",
        &[
            (0, "1500.123456789"),
            (5_000_000, "1200"),
            (9_000_000, "1100"),
            (12_000_000, "800.5"),
            (99_000_000, "1"),
        ],
    ));
    statement.plans =
        vec![PlanStep { from: slot(0), plan: long() }, PlanStep { from: slot(4_000), plan: long() }];
    statement.allowances = (0..9)
        .map(|i: i64| AllowanceStep { from: slot(i * 900), bps: Bps(i.unsigned_abs() * 1_234_567 + 1) })
        .collect();
    let exclusion = |id: i64| Exclusion {
        id: id.unsigned_abs(),
        server: names[0].clone(),
        from: slot(id * 100),
        until: slot(id * 100 + 30),
        why: long(),
        by: "ken".to_owned(),
        at: slot(0),
    };
    statement.exclusions = (1..9).map(exclusion).collect();
    statement.breaks = vec![BreakLine {
        at: slot(100),
        after: Instant(Timestamp(slot(90).0.0 + 12_345)),
        device: long(),
        interface: long(),
        kind: "reset".to_owned(),
        cause: "uptime".to_owned(),
        rx_octets_left_out: None,
        tx_octets_left_out: None,
    }];
    statement.breaks_total = 1_234;
    statement.revision = 4_294_967_295;
    statement.reason = Some(long());
    statement.review =
        Some(Review { reasons: vec![long()], approved_by: None, approved_at: None, note: None });
    let samples = names.iter().map(|_| course(31, 400_000)).collect();
    (statement, samples)
}

/// Statements of every kind, each with what it is.
fn statements() -> Vec<(&'static str, Statement, Samples)> {
    let month = |method| Statement { method, ..blank("web01", &["web01"], SLOTS) };
    let mut all = Vec::new();
    for method in [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate] {
        all.push(("a method", month(method), vec![course(23, MBPS)]));
    }
    let huge = course(23, 700_000_000_000);
    all.push((
        "huge",
        Statement { tariff: Some(tariff("USD", "999999999.99")), ..month(Method::Max) },
        vec![huge],
    ));
    all.push(("nothing over", month(Method::Max), vec![course(23, 10)]));
    let far = vec![AllowanceStep { from: slot(0), bps: Bps(10_000 * MBPS) }];
    all.push((
        "an allowance far above",
        Statement { allowances: far, tariff: None, ..month(Method::Max) },
        vec![course(23, MBPS)],
    ));
    all.push(("no data", month(Method::Max), vec![Vec::new()]));
    all.push((
        "excluded holes",
        Statement { missing: Missing::Exclude, ..month(Method::Max) },
        vec![course(23, MBPS)],
    ));
    let (statement, samples) = small("web01", 6);
    all.push(("some slots", statement, samples));
    all.push(("one slot", blank("web01", &["web01"], 1), vec![vec![(OCTOBER, sample(7, 9))]]));
    all.push(("taken back", month(Method::Max).void(), Vec::new()));
    let (statement, samples) = strange();
    all.push(("strange", statement, samples));
    all
}

/// Left, top, right and bottom of a text's letters.
fn frame(text: &Text) -> [Len; 4] {
    let Text { x, y, style, width, .. } = text;
    [*x, *y - style.size * 3 / 4, *x + *width, *y + style.size / 5]
}

#[test]
fn nothing_leaves_the_page_and_no_text_stands_on_another() {
    let fonts = Fonts::embedded().unwrap();
    let standings = [Standing::Issued, Standing::UnderReview, Standing::Preliminary { until: slot(5_000).0 }];
    for (what, statement, samples) in statements() {
        for (standing, lang) in standings
            .into_iter()
            .zip([Lang::En, Lang::Ja].into_iter().cycle())
            .chain([(Standing::Issued, Lang::Ja), (Standing::UnderReview, Lang::En)])
        {
            let customer = (what == "strange").then(long);
            let sheet = sheet(statement.clone(), &samples, standing, customer);
            let drawing = page(&sheet, lang, fonts, (999, 1_000));
            let mut texts: Vec<&Text> = Vec::new();
            for item in &drawing.items {
                match item {
                    Item::Text(text) => texts.push(text),
                    Item::Path(path) => {
                        for step in &path.steps {
                            if let Step::Move(x, y) | Step::Line(x, y) = step {
                                let inside =
                                    (LEFT - 4 * PT..=RIGHT + 4 * PT).contains(x) && (0..=BOTTOM).contains(y);
                                assert!(inside, "{what}: {path:?}");
                            }
                        }
                    }
                }
            }
            assert!(texts.len() > 40, "{what}: {} texts", texts.len());
            for (i, text) in texts.iter().enumerate() {
                let [left, top, right, bottom] = frame(text);
                assert!(
                    left >= LEFT && right <= RIGHT && top > 0 && bottom <= BOTTOM + PT,
                    "{what}: {text:?}"
                );
                for other in &texts[i + 1..] {
                    let [l, t, r, b] = frame(other);
                    let apart = right <= l || r <= left || bottom <= t || b <= top;
                    assert!(apart, "{what}, {standing:?}, {lang:?}: {text:?} on {other:?}");
                }
            }
        }
    }
}

#[test]
fn the_page_has_the_statements_figures() {
    let fonts = Fonts::embedded().unwrap();
    let (statement, samples) = small("web01", 6);
    let sheet = sheet(statement, &samples, Standing::Issued, Some("Acme".to_owned()));
    assert_eq!(sheet.statement().amount, Some(Decimal::new(7_500, 0)));
    for (lang, expected) in [
        (
            Lang::En,
            [
                "Acme",
                "web01",
                "6.000",
                "6,000,000 bit/s",
                "7,500",
                "40 values / 20 = 2: 2 are discarded, number 3 decides",
            ],
        ),
        (
            Lang::Ja,
            [
                "Acme",
                "web01",
                "6.000",
                "6,000,000 bit/s",
                "7,500",
                "40 個 ÷ 20 = 2 → 上位 2 個を除外し、3 番目で決定",
            ],
        ),
    ] {
        let drawing = page(&sheet, lang, fonts, (1, 1));
        let texts: Vec<&str> = drawing
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Text(text) => Some(text.text.as_str()),
                Item::Path(_) => None,
            })
            .collect();
        for expected in expected {
            assert!(texts.contains(&expected), "{expected}: {texts:?}");
        }
        assert_eq!(drawing, page(&sheet, lang, fonts, (1, 1)));
    }
}
