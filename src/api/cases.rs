//! `/v1/cases`: servers that use far more than they should, and what is done about them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::body::{name, reason, said};
use super::errors::{ApiError, clipped};
use super::query::{Fields, path_error};
use crate::closing::desk::Word;
use crate::inventory::instant::Instant;
use crate::metering::units::Bps;
use crate::throttle::case::{self, Case};
use crate::throttle::desk::Filter;
use crate::throttle::snippet::{self, Wanted};
use crate::throttle::step::{Attempt, Channel, Outcome, SERVICE};
use crate::throttle::view::{Recommended, Shown};

/// What can be done to a case.
const ACTIONS: [&str; 11] = [
    "notify", "approve", "apply", "lift", "dismiss", "reopen", "snooze", "wake", "note", "attempt", "answer",
];

/// What most actions say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    by: String,
    why: String,
}

/// What `apply` says; what is not given is as recommended.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    by: String,
    why: String,
    cap_bps: Option<Bps>,
    until: Option<Instant>,
}

/// What `snooze` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snooze {
    by: String,
    why: String,
    until: Instant,
}

/// What `attempt` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempted {
    by: String,
    why: String,
    /// The newest unless given.
    round: Option<u32>,
    /// Somebody who is none of the customer's contacts unless given.
    #[serde(default)]
    contact: u32,
    /// The contact's name in the inventory unless given.
    name: Option<String>,
    channel: Channel,
    outcome: Outcome,
    #[serde(default)]
    detail: String,
}

/// `GET /v1/cases`: those that have not ended or had a step in the last 90 days, the newest first; of one server all that
/// there ever were.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Value>, ApiError> {
    let fields = Fields::of(&uri, &["state", "open", "server", "customer", "region"])?;
    let text = |name| fields.text(name).map(str::to_owned);
    let filter = Filter {
        state: fields.word::<case::State>("state")?,
        open: fields.value("open")?,
        server: text("server"),
        customer: text("customer"),
        region: text("region"),
    };
    let cases = match &filter.server {
        Some(server) => {
            let mut all = app.cases.of_server(server).await?;
            all.retain(|case| filter.takes(case));
            all.reverse();
            all
        }
        None => app.cases.list(&filter).await?,
    };
    let shown: Vec<Shown<'_>> = cases.iter().map(|case| Shown::brief(case)).collect();
    Ok(Json(json!({ "cases": shown })))
}

/// `GET /v1/cases/{n}`: everything about one.
pub(super) async fn one(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(number) = path.map_err(|e| path_error(&e))?;
    Fields::of(&uri, &[])?;
    let case = app.cases.get(id(&number)?).await?;
    Ok(Json(Shown::whole(&case)).into_response())
}

/// `GET /v1/recommendations`: those of cases that have not ended, the newest first.
pub(super) async fn recommendations(State(app): State<App>, uri: Uri) -> Result<Json<Value>, ApiError> {
    Fields::of(&uri, &[])?;
    let cases = app.cases.list(&Filter { open: Some(true), ..Filter::default() }).await?;
    let recommended: Vec<Recommended<'_>> = cases.iter().map(Recommended::of).collect();
    Ok(Json(json!({ "recommendations": recommended })))
}

/// `GET /v1/cases/{n}/snippet?for=tc&lift=true&interface=eth0`: the configuration that limits the server, or takes the
/// limit off; interfaces by other names than the inventory's, with commas between.
pub(super) async fn snippet(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(number) = path.map_err(|e| path_error(&e))?;
    let fields = Fields::of(&uri, &["for", "lift", "interface"])?;
    let lift = fields.value::<bool>("lift")?.unwrap_or_default();
    let Some(kind) = fields.text("for") else {
        let says = format!("say for which kind of device: {}", app.templates.kinds().join(", "));
        return Err(ApiError::Field { field: "for".to_owned(), value: None, says });
    };
    let case = app.cases.get(id(&number)?).await?;
    let text = {
        let live = app.live.read();
        let server = live.inventory().servers.get(case.server());
        let server = server.ok_or_else(|| ApiError::UnknownServer(case.server().to_owned()))?;
        let now = (app.now)();
        let bindings: Vec<_> = server.ports.iter().filter(|binding| binding.holds_at(now)).collect();
        let interfaces = fields
            .text("interface")
            .map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect());
        snippet::render(&app.templates, &case, &bindings, Wanted { kind, lift, interfaces: &interfaces })?
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `POST /v1/cases/{n}/{action}`: takes a step, and tells the case as it stands then.
pub(super) async fn act(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Path((number, action)) = path.map_err(|e| path_error(&e))?;
    Fields::of(&uri, &[])?;
    let id = id(&number)?;
    let case = take(&app, id, &action, &headers, body).await?;
    let by = case.last_step().map(|step| step.by.as_str()).unwrap_or_default();
    tracing::info!(case = id, action, by, "step of a case was taken over the API");
    Ok(Json(Shown::whole(&case)).into_response())
}

async fn take(
    app: &App,
    id: u64,
    action: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Arc<Case>, ApiError> {
    let word = |by: String, why: String| {
        let by = name("by", by)?;
        if by == SERVICE {
            return Err(ApiError::field("by", &by, "this is the service's own name; say yours"));
        }
        Ok(Word { by, now: (app.now)(), reason: reason("why", why)? })
    };
    let cases = &app.cases;
    let case = match action {
        "apply" => {
            let Apply { by, why, cap_bps, until } = said(headers, body).await?;
            cases.apply(id, cap_bps, until, &word(by, why)?).await?
        }
        "snooze" => {
            let Snooze { by, why, until } = said(headers, body).await?;
            cases.snooze(id, until, &word(by, why)?).await?
        }
        "attempt" => {
            let Attempted { by, why, round, contact, name, channel, outcome, detail } =
                said(headers, body).await?;
            let word = word(by, why)?;
            let case = cases.get(id).await?;
            let name = match name {
                Some(name) => name,
                None => contact_name(app, &case, contact)?,
            };
            let round = round.unwrap_or_else(|| case.round());
            cases.attempt(id, Attempt { round, contact, name, channel, outcome, detail }, &word).await?
        }
        "notify" | "approve" | "lift" | "dismiss" | "reopen" | "wake" | "note" | "answer" => {
            let Plain { by, why } = said(headers, body).await?;
            let word = &word(by, why)?;
            match action {
                "notify" => cases.notify(id, word).await?,
                "approve" => cases.approve(id, word).await?,
                "lift" => cases.lift(id, word).await?,
                "dismiss" => cases.dismiss(id, word).await?,
                "reopen" => cases.reopen(id, word).await?,
                "wake" => cases.wake(id, word).await?,
                "answer" => cases.answered(id, word).await?,
                _ => cases.note(id, word).await?,
            }
        }
        _ => {
            let says =
                format!("a case can't be told to {:?}; it can {}", clipped(action), ACTIONS.join(", "));
            return Err(ApiError::Unknown(says));
        }
    };
    Ok(case)
}

/// The name of one of the customer's contacts.
fn contact_name(app: &App, case: &Case, contact: u32) -> Result<String, ApiError> {
    let live = app.live.read();
    let contacts = live.inventory().customers.get(&case.recommendation.customer);
    let contacts = contacts.map(|customer| customer.contacts.as_slice()).unwrap_or_default();
    let at = usize::try_from(contact).unwrap_or(usize::MAX).checked_sub(1);
    let found = at.and_then(|at| contacts.get(at)).map(|contact| contact.name.clone());
    found.ok_or_else(|| {
        let says = format!(
            "the customer has {} contacts, counted from 1; say the name of anybody else",
            contacts.len()
        );
        ApiError::field("contact", &contact.to_string(), says)
    })
}

fn id(text: &str) -> Result<u64, ApiError> {
    let says = || format!("{:?} is not the number of a case", clipped(text));
    text.parse().map_err(|_| ApiError::field("n", text, says()))
}
