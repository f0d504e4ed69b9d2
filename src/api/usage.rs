//! `/v1/usage`: a month's figures.

use axum::extract::State;
use axum::response::Response;
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::By;
use super::answer::Way;
use super::errors::ApiError;
use super::page::{Cursor, LIMIT_DEFAULT, Limit};
use super::query::Query;
use crate::aggregator::state::Aggregator;
use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::Month;
use crate::metering::units::Bps;
use crate::usage::catalog::index;
use crate::usage::filter::Filter;
use crate::usage::order::Sort;
use crate::usage::{ServerUsage, Usage};

/// Whose usage, of when, and in which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The month; the running one unless given.
    period: Option<Month>,
    /// One server alone.
    server: Option<String>,
    /// Only servers in this region.
    region: Option<String>,
    /// Only this customer's.
    customer: Option<String>,
    /// Only those that are billed by this plan.
    plan: Option<String>,
    /// Only those with overage.
    over: bool,
    /// By what they are ordered.
    #[param(inline)]
    sort: Sort,
    /// How many lines; 100 unless given, and in CSV all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
    /// Where the page before ended, as in its `next`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// A month's figures, a line a server
///
/// The running month is told from memory, any other from the store. All lines, and all totals, are as of one instant. On a
/// site of up to 2,000 servers they are as of this moment, on a larger one at most two seconds old.
#[utoipa::path(
    get, path = "/v1/usage", tag = "Usage", params(Asked),
    responses((status = 200, content((Usage = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn month(
    State(app): State<App>,
    By(caller): By,
    way: Way,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let list = format!("usage {}", asked.sort.name());
    let after = asked.cursor.as_ref().map(|cursor| cursor.of(&list)).transpose()?;
    let filter = Filter {
        server: asked.server,
        region: asked.region,
        customer: asked.customer,
        plan: asked.plan,
        over: asked.over,
    };
    let table = app.usage.month(asked.period, &filter, &caller).await?;
    let catalog = table.catalog();
    if let Some(id) = &filter.server {
        let found = catalog.inventory.servers.get(id);
        let seen = found.is_some_and(|server| caller.sees(&server.customer, &server.region));
        if !seen {
            return Err(ApiError::UnknownServer(id.clone()));
        }
    }
    let chosen = filter.choose(catalog, &caller);
    let limit = match asked.limit {
        Some(limit) => limit.lines(),
        None if way.is_csv() => usize::MAX,
        None => LIMIT_DEFAULT,
    };
    let after = after.map(|cursor| (cursor.key, cursor.id.as_str()));
    let page = table.page(&chosen, asked.sort, after, limit);
    let last = page.rows.last().and_then(|row| catalog.ids().get(index(*row)));
    let cursor = page.more.zip(last).map(|(key, id)| Cursor::new(&list, key, id));
    let next = way.next(cursor.as_ref());
    if way.is_csv() {
        let lines = page.rows.into_iter().filter_map(move |row| table.line(row));
        return Ok(way.csv(&COLUMNS, lines.map(|line| cells(&line)), next.as_deref()));
    }
    way.json(&Usage::of(&table, &chosen, &page.rows, next.clone()), next.as_deref())
}

/// The month in which the live state's clock stands.
///
/// # Errors
/// When that clock is outside the years that a calendar covers.
pub(super) fn running_month(state: &Aggregator) -> Result<Month, ApiError> {
    let found = Month::of(state.clock(), &state.inventory().timezone);
    found.ok_or_else(|| ApiError::Internal("the clock is in no month".into()))
}

/// The columns of CSV: the fields of a line, and of what is nested in it.
const COLUMNS: [&str; 36] = [
    "server",
    "customer",
    "region",
    "plan",
    "pool",
    "method",
    "currency",
    "samples",
    "expected",
    "expected_so_far",
    "coverage",
    "ranked",
    "rank",
    "p95_bps",
    "p95_in_bps",
    "p95_out_bps",
    "allowance_bps",
    "overage_bps",
    "billable_bps",
    "amount",
    "locked_in_p95_bps",
    "locked_in_overage_bps",
    "locked_in_amount",
    "burst_slots",
    "burst_left_slots",
    "projected_low_p95_bps",
    "projected_high_p95_bps",
    "projected_low_overage_bps",
    "projected_high_overage_bps",
    "projected_weeks",
    "projected_rule",
    "last_slot",
    "last_in_bps",
    "last_out_bps",
    "last_value_bps",
    "last_partial",
];

/// A line as cells, in the order of [`COLUMNS`].
fn cells(line: &ServerUsage) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let word = |word: &str| Cell::Word(word.to_owned());
    let whole = |number: u64| Cell::Whole(number.into());
    let bps = |bps: Option<Bps>| Cell::bps(bps);
    let exact = |figure: Option<Decimal>| Cell::exact(figure);
    let projected = line.projected.as_ref();
    let last = line.last.as_ref();
    vec![
        text(&line.server),
        text(&line.customer),
        text(&line.region),
        text(&line.plan),
        Cell::text(line.pool.as_deref()),
        word(line.method.name()),
        line.currency.as_deref().map_or(Cell::Nothing, word),
        whole(line.samples),
        whole(line.expected),
        whole(line.expected_so_far),
        exact(line.coverage),
        whole(line.ranked),
        line.rank.map_or(Cell::Nothing, whole),
        bps(line.p95_bps),
        bps(line.p95_in_bps),
        bps(line.p95_out_bps),
        bps(Some(line.allowance_bps)),
        bps(line.overage_bps),
        bps(line.billable_bps),
        exact(line.amount),
        bps(line.locked_in_p95_bps),
        bps(line.locked_in_overage_bps),
        exact(line.locked_in_amount),
        whole(line.burst_slots),
        whole(line.burst_left_slots),
        bps(projected.map(|projected| projected.low_p95_bps)),
        bps(projected.map(|projected| projected.high_p95_bps)),
        bps(projected.map(|projected| projected.low_overage_bps)),
        bps(projected.map(|projected| projected.high_overage_bps)),
        projected.map_or(Cell::Nothing, |projected| whole(projected.weeks.into())),
        projected.map_or(Cell::Nothing, |projected| word(projected.rule)),
        last.map_or(Cell::Nothing, |last| {
            let Instant(slot) = last.slot;
            Cell::Word(rfc3339(slot))
        }),
        bps(last.map(|last| last.in_bps)),
        bps(last.map(|last| last.out_bps)),
        bps(last.map(|last| last.value_bps)),
        last.map_or(Cell::Nothing, |last| word(if last.partial { "true" } else { "false" })),
    ]
}
