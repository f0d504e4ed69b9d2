//! `/v1/collectors`: the collectors elsewhere, what each holds, and whether it is heard of.

use axum::extract::State;
use axum::response::Response;
use meter95_reading::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::answer::Way;
use super::errors::ApiError;
use super::query::{Nothing, Query};
use crate::alerts::lookout::silence::COLLECTOR_SILENT_MS;
use crate::closing::table::Cell;
use crate::collectors::CollectorReport;
use crate::inventory::instant::rfc3339;

/// The answer of `GET /v1/collectors`, in the order of the names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Collectors)]
pub(super) struct Listed {
    collectors: Vec<Told>,
}

/// A collector, as it said last and as it does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CollectorTold)]
struct Told {
    #[serde(flatten)]
    report: CollectorReport,
    health: CollectorHealth,
}

/// Whether a collector is heard of.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct CollectorHealth {
    state: CollectorState,
    /// How long ago it was last heard of.
    silent_ms: u64,
    /// How long ago the oldest reading that it still holds was made; null where it holds none.
    behind_ms: Option<u64>,
}

/// How a collector does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum CollectorState {
    /// It was heard of, and holds nothing.
    Ok,
    /// It was heard of, and holds readings that are still to come.
    Behind,
    /// It was not heard of for five minutes, of which it ought to have reported after each.
    Silent,
    /// It stopped in order.
    Stopped,
}

impl CollectorHealth {
    fn of(report: &CollectorReport, now: Timestamp) -> Self {
        let since = |at: Timestamp| now.ms_since(at).max(0).unsigned_abs();
        let silent_ms = since(report.at);
        let state = match report {
            CollectorReport { stopped: true, .. } => CollectorState::Stopped,
            _ if silent_ms > COLLECTOR_SILENT_MS.unsigned_abs() => CollectorState::Silent,
            CollectorReport { unsent: 0, .. } => CollectorState::Ok,
            _ => CollectorState::Behind,
        };
        Self { state, silent_ms, behind_ms: report.oldest_unsent.map(since) }
    }
}

/// The collectors elsewhere, what each holds, and whether it is heard of
#[utoipa::path(
    get, path = "/v1/collectors", tag = "Metering",
    responses((status = 200, content((Listed = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    State(app): State<App>,
    way: Way,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let now = (app.now)();
    let told = |report: CollectorReport| Told { health: CollectorHealth::of(&report, now), report };
    let collectors: Vec<Told> = app.collectors.list().await?.into_iter().map(told).collect();
    if way.is_csv() {
        return Ok(way.csv(&COLUMNS, collectors.into_iter().map(|collector| collector.cells()), None));
    }
    way.json(&Listed { collectors }, None)
}

/// The columns of CSV.
const COLUMNS: [&str; 8] =
    ["name", "at", "unsent", "oldest_unsent", "stopped", "state", "silent_ms", "behind_ms"];

impl Told {
    fn cells(&self) -> Vec<Cell> {
        let Self { report, health } = self;
        let state = match health.state {
            CollectorState::Ok => "ok",
            CollectorState::Behind => "behind",
            CollectorState::Silent => "silent",
            CollectorState::Stopped => "stopped",
        };
        vec![
            Cell::Text(report.name.to_string()),
            Cell::Word(rfc3339(report.at)),
            Cell::Whole(report.unsent.into()),
            report.oldest_unsent.map_or(Cell::Nothing, |at| Cell::Word(rfc3339(at))),
            Cell::Word(report.stopped.to_string()),
            Cell::Word(state.to_owned()),
            Cell::Whole(health.silent_ms.into()),
            health.behind_ms.map_or(Cell::Nothing, |ms| Cell::Whole(ms.into())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::CollectorName;

    #[test]
    fn a_collector_does_as_it_was_heard_of() {
        let now = Timestamp(1_795_223_400_000);
        for (ago_ms, unsent, stopped, state, behind_ms) in [
            (300_000, 0, false, CollectorState::Ok, None),
            (300_000, 2, false, CollectorState::Behind, Some(400_000)),
            (300_001, 2, false, CollectorState::Silent, Some(400_001)),
            (300_001, 0, true, CollectorState::Stopped, None),
            // Its service's clock was set back.
            (-5, 0, false, CollectorState::Ok, None),
        ] {
            let report = CollectorReport {
                name: CollectorName::new("tokyo-1").unwrap(),
                at: now.plus_ms(-ago_ms),
                unsent,
                oldest_unsent: (unsent > 0).then(|| now.plus_ms(-ago_ms - 100_000)),
                stopped,
            };
            let health = CollectorHealth::of(&report, now);
            assert_eq!((health.state, health.behind_ms), (state, behind_ms), "{report:?}");
        }
    }
}
