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
use super::page::{Cursor, Limit, Offset, lines};
use super::query::Query;
use crate::aggregator::state::Aggregator;
use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::Month;
use crate::metering::units::Bps;
use crate::usage::catalog::{Catalog, index};
use crate::usage::filter::Filter;
use crate::usage::order::{Direction, Sort};
use crate::usage::search::Search;
use crate::usage::table::Start;
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
    /// Only those where each word of this is in the server's id, the customer's id or name, the plan or the region, in
    /// letters of either case.
    #[param(value_type = String, max_length = 255)]
    q: Search,
    /// Only those with overage.
    over: bool,
    /// Only those without a p95.
    no_data: bool,
    /// By what they are ordered.
    #[param(inline)]
    sort: Sort,
    /// Which way round; unless given, as `sort` says. Lines without the figure come last either way.
    #[param(inline)]
    order: Option<Direction>,
    /// How many lines; 100 unless given, and in CSV all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
    /// How many lines are left out before the page; not together with `cursor`. Whoever wants all lines takes cursors:
    /// figures change between two pages, and then a line may come twice or be left out.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 10_000_000)]
    offset: Option<Offset>,
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
    let (sort, direction) = (asked.sort, asked.order.unwrap_or(asked.sort.direction()));
    let list = format!("usage {} {}", sort.name(), direction.name());
    let after = asked.cursor.as_ref().map(|cursor| cursor.of(&list)).transpose()?;
    let skipped = asked.offset.map(|offset| offset.lines(after)).transpose()?.unwrap_or(0);
    let filter = Filter {
        server: asked.server,
        region: asked.region,
        customer: asked.customer,
        plan: asked.plan,
        search: asked.q,
        over: asked.over,
        no_data: asked.no_data,
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
    let limit = lines(asked.limit, way.is_csv());
    let start = after.map_or(Start::Skipping(skipped), |cursor| start(catalog, sort, cursor));
    let page = table.page(&chosen, sort, direction, start, limit);
    let end = page.more.zip(page.rows.last());
    let cursor = end.and_then(|(key, row)| cursor(catalog, sort, &list, key, *row));
    let next = way.next(cursor.as_ref());
    if way.is_csv() {
        let told = page.rows.into_iter().filter_map(move |row| table.line(row));
        return Ok(way.csv(&COLUMNS, told.map(|line| cells(&line)), next.as_deref()));
    }
    way.json(&Usage::of(&table, &chosen, &page.rows, next.clone()), next.as_deref())
}

/// Where a page ended. By texts it holds the text rather than its key, which another inventory may change.
fn cursor(catalog: &Catalog, sort: Sort, list: &str, key: u128, row: u32) -> Option<Cursor> {
    let id = catalog.ids().get(index(row))?;
    Some(match catalog.text_of(sort, row) {
        Some(text) => Cursor::new(list, 0, &format!("{text}\n{id}")),
        None => Cursor::new(list, key, id),
    })
}

/// Where the page after a cursor begins.
fn start<'a>(catalog: &Catalog, sort: Sort, cursor: &'a Cursor) -> Start<'a> {
    let (text, id) = cursor.id.split_once('\n').unwrap_or(("", &cursor.id));
    match catalog.key_of_text(sort, text) {
        Some(key) => Start::After(key, id),
        None => Start::After(cursor.key, &cursor.id),
    }
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
