//! `/v1/periods/{period}/statements`: what was issued or is held, and what proves and explains it.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use clap::ValueEnum;
use serde::Serialize;

use super::App;
use super::errors::{ApiError, clipped};
use super::query::{Fields, path_error, period};
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
#[derive(Debug, Serialize)]
struct Listed<'a> {
    period: Month,
    statements: Vec<Stated<'a>>,
}

/// How an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Written {
    /// For programs.
    #[default]
    Json,
    /// For people.
    Text,
}

/// `GET /v1/periods/{period}/statements?server=&customer=&region=&only_overage=&all_revisions=`: of each server and pool
/// the newest statement, or every one.
pub(super) async fn list(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    let fields = Fields::of(&uri, &["server", "customer", "region", "only_overage", "all_revisions"])?;
    let filter = filter(&fields)?;
    let all_revisions = fields.value("all_revisions")?.unwrap_or(false);
    let filed = filed(&app, period, &filter).await?;
    let statements = chosen(&filed, &filter, all_revisions).into_iter().map(stated).collect();
    Ok(Json(Listed { period, statements }).into_response())
}

/// The statements of a month that may be asked for.
///
/// # Errors
/// When the store can't be read.
pub(super) async fn filed(app: &App, period: Month, filter: &Filter) -> Result<Vec<Filed>, StoreError> {
    match &filter.server {
        Some(server) => app.store.statements_of(period, server).await,
        None => app.store.statements(period).await,
    }
}

/// Which statements are asked for: by `server`, `customer`, `region` and `only_overage`.
///
/// # Errors
/// With the field that can't be.
pub(super) fn filter(fields: &Fields) -> Result<Filter, ApiError> {
    let text = |name: &str| fields.text(name).map(str::to_owned);
    Ok(Filter {
        server: text("server"),
        customer: text("customer"),
        region: text("region"),
        only_overage: fields.value("only_overage")?.unwrap_or(false),
        since_revision: 0,
    })
}

/// One server's or pool's statement, with all its revisions.
struct Found {
    filed: Filed,
    all: Vec<Filed>,
}

impl Found {
    /// The statement that a path names: the newest, or the `revision` of `fields`.
    async fn at(app: &App, (month, server): (String, String), fields: &Fields) -> Result<Self, ApiError> {
        let period = period(&month)?;
        let revision: Option<u32> = fields.value("revision")?;
        let all = app.store.statements_of(period, &server).await?;
        let wanted = match revision {
            Some(revision) => all.iter().find(|filed| filed.statement.revision == revision),
            None => all.iter().max_by_key(|filed| filed.statement.revision),
        };
        let server = clipped(&server);
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

/// `GET /v1/periods/{period}/statements/{server}?revision=`.
pub(super) async fn one(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(of) = path.map_err(|e| path_error(&e))?;
    let found = Found::at(&app, of, &Fields::of(&uri, &["revision"])?).await?;
    Ok(Json(stated(&found.filed)).into_response())
}

/// `GET /v1/periods/{period}/statements/{server}/bundle?revision=`: a file that proves an issued statement.
pub(super) async fn bundle(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(of) = path.map_err(|e| path_error(&e))?;
    let Found { filed, .. } = Found::at(&app, of, &Fields::of(&uri, &["revision"])?).await?;
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

/// `GET /v1/periods/{period}/statements/{server}/explanation?lang=&format=&revision=`.
pub(super) async fn explanation(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(of) = path.map_err(|e| path_error(&e))?;
    let fields = Fields::of(&uri, &["lang", "format", "revision"])?;
    let (lang, written): (Lang, Written) = (fields.choice("lang")?, fields.choice("format")?);
    let Found { filed, all } = Found::at(&app, of, &fields).await?;
    let samples = samples_of(&app.store, &filed.statement).await?;
    let explained = tokio::task::spawn_blocking(move || Explanation::new(&filed, &samples, &all));
    let explanation = explained.await.map_err(|e| ApiError::Internal(e.into()))?;
    Ok(match written {
        Written::Json => Json(explanation).into_response(),
        Written::Text => ([(header::CONTENT_TYPE, TEXT)], text(&explanation, lang)).into_response(),
    })
}
