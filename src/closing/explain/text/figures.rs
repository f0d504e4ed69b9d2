//! The arithmetic, a line a step, and how to check the rest.

use rust_decimal::Decimal;

use super::super::layout::{bps, divided, grouped, grouped_text, mbps, money};
use super::super::steps::Step;
use super::{Lang, Page};
use crate::metering::units::Bps;

/// Digits after the point of a quotient.
const QUOTIENT_DIGITS: u32 = 6;

impl Page<'_> {
    pub(super) fn arithmetic(&mut self) {
        let explanation = self.explanation;
        if explanation.steps.is_empty() {
            return;
        }
        self.heading("The calculation", "計算");
        for (line, number) in sentences(&explanation.steps, self.lang).iter().zip(1..) {
            let line = format!("{number}. {line}");
            self.say(&line, &line);
        }
    }

    pub(super) fn proof(&mut self) {
        let hash = self.statement().samples_sha256.clone();
        self.heading("Proof", "検証");
        self.say(
            "Every sample is in the bundle of this statement; `meter95 verify` makes all figures again from it.",
            "すべての計測値はこの明細のバンドルファイルに含まれ、`meter95 verify` で全数値を再計算できます。",
        );
        self.say(format!("SHA-256 of the samples: {hash}"), format!("計測値の SHA-256: {hash}"));
    }
}

/// Each step in a sentence.
pub(crate) fn sentences(steps: &[Step], lang: Lang) -> Vec<String> {
    let costs: Vec<String> = steps.iter().filter_map(cost).collect();
    let told = |step: &Step| {
        let (en, ja) = told(step, &costs);
        lang.pick(en, ja)
    };
    steps.iter().map(told).collect()
}

/// What a part of the billable bandwidth costs.
fn cost(step: &Step) -> Option<String> {
    match step {
        Step::Price { cost, .. } => Some(grouped_text(&cost.to_string())),
        Step::Rank { .. } | Step::Overage { .. } | Step::Units { .. } | Step::Amount { .. } => None,
    }
}

/// A step in English and in Japanese; `costs` are those of all tiers.
fn told(step: &Step, costs: &[String]) -> (String, String) {
    match step {
        Step::Rank { ranked, discarded, from_top } => rank(*ranked, *discarded, *from_top),
        Step::Overage { value_bps, allowance_bps, overage_bps } => {
            overage(*value_bps, *allowance_bps, *overage_bps)
        }
        Step::Units { overage_bps, unit_bps, rounding, units, billable_bps } => {
            let (quotient, whole) = divided(overage_bps.0, unit_bps.0, QUOTIENT_DIGITS);
            let quotient = grouped_text(&quotient);
            let (equals, rounded) = (if whole { "=" } else { "≈" }, overage_bps.0 % unit_bps.0.max(1) != 0);
            let [en, ja] = [Lang::En, Lang::Ja].map(|lang| lang.rounded(*rounding));
            let (en, ja) = if rounded { (format!(", {en}"), format!("({ja})")) } else { Default::default() };
            let (overage, unit, units) = (bps(*overage_bps), bps(*unit_bps), grouped(*units));
            let (billable, mbps) = (bps(*billable_bps), mbps(*billable_bps));
            (
                format!(
                    "In units of {unit} bit/s: {overage} / {unit} {equals} {quotient}{en}: {units} x {unit} = \
                     {billable} bit/s = {mbps} Mbps billable"
                ),
                format!(
                    "{unit} bit/s 単位: {overage} ÷ {unit} {equals} {quotient}{ja} → {units} × {unit} = \
                     {billable} bit/s = {mbps} Mbps(課金対象)"
                ),
            )
        }
        Step::Price { from_bps, until_bps, part_bps, price, cost, currency } => {
            let (part, cost) = (mbps(*part_bps), grouped_text(&cost.to_string()));
            let price = money((*price).into());
            let (en, ja) = tier(*from_bps, *until_bps, costs.len() > 1);
            (
                format!("{en}{part} Mbps x {price} {currency} per Mbps = {cost} {currency}"),
                format!("{ja}{part} Mbps × 単価 {price} {currency} = {cost} {currency}"),
            )
        }
        Step::Amount { cost, decimals, rounding, amount, currency } => {
            let (exact, amount) = (grouped_text(&cost.to_string()), money(*amount));
            let (sum, sum_ja) = if costs.len() > 1 {
                let sum = format!("{} = {exact} {currency}", costs.join(" + "));
                (format!("Together {sum}, "), format!("合計 {sum}、"))
            } else {
                (format!("{exact} {currency}, "), format!("{exact} {currency}、"))
            };
            let [en, ja] = [Lang::En, Lang::Ja].map(|lang| lang.rounded(*rounding));
            // What the currency's smallest unit is.
            let least = Decimal::new(1, *decimals);
            (
                format!("{sum}{en} to a multiple of {least} {currency}: {amount} {currency} to pay"),
                format!("{sum_ja}{least} {currency} 未満は{ja}: ご請求額 {amount} {currency}"),
            )
        }
    }
}

fn rank(ranked: u64, discarded: u64, from_top: u64) -> (String, String) {
    let twentieth = grouped_text(&divided(ranked, 20, 2).0);
    let (rounded, rounded_ja) =
        if ranked.is_multiple_of(20) { ("", "") } else { (", rounded down", "(切り捨て)") };
    let (ranked, discarded, from_top) = (grouped(ranked), grouped(discarded), grouped(from_top));
    (
        format!(
            "{ranked} values / 20 = {twentieth}{rounded}: {discarded} are discarded, number {from_top} decides"
        ),
        format!(
            "{ranked} 個 ÷ 20 = {twentieth}{rounded_ja} → 上位 {discarded} 個を除外し、{from_top} 番目で決定"
        ),
    )
}

fn overage(value: Bps, allowance: Bps, overage: Bps) -> (String, String) {
    if value <= allowance {
        let (value, allowance) = (bps(value), bps(allowance));
        return (
            format!(
                "Its value {value} bit/s is not above the allowance of {allowance} bit/s: 0 bit/s of overage"
            ),
            format!("値 {value} bit/s は契約帯域 {allowance} bit/s 以下 → 超過帯域 0 bit/s"),
        );
    }
    let (value, allowance, overage) = (bps(value), bps(allowance), bps(overage));
    (
        format!("Its value less the allowance: {value} - {allowance} = {overage} bit/s of overage"),
        format!("値 − 契約帯域: {value} − {allowance} = {overage} bit/s(超過帯域)"),
    )
}

/// Which part of the billable bandwidth a tier prices, where there are several.
fn tier(from: Bps, until: Option<Bps>, several: bool) -> (String, String) {
    let from = mbps(from);
    match until.map(mbps) {
        _ if !several => Default::default(),
        Some(until) => (format!("From {from} to {until} Mbps: "), format!("{from} ～ {until} Mbps の部分: ")),
        None => (format!("Above {from} Mbps: "), format!("{from} Mbps 超の部分: ")),
    }
}
