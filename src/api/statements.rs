//! `/v1/periods/{period}/statements`: what was issued or is held, and what proves and explains it.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::By;
use super::errors::{ApiError, clipped};
use super::query::{At, OfPeriod, OfStatement, Query};
use super::schema::Ordinal;
use crate::access::Caller;
use crate::closing::bundle;
use crate::closing::explain::Explanation;
use crate::closing::explain::text::{Lang, text};
use crate::closing::export::Filter;
use crate::closing::listing::{Stated, chosen, stated};
use crate::closing::proof::samples_of;
use crate::metering::period::Month;
use crate::metering::statement::Samples;
use crate::store::connection::StoreError;
use crate::store::statements::{self, Filed};

/// Text for people and for `meter95 verify`.
const TEXT: &str = "text/plain; charset=utf-8";

/// The answer of `GET /v1/periods/{period}/statements`, in the order of ids and revisions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statements)]
pub(super) struct Listed<'a> {
    period: Month,
    statements: Vec<Stated<'a>>,
}

/// How an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExplanationFormat)]
enum Written {
    /// For programs.
    #[default]
    Json,
    /// For people.
    Text,
}

/// Which statements.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Those of a server or pool.
    server: Option<String>,
    /// Those of a customer.
    customer: Option<String>,
    /// Those of a region.
    region: Option<String>,
    /// Those with overage.
    only_overage: bool,
    /// Every revision, not only the newest.
    all_revisions: bool,
}

/// Which revision.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRevision {
    /// Its number; the newest unless given.
    #[param(value_type = Option<Ordinal>)]
    revision: Option<u32>,
}

/// How a statement is explained.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedWords {
    /// In which language a text is.
    #[param(inline)]
    lang: Lang,
    /// For programs or for people.
    #[param(inline)]
    format: Written,
    /// The number of the revision; the newest unless given.
    #[param(value_type = Option<Ordinal>)]
    revision: Option<u32>,
}

/// A month's statements: of each server and pool the newest, or every one
#[utoipa::path(
    get, path = "/v1/periods/{period}/statements", tag = "Billing", params(OfPeriod, Asked),
    responses((status = 200, body = Listed<'_>))
)]
pub(super) async fn list(
    State(app): State<App>,
    By(caller): By,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let Asked { server, customer, region, only_overage, all_revisions } = asked;
    let filter = Filter { server, customer, region, only_overage, since_revision: 0 };
    let filed = filed(&app, &caller, period, &filter).await?;
    let statements = chosen(&filed, &filter, all_revisions).into_iter().map(stated).collect();
    Ok(Json(Listed { period, statements }).into_response())
}

/// The statements of a month that may be asked for.
///
/// # Errors
/// When the store can't be read.
pub(super) async fn filed(
    app: &App,
    caller: &Caller,
    period: Month,
    filter: &Filter,
) -> Result<Vec<Filed>, StoreError> {
    let mut filed = match &filter.server {
        Some(server) => app.store.statements_of(period, server).await?,
        None => app.store.statements(period).await?,
    };
    filed.retain(|filed| sees(caller, filed));
    Ok(filed)
}

fn sees(caller: &Caller, filed: &Filed) -> bool {
    caller.sees(&filed.statement.customer, &filed.statement.region)
}

/// One server's or pool's statement, with all its revisions.
struct Found {
    filed: Filed,
    all: Vec<Filed>,
}

impl Found {
    /// The statement that a path names: the newest, or that of a `revision`.
    async fn at(
        app: &App,
        caller: &Caller,
        of: &OfStatement,
        revision: Option<u32>,
    ) -> Result<Self, ApiError> {
        let OfStatement { period, server } = of;
        let mut all = app.store.statements_of(*period, server).await?;
        all.retain(|filed| sees(caller, filed));
        let wanted = match revision {
            Some(revision) => all.iter().find(|filed| filed.statement.revision == revision),
            None => all.iter().max_by_key(|filed| filed.statement.revision),
        };
        let server = clipped(server);
        match (wanted, revision) {
            (Some(filed), _) => Ok(Self { filed: filed.clone(), all }),
            (None, Some(revision)) if !all.is_empty() => Err(ApiError::Unknown(format!(
                "the statement of {server:?} for {period} has no revision {revision}"
            ))),
            (None, _) => {
                Err(ApiError::Unknown(format!("{period} has no statement of a server or pool {server:?}")))
            }
        }
    }
}

/// One statement
#[utoipa::path(
    get, path = "/v1/periods/{period}/statements/{server}", tag = "Billing", params(OfStatement, OfRevision),
    responses((status = 200, body = Stated<'_>))
)]
pub(super) async fn one(
    State(app): State<App>,
    By(caller): By,
    At(of): At<OfStatement>,
    Query(OfRevision { revision }): Query<OfRevision>,
) -> Result<Response, ApiError> {
    let found = Found::at(&app, &caller, &of, revision).await?;
    Ok(Json(stated(&found.filed)).into_response())
}

/// A file that proves an issued statement, for `meter95 verify`
#[utoipa::path(
    get, path = "/v1/periods/{period}/statements/{server}/bundle", tag = "Billing", params(OfStatement, OfRevision),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn bundle(
    State(app): State<App>,
    By(caller): By,
    At(of): At<OfStatement>,
    Query(OfRevision { revision }): Query<OfRevision>,
) -> Result<Response, ApiError> {
    let Found { filed, .. } = Found::at(&app, &caller, &of, revision).await?;
    if filed.state != statements::State::Issued {
        return Err(ApiError::NotNow {
            says: "only what is issued can be proved; this statement waits for review, or was withdrawn"
                .to_owned(),
            soon: false,
            held_back: Vec::new(),
        });
    }
    let samples = samples_of(&app.store, &filed.statement).await?;
    let head = [
        (header::CONTENT_TYPE, TEXT.to_owned()),
        (header::CONTENT_DISPOSITION, attachment(&bundle::file_name(&filed.statement))),
    ];
    // That of a large pool is made of millions of lines.
    let written = tokio::task::spawn_blocking(move || {
        let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
        bundle::write(&filed.body, &filed.statement.members, &slices)
    });
    let text = written.await.map_err(|e| ApiError::Internal(e.into()))?;
    Ok((head, text).into_response())
}

/// How a browser is told to keep a file under a name, of which nothing need be quoted.
pub(super) fn attachment(file: &str) -> String {
    format!("attachment; filename=\"{file}\"")
}

/// How a statement's figures come about, step by step
#[utoipa::path(
    get, path = "/v1/periods/{period}/statements/{server}/explanation", tag = "Billing",
    params(OfStatement, AskedWords),
    responses((status = 200, content((Explanation = "application/json"), (String = "text/plain"))))
)]
pub(super) async fn explanation(
    State(app): State<App>,
    By(caller): By,
    At(of): At<OfStatement>,
    Query(AskedWords { lang, format: written, revision }): Query<AskedWords>,
) -> Result<Response, ApiError> {
    let Found { filed, all } = Found::at(&app, &caller, &of, revision).await?;
    let samples = samples_of(&app.store, &filed.statement).await?;
    let explained = tokio::task::spawn_blocking(move || Explanation::new(&filed, &samples, &all));
    let explanation = explained.await.map_err(|e| ApiError::Internal(e.into()))?;
    Ok(match written {
        Written::Json => Json(explanation).into_response(),
        Written::Text => ([(header::CONTENT_TYPE, TEXT)], text(&explanation, lang)).into_response(),
    })
}
