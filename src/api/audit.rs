//! `/v1/audit`: who did what, when and from where, and what came of it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::errors::ApiError;
use super::query::Query;
use crate::audit::{self, ENTRIES_DEFAULT, ENTRIES_MAX, Entry, Undone};
use crate::inventory::instant::{Instant, rfc3339};

/// The answer, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Audit)]
pub(super) struct Listed {
    audit: Vec<Entry>,
    /// Where the older ones are, if there are any.
    next: Option<String>,
}

/// Which acts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Those from this instant on.
    from: Option<Instant>,
    /// Those before this instant.
    until: Option<Instant>,
    /// Those by this token or user of the system, or said to be by them.
    who: Option<String>,
    /// Those of this kind, such as `period.close`; `case.` takes all that begin so.
    action: Option<String>,
    /// Those to this target.
    target: Option<String>,
    /// How many at most; 100 unless given.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// Those before the act of this id, as `next` has it.
    cursor: Option<String>,
}

/// Who did what, when and from where, the newest first
#[utoipa::path(get, path = "/v1/audit", tag = "Operation", params(Asked), responses((status = 200, body = Listed)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<Listed>, ApiError> {
    let limit = asked.limit.unwrap_or(ENTRIES_DEFAULT);
    if !(1..=ENTRIES_MAX).contains(&limit) {
        return Err(ApiError::field("limit", &limit.to_string(), format!("it must be 1 to {ENTRIES_MAX}")));
    }
    let wanted = audit::Asked {
        from: asked.from.map(|at| at.0),
        until: asked.until.map(|at| at.0),
        who: asked.who.clone(),
        action: asked.action.clone(),
        target: asked.target.clone(),
        limit,
        cursor: asked.cursor.clone(),
    };
    let (audit, more) = app.audit.entries(&wanted).await?;
    let last = audit.last().filter(|_| more);
    let next = last.map(|last| next(&asked, &last.id));
    Ok(Json(Listed { audit, next }))
}

/// The same question about the acts before the one of `cursor`.
fn next(asked: &Asked, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let instants = [("from", asked.from), ("until", asked.until)];
    for (name, at) in instants.into_iter().filter_map(|(name, at)| Some((name, at?))) {
        query.append_pair(name, &rfc3339(at.0));
    }
    let texts = [("who", &asked.who), ("action", &asked.action), ("target", &asked.target)];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
        query.append_pair(name, text);
    }
    if let Some(limit) = asked.limit {
        query.append_pair("limit", &limit.to_string());
    }
    query.append_pair("cursor", cursor);
    format!("/v1/audit?{}", query.finish())
}

impl<E: Into<ApiError>> From<Undone<E>> for ApiError {
    fn from(undone: Undone<E>) -> Self {
        match undone {
            Undone::Unnoted(error) => error.into(),
            Undone::Refused(error) => error.into(),
        }
    }
}
