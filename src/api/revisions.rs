//! `/v1/periods/{period}/revisions`: corrections of issued statements.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{name, reason, said};
use super::errors::ApiError;
use super::periods::carried_out;
use super::query::{Fields, path_error, period};
use crate::closing::desk::Word;
use crate::closing::revise::{Correction, Revision};
use crate::closing::statement::Kind;
use crate::closing::what_if::Figures;
use crate::metering::period::Month;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    by: String,
    reason: String,
    /// One server or pool; all unless given.
    server: Option<String>,
    /// Only tell what would change.
    #[serde(default)]
    dry_run: bool,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Revised {
    period: Month,
    dry_run: bool,
    /// What says something else now, in the order of servers.
    revisions: Vec<RevisionInfo>,
}

#[derive(Debug, Serialize)]
struct RevisionInfo {
    kind: Kind,
    server: String,
    customer: String,
    region: String,
    /// The number of the new revision.
    revision: u32,
    before: Figures,
    after: Figures,
    /// What a person would have to look at, were it a first statement.
    reasons: Vec<String>,
}

impl RevisionInfo {
    fn of(revision: Revision) -> Self {
        let Revision { before, after, reasons } = revision;
        Self {
            kind: after.kind,
            before: Figures::of(&before),
            after: Figures::of(&after),
            revision: after.revision,
            server: after.server,
            customer: after.customer,
            region: after.region,
            reasons,
        }
    }
}

/// `POST /v1/periods/{period}/revisions`: a new revision of every statement, or of one server's or pool's, that says
/// something else by what is stored and declared now.
pub(super) async fn revise(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Revised>, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    Fields::of(&uri, &[])?;
    let wish: Wish = said(&headers, body).await?;
    let (server, dry_run) = (wish.server, wish.dry_run);
    let word = Word { by: name("by", wish.by)?, now: (app.now)(), reason: reason("reason", wish.reason)? };
    let desk = app.desk.clone();
    let revisions = carried_out(&app, async move {
        let correction = Correction { period, server, dry_run };
        let revisions = desk.revise(&correction, &word).await?;
        if !dry_run {
            let count = revisions.len();
            tracing::info!(%period, by = word.by, revisions = count, "statements were corrected over the API");
        }
        Ok(revisions)
    });
    let revisions = revisions.await?.into_iter().map(RevisionInfo::of).collect();
    Ok(Json(Revised { period, dry_run, revisions }))
}
