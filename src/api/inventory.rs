//! `/v1/inventory`: what is sold and metered, now and at any time before; who changed it; and how it is changed.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::{By, Via};
use super::body::{Who, broken, by, clipped_says, text};
use super::errors::{ApiError, clipped};
use super::limits::{HISTORY_CHANGES_MAX, INVENTORY_OCTETS_MAX};
use super::periods::carried_out;
use super::query::Query;
use super::schema::{Ordinal, When};
use crate::audit::{Act, Undone, action};
use crate::inventory::apply::{ApplyError, Options, Outcome, apply};
use crate::inventory::check::Problem;
use crate::inventory::diff::{Change, Recorded};
use crate::inventory::document::Document;
use crate::inventory::file::{self, Syntax};
use crate::inventory::instant::Instant;
use crate::inventory::place::{Kind, Place, Step};
use crate::store::inventory::Filter;

/// The answer of `GET /v1/inventory`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Inventory)]
pub(super) struct Shown {
    /// The number of the version; 0 before the first.
    version: u64,
    /// In the form in which it can be put.
    inventory: Document,
}

/// The answer of `PUT /v1/inventory`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replaced {
    /// The version in force now.
    version: u64,
    /// Whether anything is stored: not with `dry_run`, and not where nothing changes.
    applied: bool,
    /// What is other than before.
    changes: Vec<ChangeInfo>,
    /// What of that may be a mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A change, with the line for people.
#[derive(Debug, Serialize, ToSchema)]
struct ChangeInfo {
    line: String,
    #[serde(flatten)]
    change: Change,
}

/// The answer of `GET /v1/inventory/history`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// In the order of versions; the newest where there are too many.
    changes: Vec<Recorded>,
    /// How many older ones are left out.
    left_out: usize,
}

/// One thing that is wrong with an inventory that was put.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Contradiction {
    /// Where, as `server "web01": ports[1]`.
    pub(super) at: String,
    kind: Kind,
    id: String,
    /// The entry's place in its list, from 0.
    index: Option<usize>,
    /// From the entry on, as `ports[1].speed_bps`.
    path: String,
    /// What stands there, as JSON.
    pub(super) value: Option<String>,
    says: String,
}

impl Contradiction {
    fn new(problem: &Problem, body: &Value) -> Self {
        let Problem { at, says } = problem;
        Self {
            at: at.to_string(),
            kind: at.kind,
            id: at.id.clone(),
            index: at.index,
            path: at.path_text(),
            value: value_at(body, at).map(|value| clipped(&value.to_string())),
            says: says.clone(),
        }
    }

    /// The first of `problems` in a sentence, and how many more there are.
    pub(super) fn summary(problems: &[Self]) -> String {
        let Some(first) = problems.first() else { return String::new() };
        let more = match problems.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        let at = if first.at.is_empty() { String::new() } else { format!("{}: ", clipped(&first.at)) };
        format!("{at}{}{more}", clipped_says(&first.says))
    }
}

/// What stands at a place of the body.
fn value_at<'a>(body: &'a Value, at: &Place) -> Option<&'a Value> {
    at.steps()?.iter().try_fold(body, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Item(index) => value.get(index),
    })
}

/// Of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// As it was in force at an instant; now unless given.
    #[param(value_type = Option<When>)]
    as_of: Option<Instant>,
}

/// Of what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedHistory {
    /// Of entries of this kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// Of entries of this id.
    id: Option<String>,
}

/// How an inventory is put in force.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedChange {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Only tell what would change.
    dry_run: bool,
    /// Entries that are not in it may be removed.
    remove: bool,
    /// The version that it was made from: refused where another one is in force meanwhile.
    #[param(value_type = Option<Ordinal>)]
    version: Option<u64>,
}

/// What is sold and metered, now or at any time before
#[utoipa::path(
    get, path = "/v1/inventory", tag = "Inventory", params(Asked), responses((status = 200, body = Shown))
)]
pub(super) async fn show(
    State(app): State<App>,
    Query(Asked { as_of }): Query<Asked>,
) -> Result<Json<Shown>, ApiError> {
    let (version, inventory) = match as_of {
        Some(Instant(at)) => app.store.inventory_as_of(at).await?,
        None => app.store.inventory().await?,
    };
    Ok(Json(Shown { version, inventory }))
}

/// Who changed what of the inventory, and when
#[utoipa::path(
    get, path = "/v1/inventory/history", tag = "Inventory", params(AskedHistory),
    responses((status = 200, body = History))
)]
pub(super) async fn history(
    State(app): State<App>,
    Query(AskedHistory { kind, id }): Query<AskedHistory>,
) -> Result<Json<History>, ApiError> {
    let mut changes = app.store.inventory_history(&Filter { kind, id }).await?;
    let left_out = changes.len().saturating_sub(HISTORY_CHANGES_MAX);
    changes.drain(..left_out);
    Ok(Json(History { changes, left_out }))
}

/// Puts an inventory in force
///
/// The document in the body becomes the whole inventory, or nothing changes. The running service takes it up within
/// seconds.
#[utoipa::path(
    put, path = "/v1/inventory", tag = "Inventory", params(AskedChange), request_body = Document,
    responses((status = 200, body = Replaced))
)]
pub(super) async fn replace(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    Query(AskedChange { by: name, dry_run, remove, version }): Query<AskedChange>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Replaced>, ApiError> {
    let by = by(&caller, name)?;
    let text = text(&headers, body, INVENTORY_OCTETS_MAX, too_long).await?;
    let document = file::parse(&text, Syntax::Json).map_err(|wrong| match wrong.at {
        Some(at) => contradictions(&[Problem { at: *at, says: wrong.says }], &text),
        None => {
            let line = wrong.line.map_or_else(String::new, |line| format!("line {line}: "));
            broken(&format!("{line}{}", wrong.says))
        }
    })?;
    let (store, audit, now) = (app.store.clone(), app.audit.clone(), (app.now)());
    let act = Act::new(action::INVENTORY_APPLY, "inventory").by(&by);
    let act = act.before(json!({ "remove": remove, "version": version }));
    let said_by = by.clone();
    // What comes of it is kept also when nobody waits any longer.
    let applied = carried_out(&app, async move {
        let options = Options { by: &said_by, now, dry_run, remove, seen: version };
        let applying = apply(&store, &document, options);
        let applied = match dry_run {
            true => applying.await.map_err(Undone::Refused),
            false => audit.act(&origin, act, applying, Outcome::told).await,
        };
        match applied {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(Undone::Refused(error)) => Ok(Err(error)),
            Err(Undone::Unnoted(error)) => Err(error),
        }
    });
    let outcome = applied.await?.map_err(|e| match e {
        ApplyError::By(name) => ApiError::field("by", &name, ApplyError::By(clipped(&name)).to_string()),
        ApplyError::Refused(refused) => contradictions(&refused.problems, &text),
        ApplyError::Store(e) => e.into(),
    })?;
    let info = |change: Change| ChangeInfo { line: change.line(), change };
    let changes: Vec<ChangeInfo> = outcome.changes.into_iter().map(info).collect();
    let applied = !dry_run && !changes.is_empty();
    if applied {
        tracing::info!(
            version = outcome.version,
            by,
            changes = changes.len(),
            "inventory was changed over the API"
        );
    }
    let warnings = outcome.warnings.iter().map(ToString::to_string).collect();
    Ok(Json(Replaced { version: outcome.version, applied, changes, warnings }))
}

fn contradictions(problems: &[Problem], text: &str) -> ApiError {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    ApiError::Contradictions(problems.iter().map(|problem| Contradiction::new(problem, &body)).collect())
}

fn too_long() -> String {
    let mib = INVENTORY_OCTETS_MAX >> 20;
    format!("an inventory is at most {mib} MiB of text")
}
