//! `/v1/periods/{period}/revisions`: corrections of issued statements.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::App;
use super::access::{By, Via};
use super::body::{Said, Who, Why, by, reason};
use super::errors::ApiError;
use super::periods::carried_out;
use super::query::{At, Nothing, OfPeriod, Query};
use crate::audit::{Act, Undone, action};
use crate::closing::desk::Word;
use crate::closing::revise::{Correction, Revision, told};
use crate::closing::statement::Kind;
use crate::closing::what_if::Figures;
use crate::metering::period::Month;

/// What is to be corrected, by whom and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Correction)]
pub(super) struct Wish {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Why.
    reason: Why,
    /// One server or pool; all unless given.
    server: Option<String>,
    /// Only tell what would change.
    #[serde(default)]
    dry_run: bool,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Revised {
    period: Month,
    dry_run: bool,
    /// What says something else now, in the order of servers.
    revisions: Vec<RevisionInfo>,
}

#[derive(Debug, Serialize, ToSchema)]
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

/// Corrects what was issued
///
/// A new revision of every statement, or of one server's or pool's, that says something else by what is stored and
/// declared now.
#[utoipa::path(
    post, path = "/v1/periods/{period}/revisions", tag = "Billing", params(OfPeriod), request_body = Wish,
    responses((status = 200, body = Revised))
)]
pub(super) async fn revise(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(Nothing {}): Query<Nothing>,
    Said(wish): Said<Wish>,
) -> Result<Json<Revised>, ApiError> {
    let (server, dry_run) = (wish.server, wish.dry_run);
    let word = Word { by: by(&caller, wish.by)?, now: (app.now)(), reason: reason("reason", wish.reason)? };
    let (desk, audit) = (app.desk.clone(), app.audit.clone());
    let target = server.as_ref().map_or_else(|| period.to_string(), |server| format!("{period} {server}"));
    let act =
        Act::new(action::STATEMENT_REVISE, target).by(&word.by).before(json!({ "reason": word.reason }));
    let revisions = carried_out(&app, async move {
        let correction = Correction { period, server, dry_run };
        let revising = desk.revise(&correction, &word);
        if dry_run {
            return revising.await.map_err(Undone::Refused);
        }
        let revisions = audit.act(&origin, act, revising, |revisions| told(revisions)).await?;
        let count = revisions.len();
        tracing::info!(%period, by = word.by, revisions = count, "statements were corrected over the API");
        Ok(revisions)
    });
    let revisions = revisions.await?.into_iter().map(RevisionInfo::of).collect();
    Ok(Json(Revised { period, dry_run, revisions }))
}
