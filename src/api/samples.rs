//! `/v1/servers/{id}/samples`: a server's samples over a month or any span, newest revisions only, one by one or gathered by
//! hours or days ([`buckets`]).

mod buckets;

use axum::extract::State;
use axum::response::Response;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::By;
use super::answer::Way;
use super::errors::ApiError;
use super::limits::{BUCKETS_DAYS_MAX, SAMPLES_DAYS_MAX};
use super::query::{At, OfServer, Query};
use super::schema::When;
use super::servers::known;
use super::usage::running_month;
use crate::aggregator::output::Revised;
use crate::aggregator::server::{RECENT_SLOTS, Server};
use crate::aggregator::state::Aggregator;
use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::units::{Bps, Slot};
use crate::store::load::StoredSamples;
use buckets::{Bucket, Width, gather};

/// A day in ms.
const DAY_MS: i64 = 86_400_000;

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Samples {
    server: String,
    from: Instant,
    until: Instant,
    slot_s: i64,
    /// What is granted from each instant on, in order.
    allowances: Vec<Step>,
    /// In the order of time; slots without a sample are absent.
    samples: Vec<SampleInfo>,
}

/// The answer, gathered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gathered {
    server: String,
    from: Instant,
    until: Instant,
    step: Width,
    /// What is granted from each instant on, in order.
    allowances: Vec<Step>,
    /// In the order of time; those without a sample are absent.
    buckets: Vec<Bucket>,
}

/// One of the two.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SamplesOrBuckets)]
pub(super) enum Told {
    /// With `step=slot`.
    Samples(Samples),
    /// With any other.
    Gathered(Gathered),
}

#[derive(Debug, Serialize, ToSchema)]
struct Step {
    from: Instant,
    bps: Bps,
}

#[derive(Debug, Serialize, ToSchema)]
struct SampleInfo {
    slot: Instant,
    in_bps: Bps,
    out_bps: Bps,
    value_bps: Bps,
    partial: bool,
    revision: u16,
}

/// Which samples.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Those of a month; the running one unless a span is given.
    period: Option<Month>,
    /// Those of slots that start at or after this; together with `until`, without `period`.
    #[param(value_type = Option<When>)]
    from: Option<Instant>,
    /// Those of slots that start before this; at most 93 days after `from`, 400 with a `step` other than `slot`.
    #[param(value_type = Option<When>)]
    until: Option<Instant>,
    /// How they are gathered.
    #[param(inline)]
    step: Width,
}

/// A server's samples of a month or a span
///
/// A sample is there at once when its slot has closed. Where hundreds of slots close at once, as when a collector
/// catches up after days, those older than an hour follow within seconds, when they have been written.
///
/// By hours or days in the billing time zone each bucket has the largest sample and the p95 of in, of out, and of the larger
/// of the two, each by itself: no mean, and no percentile of percentiles.
#[utoipa::path(
    get, path = "/v1/servers/{id}/samples", tag = "Servers", params(OfServer, Asked),
    responses((status = 200, content((Told = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    State(app): State<App>,
    By(caller): By,
    way: Way,
    At(OfServer { id }): At<OfServer>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    // Memory before the store: what memory has forgotten meanwhile has been stored long before.
    let (server_id, from, until, zone, allowances, live) = {
        let state = app.live.read();
        let entry = known(&state, &caller, &id)?;
        let (from, until) = span(&state, &asked)?;
        let slots = SlotSpan::starting_in(from, until);
        let steps = state.inventory().rules_of(entry, slots).allowance.steps(slots);
        let server = state.server(&id);
        let live = server.map(|server| recent(server, slots)).unwrap_or_default();
        let zone = state.inventory().timezone.clone();
        (server.map(|server| server.id), from, until, zone, steps, live)
    };
    let slots = SlotSpan::starting_in(from, until);
    let mut samples = match server_id {
        Some(id) => app.store.samples(&[id], slots).await?.remove(&id).unwrap_or_default(),
        None => StoredSamples::new(),
    };
    for (slot, revised) in live {
        let known = samples.entry(slot).or_insert(revised);
        if known.revision < revised.revision {
            *known = revised;
        }
    }
    let (from, until) = (Instant(from), Instant(until));
    let allowances = allowances.into_iter().map(step).collect();
    match asked.step {
        Width::Slot => {
            let samples: Vec<SampleInfo> = samples.into_iter().filter_map(info).collect();
            if way.is_csv() {
                return Ok(way.csv(&COLUMNS, samples.into_iter().map(|sample| sample.cells()), None));
            }
            let slot_s = Slot::MS / 1_000;
            way.json(&Told::Samples(Samples { server: id, from, until, slot_s, allowances, samples }), None)
        }
        step @ (Width::Hour | Width::Day) => {
            let rates = samples.into_iter().filter_map(|(slot, revised)| Some((slot, revised.rates()?)));
            let buckets = gather(rates, slots, step, &zone);
            if way.is_csv() {
                return Ok(way.csv(
                    &buckets::COLUMNS,
                    buckets.into_iter().map(|bucket| bucket.cells()),
                    None,
                ));
            }
            way.json(&Told::Gathered(Gathered { server: id, from, until, step, allowances, buckets }), None)
        }
    }
}

/// The columns of CSV.
const COLUMNS: [&str; 6] = ["slot", "in_bps", "out_bps", "value_bps", "partial", "revision"];

impl SampleInfo {
    fn cells(&self) -> Vec<Cell> {
        let Instant(slot) = self.slot;
        vec![
            Cell::Word(rfc3339(slot)),
            Cell::bps(Some(self.in_bps)),
            Cell::bps(Some(self.out_bps)),
            Cell::bps(Some(self.value_bps)),
            Cell::Word(self.partial.to_string()),
            Cell::Whole(self.revision.into()),
        ]
    }
}

/// The span that is asked for, half-open.
fn span(state: &Aggregator, asked: &Asked) -> Result<(Timestamp, Timestamp), ApiError> {
    let Asked { period, from, until, step } = *asked;
    let days_max = if step == Width::Slot { SAMPLES_DAYS_MAX } else { BUCKETS_DAYS_MAX };
    let missing = |field: &str, says: &str| ApiError::Field {
        field: field.to_owned(),
        value: None,
        says: says.to_owned(),
    };
    match (period, from, until) {
        (None, Some(Instant(from)), Some(Instant(until))) => {
            if until <= from {
                let says = format!("{} is not after from, {}", rfc3339(until), rfc3339(from));
                return Err(ApiError::field("until", &rfc3339(until), says));
            }
            if until.ms_since(from) > days_max * DAY_MS {
                let says = format!("the span is longer than {days_max} days; ask for it in parts");
                return Err(ApiError::field("until", &rfc3339(until), says));
            }
            Ok((from, until))
        }
        (None, Some(_), None) => Err(missing("until", "missing; from goes together with until")),
        (None, None, Some(_)) => Err(missing("from", "missing; until goes together with from")),
        (Some(period), None, None) => Ok(period.span(&state.inventory().timezone)),
        (None, None, None) => Ok(running_month(state)?.span(&state.inventory().timezone)),
        (Some(period), _, _) => {
            let says = "give either period, or from and until";
            Err(ApiError::field("period", &period.to_string(), says))
        }
    }
}

/// What memory has of the server's closed slots in `span`, withdrawn samples among them.
fn recent(server: &Server, span: SlotSpan) -> Vec<(Slot, Revised)> {
    let Some(until) = server.closed_until else {
        return Vec::new();
    };
    let slots = (until.0.saturating_sub(RECENT_SLOTS)..until.0).map(Slot);
    let known = |slot: Slot| Some((slot, server.recent(slot)?));
    slots
        .filter(|slot| span.contains(*slot))
        .filter_map(known)
        .filter(|(_, revised)| revised.revision > 0)
        .collect()
}

fn step((slot, bps): (Slot, Bps)) -> Step {
    Step { from: Instant(slot.start()), bps }
}

fn info((slot, revised): (Slot, Revised)) -> Option<SampleInfo> {
    let sample = revised.sample?;
    Some(SampleInfo {
        slot: Instant(slot.start()),
        in_bps: sample.rates.in_bps,
        out_bps: sample.rates.out_bps,
        value_bps: sample.rates.value(),
        partial: sample.partial,
        revision: revised.revision,
    })
}
