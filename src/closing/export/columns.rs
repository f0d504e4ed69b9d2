//! The columns of an export, in their order. It is a contract with billing systems: columns are added at the end.

use super::Line;
use crate::closing::statement::{Kind, Statement};
use crate::closing::table::{Cell, Column};
use crate::inventory::instant::rfc3339;
use crate::metering::money::Tariff;

/// The columns of [`row`].
pub const COLUMNS: [Column; 26] = [
    Column { name: "period", en: "Billing period", ja: "対象月" },
    Column { name: "kind", en: "Kind", ja: "種別" },
    Column { name: "server", en: "Server or pool", ja: "サーバー" },
    Column { name: "customer", en: "Customer", ja: "顧客" },
    Column { name: "region", en: "Region", ja: "拠点" },
    Column { name: "plan", en: "Plan", ja: "プラン" },
    Column { name: "revision", en: "Revision", ja: "版" },
    Column { name: "corrects_revision", en: "Corrects revision", ja: "訂正対象の版" },
    Column { name: "line", en: "Line", ja: "明細区分" },
    Column { name: "reason", en: "Reason for correction", ja: "訂正理由" },
    Column { name: "method", en: "Method", ja: "計算方式" },
    Column { name: "samples", en: "Slots with a sample", ja: "計測済みスロット数" },
    Column { name: "expected", en: "Slots expected", ja: "対象スロット数" },
    Column { name: "coverage", en: "Coverage", ja: "計測率" },
    Column { name: "p95_bps", en: "95th percentile (bit/s)", ja: "95パーセンタイル値(bit/s)" },
    Column { name: "allowance_bps", en: "Allowance at the end (bit/s)", ja: "契約帯域(期末、bit/s)" },
    Column { name: "overage_bps", en: "Overage (bit/s)", ja: "超過帯域(bit/s)" },
    Column { name: "billable_bps", en: "Billable (bit/s)", ja: "課金対象帯域(bit/s)" },
    Column {
        name: "billable_delta_bps", en: "Change of billable (bit/s)", ja: "課金対象帯域の増減(bit/s)"
    },
    Column { name: "unit_bps", en: "Billing unit (bit/s)", ja: "課金単位(bit/s)" },
    Column { name: "price", en: "Price per Mbps", ja: "単価(1Mbpsあたり)" },
    Column { name: "amount_before", en: "Amount before", ja: "訂正前金額" },
    Column { name: "amount_after", en: "Amount after", ja: "訂正後金額" },
    Column { name: "amount", en: "Amount", ja: "金額" },
    Column { name: "currency", en: "Currency", ja: "通貨" },
    Column { name: "issued_at", en: "Issued at (UTC)", ja: "発行日時(UTC)" },
];

/// A line's cells under [`COLUMNS`].
#[must_use]
pub fn row(line: &Line<'_>) -> Vec<Cell> {
    let Line { statement, corrects, terms, .. } = line;
    let tariff = terms.tariff.as_ref();
    vec![
        Cell::Word(statement.period.to_string()),
        Cell::Word(kind(statement).to_owned()),
        Cell::Text(statement.server.clone()),
        Cell::Text(terms.customer.clone()),
        Cell::Text(terms.region.clone()),
        Cell::Text(terms.plan.clone()),
        Cell::Whole(statement.revision.into()),
        corrects.map_or(Cell::Nothing, |before| Cell::Whole(before.revision.into())),
        Cell::Word(line.kind.name().to_owned()),
        Cell::text(statement.reason.as_deref()),
        Cell::Word(statement.method.name().to_owned()),
        Cell::Whole(statement.samples.into()),
        Cell::Whole(statement.expected.into()),
        Cell::exact(statement.coverage),
        Cell::bps(statement.p95_bps),
        Cell::bps(statement.allowances.last().map(|step| step.bps)),
        Cell::bps(statement.overage_bps),
        Cell::bps(statement.billable_bps),
        Cell::Whole(line.billable_delta_bps),
        Cell::bps(tariff.map(Tariff::unit)),
        Cell::exact(tariff.and_then(single_price)),
        Cell::exact(line.amount_before),
        Cell::exact(line.amount_after),
        Cell::exact(line.amount),
        tariff.map_or(Cell::Nothing, |tariff| Cell::Word(tariff.currency().to_string())),
        Cell::Word(rfc3339(statement.issued_at.0)),
    ]
}

/// The word for what is billed.
#[must_use]
pub fn kind(statement: &Statement) -> &'static str {
    match statement.kind {
        Kind::Server => "server",
        Kind::Pool => "pool",
    }
}

fn single_price(tariff: &Tariff) -> Option<rust_decimal::Decimal> {
    match tariff.tiers() {
        [tier] => Some(tier.price.into()),
        _ => None,
    }
}
